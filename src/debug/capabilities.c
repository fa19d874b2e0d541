// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the host's KVM does, as against what it promises: a scratch VM of one vCPU and a few pages
 * is asked, mode by mode, to step, to trap an int3, to stop at a debug register. There are no
 * interrupt handlers in it: an event that wrongly reaches the guest ends in hlt (real mode) or in
 * shutdown.
 */
#include "debug/core.h"

#include "x86/exceptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SCRATCH_SIZE 0x10000
#define CODE	     0x2000
#define DATA	     0x3000
#define STACK	     0x5000
#define HANDLER	     0x6000
#define PML4	     0x8000
#define PDPT	     0x9000
#define PAGE_DIR     0xa000

#define OP_NOP	     0x90
#define OP_HLT	     0xf4
#define OP_INT3	     0xcc

struct scratch {
	struct accel_vm *vm;
	struct accel_vcpu *vcpu;
	uint8_t *ram;
	struct cpu_state state;
};

const char *capability_mode_name(enum capability_mode mode)
{
	static const char *const names[CAP_MODE_COUNT] = {[CAP_REAL] = "real mode",
							  [CAP_PROT] = "protected mode",
							  [CAP_LONG] = "long mode",
							  [CAP_USER] = "ring 3"};

	return names[mode];
}

enum capability_mode core_mode_of(const struct cpu_state *state)
{
	switch (cpu_mode(state)) {
	case MODE_REAL:
	case MODE_V86: return CAP_REAL;
	default: break;
	}
	if (cpu_cpl(state) == 3)
		return CAP_USER;
	return cpu_mode(state) == MODE_LONG ? CAP_LONG : CAP_PROT;
}

/* ---- the modes --------------------------------------------------------------------------- */

static void enter_real(struct cpu_state *s)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_real(&s->system.seg[i], 0);
	s->system.idt = (struct cpu_table){.base = 0, .limit = 0x3ff};
}

static void load_flat(struct cpu_state *s, unsigned bits, unsigned ring)
{
	for (int i = 0; i < 6; i++) {
		bool code = i == SEG_CS;

		cpu_segment_flat(&s->system.seg[i], (uint16_t)((code ? 0x08 : 0x10) | ring), code,
				 bits);
		s->system.seg[i].dpl = (uint8_t)ring;
	}
	s->system.cr0 = CR0_PE | CR0_ET | CR0_NE;
	s->system.idt = (struct cpu_table){0};
}

static void enter_prot(struct cpu_state *s)
{
	load_flat(s, 32, 0);
}

static void enter_long(struct cpu_state *s)
{
	load_flat(s, 64, 0);
	s->system.cr0 |= CR0_PG;
	s->system.cr3 = PML4;
	s->system.cr4 = CR4_PAE;
	s->system.efer = EFER_LME | EFER_LMA;
}

static void enter_user(struct cpu_state *s)
{
	enter_long(s);
	load_flat(s, 64, 3);
	s->system.cr0 |= CR0_PG;
}

/* 2 MiB, identity, open to ring 3. */
static void map_pages(uint8_t *ram)
{
	const uint64_t present_write_user = 7, large = 0x80;
	uint64_t entry;

	entry = PDPT | present_write_user;
	memcpy(ram + PML4, &entry, sizeof(entry));
	entry = PAGE_DIR | present_write_user;
	memcpy(ram + PDPT, &entry, sizeof(entry));
	entry = present_write_user | large;
	memcpy(ram + PAGE_DIR, &entry, sizeof(entry));
}

/* Real mode's #DB and #BP go to an hlt. */
static void real_handlers(uint8_t *ram)
{
	const uint16_t far[2] = {HANDLER, 0};

	memcpy(ram + VECTOR_DB * 4, far, sizeof(far));
	memcpy(ram + VECTOR_BP * 4, far, sizeof(far));
	ram[HANDLER] = OP_HLT;
}

static int prepare(struct scratch *s, enum capability_mode mode, const uint8_t *code, size_t size)
{
	static void (*const enter[CAP_MODE_COUNT])(struct cpu_state *) = {[CAP_REAL] = enter_real,
									  [CAP_PROT] = enter_prot,
									  [CAP_LONG] = enter_long,
									  [CAP_USER] = enter_user};
	const unsigned groups = CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS | CPU_DEBUG;

	memset(s->ram, 0, SCRATCH_SIZE);
	map_pages(s->ram);
	real_handlers(s->ram);
	memcpy(s->ram + CODE, code, size);
	cpu_state_reset(&s->state, true);
	enter[mode](&s->state);
	s->state.general.rip = CODE;
	s->state.general.gpr[GPR_RSP] = STACK;
	s->state.general.gpr[GPR_RDI] = s->state.general.gpr[GPR_RBX] = DATA;
	return s->vcpu->ops->state_put(s->vcpu, groups, &s->state);
}

/* ---- the questions ----------------------------------------------------------------------- */

static struct vm_exit ask(struct scratch *s, const struct accel_debug *wish)
{
	struct vm_exit exit = {.reason = EXIT_OTHER};

	if (s->vcpu->ops->debug_set(s->vcpu, wish) == 0)
		s->vcpu->ops->vcpu_run(s->vcpu, &exit);
	return exit;
}

static bool is_trap(const struct vm_exit *exit, unsigned vector, uint64_t pc)
{
	return exit->reason == EXIT_DEBUG && exit->debug.vector == vector && exit->debug.pc == pc;
}

static bool can_step(struct scratch *s, enum capability_mode mode)
{
	const uint8_t code[] = {OP_NOP, OP_NOP, OP_HLT};
	const struct accel_debug wish = {.step = true, .inject = -1};
	struct vm_exit exit;

	if (prepare(s, mode, code, sizeof(code)) < 0)
		return false;
	exit = ask(s, &wish);
	return is_trap(&exit, VECTOR_DB, CODE + 1);
}

static enum capability_int3 can_int3(struct scratch *s, enum capability_mode mode)
{
	const uint8_t code[] = {OP_INT3, OP_HLT};
	const struct accel_debug wish = {.int3 = true, .inject = -1};
	struct vm_exit exit;

	if (prepare(s, mode, code, sizeof(code)) < 0)
		return INT3_LOST;
	exit = ask(s, &wish);
	if (is_trap(&exit, VECTOR_BP, CODE))
		return INT3_TRAPS;
	if (exit.reason == EXIT_INTERNAL_ERROR && exit.internal.suberror == INTERNAL_EMULATION &&
	    exit.internal.insn_length > 0 && exit.internal.insn[0] == OP_INT3)
		return INT3_EMULATION_FAILURE;
	return INT3_LOST;
}

static bool ignores_rf(struct scratch *s, const struct accel_debug *wish)
{
	struct vm_exit exit;

	s->state.general.rip = CODE + 1;
	s->state.general.rflags |= RFLAGS_RF;
	if (s->vcpu->ops->state_put(s->vcpu, CPU_GENERAL, &s->state) < 0)
		return true;
	exit = ask(s, wish);
	return is_trap(&exit, VECTOR_DB, CODE + 1);
}

static bool can_slot(struct scratch *s, enum capability_mode mode, bool *rf)
{
	const uint8_t code[] = {OP_NOP, OP_NOP, OP_HLT};
	const struct accel_debug wish = {
		.slots = true, .dr = {CODE + 1}, .dr7 = dr7_enable(0, 0, DR_EXEC, 1), .inject = -1};
	struct vm_exit exit;

	if (prepare(s, mode, code, sizeof(code)) < 0)
		return false;
	exit = ask(s, &wish);
	if (!is_trap(&exit, VECTOR_DB, CODE + 1) || !(exit.debug.dr6 & 1))
		return false;
	*rf |= ignores_rf(s, &wish);
	return true;
}

static bool can_watch(struct scratch *s)
{
	const uint8_t code[] = {0x88, 0x07, OP_NOP, OP_HLT}; /* mov %al,(%rdi) */
	const struct accel_debug wish = {
		.slots = true, .dr = {DATA}, .dr7 = dr7_enable(0, 0, DR_WRITE, 1), .inject = -1};
	struct vm_exit exit;

	if (prepare(s, CAP_LONG, code, sizeof(code)) < 0)
		return false;
	exit = ask(s, &wish);
	return is_trap(&exit, VECTOR_DB, CODE + 2) && (exit.debug.dr6 & 1);
}

/* ---- the scratch VM ---------------------------------------------------------------------- */

static int scratch_create(const struct machine_config *config, struct scratch *s, struct error *err)
{
	struct accel_config accel = {
		.vcpus = 1, .device = config->kvm_device, .dummy = config->dummy};
	struct accel_slot slot = {.gpa = 0, .size = SCRATCH_SIZE};
	int rc;

	s->ram = mmap(NULL, SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (s->ram == MAP_FAILED) {
		s->ram = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	rc = config->accel->vm_create(&accel, &s->vm, err);
	slot.hva = s->ram;
	if (rc == 0)
		rc = s->vm->ops->slot_set(s->vm, &slot, err);
	return rc < 0 ? rc : s->vm->ops->vcpu_create(s->vm, 0, &s->vcpu, err);
}

static void scratch_destroy(struct scratch *s)
{
	if (s->vcpu)
		s->vcpu->ops->vcpu_destroy(s->vcpu);
	if (s->vm)
		s->vm->ops->vm_destroy(s->vm);
	if (s->ram)
		munmap(s->ram, SCRATCH_SIZE);
}

int core_probe(const struct machine_config *config, struct debug_capabilities *found,
	       struct error *err)
{
	struct scratch *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	rc = scratch_create(config, s, err);
	for (enum capability_mode mode = 0; rc == 0 && mode < CAP_MODE_COUNT; mode++) {
		found->step[mode] = can_step(s, mode);
		found->slot[mode] = can_slot(s, mode, &found->slot_ignores_rf);
		found->int3[mode] = can_int3(s, mode);
	}
	if (rc == 0)
		found->watch = can_watch(s);
	scratch_destroy(s);
	free(s);
	return rc < 0 ? error_prefix(err, "probing what this host can debug") : 0;
}

const struct debug_capabilities *debug_capabilities(struct debug *debug)
{
	return &debug->capabilities;
}
