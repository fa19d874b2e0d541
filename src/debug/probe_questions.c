// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The micro-probes. An answer is given only for what was seen to the end: the right exit at the
 * right place with the right data. Anything else is a no.
 *
 * An event that wrongly reaches the guest ends in a handler, which halts; where even that is
 * missing, in shutdown.
 */
#include "debug/probe.h"

#include "x86/exceptions.h"

#include <string.h>

#define OP_INT3	   0xcc
#define ERROR_CODE 0x58
#define REPEATS	   3

/* ---- small questions --------------------------------------------------------------------- */

static bool is_trap(const struct vm_exit *exit, unsigned vector, uint64_t pc)
{
	return exit->reason == EXIT_DEBUG && exit->debug.vector == vector && exit->debug.pc == pc;
}

static bool is_int3_failure(const struct vm_exit *exit)
{
	return exit->reason == EXIT_INTERNAL_ERROR &&
	       exit->internal.suberror == INTERNAL_EMULATION && exit->internal.insn_length > 0 &&
	       exit->internal.insn[0] == OP_INT3;
}

/* What instructions push and interrupts leave: 2, 4 or 8 bytes. */
static unsigned word_size(enum capability_mode mode)
{
	static const unsigned sizes[CAP_MODE_COUNT] = {2, 4, 8, 8};

	return sizes[mode];
}

/* The nth word from the top of the stack; state was fetched. */
static uint64_t stacked(const struct asking *asking, unsigned n)
{
	const struct cpu_state *state = &asking->scratch->state;
	unsigned size = word_size(asking->mode);
	uint64_t at = state->general.gpr[GPR_RSP] + n * size, value = 0;

	if (at <= SCRATCH_SIZE - size)
		memcpy(&value, asking->scratch->ram + at, size);
	return value;
}

/* ---- steps and points -------------------------------------------------------------------- */

static uint8_t judge_step(struct asking *asking)
{
	return is_trap(&asking->exit, VECTOR_DB, asking_behind(asking));
}

static uint8_t judge_int3(struct asking *asking)
{
	if (is_trap(&asking->exit, VECTOR_BP, AT_CODE))
		return INT3_TRAPS;
	return is_int3_failure(&asking->exit) ? INT3_EMULATION_FAILURE : INT3_LOST;
}

static uint8_t judge_slot(struct asking *asking)
{
	return is_trap(&asking->exit, VECTOR_DB, asking_behind(asking)) &&
	       (asking->exit.debug.dr6 & 1);
}

/* ---- where a step ends ------------------------------------------------------------------- */

static uint8_t where(const struct vm_exit *exit, uint64_t end, uint64_t after)
{
	if (is_trap(exit, VECTOR_DB, end))
		return OVER_EXACT;
	return is_trap(exit, VECTOR_DB, after) ? OVER_NEXT : OVER_LOST;
}

static uint8_t judge_over(struct asking *asking)
{
	return where(&asking->exit, asking_behind(asking), AT_CODE + asking->probe->next);
}

static uint8_t judge_over_exit(struct asking *asking)
{
	enum exit_reason reason = asking->exit.reason;
	struct vm_exit exit;

	if (reason != EXIT_IO && reason != EXIT_MMIO && reason != EXIT_HLT)
		return judge_over(asking);
	exit = scratch_complete(asking->scratch);
	if (exit.reason != EXIT_INTR)
		return where(&exit, asking_behind(asking), AT_CODE + asking->probe->next);
	if (!scratch_get(asking->scratch, CPU_GENERAL))
		return OVER_LOST;
	return asking->scratch->state.general.rip == asking_behind(asking) ? OVER_EXIT : OVER_LOST;
}

static uint8_t judge_over_rep(struct asking *asking)
{
	if (!is_trap(&asking->exit, VECTOR_DB, AT_CODE))
		return judge_over(asking);
	if (!scratch_get(asking->scratch, CPU_GENERAL))
		return OVER_LOST;
	return asking->scratch->state.general.gpr[GPR_RCX] < REPEATS ? OVER_PART : OVER_LOST;
}

static void prepare_rep(struct asking *asking)
{
	asking->scratch->state.general.gpr[GPR_RCX] = REPEATS;
}

static uint8_t judge_over_pushf(struct asking *asking)
{
	uint8_t answer = judge_over(asking);

	if (answer == OVER_LOST || !scratch_get(asking->scratch, CPU_GENERAL))
		return OVER_LOST;
	return stacked(asking, 0) & RFLAGS_TF ? OVER_LEAKS : answer;
}

static void prepare_mov_ss(struct asking *asking)
{
	struct cpu_state *state = &asking->scratch->state;

	state->general.gpr[GPR_RAX] = state->system.seg[SEG_SS].selector;
}

static uint8_t judge_over_transfer(struct asking *asking)
{
	return where(&asking->exit, AT_TARGET, AT_TARGET + 1);
}

static void prepare_iret(struct asking *asking)
{
	const struct cpu_segment *seg = asking->scratch->state.system.seg;
	unsigned size = word_size(asking->mode);

	if (asking->mode == CAP_LONG) {
		scratch_push(asking->scratch, seg[SEG_SS].selector, size);
		scratch_push(asking->scratch, AT_STACK + STACK_TOP, size);
	}
	scratch_push(asking->scratch, RFLAGS_FIXED, size);
	scratch_push(asking->scratch, seg[SEG_CS].selector, size);
	scratch_push(asking->scratch, AT_TARGET, size);
}

/* FMASK takes the trap flag away, as every kernel has it. */
static void prepare_syscall(struct asking *asking)
{
	uint64_t *value = asking->scratch->state.msrs.value;

	value[MSR_SLOT_STAR] = (uint64_t)SEL_CODE64 << 32;
	value[MSR_SLOT_LSTAR] = AT_TARGET;
	value[MSR_SLOT_FMASK] = RFLAGS_TF | RFLAGS_IF;
}

/* ---- the guest's own events -------------------------------------------------------------- */

/* Whether the guest halted in a handler whose frame, above an error code, returns to pc. */
static bool handled(struct asking *asking, const struct vm_exit *exit, unsigned vector,
		    bool error_code, uint64_t pc)
{
	if (exit->reason != EXIT_HLT || !scratch_get(asking->scratch, CPU_GENERAL))
		return false;
	if (asking->scratch->state.general.rip != HANDLER_OF(vector) + 1)
		return false;
	return stacked(asking, error_code) == pc &&
	       (!error_code || stacked(asking, 0) == ERROR_CODE);
}

static uint8_t judge_guest_int3(struct asking *asking)
{
	if (is_int3_failure(&asking->exit))
		return EVENT_EMULATION_FAILURE;
	return handled(asking, &asking->exit, VECTOR_BP, false, AT_CODE + 1) ? EVENT_DELIVERED
									     : EVENT_LOST;
}

static void prepare_guest_slot(struct asking *asking)
{
	struct cpu_debug *debug = &asking->scratch->state.debug;

	debug->dr[0] = AT_CODE + 1;
	debug->dr7 = dr7_enable(debug->dr7, 0, DR_EXEC, 1);
}

/* A fault: the handler returns to the instruction. */
static uint8_t judge_guest_slot(struct asking *asking)
{
	return handled(asking, &asking->exit, VECTOR_DB, false, AT_CODE + 1) ? EVENT_DELIVERED
									     : EVENT_LOST;
}

/* The emulator stopped on the int3; the handler must return behind it. */
static bool inject_after_failure(struct scratch *s)
{
	if (!scratch_get(s, CPU_GENERAL | CPU_EVENTS))
		return false;
	s->state.general.rip++;
	s->state.events.exception.injected = true;
	s->state.events.exception.vector = VECTOR_BP;
	s->state.events.exception.has_error_code = false;
	return scratch_put(s, CPU_GENERAL | CPU_EVENTS);
}

static uint8_t judge_reinject(struct asking *asking)
{
	struct accel_debug wish = asking->probe->wish;
	bool failure = is_int3_failure(&asking->exit);
	struct vm_exit exit;

	if (failure ? !inject_after_failure(asking->scratch)
		    : !is_trap(&asking->exit, VECTOR_BP, AT_CODE))
		return EVENT_LOST;
	if (!failure)
		wish.inject = VECTOR_BP;
	exit = scratch_run(asking->scratch, &wish);
	return handled(asking, &exit, VECTOR_BP, false, AT_CODE + 1) ? EVENT_DELIVERED : EVENT_LOST;
}

static void prepare_inject(struct asking *asking)
{
	struct cpu_events *events = &asking->scratch->state.events;

	events->exception.injected = true;
	events->exception.vector = VECTOR_GP;
	events->exception.has_error_code = asking->mode != CAP_REAL;
	events->exception.error_code = ERROR_CODE;
}

static uint8_t judge_inject(struct asking *asking)
{
	return handled(asking, &asking->exit, VECTOR_GP, asking->mode != CAP_REAL, AT_CODE)
		       ? EVENT_DELIVERED
		       : EVENT_LOST;
}

/* ---- the table --------------------------------------------------------------------------- */

#define REAL_OR_PROT (1u << CAP_REAL | 1u << CAP_PROT)
#define RING_0	     (REAL_OR_PROT | 1u << CAP_LONG)
#define ALL	     (RING_0 | 1u << CAP_USER)
#define LONG_ONLY    (1u << CAP_LONG)
#define USER_ONLY    (1u << CAP_USER)
#define ANSWER(id)   offsetof(struct debug_capabilities, id)
#define NOTHING                                                                                    \
	{                                                                                          \
		.inject = -1                                                                       \
	}
#define STEP                                                                                       \
	{                                                                                          \
		.step = true, .inject = -1                                                         \
	}
#define TRAP_INT3                                                                                  \
	{                                                                                          \
		.int3 = true, .inject = -1                                                         \
	}
/* One byte, by debug register 0: LEN is 0, so R/W is all there is; enabled globally and exactly. */
#define SLOT(at, type)                                                                             \
	{                                                                                          \
		.slots = true, .dr = {at}, .dr7 = 0x602 | (uint64_t)(type) << 16, .inject = -1     \
	}

/* clang-format off */
const struct micro_probe micro_probes[] = {
	/* nop; nop */
	{ANSWER(step),         ALL,          2, {0x90, 0x90},       1, 2, 0,            STEP,                          NULL,            judge_step,          PLAIN},
	/* int3; nop */
	{ANSWER(int3),         ALL,          2, {0xcc, 0x90},       1, 2, 0,            TRAP_INT3,                     NULL,            judge_int3,          PLAIN},
	{ANSWER(guest_int3),   ALL,          2, {0xcc, 0x90},       1, 2, 0,            NOTHING,                       NULL,            judge_guest_int3,    PLAIN},
	{ANSWER(reinject),     ALL,          2, {0xcc, 0x90},       1, 2, 0,            TRAP_INT3,                     NULL,            judge_reinject,      NEEDS_INT3},
	/* nop; nop */
	{ANSWER(guest_slot),   ALL,          2, {0x90, 0x90},       1, 2, 0,            NOTHING,                       prepare_guest_slot, judge_guest_slot, PLAIN},
	/* nop; nop */
	{ANSWER(inject),       ALL,          2, {0x90, 0x90},       1, 2, 0,            NOTHING,                       prepare_inject,  judge_inject,        PLAIN},
	{ANSWER(slot),         ALL,          2, {0x90, 0x90},       1, 2, 0,            SLOT(AT_CODE + 1, DR_EXEC),    NULL,            judge_slot,          PLAIN},
	/* mov %al,(%rdi), in real mode (%bx); mov (%rdi),%al */
	{ANSWER(watch_write),  ALL,          2, {0x88, 0x07},       2, 3, AT_GUARDED,   SLOT(AT_GUARDED, DR_WRITE),    prepare_store,   judge_slot,          PLAIN},
	{ANSWER(watch_access), ALL,          2, {0x8a, 0x07},       2, 3, AT_WITHDRAWN, SLOT(AT_WITHDRAWN, DR_ACCESS), NULL,            judge_slot,          PLAIN},
	/* in $0x10,%al */
	{ANSWER(over_io),      ALL,          2, {0xe4, 0x10},       2, 3, 0,            STEP,                          NULL,            judge_over_exit,     NEEDS_STEP},
	/* mov %al,(%rdi) */
	{ANSWER(over_mmio),    ALL,          2, {0x88, 0x07},       2, 3, AT_DEVICE,    STEP,                          NULL,            judge_over_exit,     NEEDS_STEP},
	/* rep stosb */
	{ANSWER(over_rep),     ALL,          2, {0xf3, 0xaa},       2, 3, AT_DATA,      STEP,                          prepare_rep,     judge_over_rep,      NEEDS_STEP},
	/* pushf */
	{ANSWER(over_pushf),   ALL,          1, {0x9c},             1, 2, 0,            STEP,                          NULL,            judge_over_pushf,    NEEDS_STEP},
	/* mov %eax,%ss */
	{ANSWER(over_movss),   ALL,          2, {0x8e, 0xd0},       2, 3, 0,            STEP,                          prepare_mov_ss,  judge_over,          NEEDS_STEP},
	/* sti */
	{ANSWER(over_sti),     ALL,          1, {0xfb},             1, 2, 0,            STEP,                          NULL,            judge_over,          NEEDS_STEP},
	/* hlt */
	{ANSWER(over_hlt),     RING_0,       1, {0xf4},             1, 2, 0,            STEP,                          NULL,            judge_over_exit,     NEEDS_STEP},
	/* iret; iretq */
	{ANSWER(over_iret),    REAL_OR_PROT, 1, {0xcf},             1, 2, 0,            STEP,                          prepare_iret,    judge_over_transfer, NEEDS_STEP},
	{ANSWER(over_iret),    LONG_ONLY,    2, {0x48, 0xcf},       2, 3, 0,            STEP,                          prepare_iret,    judge_over_transfer, NEEDS_STEP},
	/* syscall */
	{ANSWER(over_syscall), USER_ONLY,    2, {0x0f, 0x05},       2, 3, 0,            STEP,                          prepare_syscall, judge_over_transfer, NEEDS_STEP},
	/* mov %al,(%rdi); mov (%rdi),%al */
	{ANSWER(page_write),   ALL,          2, {0x88, 0x07},       2, 3, AT_GUARDED,   NOTHING,                       prepare_store,   judge_page_write,    NEEDS_PROTECTED},
	{ANSWER(page_read),    ALL,          2, {0x8a, 0x07},       2, 3, AT_WITHDRAWN, NOTHING,                       NULL,            judge_page_read,     NEEDS_PROTECTED},
	/* mov (%rdi),%al; hlt. Behind kvm_intel the processor wants to mark the entry, again and again. */
	{ANSWER(page_table),   LONG_ONLY,    3, {0x8a, 0x07, 0xf4}, 3, 4, AT_DATA,      NOTHING,                       prepare_table,   judge_page_table,    PROTECTED_MAY_SPIN},
	/* ud2 */
	{ANSWER(page_frame),   RING_0,       2, {0x0f, 0x0b},       2, 2, AT_GUARDED,   NOTHING,                       prepare_frame,   judge_page_frame,    NEEDS_PROTECTED},
};
/* clang-format on */
const unsigned micro_probe_count = sizeof(micro_probes) / sizeof(micro_probes[0]);
