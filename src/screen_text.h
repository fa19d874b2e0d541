/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PC's text screen as the stream of text that it once was: what is new on a screen since the last look. Lines that
 * were added below are told as they came, however far the screen has scrolled; of a screen that has changed in
 * another way, the rows that are different now.
 */
#ifndef SCREEN_TEXT_H
#define SCREEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_TEXT_COLUMNS 80
#define SCREEN_TEXT_ROWS    25

struct screen_text {
	uint8_t shown[SCREEN_TEXT_ROWS][SCREEN_TEXT_COLUMNS];
	bool begun;	/* shown is a screen; before, it is blank */
	bool in_line;	/* the text so far does not end with a newline */
	bool elsewhere; /* it ends in another row than the last one */
};

/* What each new piece is handed to: a row's characters of code page 437. */
typedef void screen_text_fn(void *ctx, const uint8_t *characters, size_t count);
struct screen_text_out {
	screen_text_fn *text;
	void (*newline)(void *ctx);
	void *ctx;
};

/* cells: 80x25 of character and attribute. False: it has not grown from the one before, and nothing was told. */
bool screen_text_grow(struct screen_text *t, const uint8_t *cells,
		      const struct screen_text_out *out);
/* Tells each row that is another now and not blank; nothing while the screen is being scrolled. */
void screen_text_change(struct screen_text *t, const uint8_t *cells,
			const struct screen_text_out *out);

#endif
