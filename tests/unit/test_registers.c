// SPDX-License-Identifier: GPL-3.0-or-later
/* The round trip of every register, in every mode. */
#include "cpu_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CANONICAL 0x00007fffffffffffull

/* The bits that may be anything, while the others stay as they are. A register that is not here takes
 * every value. _value twins are as their originals. */
static const struct rule {
	const char *name;
	uint64_t mask;
} rules[] = {
	{"rip", 0xffffffff},
	{"eflags", 0x3d7fd5},
	{"cs", 0xffff},
	{"ss", 0xffff},
	{"ds", 0xffff},
	{"es", 0xffff},
	{"fs", 0xffff},
	{"gs", 0xffff},
	{"fctrl", 0x1f3f},
	{"fstat", 0xffff},
	{"fiseg", 0xffff},
	{"foseg", 0xffff},
	{"fop", 0x7ff},
	{"mxcsr", 0xffbf},
	{"fs_base", CANONICAL},
	{"gs_base", CANONICAL},
	{"cr0", CR0_MP | CR0_NE | CR0_WP | 1 << 2 | 1 << 3 | 1 << 18},
	{"cr3", 0xfffffffffffff},
	{"cr4", 0x750fdf},
	{"cr8", 0xf},
	{"efer", EFER_SCE | EFER_NXE},
	{"xcr0", 1 << 9},
	{"apic_base", 0xffffff900},
	{"k_gs_base", CANONICAL},
	{"es_base", 0xffffffff},
	{"cs_base", 0xffffffff},
	{"ss_base", 0xffffffff},
	{"ds_base", 0xffffffff},
	{"es_limit", 0xfffff000},
	{"cs_limit", 0xfffff000},
	{"ss_limit", 0xfffff000},
	{"ds_limit", 0xfffff000},
	{"fs_limit", 0xfffff000},
	{"gs_limit", 0xfffff000},
	{"tr_base", CANONICAL},
	{"tr_limit", 0xfffff},
	{"ldtr_base", CANONICAL},
	{"ldtr_limit", 0xfffff},
	{"gdtr_base", CANONICAL},
	{"idtr_base", CANONICAL},
	{"dr6", 0xe00f},
	{"dr7", 0xffff23ff},
	{"lstar", CANONICAL},
	{"cstar", CANONICAL},
	{"fmask", 0xffffffff},
	{"kernel_gs_base", CANONICAL},
	{"sysenter_cs", 0xffffffff},
	{"sysenter_esp", CANONICAL},
	{"sysenter_eip", CANONICAL},
	{"pat", 0x0505050505050505},
	{"tsc_aux", 0xffffffff},
	{"misc_enable", 0x4400c51889},
	{"mtrr_def_type", 0xc05},
};

static uint64_t rule_mask(const char *name)
{
	size_t length = strlen(name);

	if (length > 6 && !strcmp(name + length - 6, "_value"))
		length -= 6;
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		if (strlen(rules[i].name) == length && !strncmp(rules[i].name, name, length))
			return rules[i].mask;
	}
	return ~0ull;
}

static void make_value(const struct register_desc *reg, uint8_t *value)
{
	uint64_t word[4] = {random_word(), random_word(), random_word(), random_word()};
	uint64_t mask = rule_mask(reg->name), now = 0;

	if (!strcmp(reg->name, "ftag")) {
		word[0] &= 0x5555;
		word[0] *= 3; /* valid or empty */
	} else if (reg->bits <= 64) {
		reg->get(reg, &cpu, &now);
		word[0] = (now & ~mask) | (word[0] & mask);
	}
	memcpy(value, word, reg->bits / 8);
}

static bool is_selector(const struct register_desc *reg)
{
	return strlen(reg->name) == 2 && reg->name[1] == 's';
}

/* What may change along: the same thing under another name; the tag word, which describes the stack; a
 * selector's base. */
static bool related(const struct register_desc *reg, const struct register_desc *other)
{
	if (reg->offset == other->offset && reg->component == other->component)
		return true;
	if (!strcmp(other->name, "ftag"))
		return !strncmp(reg->name, "st", 2) || !strcmp(reg->name, "fstat");
	return is_selector(reg) && strstr(other->name, "_base") &&
	       !strncmp(reg->name, other->name, 2);
}

/* Where each group lies. */
static const struct {
	enum cpu_group group;
	size_t offset, size;
} groups[] = {
	{CPU_GENERAL, offsetof(struct cpu_state, general), sizeof(struct cpu_general)},
	{CPU_SYSTEM, offsetof(struct cpu_state, system), sizeof(struct cpu_system)},
	{CPU_FPU, offsetof(struct cpu_state, fpu), sizeof(struct cpu_fpu)},
	{CPU_DEBUG, offsetof(struct cpu_state, debug), sizeof(struct cpu_debug)},
	{CPU_MSRS, offsetof(struct cpu_state, msrs), sizeof(struct cpu_msrs)},
	{CPU_EVENTS, offsetof(struct cpu_state, events), sizeof(struct cpu_events)},
};

/* Only the group that the row names changes. */
static void expect_only_group(const struct cpu_state *before, enum cpu_group group)
{
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
		if (groups[i].group != group)
			assert_memory_equal((const char *)before + groups[i].offset,
					    (const char *)&cpu + groups[i].offset, groups[i].size);
	}
}

static void expect_others_unchanged(const struct cpu_state *before, const struct register_desc *reg)
{
	for (unsigned i = 0; i < register_count; i++) {
		const struct register_desc *other = &registers[i];
		uint8_t was[REGISTER_MAX_BYTES], is[REGISTER_MAX_BYTES];

		if (related(reg, other))
			continue;
		other->get(other, before, was);
		other->get(other, &cpu, is);
		if (memcmp(was, is, other->bits / 8) != 0)
			fail_msg("setting %s changed %s", reg->name, other->name);
	}
}

static void round_trip(const struct register_desc *reg)
{
	uint8_t wanted[REGISTER_MAX_BYTES], got[REGISTER_MAX_BYTES];
	struct cpu_state before;

	/* The tag word says "special" of most of what the stack's own round trips leave there. */
	if (!strcmp(reg->name, "ftag"))
		sample_fpu();
	before = cpu;
	make_value(reg, wanted);
	if (reg->set(reg, &cpu, wanted) != 0)
		fail_msg("%s refused a valid value", reg->name);
	reg->get(reg, &cpu, got);
	if (memcmp(wanted, got, reg->bits / 8) != 0)
		fail_msg("%s does not come back as written", reg->name);
	expect_only_group(&before, reg->state);
	expect_others_unchanged(&before, reg);
}

static void round_trip_all(bool selectors)
{
	for (unsigned i = 0; i < register_count; i++) {
		const struct register_desc *reg = &registers[i];

		if (!reg->writable || (is_selector(reg) && !selectors))
			continue;
		for (unsigned round = 0; round < 100; round++)
			round_trip(reg);
	}
}

static void round_trip_in_long_mode(void **unused)
{
	(void)unused;
	sample_long();
	round_trip_all(false);
}

static void round_trip_in_protected_mode(void **unused)
{
	(void)unused;
	sample_protected();
	round_trip_all(false);
}

/* Here selectors can be written, too: with the other tests, no writable row is left out. */
static void round_trip_in_real_mode(void **unused)
{
	(void)unused;
	sample_real();
	round_trip_all(true);
}

typedef void mode_fn(void);
static mode_fn *const modes[] = {sample_real, sample_protected, sample_long, sample_v86};

/* Even where the state is one that nobody could make by hand. */
static void writing_back_is_always_fine(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 400; round++) {
		struct cpu_state before;

		modes[round % ARRAY_SIZE(modes)]();
		for (size_t i = 0; i < sizeof(cpu.system) && round >= 8; i += 8)
			memcpy((char *)&cpu.system + i, &(uint64_t){random_word()}, 8);
		cpu.general.rflags = random_word();
		cpu.fpu.xcr0 = random_word();
		cpu.debug.dr6 = random_word();
		cpu.debug.dr7 = random_word();
		for (unsigned i = 0; i < sizeof(cpu.fpu.xsave); i++)
			cpu.fpu.xsave[i] = random_word() & 0xff;
		before = cpu;
		for (unsigned i = 0; i < register_count; i++) {
			const struct register_desc *reg = &registers[i];
			uint8_t value[REGISTER_MAX_BYTES];

			reg->get(reg, &cpu, value);
			if (reg->writable && register_available(reg, &cpu) &&
			    reg->set(reg, &cpu, value) != 0)
				fail_msg("%s refused its own value", reg->name);
		}
		assert_memory_equal(&before, &cpu, sizeof(cpu));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_in_long_mode),
		cmocka_unit_test(round_trip_in_protected_mode),
		cmocka_unit_test(round_trip_in_real_mode),
		cmocka_unit_test(writing_back_is_always_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
