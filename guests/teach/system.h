/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls: number in EAX, arguments in EBX and ECX, result in EAX, by int 0x80. */
#ifndef TEACH_SYSTEM_H
#define TEACH_SYSTEM_H

enum {
	SYSTEM_WRITE,  /* text, size */
	SYSTEM_KEY,    /* the next character that is typed */
	SYSTEM_SECTOR, /* number, where to; 0, or -1 */
	SYSTEM_SUM,    /* 1 + 2 + ... + n, by the second CPU */
	SYSTEM_EXIT    /* code */
};

#endif
