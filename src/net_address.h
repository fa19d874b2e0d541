/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as the command line spells them: `:PORT`, `HOST:PORT`, `tcp::PORT`, `tcp:HOST:PORT`, `unix:PATH`,
 * `/dev/DEVICE`, `stdio`, `none`; an IPv6 HOST stands in brackets. QEMU's trailing `,server=on,wait=off` (also
 * spelled `,server,nowait`) and `,nodelay` are accepted and ignored: vitrine always listens and never waits. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "error.h"

#include <stdbool.h>

struct net_address {
	enum { NET_NONE, NET_TCP, NET_UNIX, NET_DEVICE, NET_STDIO } kind;
	char host[128]; /* as the user wrote it, without brackets; "127.0.0.1" when there was none
			 */
	unsigned short port;
	char path[108];
};

/* -EINVAL, with a sentence that shows the right spelling; *address is then NET_NONE. */
int net_address_parse(const char *text, struct net_address *address, struct error *err);

/* Whether others than this machine's users could reach it. A name other than localhost counts as
 * such. */
bool net_is_wide(const struct net_address *address);

/* ":1234", "HOST:1234", "unix:/path" or "/dev/ttyS1", to be typed after gdb's `target remote`; "stdio", "none". */
void net_address_text(const struct net_address *address, char *buf, unsigned size);

#endif
