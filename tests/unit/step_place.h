/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vCPU of the host's own KVM in one of three modes, with handlers for its vectors, to be stepped through code
 * of the test's. */
#ifndef TESTS_UNIT_STEP_PLACE_H
#define TESTS_UNIT_STEP_PLACE_H

#include "rig.h"

enum mode { REAL, PROT, LONG, MODES };

#define HANDLERS  0x3000u /* of vector v: HANDLERS + 16 * v: a nop and an iret */
#define IDT	  0x5000u
#define GDT	  0x6000u
#define TSS	  0x6800u
#define STACK	  0x7800u
#define PML4	  0x8000u
#define PDPT	  0x9000u
#define PAGE_DIR  0xa000u
#define OPEN	  0x200000u /* long mode: the same memory again, open to ring 3 */
#define CODE_SEL  8
#define DATA_SEL  16
#define USER_DATA 0x1b /* sysret wants them in this order */
#define USER_CODE 0x23
#define TSS_SEL	  0x28
#define NOP	  0x90

struct place {
	struct rig rig;
	enum mode mode;
	struct cpu_state *state;
};

extern const char *const mode_names[MODES];
extern const size_t word_size[MODES]; /* of what a handler's frame is made of */

/* strategy: as -debug-strategy takes it, or NULL. */
void place_start(struct place *p, enum mode mode, const char *strategy);
void place_stop(struct place *p);

/* Guest-physical, which is linear here. */
void place_put(struct place *p, uint64_t gpa, const void *data, size_t size);
void place_put64(struct place *p, uint64_t gpa, uint64_t value);
uint64_t place_get(struct place *p, uint64_t gpa, size_t size);

/* Code, with nops behind it, at RIG_CODE, and the registers as at the start: RSP is STACK, RAX fff8, RCX 0. */
void place_code(struct place *p, const uint8_t *code, size_t size);

/* One step, which must end at pc. False where this host cannot execute the instruction at all. */
bool place_step(struct place *p, const char *what, uint64_t pc);

#endif
