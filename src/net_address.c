// SPDX-License-Identifier: GPL-3.0-or-later
#include "net_address.h"

#include "home_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPELLINGS ":PORT, HOST:PORT, unix:PATH, /dev/DEVICE, stdio or none"

/* ---- parsing --------------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What a QEMU user's fingers add. length: up to the next comma. */
static bool known_option(const char *option, size_t length)
{
	static const char *const known[] = {"server",	 "server=on",  "nowait",  "wait=off",
					    "wait=on",	 "wait",       "nodelay", "nodelay=on",
					    "delay=off", "nodelay=off"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == length && memcmp(known[i], option, length) == 0)
			return true;
	return false;
}

static int check_options(const char *comma, const char *text, struct error *err)
{
	while (*comma == ',') {
		size_t length = strcspn(comma + 1, ",");

		if (!known_option(comma + 1, length))
			return error_set(err, -EINVAL,
					 "address \"%s\": vitrine does not know the option "
					 "\"%.*s\"; leave it out",
					 text, (int)length, comma + 1);
		comma += 1 + length;
	}
	return 0;
}

static int take_path(const char *path, size_t length, const char *text, struct net_address *address,
		     struct error *err)
{
	if (length >= sizeof(address->path))
		return error_set(err, -ENAMETOOLONG,
				 "the path in \"%s\" is longer than %zu bytes: use a "
				 "shorter one, or a relative one",
				 text, sizeof(address->path) - 1);
	memcpy(address->path, path, length);
	return 0;
}

/* No shell has seen the ~ behind the colon. */
static int take_home_path(const char *path, size_t length, const char *text,
			  struct net_address *address, struct error *err)
{
	char typed[sizeof(address->path)];
	int rc = take_path(path, length, text, address, err);

	if (rc < 0)
		return rc;
	memcpy(typed, address->path, sizeof(typed));
	return home_path(typed, address->path, sizeof(address->path), err);
}

static int parse_unix(const char *path, size_t length, const char *text,
		      struct net_address *address, struct error *err)
{
	if (length == 0)
		return error_set(err, -EINVAL, "address \"%s\" names no path: write unix:PATH",
				 text);
	address->kind = NET_UNIX;
	return take_home_path(path, length, text, address, err);
}

static int parse_port(const char *digits, size_t length, const char *text, unsigned short *port,
		      struct error *err)
{
	unsigned value = 0;
	bool good = length > 0 && length <= 5;

	for (size_t i = 0; good && i < length; i++) {
		good = digits[i] >= '0' && digits[i] <= '9';
		value = value * 10 + (unsigned)(digits[i] - '0');
	}
	if (!good || value > USHRT_MAX)
		return error_set(err, -EINVAL,
				 "address \"%s\" needs a port from 0 to 65535 after its last colon",
				 text);
	*port = (unsigned short)value;
	return 0;
}

static int parse_host(const char *host, size_t length, const char *text,
		      struct net_address *address, struct error *err)
{
	if (length == 0) {
		strcpy(address->host, "127.0.0.1");
		return 0;
	}
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	} else if (memchr(host, ':', length)) {
		return error_set(err, -EINVAL,
				 "address \"%s\" has too many colons: write an IPv6 host as "
				 "[HOST]:PORT",
				 text);
	}
	if (length == 0 || length >= sizeof(address->host))
		return error_set(err, -EINVAL, "address \"%s\" has no usable host name", text);
	memcpy(address->host, host, length);
	return 0;
}

static int parse_tcp(const char *rest, size_t length, const char *text, struct net_address *address,
		     struct error *err)
{
	const char *colon = memrchr(rest, ':', length);
	int rc;

	if (!colon)
		return error_set(err, -EINVAL, "address \"%s\" is none of " SPELLINGS, text);
	rc = parse_host(rest, (size_t)(colon - rest), text, address, err);
	if (rc == 0)
		rc = parse_port(colon + 1, length - (size_t)(colon + 1 - rest), text,
				&address->port, err);
	address->kind = NET_TCP;
	return rc;
}

static int parse_kind(const char *text, size_t length, struct net_address *address,
		      struct error *err)
{
	if (length == 4 && memcmp(text, "none", 4) == 0)
		return 0;
	if (length == 5 && memcmp(text, "stdio", 5) == 0) {
		address->kind = NET_STDIO;
		return 0;
	}
	if (starts_with(text, "unix:"))
		return parse_unix(text + 5, length - 5, text, address, err);
	if (starts_with(text, "tcp:"))
		return parse_tcp(text + 4, length - 4, text, address, err);
	if (text[0] == '/') {
		address->kind = NET_DEVICE;
		return take_path(text, length, text, address, err);
	}
	return parse_tcp(text, length, text, address, err);
}

int net_address_parse(const char *text, struct net_address *address, struct error *err)
{
	size_t length = strcspn(text, ",");
	int rc;

	*address = (struct net_address){.kind = NET_NONE};
	rc = parse_kind(text, length, address, err);
	if (rc == 0)
		rc = check_options(text + length, text, err);
	if (rc < 0)
		*address = (struct net_address){.kind = NET_NONE};
	return rc;
}

/* ---- what an address means ------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(AF_INET, host, &in) == 1)
		return ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &in6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&in6);
	return strcmp(host, "localhost") == 0;
}

bool net_is_wide(const struct net_address *address)
{
	return address->kind == NET_TCP && !is_loopback(address->host);
}

static void tcp_text(const struct net_address *address, char *buf, unsigned size)
{
	if (strcmp(address->host, "127.0.0.1") == 0)
		snprintf(buf, size, ":%u", address->port);
	else if (strchr(address->host, ':'))
		snprintf(buf, size, "[%s]:%u", address->host, address->port);
	else
		snprintf(buf, size, "%s:%u", address->host, address->port);
}

void net_address_text(const struct net_address *address, char *buf, unsigned size)
{
	switch (address->kind) {
	case NET_TCP: tcp_text(address, buf, size); return;
	case NET_UNIX: snprintf(buf, size, "unix:%s", address->path); return;
	case NET_DEVICE: snprintf(buf, size, "%s", address->path); return;
	case NET_STDIO: snprintf(buf, size, "stdio"); return;
	case NET_NONE: snprintf(buf, size, "none"); return;
	}
}
