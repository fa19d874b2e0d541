/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of many names somebody may have meant who typed none of them. */
#ifndef NEAR_NAME_H
#define NEAR_NAME_H

#include <stddef.h>

#define NEAR_NAME_SIZE 64 /* names have fewer characters; longer ones are far from everything */

struct near_name {
	const char *typed;
	size_t typed_size;
	unsigned far; /* of the nearest so far: letters too many, missing, wrong or changed over */
	const char *name; /* the nearest so far; NULL: none is near enough to be worth a question */
	size_t size;
};

void near_name_begin(struct near_name *near, const char *typed, size_t size);
/* Takes the name when it is nearer than all before it. Neither string is copied. */
void near_name_offer(struct near_name *near, const char *name, size_t size);

#endif
