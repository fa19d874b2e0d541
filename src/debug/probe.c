// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/probe.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>

#define OP_NOP 0x90
#define OP_HLT 0xf4

/* A host that is late so often is not worth more waiting: what is not asked counts as not there. */
#define MAX_LATE 2

/* ---- one micro-probe in one mode --------------------------------------------------------- */

static void place_code(uint8_t *at, const uint8_t *code, size_t length)
{
	memset(at, OP_NOP, 16);
	memcpy(at, code, length);
	at[15] = OP_HLT;
}

static bool prepare(struct asking *asking)
{
	struct scratch *s = asking->scratch;
	const struct micro_probe *probe = asking->probe;
	const uint8_t nothing = OP_NOP;
	unsigned groups = CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS | CPU_DEBUG;

	for (unsigned n = 0; s->half_done && n < 4; n++)
		scratch_complete(s);
	place_code(s->ram + AT_CODE, probe->code, probe->length);
	place_code(s->ram + AT_TARGET, &nothing, 1);
	scratch_enter(s, asking->mode);
	s->state.general.gpr[GPR_RDI] = s->state.general.gpr[GPR_RBX] = probe->data;
	if (probe->prepare)
		probe->prepare(asking);
	if (asking->mode == CAP_USER)
		groups |= CPU_MSRS;
	return scratch_put(s, groups);
}

static uint8_t ask(struct scratch *s, const struct micro_probe *probe, enum capability_mode mode)
{
	struct asking asking = {.scratch = s, .probe = probe, .mode = mode};

	if (!prepare(&asking))
		return 0;
	scratch_may_spin(s, probe->when == PROTECTED_MAY_SPIN);
	asking.exit = scratch_run(s, &probe->wish);
	scratch_may_spin(s, false);
	return probe->judge(&asking);
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool worth_asking(const struct micro_probe *probe, enum capability_mode mode,
			 const struct debug_capabilities *found, bool protected)
{
	if (!(probe->modes >> mode & 1))
		return false;
	switch (probe->when) {
	case NEEDS_STEP: return found->step[mode];
	case NEEDS_INT3: return found->int3[mode] != INT3_LOST;
	case NEEDS_PROTECTED:
	case PROTECTED_MAY_SPIN: return protected;
	default: return true;
	}
}

/* The table is in order: what needs the protected pages comes last, so that they were used
 * before. */
static void ask_all(struct scratch *s, struct debug_capabilities *found)
{
	bool tried = false, protected = false;

	for (unsigned i = 0; i < micro_probe_count; i++) {
		const struct micro_probe *probe = &micro_probes[i];
		uint8_t *answer = (uint8_t *)found + probe->answer;

		if (probe->when >= NEEDS_PROTECTED && !tried) {
			tried = true;
			protected = scratch_protect(s);
		}
		for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
			if (worth_asking(probe, mode, found, protected) && s->late < MAX_LATE)
				answer[mode] = ask(s, probe, mode);
	}
}

/* ---- RFLAGS.RF --------------------------------------------------------------------------- */

/* Resumes on a slot with RF set: whoever honours it goes on to the hlt. */
static bool ignores_rf(struct scratch *s, enum capability_mode mode)
{
	const struct accel_debug wish = {
		.slots = true, .dr = {AT_CODE}, .dr7 = dr7_enable(0, 0, DR_EXEC, 1), .inject = -1};
	const uint8_t code = OP_NOP;
	struct vm_exit exit;

	place_code(s->ram + AT_CODE, &code, 1);
	scratch_enter(s, mode);
	s->state.general.rflags |= RFLAGS_RF;
	if (!scratch_put(s, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS | CPU_DEBUG))
		return true;
	exit = scratch_run(s, &wish);
	return exit.reason == EXIT_DEBUG && exit.debug.pc == AT_CODE;
}

/* The frame of an injected interrupt has RF as it was (SDM vol. 3C, 27.6.1.1): clear, so that a slot on the instruction
 * to which its handler returns still fires. Long mode, where RFLAGS lies behind RIP and CS. */
static bool interrupt_pushes_rf(struct scratch *s)
{
	const struct accel_debug nothing = {.inject = -1};
	const uint8_t code = OP_NOP;
	struct cpu_events *events = &s->state.events;
	uint64_t rflags;

	place_code(s->ram + AT_CODE, &code, 1);
	scratch_enter(s, CAP_LONG);
	s->state.general.rflags |= RFLAGS_IF;
	events->interrupt.injected = true;
	events->interrupt.vector = INTERRUPT_VECTOR;
	if (!scratch_put(s, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS | CPU_DEBUG) ||
	    scratch_run(s, &nothing).reason != EXIT_IO || !scratch_get(s, CPU_GENERAL) ||
	    s->state.general.gpr[GPR_RSP] > SCRATCH_SIZE - 3 * sizeof(rflags))
		return false;
	memcpy(&rflags, s->ram + s->state.general.gpr[GPR_RSP] + 2 * sizeof(rflags),
	       sizeof(rflags));
	return rflags & RFLAGS_RF;
}

static void ask_about_rf(struct scratch *s, struct debug_capabilities *found)
{
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		if (found->slot[mode] && s->late < MAX_LATE)
			found->slot_ignores_rf |= ignores_rf(s, mode);
	if (found->slot[CAP_LONG] && s->late < MAX_LATE)
		found->interrupt_rf = interrupt_pushes_rf(s);
}

/* ---- interrupts that wait ---------------------------------------------------------------- */

/* Long mode, RDI at the local APIC: enables it, sends an interrupt to itself, and says that it
 * did. */
static const uint8_t interrupt_itself[] = {
	0xc7, 0x87, 0xf0, 0x00, 0x00, 0x00, 0xff,
	0x01, 0x00, 0x00, /* spurious vector */
	0xc7, 0x87, 0x00, 0x03, 0x00, 0x00, INTERRUPT_VECTOR,
	0x40, 0x04, 0x00,		    /* to itself */
	0xe6, 0x77, 0x90, 0x90, 0x90, 0xf4, /* out; nops */
};
#define BEHIND_OUT (AT_CODE + 22)

static bool has_interrupt_waiting(struct scratch *s)
{
	const struct accel_debug nothing = {.inject = -1};
	struct vm_exit exit;

	memcpy(s->ram + AT_CODE, interrupt_itself, sizeof(interrupt_itself));
	scratch_enter(s, CAP_LONG);
	s->state.general.gpr[GPR_RDI] = APIC_BASE;
	if (!scratch_put(s, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS))
		return false;
	exit = scratch_run(s, &nothing);
	if (exit.reason != EXIT_IO || exit.io.port != 0x77)
		return false;
	scratch_complete(s);
	if (!scratch_get(s, CPU_GENERAL) || s->state.general.rip != BEHIND_OUT)
		return false;
	s->state.general.rflags |= RFLAGS_IF;
	return scratch_put(s, CPU_GENERAL);
}

/* Proves itself: the same interrupt must come as soon as nobody blocks it. */
static bool interrupts_wait(struct scratch *s)
{
	const struct accel_debug blocked = {.step = true, .block_irq = true, .inject = -1};
	const struct accel_debug nothing = {.inject = -1};
	struct vm_exit exit;

	if (!has_interrupt_waiting(s))
		return false;
	exit = scratch_run(s, &blocked);
	if (exit.reason != EXIT_DEBUG || exit.debug.pc != BEHIND_OUT + 1)
		return false;
	exit = scratch_run(s, &nothing);
	return exit.reason == EXIT_IO && exit.io.port == HANDLER_PORT;
}

/* The local APIC needs the controllers in the kernel, which a VM has from its beginning or not at
 * all. A host without them blocks nothing. */
static bool ask_about_interrupts(const struct machine_config *config)
{
	struct scratch s;
	bool wait = false;

	if (scratch_create(config, true, &s, NULL) == 0)
		wait = interrupts_wait(&s);
	scratch_destroy(&s);
	return wait;
}

/* ---- the probe --------------------------------------------------------------------------- */

int core_probe(const struct machine_config *config, struct debug_capabilities *found,
	       struct error *err)
{
	struct scratch s;
	int rc = scratch_create(config, false, &s, err);
	unsigned late;

	*found = (struct debug_capabilities){0};
	if (rc == 0) {
		ask_all(&s, found);
		ask_about_rf(&s, found);
	}
	late = rc == 0 ? s.late : 0;
	scratch_destroy(&s);
	if (rc < 0)
		return error_prefix(err, "probing what this host can debug");
	if (late)
		log_warn("debug",
			 "this host did not come back from %u of the questions about its KVM",
			 late);
	else if (found->step[CAP_LONG])
		found->block_irq = ask_about_interrupts(config);
	return late > 0;
}
