// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- architectures -------------------------------------------------------------- */

const char *gdb_arch_name(enum gdb_arch arch)
{
	static const char *const names[] = {
		[GDB_ARCH_AUTO] = "auto",
		[GDB_ARCH_X86_64] = "i386:x86-64",
		[GDB_ARCH_I386] = "i386",
		[GDB_ARCH_I8086] = "i8086",
	};

	return names[arch];
}

enum gdb_arch gdb_arch_of(enum cpu_mode mode)
{
	unsigned bits = cpu_mode_bits(mode);

	return bits == 64 ? GDB_ARCH_X86_64 : bits == 32 ? GDB_ARCH_I386 : GDB_ARCH_I8086;
}

/* ELF's class, at the same place in both (ELF specification, "ELF identification"). */
static bool is_64_bit_program(const struct gdb_file *file)
{
	static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2};

	if (file && file->make)
		return true;
	return file && file->size > sizeof(magic) && !memcmp(file->bytes, magic, sizeof(magic));
}

/* ---- registers ------------------------------------------------------------------ */

/* rax … r15 and rip: the general registers, which are narrower in 32-bit code. */
static bool is_general(unsigned row)
{
	return registers[row].group == REG_CORE && registers[row].bits == 64;
}

/* The number in a name: 8 of r8, 12 of ymm12h. */
static unsigned number_of(const char *name)
{
	return (unsigned)strtoul(name + strcspn(name, "0123456789"), NULL, 10);
}

/* r8 … r15, xmm8 … xmm31 and their like: 32-bit code cannot name them. */
static bool is_for_64_bits(unsigned row)
{
	return registers[row].group <= REG_AVX512 && number_of(registers[row].name) >= 8;
}

static unsigned narrow_count(void)
{
	unsigned count = 0;

	for (unsigned row = 0; row < register_count; row++)
		count += is_general(row) && !is_for_64_bits(row);
	return count;
}

static unsigned find_row(unsigned number)
{
	unsigned row = 0;

	if (number < register_count)
		return number;
	for (number -= register_count; number || !is_general(row) || is_for_64_bits(row); row++)
		number -= is_general(row) && !is_for_64_bits(row);
	return row;
}

unsigned layout_row(const struct layout *layout, unsigned number)
{
	return layout->reg[number].row;
}

int layout_narrow(const struct layout *layout, unsigned row)
{
	return layout->reg[row].beside;
}

/* Of vector registers, gdb's 32-bit architectures cannot use them all and list the rest among the general
 * ones: outside long mode, only those that the guest has switched on are worth it. */
static bool is_worth_it(const struct layout *layout, const struct register_desc *reg,
			const struct cpu_state *fpu)
{
	if (!reg->component)
		return true;
	if (!fpu)
		return false;
	return layout->names == NAMES_64 ? register_exists(reg, fpu) : register_available(reg, fpu);
}

/* gdb rejects a description with half of a feature, or with AVX-512 and no AVX. */
static void find_features(const struct layout *layout, const struct cpu_state *fpu,
			  bool there[REG_GROUP_COUNT])
{
	for (unsigned group = 0; group < REG_GROUP_COUNT; group++)
		there[group] = true;
	for (unsigned row = 0; row < register_count; row++) {
		if (!is_worth_it(layout, &registers[row], fpu))
			there[registers[row].group] = false;
	}
	there[REG_AVX512] &= there[REG_AVX];
}

static void lay_out(struct layout *layout, const struct cpu_state *fpu)
{
	bool there[REG_GROUP_COUNT];

	find_features(layout, fpu, there);
	for (unsigned n = 0; n < layout->count; n++) {
		struct layout_register *reg = &layout->reg[n];
		unsigned row = find_row(n);
		bool is_32 = layout->names == NAMES_32;

		*reg = (struct layout_register){.row = (uint16_t)row, .beside = -1};
		if (!there[registers[row].group] || (is_32 && is_for_64_bits(row)) ||
		    (n >= register_count && layout->names != NAMES_BOTH))
			continue;
		reg->narrow = n >= register_count || (is_32 && is_general(row));
		reg->bytes = (uint8_t)(reg->narrow ? 4 : registers[row].bits / 8);
		if (n != row)
			layout->reg[row].beside = (int16_t)n;
	}
}

static unsigned count_g(void)
{
	unsigned count = 0;

	while (count < register_count && registers[count].group <= REG_SEGMENTS)
		count++;
	return count;
}

int layout_set(struct layout *layout, enum gdb_arch arch, enum layout_names names,
	       const struct cpu_state *cpu)
{
	if (!layout->reg) {
		layout->count = register_count + narrow_count();
		layout->g_count = count_g();
		layout->reg = calloc(layout->count + 1, sizeof(*layout->reg));
		if (!layout->reg)
			return -ENOMEM;
	}
	layout->arch = arch;
	layout->names = names;
	lay_out(layout, cpu);
	return 0;
}

/* A kernel that is linked for long mode has symbols beyond 4 GiB, and gdb's 32-bit architectures cut
 * addresses off there: breakpoints that are set ahead would be lost. */
static enum gdb_arch choose(enum cpu_mode mode, const struct gdb_file *program)
{
	return is_64_bit_program(program) ? GDB_ARCH_X86_64 : gdb_arch_of(mode);
}

int layout_make(struct layout *layout, struct debug *debug, unsigned vcpu, enum gdb_arch wish,
		const struct gdb_file *program)
{
	const struct cpu_state *state = debug_state(debug, (int)vcpu, CPU_GENERAL | CPU_SYSTEM);
	enum cpu_mode mode = state ? cpu_mode(state) : MODE_LONG;
	const struct cpu_state *cpu = debug_state(debug, (int)vcpu, CPU_FPU);

	layout->chosen = wish != GDB_ARCH_AUTO;
	if (layout->chosen)
		return layout_set(layout, wish, wish == GDB_ARCH_X86_64 ? NAMES_64 : NAMES_32, cpu);
	return layout_set(layout, choose(mode, program), mode == MODE_LONG ? NAMES_64 : NAMES_BOTH,
			  cpu);
}

void layout_free(struct layout *layout)
{
	free(layout->reg);
	*layout = (struct layout){0};
}

/* ---- words ---------------------------------------------------------------------- */

static bool is_pointer(const char *type)
{
	return !strcmp(type, "code_ptr") || !strcmp(type, "data_ptr");
}

const char *layout_type(const struct layout *layout, unsigned number)
{
	const char *type = registers[layout_row(layout, number)].gdb_type;
	bool narrow = layout->reg[number].narrow;

	if (layout->names == NAMES_BOTH && is_pointer(type))
		return narrow ? "uint32" : "uint64";
	return narrow && !strcmp(type, "int64") ? "int32" : type;
}

/* gdb wants fs_base and gs_base for x86-64 alone; its i386 stumbles over the feature. */
const char *layout_feature(const struct layout *layout, enum register_group group)
{
	if (group == REG_SEGMENTS && layout->names != NAMES_64)
		return "org.vitrine.x86.segments";
	return register_group_gdb_feature(group);
}

void layout_name(const struct layout *layout, unsigned number, char name[LAYOUT_NAME_MAX])
{
	snprintf(name, LAYOUT_NAME_MAX, "%s", registers[layout_row(layout, number)].name);
	if (layout->reg[number].narrow)
		name[0] = 'e';
}
