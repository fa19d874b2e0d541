/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An accelerator's VM with one vCPU and a little memory, and no machine around it. */
#ifndef TESTS_UNIT_BARE_VM_H
#define TESTS_UNIT_BARE_VM_H

#include "accel/accel.h"

#define BARE_CODE  0x2000ull /* where RIP starts */
#define BARE_DATA  0x5000ull
#define BARE_STACK 0x7000ull
#define BARE_RAM   0xa0000ull  /* RAM from 0 up to here; above it is nothing, until … */
#define BARE_HIGH  0x100000ull /* … here, where 1 MiB more begins */

enum bare_mode { BARE_REAL, BARE_LONG };

struct bare_vm {
	const struct accel_ops *ops;
	struct accel_vm *vm;
	struct accel_vcpu *vcpu;
	uint8_t *memory; /* indexed by guest-physical address */
	struct cpu_state state;
	struct vm_exit exit; /* the last one */
};

/* False, with a sentence printed, when this accelerator cannot run here. */
bool bare_available(const struct accel_ops *ops);

/* Fails the test when anything fails. config may be NULL. */
void bare_open(struct bare_vm *bare, const struct accel_ops *ops,
	       const struct accel_config *config);
void bare_close(struct bare_vm *bare);

/* Loads code at BARE_CODE and the CPU with a state in which it can run: interrupts off, RBX and RDI
 * pointing to BARE_DATA. In long mode vectors n lead to code that writes n to port 0xe9 and halts. */
void bare_load(struct bare_vm *bare, enum bare_mode mode, const void *code, size_t size);

/* Writes the general registers of bare->state back. */
void bare_put_general(struct bare_vm *bare);
/* Reads groups into bare->state. */
void bare_get(struct bare_vm *bare, unsigned groups);

/* Runs, or completes, into bare->exit. */
enum exit_reason bare_run(struct bare_vm *bare);
enum exit_reason bare_complete(struct bare_vm *bare);

/* Runs, and fails the test unless the exit is this one. Returns it. */
const struct vm_exit *bare_expect(struct bare_vm *bare, enum exit_reason reason);
const struct vm_exit *bare_expect_out(struct bare_vm *bare, uint16_t port, unsigned size,
				      uint32_t value);

#define BARE_LOAD(bare, mode, ...)                                                                 \
	do {                                                                                       \
		static const uint8_t bare_code_[] = {__VA_ARGS__};                                 \
		bare_load(bare, mode, bare_code_, sizeof(bare_code_));                             \
	} while (0)

#endif
