// SPDX-License-Identifier: GPL-3.0-or-later
#include "simulate_cases.h"

#include "x86/mode.h"

#include <Zydis/Zydis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARITHMETIC 0x8d5u

/* xorshift64* */
uint64_t random_next(struct random_stream *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dull;
}

static bool one_in(struct random_stream *random, unsigned n)
{
	return (random_next(random) >> 20) % n == 0;
}

/* ---- instructions ------------------------------------------------------------------------ */

static const struct {
	uint8_t first, last;
	bool two; /* behind 0f */
} opcodes[] = {
	{0x00, 0x05, false}, {0x08, 0x0d, false}, {0x10, 0x15, false}, {0x18, 0x1d, false},
	{0x20, 0x25, false}, {0x28, 0x2d, false}, {0x30, 0x35, false}, {0x38, 0x3d, false},
	{0x40, 0x4f, false}, {0x50, 0x5f, false}, {0x63, 0x63, false}, {0x68, 0x68, false},
	{0x6a, 0x6a, false}, {0x70, 0x7f, false}, {0x80, 0x83, false}, {0x84, 0x8b, false},
	{0x8d, 0x8d, false}, {0x90, 0x99, false}, {0xa0, 0xa3, false}, {0xa8, 0xa9, false},
	{0xb0, 0xbf, false}, {0xc0, 0xc3, false}, {0xc6, 0xc7, false}, {0xc9, 0xc9, false},
	{0xd0, 0xd1, false}, {0xe8, 0xe9, false}, {0xeb, 0xeb, false}, {0xf6, 0xf7, false},
	{0xfe, 0xff, false}, {0x1e, 0x1f, true},  {0x40, 0x4f, true},  {0x80, 0x8f, true},
	{0x90, 0x9f, true},  {0xb6, 0xb7, true},  {0xbe, 0xbf, true},  {0xc8, 0xcf, true},
};
#define OPCODES (sizeof(opcodes) / sizeof(opcodes[0]))

static unsigned add_prefixes(struct random_stream *random, unsigned bits, uint8_t *bytes)
{
	static const uint8_t rare[] = {0x67, 0xf3, 0xf2, 0x2e, 0x36, 0x3e, 0x26};
	unsigned n = 0;

	if (one_in(random, 4))
		bytes[n++] = 0x66;
	if (one_in(random, 12))
		bytes[n++] = rare[random_next(random) % sizeof(rare)];
	if (bits == 64 && one_in(random, 2))
		bytes[n++] = 0x40 | (random_next(random) >> 30 & 0xf);
	return n;
}

/* Displacements and immediates: often small, so that memory operands stay where memory is. */
static void add_tail(struct random_stream *random, uint8_t *bytes, unsigned size)
{
	bool small = one_in(random, 2);

	for (unsigned i = 0; i < size; i++) {
		uint64_t r = random_next(random) >> 24;

		bytes[i] = (uint8_t)(small && i > 1 ? (r & 0x100 ? 0 : 0xff) : r);
	}
}

static unsigned length_of(unsigned bits, const uint8_t *bytes)
{
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder,
			 bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
			 : bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
				      : ZYDIS_MACHINE_MODE_LEGACY_16,
			 bits == 64   ? ZYDIS_STACK_WIDTH_64
			 : bits == 32 ? ZYDIS_STACK_WIDTH_32
				      : ZYDIS_STACK_WIDTH_16);
	if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, 15, &instruction)))
		return 0;
	return instruction.length;
}

static void try_instruction(struct random_stream *random, unsigned bits, uint8_t bytes[15])
{
	size_t which = random_next(random) % OPCODES;
	unsigned n = add_prefixes(random, bits, bytes);

	if (opcodes[which].two)
		bytes[n++] = 0x0f;
	bytes[n++] = (uint8_t)(opcodes[which].first +
			       (random_next(random) >> 16) %
				       (opcodes[which].last - opcodes[which].first + 1u));
	add_tail(random, bytes + n, 15 - n);
	if (one_in(random, 2))
		bytes[n] |= 0xc0; /* registers alone, if it is a ModRM byte */
}

unsigned random_instruction(struct random_stream *random, unsigned bits, uint8_t bytes[15])
{
	unsigned length;

	do {
		try_instruction(random, bits, bytes);
		length = length_of(bits, bytes);
	} while (!length);
	return length;
}

/* ---- memory ------------------------------------------------------------------------------ */

static uint8_t *in_window(struct window *window, uint64_t linear, unsigned size)
{
	uint64_t offset = linear - window->linear;

	return offset < window->size && size <= window->size - offset ? window->copy + offset
								      : NULL;
}

static bool window_read(void *ctx, uint64_t linear, uint64_t *value, unsigned size)
{
	const uint8_t *at = in_window(ctx, linear, size);

	*value = 0;
	if (at)
		memcpy(value, at, size);
	return at;
}

static bool window_write(void *ctx, uint64_t linear, uint64_t value, unsigned size)
{
	struct window *window = ctx;
	uint8_t *at = in_window(window, linear, size);

	if (!at)
		return false;
	memcpy(at, &value, size);
	window->stores++;
	return true;
}

struct simulate_memory window_memory(struct window *window)
{
	return (struct simulate_memory){.ctx = window, .read = window_read, .write = window_write};
}

/* ---- a CPU ------------------------------------------------------------------------------- */

struct cpu_state simulate_cpu(unsigned bits)
{
	struct cpu_state state = {0};

	cpu_state_reset(&state, true);
	for (int i = SEG_ES; i <= SEG_GS; i++) {
		if (bits == 16)
			cpu_segment_real(&state.system.seg[i], 0);
		else
			cpu_segment_flat(&state.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS,
					 bits);
	}
	if (bits > 16)
		state.system.cr0 = CR0_PE | (bits == 64 ? CR0_PG : 0);
	if (bits == 64)
		state.system.efer = EFER_LME | EFER_LMA;
	for (int i = 0; i < GPR_COUNT; i++)
		state.general.gpr[i] = i < 8 || bits == 64 ? 0x11111111ull * (unsigned)i : 0;
	state.general.gpr[GPR_RBX] = SIMULATE_DATA;
	state.general.gpr[GPR_RSP] = SIMULATE_STACK;
	state.general.rip = SIMULATE_CODE;
	return state;
}

bool simulate_on(uint8_t data[SIMULATE_DATA_SIZE], struct cpu_state *state, const uint8_t *bytes,
		 unsigned length)
{
	struct window window = {SIMULATE_DATA, SIMULATE_DATA_SIZE, data, 0};
	const struct simulate_memory memory = window_memory(&window);
	unsigned changed = 0;
	bool done = simulate_instruction(state, &memory, bytes, length, &changed);

	assert_int_equal(changed, done ? CPU_GENERAL : 0);
	return done;
}

/* ---- registers --------------------------------------------------------------------------- */

static uint64_t random_value(struct random_stream *random)
{
	static const uint64_t edges[] = {0,	     1,		 0x7f,	     0x80,
					 0xff,	     0x7fff,	 0x8000,     0xffff,
					 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX,
					 1ull << 63, UINT64_MAX, 0x0f,	     0x10};

	if (one_in(random, 3))
		return edges[random_next(random) % (sizeof(edges) / sizeof(edges[0]))];
	return random_next(random);
}

void random_general(struct random_stream *random, uint64_t base, size_t size,
		    struct cpu_general *general)
{
	for (int i = 0; i < GPR_COUNT; i++) {
		uint64_t inside = base + 256 + (random_next(random) >> 8) % (size - 512);

		general->gpr[i] = i == GPR_RSP || one_in(random, 2) ? inside : random_value(random);
	}
	general->rflags = (random_next(random) >> 12 & ARITHMETIC) | RFLAGS_FIXED;
}

static void describe(const uint8_t *bytes, unsigned length, char *text, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < length && n + 4 < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%02x ", bytes[i]);
}

static void complain(const uint8_t *bytes, unsigned length, const char *what, uint64_t before,
		     uint64_t got, uint64_t wanted)
{
	char text[64];

	describe(bytes, length, text, sizeof(text));
	fail_msg("%s: %s was 0x%llx, became 0x%llx, not 0x%llx", text, what,
		 (unsigned long long)before, (unsigned long long)got, (unsigned long long)wanted);
}

void expect_same_general(const uint8_t *bytes, unsigned length, const struct cpu_general *before,
			 const struct cpu_general *got, const struct cpu_general *wanted)
{
	static const char *const names[GPR_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
						     "rsi", "rdi", "r8",  "r9",	 "r10", "r11",
						     "r12", "r13", "r14", "r15"};

	for (int i = 0; i < GPR_COUNT; i++)
		if (got->gpr[i] != wanted->gpr[i])
			complain(bytes, length, names[i], before->gpr[i], got->gpr[i],
				 wanted->gpr[i]);
	if (got->rip != wanted->rip)
		complain(bytes, length, "rip", before->rip, got->rip, wanted->rip);
	if (got->rflags != wanted->rflags)
		complain(bytes, length, "rflags", before->rflags, got->rflags, wanted->rflags);
}
