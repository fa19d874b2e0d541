// SPDX-License-Identifier: GPL-3.0-or-later
/* What the clock's battery keeps: its memory, a reset, snapshots. */
#include "device_host.h"
#include "rtc_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GIB (1ull << 30)

static void test_memory(void **state)
{
	(void)state;
	rtc_set(0x0f, 0x0a);
	assert_int_equal(rtc_get(0x0f), 0x0a);
	assert_int_equal(rtc_get(0x8f), 0x0a); /* bit 7 is the NMI mask */
	rtc_set(0x7f, 0x55);
	assert_int_equal(rtc_get(0x7f), 0x55);
	rtc_set(0x0d, 0x00); /* read only */
	assert_int_equal(rtc_get(0x0d), 0x80);
	rtc_set(0x0c, 0xff);
	assert_int_equal(rtc_get(0x0c), 0x00);
	assert_int_equal(in8(&rtc.h, 0x70), 0xff);
}

static unsigned word(uint8_t index)
{
	return rtc_get(index) | (unsigned)rtc_get((uint8_t)(index + 1)) << 8;
}

static void test_memory_sizes(void **state)
{
	static const struct {
		uint64_t size;
		unsigned base, extended, above16, above4g;
	} rows[] = {
		{512 * 1024, 512, 0, 0, 0},
		{1 * MIB, 640, 0, 0, 0},
		{16 * MIB, 640, 15 * 1024, 0, 0},
		{128 * MIB, 640, 65535, 112 * 16, 0},
		{3 * GIB, 640, 65535, 3056 * 16, 0},
		{4 * GIB, 640, 65535, 3056 * 16, 1024 * 16},
		{1024 * GIB, 640, 65535, 3056 * 16, 1021 * 1024 * 16},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rtc_teardown(state);
		rtc_start(&(struct rtc_config){.ram_size = rows[i].size, .vcpus = i + 1});
		assert_int_equal(word(0x15), rows[i].base);
		assert_int_equal(word(0x17), rows[i].extended);
		assert_int_equal(word(0x30), rows[i].extended);
		assert_int_equal(word(0x34), rows[i].above16);
		assert_int_equal(word(0x5b) | (unsigned)rtc_get(0x5d) << 16,
				 rows[i].above4g & 0xffffff);
		assert_int_equal(rtc_get(0x5f), i);
	}
}

static void expect_sum(void)
{
	unsigned sum = 0;

	for (uint8_t i = 0x10; i <= 0x2d; i++)
		sum += rtc_get(i);
	assert_int_equal(rtc_get(0x2e) << 8 | rtc_get(0x2f), sum);
}

/* Linux 0.01 counts its disks by byte 0x12; others read type 47's geometry. */
static void test_disks(void **state)
{
	static const uint8_t small[9] = {10, 0, 16, 0xff, 0xff, 0x08, 10, 0, 63};
	static const uint8_t large[9] = {0xff, 0x3f, 16, 0xff, 0xff, 0x08, 0xff, 0x3f, 63};

	assert_int_equal(rtc_get(0x12), 0);
	assert_int_equal(rtc_get(0x19) | rtc_get(0x1a) | rtc_get(0x1b), 0);
	expect_sum();
	rtc_teardown(state);
	rtc_start(&(struct rtc_config){.ram_size = MIB, .disk_sectors = {10 * 16 * 63 + 5}});
	assert_int_equal(rtc_get(0x12), 0xf0);
	assert_int_equal(rtc_get(0x1a), 0);
	rtc_teardown(state);
	rtc_start(&(struct rtc_config){.ram_size = MIB,
				       .disk_sectors = {10 * 16 * 63 + 5, 1ull << 40}});
	assert_int_equal(rtc_get(0x12), 0xff);
	assert_int_equal(rtc_get(0x19), 47);
	assert_int_equal(rtc_get(0x1a), 47);
	for (uint8_t i = 0; i < 9; i++) {
		assert_int_equal(rtc_get(0x1b + i), small[i]);
		assert_int_equal(rtc_get(0x24 + i), large[i]);
	}
	expect_sum();
}

static void test_equipment(void **state)
{
	(void)state;
	assert_int_equal(rtc_get(0x0e), 0);    /* all was well at power-on */
	assert_int_equal(rtc_get(0x10), 0);    /* no floppy disks */
	assert_int_equal(rtc_get(0x14), 0x02); /* VGA, an FPU, and no floppy disks once more */
}

static void test_reset_keeps_what_the_battery_keeps(void **state)
{
	(void)state;
	rtc_set(0x0f, 0x0a);
	rtc_set(4, 0x05);
	rtc_set(0x0b, 0x72);
	pass(SECOND);
	assert_true(rtc.h.level[8]);
	rtc.rtc->reset(rtc.rtc);
	assert_false(rtc.h.level[8]);
	assert_null(rtc.h.timers);
	assert_int_equal(rtc_get(0x0b), 0x02);
	assert_int_equal(rtc_get(0x0c), 0);
	assert_int_equal(rtc_get(0x0f), 0x0a);
	expect_time(0x05, 0x59, 0x59);
}

static void test_save_and_load(void **state)
{
	struct test_host h;
	struct device *copy;

	(void)state;
	pass(7 * SECOND / 2);
	rtc_set(4, 0x11);
	rtc_set(0x0b, 0x12);
	pass(SECOND / 2);
	test_host_init(&h);
	h.now = rtc.h.now;
	rtc_init(&h.host, &(struct rtc_config){.ram_size = MIB, .vcpus = 1}, &copy, NULL);
	check_save_load(rtc.rtc, copy);
	assert_true(h.level[8]);
	out8(&h, 0x70, 0x0c);
	assert_int_equal(in8(&h, 0x71) & 0x90, 0x90);
	assert_false(h.level[8]);
	test_host_pass(&h, SECOND);
	assert_true(h.level[8]);
	out8(&h, 0x70, 0x04);
	assert_int_equal(in8(&h, 0x71), 0x11);
	copy->destroy(copy);
	assert_null(h.timers);
}

static void test_load_refuses_nonsense(void **state)
{
	struct device_stream s = {0};
	uint8_t cmos[128] = {0};

	(void)state;
	stream_put_u64(&s, 128); /* an index behind the memory */
	stream_put(&s, cmos, sizeof(cmos));
	for (int i = 0; i < 3; i++)
		stream_put_u64(&s, 0);
	assert_int_equal(rtc.rtc->load(rtc.rtc, &s), -EINVAL);
	stream_free(&s);
	stream_put_u64(&s, 1);
	stream_put(&s, cmos, sizeof(cmos));
	stream_put_u64(&s, 1ull << 62); /* a date that would overflow */
	stream_put_u64(&s, 0);
	stream_put_u64(&s, 0);
	assert_int_equal(rtc.rtc->load(rtc.rtc, &s), -EINVAL);
	stream_free(&s);
	expect_time(0x23, 0x59, 0x58);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rtc_setup, rtc_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory),
		TEST(test_memory_sizes),
		TEST(test_disks),
		TEST(test_equipment),
		TEST(test_reset_keeps_what_the_battery_keeps),
		TEST(test_save_and_load),
		TEST(test_load_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
