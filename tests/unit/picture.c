// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"

#include "x86/registers.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void picture_take(struct picture *p, struct machine *machine)
{
	struct error err = {0};

	if (machine_parts_save(machine, &p->parts, &err) < 0)
		fail_msg("%s", err.text);
	p->state = calloc(machine->vcpu_count, sizeof(*p->state));
	assert_non_null(p->state);
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		const struct cpu_state *state = vcpu_state(&machine->vcpus[i], CPU_ALL);

		assert_non_null(state);
		memcpy(&p->state[i], state, sizeof(*state));
	}
	p->ram_size = memory_size(machine->memory);
	p->ram = calloc(1, p->ram_size);
	assert_non_null(p->ram);
	for (uint64_t gpa, size, i = 0; memory_range(machine->memory, (unsigned)i, &gpa, &size);
	     i++)
		assert_int_equal(mem_read_phys(machine->memory, gpa, p->ram + gpa, size), size);
}

static void copy_parts(struct parts *to, const struct parts *from)
{
	parts_free(to);
	for (unsigned i = 0; i < from->count; i++)
		parts_put(to, from->part[i].name, from->part[i].bytes, from->part[i].size);
	assert_int_equal(to->error, 0);
}

void picture_take_saved(struct picture *p, struct machine *machine, const struct snapshot *snapshot)
{
	picture_take(p, machine);
	p->parts.guest_time = snapshot->parts.guest_time;
	copy_parts(&p->parts.vm, &snapshot->parts.vm);
	copy_parts(&p->parts.devices, &snapshot->parts.devices);
	for (unsigned i = 0; i < p->parts.vcpu_count; i++)
		copy_parts(&p->parts.vcpu[i], &snapshot->parts.vcpu[i]);
	for (uint64_t i = 0; i < snapshot->ram.pages; i++) {
		const uint8_t *bytes = page_tree_get(&snapshot->ram, i);

		if (i * TREE_PAGE + TREE_PAGE <= p->ram_size && bytes)
			memcpy(p->ram + i * TREE_PAGE, bytes, TREE_PAGE);
		else if (i * TREE_PAGE + TREE_PAGE <= p->ram_size)
			memset(p->ram + i * TREE_PAGE, 0, TREE_PAGE);
	}
}

void picture_free(struct picture *p)
{
	machine_parts_free(&p->parts);
	free(p->state);
	free(p->ram);
	*p = (struct picture){0};
}

/* ---- what goes on by itself ----------------------------------------------------------------- */

#define APIC_CURRENT_COUNT 0x390 /* SDM vol. 3A, table 11-1 */
#define XSTATE_BV	   512	 /* SDM vol. 1, 13.4.2 */

/* KVM behind VT-x marks each segment that it loads as accessed; of one that cannot be used that means nothing. */
static void forget_unusable_types(struct kvm_segment *segment, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (segment[i].unusable)
			segment[i].type = 0;
}

/* A part's bytes without those of running clocks; the caller frees them. NULL: nothing is left. */
static uint8_t *still(const struct named_part *part)
{
	uint8_t *bytes = malloc(part->size + 1);

	assert_non_null(bytes);
	memcpy(bytes, part->bytes, part->size);
	/* cpuid: what the host's CPU was that answered; whether it fits is asked elsewhere. */
	if (!strcmp(part->name, "tsc") || !strcmp(part->name, "clock") ||
	    !strcmp(part->name, "cpuid"))
		memset(bytes, 0, part->size);
	if (!strcmp(part->name, "system") || !strcmp(part->name, "system2"))
		forget_unusable_types((void *)bytes,
				      offsetof(struct kvm_sregs, gdt) / sizeof(struct kvm_segment));
	if (!strcmp(part->name, "apic"))
		memset(bytes + APIC_CURRENT_COUNT, 0, 4);
	/* Which components the processor found in their initial state is its own affair: their bytes are the
	 * same then (SDM vol. 1, 13.6). */
	if (!strcmp(part->name, "xsave"))
		memset(bytes + XSTATE_BV, 0, 8);
	if (!strcmp(part->name, "pit") && part->size > sizeof(struct kvm_pit_state2)) {
		struct kvm_pit_state2 *pit = (void *)bytes;

		for (unsigned i = 0; i < 3; i++)
			pit->channels[i].count_load_time = 0;
		memset(pit + 1, 0, part->size - sizeof(*pit));
	}
	return bytes;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool same_part(const struct named_part *a, const struct named_part *b, char *where,
		      size_t size)
{
	uint8_t *x, *y;
	size_t at = 0;

	if (!b || a->size != b->size) {
		snprintf(where, size, "%s has another size", a->name);
		return false;
	}
	x = still(a);
	y = still(b);
	while (at < a->size && x[at] == y[at])
		at++;
	if (at < a->size)
		snprintf(where, size, "%s, byte 0x%zx: 0x%02x and 0x%02x", a->name, at, x[at],
			 y[at]);
	if (at < a->size && !strcmp(a->name, "msrs"))
		snprintf(where, size, "MSR 0x%x", *(const uint32_t *)(a->bytes + at / 16 * 16));
	free(x);
	free(y);
	return at == a->size;
}

static bool same_parts(const struct parts *a, const struct parts *b, char *where, size_t size)
{
	if (a->count != b->count) {
		snprintf(where, size, "%u parts and %u", a->count, b->count);
		return false;
	}
	for (unsigned i = 0; i < a->count; i++)
		if (!same_part(&a->part[i], parts_find(b, a->part[i].name), where, size))
			return false;
	return true;
}

/* See forget_unusable_types(). */
static bool is_of_unusable(const struct cpu_state *state, const char *name)
{
	static const char *const names[SEG_COUNT] = {"es_attr", "cs_attr", "ss_attr", "ds_attr",
						     "fs_attr", "gs_attr", "tr_attr", "ldtr_attr"};

	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (!strcmp(name, names[i]))
			return state->system.seg[i].unusable;
	return false;
}

static bool same_registers(const struct cpu_state *a, const struct cpu_state *b, char *where,
			   size_t size)
{
	for (unsigned i = 0; i < register_count; i++) {
		uint8_t x[64] = {0}, y[64] = {0};

		if (!strcmp(registers[i].name, "tsc") ||
		    (is_of_unusable(a, registers[i].name) && is_of_unusable(b, registers[i].name)))
			continue;
		registers[i].get(&registers[i], a, x);
		registers[i].get(&registers[i], b, y);
		if (!memcmp(x, y, sizeof(x)))
			continue;
		snprintf(where, size, "register %s", registers[i].name);
		return false;
	}
	return true;
}

static bool same_ram(const struct picture *a, const struct picture *b, char *where, size_t size)
{
	for (uint64_t at = 0; at < a->ram_size; at += 4096)
		if (memcmp(a->ram + at, b->ram + at, 4096)) {
			snprintf(where, size, "RAM in page 0x%llx", (unsigned long long)at);
			return false;
		}
	return true;
}

static bool same(const struct picture *a, const struct picture *b, char *where, size_t size)
{
	snprintf(where, size, "guest time: %llu and %llu", (unsigned long long)a->parts.guest_time,
		 (unsigned long long)b->parts.guest_time);
	if (a->parts.guest_time != b->parts.guest_time || a->ram_size != b->ram_size)
		return false;
	if (!same_parts(&a->parts.vm, &b->parts.vm, where, size) ||
	    !same_parts(&a->parts.devices, &b->parts.devices, where, size))
		return false;
	for (unsigned i = 0; i < a->parts.vcpu_count; i++)
		if (!same_parts(&a->parts.vcpu[i], &b->parts.vcpu[i], where, size) ||
		    !same_registers(&a->state[i], &b->state[i], where, size))
			return false;
	return same_ram(a, b, where, size);
}

void picture_same(const struct picture *a, const struct picture *b)
{
	char where[160];

	if (!same(a, b, where, sizeof(where)))
		fail_msg("%s", where);
}

bool picture_differs(const struct picture *a, const struct picture *b)
{
	char where[160];

	return !same(a, b, where, sizeof(where));
}
