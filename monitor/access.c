// SPDX-License-Identifier: GPL-3.0-or-later
/* Registers by the names people type, and memory with reasons. */
#include "monitor/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A part of a register: eax, ax, al and ah of rax. */
struct part {
	unsigned reg; /* row of the register table */
	unsigned shift, bits;
};

static uint64_t mask_of(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}

/* Whether name is what follows a prefix letter of a full name: "eax" of "rax", "ax" of "rax". */
static bool old_part(const char *name, const char *full, struct part *part)
{
	char stem = full[1];

	if (name[0] == 'e' && !strcmp(name + 1, full + 1))
		part->bits = 32;
	else if (!strcmp(name, full + 1))
		part->bits = 16;
	else if (strlen(name) == 2 && full[2] == 'x' && name[0] == stem && strchr("lh", name[1]))
		part->bits = 8;
	else if (strlen(name) == 3 && full[2] != 'x' && !strncmp(name, full + 1, 2) &&
		 name[2] == 'l')
		part->bits = 8;
	else
		return false;
	part->shift = part->bits == 8 && strlen(name) == 2 && name[1] == 'h' ? 8 : 0;
	return true;
}

/* r8d, r8w, r8b. */
static bool new_part(const char *name, const char *full, struct part *part)
{
	size_t size = strlen(full);
	const char *suffix;

	if (strncmp(name, full, size) || strlen(name) != size + 1)
		return false;
	suffix = strchr("bwd", name[size]);
	if (!suffix)
		return false;
	part->bits = *suffix == 'b' ? 8 : *suffix == 'w' ? 16 : 32;
	part->shift = 0;
	return true;
}

static bool find_part(const char *name, struct part *part)
{
	for (unsigned i = 0; i < register_count; i++) {
		const char *full = registers[i].name;

		if (registers[i].group != REG_CORE || registers[i].bits != 64 || full[0] != 'r')
			continue;
		part->reg = i;
		if (full[1] >= '0' && full[1] <= '9' ? new_part(name, full, part)
						     : old_part(name, full, part))
			return true;
	}
	return false;
}

/* A whole register, an alias of one, or a part of one. */
static int find_register(const char *name, struct part *part, struct error *err)
{
	int reg = register_find(name);

	if (reg < 0) {
		if (find_part(name, part))
			return 0;
		return error_set(err, -ENOENT,
				 "there is no register `$%.40s`; `info registers -a` lists them",
				 name);
	}
	*part = (struct part){.reg = reg, .bits = registers[reg].bits};
	if (part->bits > 64)
		return error_set(err, -EINVAL,
				 "$%s has %u bits and is no number; see `info registers %s`", name,
				 part->bits, name);
	return 0;
}

static int read_register(struct monitor *monitor, int cpu, unsigned reg, uint64_t *value,
			 struct error *err)
{
	int ret;

	*value = 0;
	ret = debug_reg_get(monitor->debug, cpu, reg, value);
	if (ret == -EBUSY)
		return error_set(err, ret, "the guest is running; `stop` it to look at registers");
	return ret ? error_set(err, ret, "$%s cannot be read: %s", registers[reg].name,
			       strerror(-ret))
		   : 0;
}

/* What must be added to an offset into a segment for its linear address; 0 in long mode. */
static uint64_t segment_base(struct monitor *monitor, int cpu, enum cpu_segment_name segment)
{
	const struct cpu_state *state = debug_state(monitor->debug, cpu, CPU_GENERAL | CPU_SYSTEM);

	return state ? cpu_linear(state, segment, 0) : 0;
}

/* $pc and $sp are linear, so that x/i $pc is right in real mode too; $rip and $rsp are as they are.
 */
static bool is_linear_name(const char *name, enum cpu_segment_name *segment)
{
	*segment = !strcmp(name, "pc") ? SEG_CS : SEG_SS;
	return !strcmp(name, "pc") || !strcmp(name, "sp");
}

static void compile_part(const struct part *part, struct program_builder *builder)
{
	program_append(builder, PROGRAM_REGISTER, part->reg);
	if (part->shift) {
		program_append(builder, PROGRAM_CONST, part->shift);
		program_append(builder, PROGRAM_RSH_UNSIGNED, 0);
	}
	if (part->bits < registers[part->reg].bits)
		program_append(builder, PROGRAM_ZERO_EXTEND, part->bits);
}

int register_compile(const char *name, struct program_builder *builder, struct error *err)
{
	enum cpu_segment_name segment;
	struct part part;
	int ret;

	if (!strcmp(name, "_cpu")) {
		program_append(builder, PROGRAM_VCPU, 0);
		return 0;
	}
	if (is_linear_name(name, &segment)) {
		program_append(builder, segment == SEG_CS ? PROGRAM_PC : PROGRAM_SP, 0);
		return 0;
	}
	ret = find_register(name, &part, err);
	if (!ret)
		compile_part(&part, builder);
	return ret;
}

int monitor_register_get(struct monitor *monitor, int cpu, const char *name, uint64_t *value,
			 struct error *err)
{
	struct program_builder builder = {0};
	struct program *program;
	int ret = register_compile(name, &builder, err);

	program_append(&builder, PROGRAM_END, 0);
	if (ret)
		program_abandon(&builder);
	else
		ret = program_finish(&builder, NULL, &program, err);
	if (ret)
		return ret;
	ret = monitor_run(monitor, cpu, program, value, err);
	program_free(program);
	return ret;
}

/* As the processor does it: writing 32 bits clears the upper half, writing fewer leaves the rest.
 */
static uint64_t merge(const struct part *part, uint64_t old, uint64_t value)
{
	uint64_t mask = mask_of(part->bits) << part->shift;

	if (part->bits >= 32)
		return value & mask_of(part->bits);
	return (old & ~mask) | (value << part->shift & mask);
}

static int check_fits(const struct part *part, const char *name, uint64_t value, struct error *err)
{
	uint64_t high = value & ~mask_of(part->bits);

	if (high && high != ~mask_of(part->bits))
		return error_set(err, -ERANGE, "0x%" PRIx64 " does not fit into the %u bits of $%s",
				 value, part->bits, name);
	return 0;
}

static int write_register(struct monitor *monitor, int cpu, const struct part *part, uint64_t value,
			  struct error *err)
{
	const char *name = registers[part->reg].name;
	uint64_t old;
	int ret = read_register(monitor, cpu, part->reg, &old, err);

	if (ret)
		return ret;
	value = merge(part, old, value);
	ret = debug_reg_set(monitor->debug, cpu, part->reg, &value);
	if (ret == -EPERM)
		return error_set(err, ret, "$%s cannot be changed", name);
	if (ret == -EINVAL)
		return error_set(err, ret, "no processor can hold 0x%" PRIx64 " in $%s", value,
				 name);
	return ret ? error_set(err, ret, "$%s cannot be set: %s", name, strerror(-ret)) : 0;
}

int monitor_register_set(struct monitor *monitor, int cpu, const char *name, uint64_t value,
			 struct error *err)
{
	enum cpu_segment_name segment;
	struct part part;
	int ret;

	if (is_linear_name(name, &segment)) {
		name = segment == SEG_CS ? "rip" : "rsp";
		value -= segment_base(monitor, cpu, segment);
	}
	ret = find_register(name, &part, err);
	if (!ret)
		ret = check_fits(&part, name, value, err);
	return ret ? ret : write_register(monitor, cpu, &part, value, err);
}

/* ---- memory -------------------------------------------------------------------------------- */

static int unmapped(struct monitor *monitor, int cpu, uint64_t address, struct error *err)
{
	struct paging_walk walk;
	int fault = debug_walk(monitor->debug, cpu, address, &walk);

	if (fault == PAGING_OK)
		return error_set(err, -EFAULT,
				 "there is no RAM behind 0x%" PRIx64 ": it is physical 0x%" PRIx64,
				 address, walk.gpa);
	if (fault < 0)
		return error_set(err, fault, "0x%" PRIx64 " cannot be read: %s", address,
				 strerror(-fault));
	return error_set(err, -EFAULT,
			 "0x%" PRIx64 " is not mapped: %s; `pt 0x%" PRIx64 "` shows where", address,
			 paging_fault_name(fault), address);
}

ssize_t monitor_read(struct monitor *monitor, int cpu, bool physical, uint64_t address, void *buf,
		     size_t size, struct error *err)
{
	enum space space = physical ? SPACE_PHYSICAL : SPACE_LINEAR;
	ssize_t done = debug_read(monitor->debug, cpu, space, address, buf, size);

	if (done > 0)
		return done;
	if (done == -EBUSY)
		return error_set(err, done, "the guest is running; `stop` it to look at memory");
	if (physical)
		return error_set(err, -EFAULT, "there is no RAM at physical 0x%" PRIx64, address);
	return unmapped(monitor, cpu, address, err);
}

bool guest_view_read(void *ctx, uint64_t linear, void *buf, size_t len)
{
	const struct guest_view *view = ctx;

	return monitor_read(view->monitor, view->cpu, false, linear, buf, len, NULL) ==
	       (ssize_t)len;
}
