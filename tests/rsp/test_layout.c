// SPDX-License-Identifier: GPL-3.0-or-later
/* Which registers gdb is told of, by the mode of the guest, the class of its file, and -gdb-arch. */
#include "peer.h"

#include "gdbstub/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of g: 17 general registers, eflags and selectors, st0-7 and what belongs to them, xmm and mxcsr, fs_base
 * and gs_base. Where only 32-bit names are known there are 9, and 8 of xmm. */
#define G_64 (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 2 * 8)
#define G_32 (9 * 4 + 7 * 4 + 8 * 10 + 8 * 4 + 8 * 16 + 4 + 2 * 8)

static const uint8_t elf32[64] = {0x7f, 'E', 'L', 'F', 1, 1, 1},
		     elf64[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
static const struct gdb_file file32 = {"/kernel32", elf32, sizeof(elf32)},
			     file64 = {"/kernel64", elf64, sizeof(elf64)},
			     file_short = {"/short", elf64, 4};

static void enter_mode(struct cpu_state *cpu, enum cpu_mode mode)
{
	unsigned bits = cpu_mode_bits(mode);

	if (mode == MODE_LONG)
		return; /* fake_new() makes it so */
	cpu->system.cr0 = mode == MODE_REAL ? CR0_ET : CR0_ET | CR0_PE;
	cpu->system.efer = 0;
	cpu_segment_flat(&cpu->system.seg[SEG_CS], 8, true, bits);
	cpu_segment_flat(&cpu->system.seg[SEG_SS], 16, false, bits);
	if (mode == MODE_COMPAT32) {
		cpu->system.efer = EFER_LME | EFER_LMA;
		cpu->system.cr0 |= CR0_PG;
	}
	if (mode == MODE_REAL || mode == MODE_V86) {
		cpu_segment_real(&cpu->system.seg[SEG_CS], 0x1000);
		cpu_segment_real(&cpu->system.seg[SEG_SS], 0x2000);
	}
	if (mode == MODE_V86)
		cpu->general.rflags |= RFLAGS_VM;
	cpu->general.rip = 0x20;
	cpu->general.gpr[GPR_RSP] = 0x40;
}

static struct peer *peer_in(enum cpu_mode mode, enum gdb_arch wish, const struct gdb_file *file)
{
	struct debug *debug = fake_new(2);
	struct peer *peer;

	enter_mode(&debug->state[0], mode);
	assert_int_equal(cpu_mode(&debug->state[0]), mode);
	peer = peer_new_with(debug, wish, file, file ? 1 : 0);
	peer_send(peer, "QStartNoAckMode");
	peer_take(peer, NULL);
	return peer;
}

static char *description(struct peer *peer)
{
	return peer_document(peer, "features:read:target.xml", 0x1fff0);
}

static unsigned number_of(const char *name)
{
	return (unsigned)register_find(name);
}

/* Names that stand beside others come behind the table, in its order. */
static unsigned narrow(const char *name)
{
	static const char *const names[] = {"eax", "ebx", "ecx", "edx", "esi",
					    "edi", "ebp", "esp", "eip"};
	unsigned i = 0;

	while (strcmp(names[i], name))
		i++;
	return register_count + i;
}

/* ---- what is said ------------------------------------------------------------------ */

static bool has_register(const char *xml, const char *name)
{
	return text_count(xml, text("<reg name=\"%s\" ", name));
}

static void expect_description(const char *xml, const char *arch, bool names_64, bool names_32)
{
	bool both = names_64 && names_32;

	assert_int_equal(text_count(xml, text("<architecture>%s</architecture>", arch)), 1);
	assert_int_equal(text_count(xml, "<compatible>i386</compatible>"), names_64 && !both);
	assert_int_equal(text_count(xml, "<compatible>i386:x86-64</compatible>"),
			 names_32 && !both);
	assert_int_equal(has_register(xml, "rax"), names_64);
	assert_int_equal(has_register(xml, "rip"), names_64);
	assert_int_equal(has_register(xml, "r15"), names_64);
	assert_int_equal(has_register(xml, "xmm15"), names_64);
	assert_int_equal(has_register(xml, "zmm31h"), names_64);
	assert_int_equal(has_register(xml, "eax"), names_32);
	assert_int_equal(has_register(xml, "eip"), names_32);
	assert_true(has_register(xml, "xmm7") && has_register(xml, "cr0_value"));
	assert_int_equal(text_count(xml, "\"org.gnu.gdb.i386.segments\""), !names_32);
	/* Pointers are as wide as gdb's idea of the processor. */
	assert_int_equal(text_count(xml, "code_ptr") + text_count(xml, "data_ptr"), both ? 0 : 3);
}

// clang-format off
static const struct {
	enum cpu_mode mode;
	enum gdb_arch wish;
	const struct gdb_file *file;
	const char *arch;
	bool names_64, names_32;
} rows[] = {
	{MODE_LONG,     GDB_ARCH_AUTO,   NULL,        "i386:x86-64", true,  false},
	{MODE_LONG,     GDB_ARCH_AUTO,   &file32,     "i386:x86-64", true,  false},
	{MODE_LONG,     GDB_ARCH_AUTO,   &file64,     "i386:x86-64", true,  false},
	{MODE_COMPAT32, GDB_ARCH_AUTO,   NULL,        "i386",        true,  true},
	{MODE_COMPAT32, GDB_ARCH_AUTO,   &file64,     "i386:x86-64", true,  true},
	{MODE_PROT32,   GDB_ARCH_AUTO,   NULL,        "i386",        true,  true},
	{MODE_PROT32,   GDB_ARCH_AUTO,   &file32,     "i386",        true,  true},
	{MODE_PROT32,   GDB_ARCH_AUTO,   &file64,     "i386:x86-64", true,  true},
	{MODE_PROT32,   GDB_ARCH_AUTO,   &file_short, "i386",        true,  true},
	{MODE_PROT16,   GDB_ARCH_AUTO,   NULL,        "i8086",       true,  true},
	{MODE_V86,      GDB_ARCH_AUTO,   &file32,     "i8086",       true,  true},
	{MODE_REAL,     GDB_ARCH_AUTO,   NULL,        "i8086",       true,  true},
	{MODE_REAL,     GDB_ARCH_AUTO,   &file32,     "i8086",       true,  true},
	{MODE_REAL,     GDB_ARCH_AUTO,   &file64,     "i386:x86-64", true,  true},
	{MODE_REAL,     GDB_ARCH_I8086,  &file64,     "i8086",       false, true},
	{MODE_REAL,     GDB_ARCH_I386,   NULL,        "i386",        false, true},
	{MODE_REAL,     GDB_ARCH_X86_64, &file32,     "i386:x86-64", true,  false},
	{MODE_LONG,     GDB_ARCH_I8086,  NULL,        "i8086",       false, true},
	{MODE_LONG,     GDB_ARCH_I386,   &file64,     "i386",        false, true},
};
// clang-format on

static void each_mode_has_its_description(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer *peer = peer_in(rows[i].mode, rows[i].wish, rows[i].file);
		char *xml = description(peer);

		print_message("row %zu\n", i);
		expect_description(xml, rows[i].arch, rows[i].names_64, rows[i].names_32);
		assert_int_equal(strlen(peer_answer(peer, "g")),
				 2 * (rows[i].names_64 ? G_64 : G_32));
		assert_int_equal(strncmp(peer_answer(peer, "?"), "T02", 3), 0);
		free(xml);
		peer_free(peer);
	}
}

/* ---- 32-bit names alone ------------------------------------------------------------ */

/* rax is eax, four bytes wide; r8 … r15 and xmm8 … xmm31 are not there. Numbers stay. */
static void names_of_32_bits(void **state)
{
	struct peer *peer = peer_in(MODE_PROT32, GDB_ARCH_I386, &file32);
	struct cpu_state *cpu = &peer->debug->state[0];
	char *xml = description(peer);

	(void)state;
	cpu->general.gpr[GPR_RAX] = 0xdeadbeef12345678;
	ask(peer, "p0", "78563412");
	ask(peer, "P0=efcdab89", "OK");
	assert_true(cpu->general.gpr[GPR_RAX] == 0x89abcdef);
	ask(peer, "P10=00200000", "OK");
	assert_true(cpu->general.rip == 0x2000);
	ask_error(peer, "P0=efcdab8900000000");
	ask_error(peer, "p8");
	ask_error(peer, text("p%x", number_of("xmm8")));
	ask_error(peer, text("p%x", number_of("zmm16h")));
	ask_error(peer, text("p%x", register_count));
	ask(peer, "?", "T02thread:1;core:0;10:00200000;07:40000000;06:00000000;11:02000000;");
	assert_int_equal(
		text_count(xml, "<reg name=\"eax\" bitsize=\"32\" type=\"int32\" regnum=\"0\"/>"),
		1);
	assert_int_equal(
		text_count(xml,
			   "<reg name=\"eip\" bitsize=\"32\" type=\"code_ptr\" regnum=\"16\"/>"),
		1);
	assert_false(has_register(xml, "xmm8") || has_register(xml, "ymm8h") ||
		     has_register(xml, "zmm8h") || has_register(xml, "ymm16h"));
	assert_true(has_register(xml, "ymm7h") && has_register(xml, "zmm7h") &&
		    has_register(xml, "k7"));
	free(xml);
	peer_free(peer);
}

/* ---- both ---------------------------------------------------------------------------- */

static void two_names_for_one_register(void **state)
{
	struct peer *peer = peer_in(MODE_PROT32, GDB_ARCH_AUTO, NULL);
	struct cpu_state *cpu = &peer->debug->state[0];

	(void)state;
	cpu->general.gpr[GPR_RSI] = 0x1122334455667788;
	ask(peer, text("p%x", number_of("rsi")), "8877665544332211");
	ask(peer, text("p%x", narrow("esi")), "88776655");
	/* As an instruction does it. */
	ask(peer, text("P%x=01000080", narrow("esi")), "OK");
	assert_true(cpu->general.gpr[GPR_RSI] == 0x80000001);
	ask(peer, text("P%x=0100000000000000", narrow("esi")), "E16");
	ask(peer, text("P%x=0100000000000000", number_of("rsi")), "OK");
	assert_true(cpu->general.gpr[GPR_RSI] == 1);
	ask_error(peer, text("p%x", narrow("eip") + 1));
	ask_error(peer, text("P%x=00", narrow("eip") + 1));
	peer_free(peer);
}

static void both_names_of_pc_and_sp_are_linear(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);
	struct cpu_state *cpu = &peer->debug->state[0];

	(void)state;
	ask(peer, text("p%x", narrow("eip")), "20000100");
	ask(peer, text("p%x", number_of("rip")), "2000010000000000");
	ask(peer, text("p%x", narrow("esp")), "40000200");
	ask(peer, text("P%x=22000100", narrow("eip")), "OK");
	assert_int_equal(cpu->general.rip, 0x22);
	ask(peer, text("P%x=10000200", narrow("esp")), "OK");
	assert_int_equal(cpu->general.gpr[GPR_RSP], 0x10);
	ask_error(peer, text("P%x=00000000", narrow("eip")));
	assert_int_equal(cpu->general.rip, 0x22);
	peer_free(peer);
}

/* Whichever of them gdb's idea of the processor makes its pc, it need not ask for it. */
static void a_stop_brings_both_names(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);

	(void)state;
	ask(peer, "?",
	    text("T02thread:1;core:0;10:%s;%x:%s;07:%s;%x:%s;06:%s;%x:%s;11:02000000;",
		 hex_number(0x10020, 8), narrow("eip"), hex_number(0x10020, 4),
		 hex_number(0x20040, 8), narrow("esp"), hex_number(0x20040, 4), hex_number(0, 8),
		 narrow("ebp"), hex_number(0, 4)));
	peer_free(peer);
}

/* gdb writes back all that it saved when a function that it called is done. */
static void one_of_the_names_is_restored(void **state)
{
	struct peer *peer = peer_in(MODE_PROT32, GDB_ARCH_AUTO, NULL);
	char *xml = description(peer);

	(void)state;
	assert_int_equal(text_count(xml, text("type=\"int32\" regnum=\"%u\" save-restore=\"no\"/>",
					      narrow("eax"))),
			 1);
	assert_int_equal(text_count(xml, "type=\"int64\" regnum=\"0\"/>"), 1);
	free(xml);
	peer_free(peer);
}

/* ---- vector registers ---------------------------------------------------------------- */

static void expect_vectors(struct peer *peer, bool avx, bool avx512, bool pkeys)
{
	char *xml = description(peer);

	assert_int_equal(text_count(xml, "<feature name=\"org.gnu.gdb.i386.avx\">"), avx);
	assert_int_equal(text_count(xml, "<feature name=\"org.gnu.gdb.i386.avx512\">"), avx512);
	assert_int_equal(text_count(xml, "<feature name=\"org.gnu.gdb.i386.pkeys\">"), pkeys);
	assert_int_equal(has_register(xml, "ymm0h"), avx);
	assert_int_equal(has_register(xml, "k0"), avx512);
	assert_int_equal(has_register(xml, "xmm16"), avx512);
	assert_int_equal(text_count(xml, "v2ui128\" type=\"uint128\""), avx512);
	assert_int_equal(has_register(xml, "pkru"), pkeys);
	free(xml);
}

static void vectors_that_the_cpu_has(void **state)
{
	struct peer *peer = peer_in(MODE_LONG, GDB_ARCH_AUTO, NULL);
	struct cpu_fpu *fpu = &peer->debug->state[0].fpu;

	(void)state;
	expect_vectors(peer, true, true, true);
	fpu->xcr0 = 1; /* the guest will switch them on */
	expect_vectors(peer, true, true, true);
	ask(peer, text("p%x", number_of("ymm0h")), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	ask_error(peer, text("P%x=%032d", number_of("ymm0h"), 0));
	/* gdb wants a feature whole. */
	fpu->component[XSAVE_OPMASK] = 0;
	expect_vectors(peer, true, false, true);
	ask_error(peer, text("p%x", number_of("k0")));
	ask_error(peer, text("p%x", number_of("zmm0h")));
	fpu->component[XSAVE_OPMASK] = 1088;
	fpu->component[XSAVE_AVX] = fpu->component[XSAVE_PKRU] = 0;
	expect_vectors(peer, false, false, false);
	ask_error(peer, text("p%x", number_of("ymm0h")));
	ask_error(peer, text("P%x=00000000", number_of("pkru")));
	peer_free(peer);
}

/* Elsewhere gdb shows those that its processor has no use for among the general ones. */
static void vectors_outside_long_mode(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);

	(void)state;
	expect_vectors(peer, true, true, true);
	peer->debug->state[0].fpu.xcr0 = 7;
	expect_vectors(peer, true, false, true);
	peer->debug->state[0].fpu.xcr0 = 3;
	expect_vectors(peer, false, false, true);
	peer_free(peer);
}

static void vectors_that_are_not_to_be_had(void **state)
{
	struct peer *peer = peer_in(MODE_LONG, GDB_ARCH_AUTO, NULL);

	(void)state;
	peer->debug->refuse_groups = CPU_FPU;
	expect_vectors(peer, false, false, false);
	peer_free(peer);
}

/* ---- how long it holds ---------------------------------------------------------------- */

/* A mode switch changes nothing of what gdb believes; reading the description again does. */
static void a_layout_holds_until_it_is_read_again(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);
	struct cpu_state *cpu = &peer->debug->state[0], in_long_mode = peer->debug->state[1];
	char *xml;

	(void)state;
	*cpu = in_long_mode;
	cpu->general.rip = 0xffffffff80001000;
	assert_int_equal(strlen(peer_answer(peer, "g")), 2 * G_64);
	ask(peer, text("p%x", narrow("eip")), "00100080");
	ask(peer, "p10", "00100080ffffffff");
	xml = description(peer);
	expect_description(xml, "i386:x86-64", true, false);
	ask_error(peer, text("p%x", narrow("eip")));
	free(xml);
	enter_mode(cpu, MODE_PROT32);
	ask_error(peer, text("p%x", narrow("eip")));
	peer->debug->running = true; /* nobody knows its mode */
	xml = description(peer);
	expect_description(xml, "i386:x86-64", true, false);
	free(xml);
	peer->debug->running = false;
	xml = description(peer);
	expect_description(xml, "i386", true, true);
	ask(peer, text("p%x", narrow("eip")), "20000000");
	free(xml);
	peer_free(peer);
}

/* One vCPU may be on its way up while another is in long mode. */
static void the_selected_vcpu_decides(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);
	char *xml;

	(void)state;
	ask(peer, "Hg2", "OK");
	xml = description(peer);
	expect_description(xml, "i386:x86-64", true, false);
	free(xml);
	ask(peer, "Hg1", "OK");
	xml = description(peer);
	expect_description(xml, "i8086", true, true);
	free(xml);
	peer_free(peer);
}

static void what_was_chosen_stays(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_I8086, NULL);
	char *xml;

	(void)state;
	peer->debug->state[0] = peer->debug->state[1];
	xml = description(peer);
	expect_description(xml, "i8086", false, true);
	free(xml);
	peer_free(peer);
}

/* ---- a mode switch that was caught ------------------------------------------------------ */

#define FORCED(arch) "-gdb-arch keeps gdb at " arch "; `monitor x/5i $pc` goes by the mode\n"

// clang-format off
static const struct {
	enum cpu_mode from, to;
	enum gdb_arch wish;
	const struct gdb_file *file;
	const char *words;
} switches[] = {
	{MODE_REAL,   MODE_PROT16, GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i8086\n"},
	{MODE_REAL,   MODE_PROT32, GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i386\n"},
	{MODE_REAL,   MODE_LONG,   GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i386:x86-64\n"},
	{MODE_PROT32, MODE_LONG,   GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i386:x86-64\n"},
	{MODE_PROT32, MODE_V86,    GDB_ARCH_AUTO, NULL,
	 "In gdb, type: unset tdesc filename, then: set architecture i8086\n"},
	{MODE_PROT32, MODE_REAL,   GDB_ARCH_AUTO, &file64, "In gdb, type: set architecture i8086\n"},
	{MODE_LONG,   MODE_COMPAT32, GDB_ARCH_AUTO, NULL,
	 "In gdb, type: unset tdesc filename, then: set architecture i386\n"},
	{MODE_LONG,   MODE_REAL,   GDB_ARCH_AUTO, &file64,
	 "In gdb, type: unset tdesc filename, then: set architecture i8086\n"},
	{MODE_LONG,   MODE_LONG,   GDB_ARCH_AUTO, NULL, ""},
	{MODE_REAL,   MODE_LONG,   GDB_ARCH_X86_64, NULL, ""},
	{MODE_REAL,   MODE_PROT32, GDB_ARCH_X86_64, NULL, FORCED("i386:x86-64")},
	{MODE_REAL,   MODE_LONG,   GDB_ARCH_I386, NULL, FORCED("i386")},
	{MODE_REAL,   MODE_PROT32, GDB_ARCH_I8086, &file64, FORCED("i8086")},
};
// clang-format on

static void expect_words(const char **out, const char *words)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "$O%s#", hex_of(words));
	if (strncmp(*out, wanted, strlen(wanted)) != 0)
		fail_msg("wanted \"%s\", got \"%.60s\"", words, *out);
	*out += strlen(wanted) + 2;
}

static void a_mode_switch_says_what_to_type(void **state)
{
	struct stop stop = {.reason = STOP_MODE_SWITCH, .point = 1, .text = "mode switch"};

	(void)state;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		struct peer *peer = peer_in(switches[i].from, switches[i].wish, switches[i].file);
		const char *out;

		peer_send(peer, "vCont;c");
		peer->debug->state[0] = peer->debug->state[1];
		enter_mode(&peer->debug->state[0], switches[i].to);
		fake_stop(peer->debug, &stop, OWNER_GDB);
		out = peer_take(peer, NULL);
		expect_words(&out, "vCPU 0: mode switch\n");
		if (switches[i].words[0])
			expect_words(&out, switches[i].words);
		assert_int_equal(strncmp(out, "$T05", 4), 0);
		peer_free(peer);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(each_mode_has_its_description),   T(names_of_32_bits),
		T(two_names_for_one_register),	    T(both_names_of_pc_and_sp_are_linear),
		T(a_stop_brings_both_names),	    T(one_of_the_names_is_restored),
		T(vectors_that_the_cpu_has),	    T(vectors_outside_long_mode),
		T(vectors_that_are_not_to_be_had),  T(a_layout_holds_until_it_is_read_again),
		T(the_selected_vcpu_decides),	    T(what_was_chosen_stays),
		T(a_mode_switch_says_what_to_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
