/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine is made of, for tables of it. Part of debug/debug.h, the only door. */
#ifndef DEBUG_HARDWARE_H
#define DEBUG_HARDWARE_H

#include "error.h"
#include "x86/lapic.h"
#include "x86/pc_chips.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug;

/* A stretch of ports, or of physical memory that is not RAM, that a device answers. */
struct device_region_info {
	const char *name; /* "serial0"; as long as the machine lives */
	bool port;	  /* else memory */
	bool in_kernel;	  /* the accelerator answers, and nobody here sees it */
	bool coalesced;	  /* writes may be collected, and come later */
	uint64_t base, size;
};
#define DEVICE_REGIONS 64 /* more than any machine has */
/* All of them: ports first, then memory, each lowest first. Returns how many. Of a running machine, too. */
unsigned debug_device_regions(struct debug *debug,
			      struct device_region_info regions[DEVICE_REGIONS]);

/* The registers of a vCPU's local APIC. -EBUSY; -ENOTSUP where there is none (-irqchip user); -errno. */
int debug_lapic(struct debug *debug, int vcpu, struct lapic *lapic);

/* The PC's interrupt controllers and timers, as far as the machine has them. Of a running machine, too. -errno. */
int debug_chips(struct debug *debug, struct pc_chips *chips);

/* The text screen: character and attribute of each cell, a row after the other. Of a running machine, too. */
#define SCREEN_COLUMNS 80
#define SCREEN_ROWS    25
struct screen_info {
	uint8_t cells[SCREEN_COLUMNS * SCREEN_ROWS * 2];
	int cursor; /* which cell; -1: it is not on the screen, or off */
};
void debug_screen(struct debug *debug, struct screen_info *screen);

/* ---- what comes from outside; of a running machine, too ------------------------------------- */

/* -errno with a sentence. */
int debug_nmi(struct debug *debug, int vcpu, struct error *err);
/* A rising edge on an interrupt line, 0-15. */
int debug_irq(struct debug *debug, unsigned line, struct error *err);
/* Keys of the PC's keyboard, as scan codes of set 1: size, or 0 where they do not all fit. */
size_t debug_keys(struct debug *debug, const uint8_t *codes, size_t size);

#endif
