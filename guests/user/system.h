/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls: number in RAX, arguments in RDI and RSI, result in RAX, by syscall or int 0x80.
 */
#ifndef USER_SYSTEM_H
#define USER_SYSTEM_H

enum {
	SYSTEM_WRITE, /* a: text, b: a number to print behind it; 0, or -1 when the text is not the
			 user's */
	SYSTEM_ADD,   /* a + b */
	SYSTEM_EXIT,  /* a: exit code */
};

#endif
