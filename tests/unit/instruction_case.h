/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small memory to decode in, and CPUs in every mode. */
#ifndef TESTS_INSTRUCTION_CASE_H
#define TESTS_INSTRUCTION_CASE_H

#include "x86/instruction.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE  0x1000u
#define STACK 0x2000u
#define SIZE  0x5000u

enum { R16, P16, P32, C32, L64, V86M };

extern uint8_t memory[SIZE];
extern uint64_t hole; /* the page of this address is missing */

bool read_memory(void *ctx, uint64_t linear, void *buf, size_t len);
void put(uint64_t at, uint64_t value, size_t size);
struct cpu_state state_in(int mode);

#endif
