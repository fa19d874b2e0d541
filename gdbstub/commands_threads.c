// SPDX-License-Identifier: GPL-3.0-or-later
/* Threads are vCPUs. */
#include "gdbstub/stub.h"

#include <errno.h>
#include <string.h>

int command_thread_set(struct gdb_session *s, struct request *request)
{
	struct thread_id id;
	bool general = take_char(request, 'g');

	if (!general && !take_char(request, 'c'))
		return -EINVAL;
	if (!take_thread(request, &id) || !take_end(request) || !vcpu_exists(s, &id))
		return -EINVAL;
	if (!general)
		s->resume = id;
	else if (id.kind == THREAD_ONE)
		s->general = id.vcpu;
	return reply_ok(s);
}

int command_thread_alive(struct gdb_session *s, struct request *request)
{
	struct thread_id id;

	if (!take_thread(request, &id) || !take_end(request) || id.kind != THREAD_ONE)
		return -EINVAL;
	return vcpu_exists(s, &id) && !s->exited ? reply_ok(s) : -ESRCH;
}

int command_current_thread(struct gdb_session *s, struct request *request)
{
	(void)request;
	reply_format(&s->reply, "QC%x", s->general + 1);
	return 0;
}

int command_threads_first(struct gdb_session *s, struct request *request)
{
	unsigned count = s->detached || s->exited ? 0 : debug_vcpu_count(s->debug);

	(void)request;
	if (!count)
		reply_text(&s->reply, "l");
	for (unsigned i = 0; i < count; i++)
		reply_format(&s->reply, "%c%x", i ? ',' : 'm', i + 1);
	return 0;
}

/* The first answer held them all. */
int command_threads_next(struct gdb_session *s, struct request *request)
{
	(void)request;
	reply_text(&s->reply, "l");
	return 0;
}

int command_thread_text(struct gdb_session *s, struct request *request)
{
	struct thread_id id;
	char text[256] = "";

	if (!take_thread(request, &id) || !take_end(request) || id.kind != THREAD_ONE ||
	    !vcpu_exists(s, &id))
		return -EINVAL;
	debug_vcpu_text(s->debug, (int)id.vcpu, text, sizeof(text));
	reply_hex(&s->reply, text, strlen(text));
	return 0;
}
