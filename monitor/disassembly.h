/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instructions as text, by Zydis: 16, 32 and 64 bits, AT&T or Intel. */
#ifndef MONITOR_DISASSEMBLY_H
#define MONITOR_DISASSEMBLY_H

#include "monitor/symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum syntax { SYNTAX_ATT, SYNTAX_INTEL };

struct disassembler {
	enum syntax syntax;
	unsigned bits;		 /* 16, 32, 64 */
	uint64_t base;		 /* of CS: linear = base + offset; jumps wrap in the offset */
	struct symbols *symbols; /* may be NULL */
};

#define INSN_MAX_BYTES 15

struct insn {
	unsigned length; /* bytes; at least 1 */
	bool valid;	 /* false: text is ".byte 0x.." for one byte that begins no instruction */
	bool call, branch, conditional, ret;
	uint64_t target; /* linear, of a direct call or branch; else 0 */
	/* Operands with <symbol+0x..>, "# 0x203010 <counter>" behind RIP-relative ones. */
	char text[160];
};

/* Decodes the instruction at a linear address. size: bytes at hand, at least 1. */
void disassemble(const struct disassembler *dis, uint64_t address, const uint8_t *bytes,
		 size_t size, struct insn *insn);

#endif
