/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this host's KVM really does, as against what it promises. Part of debug/debug.h, the only
 * door.
 */
#ifndef DEBUG_DOCTOR_H
#define DEBUG_DOCTOR_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accel_ops;
struct debug;
struct debug_strategy;

/* Where a vCPU is, as far as the answers differ. */
enum capability_mode { CAP_REAL, CAP_PROT, CAP_LONG, CAP_USER, CAP_MODE_COUNT };

enum capability_int3 { INT3_LOST, INT3_TRAPS, INT3_EMULATION_FAILURE };

/* Where a step over one instruction ends. */
enum capability_over {
	OVER_UNASKED, /* there are no steps here, or no such instruction */
	OVER_LOST,
	OVER_EXACT, /* right behind it; of syscall and iret: where they lead */
	OVER_NEXT,  /* behind the instruction after that */
	OVER_PART,  /* on it still, with some or all of its repetitions done */
	OVER_LEAKS, /* right behind it, and it has shown the guest the trap flag */
	OVER_EXIT,  /* its own exit comes in place of a report, and completing that is the end */
};

/* What becomes of an event that is the guest's. */
enum capability_event {
	EVENT_UNASKED,
	EVENT_LOST,
	EVENT_DELIVERED,	 /* the guest's handler is entered, and would return rightly */
	EVENT_EMULATION_FAILURE, /* an exit says that it cannot be; vitrine injects it instead */
};

/* What the processor does by itself on a page that is read-only. */
enum capability_page { PAGE_UNASKED, PAGE_FAILS, PAGE_WORKS };

/* Each answer is one byte: true and false, or one of the enumerations above. */
struct debug_capabilities {
	uint8_t step[CAP_MODE_COUNT];
	uint8_t int3[CAP_MODE_COUNT];	      /* enum capability_int3 */
	uint8_t slot[CAP_MODE_COUNT];	      /* execution breakpoint in a debug register */
	uint8_t watch_write[CAP_MODE_COUNT];  /* watches by debug register */
	uint8_t watch_access[CAP_MODE_COUNT]; /* … of reads */
	uint8_t page_write[CAP_MODE_COUNT];   /* a write to a read-only slot exits with its data */
	uint8_t page_read[CAP_MODE_COUNT];    /* a read from a withdrawn slot takes our data */
	/* enum capability_page: an event whose frame comes upon a read-only slot comes out, and nothing of it
	 * has happened; paging goes through tables on read-only slots. */
	uint8_t page_frame[CAP_MODE_COUNT], page_table[CAP_MODE_COUNT];
	/* enum capability_event */
	uint8_t guest_int3[CAP_MODE_COUNT]; /* nothing of ours is planted */
	uint8_t guest_slot[CAP_MODE_COUNT]; /* its own debug register */
	uint8_t reinject[CAP_MODE_COUNT];   /* an int3 that we took, given back */
	uint8_t inject[CAP_MODE_COUNT];	    /* an exception made by vitrine */
	/* enum capability_over */
	uint8_t over_io[CAP_MODE_COUNT], over_mmio[CAP_MODE_COUNT], over_syscall[CAP_MODE_COUNT],
		over_iret[CAP_MODE_COUNT], over_pushf[CAP_MODE_COUNT], over_movss[CAP_MODE_COUNT],
		over_sti[CAP_MODE_COUNT], over_hlt[CAP_MODE_COUNT], over_rep[CAP_MODE_COUNT];
	uint8_t slot_ignores_rf; /* hits again at once on resume */
	uint8_t interrupt_rf; /* one pushes RF: a slot is silent once where its handler returns to */
	uint8_t block_irq;    /* a pending interrupt waits while stepping */
};

/* Found when the core was created; valid as long as it. */
const struct debug_capabilities *debug_capabilities(struct debug *debug);
const char *capability_mode_name(enum capability_mode mode); /* "real mode", "long mode", … */
const char *
capability_mode_id(enum capability_mode mode); /* "real", "protected", "long", "ring3" */

/* The file where a user's vitrine keeps what the host can do. False: there is no place for one. */
bool debug_cache_path(char *buf, size_t size);

/* ---- the doctor -------------------------------------------------------------------------- */

/* Whom to examine. cache: rewritten with what is found; NULL: nothing is kept. */
struct doctor_request {
	const struct accel_ops *accel;
	const char *kvm_device; /* NULL: /dev/kvm */
	void *dummy;		/* struct dummy_config, for -accel dummy */
	const char *cache;
	const struct debug_strategy *strategy;
};

/* Output, in pieces. */
typedef void doctor_write_fn(void *ctx, const char *text, size_t size);

/* Asks the host afresh, and tells: what it is, promises and does, which rung each wish takes and
 * why no better one, and what would help. As text of 80 columns, or as one JSON object
 * (docs/doctor.md). True when guests can be debugged here; everything that can be found out is told
 * in any case. */
bool doctor_examine(const struct doctor_request *request, bool json, doctor_write_fn *write,
		    void *ctx);
/* The same about a machine that is there: what the core works by, without asking again. */
bool debug_doctor(struct debug *debug, bool json, doctor_write_fn *write, void *ctx);

/* ---- the questions ----------------------------------------------------------------------- */

/* The questions, in the order of telling; NULL behind the last. name is stable, for programs. */
struct capability_question {
	const char *name, *title;
	unsigned modes; /* bit mask of capability_mode: where it is asked; 0: one answer for all */
	size_t offset;	/* of the answer, or the array of them, in struct debug_capabilities */
	const struct capability_word *words; /* by answer */
	unsigned word_count;
};
struct capability_word {
	const char *name, *title; /* for programs (NULL: not asked), and for people */
	const char *brief;	  /* title in at most 12 letters */
};
const struct capability_question *capability_question(unsigned index);
/* mode is ignored where there is one answer for all. Never fails: an answer out of range is the
 * first word. */
const struct capability_word *capability_answer(const struct debug_capabilities *found,
						const struct capability_question *question,
						enum capability_mode mode);

#endif
