// SPDX-License-Identifier: GPL-3.0-or-later
/* The register table: gdb's order, and the round trip of every register. */
#include "cpu_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- the table itself ------------------------------------------------------------------------------- */

/* gdb's amd64 numbers, from "maintenance print registers". */
static void the_order_is_gdbs(void **unused)
{
	static const char *const names[] = {
		"rax",	 "rbx",	  "rcx",   "rdx",     "rsi",	"rdi",	 "rbp",	  "rsp",   "r8",
		"r9",	 "r10",	  "r11",   "r12",     "r13",	"r14",	 "r15",	  "rip",   "eflags",
		"cs",	 "ss",	  "ds",	   "es",      "fs",	"gs",	 "st0",	  "st1",   "st2",
		"st3",	 "st4",	  "st5",   "st6",     "st7",	"fctrl", "fstat", "ftag",  "fiseg",
		"fioff", "foseg", "fooff", "fop",     "xmm0",	"xmm1",	 "xmm2",  "xmm3",  "xmm4",
		"xmm5",	 "xmm6",  "xmm7",  "xmm8",    "xmm9",	"xmm10", "xmm11", "xmm12", "xmm13",
		"xmm14", "xmm15", "mxcsr", "fs_base", "gs_base"};
	unsigned offset = 0;

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(registers[i].name, names[i]);
	for (unsigned i = 0; i <= 56; i++)
		offset += registers[i].bits / 8;
	assert_int_equal(offset, 536);
	assert_int_equal(find_register("eflags")->bits, 32);
	assert_int_equal(find_register("cs")->bits, 32);
	assert_int_equal(find_register("st7")->bits, 80);
	assert_string_equal(find_register("rip")->gdb_type, "code_ptr");
	assert_string_equal(find_register("rsp")->gdb_type, "data_ptr");
	assert_string_equal(find_register("rbp")->gdb_type, "data_ptr");
	assert_string_equal(find_register("eflags")->gdb_type, "i386_eflags");
}

static unsigned type_bits(const char *type)
{
	static const struct {
		const char *name;
		unsigned bits;
	} types[] = {
		{"int64", 64},	{"uint64", 64}, {"data_ptr", 64}, {"code_ptr", 64}, {"int32", 32},
		{"uint32", 32}, {"int", 32},	{"uint16", 16},	  {"i387_ext", 80}, {"vec128", 128},
	};
	const struct register_flags_type *flags = register_flags_type_find(type);

	if (flags)
		return 8 * flags->bytes;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strcmp(type, types[i].name))
			return types[i].bits;
	}
	fail_msg("unknown type %s", type);
	return 0;
}

static void rows_make_sense(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < register_count; i++) {
		const struct register_desc *reg = &registers[i];

		assert_int_equal(register_find(reg->name), i);
		assert_int_equal(reg->bits, type_bits(reg->gdb_type));
		assert_true(reg->bits / 8 <= REGISTER_MAX_BYTES);
		assert_true(reg->offset + reg->size <= sizeof(struct cpu_state));
		assert_non_null(reg->get);
		assert_non_null(reg->set);
		assert_true(i == 0 || reg->group >= registers[i - 1].group);
	}
}

static void groups_have_names(void **unused)
{
	(void)unused;
	assert_string_equal(register_group_name(REG_CORE), "core");
	assert_string_equal(register_group_gdb_feature(REG_CORE), "org.gnu.gdb.i386.core");
	assert_string_equal(register_group_gdb_feature(REG_SSE), "org.gnu.gdb.i386.sse");
	assert_string_equal(register_group_gdb_feature(REG_SEGMENTS), "org.gnu.gdb.i386.segments");
	for (unsigned i = 0; i < REG_GROUP_COUNT; i++) {
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(register_group_gdb_feature(i),
						register_group_gdb_feature(j));
	}
}

static void people_know_other_names(void **unused)
{
	(void)unused;
	assert_int_equal(register_find("pc"), register_find("rip"));
	assert_int_equal(register_find("sp"), register_find("rsp"));
	assert_int_equal(register_find("fp"), register_find("rbp"));
	assert_int_equal(register_find("flags"), register_find("eflags"));
	assert_int_equal(register_find("eax"), -1);
	assert_int_equal(register_find(""), -1);
}

/* gdb cannot use flags in a condition that it compiles for the stub. */
static void flags_have_plain_twins(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < register_count; i++) {
		const struct register_desc *reg = &registers[i], *twin;
		char name[64];

		if (!register_flags_type_find(reg->gdb_type) || strstr(reg->name, "_attr"))
			continue;
		snprintf(name, sizeof(name), "%s_value", reg->name);
		twin = find_register(name);
		assert_null(register_flags_type_find(twin->gdb_type));
		assert_int_equal(twin->offset, reg->offset);
		assert_int_equal(twin->bits, reg->bits);
	}
}

/* get writes bits / 8 bytes, all of them and no more. */
static void get_fills_the_value(void **unused)
{
	(void)unused;
	sample_long();
	for (unsigned i = 0; i < register_count; i++) {
		const struct register_desc *reg = &registers[i];
		uint8_t a[REGISTER_MAX_BYTES + 1], b[REGISTER_MAX_BYTES + 1];

		memset(a, 0x55, sizeof(a));
		memset(b, 0xaa, sizeof(b));
		reg->get(reg, &cpu, a);
		reg->get(reg, &cpu, b);
		assert_memory_equal(a, b, reg->bits / 8);
		for (unsigned j = reg->bits / 8; j < sizeof(a); j++)
			assert_int_equal(a[j], 0x55);
	}
}

/* ---- round trip -------------------------------------------------------------------------------------- */

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
	{"xcr0", 1 << 1 | 1 << 9},
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
	uint64_t word[2] = {random_word(), random_word()};
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
	if (reg->offset == other->offset)
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
		for (unsigned i = 0; i < 416; i++)
			cpu.fpu.xsave[i] = random_word() & 0xff;
		before = cpu;
		for (unsigned i = 0; i < register_count; i++) {
			const struct register_desc *reg = &registers[i];
			uint8_t value[REGISTER_MAX_BYTES];

			reg->get(reg, &cpu, value);
			if (reg->writable && reg->set(reg, &cpu, value) != 0)
				fail_msg("%s refused its own value", reg->name);
		}
		assert_memory_equal(&before, &cpu, sizeof(cpu));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_gdbs),
		cmocka_unit_test(rows_make_sense),
		cmocka_unit_test(groups_have_names),
		cmocka_unit_test(people_know_other_names),
		cmocka_unit_test(flags_have_plain_twins),
		cmocka_unit_test(get_fills_the_value),
		cmocka_unit_test(round_trip_in_long_mode),
		cmocka_unit_test(round_trip_in_protected_mode),
		cmocka_unit_test(round_trip_in_real_mode),
		cmocka_unit_test(writing_back_is_always_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
