// SPDX-License-Identifier: GPL-3.0-or-later
#include "net_case.h"
#include "net_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int connect_to(unsigned short port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void test_tcp_listens_on_a_free_port(void **state)
{
	struct net_address a = net_case(":0"), again;
	struct error err = {0};
	int fd = net_listen(&a, &err), peer;

	(void)state;
	assert_true(fd >= 0);
	assert_int_not_equal(a.port, 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	peer = connect_to(a.port);
	again = a;
	assert_int_equal(net_listen(&again, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "is another vitrine or QEMU running?"));
	assert_non_null(strstr(err.text, "-gdb :PORT"));
	close(peer);
	close(fd);
	fd = net_listen(&again, &err); /* at once, in spite of TIME_WAIT */
	assert_true(fd >= 0);
	close(fd);
}

static void test_hosts_that_are_not_ours(void **state)
{
	struct net_address a = net_case("192.0.2.1:0"), b = net_case("no.such.host.invalid:0"),
			   none = net_case("none");
	struct error err = {0};

	(void)state;
	assert_int_equal(net_listen(&a, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "192.0.2.1"));
	assert_int_equal(net_listen(&b, &err), -EADDRNOTAVAIL);
	assert_int_equal(net_listen(&none, &err), -EINVAL);
}

static void make_dir(char *dir)
{
	strcpy(dir, "/tmp/vitrine-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static struct net_address in_dir(const char *dir, const char *name)
{
	char text[100];

	snprintf(text, sizeof(text), "unix:%s/%s", dir, name);
	return net_case(text);
}

static void test_live_socket_is_left_alone(void **state)
{
	char dir[40];
	struct net_address a;
	struct error err = {0};
	struct stat st;
	int fd;

	(void)state;
	make_dir(dir);
	a = in_dir(dir, "s");
	fd = net_listen(&a, &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(a.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(net_listen(&a, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, a.path));
	assert_int_equal(accept(fd, NULL, NULL), -1); /* and nobody knocked at it */
	assert_int_equal(errno, EAGAIN);
	close(fd);
	fd = net_listen(&a, &err); /* stale now */
	assert_true(fd >= 0);
	close(fd);
	unlink(a.path);
	rmdir(dir);
}

static void test_other_files_are_left_alone(void **state)
{
	char dir[40], missing[60];
	struct net_address a;
	struct error err = {0};

	(void)state;
	make_dir(dir);
	a = in_dir(dir, "precious");
	close(open(a.path, O_CREAT | O_WRONLY, 0644));
	assert_int_equal(net_listen(&a, &err), -EEXIST);
	assert_int_equal(access(a.path, F_OK), 0);
	unlink(a.path);
	snprintf(missing, sizeof(missing), "%s/no", dir);
	a = in_dir(missing, "s");
	assert_int_equal(net_listen(&a, &err), -ENOENT);
	rmdir(dir);
}

/* A connection that finds no descriptor is turned away, and the listener is quiet again; the next one is taken. */
static void test_no_descriptor_is_left(void **state)
{
	struct net_address a = net_case(":0");
	struct error err = {0};
	struct rlimit limit, full;
	int fd = net_listen(&a, &err), peer, taken;
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char byte;

	(void)state;
	assert_true(fd >= 0);
	peer = connect_to(a.port);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	full = limit;
	full.rlim_cur = (rlim_t)peer + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
	assert_int_equal(net_accept(fd), -EMFILE);
	assert_int_equal(poll(&ready, 1, 0), 0);
	assert_true(recv(peer, &byte, 1, 0) <= 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	close(peer);
	peer = connect_to(a.port);
	taken = net_accept(fd);
	assert_true(taken >= 0);
	assert_true(fcntl(taken, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
	close(taken);
	close(peer);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_listens_on_a_free_port),
		cmocka_unit_test(test_hosts_that_are_not_ours),
		cmocka_unit_test(test_live_socket_is_left_alone),
		cmocka_unit_test(test_other_files_are_left_alone),
		cmocka_unit_test(test_no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
