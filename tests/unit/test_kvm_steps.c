// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Steps into handlers and out of them, in three modes on the host's own KVM: the step ends at the handler's
 * first instruction, and nothing of the debugger's shows in the frame on the guest's stack.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <stdio.h>
#include <string.h>

enum mode { REAL, PROT, LONG, MODES };

#define HANDLERS 0x3000u /* of vector v: HANDLERS + 16 * v */
#define IDT	 0x5000u
#define GDT	 0x6000u
#define STACK	 0x7800u
#define PML4	 0x8000u
#define PDPT	 0x9000u
#define PAGE_DIR 0xa000u
#define CODE_SEL 8
#define DATA_SEL 16
#define NOP	 0x90

struct place {
	struct rig rig;
	enum mode mode;
	struct cpu_state *state;
};

static const char *const mode_names[MODES] = {"real mode", "protected mode", "long mode"};

/* ---- the machine ------------------------------------------------------------------------- */

static void put(struct place *p, uint64_t gpa, const void *data, size_t size)
{
	assert_int_equal(mem_write_phys(p->rig.machine->memory, gpa, data, size), size);
}

static void put64(struct place *p, uint64_t gpa, uint64_t value)
{
	put(p, gpa, &value, sizeof(value));
}

static uint64_t get(struct place *p, uint64_t gpa, size_t size)
{
	uint64_t value = 0;

	assert_int_equal(mem_read_phys(p->rig.machine->memory, gpa, &value, size), size);
	return value;
}

/* Each handler is a nop and an iret. */
static void put_vector(struct place *p, unsigned vector)
{
	static const uint8_t code[MODES][3] = {{NOP, 0xcf}, {NOP, 0xcf}, {NOP, 0x48, 0xcf}};
	const uint64_t handler = HANDLERS + 16 * vector, gate = 0x8e00ull << 32 | CODE_SEL << 16;

	put(p, handler, code[p->mode], sizeof(code[p->mode]));
	if (p->mode == REAL)
		put(p, 4 * vector, &(uint32_t){(uint32_t)handler}, 4);
	else if (p->mode == PROT)
		put64(p, IDT + 8 * vector, gate | handler);
	else
		put64(p, IDT + 16 * vector, gate | handler);
}

static void enter_real(struct place *p)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_real(&p->state->system.seg[i], 0);
	p->state->system.idt = (struct cpu_table){.limit = 0x3ff};
}

static void enter_flat(struct place *p, unsigned bits)
{
	struct cpu_system *system = &p->state->system;

	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&system->seg[i], i == SEG_CS ? CODE_SEL : DATA_SEL, i == SEG_CS,
				 bits);
	system->cr0 = CR0_PE | CR0_ET | CR0_NE;
	system->idt = (struct cpu_table){.base = IDT, .limit = 0xfff};
	system->gdt = (struct cpu_table){.base = GDT, .limit = 23};
	put64(p, GDT + CODE_SEL, bits == 64 ? 0xaf9b000000ffff : 0xcf9b000000ffff);
	put64(p, GDT + DATA_SEL, 0xcf93000000ffff);
}

static void enter_long(struct place *p)
{
	enter_flat(p, 64);
	put64(p, PML4, PDPT | 3);
	put64(p, PDPT, PAGE_DIR | 3);
	put64(p, PAGE_DIR, 0x83);
	p->state->system.cr0 |= CR0_PG;
	p->state->system.cr3 = PML4;
	p->state->system.cr4 = CR4_PAE;
	p->state->system.efer = EFER_LME | EFER_LMA;
}

static void start(struct place *p, enum mode mode)
{
	struct vcpu *vcpu;

	*p = (struct place){.rig = {.accel = &accel_kvm, .as_at_reset = true}, .mode = mode};
	rig_start(&p->rig, 1, IRQCHIP_KERNEL);
	vcpu = &p->rig.machine->vcpus[0];
	p->state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	if (mode == REAL)
		enter_real(p);
	else if (mode == PROT)
		enter_flat(p, 32);
	else
		enter_long(p);
	for (unsigned vector = 0; vector < 0x30; vector++)
		put_vector(p, vector);
	p->state->general.rip = RIG_CODE;
	p->state->general.gpr[GPR_RSP] = STACK;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

static void code_at_start(struct place *p, const uint8_t *code, size_t size)
{
	uint8_t room[16];

	memset(room, NOP, sizeof(room));
	memcpy(room, code, size);
	rig_code(&p->rig, 0, room, sizeof(room));
	rig_set_reg(&p->rig, 0, "rip", RIG_CODE);
	rig_set_reg(&p->rig, 0, "rsp", STACK);
	rig_set_reg(&p->rig, 0, "rflags", RFLAGS_FIXED);
	rig_set_reg(&p->rig, 0, "rcx", 0);
	rig_set_reg(&p->rig, 0, "rax", 0xfff8);
}

/* False where this host cannot execute the instruction at all. */
static bool step(struct place *p, const char *what, uint64_t pc)
{
	const struct stop *stop;

	rig_step(&p->rig, 0);
	stop = rig_wait_stop(&p->rig);
	if (stop->reason == STOP_EMULATION_FAILURE) {
		print_message("%s, %s: %s\n", mode_names[p->mode], what, stop->text);
		return false;
	}
	if (stop->reason != STOP_STEP || debug_pc(p->rig.debug, 0) != pc)
		fail_msg("%s, %s: '%s' at 0x%llx, not 0x%llx", mode_names[p->mode], what,
			 stop->text, (unsigned long long)debug_pc(p->rig.debug, 0),
			 (unsigned long long)pc);
	return true;
}

/* ---- into a handler ---------------------------------------------------------------------- */

struct entry {
	const char *what;
	uint8_t code[4];
	uint8_t length;
	uint8_t vector;
	bool trap; /* the handler returns behind the instruction */
	bool error_code;
};

static const struct entry entries[] = {
	{"ud2", {0x0f, 0x0b}, 2, VECTOR_UD, false, false},
	{"div by zero", {0xf7, 0xf1}, 2, VECTOR_DE, false, false},
	{"mov to fs", {0x8e, 0xe0}, 2, VECTOR_GP, false, true},
	{"int $0x21", {0xcd, 0x21}, 2, 0x21, true, false},
	{"int3", {0xcc}, 1, VECTOR_BP, true, false},
};

static void check_frame(struct place *p, const struct entry *e)
{
	static const size_t word[MODES] = {2, 4, 8};
	size_t size = word[p->mode];
	uint64_t frame = rig_reg(&p->rig, 0, "rsp") + (e->error_code ? size : 0);

	assert_int_equal(get(p, frame, size), RIG_CODE + (e->trap ? e->length : 0));
	if ((get(p, frame + 2 * size, size) ^ RFLAGS_FIXED) & ~(uint64_t)RFLAGS_RF)
		fail_msg("%s, %s: flags on the stack are 0x%llx", mode_names[p->mode], e->what,
			 (unsigned long long)get(p, frame + 2 * size, size));
	assert_int_equal(rig_reg(&p->rig, 0, "rflags") & ~(uint64_t)RFLAGS_RF, RFLAGS_FIXED);
}

/* Back from the handler of a trap, step by step. */
static void step_back(struct place *p, const struct entry *e)
{
	uint64_t handler = HANDLERS + 16 * e->vector;

	if (step(p, e->what, handler + 1) && step(p, "iret", RIG_CODE + e->length))
		step(p, "behind iret", RIG_CODE + e->length + 1);
	assert_int_equal(rig_reg(&p->rig, 0, "rflags") & ~(uint64_t)RFLAGS_RF, RFLAGS_FIXED);
}

static void test_step_into_a_handler(void **state)
{
	struct place p;

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++) {
		start(&p, mode);
		for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
			const struct entry *e = &entries[i];

			if (mode == REAL && e->error_code)
				continue;
			code_at_start(&p, e->code, e->length);
			if (!step(&p, e->what, HANDLERS + 16 * e->vector))
				continue;
			check_frame(&p, e);
			if (e->trap)
				step_back(&p, e);
		}
		rig_stop(&p.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_into_a_handler),
	};

	return cmocka_run_group_tests_name("steps into handlers, on KVM", tests, NULL, NULL);
}
