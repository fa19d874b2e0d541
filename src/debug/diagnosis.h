/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doctor, seen from inside: doctor.c finds out, doctor_text.c and doctor_json.c tell. */
#ifndef DEBUG_DIAGNOSIS_H
#define DEBUG_DIAGNOSIS_H

#include "debug/ladder.h"

#include <sys/utsname.h>

#define MAX_REMEDIES 8

struct diagnosis {
	const char *accelerator;
	struct accel_host host;
	struct utsname kernel;
	bool asked; /* found holds; else trouble says why not */
	struct error trouble;
	struct debug_capabilities found;
	uint64_t probe_us; /* how long asking took; 0: it was known already */
	const struct debug_strategy *strategy;
	bool debuggable; /* steps or breakpoints, somewhere */

	const char *remedy[MAX_REMEDIES];
	unsigned remedy_count;
};

struct report {
	doctor_write_fn *write;
	void *ctx;
};

void report_printf(struct report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void doctor_tell_text(const struct diagnosis *diagnosis, struct report *report);
void doctor_tell_json(const struct diagnosis *diagnosis, struct report *report);

/* The rung that a wish takes in a mode, at a place that is mapped, aligned and among the first
 * four; NULL: it is refused. */
const struct ladder_row *diagnosis_rung(const struct diagnosis *diagnosis, enum wish wish,
					enum capability_mode mode);
/* Whether -debug-strategy lets the wish take a row, and it is one for such a place. */
bool diagnosis_considers(const struct diagnosis *diagnosis, const struct ladder_row *row,
			 enum wish wish);

/* What is promised and not kept: the promise's title, and in which modes (a bit mask). i: 0, 1, …
 * until NULL. */
const char *diagnosis_broken(const struct diagnosis *diagnosis, unsigned i, unsigned *modes);

#endif
