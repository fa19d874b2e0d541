// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/layout.h"

#include <stdio.h>
#include <string.h>

/* ELF's e_machine, at the same place in both classes (ELF specification, "ELF header"). */
#define ELF_MACHINE_OFFSET 18
#define ELF_MACHINE_386	   3

static bool image_is_32_bit(struct debug *debug)
{
	const char *path;
	size_t size;
	const uint8_t *elf = debug_image(debug, &size, &path);

	return elf && size > ELF_MACHINE_OFFSET + 1 && elf[ELF_MACHINE_OFFSET] == ELF_MACHINE_386 &&
	       elf[ELF_MACHINE_OFFSET + 1] == 0;
}

enum gdb_arch layout_choose(struct debug *debug)
{
	const struct cpu_state *state = debug_state(debug, 0, CPU_GENERAL | CPU_SYSTEM);
	bool long_mode = state && cpu_mode(state) == MODE_LONG;

	return image_is_32_bit(debug) && !long_mode ? GDB_ARCH_I386 : GDB_ARCH_X86_64;
}

/* rax … r15 and rip: the general registers, which are narrower in 32-bit code. */
static bool is_general(unsigned reg)
{
	return registers[reg].group == REG_CORE && registers[reg].bits == 64;
}

/* r8 … r15, xmm8 … xmm15: 32-bit code has no names for them. */
static bool is_for_64_bits(unsigned reg)
{
	const char *name = registers[reg].name;

	if (is_general(reg))
		return name[0] == 'r' && name[1] >= '0' && name[1] <= '9';
	return registers[reg].group == REG_SSE && !strncmp(name, "xmm", 3) &&
	       (name[3] >= '8' || name[4]);
}

size_t layout_bytes(enum gdb_arch arch, unsigned reg)
{
	if (arch == GDB_ARCH_X86_64 || (!is_general(reg) && !is_for_64_bits(reg)))
		return registers[reg].bits / 8;
	return is_for_64_bits(reg) ? 0 : 4;
}

const char *layout_type(enum gdb_arch arch, unsigned reg)
{
	const char *type = registers[reg].gdb_type;

	return arch == GDB_ARCH_I386 && !strcmp(type, "int64") ? "int32" : type;
}

/* gdb knows fs_base and gs_base of 64-bit code only. */
const char *layout_feature(enum gdb_arch arch, enum register_group group)
{
	if (arch == GDB_ARCH_I386 && group == REG_SEGMENTS)
		return "org.vitrine.x86.segments";
	return register_group_gdb_feature(group);
}

void layout_name(enum gdb_arch arch, unsigned reg, char name[LAYOUT_NAME_MAX])
{
	snprintf(name, LAYOUT_NAME_MAX, "%s", registers[reg].name);
	if (arch == GDB_ARCH_I386 && is_general(reg))
		name[0] = 'e';
}
