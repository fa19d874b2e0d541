/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exceptions by vector, SDM vol. 3A, 6.3.1 and table 6-1. Every function takes any number. */
#ifndef X86_EXCEPTIONS_H
#define X86_EXCEPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	VECTOR_DE,
	VECTOR_DB,
	VECTOR_NMI,
	VECTOR_BP,
	VECTOR_OF,
	VECTOR_BR,
	VECTOR_UD,
	VECTOR_NM,
	VECTOR_DF,
	VECTOR_TS = 10,
	VECTOR_NP,
	VECTOR_SS,
	VECTOR_GP,
	VECTOR_PF,
	VECTOR_MF = 16,
	VECTOR_AC,
	VECTOR_MC,
	VECTOR_XM
};

/* "#PF"; "vector 33" for what is not an exception. Static text. */
const char *exception_mnemonic(unsigned vector);

/* "page fault"; "reserved exception" below 32, "interrupt" above. Static text. */
const char *exception_name(unsigned vector);

/* Whether the CPU pushes an error code when it delivers this vector. */
bool exception_has_error_code(unsigned vector);

#endif
