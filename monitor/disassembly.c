// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/disassembly.h"

#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void init_decoder(ZydisDecoder *decoder, unsigned bits)
{
	if (bits == 64)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (bits == 32)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	else
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
}

/* " <name+0x14>", or nothing. */
static void symbol_suffix(struct symbols *symbols, uint64_t address, char *buf, size_t size)
{
	memcpy(buf, " <", 3);
	if (symbols_text(symbols, address, buf + 2, size - 3)[0])
		memcpy(buf + strlen(buf), ">", 2);
	else
		buf[0] = 0;
}

static void init_formatter(ZydisFormatter *formatter, enum syntax syntax)
{
	ZydisFormatterInit(formatter, syntax == SYNTAX_INTEL ? ZYDIS_FORMATTER_STYLE_INTEL
							     : ZYDIS_FORMATTER_STYLE_ATT);
	ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
	ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE);
	ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING,
				  ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING,
				  ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
				  ZYDIS_PADDING_DISABLED);
}

/* Linear address of the first operand that is relative to RIP. */
static bool relative_operand(const struct disassembler *dis, uint64_t offset,
			     const ZydisDecodedInstruction *instruction,
			     const ZydisDecodedOperand *operands, uint64_t *address)
{
	for (unsigned i = 0; i < instruction->operand_count_visible; i++) {
		ZydisRegister base = operands[i].mem.base;
		ZyanU64 value;

		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    (base != ZYDIS_REGISTER_RIP && base != ZYDIS_REGISTER_EIP))
			continue;
		if (ZYAN_FAILED(
			    ZydisCalcAbsoluteAddress(instruction, &operands[i], offset, &value)))
			continue;
		*address = value + dis->base;
		return true;
	}
	return false;
}

/* A direct target is the last operand: its symbol follows it. Where CS has a base, Zydis shows the
 * offset, and the linear address becomes a comment like that of a RIP-relative operand. */
static void add_symbols(const struct disassembler *dis, uint64_t offset,
			const ZydisDecodedInstruction *instruction,
			const ZydisDecodedOperand *operands, struct insn *insn)
{
	size_t used = strlen(insn->text);
	uint64_t address = insn->target;
	char suffix[96];

	if (!address && !relative_operand(dis, offset, instruction, operands, &address))
		return;
	symbol_suffix(dis->symbols, address, suffix, sizeof(suffix));
	if (insn->target && !dis->base)
		snprintf(insn->text + used, sizeof(insn->text) - used, "%s", suffix);
	else
		snprintf(insn->text + used, sizeof(insn->text) - used, "  # 0x%" PRIx64 "%s",
			 address, suffix);
}

static void classify(const struct disassembler *dis, uint64_t offset,
		     const ZydisDecodedInstruction *instruction,
		     const ZydisDecodedOperand *operands, struct insn *insn)
{
	ZydisInstructionCategory category = instruction->meta.category;
	ZyanU64 target;

	insn->call = category == ZYDIS_CATEGORY_CALL;
	insn->ret = category == ZYDIS_CATEGORY_RET;
	insn->conditional = category == ZYDIS_CATEGORY_COND_BR;
	insn->branch = insn->conditional || category == ZYDIS_CATEGORY_UNCOND_BR;
	if (!(insn->call || insn->branch) || operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return;
	if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(instruction, &operands[0], offset, &target)))
		insn->target = target + dis->base;
}

/* Zydis writes ", " between operands and one space behind the mnemonic; gdb's columns read better.
 */
static void tidy(const char *raw, char *text, size_t size)
{
	size_t mnemonic = strcspn(raw, " ");

	if (!raw[mnemonic])
		snprintf(text, size, "%s", raw);
	else
		snprintf(text, size, "%-6.*s %s", (int)mnemonic, raw, raw + mnemonic + 1);
}

static void bad_instruction(const uint8_t *bytes, struct insn *insn)
{
	insn->length = 1;
	snprintf(insn->text, sizeof(insn->text), "%-6s 0x%02x", ".byte", bytes[0]);
}

void disassemble(const struct disassembler *dis, uint64_t address, const uint8_t *bytes,
		 size_t size, struct insn *insn)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	uint64_t offset = address - dis->base;
	ZydisDecodedInstruction instruction;
	ZydisFormatter formatter;
	ZydisDecoder decoder;
	char raw[160];

	*insn = (struct insn){0};
	init_decoder(&decoder, dis->bits);
	init_formatter(&formatter, dis->syntax);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, size, &instruction, operands)) ||
	    ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &instruction, operands,
							instruction.operand_count_visible, raw,
							sizeof(raw), offset, NULL))) {
		bad_instruction(bytes, insn);
		return;
	}
	insn->valid = true;
	insn->length = instruction.length;
	tidy(raw, insn->text, sizeof(insn->text));
	classify(dis, offset, &instruction, operands, insn);
	add_symbols(dis, offset, &instruction, operands, insn);
}
