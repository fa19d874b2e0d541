// SPDX-License-Identifier: GPL-3.0-or-later
/* The register table itself: gdb's order, types, names, and where each register lies. */
#include "cpu_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
		{"int64", 64},	  {"uint64", 64},  {"data_ptr", 64}, {"code_ptr", 64},
		{"int32", 32},	  {"uint32", 32},  {"int", 32},	     {"uint16", 16},
		{"i387_ext", 80}, {"vec128", 128}, {"uint128", 128}, {"v2ui128", 256},
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
		assert_true(reg->offset + reg->size <=
			    (reg->component ? xsave_component_size(reg->component)
					    : sizeof(struct cpu_state)));
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
	assert_string_equal(register_group_gdb_feature(REG_AVX), "org.gnu.gdb.i386.avx");
	assert_string_equal(register_group_gdb_feature(REG_AVX512), "org.gnu.gdb.i386.avx512");
	assert_string_equal(register_group_gdb_feature(REG_PKEYS), "org.gnu.gdb.i386.pkeys");
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

		if (!register_flags_type_find(reg->gdb_type))
			continue;
		snprintf(name, sizeof(name), "%s_value", reg->name);
		twin = find_register(name);
		assert_null(register_flags_type_find(twin->gdb_type));
		assert_int_equal(twin->offset, reg->offset);
		assert_int_equal(twin->bits, reg->bits);
	}
}

static bool is_twin(const struct register_desc *a, const struct register_desc *b)
{
	size_t length = strlen(a->name);

	if (!strcmp(a->name, "k_gs_base"))
		return !strcmp(b->name, "kernel_gs_base");
	return !strncmp(a->name, b->name, length) && !strcmp(b->name + length, "_value");
}

static void only_twins_share_a_place(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < register_count; i++) {
		for (unsigned j = i + 1; j < register_count; j++) {
			const struct register_desc *a = &registers[i], *b = &registers[j];

			/* Attributes are put together from what lies around. */
			if (strstr(a->name, "_attr") || strstr(b->name, "_attr"))
				continue;
			if (a->offset == b->offset && a->component == b->component &&
			    !is_twin(a, b))
				fail_msg("%s lies where %s lies", a->name, b->name);
		}
	}
}

/* The round trip would not see two places exchanged. */
static void names_mean_what_they_say(void **unused)
{
	(void)unused;
	sample_long();
	for (unsigned i = 0; i < GPR_COUNT; i++)
		cpu.general.gpr[i] = 100 + i;
	assert_int_equal(get_register("rax"), 100 + GPR_RAX);
	assert_int_equal(get_register("rbx"), 100 + GPR_RBX);
	assert_int_equal(get_register("rcx"), 100 + GPR_RCX);
	assert_int_equal(get_register("rdx"), 100 + GPR_RDX);
	assert_int_equal(get_register("rsi"), 100 + GPR_RSI);
	assert_int_equal(get_register("rdi"), 100 + GPR_RDI);
	assert_int_equal(get_register("rbp"), 100 + GPR_RBP);
	assert_int_equal(get_register("rsp"), 100 + GPR_RSP);
	assert_int_equal(get_register("r8"), 100 + GPR_R8);
	assert_int_equal(get_register("r15"), 100 + GPR_R15);
	cpu.system.gdt = (struct cpu_table){.base = 0x1000, .limit = 0x27};
	cpu.system.idt = (struct cpu_table){.base = 0x2000, .limit = 0xfff};
	assert_int_equal(get_register("gdtr_base"), 0x1000);
	assert_int_equal(get_register("gdtr_limit"), 0x27);
	assert_int_equal(get_register("idtr_base"), 0x2000);
	assert_int_equal(get_register("idtr_limit"), 0xfff);
}

/* SDM vol. 1, figure 10-2: byte n of the area holds n. */
static void places_in_the_xsave_area(void **unused)
{
	(void)unused;
	sample_long();
	for (unsigned i = 0; i < 416; i++)
		cpu.fpu.xsave[i] = (uint8_t)i;
	assert_int_equal(get_register("fctrl"), 0x0100);
	assert_int_equal(get_register("fstat"), 0x0302);
	assert_int_equal(get_register("fop"), 0x0706);
	assert_int_equal(get_register("fioff"), 0x0b0a0908);
	assert_int_equal(get_register("fiseg"), 0x0d0c);
	assert_int_equal(get_register("fooff"), 0x13121110);
	assert_int_equal(get_register("foseg"), 0x1514);
	assert_int_equal(get_register("mxcsr"), 0x1b1a1918);
	assert_int_equal(get_register("st0"), 0x2726252423222120);
	assert_int_equal(get_register("st7"), 0x9796959493929190);
	assert_int_equal(get_register("xmm0"), 0xa7a6a5a4a3a2a1a0);
	assert_int_equal(get_register("xmm1"), 0xb7b6b5b4b3b2b1b0);
	assert_int_equal(get_register("xmm15"), 0x9796959493929190);
}

static uint64_t bytes_from(unsigned first)
{
	uint64_t word = 0;

	for (unsigned i = 8; i--;)
		word = word << 8 | (uint8_t)(first + i);
	return word;
}

/* SDM vol. 1, 13.5: where in its component a register lies; byte n of the area holds n and n's page. */
static void places_in_the_components(void **unused)
{
	static const struct {
		const char *name;
		enum xsave_component component;
		unsigned at;
	} places[] = {
		{"ymm0h", XSAVE_AVX, 0},	 {"ymm15h", XSAVE_AVX, 240},
		{"k0", XSAVE_OPMASK, 0},	 {"k7", XSAVE_OPMASK, 56},
		{"zmm0h", XSAVE_ZMM_HI256, 0},	 {"zmm15h", XSAVE_ZMM_HI256, 480},
		{"xmm16", XSAVE_HI16_ZMM, 0},	 {"ymm16h", XSAVE_HI16_ZMM, 16},
		{"zmm16h", XSAVE_HI16_ZMM, 32},	 {"xmm31", XSAVE_HI16_ZMM, 960},
		{"ymm31h", XSAVE_HI16_ZMM, 976}, {"zmm31h", XSAVE_HI16_ZMM, 992},
	};

	(void)unused;
	sample_long();
	for (unsigned i = 0; i < sizeof(cpu.fpu.xsave); i++)
		cpu.fpu.xsave[i] = (uint8_t)(i + 7 * (i >> 8));
	memset(cpu.fpu.xsave + XSAVE_XSTATE_BV, 0xff, 2);
	/* Somewhere else, as another processor may have it. */
	cpu.fpu.component[XSAVE_HI16_ZMM] = 2048;
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		unsigned at = cpu.fpu.component[places[i].component] + places[i].at;

		assert_true(get_register(places[i].name) == bytes_from(at + 7 * (at >> 8)));
	}
	assert_int_equal(get_register("pkru"), (uint32_t)bytes_from(2688 + 7 * (2688 >> 8)));
	cpu.fpu.component[XSAVE_PKRU] = 2432; /* as AMD's have it */
	assert_int_equal(get_register("pkru"), (uint32_t)bytes_from(2432 + 7 * (2432 >> 8)));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_gdbs),
		cmocka_unit_test(rows_make_sense),
		cmocka_unit_test(groups_have_names),
		cmocka_unit_test(people_know_other_names),
		cmocka_unit_test(flags_have_plain_twins),
		cmocka_unit_test(only_twins_share_a_place),
		cmocka_unit_test(names_mean_what_they_say),
		cmocka_unit_test(places_in_the_xsave_area),
		cmocka_unit_test(places_in_the_components),
		cmocka_unit_test(get_fills_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
