/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entered in flat protected mode: EDI = bytes of RAM, ESI = command line. */
#define FIRST  %edi
#define SECOND %esi
#include "entry32.inc"
