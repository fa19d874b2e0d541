/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of QEMU's that vitrine has not. */
#ifndef QEMU_OPTIONS_H
#define QEMU_OPTIONS_H

/* What does here instead, as the end of a sentence; name: without dashes and value. NULL: no such option is known. */
const char *qemu_option_instead(const char *name);

#endif
