// SPDX-License-Identifier: GPL-3.0-or-later
/* What gdb asks about the stub itself. */
#include "gdbstub/stub.h"

#include <errno.h>

static void note_feature(struct gdb_session *s, const char *word, size_t size)
{
	if (word_is(word, size, "swbreak+"))
		s->swbreak = true;
	else if (word_is(word, size, "hwbreak+"))
		s->hwbreak = true;
	else if (word_is(word, size, "error-message+"))
		s->error_message = true;
}

/* TextSeg moves all that gdb's file has, whatever its sections are called. What was said before in this connection
 * holds until something else is: a guest that starts again is where it was linked. */
int command_offsets(struct gdb_session *s, struct request *request)
{
	struct image_slide found;
	const void *elf;
	size_t size;
	int ret;

	(void)request;
	elf = s->config.file_count ? file_bytes(&s->config.files[0], &size) : NULL;
	if (!elf)
		return 0;
	ret = debug_find_slide(s->debug, (int)s->general, elf, size, &found);
	if (ret == -ENOEXEC || (!ret && !found.slide && !s->slid))
		return 0;
	if (ret)
		return ret;
	s->slid = found.slide;
	reply_format(&s->reply, "TextSeg=%llx", (unsigned long long)(found.base + found.slide));
	return 0;
}

int command_supported(struct gdb_session *s, struct request *request)
{
	const char *word;
	size_t size;

	while (take_word(request, ';', &word, &size))
		note_feature(s, word, size);
	note_feature(s, request->at, request_left(request));
	reply_format(&s->reply, "PacketSize=%x;%svContSupported+;", PACKET_MAX,
		     s->config.noisy ? "" : "QStartNoAckMode+;");
	reply_text(&s->reply, "ConditionalBreakpoints+;BreakpointCommands+;");
	reply_text(&s->reply, "swbreak+;hwbreak+;qXfer:features:read+;qXfer:threads:read+");
	reply_text(&s->reply, ";qXfer:memory-map:read+;qXfer:osdata:read+;binary-upload+");
	if (s->config.file_count)
		reply_text(&s->reply, ";qXfer:exec-file:read+");
	if (s->error_message)
		reply_text(&s->reply, ";error-message+");
	return 0;
}
