// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/checksum.h"

#include <string.h>

/* Each step maps sums one to one for a given word, and words one to one for a given sum: so a single word
 * that differs cannot come to the same in the end. The odd factor is 2^64 divided by the golden ratio. */
static uint64_t step(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
	return sum ^ sum >> 29;
}

uint64_t checksum(uint64_t sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t word;

	for (size_t left = size; left > 0; left -= left < 8 ? left : 8) {
		word = 0;
		memcpy(&word, at, left < 8 ? left : 8);
		sum = step(sum, word);
		at += 8;
	}
	return step(sum, size);
}
