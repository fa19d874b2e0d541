// SPDX-License-Identifier: GPL-3.0-or-later
#include "net_address.h"
#include "net_case.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_good_spellings(void **state)
{
	static const struct {
		const char *text;
		int kind;
		const char *host, *path, *shown;
		unsigned port;
		bool wide;
	} rows[] = {
		{":1234", NET_TCP, "127.0.0.1", "", ":1234", 1234, false},
		{"tcp::1234", NET_TCP, "127.0.0.1", "", ":1234", 1234, false},
		{"tcp:localhost:1", NET_TCP, "localhost", "", "localhost:1", 1, false},
		{"0.0.0.0:65535", NET_TCP, "0.0.0.0", "", "0.0.0.0:65535", 65535, true},
		{"example.org:80", NET_TCP, "example.org", "", "example.org:80", 80, true},
		{"127.1.2.3:0", NET_TCP, "127.1.2.3", "", "127.1.2.3:0", 0, false},
		{"[::1]:5", NET_TCP, "::1", "", "[::1]:5", 5, false},
		{"tcp:[::]:5", NET_TCP, "::", "", "[::]:5", 5, true},
		{"tcp::1234,server,nowait", NET_TCP, "127.0.0.1", "", ":1234", 1234, false},
		{"unix:/run/gdb", NET_UNIX, "", "/run/gdb", "unix:/run/gdb", 0, false},
		{"unix:a:b,server=on,wait=off", NET_UNIX, "", "a:b", "unix:a:b", 0, false},
		{"/dev/ttyS1", NET_DEVICE, "", "/dev/ttyS1", "/dev/ttyS1", 0, false},
		{"/dev/serial/by-id/a:b", NET_DEVICE, "", "/dev/serial/by-id/a:b",
		 "/dev/serial/by-id/a:b", 0, false},
		{"stdio", NET_STDIO, "", "", "stdio", 0, false},
		{"none", NET_NONE, "", "", "none", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_address a;
		struct error err = {0};
		char shown[200];

		if (net_address_parse(rows[i].text, &a, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		net_address_text(&a, shown, sizeof(shown));
		assert_int_equal(a.kind, rows[i].kind);
		assert_string_equal(a.host, rows[i].host);
		assert_string_equal(a.path, rows[i].path);
		assert_int_equal(a.port, rows[i].port);
		assert_string_equal(shown, rows[i].shown);
		assert_int_equal(net_is_wide(&a), rows[i].wide);
	}
}

static void test_bad_spellings(void **state)
{
	static const char *const rows[] = {
		"",	  "1234",	  "tcp:",	   "tcp:1234",
		":",	  ":x",		  ":65536",	   ":-1",
		":12x",	  ":123456",	  ":99999999999",  "unix:",
		"::1:5",  "[]:5",	  "nonesuch",	   ":1,bogus",
		"stdio:", "stdio:x",	  "mon:stdio",	   "none,bogus",
		":1 ",	  "unix:,server", "/dev/x,115200",
	};
	char host[300], path[300];
	struct net_address a;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct error){0};
		if (net_address_parse(rows[i], &a, &err) != -EINVAL || !err.text[0])
			fail_msg("\"%s\" was taken, or refused without a word", rows[i]);
		assert_int_equal(a.kind, NET_NONE);
	}
	snprintf(path, sizeof(path), "unix:/%0200d", 1);
	assert_int_equal(net_address_parse(path, &a, &err), -ENAMETOOLONG);
	assert_int_equal(net_address_parse(path + 5, &a, &err), -ENAMETOOLONG);
	assert_int_equal(a.kind, NET_NONE);
	snprintf(host, sizeof(host), "%0200d:1", 1);
	assert_int_equal(net_address_parse(host, &a, &err), -EINVAL);
}

static void test_home(void **state)
{
	struct net_address a;
	struct error err;
	char text[64], long_home[200];

	(void)state;
	setenv("HOME", "/h/me", 1);
	assert_string_equal(net_case("unix:~/gdb").path, "/h/me/gdb");
	assert_string_equal(net_case("unix:~/gdb,server,nowait").path, "/h/me/gdb");
	assert_string_equal(net_case("unix:a~/gdb").path, "a~/gdb");
	assert_string_equal(net_case("unix:~you/gdb").path, "~you/gdb");
	a = net_case("unix:~/gdb");
	net_address_text(&a, text, sizeof(text));
	assert_string_equal(text, "unix:/h/me/gdb");
	memset(long_home, 'h', sizeof(long_home));
	long_home[sizeof(long_home) - 1] = 0;
	setenv("HOME", long_home, 1);
	assert_int_equal(net_address_parse("unix:~/gdb", &a, &err), -ENAMETOOLONG);
	assert_int_equal(a.kind, NET_NONE);
	unsetenv("HOME");
	assert_int_equal(net_address_parse("unix:~/gdb", &a, &err), -ENOENT);
	assert_non_null(strstr(err.text, "HOME is not set"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_spellings),
		cmocka_unit_test(test_bad_spellings),
		cmocka_unit_test(test_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
