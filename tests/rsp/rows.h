/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/rsp/checklist, read. The fuzzer takes its packets from there, too. */
#ifndef TESTS_RSP_ROWS_H
#define TESTS_RSP_ROWS_H

#include <stddef.h>

#define ROW_STEPS 4
#define ROWS_MAX  256

struct packet_bytes {
	size_t size;
	char bytes[256];
};

struct row {
	char name[64], answer[64], tests[256];
	struct packet_bytes step[ROW_STEPS]; /* the last one is the packet itself */
	unsigned steps;			     /* 0: not a packet */
};

struct rows {
	unsigned count;
	struct row row[ROWS_MAX];
};

/* How many lines cannot be read, each named on standard error; -errno when there is no such file. */
int rows_read(const char *path, struct rows *rows);

static inline const struct packet_bytes *row_packet(const struct row *row)
{
	return row->steps ? &row->step[row->steps - 1] : NULL;
}

#endif
