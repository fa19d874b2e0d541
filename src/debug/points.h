/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Points: everything that a front end can ask the core to watch for. Breakpoints, watches and catches
 * are one numbered list, and share limits, conditions, ignore counts and actions. Part of
 * debug/debug.h, the only door.
 */
#ifndef DEBUG_POINTS_H
#define DEBUG_POINTS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug;
struct program; /* debug/program.h */

/* Who acts; events name the actor so that a front end can tell its own doing from another's. */
enum debug_owner { OWNER_NONE, OWNER_GDB, OWNER_CONSOLE, OWNER_COUNT };

enum point_kind {
	POINT_SOFTWARE, /* breakpoint, by whatever rung carries it */
	POINT_HARDWARE, /* breakpoint, by a debug register while there are some */
	POINT_WRITE,	/* watches: address and length in bytes */
	POINT_READ,
	POINT_ACCESS,
	POINT_CATCH_EXCEPTION, /* catches; address: the vector */
	POINT_CATCH_IO,	       /* address, length: ports */
	POINT_CATCH_MMIO,      /* address, length: guest-physical */
	POINT_CATCH_MSR,       /* address, length: MSR numbers */
	POINT_CATCH_MODE,      /* no address from here on */
	POINT_CATCH_HLT,
	POINT_CATCH_INT3, /* the guest's own */
	POINT_CATCH_RESET,
	POINT_CATCH_SHUTDOWN,
	POINT_CATCH_ONLINE, /* a vCPU was started by another */
	POINT_CATCH_TRIPLE_FAULT,
	POINT_CATCH_EMULATION,
	POINT_KIND_COUNT
};

/* Hits count only where all of these hold. Zero means no limit. */
struct point_limit {
	enum { LIMIT_VCPU = 1, LIMIT_CR3 = 2, LIMIT_RING = 4 } by; /* a mask */
	int vcpu;
	uint64_t cr3; /* compared without its low 12 bits */
	unsigned ring;
};

enum point_direction { ON_READ = 1, ON_WRITE = 2 }; /* of ports, MMIO and MSRs; 0 means both */

struct point_spec {
	enum point_kind kind;
	uint64_t address; /* linear, or physical; of catches: see enum point_kind */
	uint64_t length;  /* watches: bytes; catches: how many; else ignored */
	int vcpu; /* whose paging gives the address its meaning; with a CR3 limit, that one does */
	bool physical;	/* the address is guest-physical; breakpoints and watches */
	bool temporary; /* gone when it has stopped the machine once */
	bool disabled;	/* at first: while it is still to be given a condition or an action */
	bool separate;	/* a point of its own, even where there is one like it */
	enum point_direction direction;
	struct point_limit limit;
};

/* What happens at a hit beside, or in place of, the stop: a line is printed. */
#define ACTION_ARGS 32
struct point_action {
	struct point_action *next; /* printed after this one; or NULL */
	/* "": a line with what the catch has to say. Else printf's: %d %i %u %x %X %o with hh,
	 * h, l, ll, z, j, t; %c; %p; %s for the string at an address (at most 200 bytes); all with flags, width and
	 * precision; %%. What it makes is cut at 1000 bytes. NULL: nothing is printed. */
	char *format;
	struct program *args[ACTION_ARGS];
	unsigned arg_count;
	bool exact; /* printed as it is; else as one line, whose newline need not be in the format */
	bool go_on; /* no stop; of the first */
};

struct point {
	int number; /* 1, 2, 3, … never reused */
	enum debug_owner owner;
	struct point_spec spec;
	bool enabled;
	uint64_t hits;			   /* where limits and condition held */
	uint64_t evaluations;		   /* how often it was come upon at all */
	uint64_t ignore;		   /* hits that will still be let pass */
	const struct program *condition;   /* or NULL */
	const struct point_action *action; /* or NULL */
	/* How it is realised here: "int3", "int3 by emulation failure", "debug register 2",
	 * "page protection", "pending: …". */
	const char *rung;
};

/* All of these work on a running machine, too: all vCPUs park for a moment, nobody is told. */

/* Adding what is already there (same owner and spec) gives the same number. Returns the number, or
 * with a sentence: -ENOTSUP (no rung of this host carries it), -ENOSPC (debug registers used up),
 * -ENOMEM, -EINVAL. */
int debug_point_add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
		    struct error *err);
int debug_point_remove(struct debug *debug, int number, struct error *err); /* -ENOENT */
void debug_points_forget(struct debug *debug, enum debug_owner owner);

/* -ENOENT with a sentence. condition and action are taken over at success; NULL takes them away. A
 * condition that cannot be evaluated at a hit (memory that is not there) stops, and says so. */
int debug_point_condition(struct debug *debug, int number, struct program *condition,
			  struct error *err);
int debug_point_action(struct debug *debug, int number, struct point_action *action,
		       struct error *err);
int debug_point_ignore(struct debug *debug, int number, uint64_t count, struct error *err);
int debug_point_enable(struct debug *debug, int number, bool enabled, struct error *err);
/* It is another's from now on, with its number, counts and all. */
int debug_point_give(struct debug *debug, int number, enum debug_owner owner, struct error *err);

int debug_point_find(struct debug *debug, const struct point_spec *spec,
		     enum debug_owner owner); /* or 0 */
const struct point *debug_point_next(struct debug *debug,
				     const struct point *after); /* NULL: first */

/* Frees an action that nobody took over; NULL is fine. */
void point_action_free(struct point_action *action);

#endif
