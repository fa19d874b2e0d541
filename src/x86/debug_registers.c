// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/debug_registers.h"

#define DR7_GE	      (1ull << 9)
#define DR7_FIXED     (1ull << 10)
#define DR7_GLOBAL(n) (2ull << (2 * (n)))
#define DR7_FIELD(n)  (16 + 4 * (n))

/* LEN, by length in bytes. The code of 8 came late, which is why the order is odd. */
static const uint8_t length_code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

uint64_t dr7_enable(uint64_t dr7, unsigned slot, enum dr_type type, unsigned length)
{
	uint64_t field;

	if (slot >= DR_SLOTS || !(type == DR_EXEC || dr_can_watch(0, length)))
		return dr7;
	if (type == DR_EXEC)
		length = 1;
	field = (uint64_t)length_code[length] << 2 | type;
	dr7 &= ~(0xfull << DR7_FIELD(slot));
	return dr7 | field << DR7_FIELD(slot) | DR7_GLOBAL(slot) | DR7_GE | DR7_FIXED;
}

bool dr_can_watch(uint64_t address, uint64_t length)
{
	bool power_of_two = length && !(length & (length - 1));

	return power_of_two && length <= 8 && !(address & (length - 1));
}
