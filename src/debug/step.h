/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One instruction at a time; only src/debug includes this. In reading order:
 *
 *   step.c       before each run of a vCPU that steps: which instruction is next, how it is stepped here, and
 *                what must be put right behind it so that the guest never sees the debugger's trap flag
 *   tame.c       whether anything can come of it but its end
 *   delivery.c   an event that the CPU delivers before any instruction: the step is its delivery
 *   by_hand.c    the few instructions that vitrine executes itself, because no rung ends behind them
 *   slot_step.c  the rung below KVM's own step: debug registers wherever the instruction can lead
 *   guards.c     debug registers on the handlers that a step may end in
 *   step_interrupts.c
 *                interrupts, before a step
 *   aside.c      an interrupt is handled before the step goes on
 *   sprint.c     a range whose exits are known is run through
 *   sprint_survey.c  whether they are known
 *
 * All of it in the thread of the vCPU that steps, no lock held, unless a function says otherwise.
 */
#ifndef DEBUG_STEP_H
#define DEBUG_STEP_H

#include "machine/machine.h"
#include "x86/debug_registers.h"
#include "x86/instruction.h"

struct debug;

/* Debug registers on the places where a step may end without a trap. */
struct guards {
	unsigned slots; /* bit mask of those in use */
	uint64_t address[DR_SLOTS];
	int vector[DR_SLOTS]; /* whose handler is there, or -1 */
};

enum step_how {
	STEP_BY_TRAP,	  /* KVM's own: the trap flag, which KVM keeps from most eyes */
	STEP_BY_SLOTS,	  /* debug registers wherever it can lead */
	STEP_BY_GUEST,	  /* the guest steps itself: its own trap ends the step, and goes to it */
	STEP_IS_DELIVERY, /* of an event that comes first */
};

struct step {
	bool interrupts; /* may come: one before each instruction, and the step ends in its handler */
	bool seldom;	 /* … but not each is asked for at once: a run that is made of steps */
	bool window;	 /* an interrupt could come before the last instruction */
	unsigned unasked; /* steps since the CPU was made to accept one */
	bool handles;	  /* since one came, its handler has not gone back */
	bool asides;	  /* may come now and then, and are handled before the step goes on */
	bool slept;	  /* behind a hlt: nothing is executed before one has come */
	unsigned turns;	  /* of a range */
	bool follows; /* right behind another one of the same plan: no event can have come between */
	bool rested;  /* right behind a tame one of the plan before: the CPU has run nothing else */
	enum step_how how;
	/* The second where the first holds traps back: mov ss, pop ss. INSN_INVALID: there is none. */
	struct instruction insn[2];
	uint64_t rflags; /* before it */
	bool tame;	 /* it can neither fault nor take KVM's step with it */
	bool loads_tf;	 /* it loads flags in which the guest's own trap flag is set */
	unsigned guests; /* bit mask of debug registers in force that are the guest's own */
	struct guards guards;
};

/* Where work was interrupted: what returns to it is there again, with the same stack, in the same address space. */
struct step_place {
	uint64_t pc, sp, cr3; /* linear */
};
/* state: CPU_GENERAL, CPU_SYSTEM */
struct step_place core_place_of(const struct cpu_state *state);
bool core_is_back(const struct step_place *place, const struct cpu_state *state);

/* The guest's breakpoint at pc was told, and then an interrupt came before its instruction: the way back
 * from the handler meets it again, and that is no second hit. */
struct step_return {
	bool expected;
	bool silent; /* a debug register does not see it, unless the vCPU is stepped there */
	struct step_place place;
};

/* An interrupt that the vCPU handles in the middle of a step: it runs, until it is back here. */
struct aside {
	bool entering; /* the step under way is the delivery */
	bool running;
	bool stepping; /* in place of running, where nothing would stop it on its way back */
	bool sprint;   /* no interrupt: a range is run through, and back is where it is left */
	struct step_place place;
};

/* What is known of a range that is run through. */
#define SPRINT_INSNS  64
#define SPRINT_EXITS  8
#define SPRINT_GUARDS 3
#define SPRINT_POINTS (SPRINT_INSNS + SPRINT_EXITS + SPRINT_GUARDS)
struct sprint {
	unsigned turns; /* that were stepped since the last one */
	unsigned wait;	/* so many come before the next; 0: as many as before the first */
	bool refused;	/* until the plan ends */
	bool surveyed;	/* what follows is known, and gate.lock guards it */
	bool written;	/* somebody writes to the code: it ends at once */
	unsigned insn_count, exit_count, guard_count;
	uint64_t insn[SPRINT_INSNS];   /* linear: what is run through */
	uint8_t length[SPRINT_INSNS];  /* of each */
	uint64_t exit[SPRINT_EXITS];   /* where that leads, else */
	uint64_t guard[SPRINT_GUARDS]; /* handlers of exceptions that it may raise */
	struct sprint_code {
		uint64_t gpa, size;
	} code[2]; /* the pieces that it lies in */
	unsigned code_count;
	unsigned writes; /* to these pages */
};

struct step_at {
	struct debug *debug;
	struct vcpu *vcpu;
	struct step *step;
	struct cpu_state *state; /* CPU_GENERAL, CPU_SYSTEM; CPU_DEBUG as last fetched */
	bool events;		 /* … and CPU_EVENTS */
};

/* ---- step.c ------------------------------------------------------------------------------ */

/* A plan begins; gate.lock held, vCPU parked. */
void core_step_begin(struct debug *debug, unsigned vcpu);
/* machine_observer.stepping */
enum step_go core_stepping(void *ctx, struct vcpu *vcpu);
/* Fills step->insn: what is executed next, from state. */
void core_look_ahead(struct step_at *at);
/* Whether this debug trap is the end of the step. */
bool core_step_ends(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit);
/* The step has ended: puts the guest's trap flag right, on its stack and in its registers. */
void core_step_retire(struct debug *debug, struct vcpu *vcpu);
/* The debug trap is the guest's own: it gets it, DR6 included. */
void core_give_debug_trap(struct debug *debug, struct vcpu *vcpu, uint64_t dr6);

/* ---- tame.c ------------------------------------------------------------------------------ */

/* Nothing can come of it but its end. Anything else may fault; and KVM forgets its step over what it
 * emulates, which is what touches devices, and the processor over what loads flags or enters a handler. To guard
 * against the one, and to ask again after the other, each costs as much as the step itself. */
bool core_step_is_tame(struct step_at *at);

/* ---- step_interrupts.c ------------------------------------------------------------------- */

/* How interrupts come: by its plan, and by what it is doing just now. In the vCPU's thread, or parked. */
void core_step_let_in(struct debug *debug, unsigned vcpu);
/* Lets the CPU accept an interrupt that waits, if the plan wants one let in now; true: it was asked. */
bool core_step_accept(struct debug *debug, struct vcpu *vcpu);
/* Whether there is nothing to step: the vCPU sleeps, or waits to be started. at->state has CPU_EVENTS. */
bool core_step_waits(struct step_at *at);
/* In a hlt. */
bool core_step_sleeps(struct vcpu *vcpu);

/* ---- delivery.c -------------------------------------------------------------------------- */

/* Whether an event comes first; then vcpu->debug is armed for its delivery. */
bool core_arm_delivery(struct step_at *at);
/* Whether the vCPU is back at a breakpoint that it had been told of when an interrupt came. Answers yes once. */
bool core_came_back(struct debug *debug, struct vcpu *vcpu);

/* ---- aside.c ----------------------------------------------------------------------------- */

/* A vCPU's plan is a step: whether interrupts are handled aside. gate.lock held, parked. */
void core_aside_begin(struct debug *debug, unsigned vcpu);
/* Whether it is time to let an interrupt in. */
bool core_aside_due(struct debug *debug, struct vcpu *vcpu);
/* Whether a sleeper has still to be woken. */
bool core_aside_sleeps(const struct step_at *at);
/* An interrupt was accepted that is handled aside: notes the place. Its delivery is the next step. */
bool core_aside_starts(struct step_at *at);
/* The vCPU has entered the handler, or nothing will tell when it does: true when everybody parks, and it runs. */
bool core_aside_runs(struct debug *debug, struct vcpu *vcpu);
/* At a breakpoint: the vCPU is back, and everybody parks so that its step may go on. */
bool core_aside_ends(struct debug *debug, struct vcpu *vcpu);
/* A step has ended, with which an aside that is stepped is over. */
bool core_aside_is_over(struct debug *debug, struct vcpu *vcpu);

/* ---- sprint.c ---------------------------------------------------------------------------- */

/* A step of a range has ended in it. True: everybody parks, and then the vCPU runs. */
bool core_sprint_begins(struct debug *debug, struct vcpu *vcpu);
/* All parked, gate.lock held, everything planted: who runs through code that could not be protected is stepped. */
void core_sprints_check(struct debug *debug);
/* At a breakpoint: whether it is where the sprint ends. Then its step is done. */
bool core_sprint_ends(struct debug *debug, struct vcpu *vcpu);
/* The same of one that is stepped: before the first step, gate.lock held; and where a step has ended. */
void core_sprint_stepped(struct debug *debug, unsigned vcpu);
void core_sprint_is_over(struct debug *debug, struct vcpu *vcpu);
/* Before somebody (writer; NULL: a device) writes to RAM that is protected: whoever runs through it parks first. */
void core_sprint_is_written(struct debug *debug, struct vcpu *writer, uint64_t gpa, uint64_t size);

/* ---- sprint_survey.c -------------------------------------------------------------------- */

/* All parked, gate.lock held: where the vCPU must be stopped, or how many places these are. 0: there are none,
 * or it cannot be told; *known says which. */
unsigned core_sprint_points(struct debug *debug, unsigned vcpu, uint64_t point[SPRINT_POINTS],
			    bool *known);
bool core_sprint_among(const uint64_t *list, unsigned count, uint64_t linear);

/* ---- by_hand.c --------------------------------------------------------------------------- */

/* Executes the instruction if it is one of those; false: it is not. */
bool core_step_by_hand(struct step_at *at, const struct instruction *insn);
/* Whether a return to ring 3 is one of those, unless its frame is odd. */
bool core_returns_by_hand(const struct step_at *at, const struct instruction *insn);

/* ---- slot_step.c ------------------------------------------------------------------------- */

/* Whether debug registers would end a step of the instruction that is next; else -ENOTSUP with a sentence. */
int core_slot_can_step(struct debug *debug, struct vcpu *vcpu, struct error *err);
/* Arms vcpu->debug with them. The same errors. */
int core_slot_arm(struct step_at *at, struct error *err);

/* ---- guards.c ---------------------------------------------------------------------------- */

/* A debug register on this place, if one is free and it is not there already. vector: whose handler it is, or -1.
 * False: none is free. */
bool core_guard(struct step_at *at, uint64_t linear, int vector);
/* On where the instruction leads when the processor forgets the trap flag over it. False: none is free. */
bool core_guard_certain(struct step_at *at, const struct instruction *insn);
/* On the handlers of exceptions that are likely, as far as they go. */
void core_guard_exceptions(struct step_at *at);
/* Which guard a trap is of, or -1. */
int core_guard_hit(const struct step *step, const struct vm_exit *exit);
/* The vCPU has entered the handler of vector with the trap flag set: takes it out of the frame. rflags: what
 * the guest's were. */
void core_clean_frame(struct debug *debug, struct vcpu *vcpu, int vector, uint64_t rflags);

/* Handlers run in ring 0, wherever the vCPU is now. */
bool core_slots_fire(const struct debug *debug, const struct cpu_state *state);

#endif
