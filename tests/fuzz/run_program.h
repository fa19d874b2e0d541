/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs what was compiled on registers and memory that are there in part; a failure must have words. */
#ifndef TESTS_FUZZ_RUN_PROGRAM_H
#define TESTS_FUZZ_RUN_PROGRAM_H

#include "debug/debug.h"

void run_program(const struct program *program);
/* Ends the process when nothing was said: of a refusal. */
void must_have_words(const struct error *err, const char *what);

#endif
