/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What CPUID says: its leaves, and the names of features (SDM vol. 2A, CPUID; AMD manual vol. 3, appendix E). */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As CPUID returns them. */
enum cpuid_register { EAX, EBX, ECX, EDX };

struct cpuid_leaf {
	uint32_t leaf, index;
	bool indexed; /* index (ECX) matters */
	uint32_t reg[4];
};

/* The answer to EAX = leaf, ECX = index; NULL when there is none. */
const struct cpuid_leaf *cpuid_find(const struct cpuid_leaf *leaves, size_t count, uint32_t leaf,
				    uint32_t index);

struct cpuid_feature {
	const char *name; /* as -cpu takes it: "avx2", "x2apic", "sse4.1" */
	uint32_t leaf, index;
	enum cpuid_register reg;
	unsigned bit;
};

/* NULL: there is none such. */
const struct cpuid_feature *cpuid_feature_named(const char *name, size_t length);
const char *cpuid_feature_name(uint32_t leaf, uint32_t index, enum cpuid_register reg,
			       unsigned bit);
const struct cpuid_feature *cpuid_feature(size_t index);

#endif
