/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What -debug-strategy says: which rung of the ladder a wish must take, whatever the ladder would
 * choose. Part of debug/debug.h, the only door. The ladder itself is debug/ladder.h.
 */
#ifndef DEBUG_STRATEGY_H
#define DEBUG_STRATEGY_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

/* What a user asks for; each has rungs, and takes the first that carries it. */
enum wish {
	WISH_BREAK,  /* a software breakpoint */
	WISH_HBREAK, /* a hardware breakpoint */
	WISH_WATCH,  /* a write watch */
	WISH_ACCESS, /* a read watch, or one for reads and writes */
	WISH_STEP,
	WISH_COUNT
};

struct debug_strategy {
	uint8_t forced[WISH_COUNT]; /* 0: the first that carries it; else 1 + the ladder's row */
	bool probe;		    /* ask the host again, whatever was kept from last time */
};

/* Adds "WISH=RUNG[,…]" to what strategy holds; the word "probe" may stand among them. -EINVAL with
 * a sentence that lists what would be understood; then strategy is as it was. */
int debug_strategy_parse(const char *text, struct debug_strategy *strategy, struct error *err);

#endif
