// SPDX-License-Identifier: GPL-3.0-or-later
#include "server_rig.h"
#include "peer.h"

#include "event_loop.h"
#include "gdbstub/server.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct place place;

static void on_log(void *ctx, enum log_level level, const char *line)
{
	size_t used = strlen(place.log);

	(void)ctx;
	(void)level;
	snprintf(place.log + used, sizeof(place.log) - used, "%s\n", line);
}

void server_start(enum on_disconnect policy)
{
	struct gdb_server_config config = {.on_disconnect = policy};
	const char *folder = getenv("TMPDIR");
	struct error err = {0};

	memset(&place, 0, sizeof(place));
	snprintf(place.path, sizeof(place.path), "%.60s/test_server.%d", folder ? folder : "/tmp",
		 (int)getpid());
	config.address.kind = NET_UNIX;
	snprintf(config.address.path, sizeof(config.address.path), "%s", place.path);
	log_set_sink(on_log, NULL);
	place.debug = fake_new(2);
	place.loop = event_loop_new();
	assert_int_equal(gdb_server_new(place.debug, place.loop, &config, &place.server, &err), 0);
}

int server_setup(void **state)
{
	(void)state;
	server_start(DISCONNECT_KEEP);
	return 0;
}

int server_teardown(void **state)
{
	struct stat st;

	(void)state;
	gdb_server_free(place.server);
	assert_int_equal(stat(place.path, &st), -1);
	assert_null(place.debug->listener);
	event_loop_free(place.loop);
	fake_free(place.debug);
	log_set_sink(NULL, NULL);
	return 0;
}

void rounds(void)
{
	for (int i = 0; i < 20; i++)
		event_loop_once(place.loop, 1);
}

int connect_quietly(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", place.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

int connect_client(void)
{
	int fd = connect_quietly();

	rounds();
	return fd;
}

void server_say(int fd, const char *bytes)
{
	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	rounds();
}

void server_expect(int fd, const char *bytes)
{
	char got[500];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	assert_string_equal(got, bytes);
}
