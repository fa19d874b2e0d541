/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "multiboot.inc"

#define FIRST  %eax
#define SECOND %ebx
#include "entry32.inc"
