/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The probe: what the host's KVM does, as against what it promises. A scratch VM of one vCPU and 64 KiB is
 * asked mode by mode. In reading order:
 *
 *   probe_questions.c  the table of micro-probes: mode × machine code × wish × what must come of it
 *   probe_pages.c      what those about protected pages prepare and judge
 *   probe.c            asks them all, and the one about interrupts
 *   probe_scratch.c    the scratch VM: made, put into a mode, run, and never waited for too long
 *   probe_memory.c     its descriptor tables, page tables and handlers
 *   probe_cache.c      the answers, kept for the next start
 *
 * Only src/debug/probe*.c includes this.
 */
#ifndef DEBUG_PROBE_H
#define DEBUG_PROBE_H

#include "debug/core.h"

#include <pthread.h>
#include <stdatomic.h>

/* To be raised whenever answers that were kept could be wrong: a question, a program or a judge
 * changes. */
#define PROBE_VERSION 6

/* Guest-physical, all below 64 KiB so that real mode reaches them. Linear is the same. */
enum scratch_place {
	AT_IVT = 0x0000,
	AT_GDT = 0x1000,
	AT_TSS = 0x1800,
	AT_CODE = 0x2000,
	AT_TARGET = 0x2080, /* where iret and syscall lead */
	AT_IDT64 = 0x3000,
	AT_IDT32 = 0x3800,
	AT_HANDLERS = 0x4000,
	AT_STACK = 0x5000,
	AT_RING0_STACK = 0x6000,
	AT_DATA = 0x7000,
	AT_PML4 = 0x8000,      /* and the PDPT and two page directories behind it */
	AT_GUARDED = 0xc000,   /* a slot of its own: RAM, then read-only */
	AT_WITHDRAWN = 0xd000, /* a slot of its own: RAM, then nothing */
	AT_DEVICE = 0xe000,    /* nothing, ever */
	SCRATCH_SIZE = 0x10000,
	SCRATCH_PAGE = 0x1000,
	STACK_TOP = 0xf00, /* in a stack's page */
	APIC_BASE = 0xfee00000u,
};

#define SCRATCH_VECTORS	   0x48
#define HANDLER_SIZE	   16
#define HANDLER_OF(vector) (AT_HANDLERS + HANDLER_SIZE * (vector))
#define INTERRUPT_VECTOR   0x40 /* its handler writes to HANDLER_PORT; the others halt */
#define HANDLER_PORT	   0xee

/* Selectors. SYSRET and STAR want some of them in this order. */
enum {
	SEL_CODE64 = 0x08,
	SEL_DATA = 0x10,
	SEL_USER_DATA = 0x23,
	SEL_USER64 = 0x2b,
	SEL_TSS = 0x30,
	SEL_CODE32 = 0x40
};

struct scratch {
	struct accel_vm *vm;
	struct accel_vcpu *vcpu;
	uint8_t *ram;
	struct cpu_state state; /* as prepared; fetched again where a judge looks */
	bool half_done;		/* the last exit was not completed */

	/* The watchdog: kicks a vCPU that does not come back. */
	pthread_t dog;
	bool has_dog, quit;
	atomic_uint late; /* runs that had to be kicked */
	bool may_spin;	  /* see scratch_may_spin() */
	unsigned long thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	uint64_t deadline; /* CLOCK_MONOTONIC, ns; 0: nothing runs */
	/* Of a run that may spin: when it began, in the thread's own time; the end of all patience. */
	uint64_t begun, last;
};

struct micro_probe;

/* One asking of a micro-probe. */
struct asking {
	struct scratch *scratch;
	const struct micro_probe *probe;
	enum capability_mode mode;
	struct vm_exit exit; /* what came of it first */
};

struct micro_probe {
	size_t answer; /* offset in struct debug_capabilities of the array that the answer goes to */
	unsigned modes; /* bit mask */
	uint8_t length, code[6];
	uint8_t behind, next; /* where the instruction ends, and the one after it */
	uint64_t data;	      /* what RBX and RDI point to */
	struct accel_debug wish;
	/* What the registers hold beside what the mode asks for; may be NULL. */
	void (*prepare)(struct asking *asking);
	uint8_t (*judge)(struct asking *asking);
	/* PROTECTED_MAY_SPIN: NEEDS_PROTECTED, and a host that does not come back has answered. */
	enum { PLAIN, NEEDS_STEP, NEEDS_INT3, NEEDS_PROTECTED, PROTECTED_MAY_SPIN } when;
};

extern const struct micro_probe micro_probes[];
extern const unsigned micro_probe_count;

/* The linear address behind the instruction that is asked about. */
static inline uint64_t asking_behind(const struct asking *asking)
{
	return AT_CODE + asking->probe->behind;
}

/* ---- probe_pages.c ----------------------------------------------------------------------- */

uint8_t judge_page_write(struct asking *asking);
uint8_t judge_page_read(struct asking *asking);
void prepare_table(struct asking *asking);
uint8_t judge_page_table(struct asking *asking);
void prepare_frame(struct asking *asking);
uint8_t judge_page_frame(struct asking *asking);
void prepare_store(struct asking *asking);

/* ---- probe_memory.c ---------------------------------------------------------------------- */

void scratch_fill_memory(uint8_t *ram);

/* ---- probe_scratch.c --------------------------------------------------------------------- */

int scratch_create(const struct machine_config *config, bool irqchip, struct scratch *scratch,
		   struct error *err);
void scratch_destroy(struct scratch *scratch);
/* The guarded page becomes read-only, the withdrawn one goes. False: the host cannot. */
bool scratch_protect(struct scratch *scratch);

/* Fills state with what a mode asks for: AT_CODE next, IF = 0, and IOPL 3 in ring 3. */
void scratch_enter(struct scratch *scratch, enum capability_mode mode);
/* Puts these groups; false when the accelerator refuses. */
bool scratch_put(struct scratch *scratch, unsigned groups);
/* Fetches these groups; false when the accelerator refuses. */
bool scratch_get(struct scratch *scratch, unsigned groups);
/* Whether runs from now on may end in a loop that is no exit: they are not waited for as long, and not late. */
void scratch_may_spin(struct scratch *scratch, bool may);
/* Sets wish and runs until an exit; EXIT_INTR when that took too long. */
struct vm_exit scratch_run(struct scratch *scratch, const struct accel_debug *wish);
struct vm_exit scratch_complete(struct scratch *scratch);
/* The stack of ring 0 or of ring 3, as the mode's state has it. */
void scratch_push(struct scratch *scratch, uint64_t value, unsigned size);

/* ---- probe_cache.c ----------------------------------------------------------------------- */

#define CACHE_PATH_SIZE 4096

/* What was kept of this very host; false when there is nothing, or nothing that may be trusted. */
bool cache_load(const char *path, const struct accel_host *host, struct debug_capabilities *found);
/* Replaces the file at once or not at all. -errno: it is as it was. -EINVAL: a host that cannot be
 * recognised. */
int cache_save(const char *path, const struct accel_host *host,
	       const struct debug_capabilities *found);

#endif
