// SPDX-License-Identifier: MIT
#include "transfer/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 256

/* Splits at the last colon, unless that is one of a bare IPv6 address. */
static int split(const char *text, char host[static HOST_MAX], const char **port)
{
	const char *colon = strrchr(text, ':'), *end = colon ? colon : text + strlen(text);
	size_t length;

	*port = colon ? colon + 1 : ADDRESS_PORT_DEFAULT;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		*port = end[1] ? end + 2 : ADDRESS_PORT_DEFAULT;
		text++;
	} else if (colon && strchr(text, ':') != colon) {
		end = text + strlen(text);
		*port = ADDRESS_PORT_DEFAULT;
	}
	length = (size_t)(end - text);
	if (!length || length >= HOST_MAX)
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	return 0;
}

static bool is_port(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	return text[0] >= '0' && text[0] <= '9' && !*end && value <= UINT16_MAX;
}

int address_parse(const char *text, bool resolve, struct link_address *out, struct failure *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICSERV | (resolve ? 0 : AI_NUMERICHOST) };
	struct addrinfo *found = NULL;
	char host[HOST_MAX];
	const char *port;
	int err;

	memset(out, 0, sizeof(*out));
	if (split(text, host, &port) || !is_port(port))
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no address: use %s:PORT, with an IPv6 address in brackets",
			    text, resolve ? "HOST" : "ADDR");
	err = getaddrinfo(host, port, &hints, &found);
	if (err)
		return fail(why, resolve ? EXIT_MACHINE_CANT : EXIT_WRONG_USE, EADDRNOTAVAIL,
			    resolve ? "can't find the host '%s': %s"
				    : "'%s' is no numeric address: %s",
			    host, err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
	memcpy(&out->address, found->ai_addr, found->ai_addrlen);
	out->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

char *address_format(const struct link_address *address, char text[static ADDRESS_TEXT_MAX])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address->address;
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->address.ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(six->sin6_port));
	} else {
		(void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(four->sin_port));
	}
	return text;
}

bool address_is_loopback(const struct link_address *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address->address;

	if (address->address.ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address->address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

bool address_same_host(const struct link_address *a, const struct link_address *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&a->address;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)&b->address;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)&a->address;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)&b->address;

	if (a->address.ss_family != b->address.ss_family)
		return false;
	if (a->address.ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->address.ss_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
	       a6->sin6_scope_id == b6->sin6_scope_id;
}

uint16_t address_port(const struct link_address *address)
{
	/* at the same place in both families */
	return ntohs(((const struct sockaddr_in *)&address->address)->sin_port);
}

void address_set_port(struct link_address *address, uint16_t port)
{
	((struct sockaddr_in *)&address->address)->sin_port = htons(port);
}
