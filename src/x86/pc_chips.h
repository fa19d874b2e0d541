/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PC's two 8259A interrupt controllers, its IOAPIC and its 8254 timer, as their registers stand, whoever
 * plays them. */
#ifndef X86_PC_CHIPS_H
#define X86_PC_CHIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bit n of each is line n. */
struct pc_pic {
	uint8_t base; /* vector of line 0 */
	uint8_t irr, imr, isr, lines, level;
	uint8_t highest; /* the line of highest priority */
	bool auto_eoi, special_mask;
};

#define IOAPIC_ENTRIES 24

struct pc_ioapic {
	uint64_t base;
	uint32_t id;
	uint64_t entry[IOAPIC_ENTRIES];
};

struct pc_timer {
	uint8_t mode;
	bool bcd, gate;
	uint32_t count; /* 1 … 65536; 0: none was loaded */
};

struct pc_chips {
	bool has_pics, has_ioapic, has_timers;
	struct pc_pic pic[2];
	struct pc_ioapic ioapic;
	struct pc_timer timer[3];
};

/* "vector 0x30, fixed, edge, active high, to APIC 0, masked": 82093AA datasheet, 3.2.4. Returns buf. */
char *ioapic_entry_text(uint64_t entry, char *buf, size_t size);

#define PC_TIMER_HZ 1193182u
/* "rate generator" */
const char *pc_timer_mode(unsigned mode);

#endif
