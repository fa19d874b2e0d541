/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of QEMU's kind: a comma parts them, and two stand for one in a name. */
#ifndef COMMA_LIST_H
#define COMMA_LIST_H

/* Ends the first element of the list, in place, and makes one of each double comma in it. Returns what follows it, or
 * NULL. */
char *comma_list_split(char *list);

#endif
