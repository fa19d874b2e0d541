/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mutations that know what a script is: of lines, and of the numbers and words in them. libFuzzer finds them by their
 * names. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

/* Packets to begin with: those of tests/rsp/checklist, in this file. 0, or -1 when it cannot be read. */
int mutate_init(const char *checklist);

#endif
