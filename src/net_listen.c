// SPDX-License-Identifier: GPL-3.0-or-later
/* Sockets that listen, and who comes to them. */
#include "net_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

/* Given up for the moment that it takes to turn away who cannot be taken. */
static int spare = -1;

static void keep_spare(void)
{
	if (spare < 0)
		spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int net_listen(struct net_address *address, struct error *err)
{
	keep_spare();
	switch (address->kind) {
	case NET_TCP: return listen_tcp(address, err);
	case NET_UNIX: return listen_unix(address, err);
	case NET_DEVICE:
	case NET_STDIO:
	case NET_NONE: break;
	}
	return error_set(err, -EINVAL, "there is no address to listen on");
}

/* ---- who comes ------------------------------------------------------------------------------ */

static void turn_away(int listener)
{
	int fd;

	if (spare < 0)
		return;
	close(spare);
	spare = -1;
	fd = accept(listener, NULL, NULL);
	if (fd >= 0)
		close(fd);
	keep_spare();
}

int net_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), code = -errno;

	if (fd >= 0)
		return fd;
	if (code == -EMFILE || code == -ENFILE)
		turn_away(listener);
	return code;
}
