// SPDX-License-Identifier: GPL-3.0-or-later
/* How RAM is shown to the guest: pages that are read-only or withdrawn, and the slots that it takes. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "machine/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIB	  (1ull << 20)
#define PAGE	  4096ull
#define MAX_SLOTS 64

/* An accelerator that has slots and nothing else, and is as strict with them as KVM. */
struct slots_vm {
	struct accel_vm base;
	struct accel_slot slot[MAX_SLOTS];
	unsigned calls;
	unsigned fail_at; /* this call fails; 0: none does */
};

static bool overlap(const struct accel_slot *a, const struct accel_slot *b)
{
	return a->size && b->size && a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size;
}

static int slot_set(struct accel_vm *base, const struct accel_slot *slot, struct error *err)
{
	struct slots_vm *vm = (struct slots_vm *)base;

	if (++vm->calls == vm->fail_at)
		return error_set(err, -ENOMEM, "no more memory, says the test");
	assert_true(slot->id < base->slots);
	assert_true(!slot->size != !vm->slot[slot->id].size); /* deleted before it changes */
	for (unsigned i = 0; i < MAX_SLOTS; i++)
		assert_false(overlap(slot, &vm->slot[i]));
	vm->slot[slot->id] = *slot;
	return 0;
}

static const struct accel_ops slots_ops = {.name = "slots", .slot_set = slot_set};

struct fixture {
	struct slots_vm vm;
	struct memory *memory;
};

static void start(struct fixture *f, uint64_t size)
{
	struct error err = {0};

	*f = (struct fixture){.vm.base = {.ops = &slots_ops, .slots = MAX_SLOTS}};
	if (memory_create(size, &f->vm.base, &f->memory, &err) < 0)
		fail_msg("%s", err.text);
}

static const struct accel_slot *slot_of(const struct fixture *f, uint64_t gpa)
{
	for (unsigned i = 0; i < MAX_SLOTS; i++)
		if (gpa - f->vm.slot[i].gpa < f->vm.slot[i].size)
			return &f->vm.slot[i];
	return NULL;
}

static enum memory_access shown_as(const struct fixture *f, uint64_t gpa)
{
	const struct accel_slot *slot = slot_of(f, gpa);

	return !slot ? MEMORY_WITHDRAWN : slot->readonly ? MEMORY_READ_ONLY : MEMORY_OPEN;
}

/* Every byte where it belongs, whatever slots there are. */
static void check_backing(const struct fixture *f, uint64_t gpa)
{
	const struct accel_slot *slot = slot_of(f, gpa);

	assert_non_null(slot);
	assert_ptr_equal((uint8_t *)slot->hva + (gpa - slot->gpa), mem_hva(f->memory, gpa, NULL));
}

static int protect(struct fixture *f, const struct memory_run *runs, unsigned count)
{
	struct error err = {0};

	return memory_protect(f->memory, runs, count, &err);
}

static void one_page_splits_its_slot(void **unused)
{
	const struct memory_run page = {2 * MIB, PAGE, MEMORY_READ_ONLY};
	struct fixture f;

	(void)unused;
	start(&f, 4 * MIB);
	assert_int_equal(memory_slot_count(f.memory), 2); /* below and above the video memory */
	assert_int_equal(protect(&f, &page, 1), 0);
	assert_int_equal(memory_slot_count(f.memory), 4);
	assert_int_equal(shown_as(&f, 2 * MIB - 1), MEMORY_OPEN);
	assert_int_equal(shown_as(&f, 2 * MIB), MEMORY_READ_ONLY);
	assert_int_equal(shown_as(&f, 2 * MIB + PAGE - 1), MEMORY_READ_ONLY);
	assert_int_equal(shown_as(&f, 2 * MIB + PAGE), MEMORY_OPEN);
	check_backing(&f, 2 * MIB - 1);
	check_backing(&f, 2 * MIB + 5);
	check_backing(&f, 4 * MIB - 1);
	assert_int_equal(memory_access_at(f.memory, 2 * MIB + 7), MEMORY_READ_ONLY);
	assert_int_equal(memory_access_at(f.memory, 0), MEMORY_OPEN);
	assert_int_equal(protect(&f, NULL, 0), 0);
	assert_int_equal(memory_slot_count(f.memory), 2);
	assert_int_equal(shown_as(&f, 2 * MIB), MEMORY_OPEN);
	memory_destroy(f.memory);
}

/* Thousands of pages in a row are one slot, and what does not change is not touched. */
static void runs_are_few_slots(void **unused)
{
	const struct memory_run text = {MIB, 8 * MIB, MEMORY_READ_ONLY};
	const struct memory_run both[] = {text, {16 * MIB, PAGE, MEMORY_READ_ONLY}};
	struct fixture f;
	unsigned calls;

	(void)unused;
	start(&f, 32 * MIB);
	assert_int_equal(protect(&f, &text, 1), 0);
	assert_int_equal(memory_slot_count(f.memory), 4);
	calls = f.vm.calls;
	assert_int_equal(protect(&f, &text, 1), 0);
	assert_int_equal(f.vm.calls, calls);
	assert_int_equal(protect(&f, both, 2), 0);
	assert_int_equal(f.vm.calls, calls + 4); /* one away, three in its place */
	memory_destroy(f.memory);
}

static void the_stricter_wins(void **unused)
{
	const struct memory_run runs[] = {{2 * MIB, 4 * PAGE, MEMORY_READ_ONLY},
					  {2 * MIB + PAGE, PAGE, MEMORY_WITHDRAWN},
					  {2 * MIB + PAGE, 2 * PAGE, MEMORY_READ_ONLY}};
	struct fixture f;

	(void)unused;
	start(&f, 4 * MIB);
	assert_int_equal(protect(&f, runs, 3), 0);
	assert_int_equal(shown_as(&f, 2 * MIB), MEMORY_READ_ONLY);
	assert_int_equal(shown_as(&f, 2 * MIB + PAGE), MEMORY_WITHDRAWN);
	assert_int_equal(shown_as(&f, 2 * MIB + 2 * PAGE), MEMORY_READ_ONLY);
	assert_int_equal(shown_as(&f, 2 * MIB + 4 * PAGE), MEMORY_OPEN);
	memory_destroy(f.memory);
}

/* Video memory has no RAM behind it, and stays what it is. */
static void holes_stay_holes(void **unused)
{
	const struct memory_run run = {0x9e000, 0x30000, MEMORY_READ_ONLY};
	struct fixture f;

	(void)unused;
	start(&f, 4 * MIB);
	assert_int_equal(protect(&f, &run, 1), 0);
	assert_int_equal(shown_as(&f, 0x9f000), MEMORY_READ_ONLY);
	assert_null(slot_of(&f, 0xa0000));
	assert_int_equal(memory_access_at(f.memory, 0xa0000), MEMORY_OPEN);
	assert_int_equal(shown_as(&f, 0xcd000), MEMORY_READ_ONLY);
	assert_int_equal(shown_as(&f, 0xce000), MEMORY_OPEN);
	memory_destroy(f.memory);
}

static void vitrine_itself_is_not_hindered(void **unused)
{
	const struct memory_run runs[] = {{2 * MIB, PAGE, MEMORY_READ_ONLY},
					  {2 * MIB + PAGE, PAGE, MEMORY_WITHDRAWN}};
	uint8_t data[PAGE * 2], back[PAGE * 2];
	struct fixture f;

	(void)unused;
	memset(data, 0x5a, sizeof(data));
	start(&f, 4 * MIB);
	assert_int_equal(protect(&f, runs, 2), 0);
	assert_int_equal(mem_write_phys(f.memory, 2 * MIB, data, sizeof(data)), sizeof(data));
	assert_int_equal(mem_read_phys(f.memory, 2 * MIB, back, sizeof(back)), sizeof(back));
	assert_memory_equal(data, back, sizeof(data));
	assert_int_equal(memory_clear(f.memory), 0);
	assert_int_equal(mem_read_phys(f.memory, 2 * MIB, back, sizeof(back)), sizeof(back));
	assert_int_equal(back[PAGE], 0);
	assert_int_equal(shown_as(&f, 2 * MIB), MEMORY_READ_ONLY);
	memory_destroy(f.memory);
}

static void too_scattered_is_refused(void **unused)
{
	struct memory_run runs[MAX_SLOTS];
	struct fixture f;
	struct error err = {0};

	(void)unused;
	for (unsigned i = 0; i < MAX_SLOTS; i++)
		runs[i] = (struct memory_run){MIB + 2 * i * PAGE, PAGE, MEMORY_READ_ONLY};
	start(&f, 4 * MIB);
	assert_int_equal(protect(&f, runs, 20), 0);
	assert_int_equal(memory_protect(f.memory, runs, MAX_SLOTS, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "slots"));
	assert_int_equal(shown_as(&f, runs[19].gpa), MEMORY_READ_ONLY);
	assert_int_equal(shown_as(&f, runs[20].gpa), MEMORY_OPEN);
	memory_destroy(f.memory);
}

/* Whichever call the accelerator refuses, everything is as it was. */
static void a_failure_changes_nothing(void **unused)
{
	const struct memory_run before = {2 * MIB, PAGE, MEMORY_READ_ONLY};
	const struct memory_run after[] = {{2 * MIB, 2 * PAGE, MEMORY_READ_ONLY},
					   {3 * MIB, PAGE, MEMORY_WITHDRAWN}};

	(void)unused;
	for (unsigned n = 1; n <= 5; n++) {
		struct fixture f;

		start(&f, 4 * MIB);
		assert_int_equal(protect(&f, &before, 1), 0);
		f.vm.fail_at = f.vm.calls + n;
		assert_int_equal(protect(&f, after, 2), -ENOMEM);
		for (uint64_t gpa = MIB; gpa < 4 * MIB; gpa += PAGE)
			assert_int_equal(shown_as(&f, gpa),
					 gpa == 2 * MIB ? MEMORY_READ_ONLY : MEMORY_OPEN);
		assert_int_equal(memory_access_at(f.memory, 3 * MIB), MEMORY_OPEN);
		assert_int_equal(protect(&f, after, 2), 0);
		assert_int_equal(shown_as(&f, 3 * MIB), MEMORY_WITHDRAWN);
		memory_destroy(f.memory);
	}
}

/* Sets of all kinds, one after another, against a plain array of what each page should be. */
static void random_sets_agree_with_a_model(void **unused)
{
	enum { PAGES = 64, ROUNDS = 2000 };
	struct fixture f;

	(void)unused;
	srand(7);
	start(&f, 4 * MIB);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct memory_run runs[8];
		enum memory_access model[PAGES] = {0};
		unsigned count = (unsigned)rand() % 8;

		for (unsigned i = 0; i < count; i++) {
			unsigned at = (unsigned)rand() % PAGES, n = 1 + (unsigned)rand() % 9;

			runs[i] = (struct memory_run){2 * MIB + at * PAGE, n * PAGE,
						      1 + (unsigned)rand() % 2};
			for (unsigned p = at; p < at + n && p < PAGES; p++)
				if (model[p] < runs[i].access)
					model[p] = runs[i].access;
		}
		assert_int_equal(protect(&f, runs, count), 0);
		for (unsigned p = 0; p < PAGES; p++) {
			assert_int_equal(shown_as(&f, 2 * MIB + p * PAGE), model[p]);
			if (model[p] != MEMORY_WITHDRAWN)
				check_backing(&f, 2 * MIB + p * PAGE + 1);
		}
	}
	memory_destroy(f.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_splits_its_slot),
		cmocka_unit_test(runs_are_few_slots),
		cmocka_unit_test(the_stricter_wins),
		cmocka_unit_test(holes_stay_holes),
		cmocka_unit_test(vitrine_itself_is_not_hindered),
		cmocka_unit_test(too_scattered_is_refused),
		cmocka_unit_test(a_failure_changes_nothing),
		cmocka_unit_test(random_sets_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
