// SPDX-License-Identifier: GPL-3.0-or-later
/* g G p P over the register table, and the description of that table. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of rax … gs, st0-7 and the x87 control registers, xmm0-15 and mxcsr, fs_base and gs_base. */
#define G_BYTES (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 2 * 8)

static void all_that_gdb_reads_at_a_stop(void **state)
{
	struct peer *peer = *state;
	struct cpu_state *cpu = &peer->debug->state[0];
	const char *g;

	for (unsigned i = 0; i < GPR_COUNT; i++)
		cpu->general.gpr[i] = 0x1111111111111111u * i;
	cpu->general.rip = 0xffffffff80123456;
	cpu->general.rflags = 0x246;
	g = peer_answer(peer, "g");
	assert_int_equal(strlen(g), 2 * G_BYTES);
	/* rax rbx rcx rdx: gdb's order, not the instructions'. */
	assert_memory_equal(g, "0000000000000000333333333333333311111111111111112222222222222222",
			    64);
	assert_memory_equal(g + 16 * 16, "56341280ffffffff46020000", 24);
}

static void what_is_not_to_be_had_is_said_so(void **state)
{
	struct peer *peer = *state;
	const char *g;

	peer->debug->refuse_groups = CPU_FPU;
	g = peer_answer(peer, "g");
	assert_int_equal(strlen(g), 2 * G_BYTES);
	assert_int_equal(strspn(g + 2 * 164, "x"), 2 * (8 * 10 + 8 * 4 + 16 * 16 + 4));
	assert_int_equal(strcspn(g, "x"), 2 * 164);
	ask(peer, text("p%x", (unsigned)register_find("mxcsr")), "xxxxxxxx");
}

static void a_register_that_this_host_lacks(void **state)
{
	struct peer *peer = *state;
	unsigned reg = (unsigned)register_find("lstar");

	peer->debug->state[0].msrs.valid[MSR_SLOT_LSTAR] = false;
	ask(peer, text("p%x", reg), "xxxxxxxxxxxxxxxx");
	peer->debug->state[0].msrs.valid[MSR_SLOT_LSTAR] = true;
	peer->debug->state[0].msrs.value[MSR_SLOT_LSTAR] = 0xffffffff81000000;
	ask(peer, text("p%x", reg), "00000081ffffffff");
}

static void all_registers_written_at_once(void **state)
{
	struct peer *peer = *state;
	struct cpu_state *cpu = &peer->debug->state[0];
	char *body = malloc(2 * G_BYTES + 2);

	sprintf(body, "G%s", peer_answer(peer, "g"));
	ask(peer, body, "OK");
	memcpy(body + 1, "efcdab8967452301", 16);	    /* rax */
	memcpy(body + 1 + 16 * 16, "0010000000000000", 16); /* rip */
	ask(peer, body, "OK");
	assert_true(cpu->general.gpr[GPR_RAX] == 0x0123456789abcdef);
	assert_true(cpu->general.rip == 0x1000);
	/* Unknown values mean no change. */
	memset(body + 1, 'x', 16);
	ask(peer, body, "OK");
	assert_true(cpu->general.gpr[GPR_RAX] == 0x0123456789abcdef);
	free(body);
}

static void a_damaged_G_changes_nothing(void **state)
{
	struct peer *peer = *state;
	char *body = malloc(2 * G_BYTES + 10);

	ask_error(peer, "G");
	ask_error(peer, "G0011");
	sprintf(body, "G%s", peer_answer(peer, "g"));
	memcpy(body + 1, "ff", 2);
	body[2 * G_BYTES] = '\0';
	ask_error(peer, body);
	strcpy(body + 2 * G_BYTES, "000");
	ask_error(peer, body);
	body[2 * G_BYTES + 1] = '\0';
	body[2 * G_BYTES] = 'z';
	ask_error(peer, body);
	body[2 * G_BYTES] = '0';
	body[2 * G_BYTES - 1] = 'x';
	ask_error(peer, body);
	assert_true(peer->debug->state[0].general.gpr[GPR_RAX] == 0);
	free(body);
}

/* Selectors outside real mode: a CPU takes them from the guest's GDT. */
static bool is_selector(const struct register_desc *reg)
{
	return strlen(reg->name) == 2 && reg->name[1] == 's';
}

static void flip(char *digits, unsigned bit)
{
	char digit[2] = {digits[bit / 8 * 2 + !(bit / 4 % 2)], '\0'};
	unsigned value = (unsigned)strtoul(digit, NULL, 16) ^ 1u << bit % 4;

	digits[bit / 8 * 2 + !(bit / 4 % 2)] = "0123456789abcdef"[value];
}

/* Another value that the stub takes, with one bit that differs. */
static bool change(struct peer *peer, unsigned reg, const char *old, char *changed)
{
	for (unsigned bit = 0; bit < registers[reg].bits; bit++) {
		strcpy(changed, old);
		flip(changed, bit);
		if (!strcmp(peer_answer(peer, text("P%x=%s", reg, changed)), "OK") &&
		    !strcmp(peer_answer(peer, text("p%x", reg)), changed))
			return true;
		ask(peer, text("P%x=%s", reg, old), "OK");
	}
	return false;
}

/* Written, read back, and put back as it was: every row of the table. */
static void every_writable_register_makes_a_round_trip(void **state)
{
	struct peer *peer = *state;
	unsigned written = 0;

	for (unsigned reg = 0; reg < register_count; reg++) {
		char old[2 * REGISTER_MAX_BYTES + 1], changed[2 * REGISTER_MAX_BYTES + 1];

		snprintf(old, sizeof(old), "%s", peer_answer(peer, text("p%x", reg)));
		assert_int_equal(strlen(old), registers[reg].bits / 4);
		assert_int_equal(strspn(old, "0123456789abcdef"), strlen(old));
		ask(peer, text("P%x=%s", reg, old), "OK");
		ask(peer, text("p%x", reg), old);
		if (!registers[reg].writable || is_selector(&registers[reg]))
			continue;
		if (!change(peer, reg, old, changed))
			fail_msg("%s takes no other value", registers[reg].name);
		ask(peer, text("P%x=%s", reg, old), "OK");
		ask(peer, text("p%x", reg), old);
		written++;
	}
	assert_true(written > 180);
}

/* gdb writes everything back after a guest function that it called, hours of a clock later. */
static void a_read_only_register_takes_what_gdb_read_of_it(void **state)
{
	struct peer *peer = *state;
	unsigned tsc = (unsigned)register_find("tsc");

	peer->debug->state[0].msrs.valid[MSR_SLOT_TSC] = true;
	peer->debug->state[0].msrs.value[MSR_SLOT_TSC] = 0x1234;
	ask(peer, text("P%x=3412000000000000", tsc), "E01");
	ask(peer, text("p%x", tsc), "3412000000000000");
	peer->debug->state[0].msrs.value[MSR_SLOT_TSC] = 0x5678;
	ask(peer, text("P%x=3412000000000000", tsc), "OK");
	ask(peer, text("P%x=3512000000000000", tsc), "E01");
	ask(peer, text("p%x", tsc), "7856000000000000");
	ask(peer, text("P%x=00", (unsigned)register_find("tr")), "E16");
	ask(peer, text("P%x=ffff", (unsigned)register_find("tr")), "E01");
}

static void one_register(void **state)
{
	struct peer *peer = *state;

	ask(peer, "P0=0102030405060708", "OK");
	assert_true(peer->debug->state[0].general.gpr[GPR_RAX] == 0x0807060504030201);
	ask(peer, "p0", "0102030405060708");
	ask(peer, "p11", "02000000");
	ask(peer, text("P%x=00", (unsigned)register_find("rflags")), "E16");
	/* A value that no CPU takes. */
	ask(peer, text("P%x=ffffffffffffffff", (unsigned)register_find("cr4")), "E16");
}

static void malformed(void **state)
{
	static const char *const bodies[] = {
		"p",
		"pz",
		"p0,",
		"p0=",
		"p-1",
		"p1000",
		"pffffffffffffffff",
		"p11111111111111111",
		"P",
		"P0",
		"P0=",
		"P0=00",
		"P0=000000000000000",
		"P0=00000000000000000",
		"P0=0000000000000000ff",
		"P0=000000000000000g",
		"P=0000000000000000",
		"P0:00",
		"P1000=00",
		"P0=xxxxxxxxxxxxxxxx",
	};
	struct peer *peer = *state;

	peer->debug->state[0].general.gpr[GPR_RAX] = 42;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ask_error(peer, bodies[i]);
	ask(peer, "g0", "");
	assert_true(peer->debug->state[0].general.gpr[GPR_RAX] == 42);
}

static void a_running_guest_has_no_registers(void **state)
{
	struct peer *peer = *state;

	peer->debug->running = true;
	ask(peer, "g", "E10");
	ask(peer, "p0", "E10");
	ask(peer, "P0=0000000000000000", "E10");
	ask(peer, "P10=0000000000000000", "E10");
	ask_error(peer, "G00");
}

static void each_vcpu_has_its_own(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Hg3", "OK");
	ask(peer, "p10", "0000300000000000");
	ask(peer, "P0=ff00000000000000", "OK");
	assert_true(peer->debug->state[2].general.gpr[GPR_RAX] == 0xff);
	assert_true(peer->debug->state[0].general.gpr[GPR_RAX] == 0);
}

/* ---- real mode ----------------------------------------------------------------------------- */

static void enter_real_mode(struct cpu_state *cpu, uint16_t cs, uint16_t ss)
{
	cpu->system.cr0 = CR0_ET;
	cpu->system.cr4 = 0;
	cpu->system.efer = 0;
	cpu_segment_real(&cpu->system.seg[SEG_CS], cs);
	cpu_segment_real(&cpu->system.seg[SEG_SS], ss);
}

static void in_real_mode_pc_is_linear(void **state)
{
	struct peer *peer = *state;
	struct cpu_state *cpu = &peer->debug->state[0];

	enter_real_mode(cpu, 0x1234, 0x2000);
	cpu->general.rip = 0x10;
	cpu->general.gpr[GPR_RSP] = 0xfffe;
	ask(peer, "p10", "5023010000000000");
	ask(peer, "p7", "feff020000000000");
	ask(peer, "?", text("T02thread:1;core:0;%s", expedited(peer, 0)));
	ask(peer, "P10=5123010000000000", "OK");
	assert_true(cpu->general.rip == 0x11);
	ask(peer, "P7=0000020000000000", "OK");
	assert_true(cpu->general.gpr[GPR_RSP] == 0);
	/* Out of the segments' reach. */
	ask_error(peer, "P10=0000000000000000");
	ask_error(peer, "P10=5023020000000000");
	ask_error(peer, "P7=0000000000000000");
	ask_error(peer, "P7=0000030000000000");
	assert_true(cpu->general.rip == 0x11);
}

static void bits_that_16_bit_code_does_not_see_survive(void **state)
{
	struct peer *peer = *state;
	struct cpu_state *cpu = &peer->debug->state[0];

	enter_real_mode(cpu, 0, 0x2000);
	cpu->general.rip = 0x7c00;
	cpu->general.gpr[GPR_RSP] = 0xdead1000;
	ask(peer, "p7", "0010020000000000");
	ask(peer, "P7=0010020000000000", "OK");
	assert_true(cpu->general.gpr[GPR_RSP] == 0xdead1000);
}

static void continue_at_a_linear_address(void **state)
{
	struct peer *peer = *state;

	enter_real_mode(&peer->debug->state[0], 0x1000, 0);
	ask_error(peer, "c0");
	assert_int_equal(peer->debug->resumes, 0);
	peer_send(peer, "c10020");
	expect_silence(peer);
	assert_int_equal(peer->debug->resumes, 1);
	assert_true(peer->debug->state[0].general.rip == 0x20);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(all_that_gdb_reads_at_a_stop),
		ONE(what_is_not_to_be_had_is_said_so),
		ONE(a_register_that_this_host_lacks),
		ONE(all_registers_written_at_once),
		ONE(a_damaged_G_changes_nothing),
		ONE(every_writable_register_makes_a_round_trip),
		ONE(a_read_only_register_takes_what_gdb_read_of_it),
		ONE(one_register),
		ONE(malformed),
		ONE(a_running_guest_has_no_registers),
		SMP(each_vcpu_has_its_own),
		ONE(in_real_mode_pc_is_linear),
		ONE(bits_that_16_bit_code_does_not_see_survive),
		ONE(continue_at_a_linear_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
