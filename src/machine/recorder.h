/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flight recorder of one vCPU: its last exits, how many there were for each reason, and where
 * the time went. Always on.
 *
 * One writer, the vCPU's thread, which takes no lock and never waits; any number of readers at any
 * time, in any thread. A reader sees whole records or none: it copies a record, and then looks
 * whether the writer has come round to it meanwhile. Times are the time stamp counter's; who shows
 * them converts them (recorder_rate).
 */
#ifndef MACHINE_RECORDER_H
#define MACHINE_RECORDER_H

#include "accel/accel.h"

#include <stdatomic.h>

#define RECORDER_SIZE 4096 /* records that are kept, a power of two; one of them is being written */

enum exit_record_flags {
	RECORD_WRITE = 1 << 0,	/* out, an MMIO or MSR write */
	RECORD_PC = 1 << 1,	/* pc is known */
	RECORD_VALUE = 1 << 2,	/* value is the data, written or answered */
	RECORD_REFUSED = 1 << 3 /* an MSR access that ended in #GP */
};

struct exit_record {
	uint64_t tsc; /* when the guest was left */
	uint64_t pc;  /* linear, as the accelerator left it: an I/O instruction may be behind it */
	uint64_t address; /* port, gpa, MSR; the first bytes of an instruction that failed */
	uint64_t
		value; /* data (the first 8 bytes), DR6, sub-error, errno, the accelerator's code */
	const char *name; /* the accelerator's own name of the exit, static */
	enum exit_reason reason;
	uint8_t flags, size; /* size: bytes of one access, or of the instruction */
	uint8_t vector;	     /* EXIT_DEBUG */
	uint32_t count;	     /* elements of a string instruction */
};

/* The words of a record as they lie in the ring. */
enum {
	RECORD_TSC,
	RECORD_LINEAR_PC,
	RECORD_ADDRESS,
	RECORD_DATA,
	RECORD_NAME,
	RECORD_MIX,
	RECORD_WORDS
};

/* What converts cycles: both clocks at one moment. The longer ago, the more exact. */
struct recorder_clock {
	uint64_t tsc, ns;
};

struct recorder_share {
	_Atomic uint64_t exits;
	_Atomic uint64_t
		guest; /* cycles in the guest (and the kernel) before exits for this reason */
	_Atomic uint64_t vitrine; /* cycles from there until the guest was entered again */
};

struct recorder {
	struct recorder_clock since; /* its beginning */

	/* The writer's own. left: 0 while the guest runs or the thread waits. */
	uint64_t entered, left;
	enum exit_reason reason; /* of the exit being answered */

	struct recorder_share share[EXIT_REASON_COUNT];
	_Atomic uint64_t head; /* records written so far */
	_Atomic uint64_t ring[RECORDER_SIZE][RECORD_WORDS];
};

/* ---- the vCPU's thread ------------------------------------------------------------------- */

void recorder_enter(struct recorder *recorder); /* the guest is about to be entered */
/* It was left. Also for what the completion of the exit before led to, without entering. */
void recorder_leave(struct recorder *recorder, const struct vm_exit *exit);
/* exit was answered: keeps it. What an `in` or a read got is in exit's data by now. */
void recorder_keep(struct recorder *recorder, const struct vm_exit *exit);
void recorder_rest(struct recorder *recorder); /* the thread waits: nobody's time from here on */

static inline uint64_t recorder_exits(const struct recorder *recorder, enum exit_reason reason)
{
	return atomic_load_explicit(&recorder->share[reason].exits, memory_order_relaxed);
}

/* ---- anybody ----------------------------------------------------------------------------- */

/* Records are numbered 0, 1, 2, … Those before this number have been written. */
uint64_t recorder_head(const struct recorder *recorder);
/* False: not written yet, or overwritten. */
bool recorder_read(const struct recorder *recorder, uint64_t number, struct exit_record *record);

struct recorder_clock recorder_clock_now(void);
/* Nanoseconds per cycle, as it was from then to now. Take it once for all that is to be compared. */
double recorder_rate(const struct recorder_clock *since);

#endif
