/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands behind a Z packet's place: conditions, and commands that print. */
#ifndef GDBSTUB_POINT_OPTIONS_H
#define GDBSTUB_POINT_OPTIONS_H

#include "gdbstub/stub.h"

struct point_options {
	struct program *condition;   /* or NULL: always */
	struct point_action *action; /* or NULL: stop */
	bool persists;		     /* the commands, when gdb detaches */
};

/* All that is left of the packet: `;X len,bytes` for each condition, `;cmds:persist,` and `X len,bytes` for each
 * command (gdb manual, "Packets", Z0). -EINVAL and so on with a sentence; options holds nothing then. */
int take_point_options(struct gdb_session *s, struct request *request,
		       struct point_options *options);
void point_options_free(struct point_options *options);

#endif
