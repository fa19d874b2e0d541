/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How Zydis' view of an instruction becomes ours: between instruction.c and instruction_kind.c. */
#ifndef X86_INSTRUCTION_PRIVATE_H
#define X86_INSTRUCTION_PRIVATE_H

#include "x86/instruction.h"

#include <Zydis/Zydis.h>

/* instruction_kind.c. operands: all that were decoded, the hidden ones included. */
enum instruction_kind instruction_kind_of(const ZydisDecodedInstruction *z,
					  const ZydisDecodedOperand *operands);
bool instruction_is_simd(const ZydisDecodedInstruction *z);
/* It touches memory that its operands do not tell. */
bool instruction_touches_more(const ZydisDecodedInstruction *z, enum instruction_kind kind);
/* What struct instruction calls simple, as far as its kind and operands go. */
bool instruction_is_simple(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
			   enum instruction_kind kind);

#endif
