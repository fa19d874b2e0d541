// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * simulate_instruction() against the processor that this test runs on: random instructions in 64-, 32- and
 * 16-bit code, with registers, flags and memory, executed once by either. A signal's context loads and
 * saves all registers; whatever does not belong to the instruction is int3.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "simulate_cases.h"

#include "x86/mode.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { AREA = 0x10000, CODE_AT = 0x8000, INT3 = 0xcc, ROUNDS = 60000 };
enum { USER32_CS = 0x23, USER_CS = 0x33, USER_SS = 0x2b };

static const int greg[GPR_COUNT] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				    REG_RSI, REG_RDI, REG_R8,  REG_R9,	REG_R10, REG_R11,
				    REG_R12, REG_R13, REG_R14, REG_R15};

/* ---- the processor ----------------------------------------------------------------------- */

static struct {
	uint8_t *code, *data;
	uint16_t cs, ss, ds;
	bool inside; /* the instruction, rather than the test, is what a signal interrupts */
	struct cpu_general general;
	ucontext_t outside;
	int signo;
} native;

static void set_data_segments(uint16_t selector)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"((uint32_t)selector));
}

static void load(ucontext_t *context)
{
	greg_t *to = context->uc_mcontext.gregs;
	uint64_t segments = (uint64_t)to[REG_CSGSFS];

	native.outside = *context;
	for (int i = 0; i < GPR_COUNT; i++)
		to[greg[i]] = (greg_t)native.general.gpr[i];
	to[REG_RIP] = (greg_t)native.general.rip;
	to[REG_EFL] = (greg_t)native.general.rflags;
	to[REG_CSGSFS] = (greg_t)((segments & 0x0000ffffffff0000ull) | native.cs |
				  (uint64_t)native.ss << 48);
}

/* rip behind the int3 that ended it; in a page without code, on the instruction that is not there. */
static void save(ucontext_t *context)
{
	const greg_t *from = context->uc_mcontext.gregs;

	for (int i = 0; i < GPR_COUNT; i++)
		native.general.gpr[i] = (uint64_t)from[greg[i]];
	native.general.rip = (uint64_t)from[REG_RIP] - (native.signo == SIGTRAP);
	native.general.rflags = (uint64_t)from[REG_EFL];
	/* As bit 9 is always set in a user's flags, and RF by some signals. */
	native.general.rflags &= ~(uint64_t)(RFLAGS_IF | RFLAGS_RF);
	memcpy(context->uc_mcontext.gregs, native.outside.uc_mcontext.gregs,
	       sizeof(context->uc_mcontext.gregs));
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)info;
	if (!native.inside) {
		native.inside = true;
		load(context);
		if (native.ds)
			set_data_segments(native.ds);
		return;
	}
	set_data_segments(0);
	native.signo = signo;
	native.inside = false;
	save(context);
}

static void execute_natively(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static void *area(void)
{
	void *at = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static int set_up(void **state)
{
	(void)state;
	native.code = area();
	native.data = area();
	mprotect(native.data, AREA, PROT_READ | PROT_WRITE);
	memset(native.code, INT3, AREA);
	return 0;
}

/* cmocka has handlers of its own. */
static void catch_signals(struct sigaction old[2])
{
	static uint8_t stack[1 << 16];
	const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	const struct sigaction action = {.sa_sigaction = on_signal,
					 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	sigaltstack(&other, NULL);
	sigaction(SIGTRAP, &action, &old[0]);
	sigaction(SIGSEGV, &action, &old[1]);
}

/* ---- the comparison ---------------------------------------------------------------------- */

struct setting {
	unsigned bits;
	uint64_t rip;	    /* of the first byte of CODE_AT */
	uint64_t data;	    /* what offset the data is at, as the code sees it */
	uint64_t code_base; /* linear address of native.code as an offset into CS */
	struct cpu_system system;
};

static void fill(struct random_stream *random, uint8_t *to)
{
	for (size_t i = 0; i < AREA; i += 8) {
		uint64_t value = random_next(random);

		memcpy(to + i, &value, 8);
	}
}

/* Only what ends where int3 is, or nothing to execute, may be tried. */
static bool ends_well(const struct setting *setting, const struct cpu_state *after, unsigned length)
{
	uint64_t at = after->general.rip - setting->code_base;
	uint64_t data = after->general.rip - setting->data;

	if (at < AREA)
		return at < CODE_AT || at >= CODE_AT + length;
	return setting->bits != 16 && data < AREA;
}

/* The rest cannot be seen there. The kernel leaves traces of its own above ESP. */
static void see_as_32_bit_code(struct cpu_general *general)
{
	for (int i = 0; i < GPR_COUNT; i++)
		general->gpr[i] = i < 8 ? (uint32_t)general->gpr[i] : 0;
}

static bool compare_one(struct random_stream *random, const struct setting *setting,
			uint8_t *expected)
{
	struct cpu_state state = {.system = setting->system};
	struct window window = {(uintptr_t)native.data, AREA, expected, 0};
	struct simulate_memory memory = window_memory(&window);
	struct cpu_general before;
	unsigned changed = 0, length;
	uint8_t bytes[15];

	length = random_instruction(random, setting->bits, bytes);
	random_general(random, setting->data, AREA, &before);
	if (setting->bits < 64)
		see_as_32_bit_code(&before);
	before.rip = setting->rip;
	state.general = before;
	if (!simulate_instruction(&state, &memory, bytes, length, &changed) ||
	    !ends_well(setting, &state, length)) {
		memcpy(expected, native.data, AREA);
		return false;
	}
	memcpy(native.code + CODE_AT, bytes, length);
	native.general = before;
	execute_natively();
	memset(native.code + CODE_AT, INT3, length);
	if (setting->bits < 64)
		see_as_32_bit_code(&native.general);
	expect_same_general(bytes, length, &before, &state.general, &native.general);
	assert_int_equal(changed, CPU_GENERAL);
	if (window.stores)
		assert_memory_equal(expected, native.data, AREA);
	return true;
}

static void compare(const struct setting *setting)
{
	const char *seed = getenv("SEED");
	struct random_stream random = {seed ? strtoull(seed, NULL, 0) : 20240607};
	static uint8_t expected[AREA];
	struct sigaction old[2];
	unsigned done = 0;

	catch_signals(old);
	fill(&random, native.data);
	memcpy(expected, native.data, AREA);
	for (unsigned i = 0; i < ROUNDS; i++)
		done += compare_one(&random, setting, expected);
	sigaction(SIGTRAP, &old[0], NULL);
	sigaction(SIGSEGV, &old[1], NULL);
	print_message("%u-bit code: %u of %u were executed\n", setting->bits, done, ROUNDS);
	assert_true(done > ROUNDS / 4);
}

static struct setting flat(unsigned bits)
{
	uint64_t code = (uintptr_t)native.code;
	struct setting setting = {.bits = bits,
				  .rip = code + CODE_AT,
				  .data = (uintptr_t)native.data,
				  .code_base = code};

	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_flat(&setting.system.seg[i], USER_SS, false, 32);
	cpu_segment_flat(&setting.system.seg[SEG_CS], USER_CS, true, bits);
	/* Without a selector where there must be one; this thread's own in 64-bit code. */
	setting.system.seg[SEG_FS].unusable = setting.system.seg[SEG_GS].unusable = 1;
	syscall(SYS_arch_prctl, ARCH_GET_FS, &setting.system.seg[SEG_FS].base);
	setting.system.cr0 = CR0_PE | CR0_PG;
	setting.system.efer = EFER_LME | EFER_LMA;
	return setting;
}

static void test_64_bit_code(void **state)
{
	struct setting setting = flat(64);

	(void)state;
	native.cs = USER_CS;
	native.ss = USER_SS;
	native.ds = 0;
	compare(&setting);
}

static void test_32_bit_code(void **state)
{
	struct setting setting = flat(32);

	(void)state;
	native.cs = USER32_CS;
	native.ss = native.ds = USER_SS;
	compare(&setting);
}

/* ---- 16-bit segments --------------------------------------------------------------------- */

static bool make_segment(unsigned entry, const void *base, bool code)
{
	struct user_desc descriptor = {.entry_number = entry,
				       .base_addr = (unsigned)(uintptr_t)base,
				       .limit = AREA - 1,
				       .contents = code ? MODIFY_LDT_CONTENTS_CODE
							: MODIFY_LDT_CONTENTS_DATA};

	return syscall(SYS_modify_ldt, 0x11, &descriptor, sizeof(descriptor)) == 0;
}

static void shrink(struct cpu_segment *segment, const void *base)
{
	segment->base = (uintptr_t)base;
	segment->limit = AREA - 1;
	segment->db = 0;
}

static void test_16_bit_code(void **state)
{
	struct setting setting = flat(16);

	(void)state;
	if (!make_segment(0, native.code, true) || !make_segment(1, native.data, false)) {
		print_message("# SKIP this kernel lets nobody make 16-bit segments\n");
		skip();
	}
	native.cs = 0 << 3 | 7;
	native.ss = native.ds = 1 << 3 | 7;
	setting.rip = CODE_AT;
	setting.data = setting.code_base = 0;
	for (int i = SEG_ES; i <= SEG_DS; i++)
		shrink(&setting.system.seg[i], i == SEG_CS ? native.code : native.data);
	compare(&setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_64_bit_code),
		cmocka_unit_test(test_32_bit_code),
		cmocka_unit_test(test_16_bit_code),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
