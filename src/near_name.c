// SPDX-License-Identifier: GPL-3.0-or-later
#include "near_name.h"

#include <limits.h>

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned name_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned far[NEAR_NAME_SIZE][NEAR_NAME_SIZE];

	if (a_size >= NEAR_NAME_SIZE || b_size >= NEAR_NAME_SIZE)
		return UINT_MAX;
	for (size_t i = 0; i <= a_size; i++)
		for (size_t j = 0; j <= b_size; j++) {
			if (!i || !j) {
				far[i][j] = (unsigned)(i + j);
				continue;
			}
			far[i][j] = smaller(smaller(far[i - 1][j], far[i][j - 1]) + 1,
					    far[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				far[i][j] = smaller(far[i][j], far[i - 2][j - 2] + 1);
		}
	return far[a_size][b_size];
}

unsigned name_distance_limit(size_t typed_size)
{
	return (unsigned)(typed_size / 3 + 2);
}
