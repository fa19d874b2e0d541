// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "x86/mode.h"

#include <string.h>

const char *const mode_names[MODES] = {"real mode", "protected mode", "long mode"};
const size_t word_size[MODES] = {2, 4, 8};

/* ---- the machine ------------------------------------------------------------------------- */

void place_put(struct place *p, uint64_t gpa, const void *data, size_t size)
{
	assert_int_equal(mem_write_phys(p->rig.machine->memory, gpa, data, size), size);
}

void place_put64(struct place *p, uint64_t gpa, uint64_t value)
{
	place_put(p, gpa, &value, sizeof(value));
}

uint64_t place_get(struct place *p, uint64_t gpa, size_t size)
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

	place_put(p, handler, code[p->mode], sizeof(code[p->mode]));
	if (p->mode == REAL)
		place_put(p, 4 * vector, &(uint32_t){(uint32_t)handler}, 4);
	else if (p->mode == PROT)
		place_put64(p, IDT + 8 * vector, gate | handler);
	else
		place_put64(p, IDT + 16 * vector, gate | handler);
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
	system->gdt = (struct cpu_table){.base = GDT, .limit = 0x37};
	place_put64(p, GDT + CODE_SEL, bits == 64 ? 0xaf9b000000ffff : 0xcf9b000000ffff);
	place_put64(p, GDT + DATA_SEL, 0xcf93000000ffff);
	place_put64(p, GDT + (USER_DATA & ~7), 0xcff3000000ffff);
	place_put64(p, GDT + (USER_CODE & ~7), bits == 64 ? 0xaffb000000ffff : 0xcffb000000ffff);
}

static void enter_long(struct place *p)
{
	enter_flat(p, 64);
	place_put64(p, PML4, PDPT | 7);
	place_put64(p, PDPT, PAGE_DIR | 7);
	place_put64(p, PAGE_DIR, 0x83);
	place_put64(p, PAGE_DIR + 8, 0x87);
	place_put64(p, TSS + 4, STACK + 0x400); /* RSP0 */
	p->state->system.seg[SEG_TR] = (struct cpu_segment){
		.base = TSS, .limit = 0x67, .selector = TSS_SEL, .type = 11, .present = 1};
	p->state->system.cr0 |= CR0_PG;
	p->state->system.cr3 = PML4;
	p->state->system.cr4 = CR4_PAE;
	p->state->system.efer = EFER_LME | EFER_LMA | EFER_SCE;
}

void place_start(struct place *p, enum mode mode, const char *strategy)
{
	struct vcpu *vcpu;

	*p = (struct place){.rig = {.accel = &accel_kvm, .as_at_reset = true}, .mode = mode};
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &p->rig.config.strategy, NULL), 0);
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

void place_code(struct place *p, const uint8_t *code, size_t size)
{
	uint8_t room[32];

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
bool place_step(struct place *p, const char *what, uint64_t pc)
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

void place_stop(struct place *p)
{
	rig_stop(&p->rig);
}
