// SPDX-License-Identifier: GPL-3.0-or-later
#include "near_name.h"

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements, and neighbours changed over, that make a into b. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned char far[NEAR_NAME_SIZE][NEAR_NAME_SIZE];
	unsigned least;

	for (size_t i = 0; i <= a_size; i++)
		for (size_t j = 0; j <= b_size; j++) {
			if (!i || !j) {
				far[i][j] = (unsigned char)(i + j);
				continue;
			}
			least = smaller(smaller(far[i - 1][j], far[i][j - 1]) + 1,
					far[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				least = smaller(least, far[i - 2][j - 2] + 1);
			far[i][j] = (unsigned char)least;
		}
	return far[a_size][b_size];
}

void near_name_begin(struct near_name *near, const char *typed, size_t size)
{
	*near = (struct near_name){
		.typed = typed, .typed_size = size, .far = (unsigned)(size / 3 + 2)};
}

void near_name_offer(struct near_name *near, const char *name, size_t size)
{
	size_t apart = size > near->typed_size ? size - near->typed_size : near->typed_size - size;
	unsigned far;

	if (apart >= near->far || size >= NEAR_NAME_SIZE || near->typed_size >= NEAR_NAME_SIZE)
		return;
	far = distance(near->typed, near->typed_size, name, size);
	if (far >= near->far || far >= size)
		return;
	near->far = far;
	near->name = name;
	near->size = size;
}
