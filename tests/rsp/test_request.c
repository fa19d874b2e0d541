// SPDX-License-Identifier: GPL-3.0-or-later
/* Arguments of packets. */
#include "peer.h"

#include "gdbstub/request.h"

#include <string.h>

static struct request of(const char *text)
{
	return (struct request){text, text + strlen(text)};
}

static void hex_numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
		size_t left;
	} rows[] = {
		{"0", true, 0, 0},
		{"1f", true, 0x1f, 0},
		{"1F,", true, 0x1f, 1},
		{"ffffffffffffffff", true, UINT64_MAX, 0},
		{"0000000000000001", true, 1, 0},
		{"10000000000000000", false, 0, 0},
		{"", false, 0, 0},
		{"x1", false, 0, 0},
		{"-1", false, 0, 0},
		{" 1", false, 0, 0},
		{"0x10", true, 0, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = of(rows[i].text);
		uint64_t value;

		assert_int_equal(take_hex(&request, &value), rows[i].ok);
		if (!rows[i].ok)
			continue;
		assert_true(value == rows[i].value);
		assert_int_equal(request_left(&request), rows[i].left);
	}
}

static void ranges(void **state)
{
	struct request request = of("ffffffff80000000,40:");
	uint64_t addr, length;

	(void)state;
	assert_true(take_range(&request, &addr, &length));
	assert_true(addr == 0xffffffff80000000 && length == 0x40);
	assert_true(take_char(&request, ':') && take_end(&request));
	request = of("ffffffffffffffff,1");
	assert_true(take_range(&request, &addr, &length));
	request = of("ffffffffffffffff,2");
	assert_false(take_range(&request, &addr, &length));
	request = of("ffffffffffffffff,0");
	assert_true(take_range(&request, &addr, &length));
	request = of("0,ffffffffffffffff");
	assert_true(take_range(&request, &addr, &length));
	request = of("1,ffffffffffffffff");
	assert_true(take_range(&request, &addr, &length));
	request = of("2,ffffffffffffffff");
	assert_false(take_range(&request, &addr, &length));
	request = of("10");
	assert_false(take_range(&request, &addr, &length));
	request = of("10,");
	assert_false(take_range(&request, &addr, &length));
	request = of(",10");
	assert_false(take_range(&request, &addr, &length));
}

static void thread_ids(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		enum thread_kind kind;
		unsigned vcpu;
	} rows[] = {
		{"0", true, THREAD_ANY, 0},
		{"-1", true, THREAD_ALL, 0},
		{"1", true, THREAD_ONE, 0},
		{"1f", true, THREAD_ONE, 0x1e},
		{"7fffffff", true, THREAD_ONE, 0x7ffffffe},
		{"80000000", false, THREAD_ANY, 0},
		{"p1.2", true, THREAD_ONE, 1},
		{"p1.-1", true, THREAD_ALL, 0},
		{"p-1.-1", true, THREAD_ALL, 0},
		{"p0.0", true, THREAD_ANY, 0},
		{"p1", true, THREAD_ALL, 0},
		{"p-1", true, THREAD_ALL, 0},
		{"p1.", false, THREAD_ANY, 0},
		{"p", false, THREAD_ANY, 0},
		{"p.1", false, THREAD_ANY, 0},
		{"", false, THREAD_ANY, 0},
		{"-", false, THREAD_ANY, 0},
		{"-2", false, THREAD_ANY, 0},
		{"thread", false, THREAD_ANY, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = of(rows[i].text);
		struct thread_id id;
		bool ok = take_thread(&request, &id);

		assert_int_equal(ok, rows[i].ok);
		if (!ok)
			continue;
		assert_true(take_end(&request));
		assert_int_equal(id.kind, rows[i].kind);
		if (id.kind == THREAD_ONE)
			assert_int_equal(id.vcpu, rows[i].vcpu);
	}
}

static void bytes(void **state)
{
	struct request request = of("00fF7");
	uint8_t value[4];

	(void)state;
	assert_false(take_hex_bytes(&request, value, 2));
	request = of("00fF");
	assert_true(take_hex_bytes(&request, value, 2));
	assert_memory_equal(value, "\x00\xff", 2);
	request = of("00fF");
	assert_false(take_hex_bytes(&request, value, 1));
	request = of("00fF");
	assert_false(take_hex_bytes(&request, value, 3));
	request = of("0g");
	assert_false(take_hex_bytes(&request, value, 1));
	request = of("");
	assert_true(take_hex_bytes(&request, value, 0));
}

static void words(void **state)
{
	struct request request = of("read::x");
	const char *word;
	size_t size;

	(void)state;
	assert_true(take_word(&request, ':', &word, &size));
	assert_int_equal(size, 4);
	assert_memory_equal(word, "read", 4);
	assert_true(take_word(&request, ':', &word, &size));
	assert_int_equal(size, 0);
	assert_false(take_word(&request, ':', &word, &size));
	assert_int_equal(request_left(&request), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_numbers), cmocka_unit_test(ranges),
		cmocka_unit_test(thread_ids),  cmocka_unit_test(bytes),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
