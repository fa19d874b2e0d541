/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig whose watches are carried by pages or by steps. */
#ifndef TESTS_WATCH_RIG_H
#define TESTS_WATCH_RIG_H

#include "rig.h"

#include <stddef.h>

#define DATA  0x8000ull
#define PAGE  0x1000ull
#define STACK 0xb000ull
#define NOP   0x90

/* What each case is given: the rung that watches must take. */
extern char by_page[];
extern char by_steps[];

/* strategy: NULL leaves the choice to the ladder. */
void watch_start(struct rig *rig, unsigned vcpus, const char *strategy);
void put32(struct rig *rig, uint64_t gpa, uint32_t value);
uint64_t watch_get(struct rig *rig, uint64_t gpa, unsigned size);
/* Code, a breakpoint behind it, and registers as all the cases below expect them. */
int watch_load(struct rig *rig, const void *code, size_t size);

#define LOAD(rig, ...)                                                                             \
	watch_load(rig, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

void expect_text(const struct stop *stop, const char *wanted);
void expect_end(struct rig *rig, int point);
void expect_refusal(struct rig *rig, enum point_kind kind, uint64_t address, const char *because);

#define IDT    0x4000ull
#define PD_LOW 0x12000ull
#define APIC   0xfee00000ull

void put64(struct rig *rig, uint64_t gpa, uint64_t value);
void enter_long_mode(struct rig *rig);

#define BY_STEPS(f)                                                                                \
	{                                                                                          \
		"by steps: " #f, f, NULL, NULL, by_steps                                           \
	}
#define BY_BOTH(f) BY_PAGE(f), BY_STEPS(f)

#endif
