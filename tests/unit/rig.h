/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine with a debugger core on it, for tests of run control; on the dummy accelerator unless a
 * test asks for another. */
#ifndef TESTS_UNIT_RIG_H
#define TESTS_UNIT_RIG_H

#include "accel/dummy.h"
#include "debug/debug.h"
#include "machine/machine.h"

#define RIG_CODE  0x1000ull /* where each vCPU starts; vCPU n at RIG_CODE + n * RIG_APART */
#define RIG_APART 0x100ull
#define RIG_RAM	  (1ull << 20)

struct rig {
	const struct accel_ops *accel; /* NULL: the dummy */
	struct dummy_config dummy;
	uint64_t ram_size; /* 0: RIG_RAM */
	struct disk_backend disk[2];
	int patience;	  /* seconds without news, times $SLOWER, that fail a test; 0: thirty */
	bool as_at_reset; /* the vCPUs stay as power-on left them */
	struct machine *machine;
	struct debug *debug;
	struct debug_config config;
	unsigned count[8];	   /* of each debug_event heard */
	enum debug_owner actor[8]; /* of the last one of each */
	char output[64];	   /* what the guest sent to COM1 */
	unsigned output_size;
};

/* vCPUs run in flat 32-bit mode, all of them runnable at once, unless the rig says otherwise. irqchip: as in
 * machine_config. */
void rig_start(struct rig *rig, unsigned vcpus, enum irqchip irqchip);
void rig_stop(struct rig *rig);
/* The host loses these pages of RAM: touching them is SIGBUS. */
void rig_lose(struct rig *rig, uint64_t gpa, uint64_t size);

/* Skips the test, and says why, where this host has no KVM that may be used. */
void rig_needs_kvm(void);

/* How often a test that looks for races does what it does: STRESS=full makes it full, anything else the usual. */
unsigned rig_rounds(unsigned full, unsigned usual);

/* How many times slower than usual this machine is, as the runner says. */
int rig_slower(void);

/* Puts code at vCPU's start. */
void rig_code(struct rig *rig, unsigned vcpu, const void *code, size_t size);

/* The same code for every vCPU, as a boot image: a reset puts it back and starts vCPU 0 in it. The
 * others wait for INIT then, until they are made flat again. code is the caller's, until the end.
 */
void rig_boot(struct rig *rig, const void *code, size_t size);
void rig_make_flat(struct rig *rig, unsigned vcpu); /* at its start, runnable; parked only */

/* Waits, as long as rig->patience, for the next news and tells it; true when some came. */
bool rig_wait(struct rig *rig);
/* Pauses for the console, and waits until all are parked; fails the test if they do not. */
void rig_pause(struct rig *rig);
/* Waits until the machine has stopped, and returns why; fails the test if it does not. */
const struct stop *rig_wait_stop(struct rig *rig);
/* The same until the run is over. */
const struct stop *rig_wait_exit(struct rig *rig);

int rig_break(struct rig *rig, uint64_t address); /* POINT_SOFTWARE, the console's */
int rig_watch(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length);
const struct point *rig_point(struct rig *rig, int number); /* fails the test if there is none */
uint64_t rig_reg(struct rig *rig, int vcpu, const char *name);
void rig_set_reg(struct rig *rig, int vcpu, const char *name, uint64_t value);
void rig_continue(struct rig *rig);
void rig_step(struct rig *rig, int vcpu);
uint8_t rig_byte(struct rig *rig, uint64_t gpa);

void sleep_ms(unsigned ms); /* of the host's time */

#endif
