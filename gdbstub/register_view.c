// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gdb has one flat address space and reads memory at the values of pc and sp. So rip and rsp are
 * shown as the linear addresses that CS and SS make of them: the same thing in long mode and with
 * flat segments, base plus offset in real mode. On a write the offset is worked out again. rbp
 * stays an offset: it is an ordinary register as often as a frame pointer, and gdb would write
 * wrong values back.
 */
#include "gdbstub/stub.h"

#include <errno.h>
#include <string.h>

int view_renew(struct gdb_session *s)
{
	const struct gdb_file *program = s->config.file_count ? s->config.files : NULL;

	return layout_make(&s->layout, s->debug, s->general, s->config.arch, program);
}

size_t view_size(const struct gdb_session *s, unsigned reg)
{
	return s->layout.reg[reg].bytes;
}

static const struct cpu_state *addressing_state(struct gdb_session *s, unsigned vcpu)
{
	return debug_state(s->debug, (int)vcpu, CPU_GENERAL | CPU_SYSTEM);
}

static bool is_address(const struct gdb_session *s, unsigned row)
{
	return (int)row == s->rip || (int)row == s->rsp;
}

static uint64_t linear(const struct gdb_session *s, const struct cpu_state *state, unsigned row)
{
	return (int)row == s->rip ? cpu_linear_pc(state) : cpu_linear_sp(state);
}

int view_get(struct gdb_session *s, unsigned vcpu, unsigned reg, void *value)
{
	const struct cpu_state *state;
	unsigned row = layout_row(&s->layout, reg);
	uint64_t address;

	if (!is_address(s, row))
		return debug_reg_get(s->debug, (int)vcpu, row, value);
	state = addressing_state(s, vcpu);
	if (!state)
		return -EBUSY;
	address = linear(s, state, row);
	memcpy(value, &address, sizeof(address));
	return 0;
}

/* The offset that rip or rsp must hold so that it means this linear address. */
static int offset_of(const struct gdb_session *s, const struct cpu_state *state, unsigned row,
		     uint64_t address, uint64_t *offset)
{
	struct cpu_state copy = {.general = state->general, .system = state->system};

	if ((int)row == s->rip) {
		int ret = cpu_set_linear_pc(&copy, address);

		*offset = copy.general.rip;
		return ret;
	}
	*offset = address - cpu_linear(state, SEG_SS, 0);
	copy.general.gpr[GPR_RSP] = *offset;
	return cpu_linear_sp(&copy) == address ? 0 : -ERANGE;
}

static int set_address(struct gdb_session *s, unsigned vcpu, unsigned row, uint64_t address)
{
	const struct cpu_state *state = addressing_state(s, vcpu);
	uint64_t offset;
	int ret;

	if (!state)
		return -EBUSY;
	/* Bits of rsp that 16-bit code does not see survive when gdb writes back what it read. */
	if (linear(s, state, row) == address)
		return 0;
	ret = offset_of(s, state, row, address, &offset);
	return ret ? ret : debug_reg_set(s->debug, (int)vcpu, row, &offset);
}

/* When a guest function that gdb called is done, gdb writes all registers back as it read them before.
 * Those that nobody can write, clocks among them, must not spoil that. */
static bool is_what_was_told(const struct gdb_session *s, unsigned reg, const void *wide)
{
	return view_size(s, reg) <= sizeof(s->told[reg]) &&
	       memcmp(&s->told[reg], wide, sizeof(s->told[reg])) == 0;
}

/* A register by its 32-bit name gets zeros above, as every instruction does it. */
int view_set(struct gdb_session *s, unsigned vcpu, unsigned reg, const void *value)
{
	uint8_t wide[REGISTER_MAX_BYTES] = {0};
	unsigned row = layout_row(&s->layout, reg);
	uint64_t address;

	memcpy(wide, value, view_size(s, reg));
	if (!registers[row].writable && !debug_running(s->debug) && is_what_was_told(s, reg, wide))
		return 0;
	if (!is_address(s, row))
		return debug_reg_set(s->debug, (int)vcpu, row, wide);
	memcpy(&address, wide, sizeof(address));
	return set_address(s, vcpu, row, address);
}

void view_append(struct gdb_session *s, unsigned vcpu, unsigned reg)
{
	const struct register_desc *desc = &registers[layout_row(&s->layout, reg)];
	const struct cpu_state *state = debug_state(s->debug, (int)vcpu, desc->state);
	uint8_t value[REGISTER_MAX_BYTES];
	size_t size = view_size(s, reg);

	if (state && register_available(desc, state) && view_get(s, vcpu, reg, value) == 0) {
		memcpy(&s->told[reg], value, size < 8 ? size : 8);
		reply_hex(&s->reply, value, size);
		return;
	}
	for (size_t i = 0; i < size; i++)
		reply_text(&s->reply, "xx");
}
