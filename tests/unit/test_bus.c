// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/bus.h"
#include "devices/device.h"
#include "devices/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A device that writes down what it was asked and answers reads with its offset in every byte. */
struct witness {
	char log[256];
	bool silent;
};

static void witness_io(void *device, struct bus_access *access)
{
	struct witness *w = device;
	size_t used = strlen(w->log);

	snprintf(w->log + used, sizeof(w->log) - used, "%c%u@%llx", access->write ? 'w' : 'r',
		 access->size, (unsigned long long)access->offset);
	used = strlen(w->log);
	if (access->write)
		snprintf(w->log + used, sizeof(w->log) - used, "=%llx",
			 (unsigned long long)access->value);
	strcat(w->log, " ");
	if (!access->write && !w->silent)
		access->value = 0x0101010101010101ull * (access->offset + 1);
}

static struct bus_region region(const char *name, uint64_t base, uint64_t size, uint8_t max,
				struct witness *w)
{
	return (struct bus_region){.name = name,
				   .base = base,
				   .size = size,
				   .max_size = max,
				   .io = witness_io,
				   .device = w};
}

static void test_access_reaches_its_region(void **state)
{
	struct witness w = {0};
	struct bus_region r = region("a", 0x100, 8, 4, &w);
	struct bus bus = {.name = "port"};
	uint32_t data = 0x11223344;

	(void)state;
	assert_int_equal(bus_add(&bus, &r, NULL), 0);
	bus_access(&bus, 0x104, 4, true, &data);
	assert_string_equal(w.log, "w4@4=11223344 ");
	bus_access(&bus, 0x102, 2, false, &data);
	assert_int_equal(data, 0x11220303);
	assert_int_equal(bus.unclaimed, 0);
}

static void test_wide_access_is_split(void **state)
{
	struct witness w = {0};
	struct bus_region r = region("a", 0x70, 2, 1, &w);
	struct bus bus = {.name = "port"};
	uint16_t data = 0xbeef;

	(void)state;
	bus_add(&bus, &r, NULL);
	bus_access(&bus, 0x70, 2, true, &data);
	assert_string_equal(w.log, "w1@0=ef w1@1=be ");
}

static void test_access_across_regions_and_gap(void **state)
{
	struct witness a = {0}, b = {0};
	struct bus_region ra = region("a", 0x10, 2, 8, &a), rb = region("b", 0x13, 4, 8, &b);
	struct bus bus = {.name = "MMIO"};
	uint8_t data[8] = {0};
	static const uint8_t want[8] = {0xff, 0x01, 0x01, 0xff, 0x01, 0x01, 0x01, 0x01};

	(void)state;
	bus_add(&bus, &rb, NULL);
	bus_add(&bus, &ra, NULL);
	bus_access(&bus, 0x0f, 8, false, data);
	assert_memory_equal(data, want, sizeof(want));
	assert_string_equal(a.log, "r2@0 ");
	assert_string_equal(b.log, "r4@0 ");
	assert_int_equal(bus.unclaimed, 2);
}

static void test_sizes_are_powers_of_two(void **state)
{
	struct witness w = {0};
	struct bus_region r = region("a", 0, 16, 8, &w);
	struct bus bus = {.name = "MMIO"};
	uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	bus_add(&bus, &r, NULL);
	bus_access(&bus, 1, 7, true, data);
	assert_string_equal(w.log, "w4@1=4030201 w2@5=605 w1@7=7 ");
}

static void test_nobody_answers_all_ones(void **state)
{
	struct witness w = {.silent = true};
	struct bus_region r = region("a", 0x20, 1, 1, &w);
	struct bus bus = {.name = "port"};
	uint64_t data = 0;

	(void)state;
	bus_add(&bus, &r, NULL);
	bus_access(&bus, 0x80, 8, false, &data);
	assert_true(data == UINT64_MAX);
	assert_int_equal(bus.unclaimed, 1);
	data = 0;
	bus_access(&bus, 0x20, 1, false, &data);
	assert_int_equal(data, 0xff);
	assert_int_equal(bus.unclaimed, 1);
	bus_access(&bus, 0x80, 2, true, &data);
	assert_int_equal(bus.unclaimed, 2);
}

static void test_bad_regions_are_refused(void **state)
{
	struct bus_region a = region("first", 0x10, 8, 1, NULL),
			  b = region("second", 0x17, 2, 1, NULL);
	struct bus_region empty = region("empty", 0, 0, 1, NULL);
	struct bus_region wraps = region("wraps", UINT64_MAX, 2, 1, NULL);
	struct bus_region odd = region("odd", 0x40, 8, 3, NULL);
	struct bus_region below = region("below", 0x08, 9, 1, NULL);
	struct bus_region last = region("last", UINT64_MAX, 1, 1, NULL);
	struct bus bus = {.name = "port"};
	struct error err = {0};

	(void)state;
	assert_int_equal(bus_add(&bus, &a, &err), 0);
	assert_int_equal(bus_add(&bus, &b, &err), -EEXIST);
	assert_non_null(strstr(err.text, "first"));
	assert_non_null(strstr(err.text, "second"));
	assert_int_equal(bus_add(&bus, &empty, &err), -EINVAL);
	assert_int_equal(bus_add(&bus, &wraps, &err), -EINVAL);
	assert_int_equal(bus_add(&bus, &odd, &err), -EINVAL);
	assert_int_equal(bus_add(&bus, &last, &err), 0);
	assert_ptr_equal(bus_find(&bus, UINT64_MAX), &last);
	assert_ptr_equal(bus_find(&bus, 0x17), &a);
	assert_null(bus_find(&bus, 0x18));
	assert_int_equal(bus_add(&bus, &below, &err), -EEXIST); /* by its last byte */
	bus_remove(&bus, &a);
	bus_remove(&bus, &a);
	assert_null(bus_find(&bus, 0x17));
	assert_int_equal(bus_add(&bus, &b, &err), 0);
}

static void trace(void *ctx, const struct bus *bus, uint64_t addr, const struct bus_access *access,
		  const struct bus_region *r)
{
	char *log = ctx;

	sprintf(log + strlen(log), "%s %llx %c %llx %s; ", bus->name, (unsigned long long)addr,
		access->write ? 'w' : 'r', (unsigned long long)access->value, r ? r->name : "-");
}

static void test_trace_sees_value_and_region(void **state)
{
	struct witness w = {0};
	struct bus_region r = region("a", 1, 1, 1, &w);
	char log[200] = "";
	struct bus bus = {.name = "port", .trace = trace, .trace_ctx = log};
	uint16_t data = 0x0a0b;

	(void)state;
	bus_add(&bus, &r, NULL);
	bus_access(&bus, 0, 2, true, &data);
	bus_access(&bus, 1, 1, false, &data);
	assert_string_equal(log, "port 0 w b -; port 1 w a a; port 1 r 1 a; ");
}

static int destroyed, resets;

static void count_destroy(struct device *device)
{
	(void)device;
	destroyed++;
}

static void count_reset(struct device *device)
{
	(void)device;
	resets++;
}

static void test_attach_takes_all_regions_or_none(void **state)
{
	struct bus ports = {.name = "port"}, mmio = {.name = "MMIO"};
	struct bus_region in_the_way = region("old", 0x61, 1, 1, NULL);
	struct bus_region a = region("a", 0xb8000, 8, 1, NULL), b = region("b", 0x60, 4, 1, NULL);
	struct device_region both[] = {{&mmio, &a}, {&ports, &b}};
	struct device device = {.destroy = count_destroy, .reset = count_reset}, *out = NULL;
	struct error err = {0};

	(void)state;
	bus_add(&ports, &in_the_way, NULL);
	assert_int_equal(device_attach(&device, both, 2, &out, &err), -EEXIST);
	assert_null(out);
	assert_null(mmio.regions);
	assert_int_equal(destroyed, 1);
	assert_int_equal(resets, 0);
	bus_remove(&ports, &in_the_way);
	assert_int_equal(device_attach(&device, both, 2, &out, &err), 0);
	assert_ptr_equal(out, &device);
	assert_int_equal(resets, 1);
}

static void test_stream_round_trip(void **state)
{
	struct device_stream s = {0};
	uint8_t big[1000], back[1000];

	(void)state;
	memset(big, 0x5a, sizeof(big));
	stream_put_u64(&s, 0x1122334455667788ull);
	stream_put(&s, big, sizeof(big));
	stream_put_u64(&s, 200);
	assert_int_equal(s.error, 0);
	assert_int_equal(s.bytes[0], 0x88); /* little-endian on every host */
	assert_true(stream_get_u64(&s) == 0x1122334455667788ull);
	stream_get(&s, back, sizeof(back));
	assert_memory_equal(big, back, sizeof(big));
	assert_int_equal(stream_get_u8(&s), 200);
	assert_int_equal(s.error, 0);
	stream_free(&s);
	assert_null(s.bytes);
}

static void test_stream_refuses_what_is_not_there(void **state)
{
	struct device_stream s = {0};
	uint8_t four[4] = {1, 2, 3, 4};

	(void)state;
	stream_put(&s, four, sizeof(four));
	assert_true(stream_get_u64(&s) == 0);
	assert_int_equal(s.error, -EINVAL);
	stream_get(&s, four, sizeof(four)); /* enough bytes, but the stream has failed */
	assert_int_equal(four[0], 0);
	stream_free(&s);
	stream_put_u64(&s, 256);
	assert_int_equal(stream_get_u8(&s), 0);
	assert_int_equal(s.error, -EINVAL);
	stream_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access_reaches_its_region),
		cmocka_unit_test(test_wide_access_is_split),
		cmocka_unit_test(test_access_across_regions_and_gap),
		cmocka_unit_test(test_sizes_are_powers_of_two),
		cmocka_unit_test(test_nobody_answers_all_ones),
		cmocka_unit_test(test_bad_regions_are_refused),
		cmocka_unit_test(test_trace_sees_value_and_region),
		cmocka_unit_test(test_attach_takes_all_regions_or_none),
		cmocka_unit_test(test_stream_round_trip),
		cmocka_unit_test(test_stream_refuses_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
