// SPDX-License-Identifier: GPL-3.0-or-later
/* What to say of an instruction that the host's KVM cannot execute: which it is, and what to do about it. */
#include "debug/core.h"

#include "x86/instruction.h"

#include <stdio.h>
#include <string.h>

static bool is_simd(const struct instruction *insn, const char *text)
{
	(void)text;
	return insn->simd;
}

static bool is_cmpxchg16b(const struct instruction *insn, const char *text)
{
	(void)insn;
	return strstr(text, "cmpxchg16b");
}

static bool is_software_interrupt(const struct instruction *insn, const char *text)
{
	(void)text;
	return insn->kind == INSN_INT || insn->kind == INSN_INT3 || insn->kind == INSN_INTO ||
	       insn->kind == INSN_INT1;
}

static bool is_anything(const struct instruction *insn, const char *text)
{
	(void)insn;
	(void)text;
	return true;
}

static const struct {
	bool (*applies)(const struct instruction *insn, const char *text);
	const char *advice;
} advices[] = {
	{is_simd, "compile the guest's kernel with -mgeneral-regs-only, or use"},
	{is_cmpxchg16b, "compile the guest's kernel without -mcx16, or use"},
	{is_software_interrupt, "let the kernel call its handler itself, or use"},
	{is_anything, "avoid it in the guest's kernel, or use"},
};

static const char *advice_for(const struct instruction *insn, const char *text)
{
	unsigned i = 0;

	while (!advices[i].applies(insn, text))
		i++;
	return advices[i].advice;
}

/* The exit brings the bytes that the emulator saw; older kernels bring none. */
static bool find_instruction(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit,
			     struct instruction *insn)
{
	struct core_place place = {debug, vcpu};
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	*insn = (struct instruction){0};
	if (!state)
		return false;
	if (exit->internal.insn_length)
		return instruction_decode(state, cpu_linear_pc(state), exit->internal.insn,
					  exit->internal.insn_length, insn);
	return instruction_fetch(state, cpu_linear_pc(state), core_read_linear, &place, insn);
}

static void hex_bytes(char *buf, size_t size, const uint8_t *bytes, unsigned count)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < count && n + 4 < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%02x", i ? " " : "", bytes[i]);
}

void core_describe_emulation_failure(struct debug *debug, struct vcpu *vcpu,
				     const struct vm_exit *exit, char *text, size_t size)
{
	struct instruction insn;
	char what[64], bytes[48];

	if (!find_instruction(debug, vcpu, exit, &insn)) {
		hex_bytes(bytes, sizeof(bytes), exit->internal.insn,
			  exit->internal.insn_length < 8 ? exit->internal.insn_length : 8);
		snprintf(text, size,
			 "what is here (%s) is no instruction in the present mode: the guest has "
			 "jumped into "
			 "data, or overwritten its code; its stack may tell from where",
			 bytes[0] ? bytes : "unreadable");
		return;
	}
	instruction_text(&insn, what, sizeof(what));
	hex_bytes(bytes, sizeof(bytes), insn.bytes, insn.length);
	snprintf(
		text, size,
		"this host's KVM cannot execute '%s' here (bytes %s): %s a host with VT-x or AMD-V",
		what, bytes, advice_for(&insn, what));
}
