/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far what was typed is from a name. */
#ifndef NEAR_NAME_H
#define NEAR_NAME_H

#include <stddef.h>

#define NEAR_NAME_SIZE 32 /* names have fewer characters; longer ones are far from everything */

/* Insertions, deletions, replacements, and neighbours changed over, that make a into b. */
unsigned name_distance(const char *a, size_t a_size, const char *b, size_t b_size);
/* Nearer than this a name is worth a question. */
unsigned name_distance_limit(size_t typed_size);

#endif
