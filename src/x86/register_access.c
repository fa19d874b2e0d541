// SPDX-License-Identifier: GPL-3.0-or-later
/* Getting and setting what is stored as a number; debug registers and MSRs; what there is. */
#include "x86/register_access.h"

#include "x86/mode.h"
#include "x86/msr.h"

#include <errno.h>
#include <string.h>

/* CF PF AF ZF SF TF IF DF OF IOPL NT RF VM AC VIF VIP ID. */
#define RFLAGS_KNOWN 0x3f7fd5ull

/* What reads as 1 whatever is written: DR6 also where the CPU has neither bus-lock detection nor
 * restricted transactional memory (SDM vol. 3B, 18.2). */
#define DR6_FIXED 0xffff0ff0ull
#define DR6_KNOWN 0xe00full
#define DR7_FIXED 0x400ull
#define DR7_KNOWN 0xffff23ffull

uint64_t register_wanted(const struct register_desc *reg, const void *value)
{
	uint64_t word = 0;

	memcpy(&word, value, reg->bits / 8);
	return word;
}

uint64_t register_stored(const struct register_desc *reg, const struct cpu_state *state)
{
	uint64_t word = 0;

	memcpy(&word, (const char *)state + reg->offset, reg->size);
	return word;
}

bool register_same(const struct register_desc *reg, const struct cpu_state *state,
		   const void *value)
{
	uint8_t now[REGISTER_MAX_BYTES];

	reg->get(reg, state, now);
	return !memcmp(now, value, reg->bits / 8);
}

int register_store(const struct register_desc *reg, struct cpu_state *state, uint64_t word,
		   bool valid)
{
	bool fits = reg->size == 8 || word >> (8 * reg->size) == 0;
	uint64_t visible = ~0ull >> (64 - reg->bits);

	if (word == (register_stored(reg, state) & visible))
		return 0;
	if (!valid || !fits)
		return -EINVAL;
	memcpy((char *)state + reg->offset, &word, reg->size);
	return 0;
}

REGISTER_GET(word)
{
	uint64_t word = register_stored(reg, state);

	memcpy(value, &word, reg->bits / 8);
}

REGISTER_SET(word)
{
	return register_store(reg, state, register_wanted(reg, value), true);
}

REGISTER_SET(refused)
{
	(void)reg, (void)state, (void)value;
	return -EPERM;
}

REGISTER_SET(canonical)
{
	uint64_t word = register_wanted(reg, value);

	return register_store(reg, state, word, cpu_canonical(state, word));
}

REGISTER_SET(rip)
{
	uint64_t word = register_wanted(reg, value);
	bool is_long = cpu_mode(state) == MODE_LONG;

	return register_store(reg, state, word,
			      is_long ? cpu_canonical(state, word) : !(word >> 32));
}

/* fixed: bits that the CPU holds at 1. */
static int store_fixed(const struct register_desc *reg, struct cpu_state *state, const void *value,
		       uint64_t known, uint64_t fixed)
{
	uint64_t word = register_wanted(reg, value);

	if (register_same(reg, state, value))
		return 0;
	return register_store(reg, state, word | fixed, !(word & ~(known | fixed)));
}

REGISTER_SET(rflags)
{
	if ((register_wanted(reg, value) ^ register_stored(reg, state)) & RFLAGS_VM)
		return -EINVAL;
	return store_fixed(reg, state, value, RFLAGS_KNOWN, RFLAGS_FIXED);
}

REGISTER_SET(dr6)
{
	return store_fixed(reg, state, value, DR6_KNOWN, DR6_FIXED);
}

REGISTER_SET(dr7)
{
	return store_fixed(reg, state, value, DR7_KNOWN, DR7_FIXED);
}

static enum cpu_msr slot_of(const struct register_desc *reg)
{
	return (reg->offset - offsetof(struct cpu_state, msrs.value)) / sizeof(uint64_t);
}

/* PKRU needs no bit of XCR0: rdpkru asks CR4 alone. */
static bool switched_on(const struct register_desc *reg, const struct cpu_state *state)
{
	return reg->component == XSAVE_PKRU || state->fpu.xcr0 >> reg->component & 1;
}

bool register_exists(const struct register_desc *reg, const struct cpu_state *state)
{
	return !reg->component || state->fpu.component[reg->component];
}

const char *register_missing(const struct register_desc *reg, const struct cpu_state *state)
{
	if (reg->state == CPU_MSRS && !state->msrs.valid[slot_of(reg)])
		return "this host's KVM does not know it";
	if (!register_exists(reg, state))
		return "this CPU lacks it";
	if (reg->component && !switched_on(reg, state))
		return "XCR0 has switched it off";
	return NULL;
}

bool register_available(const struct register_desc *reg, const struct cpu_state *state)
{
	return !register_missing(reg, state);
}

REGISTER_GET(msr)
{
	uint64_t word = register_available(reg, state) ? register_stored(reg, state) : 0;

	memcpy(value, &word, reg->bits / 8);
}

REGISTER_SET(msr)
{
	uint64_t word = register_wanted(reg, value);

	if (!register_available(reg, state))
		return -EINVAL;
	return register_store(reg, state, word, msr_value_valid(slot_of(reg), word, state));
}
