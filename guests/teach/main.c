// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A teaching kernel. It is entered by multiboot in flat protected mode, turns paging on, starts the second CPU that
 * the MP table names, and runs two processes in ring 3, each in an address space of its own, which share the CPU
 * by the timer: one computes, the other is a shell at the keyboard.
 */
#include "kernel.h"
#include "port.h"
#include "print.h"

#define MULTIBOOT_MAGIC 0x2badb002

void kernel_main(uint32_t magic, const uint32_t *info);

void kernel_main(uint32_t magic, const uint32_t *info)
{
	serial_init();
	text_screen_on();
	if (magic != MULTIBOOT_MAGIC)
		debug_exit(1);
	print("teach: %u KiB above 1 MiB\n", info[2]);
	paging_init();
	paging_on();
	traps_init();
	traps_load();
	disk_init();
	second_cpu_start();
	processes_init();
	processes_run();
}
