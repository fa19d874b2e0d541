// SPDX-License-Identifier: GPL-3.0-or-later
/* Delivering an exception: each thing that can be wrong between a fault and its handler. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/exceptions.h"
#include "x86/fault_delivery.h"
#include "x86/mode.h"

#include <string.h>

#define MEMORY	  0x8000
#define IDT	  0x1000
#define GDT	  0x2000
#define TSS	  0x3000
#define STACK	  0x6000
#define HANDLER	  0x123456789000ull
#define CODE64	  8
#define GATE_SIZE 16

/* 32 KiB, linear = physical; one page of it may be missing, or read-only. */
struct place {
	uint8_t memory[MEMORY];
	uint64_t missing, read_only;
	struct cpu_state state;
};

static bool read_place(void *ctx, uint64_t linear, void *buf, size_t len)
{
	struct place *place = ctx;

	if (linear >= MEMORY || len > MEMORY - linear || linear >> 12 == place->missing)
		return false;
	memcpy(buf, place->memory + linear, len);
	return true;
}

static enum paging_fault walk_place(void *ctx, uint64_t linear, struct paging_walk *walk)
{
	struct place *place = ctx;

	*walk = (struct paging_walk){.gpa = linear, .write = linear >> 12 != place->read_only};
	walk->fault = linear >= MEMORY || linear >> 12 == place->missing ? PAGING_NOT_PRESENT
									 : PAGING_OK;
	return walk->fault;
}

static uint8_t *gate(struct place *place, unsigned vector)
{
	return place->memory + IDT + GATE_SIZE * vector;
}

static void put_gate(struct place *place, unsigned vector)
{
	uint8_t *at = gate(place, vector);
	uint32_t high = HANDLER >> 32;

	memcpy(at,
	       (const uint8_t[]){HANDLER & 0xff, HANDLER >> 8 & 0xff, CODE64, 0, 0, 0x8e,
				 HANDLER >> 16 & 0xff, HANDLER >> 24 & 0xff},
	       8);
	memcpy(at + 8, &high, 4);
}

/* Long mode, ring 0, everything as it must be. */
static void make(struct place *place)
{
	static const uint8_t code[8] = {0xff, 0xff, 0, 0, 0, 0x9a, 0xaf, 0};
	uint64_t stack = STACK;

	memset(place, 0, sizeof(*place));
	place->missing = place->read_only = ~0ull;
	memcpy(place->memory + GDT + CODE64, code, sizeof(code));
	memcpy(place->memory + TSS + 4, &stack, 8);
	put_gate(place, VECTOR_PF);
	cpu_segment_flat(&place->state.system.seg[SEG_CS], CODE64, true, 64);
	cpu_segment_flat(&place->state.system.seg[SEG_SS], 16, false, 64);
	place->state.system.cr0 = CR0_PE | CR0_PG | CR0_WP;
	place->state.system.efer = EFER_LME | EFER_LMA;
	place->state.system.idt = (struct cpu_table){IDT, 0xff};
	place->state.system.gdt = (struct cpu_table){GDT, 0xf};
	place->state.system.seg[SEG_TR] = (struct cpu_segment){.base = TSS, .limit = 0x67};
	place->state.general.gpr[GPR_RSP] = STACK;
}

static struct delivery deliver(struct place *place, unsigned vector)
{
	return fault_deliver(&place->state, (uint8_t)vector, read_place, walk_place, place);
}

static void fails(struct place *place, enum delivery_problem problem, unsigned raises,
		  const char *text)
{
	struct delivery d = deliver(place, VECTOR_PF);
	char said[120];

	assert_int_equal(d.problem, problem);
	assert_int_equal(d.raises, raises);
	delivery_text(&d, VECTOR_PF, said, sizeof(said));
	assert_string_equal(said, text);
	make(place);
}

static void test_all_is_well(void **state)
{
	struct place place;
	struct delivery d;

	(void)state;
	make(&place);
	d = deliver(&place, VECTOR_PF);
	assert_int_equal(d.problem, DELIVERY_FINE);
	assert_true(d.handler == 0x123456789000ull);
	assert_int_equal(d.selector, CODE64);
	/* From ring 3 the stack is the TSS's, whatever RSP is. */
	place.state.system.seg[SEG_SS].dpl = 3;
	place.state.general.gpr[GPR_RSP] = 0x123456;
	assert_int_equal(deliver(&place, VECTOR_PF).problem, DELIVERY_FINE);
}

static void test_each_problem(void **state)
{
	struct place place;

	(void)state;
	make(&place);
	place.state.system.idt.limit = 0xee;
	fails(&place, DELIVERY_BEYOND_IDT, VECTOR_GP, "gate 14 lies beyond the IDT's limit");
	place.missing = IDT >> 12;
	fails(&place, DELIVERY_IDT_NOT_MAPPED, VECTOR_PF, "gate 14 is not mapped, at 0x10e0");
	gate(&place, VECTOR_PF)[5] = 0x92;
	fails(&place, DELIVERY_NO_GATE, VECTOR_GP, "gate 14 is none for a handler");
	gate(&place, VECTOR_PF)[5] = 0x0e;
	fails(&place, DELIVERY_GATE_NOT_PRESENT, VECTOR_NP, "gate 14 is not present");
	gate(&place, VECTOR_PF)[2] = 0;
	fails(&place, DELIVERY_NULL_SELECTOR, VECTOR_GP, "gate 14 names no code segment");
	gate(&place, VECTOR_PF)[2] = 0x10;
	fails(&place, DELIVERY_BEYOND_GDT, VECTOR_GP,
	      "gate 14 names a segment beyond its table: 0x10");
	place.missing = GDT >> 12;
	fails(&place, DELIVERY_GDT_NOT_MAPPED, VECTOR_PF,
	      "gate 14: its segment is not mapped, at 0x2008");
	place.memory[GDT + CODE64 + 6] = 0xcf; /* 32-bit code */
	fails(&place, DELIVERY_NO_CODE, VECTOR_GP, "gate 14 names a segment of no such code: 0x8");
	place.memory[GDT + CODE64 + 5] = 0x1a;
	fails(&place, DELIVERY_CODE_NOT_PRESENT, VECTOR_NP,
	      "gate 14 names a segment that is not present: 0x8");
	gate(&place, VECTOR_PF)[11] = 0x80;
	fails(&place, DELIVERY_NOT_CANONICAL, VECTOR_GP,
	      "gate 14 leads to an impossible address: 0x8000123456789000");
}

static void test_each_stack(void **state)
{
	struct place place;

	(void)state;
	make(&place);
	place.missing = (STACK - 8) >> 12;
	fails(&place, DELIVERY_STACK_NOT_MAPPED, VECTOR_PF,
	      "gate 14: the stack cannot be written, at 0x5ff8");
	place.read_only = (STACK - 8) >> 12;
	fails(&place, DELIVERY_STACK_NOT_MAPPED, VECTOR_PF,
	      "gate 14: the stack cannot be written, at 0x5ff8");
	/* Without CR0.WP ring 0 may write what is read-only. */
	place.read_only = (STACK - 8) >> 12;
	place.state.system.cr0 &= ~CR0_WP;
	assert_int_equal(deliver(&place, VECTOR_PF).problem, DELIVERY_FINE);
	make(&place);
	/* The sixth word, the error code, is the one that goes over the edge. */
	place.state.general.gpr[GPR_RSP] = 0x5030;
	place.missing = 4;
	assert_int_equal(deliver(&place, VECTOR_PF).problem, DELIVERY_FINE);
	place.state.general.gpr[GPR_RSP] = 0x5020;
	fails(&place, DELIVERY_STACK_NOT_MAPPED, VECTOR_PF,
	      "gate 14: the stack cannot be written, at 0x4ff8");
	place.state.general.gpr[GPR_RSP] = 1ull << 63;
	fails(&place, DELIVERY_STACK_NOT_CANONICAL, VECTOR_SS,
	      "gate 14: the stack is at an impossible address: 0x8000000000000000");
	gate(&place, VECTOR_PF)[4] = 3; /* IST 3, whose place in the TSS is 0 */
	place.missing = TSS >> 12;
	fails(&place, DELIVERY_NO_TSS, VECTOR_PF,
	      "gate 14: its stack cannot be read from the TSS, at 0x3034");
	gate(&place, VECTOR_PF)[4] = 3;
	place.state.system.seg[SEG_TR].limit = 0x33;
	fails(&place, DELIVERY_NO_TSS, VECTOR_TS,
	      "gate 14: its stack cannot be read from the TSS, at 0x3034");
}

static void test_real_mode(void **state)
{
	static const uint16_t entry[2] = {0x10, 0x200};
	struct place place = {.missing = ~0ull};

	(void)state;
	place.state.system.idt.limit = 0x3ff;
	memcpy(place.memory + 4 * VECTOR_UD, entry, sizeof(entry));
	assert_true(deliver(&place, VECTOR_UD).handler == 0x2010);
	place.state.system.idt.limit = 4 * VECTOR_UD;
	assert_int_equal(deliver(&place, VECTOR_UD).problem, DELIVERY_BEYOND_IDT);
}

/* SDM vol. 3A, table 6-5. */
static void test_two_faults_in_a_row(void **state)
{
	(void)state;
	assert_int_equal(fault_after(VECTOR_UD, VECTOR_NP), VECTOR_NP);
	assert_int_equal(fault_after(VECTOR_GP, VECTOR_NP), VECTOR_DF);
	assert_int_equal(fault_after(VECTOR_DE, VECTOR_SS), VECTOR_DF);
	assert_int_equal(fault_after(VECTOR_GP, VECTOR_PF), VECTOR_PF);
	assert_int_equal(fault_after(VECTOR_PF, VECTOR_PF), VECTOR_DF);
	assert_int_equal(fault_after(VECTOR_PF, VECTOR_GP), VECTOR_DF);
	assert_int_equal(fault_after(VECTOR_DF, VECTOR_NP), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well),	    cmocka_unit_test(test_each_problem),
		cmocka_unit_test(test_each_stack),	    cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_two_faults_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
