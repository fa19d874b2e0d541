// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of exceptions, SDM vol. 3A, table 6-1; AMD's own ones, AMD APM vol. 2, 8.1. */
#include "x86/exceptions.h"

#include <stddef.h>

struct exception {
	const char *mnemonic, *name;
	bool error_code;
};

#define FIRST_INTERRUPT 32

// clang-format off
static const struct exception exceptions[FIRST_INTERRUPT] = {
	[VECTOR_DE]  = {"#DE", "divide error", false},
	[VECTOR_DB]  = {"#DB", "debug exception", false},
	[VECTOR_NMI] = {"NMI", "non-maskable interrupt", false},
	[VECTOR_BP]  = {"#BP", "breakpoint", false},
	[VECTOR_OF]  = {"#OF", "overflow", false},
	[VECTOR_BR]  = {"#BR", "bound range exceeded", false},
	[VECTOR_UD]  = {"#UD", "invalid opcode", false},
	[VECTOR_NM]  = {"#NM", "device not available", false},
	[VECTOR_DF]  = {"#DF", "double fault", true},
	[9]          = {"#MP", "coprocessor segment overrun", false},
	[VECTOR_TS]  = {"#TS", "invalid TSS", true},
	[VECTOR_NP]  = {"#NP", "segment not present", true},
	[VECTOR_SS]  = {"#SS", "stack-segment fault", true},
	[VECTOR_GP]  = {"#GP", "general protection fault", true},
	[VECTOR_PF]  = {"#PF", "page fault", true},
	[VECTOR_MF]  = {"#MF", "x87 floating-point error", false},
	[VECTOR_AC]  = {"#AC", "alignment check", true},
	[VECTOR_MC]  = {"#MC", "machine check", false},
	[VECTOR_XM]  = {"#XM", "SIMD floating-point exception", false},
	[20]         = {"#VE", "virtualization exception", false},
	[21]         = {"#CP", "control protection exception", true},
	[28]         = {"#HV", "hypervisor injection exception", false},
	[29]         = {"#VC", "VMM communication exception", true},
	[30]         = {"#SX", "security exception", true},
};
// clang-format on

#define TEN(tens)                                                                                  \
	"vector " #tens "0", "vector " #tens "1", "vector " #tens "2", "vector " #tens "3",        \
		"vector " #tens "4", "vector " #tens "5", "vector " #tens "6",                     \
		"vector " #tens "7", "vector " #tens "8", "vector " #tens "9"

static const char *const vectors[] = {
	TEN(),	 TEN(1),  TEN(2),  TEN(3),  TEN(4),  TEN(5),  TEN(6),  TEN(7),	TEN(8),
	TEN(9),	 TEN(10), TEN(11), TEN(12), TEN(13), TEN(14), TEN(15), TEN(16), TEN(17),
	TEN(18), TEN(19), TEN(20), TEN(21), TEN(22), TEN(23), TEN(24), TEN(25),
};

static const struct exception *find(unsigned vector)
{
	return vector < FIRST_INTERRUPT && exceptions[vector].mnemonic ? &exceptions[vector] : NULL;
}

const char *exception_mnemonic(unsigned vector)
{
	const struct exception *exception = find(vector);

	if (exception)
		return exception->mnemonic;
	return vector < 256 ? vectors[vector] : "no vector";
}

const char *exception_name(unsigned vector)
{
	const struct exception *exception = find(vector);

	if (exception)
		return exception->name;
	return vector < FIRST_INTERRUPT ? "reserved exception" : "interrupt";
}

bool exception_has_error_code(unsigned vector)
{
	const struct exception *exception = find(vector);

	return exception && exception->error_code;
}
