/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The modules that a Linux guest has loaded: where they lie, and their symbols, read from the guest's own list of them.
 * The kernel's image says how its structures are laid out (BTF); what the guest has in them is taken for what it is
 * and bounded. Part of debug/debug.h, the only door.
 */
#ifndef DEBUG_GUEST_MODULES_H
#define DEBUG_GUEST_MODULES_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug;
struct guest_modules;

#define MODULE_NAME_SIZE 64
#define MODULE_PIECES	 8

struct module_piece {
	uint64_t base, size;
};

struct guest_module {
	char name[MODULE_NAME_SIZE]; /* fit to print */
	struct module_piece piece
		[MODULE_PIECES];   /* as the kernel numbers them: the first is code; size 0: none */
	uint64_t symbols, strings; /* where the guest has its table */
	uint64_t orc_ips, orc_rules; /* and those for backtraces */
	uint32_t symbol_count, orc_count;
	uint32_t state; /* MODULE_STATE_LIVE etc. (Linux, include/linux/module.h) */
	uint32_t unused;
};

enum { MODULE_LIVE, MODULE_COMING, MODULE_GOING, MODULE_UNFORMED };

/* For a kernel's image, which must outlive it. -ENOENT with a sentence: it is no Linux with modules, or does not say
 * how it lays them out; -ENOMEM. */
int guest_modules_new(const void *elf, size_t size, struct guest_modules **modules,
		      struct error *err);
void guest_modules_free(struct guest_modules *modules); /* NULL is fine */

/* Reads the list through this vCPU's page tables; the kernel runs slide higher than it is linked. 1: it has changed;
 * 0: it has not; -EFAULT: it is not there, or damaged, and what was known stays. */
int guest_modules_read(struct guest_modules *modules, struct debug *debug, int vcpu,
		       uint64_t slide);
/* Forgets what was read. */
void guest_modules_forget(struct guest_modules *modules);

unsigned guest_modules_count(const struct guest_modules *modules);
const struct guest_module *guest_modules_at(const struct guest_modules *modules, unsigned index);
/* The module that an address lies in; NULL: none. */
const struct guest_module *guest_modules_find(const struct guest_modules *modules,
					      uint64_t address);
/* Bytes of all its pieces. */
uint64_t guest_module_size(const struct guest_module *module);

/* Makes an ELF file of their names as they are now, malloc'd: a section for each piece, and symbols. NULL: out of
 * memory. */
void *guest_modules_file(const struct guest_modules *modules, struct debug *debug, int vcpu,
			 size_t *size);

#endif
