// SPDX-License-Identifier: GPL-3.0-or-later
/* What the machine is made of, as the debugger lists it: on the dummy accelerator, and on KVM. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>

static const struct device_region_info *region_at(const struct device_region_info *list,
						  unsigned count, bool port, uint64_t address)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i].port == port && address - list[i].base < list[i].size)
			return &list[i];
	return NULL;
}

static void expect_sorted(const struct device_region_info *list, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		assert_true(list[i - 1].port >= list[i].port);
		if (list[i - 1].port == list[i].port)
			assert_true(list[i - 1].base + list[i - 1].size <= list[i].base);
	}
}

static void devices_of_our_own(void **unused)
{
	struct device_region_info list[DEVICE_REGIONS];
	const struct device_region_info *serial;
	struct rig rig = {0};
	unsigned count;

	(void)unused;
	rig_start(&rig, 1, IRQCHIP_USER);
	count = debug_device_regions(rig.debug, list);
	expect_sorted(list, count);
	serial = region_at(list, count, true, 0x3fd);
	assert_non_null(serial);
	assert_int_equal(serial->base, 0x3f8);
	assert_int_equal(serial->size, 8);
	assert_non_null(strstr(serial->name, "serial"));
	assert_false(serial->in_kernel);
	assert_non_null(region_at(list, count, true, 0x20));
	assert_non_null(region_at(list, count, true, 0xf4));
	assert_true(region_at(list, count, false, 0xb8000)->coalesced);
	assert_null(region_at(list, count, false, 0xfee00000));
	assert_null(region_at(list, count, true, 0x3f0));
	rig_stop(&rig);
}

static void devices_in_the_kernel(void **unused)
{
	struct device_region_info list[DEVICE_REGIONS];
	struct rig rig = {.accel = &accel_kvm};
	const struct device_region_info *pic;
	unsigned count;

	(void)unused;
	rig_needs_kvm();
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	count = debug_device_regions(rig.debug, list);
	expect_sorted(list, count);
	pic = region_at(list, count, true, 0x21);
	assert_non_null(pic);
	assert_true(pic->in_kernel);
	assert_false(region_at(list, count, true, 0x3f8)->in_kernel);
	assert_string_equal(region_at(list, count, false, 0xfee00020)->name, "lapic");
	rig_stop(&rig);
}

static void local_apics(void **unused)
{
	struct rig rig = {.accel = &accel_kvm};
	struct lapic lapic;

	(void)unused;
	rig_needs_kvm();
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(debug_lapic(rig.debug, i, &lapic), 0);
		assert_int_equal(lapic_word(&lapic, 0x20) >> 24, i);
		assert_int_equal(lapic_word(&lapic, 0xf0) & 0xff, 0xff);
		assert_int_equal(lapic_word(&lapic, 0x320) & 0x10000, 0x10000);
	}
	assert_int_equal(debug_lapic(rig.debug, 2, &lapic), -EBUSY);
	assert_int_equal(debug_lapic(rig.debug, -1, &lapic), -EBUSY);
	rig_stop(&rig);
}

static void no_local_apics(void **unused)
{
	struct rig rig = {.accel = &accel_kvm};
	struct lapic lapic;

	(void)unused;
	rig_needs_kvm();
	rig_start(&rig, 1, IRQCHIP_USER);
	assert_int_equal(debug_lapic(rig.debug, 0, &lapic), -ENOTSUP);
	rig_stop(&rig);
}

/* How many slots there are; *protected: the one that the guest may not write. All of RAM is in them, once. */
static unsigned check_slots(struct rig *rig, struct memory_slot *protected)
{
	struct memory_slot slot, last = {0};
	unsigned count = 0;
	uint64_t bytes = 0, ram = 0, gpa, size;

	protected->size = 0;
	for (unsigned i = 0; debug_ram_range(rig->debug, i, &gpa, &size); i++)
		ram += size;
	for (; debug_memory_slot(rig->debug, count, &slot); count++) {
		assert_true(slot.gpa >= last.gpa + last.size);
		if (slot.read_only)
			*protected = slot;
		bytes += slot.size;
		last = slot;
	}
	assert_int_equal(bytes, ram);
	return count;
}

/* mov %eax,0x8000; loop */
static const uint8_t stores[] = {0xa3, 0x00, 0x80, 0, 0, 0xeb, 0xf9};

static void memory_slots(void **unused)
{
	const struct point_spec spec = {.kind = POINT_WRITE, .address = 0x8000, .length = 4};
	struct memory_slot protected;
	struct rig rig = {0};
	struct error err = {0};
	unsigned count;

	(void)unused;
	assert_int_equal(debug_strategy_parse("watch=page", &rig.config.strategy, &err), 0);
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, stores, sizeof(stores));
	count = check_slots(&rig, &protected);
	assert_int_equal(protected.size, 0);
	rig_set_reg(&rig, 0, "rax", 1);
	assert_true(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err) > 0);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	/* A page in the middle makes three of one. */
	assert_int_equal(check_slots(&rig, &protected), count + 2);
	assert_int_equal(protected.gpa, 0x8000);
	assert_int_equal(protected.size, 0x1000);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_of_our_own), cmocka_unit_test(devices_in_the_kernel),
		cmocka_unit_test(local_apics),	      cmocka_unit_test(no_local_apics),
		cmocka_unit_test(memory_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
