/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A CPU in each mode, for the tests of what depends on the mode. */
#ifndef CPU_SAMPLES_H
#define CPU_SAMPLES_H

#include "x86/registers.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define XSAVE_XSTATE_BV 512

/* x87, SSE, AVX, AVX-512, PKRU. */
#define XCR0_ALL 0x2e7

/* The CPU that every function here works on. */
extern struct cpu_state cpu;

/* The general registers and the x87 stack hold random values; every segment is flat but in
 * virtual-8086 mode; every MSR is known, and every vector register is there and switched on. */
void sample_real(void);
void sample_protected(void);
void sample_long(void);
void sample_v86(void);

/* The x87 stack full of normal numbers, and nothing absent from the XSAVE area. */
void sample_fpu(void);

/* Always the same sequence: a failure can be seen again. */
uint64_t random_word(void);

/* A register's row, failing the test when there is none; its low 64 bits; and writing them. */
const struct register_desc *find_register(const char *name);
uint64_t get_register(const char *name);
int set_register(const char *name, uint64_t word);

#endif
