/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder: for every wish the ways of realising it, best first. A wish takes the first rung that
 * works here, now, for this address. rungs.c and run_control.c choose by it, the doctor explains by
 * it, and -debug-strategy names its rows.
 */
#ifndef DEBUG_LADDER_H
#define DEBUG_LADDER_H

#include "debug/core.h"

/* What a rung needs of a place, beside a host that can do it. */
enum ladder_need {
	NEED_MAPPED = 1,    /* to RAM */
	NEED_SLOT = 2,	    /* a free debug register */
	NEED_ALIGNED = 4,   /* 1, 2, 4 or 8 aligned bytes */
	NEED_LINEAR = 8,    /* a linear address: debug registers know no other */
	NEED_UNMAPPED = 16, /* what waits for a page */
	NEED_LOADED = 32,   /* the image's bytes for this address lie somewhere in RAM */
	NEED_PAGES = 64,    /* pages that may be protected */
	NEED_COMPARE = 128, /* bytes that can be looked at after each instruction */
};

struct ladder_row {
	enum wish wish;
	enum rung rung;
	const char *name;  /* what -debug-strategy calls it */
	const char *title; /* for people */
	/* NULL: everywhere. */
	bool (*works)(const struct debug_capabilities *found, enum capability_mode mode);
	unsigned needs;	     /* enum ladder_need */
	const char *why_not; /* where it does not work, what happens instead */
};

/* A place at which a wish is to come true. modes: bit mask of capability_mode, where vCPUs may meet
 * it now; soon: where they may meet it as the guest boots on. */
struct ladder_place {
	unsigned modes, soon;
	bool mapped, loaded, physical, slots_full;
	uint64_t address, length;
	const char *no_pages;	/* why they may not be protected, a sentence; NULL: they may */
	const char *no_compare; /* the same of comparing them */
};

extern const struct ladder_row ladder[];
extern const unsigned ladder_size;

/* "break", "hbreak", … as -debug-strategy has them, and what they are, for people. */
const char *wish_name(enum wish wish);
const char *wish_title(enum wish wish);

/* Whether a row may be taken at all: it is the wish's own, and -debug-strategy forces no other.
 * Waiting for a page is no other rung than the one that needs it. */
bool ladder_allowed(const struct ladder_row *row, enum wish wish,
		    const struct debug_strategy *strategy);
bool ladder_works(const struct ladder_row *row, const struct debug_capabilities *found,
		  enum capability_mode mode);

/* The first row that works in every mode of place, preferring one that goes on working in the modes
 * that come soon; NULL with a sentence (-ENOTSUP, -ENOSPC) when there is none. */
const struct ladder_row *ladder_choose(const struct debug_capabilities *found,
				       const struct debug_strategy *strategy, enum wish wish,
				       const struct ladder_place *place, struct error *err);

#endif
