/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MONITOR_SCREEN_H
#define MONITOR_SCREEN_H

#include "monitor/text.h"

#include <stdint.h>

/* A character of a PC's text screen, as its display draws it: always printable. */
void screen_add_character(struct string *line, uint8_t c);

#endif
