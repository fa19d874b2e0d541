/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The local APIC's registers, decoded for people: SDM vol. 3A, chapter 11; table 11-1 has their offsets. */
#ifndef X86_LAPIC_H
#define X86_LAPIC_H

#include "x86/cpu_state.h"

#include <stddef.h>

/* The page that the guest sees at the APIC's base, as far as there are registers: one each 16 bytes. */
#define LAPIC_BYTES 1024
struct lapic {
	uint8_t bytes[LAPIC_BYTES];
};

struct lapic_register {
	const char *name;
	unsigned offset;
	unsigned words; /* 32 bits each, 16 bytes apart: 8 for a bit per vector, else 1 */
};

/* The index-th, lowest offset first; NULL: there are no more. */
const struct lapic_register *lapic_register(unsigned index);

/* One word. */
uint32_t lapic_word(const struct lapic *lapic, unsigned offset);

/* What a register's value means, "vector 0x20, periodic, masked"; "" for a plain number. Returns buf. */
char *lapic_text(const struct lapic *lapic, const struct lapic_register *reg, char *buf,
		 size_t size);

/* "xAPIC at 0xfee00000, bootstrap processor", "off", … by IA32_APIC_BASE. Returns buf. */
char *lapic_base_text(uint64_t apic_base, char *buf, size_t size);

#endif
