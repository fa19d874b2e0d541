/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random instructions of the kinds that simulate_instruction() knows, for comparing it with processors. */
#ifndef TESTS_UNIT_SIMULATE_CASES_H
#define TESTS_UNIT_SIMULATE_CASES_H

#include "x86/simulate.h"

#include <stddef.h>

/* The same seed gives the same cases. */
struct random_stream {
	uint64_t state;
};
uint64_t random_next(struct random_stream *random);

/* One whole instruction for code of this many bits; returns its length. */
unsigned random_instruction(struct random_stream *random, unsigned bits, uint8_t bytes[15]);

/* Memory that a simulated instruction may touch: bytes at linear. copy is what it leaves there. */
struct window {
	uint64_t linear;
	size_t size;
	uint8_t *copy;
	unsigned stores;
};
struct simulate_memory window_memory(struct window *window);

/* A CPU at SIMULATE_CODE, flat; 16 bits is real mode. RBX leads to SIMULATE_DATA, RSP to SIMULATE_STACK
 * there, RAX is 0, any other register n is 11111111 times n, those behind RDI in 64-bit code alone. */
#define SIMULATE_CODE	   0x1000
#define SIMULATE_DATA	   0x8000
#define SIMULATE_DATA_SIZE 0x1000
#define SIMULATE_STACK	   0x8800
struct cpu_state simulate_cpu(unsigned bits);
/* simulate_instruction() there, data being what lies at SIMULATE_DATA. */
bool simulate_on(uint8_t data[SIMULATE_DATA_SIZE], struct cpu_state *state, const uint8_t *bytes,
		 unsigned length);

/* Random general registers, about half of them leading into [base, base + size) and RSP always; random
 * arithmetic flags. */
void random_general(struct random_stream *random, uint64_t base, size_t size,
		    struct cpu_general *general);

/* Fails the test and says where the two differ, and on which instruction. */
void expect_same_general(const uint8_t *bytes, unsigned length, const struct cpu_general *before,
			 const struct cpu_general *got, const struct cpu_general *wanted);

#endif
