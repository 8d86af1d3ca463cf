// SPDX-License-Identifier: MIT
/*
 * Linked into the static program only. The C library finds names by loading what nsswitch.conf lists, built for
 * the C library of the machine at hand; a static program can't do that safely. Here an address is a number, or
 * "localhost"; for other names the caller's sentence says that this one does not know them.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *found);

/* One answer and its address in one piece of memory. */
struct answer {
	struct addrinfo info;
	union {
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address;
};

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out)
{
	struct answer *a = calloc(1, sizeof(*a));
	char bare[INET6_ADDRSTRLEN + IF_NAMESIZE + 1], *zone;
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));

	if (!a)
		return EAI_MEMORY;
	a->info.ai_socktype = hints->ai_socktype;
	a->info.ai_addr = (struct sockaddr *)&a->address;
	if (!strcmp(host, "localhost") && !(hints->ai_flags & AI_NUMERICHOST))
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &a->address.four.sin_addr) == 1) {
		a->address.four.sin_family = AF_INET;
		a->address.four.sin_port = number;
		a->info.ai_addrlen = sizeof(a->address.four);
	} else if (strlen(host) < sizeof(bare)) {
		strcpy(bare, host);
		/* a link-local address names its interface: fe80::1%eth0 */
		zone = strchr(bare, '%');
		if (zone) {
			*zone++ = '\0';
			a->address.six.sin6_scope_id = if_nametoindex(zone);
		}
		if (inet_pton(AF_INET6, bare, &a->address.six.sin6_addr) == 1 &&
		    (!zone || a->address.six.sin6_scope_id)) {
			a->address.six.sin6_family = AF_INET6;
			a->address.six.sin6_port = number;
			a->info.ai_addrlen = sizeof(a->address.six);
		}
	}
	a->info.ai_family = a->info.ai_addr->sa_family;
	if (!a->info.ai_addrlen) {
		free(a);
		return EAI_NONAME;
	}
	*out = &a->info;
	return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *found)
{
	/* the first member of its answer */
	free(found);
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
