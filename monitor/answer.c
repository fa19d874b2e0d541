// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/answer.h"

#include "monitor/command.h"

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

static struct facts *head_of(const struct call *call, const char *line, int ret)
{
	struct facts *facts = facts_new();
	struct monitor_out fields = {.facts = facts};

	fact_text(&fields, "command", call->command ? call->command->name : NULL);
	fact_text(&fields, "line", line);
	fact_flag(&fields, "ok", !ret);
	if (ret) {
		fact_text(&fields, "errno", strerrorname_np(-ret));
		fact_text(&fields, "error", call->err->text);
	}
	return facts;
}

int answer_line(struct monitor *monitor, const char *line, enum debug_owner owner,
		struct monitor_out *out)
{
	struct answer answer;
	struct error err = {0};
	struct call call = {.monitor = monitor, .owner = owner, .out = &answer.out, .err = &err};
	int ret = answer_begin(&answer);

	if (ret)
		return ret;
	ret = call_execute(&call, line);
	answer_end(&answer, head_of(&call, line, ret), out);
	return ret;
}
