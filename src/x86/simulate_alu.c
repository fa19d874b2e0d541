// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Arithmetic as the processor does it: by letting it. The guest's processor is the host's, so flags that
 * the manuals leave undefined come out as the guest would have seen them.
 *
 * The flags travel over the stack, and the compiler may keep something in the 128 bytes below it.
 */
#include "x86/simulate_private.h"

// clang-format off
#define WITH_FLAGS(instruction)                                                                    \
	"lea -128(%%rsp), %%rsp\n\t"                                                               \
	"push %[flags]\n\t"                                                                        \
	"popfq\n\t"                                                                                \
	instruction "\n\t"                                                                         \
	"pushfq\n\t"                                                                               \
	"pop %[flags]\n\t"                                                                         \
	"lea 128(%%rsp), %%rsp"

#define BINARY(name, op, bits, size)                                                               \
	static uint64_t name##bits(uint64_t a, uint64_t b, uint64_t *flags)                        \
	{                                                                                          \
		__asm__(WITH_FLAGS(op " %" size "[b], %" size "[a]")                               \
			: [a] "+q"(a), [flags] "+r"(*flags) : [b] "q"(b) : "cc", "memory");        \
		return a;                                                                          \
	}
#define SHIFT(name, op, bits, size)                                                                \
	static uint64_t name##bits(uint64_t a, uint64_t b, uint64_t *flags)                        \
	{                                                                                          \
		__asm__(WITH_FLAGS(op " %%cl, %" size "[a]")                                       \
			: [a] "+q"(a), [flags] "+r"(*flags) : "c"(b) : "cc", "memory");            \
		return a;                                                                          \
	}
#define UNARY(name, op, bits, size)                                                                \
	static uint64_t name##bits(uint64_t a, uint64_t b, uint64_t *flags)                        \
	{                                                                                          \
		(void)b;                                                                           \
		__asm__(WITH_FLAGS(op " %" size "[a]")                                             \
			: [a] "+q"(a), [flags] "+r"(*flags) : : "cc", "memory");                   \
		return a;                                                                          \
	}
#define SIZES(make, name) make(name, #name, 8, "b") make(name, #name, 16, "w")                     \
			  make(name, #name, 32, "k") make(name, #name, 64, "q")
#define ROW(name) {name##8, name##16, name##32, name##64}

SIZES(BINARY, add) SIZES(BINARY, or) SIZES(BINARY, adc) SIZES(BINARY, sbb) SIZES(BINARY, and)
SIZES(BINARY, sub) SIZES(BINARY, xor) SIZES(BINARY, cmp) SIZES(BINARY, test)
SIZES(SHIFT, rol) SIZES(SHIFT, ror) SIZES(SHIFT, rcl) SIZES(SHIFT, rcr)
SIZES(SHIFT, shl) SIZES(SHIFT, shr) SIZES(SHIFT, sar)
SIZES(UNARY, inc) SIZES(UNARY, dec) SIZES(UNARY, neg)

typedef uint64_t alu_fn(uint64_t a, uint64_t b, uint64_t *flags);

static alu_fn *const binary[][4] = {
	[ALU_ADD] = ROW(add), [ALU_OR] = ROW(or),   [ALU_ADC] = ROW(adc),
	[ALU_SBB] = ROW(sbb), [ALU_AND] = ROW(and), [ALU_SUB] = ROW(sub),
	[ALU_XOR] = ROW(xor), [ALU_CMP] = ROW(cmp), [ALU_TEST] = ROW(test),
};
static alu_fn *const shift[][4] = {
	[ALU_ROL] = ROW(rol), [ALU_ROR] = ROW(ror), [ALU_RCL] = ROW(rcl), [ALU_RCR] = ROW(rcr),
	[ALU_SHL] = ROW(shl), [ALU_SHR] = ROW(shr), [ALU_SAL] = ROW(shl), [ALU_SAR] = ROW(sar),
};
static alu_fn *const unary[][4] = {
	[ALU_INC] = ROW(inc), [ALU_DEC] = ROW(dec), [ALU_NEG] = ROW(neg),
};
// clang-format on

/* The guest's other flags are no business of vitrine's own processor: a trap flag would trap here. */
static uint64_t run(alu_fn *const sizes[4], unsigned bits, uint64_t a, uint64_t b, uint64_t *rflags)
{
	uint64_t flags = (*rflags & RFLAGS_ARITHMETIC) | RFLAGS_FIXED | RFLAGS_IF;
	uint64_t result = sizes[__builtin_ctz(bits) - 3](a, b, &flags);

	*rflags = (*rflags & ~(uint64_t)RFLAGS_ARITHMETIC) | (flags & RFLAGS_ARITHMETIC);
	return low_bits(result, bits);
}

uint64_t alu_binary(enum alu_binary op, unsigned bits, uint64_t a, uint64_t b, uint64_t *rflags)
{
	return run(binary[op], bits, a, b, rflags);
}

uint64_t alu_shift(enum alu_shift op, unsigned bits, uint64_t a, uint8_t count, uint64_t *rflags)
{
	return run(shift[op], bits, a, count, rflags);
}

uint64_t alu_unary(enum alu_unary op, unsigned bits, uint64_t a, uint64_t *rflags)
{
	return run(unary[op], bits, a, 0, rflags);
}
