/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An input as a file, for code that reads files. */
#ifndef TESTS_FUZZ_INPUT_FILE_H
#define TESTS_FUZZ_INPUT_FILE_H

#include <stddef.h>

/* The path of a file with these bytes, in TMPDIR; one and the same each time. It goes when the process ends. */
const char *input_file(const void *bytes, size_t size);

#endif
