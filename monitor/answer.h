/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An answer, or news, on its way to a program: what is written and told meanwhile becomes one line of JSON. */
#ifndef MONITOR_ANSWER_H
#define MONITOR_ANSWER_H

#include "monitor/facts.h"
#include "monitor/text.h"

struct answer {
	struct monitor_out out; /* to be written and told to */
	struct string text;
};

int answer_begin(struct answer *answer); /* 0, or -ENOMEM */
/* Writes the line to `to`: what head has, then `text` and `result`, where there is any. Both are freed; head may be
 * NULL when out of memory. */
void answer_end(struct answer *answer, struct facts *head, struct monitor_out *to);

/* Runs a line for an owner, and answers with one line of JSON: monitor_execute() for a program. */
int answer_line(struct monitor *monitor, const char *line, enum debug_owner owner,
		struct monitor_out *out);

#endif
