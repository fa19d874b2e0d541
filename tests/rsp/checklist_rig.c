// SPDX-License-Identifier: GPL-3.0-or-later
#include "checklist_rig.h"
#include "peer.h"

#include "gdbstub/stub.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rows list;
static char source[200];

const char *path_of(const char *file)
{
	const char *top = getenv("SOURCE");

	snprintf(source, sizeof(source), "%s/tests/rsp/%s", top ? top : ".", file);
	return source;
}

int read_list(void **state)
{
	(void)state;
	return rows_read(path_of("checklist"), &list) == 0 && list.count ? 0 : -1;
}

bool is(const struct row *row, const char *answer)
{
	return !strcmp(row->answer, answer);
}
