/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's modules: guest_modules.c (the list), guest_modules_file.c (their names, as a file). */
#ifndef DEBUG_GUEST_MODULES_PRIVATE_H
#define DEBUG_GUEST_MODULES_PRIVATE_H

#include "debug/guest_modules.h"

/* Where members are, in bytes: of struct module, but for those of struct mod_kallsyms. */
struct module_layout {
	uint32_t size;
	uint32_t list, state, name, kallsyms;
	uint32_t symtab, num_symtab, strtab; /* in what kallsyms points to */
	unsigned piece_count, code_pieces;   /* a bit each */
	uint32_t piece_base[MODULE_PIECES], piece_size[MODULE_PIECES];
	bool has_orc;
	uint32_t orc_count, orc_ips, orc_rules;
};

struct guest_modules {
	struct module_layout layout;
	uint64_t head; /* of the list, as linked */
	struct guest_module *module;
	unsigned count;
};

#endif
