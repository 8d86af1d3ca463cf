/* SPDX-License-Identifier: MIT */
/* Where a server listens and a peer is found: "127.0.0.1:4742", "[::1]:4742", "host.example:4742". */
#ifndef COPYTAX_TRANSFER_ADDRESS_H
#define COPYTAX_TRANSFER_ADDRESS_H

#include <stdbool.h>

#include "base/failure.h"
#include "transfer/link.h"

#define ADDRESS_PORT_DEFAULT "4742"
#define ADDRESS_TEXT_MAX 80

/*
 * Takes ADDR:PORT, ADDR alone (the default port) and, when `resolve` is set, names. The first address of a
 * name is taken. Returns 0 or -errno with `why` (exit code 2; 3 for a name that is not known).
 */
int address_parse(const char *text, bool resolve, struct link_address *out, struct failure *why);

/* "127.0.0.1:4742", "[::1]:4742". Returns `text`. */
char *address_format(const struct link_address *address, char text[static ADDRESS_TEXT_MAX]);

/* Can nobody but this machine reach it? */
bool address_is_loopback(const struct link_address *address);

/* The same host, whatever the ports. */
bool address_same_host(const struct link_address *a, const struct link_address *b);

uint16_t address_port(const struct link_address *address);
void address_set_port(struct link_address *address, uint16_t port);

#endif
