// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void collect(void *ctx, const char *text, size_t size)
{
	string_add(ctx, text, size);
}

int answer_begin(struct answer *answer)
{
	*answer = (struct answer){.out = {.write = collect, .facts = facts_new()}};
	answer->out.ctx = &answer->text;
	return answer->out.facts ? 0 : -ENOMEM;
}

void answer_end(struct answer *answer, struct facts *head, struct monitor_out *to)
{
	struct monitor_out fields = {.facts = head};
	char *line = NULL;

	if (head) {
		fact_text(&fields, "text", string_text(&answer->text));
		facts_move(head, "result", answer->out.facts);
		line = facts_line(head);
	}
	if (line)
		to->write(to->ctx, line, strlen(line));
	free(line);
	facts_free(head);
	facts_free(answer->out.facts);
	string_free(&answer->text);
}
