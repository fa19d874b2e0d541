// SPDX-License-Identifier: GPL-3.0-or-later
/* Which registers gdb is told of, by the mode of the guest, the class of its file, and -gdb-arch. */
#include "layout_case.h"
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#define G_32 (9 * 4 + 7 * 4 + 8 * 10 + 8 * 4 + 8 * 16 + 4 + 2 * 8)

static const uint8_t elf32[64] = {0x7f, 'E', 'L', 'F', 1, 1, 1};

static const struct gdb_file file32 = {.path = "/kernel32", .bytes = elf32, .size = sizeof(elf32)};

static const struct gdb_file file_short = {.path = "/short", .bytes = elf64, .size = 4};

static unsigned number_of(const char *name)
{
	return (unsigned)register_find(name);
}

/* ---- what is said ------------------------------------------------------------------ */

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

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(each_mode_has_its_description),  T(names_of_32_bits),
		T(two_names_for_one_register),	   T(both_names_of_pc_and_sp_are_linear),
		T(a_stop_brings_both_names),	   T(one_of_the_names_is_restored),
		T(vectors_that_the_cpu_has),	   T(vectors_outside_long_mode),
		T(vectors_that_are_not_to_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
