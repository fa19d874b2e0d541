// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/pc_chips.h"

#include <stdio.h>

#define ENTRY_LOGICAL	 (1u << 11)
#define ENTRY_PENDING	 (1u << 12)
#define ENTRY_LOW	 (1u << 13)
#define ENTRY_REMOTE_IRR (1u << 14)
#define ENTRY_LEVEL	 (1u << 15)
#define ENTRY_MASKED	 (1u << 16)

char *ioapic_entry_text(uint64_t entry, char *buf, size_t size)
{
	static const char *const modes[8] = {"fixed", "lowest priority", "SMI",	  "reserved", "NMI",
					     "INIT",  "reserved",	 "ExtINT"};

	snprintf(buf, size, "vector 0x%02x, %s, %s, active %s, to %s %u%s%s%s",
		 (unsigned)(entry & 0xff), modes[entry >> 8 & 7],
		 entry & ENTRY_LEVEL ? "level" : "edge", entry & ENTRY_LOW ? "low" : "high",
		 entry & ENTRY_LOGICAL ? "logical" : "APIC", (unsigned)(entry >> 56),
		 entry & ENTRY_PENDING ? ", pending" : "",
		 entry & ENTRY_REMOTE_IRR ? ", in service" : "",
		 entry & ENTRY_MASKED ? ", masked" : "");
	return buf;
}

const char *pc_timer_mode(unsigned mode)
{
	static const char *const names[8] = {
		"interrupt on count", "one shot",	 "rate generator", "square wave",
		"software strobe",    "hardware strobe", "rate generator", "square wave"};

	return names[mode & 7];
}
