/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptor tables in memory: SDM vol. 3A, 3.4.5 (segments), 6.10-6.14 (gates), 21.1.4 (real mode). */
#ifndef X86_DESCRIPTORS_H
#define X86_DESCRIPTORS_H

#include "x86/cpu_state.h"

#include <stddef.h>

/* Reads linear memory as ring 0 would; true when all of it was there. */
typedef bool linear_read_fn(void *ctx, uint64_t linear, void *buf, size_t len);

/* The linear address of the handler that an interrupt or exception would enter now: through the vector
 * table in real mode, an interrupt or trap gate otherwise. Looks at CPU_GENERAL and CPU_SYSTEM. -ENOENT when
 * there is none: outside the table, not present, a task gate, or memory that is not there. */
int interrupt_handler(const struct cpu_state *state, uint8_t vector, linear_read_fn *read,
		      void *ctx, uint64_t *linear);

/* Where a far jump, call or return to selector:offset goes in the present mode: to the code segment, or
 * through a call gate to its own entry. The same state. -ENOENT when it leads to no code: a null selector, not
 * present, data, a task, or memory that is not there. Rights are not checked. */
int far_target(const struct cpu_state *state, uint16_t selector, uint64_t offset,
	       linear_read_fn *read, void *ctx, uint64_t *linear);

/* The code or data segment that a selector names in protected and long mode, as loading it into a segment
 * register would have it. The same errors; system segments are none. */
int descriptor_load(const struct cpu_state *state, uint16_t selector, linear_read_fn *read,
		    void *ctx, struct cpu_segment *segment);

/* selector:offset as a linear address, whatever the segment is for: paragraphs in real and virtual-8086 mode,
 * else by its descriptor; in 64-bit code segments have no base. The same errors. */
int selector_linear(const struct cpu_state *state, uint16_t selector, uint64_t offset,
		    linear_read_fn *read, void *ctx, uint64_t *linear);

#endif
