/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest with a timer, to be stepped. */
#ifndef TESTS_STEP_INTERRUPT_RIG_H
#define TESTS_STEP_INTERRUPT_RIG_H

#include "rig.h"
#include "step_place.h"

#include <stddef.h>

/* As the controllers are after power-on: no vector base, nothing masked. */
#define LINE	5
#define HANDLER (HANDLERS + 16 * LINE)

uint64_t step_reg(struct place *p, const char *name);
void raise_line(struct place *p, bool level);
/* The timer's line would come now and then: mov $0xdf, %al; out %al, $0x21. */
void mask_others(struct place *p);
void code_with_interrupts(struct place *p, const uint8_t *code, size_t size);

static const char *const rungs[] = {"step=tf", "step=slots"};

/* The CPU has accepted an interrupt and not yet entered the handler, as a pause may find it. */
void accept_interrupt(struct place *p);
uint64_t step_hits(struct place *p);

#define WRITTEN 0x7000

void start_writer(struct place *p, const char *strategy, const uint8_t *code, size_t size);

#endif
