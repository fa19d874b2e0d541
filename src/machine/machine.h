/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine owns everything: the accelerator's VM, RAM, vCPUs, devices, clock, and the boot image.
 * Nothing is global; a test can have two.
 *
 * Locks, outermost first: `device_lock` (every device, both buses), `gate.lock` (who may run:
 * plans, parking), `clock.lock`. A vCPU's registers have no lock: they belong to its thread while
 * it runs, and while it is parked to whoever may act on a stopped machine.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "accel/accel.h"
#include "boot/boot.h"
#include "devices/devices.h"
#include "machine/clock.h"
#include "machine/fw_cfg.h"
#include "machine/gate.h"
#include "machine/memory.h"
#include "machine/vcpu.h"

#include <pthread.h>
#include <stdatomic.h>

enum irqchip { IRQCHIP_KERNEL, IRQCHIP_USER };

/* What becomes of the guest's time while it is stopped. */
enum stopped_clock { CLOCK_STANDS, CLOCK_FOLLOWS_HOST };

struct machine_config {
	const struct accel_ops *accel;
	const char *kvm_device; /* NULL: /dev/kvm */
	void *dummy;		/* struct dummy_config, for -accel dummy */
	uint64_t ram_size;
	unsigned vcpus;
	enum irqchip irqchip;
	enum stopped_clock stopped_clock;
	const char *cpu_features;
	uint16_t debug_exit_port; /* 0: none */
	uint8_t debug_exit_size;  /* 1-4; 0: 4 */
	bool pc_testdev;
	bool trace_unclaimed; /* log each access that no device answers */
	struct serial_backend serial[2];
	const struct fw_cfg_file *fw_cfg; /* -fw_cfg; they outlive the machine */
	unsigned fw_cfg_count;
	struct disk_backend disk[2];
	struct text_backend text;
};

enum step_go {
	STEP_ARMED,   /* run */
	STEP_DONE,    /* the instruction is executed already, without running */
	STEP_WAITS,   /* the vCPU sleeps: ask again soon */
	STEP_REFUSED, /* a stop has been recorded, and the vCPU parks */
	STEP_PARKS,   /* everybody does, and goes on at once */
};

/* Who hears of what the machine cannot answer by itself: the debugger core, or a test. Called by
 * vCPU threads, no lock held unless it says so. */
struct machine_observer {
	void *ctx;
	/* An exit that devices do not answer. Returns true when the vCPU may go on at once;
	 * otherwise a stop has been recorded and the vCPU parks. */
	bool (*exit)(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit);
	/* Before each run of a vCPU that is stepping: arms vcpu->debug for the next instruction. */
	enum step_go (*stepping)(void *ctx, struct vcpu *vcpu);
	/* A plan's step was completed by something other than a debug exit. As above. */
	bool (*stepped)(void *ctx, struct vcpu *vcpu);
	/* While machine.attentive is set: an exit that was answered, whoever did it. A vCPU with
	 * something to tell sets vcpu->caught; settled() follows then, when the instruction is complete. */
	void (*saw)(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit);
	/* As exit(). */
	bool (*settled)(void *ctx, struct vcpu *vcpu);
	/* The startup IPI that a vCPU with await_start waited for has come; nothing has run yet. As
	 * exit(). */
	bool (*started)(void *ctx, struct vcpu *vcpu);
	/* A device asked for a reset or the end; device_lock held. */
	void (*request)(void *ctx, enum host_request request, int status, const char *why);
	/* A device writes to RAM; from any thread. Bytes done, as of mem_write_phys(). */
	size_t (*device_write)(void *ctx, struct machine *machine, uint64_t gpa, const void *buf,
			       size_t len);
	/* gate.lock held: the last running vCPU has parked. */
	void (*parked)(void *ctx);
	/* Bytes for port 0xe9. */
	void (*debug_output)(void *ctx, const void *bytes, size_t size);
};

struct machine {
	struct machine_config config;
	struct accel_vm *vm;
	struct memory *memory;
	struct boot_image boot;
	bool booted; /* boot holds an image */

	struct gate gate;
	unsigned vcpu_count;
	struct vcpu *vcpus;

	pthread_mutex_t device_lock;
	struct bus ports, mmio;
	struct device *devices;
	struct device *serial[2], *text_screen;
	struct device *keyboard, *fw_cfg;
	struct device *ide;		      /* NULL: no disks */
	struct e820_entry e820[BOOT_MAP_MAX]; /* what fw_cfg tells of memory */
	struct device *pic, *pit;	      /* -irqchip=user, else NULL */
	atomic_bool intr;		      /* its INTR line */
	struct device_host host;
	struct clock clock;
	bool time_runs; /* the guest's, in its clocks and counters too */

	struct machine_observer observer;
	atomic_bool attentive; /* it wants to see each exit; changed while all are parked */
};

/* Creates everything and starts the vCPU threads, which park at once. On failure nothing is left.
 */
int machine_create(const struct machine_config *config, struct machine **machine,
		   struct error *err);
void machine_destroy(struct machine *machine); /* NULL is fine; ends the vCPU threads */

/* Puts an image into RAM and the first vCPU at its start; the machine takes the image over. All
 * vCPUs must be parked. */
int machine_boot(struct machine *machine, struct boot_image *image, struct error *err);

/* Devices change only between these. Locking drains coalesced writes first, so that nobody sees a
 * device older than the guest believes it to be. */
void machine_lock_devices(struct machine *machine);
void machine_unlock_devices(struct machine *machine);

/* Bytes from outside for COM1 (port 0) or COM2; returns how many there was room for. */
size_t machine_serial_input(struct machine *machine, unsigned port, const void *bytes, size_t size);
/* What COM1 or COM2 is connected to takes output again. */
void machine_serial_room(struct machine *machine, unsigned port);
/* As i8042_keys(). */
size_t machine_keys(struct machine *machine, const uint8_t *codes, size_t size);
/* For a disk's backend: as ide_done(). From any thread, no lock held. */
void machine_disk_done(struct machine *machine, unsigned drive, uint64_t ticket, int rc,
		       const uint8_t *bytes);
/* An interrupt line, 0-15, as if a device moved it. */
void machine_irq(struct machine *machine, unsigned line, bool level);
/* clock.fd is readable: runs the timers that are due. */
void machine_timers(struct machine *machine);

/* Guest time, in every clock that the guest can read: called when the last vCPU has parked, and before the first
 * one runs. Both do nothing when it is so already. gate.lock held, or nobody else is there. */
void machine_time_stops(struct machine *machine);
void machine_time_starts(struct machine *machine);
/* Time begins anew, and may stand still: what has passed so far is nobody's. */
void machine_time_anew(struct machine *machine);

/* How devices write to RAM: the debugger watches. Bytes done, fewer than len as of mem_write_phys(). From any
 * thread; gate.lock not held. */
size_t machine_device_write(struct machine *machine, uint64_t gpa, const void *buf, size_t len);

/* The observer that is there from the start: an exit without an answer holds the machine. gate.lock held. */
void machine_forget_observer(struct machine *machine);

/* Whether writes to the regions of this bus that want it are collected (from the start they are), or
 * exit one by one, at once. All vCPUs must be parked. */
void machine_coalesce(struct machine *machine, const struct bus *bus, bool on);

/* Back to power-on: RAM cleared, image placed again, devices, controllers and vCPUs reset. All
 * vCPUs must be parked. */
int machine_reset(struct machine *machine, struct error *err);

#endif
