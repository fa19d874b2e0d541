// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A boot program at low addresses and a kernel that is linked high, as most kernels are: none of its
 * addresses exists before the boot program has mapped them.
 *
 * high.elf has the kernel at 4 MiB, where it stays. packed.elf has it as data, every four bytes of it
 * turned round, and unpacks it to 8 MiB: before that, its code is nowhere in memory.
 *
 * Command line: move      high.elf: the kernel is moved to 8 MiB first, and wiped where it was
 *               rounds=N  the kernel runs its course N times (1)
 */
#include "arguments.h"
#include "cpu64.h"
#include "high.h"
#include "print.h"

#define ENTRIES 512

extern const uint32_t packed[] __attribute__((weak));
extern const uint64_t packed_size __attribute__((weak));

static uint64_t high_pdpt[ENTRIES] __attribute__((aligned(4096)));
static uint64_t high_directory[ENTRIES] __attribute__((aligned(4096)));

void unpack_kernel(uint32_t *to);
void move_kernel(uint64_t *to, uint64_t *from);
void map_kernel(uint64_t place);
void enter_kernel(unsigned long rounds, uint64_t place);

void unpack_kernel(uint32_t *to)
{
	for (uint64_t i = 0; i < packed_size / 4; i++)
		to[i] = __builtin_bswap32(packed[i]);
}

void move_kernel(uint64_t *to, uint64_t *from)
{
	for (uint64_t i = 0; i < KERNEL_SIZE / 8; i++) {
		to[i] = from[i];
		from[i] = 0;
	}
}

void map_kernel(uint64_t place)
{
	uint64_t *pml4 = (uint64_t *)read_cr3();

	high_directory[0] = place | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE;
	high_pdpt[ENTRIES - 2] = (uint64_t)high_directory | PAGE_PRESENT | PAGE_WRITE;
	pml4[ENTRIES - 1] = (uint64_t)high_pdpt | PAGE_PRESENT | PAGE_WRITE;
}

void enter_kernel(unsigned long rounds, uint64_t place)
{
	((kernel_entry_fn *)KERNEL_BASE)(rounds, place);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	uint64_t place = KERNEL_LOADED;

	(void)ram_size;
	serial_init();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	exceptions_init();
	if (packed) {
		place = KERNEL_MOVED;
		unpack_kernel((uint32_t *)place);
	} else if (argument_given(command_line, "move")) {
		place = KERNEL_MOVED;
		move_kernel((uint64_t *)place, (uint64_t *)KERNEL_LOADED);
	}
	print("high: the kernel lies at 0x%lx\n", place);
	map_kernel(place);
	enter_kernel(argument_number(command_line, "rounds", 1), place);
}
