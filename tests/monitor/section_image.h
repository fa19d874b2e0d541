/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ELF images that are made of sections alone, as those are that things are looked up in. */
#ifndef TESTS_MONITOR_SECTION_IMAGE_H
#define TESTS_MONITOR_SECTION_IMAGE_H

#include <elf.h>
#include <stddef.h>

/* count headers of sections lie at an offset; the section `names` has their names. */
Elf64_Ehdr section_header(size_t at, unsigned count, unsigned names);

#endif
