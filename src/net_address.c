// SPDX-License-Identifier: GPL-3.0-or-later
#include "net_address.h"

#include "home_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SPELLINGS ":PORT, HOST:PORT, unix:PATH, /dev/DEVICE, stdio or none"

/* ---- parsing ----------------------------------------------------------------------------------
 */

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

/* ---- listening --------------------------------------------------------------------------------
 */

static int listen_on(int fd, const void *sockaddr, socklen_t length)
{
	if (bind(fd, sockaddr, length) < 0 || listen(fd, 4) < 0)
		return -errno;
	return 0;
}

/* A datagram socket's connect() tells whether anybody has the path open without knocking at the
 * door: a stream socket's owner would have to accept. ECONNREFUSED: nobody has it. */
static bool unix_is_stale(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int unix_replace(int fd, const struct sockaddr_un *name, struct error *err)
{
	struct stat st;

	if (lstat(name->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST,
				 "%s exists and is not a socket: remove it or choose another path",
				 name->sun_path);
	if (!unix_is_stale(name))
		return error_set(err, -EADDRINUSE,
				 "socket %s is in use: is another vitrine or QEMU running? choose "
				 "another path",
				 name->sun_path);
	if (unlink(name->sun_path) < 0)
		return error_set(err, -errno, "cannot replace the old socket %s: %s",
				 name->sun_path, strerror(errno));
	return listen_on(fd, name, sizeof(*name));
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* The mode that the socket has before bind() is the mode of the file that bind() makes. */
static int listen_unix(struct net_address *address, struct error *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct error why = {0};
	int fd = new_socket(AF_UNIX), rc;

	if (fd < 0)
		return error_set(err, fd, "cannot create a socket: %s", strerror(-fd));
	memcpy(name.sun_path, address->path, sizeof(name.sun_path));
	fchmod(fd, 0600);
	rc = listen_on(fd, &name, sizeof(name));
	if (rc == -EADDRINUSE)
		rc = unix_replace(fd, &name, &why);
	if (rc == 0)
		return fd;
	close(fd);
	if (why.code)
		return error_set(err, rc, "%s", why.text);
	return error_set(err, rc, "cannot listen on socket %s: %s", address->path, strerror(-rc));
}

static int listen_info(const struct addrinfo *info)
{
	const int on = 1;
	int fd = new_socket(info->ai_family), rc;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	rc = listen_on(fd, info->ai_addr, info->ai_addrlen);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int tcp_failed(const struct net_address *address, int rc, struct error *err)
{
	if (rc == -EADDRINUSE)
		return error_set(err, rc,
				 "port %u is in use: is another vitrine or QEMU running? choose "
				 "one with -gdb :PORT",
				 address->port);
	if (rc == -EADDRNOTAVAIL)
		return error_set(err, rc,
				 "%s is not an address of this machine: leave it out to listen "
				 "on 127.0.0.1",
				 address->host);
	if (rc == -EACCES)
		return error_set(err, rc, "port %u needs privileges: choose one above 1023",
				 address->port);
	return error_set(err, rc, "cannot listen on %s port %u: %s", address->host, address->port,
			 strerror(-rc));
}

static void learn_port(int fd, struct net_address *address)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name;
	socklen_t length = sizeof(name);

	if (getsockname(fd, &name.any, &length) < 0)
		return;
	address->port = ntohs(name.any.sa_family == AF_INET6 ? name.in6.sin6_port
							     : name.in.sin_port);
}

static int listen_tcp(struct net_address *address, struct error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *list;
	char port[8];
	int fd = -EADDRNOTAVAIL, rc;

	snprintf(port, sizeof(port), "%u", address->port);
	rc = getaddrinfo(address->host, port, &hints, &list);
	if (rc != 0)
		return error_set(err, -EADDRNOTAVAIL,
				 "cannot find the host \"%s\" (%s): write :PORT to listen on "
				 "127.0.0.1",
				 address->host, gai_strerror(rc));
	for (struct addrinfo *info = list; info && fd < 0; info = info->ai_next)
		fd = listen_info(info);
	freeaddrinfo(list);
	if (fd < 0)
		return tcp_failed(address, fd, err);
	learn_port(fd, address);
	return fd;
}

int net_listen(struct net_address *address, struct error *err)
{
	switch (address->kind) {
	case NET_TCP: return listen_tcp(address, err);
	case NET_UNIX: return listen_unix(address, err);
	case NET_DEVICE:
	case NET_STDIO:
	case NET_NONE: break;
	}
	return error_set(err, -EINVAL, "there is no address to listen on");
}

/* ---- what an address means --------------------------------------------------------------------
 */

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
