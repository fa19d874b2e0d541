/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text out: COM1, and the text screen for those who ask. */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include <stdint.h>

/* 115200 baud, 8 bits, FIFO on, no interrupts. */
void serial_init(void);
void serial_put(char c);
/* From now on the receiver raises IRQ 4. */
void serial_receive_interrupts(void);
/* The next received byte, or -1. */
int serial_get(void);

/* From now on everything printed is also written to 0xb8000, line by line, and from the top again
 * behind the last one. */
void text_screen_on(void);
/* Does nothing until text_screen_on(). */
void text_screen_put(char c);

/* %c %s %d %u %x %p %%, with l (native word) and ll (%llx only); a width and a leading 0 pad. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

#endif
