// SPDX-License-Identifier: GPL-3.0-or-later
/* Running programs. What program_finish() has checked is not looked at again: indexes, depths, targets. */
#include "debug/program_ops.h"

#include "x86/mode.h"
#include "x86/registers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct program_machine {
	const struct program_context *context;
	struct program_fault *fault;
	const struct cpu_state *state;
	unsigned groups; /* valid in state */
	unsigned next;	 /* instruction */
	int error;
	uint64_t *top; /* the topmost word; below stack[1] when empty */
	uint64_t stack[PROGRAM_STACK + 1];
};

/* ---- faults ------------------------------------------------------------------------------ */

__attribute__((format(printf, 4, 5))) static bool
fail(struct program_machine *machine, enum program_fault_kind kind, int error, const char *fmt, ...)
{
	va_list args;

	machine->error = error;
	machine->fault->kind = kind;
	va_start(args, fmt);
	vsnprintf(machine->fault->text, sizeof(machine->fault->text), fmt, args);
	va_end(args);
	return false;
}

static bool fail_memory(struct program_machine *machine, uint64_t address, unsigned size,
			bool physical)
{
	machine->fault->address = address;
	machine->fault->size = size;
	machine->fault->physical = physical;
	return fail(machine, PROGRAM_MEMORY, -EFAULT, "%u byte%s at %s0x%" PRIx64 " cannot be read",
		    size, size == 1 ? "" : "s", physical ? "physical " : "", address);
}

/* ---- arithmetic -------------------------------------------------------------------------- */

#define BINARY(name, result)                                                                       \
	static bool run_##name(struct program_machine *machine, uint64_t arg)                      \
	{                                                                                          \
		uint64_t b = *machine->top--, a = *machine->top;                                   \
                                                                                                   \
		(void)arg;                                                                         \
		*machine->top = (result);                                                          \
		return true;                                                                       \
	}
#define UNARY(name, result)                                                                        \
	static bool run_##name(struct program_machine *machine, uint64_t arg)                      \
	{                                                                                          \
		uint64_t a = *machine->top;                                                        \
                                                                                                   \
		(void)arg;                                                                         \
		*machine->top = (result);                                                          \
		return true;                                                                       \
	}
static uint64_t shift_signed(uint64_t a, uint64_t b)
{
	uint64_t sign = -(a >> 63);

	return b < 64 ? ((a ^ sign) >> b) ^ sign : sign;
}

/* clang-format off */
BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a * b)
BINARY(lsh, b < 64 ? a << b : 0)
BINARY(rsh_signed, shift_signed(a, b))
BINARY(rsh_unsigned, b < 64 ? a >> b : 0)
BINARY(bit_and, a & b)
BINARY(bit_or, a | b)
BINARY(bit_xor, a ^ b)
BINARY(equal, a == b)
BINARY(less_signed, (int64_t)a < (int64_t)b)
BINARY(less_unsigned, a < b)
UNARY(log_not, !a)
UNARY(bit_not, ~a)
UNARY(sign_extend, (uint64_t)((int64_t)(a << (64 - arg)) >> (64 - arg)))
UNARY(zero_extend, a << (64 - arg) >> (64 - arg))
/* clang-format on */

/* The one quotient that does not fit, -2^63 / -1, wraps as the other operations do. */
static uint64_t divide_signed(uint64_t a, uint64_t b)
{
	return b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t divide_unsigned(uint64_t a, uint64_t b)
{
	return a / b;
}

static uint64_t remain_signed(uint64_t a, uint64_t b)
{
	return b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static uint64_t remain_unsigned(uint64_t a, uint64_t b)
{
	return a % b;
}

static bool divide(struct program_machine *machine, uint64_t (*by)(uint64_t a, uint64_t b))
{
	uint64_t b = *machine->top--;

	if (!b)
		return fail(machine, PROGRAM_DIVISION, -EDOM, "division by zero");
	*machine->top = by(*machine->top, b);
	return true;
}

#define DIVISION(name, by)                                                                         \
	static bool run_##name(struct program_machine *machine, uint64_t arg)                      \
	{                                                                                          \
		(void)arg;                                                                         \
		return divide(machine, by);                                                        \
	}
DIVISION(div_signed, divide_signed)
DIVISION(div_unsigned, divide_unsigned)
DIVISION(rem_signed, remain_signed)
DIVISION(rem_unsigned, remain_unsigned)

/* ---- the stack and the way --------------------------------------------------------------- */

static bool run_const(struct program_machine *machine, uint64_t arg)
{
	*++machine->top = arg;
	return true;
}

static bool run_dup(struct program_machine *machine, uint64_t arg)
{
	uint64_t word = *machine->top;

	(void)arg;
	*++machine->top = word;
	return true;
}

static bool run_pick(struct program_machine *machine, uint64_t arg)
{
	uint64_t word = machine->top[-(ptrdiff_t)arg];

	*++machine->top = word;
	return true;
}

static bool run_pop(struct program_machine *machine, uint64_t arg)
{
	(void)arg;
	machine->top--;
	return true;
}

static bool run_swap(struct program_machine *machine, uint64_t arg)
{
	uint64_t *top = machine->top, word = top[0];

	(void)arg;
	top[0] = top[-1];
	top[-1] = word;
	return true;
}

static bool run_rotate(struct program_machine *machine, uint64_t arg)
{
	uint64_t *top = machine->top, word = top[0];

	(void)arg;
	top[0] = top[-1];
	top[-1] = top[-2];
	top[-2] = word;
	return true;
}

static bool run_goto(struct program_machine *machine, uint64_t arg)
{
	machine->next = (unsigned)arg;
	return true;
}

static bool run_if_goto(struct program_machine *machine, uint64_t arg)
{
	if (*machine->top--)
		machine->next = (unsigned)arg;
	return true;
}

static bool run_end(struct program_machine *machine, uint64_t arg)
{
	(void)machine, (void)arg;
	return false;
}

/* ---- the vCPU ---------------------------------------------------------------------------- */

/* Makes groups valid in machine->state. */
static bool need(struct program_machine *machine, unsigned groups)
{
	if ((machine->groups & groups) == groups)
		return true;
	machine->state = machine->context->state(machine->context->ctx, machine->groups | groups);
	machine->groups |= groups;
	return machine->state != NULL;
}

static bool run_register(struct program_machine *machine, uint64_t arg)
{
	const struct register_desc *reg = &registers[arg];
	const char *missing;
	uint64_t value = 0;

	if (!need(machine, reg->state))
		return fail(machine, PROGRAM_NO_VALUE, -ENXIO, "$%s cannot be read", reg->name);
	missing = register_missing(reg, machine->state);
	if (missing)
		return fail(machine, PROGRAM_NO_VALUE, -ENXIO, "$%s cannot be read: %s", reg->name,
			    missing);
	reg->get(reg, machine->state, &value);
	*++machine->top = value;
	return true;
}

static bool run_linear(struct program_machine *machine, uint64_t arg)
{
	if (!need(machine, CPU_GENERAL | CPU_SYSTEM))
		return fail(machine, PROGRAM_NO_VALUE, -ENXIO, "the segments cannot be read");
	*machine->top = cpu_linear(machine->state, (enum cpu_segment_name)arg, *machine->top);
	return true;
}

static bool run_address(struct program_machine *machine,
			uint64_t (*address)(const struct cpu_state *state))
{
	if (!need(machine, CPU_GENERAL | CPU_SYSTEM))
		return fail(machine, PROGRAM_NO_VALUE, -ENXIO, "the segments cannot be read");
	*++machine->top = address(machine->state);
	return true;
}

static bool run_pc(struct program_machine *machine, uint64_t arg)
{
	(void)arg;
	return run_address(machine, cpu_linear_pc);
}

static bool run_sp(struct program_machine *machine, uint64_t arg)
{
	(void)arg;
	return run_address(machine, cpu_linear_sp);
}

static bool run_selector(struct program_machine *machine, uint64_t arg)
{
	const struct program_context *context = machine->context;
	uint64_t offset = *machine->top--, selector = *machine->top;

	(void)arg;
	if (!need(machine, CPU_GENERAL | CPU_SYSTEM))
		return fail(machine, PROGRAM_NO_VALUE, -ENXIO, "the segments cannot be read");
	if (selector > UINT16_MAX || selector_linear(machine->state, (uint16_t)selector, offset,
						     context->read, context->ctx, machine->top) < 0)
		return fail(machine, PROGRAM_NO_VALUE, -ENXIO,
			    "the selector 0x%" PRIx64 " names no segment that is there", selector);
	return true;
}

static bool run_vcpu(struct program_machine *machine, uint64_t arg)
{
	(void)arg;
	*++machine->top = (uint64_t)machine->context->vcpu;
	return true;
}

static bool read_memory(struct program_machine *machine, unsigned size, bool physical)
{
	const struct program_context *context = machine->context;
	linear_read_fn *read = physical ? context->read_physical : context->read;
	uint64_t value = 0;

	if (!read || !read(context->ctx, *machine->top, &value, size))
		return fail_memory(machine, *machine->top, size, physical);
	*machine->top = value;
	return true;
}

#define READ(bits)                                                                                 \
	static bool run_read##bits(struct program_machine *machine, uint64_t arg)                  \
	{                                                                                          \
		(void)arg;                                                                         \
		return read_memory(machine, (bits) / 8, false);                                    \
	}
READ(8)
READ(16)
READ(32)
READ(64)

static bool run_read_physical(struct program_machine *machine, uint64_t arg)
{
	return read_memory(machine, (unsigned)arg, true);
}

/* ---- the table --------------------------------------------------------------------------- */

/* clang-format off */
const struct program_operation program_operations[PROGRAM_OP_COUNT] = {
	[PROGRAM_ADD]           = {"add", 2, 1, run_add},
	[PROGRAM_SUB]           = {"sub", 2, 1, run_sub},
	[PROGRAM_MUL]           = {"mul", 2, 1, run_mul},
	[PROGRAM_DIV_SIGNED]    = {"div_signed", 2, 1, run_div_signed},
	[PROGRAM_DIV_UNSIGNED]  = {"div_unsigned", 2, 1, run_div_unsigned},
	[PROGRAM_REM_SIGNED]    = {"rem_signed", 2, 1, run_rem_signed},
	[PROGRAM_REM_UNSIGNED]  = {"rem_unsigned", 2, 1, run_rem_unsigned},
	[PROGRAM_LSH]           = {"lsh", 2, 1, run_lsh},
	[PROGRAM_RSH_SIGNED]    = {"rsh_signed", 2, 1, run_rsh_signed},
	[PROGRAM_RSH_UNSIGNED]  = {"rsh_unsigned", 2, 1, run_rsh_unsigned},
	[PROGRAM_LOG_NOT]       = {"log_not", 1, 1, run_log_not},
	[PROGRAM_BIT_AND]       = {"bit_and", 2, 1, run_bit_and},
	[PROGRAM_BIT_OR]        = {"bit_or", 2, 1, run_bit_or},
	[PROGRAM_BIT_XOR]       = {"bit_xor", 2, 1, run_bit_xor},
	[PROGRAM_BIT_NOT]       = {"bit_not", 1, 1, run_bit_not},
	[PROGRAM_EQUAL]         = {"equal", 2, 1, run_equal},
	[PROGRAM_LESS_SIGNED]   = {"less_signed", 2, 1, run_less_signed},
	[PROGRAM_LESS_UNSIGNED] = {"less_unsigned", 2, 1, run_less_unsigned},
	[PROGRAM_SIGN_EXTEND]   = {"sign_extend", 1, 1, run_sign_extend},
	[PROGRAM_ZERO_EXTEND]   = {"zero_extend", 1, 1, run_zero_extend},
	[PROGRAM_READ8]         = {"read8", 1, 1, run_read8},
	[PROGRAM_READ16]        = {"read16", 1, 1, run_read16},
	[PROGRAM_READ32]        = {"read32", 1, 1, run_read32},
	[PROGRAM_READ64]        = {"read64", 1, 1, run_read64},
	[PROGRAM_READ_PHYSICAL] = {"read_physical", 1, 1, run_read_physical},
	[PROGRAM_IF_GOTO]       = {"if_goto", 1, 0, run_if_goto},
	[PROGRAM_GOTO]          = {"goto", 0, 0, run_goto},
	[PROGRAM_CONST]         = {"const", 0, 1, run_const},
	[PROGRAM_REGISTER]      = {"register", 0, 1, run_register},
	[PROGRAM_LINEAR]        = {"linear", 1, 1, run_linear},
	[PROGRAM_PC]            = {"pc", 0, 1, run_pc},
	[PROGRAM_SP]            = {"sp", 0, 1, run_sp},
	[PROGRAM_SELECTOR]      = {"selector", 2, 1, run_selector},
	[PROGRAM_VCPU]          = {"vcpu", 0, 1, run_vcpu},
	[PROGRAM_DUP]           = {"dup", 1, 2, run_dup},
	[PROGRAM_POP]           = {"pop", 1, 0, run_pop},
	[PROGRAM_SWAP]          = {"swap", 2, 2, run_swap},
	[PROGRAM_PICK]          = {"pick", 0, 1, run_pick},
	[PROGRAM_ROTATE]        = {"rotate", 3, 3, run_rotate},
	[PROGRAM_END]           = {"end", 1, 1, run_end},
};
/* clang-format on */

int program_run(const struct program *program, const struct program_context *context,
		int64_t *result, struct program_fault *fault)
{
	struct program_machine machine;
	const struct program_insn *insn;
	unsigned steps = 0;

	machine.context = context;
	machine.fault = fault;
	machine.state = NULL;
	machine.groups = machine.next = 0;
	machine.error = 0;
	machine.top = machine.stack;
	do {
		if (++steps > PROGRAM_STEPS) {
			fail(&machine, PROGRAM_TOO_LONG, -ELOOP,
			     "it does not end within %d instructions", PROGRAM_STEPS);
			break;
		}
		insn = &program->insn[machine.next++];
	} while (program_operations[insn->op].run(&machine, insn->arg));
	*result = machine.error ? 0 : (int64_t)*machine.top;
	return machine.error;
}
