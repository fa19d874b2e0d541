/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The get and set functions of the register table; nobody else needs them. Their contract stands in
 * struct register_desc; what follows says only what is special about each. */
#ifndef X86_REGISTER_ACCESS_H
#define X86_REGISTER_ACCESS_H

#include "x86/registers.h"

#define REGISTER_GET(what)                                                                         \
	void register_get_##what(const struct register_desc *reg, const struct cpu_state *state,   \
				 void *value)
#define REGISTER_SET(what)                                                                         \
	int register_set_##what(const struct register_desc *reg, struct cpu_state *state,          \
				const void *value)

/* For setters. The value that is to be written, and what is stored, as numbers. */
uint64_t register_wanted(const struct register_desc *reg, const void *value);
uint64_t register_stored(const struct register_desc *reg, const struct cpu_state *state);
/* Whether value is what reg->get gives: writing that is always fine. */
bool register_same(const struct register_desc *reg, const struct cpu_state *state,
		   const void *value);
/* Stores word if it is valid and fits, or if it is what gdb reads there already; else -EINVAL. */
int register_store(const struct register_desc *reg, struct cpu_state *state, uint64_t word,
		   bool valid);

/* register_access.c */
REGISTER_GET(word);	 /* size bytes, zero-extended */
REGISTER_SET(word);	 /* anything that fits */
REGISTER_SET(refused);	 /* -EPERM */
REGISTER_SET(canonical); /* an address that exists in the present paging mode */
REGISTER_SET(rip);
REGISTER_SET(rflags);
REGISTER_SET(dr6);
REGISTER_SET(dr7);
REGISTER_GET(msr);
REGISTER_SET(msr);

/* register_system.c */
REGISTER_SET(selector);
REGISTER_SET(base);
REGISTER_SET(limit);
REGISTER_GET(attributes); /* offset is that of the struct cpu_segment */
REGISTER_SET(cr0);
REGISTER_SET(cr3);
REGISTER_SET(cr4);
REGISTER_SET(cr8);
REGISTER_SET(efer);
REGISTER_SET(apic_base);
REGISTER_SET(xcr0);

/* register_fpu.c: offset lies in the legacy region of the XSAVE area */
REGISTER_GET(fpu);
REGISTER_SET(fpu);
REGISTER_SET(fctrl);
REGISTER_SET(fop);
REGISTER_GET(ftag);
REGISTER_SET(ftag);
REGISTER_SET(mxcsr);

/* register_vector.c: reg->component says where offset begins */
REGISTER_GET(component);
REGISTER_SET(component);

#endif
