// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Backwards. Decodings that start at different places soon fall into step with each other, since a wrong
 * start ends up at a right boundary within a few instructions. So every place some way back is tried
 * as a start, and votes for the last instruction that it comes to.
 */
#include "x86/instruction.h"

#include "x86/mode.h"

#define RUN_UP 64u /* bytes further back than the longest instruction */
#define WINDOW (RUN_UP + INSTRUCTION_MAX_BYTES)
#define PAGE   4096u

struct window {
	uint8_t bytes[WINDOW];
	unsigned size; /* bytes before end that are there */
	uint64_t start;
	/* Of a decoding that starts at this byte and ends at end: how long its last instruction is; else
	 * 0. */
	uint8_t last[WINDOW];
	unsigned votes[INSTRUCTION_MAX_BYTES + 1]; /* by that length */
};

/* The page before may be missing. */
static void fill(struct window *w, uint64_t end, linear_read_fn *read, void *ctx)
{
	unsigned in_page = (unsigned)((end - 1) & (PAGE - 1)) + 1;

	w->size = WINDOW;
	if (read(ctx, end - w->size, w->bytes, w->size)) {
		w->start = end - w->size;
		return;
	}
	w->size = in_page < WINDOW ? in_page : WINDOW;
	if (!read(ctx, end - w->size, w->bytes, w->size))
		w->size = 0;
	w->start = end - w->size;
}

/* From the end backwards: what follows an instruction is known already. */
static void vote(const struct cpu_state *state, struct window *w)
{
	for (unsigned at = w->size; at-- > 0;) {
		struct instruction insn;
		unsigned behind;

		if (!instruction_decode(state, w->start + at, w->bytes + at, w->size - at, &insn))
			continue;
		behind = at + insn.length;
		w->last[at] = behind < w->size ? w->last[behind] : insn.length;
		w->votes[w->last[at]]++;
	}
}

static bool candidate(const struct cpu_state *state, const struct window *w, unsigned length,
		      struct instruction *insn)
{
	return length <= w->size &&
	       instruction_decode(state, w->start + w->size - length, w->bytes + w->size - length,
				  length, insn) &&
	       insn->length == length;
}

unsigned instruction_ends_at(const struct cpu_state *state, uint64_t end, linear_read_fn *read,
			     void *ctx, instruction_match_fn *match, void *match_ctx,
			     struct instruction *insn)
{
	struct window w = {0};
	unsigned found = 0, best = 0;

	fill(&w, end, read, ctx);
	vote(state, &w);
	for (unsigned length = INSTRUCTION_MAX_BYTES; length > 0; length--) {
		struct instruction one;

		if (!candidate(state, &w, length, &one) || (match && !match(match_ctx, &one)))
			continue;
		if (found++ && w.votes[length] <= best)
			continue;
		best = w.votes[length];
		*insn = one;
	}
	return found;
}
