/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as the command line spells them: `:PORT`, `HOST:PORT`, `tcp::PORT`, `tcp:HOST:PORT`,
 * `unix:PATH`, `none`. QEMU's trailing `,server,nowait` and the like are accepted and ignored. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "error.h"

#include <stdbool.h>

struct net_address {
	enum { NET_NONE, NET_TCP, NET_UNIX } kind;
	char host[128]; /* "127.0.0.1" when the user named none */
	unsigned short port;
	char path[108];
};

int net_address_parse(const char *text, struct net_address *address, struct error *err);

/* A listening, non-blocking, close-on-exec socket. A stale unix socket (nobody listens) is
 * replaced, a live one is -EADDRINUSE. Port 0 picks one; the address is updated to what was bound.
 */
int net_listen(struct net_address *address, struct error *err);

/* Whether others than this machine's users could reach it. */
bool net_is_wide(const struct net_address *address);

/* ":1234" or "unix:/path", to be typed after gdb's `target remote`. */
void net_address_text(const struct net_address *address, char *buf, unsigned size);

#endif
