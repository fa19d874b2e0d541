/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The debugger core: the only door between a front end (gdb's stub, the console) and the machine.
 *
 * Threads: every function here is for the main thread, the one that runs the event loop, unless it
 * says otherwise. The core itself listens to vCPU threads.
 *
 * -EBUSY from any function that needs a stopped machine means that it runs; pause it first.
 */
#ifndef DEBUG_DEBUG_H
#define DEBUG_DEBUG_H

#include "debug/catch.h"
#include "debug/doctor.h"
#include "debug/guest_modules.h"
#include "debug/hardware.h"
#include "debug/memory.h"
#include "debug/points.h"
#include "debug/program.h"
#include "debug/slide.h"
#include "debug/snapshot.h"
#include "debug/strategy.h"
#include "debug/tables.h"
#include "debug/trace.h"
#include "error.h"
#include "x86/cpu_state.h"
#include "x86/cpuid.h"
#include "x86/mode.h"
#include "x86/paging.h"
#include "x86/registers.h"

#include <stddef.h>

struct debug;
struct machine;

struct debug_config {
	enum { ON_TRIPLE_FAULT_STOP, ON_TRIPLE_FAULT_RESET, ON_TRIPLE_FAULT_EXIT } on_triple_fault;
	bool no_reboot; /* a guest's reset ends the run, as QEMU's -no-reboot */
	struct debug_strategy strategy;
	/* Where what the host can do is kept between runs, see debug_cache_path(); NULL: nowhere. */
	const char *cache;
	/* What the guest writes to port 0xe9; from a vCPU's thread. May be NULL. */
	void (*debug_output)(void *ctx, const void *bytes, size_t size);
	void *debug_output_ctx;
};

int debug_create(struct machine *machine, const struct debug_config *config, struct debug **debug,
		 struct error *err);
void debug_destroy(struct debug *debug); /* before machine_destroy() */

/* ---- events ------------------------------------------------------------------------------ */

enum stop_reason {
	STOP_PAUSE,	 /* somebody asked */
	STOP_STEP,	 /* a step, or a range, is done */
	STOP_BREAKPOINT, /* a point of kind POINT_SOFTWARE */
	STOP_HW_BREAKPOINT,
	STOP_WATCH_WRITE,
	STOP_WATCH_READ,
	STOP_WATCH_ACCESS,
	STOP_GUEST_INT3,
	STOP_EXCEPTION,
	STOP_IO,
	STOP_MMIO,
	STOP_MSR,
	STOP_MODE_SWITCH,
	STOP_TRIPLE_FAULT,
	STOP_RESET,
	STOP_SHUTDOWN, /* the guest powered off or exited; exit_status holds */
	STOP_EMULATION_FAILURE,
	STOP_HOST_ERROR,
	STOP_HLT,
	STOP_ONLINE, /* a vCPU was started by another */
	STOP_REASON_COUNT
};

/* Why the machine stands still. text says it in words, one line, without the vCPU's number. */
struct stop {
	enum stop_reason reason;
	int vcpu;
	uint64_t pc;	  /* linear */
	uint64_t address; /* watched address, port, gpa, MSR */
	int point;	  /* number of the point, or 0 */
	unsigned vector;
	uint32_t error_code;
	int exit_status; /* STOP_SHUTDOWN */
	/* Watches, ports, MMIO, MSRs: what was there, what is there now, in size bytes (1-8, else 0). */
	uint64_t old_value, new_value;
	unsigned size;
	uint64_t writer; /* linear address of the instruction that did it, or 0 when not known */
	bool undecided;	 /* the point's condition could not be evaluated: text says why */
	char text[240];
};
const char *stop_reason_name(enum stop_reason reason);

enum debug_event {
	DEBUG_STOPPED, /* every vCPU is parked; debug_last_stop() tells why */
	DEBUG_RESUMED,
	DEBUG_RESET,  /* the guest is back at its start; it goes on as it was, running or stopped */
	DEBUG_EXITED, /* the run is over: debug_last_stop() has the exit status */
	/* The guest is what it was at a snapshot; it goes on as it was. */
	DEBUG_RESTORED,
	DEBUG_OUTPUT, /* an action printed: debug_output() has it; the actor is the point's owner */
};

typedef void debug_listener_fn(void *ctx, enum debug_event event, enum debug_owner actor);

/* Each listener is told of each event once, in the main thread, in the order of listening. */
int debug_listen(struct debug *debug, debug_listener_fn *fn, void *ctx);
void debug_unlisten(struct debug *debug, debug_listener_fn *fn, void *ctx);

/* Readable when there is something to dispatch; debug_dispatch() tells the listeners. */
int debug_event_fd(const struct debug *debug);
void debug_dispatch(struct debug *debug);

/* The text of the DEBUG_OUTPUT that is being told, with its newline when it has one. */
const char *debug_output(const struct debug *debug);
/* Whoever shows this owner's output can take no more for now, or can again. Meanwhile vCPUs that print for it
 * wait, but for those that are to be parked. */
void debug_output_full(struct debug *debug, enum debug_owner owner, bool full);

/* ---- run control ------------------------------------------------------------------------- */

unsigned debug_vcpu_count(const struct debug *debug);
bool debug_running(struct debug *debug); /* false from the moment every vCPU is parked */
const struct stop *debug_last_stop(struct debug *debug); /* of a stopped machine */

/* Asks; the stop arrives as an event. Harmless when already stopped. */
void debug_pause(struct debug *debug, enum debug_owner actor);
/* The same, and waits until every vCPU is parked. -ETIMEDOUT. The event still arrives. */
int debug_pause_wait(struct debug *debug, enum debug_owner actor, int timeout_ms);

enum plan_action {
	PLAN_HOLD,
	PLAN_RUN,
	PLAN_STEP,
	PLAN_STEP_RANGE,
	PLAN_STEP_OVER, /* a step; what is called runs until it returns */
	PLAN_UNTIL,	/* runs to an address */
};
struct plan {
	enum plan_action action;
	uint64_t low, high; /* PLAN_STEP_RANGE: step while low <= linear pc < high */
	uint64_t address;   /* PLAN_UNTIL: linear */
	/* PLAN_UNTIL: and the stack pointer is above this; so that a return address is not met in a deeper
	 * call of the same function. 0: anywhere. */
	uint64_t above_sp;
	/* PLAN_UNTIL: where the address lies as the first of what an interrupt has pushed, when iret is the way
	 * there; else 0. */
	uint64_t frame;
};

/* plans: one per vCPU. -EBUSY when running; -ENOTSUP, with the reason and what would work, when a
 * step is asked that this host cannot make. Steps off breakpoints by itself. */
int debug_resume(struct debug *debug, const struct plan *plans, enum debug_owner actor,
		 struct error *err);
int debug_continue(struct debug *debug, enum debug_owner actor, struct error *err); /* all RUN */
int debug_step(struct debug *debug, int vcpu, enum debug_owner actor,
	       struct error *err); /* others held */

/* Interrupts come while stepping (off by default: a step does not wander into a handler). */
void debug_set_step_interrupts(struct debug *debug, bool on);
bool debug_step_interrupts(const struct debug *debug);

/* Back to power-on, and on as it was; a machine that stepped stops there. -ESHUTDOWN after the end. */
int debug_reset(struct debug *debug, enum debug_owner actor,
		struct error *err); /* stopped or running */
/* Ends the run: DEBUG_EXITED follows with this status. */
void debug_kill(struct debug *debug, enum debug_owner actor, int status);

/* ---- registers (stopped machine); memory is in debug/memory.h ----------------------------- */

/* The state of one vCPU with at least groups valid; NULL when running or refused. Valid until
 * resume. */
const struct cpu_state *debug_state(struct debug *debug, int vcpu, unsigned groups);

/* value: bits / 8 bytes, little-endian. reg: index in the register table. -EBUSY, -EINVAL, -EPERM
 * for a read-only one. */
int debug_reg_get(struct debug *debug, int vcpu, unsigned reg, void *value);
int debug_reg_set(struct debug *debug, int vcpu, unsigned reg, const void *value);
uint64_t debug_pc(struct debug *debug, int vcpu); /* linear; 0 when running */

/* Any MSR, with the host's rights. One that is a register of the table (x86/registers.h) is read and written as
 * that. -EBUSY; -ENXIO: this host's KVM knows none such, or refuses the value; debug_reg_set()'s errors. */
int debug_msr_get(struct debug *debug, int vcpu, uint32_t index, uint64_t *value);
int debug_msr_set(struct debug *debug, int vcpu, uint32_t index, uint64_t value);

/* What CPUID tells the guest: how many leaves there are at leaves, which has room for max. -EBUSY, -E2BIG. */
int debug_cpuid(struct debug *debug, int vcpu, struct cpuid_leaf *leaves, unsigned max);

/* ---- what a vCPU is like, in words ------------------------------------------------------- */

struct vcpu_info {
	enum cpu_mode mode;
	unsigned cpl;
	bool interrupts; /* IF */
	enum cpu_run_state run_state;
	uint64_t pc, cr3;
	uint64_t exits; /* in all */
	bool held;	/* the last resume did not let it run */
};
int debug_vcpu_info(struct debug *debug, int vcpu, struct vcpu_info *info); /* -EBUSY */
/* "long mode, ring 0, cr3 0x102000, IF=1" or "running". */
void debug_vcpu_text(struct debug *debug, int vcpu, char *buf, size_t size);
/* Accesses so far that no device answered. */
struct unclaimed_counts {
	uint64_t ports, mmio;
};
struct unclaimed_counts debug_unclaimed(struct debug *debug);

/* ---- the image, for symbols -------------------------------------------------------------- */

/* What is known of the image without a look at its symbols. */
struct image_file {
	const char *path; /* absolute; NULL: the embedded guest */
	bool made; /* its symbols are made when they are asked for, as an ELF file of 64 bits */
};
struct image_file debug_image_file(struct debug *debug);
/* The guest's ELF image with its symbols; NULL: there is none. That of a packed kernel is made when it is asked for
 * first, which takes a while: the event loop's thread asks, when somebody wants a name or the file, and nobody else.
 * Where that fails, *err says so, once. */
const void *debug_image(struct debug *debug, size_t *size, struct error *err);
/* How much higher than that file says the loader has prepared the guest to run; 0 unless the loader chose it. */
uint64_t debug_image_slide(struct debug *debug);

#endif
