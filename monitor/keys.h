/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of a PC's keyboard by name, as QEMU's sendkey has them, and their scan codes of set 1. */
#ifndef MONITOR_KEYS_H
#define MONITOR_KEYS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

#define KEYS_MAX 32 /* bytes: four keys at once */

/* "ctrl-alt-delete": pressed in this order, let go in the other. How many bytes of codes; -EINVAL. */
int keys_parse(const char *text, uint8_t codes[KEYS_MAX], struct error *err);
/* What one types to get this text, on a keyboard with the layout of the United States. How many bytes of codes;
 * -EINVAL: a character that it has no key for; -ENOSPC. */
int keys_text(const char *text, size_t size, uint8_t *codes, size_t room, struct error *err);
/* Every name: 0, 1, 2, …; NULL behind the last. */
const char *key_name(unsigned index);

#endif
