/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that listen at an address. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net_address.h"

/* For NET_TCP and NET_UNIX. A listening, non-blocking, close-on-exec socket. A stale unix socket (nobody listens) is
 * replaced, a live one is -EADDRINUSE. Port 0 picks one; the address is updated to what was bound.
 */
int net_listen(struct net_address *address, struct error *err);

/* The next connection, non-blocking, close-on-exec; or -errno. Where the process has no descriptor left for it, it is
 * closed: a listener that stays ready would keep the main thread busy. */
int net_accept(int listener);

#endif
