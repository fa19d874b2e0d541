// SPDX-License-Identifier: GPL-3.0-or-later
/* qSupported, and the documents that gdb reads piece by piece with qXfer. */
#include "gdbstub/stub.h"

#include <errno.h>
#include <string.h>

/* ---- qSupported ----------------------------------------------------------------- */

static bool word_is(const char *word, size_t size, const char *text)
{
	return strlen(text) == size && memcmp(word, text, size) == 0;
}

static void note_feature(struct gdb_session *s, const char *word, size_t size)
{
	if (word_is(word, size, "swbreak+"))
		s->swbreak = true;
	else if (word_is(word, size, "hwbreak+"))
		s->hwbreak = true;
	else if (word_is(word, size, "error-message+"))
		s->error_message = true;
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
	reply_text(&s->reply, "swbreak+;hwbreak+;qXfer:features:read+;qXfer:threads:read+");
	if (s->error_message)
		reply_text(&s->reply, ";error-message+");
	return 0;
}

/* ---- qXfer ---------------------------------------------------------------------- */

/* Fills in text; -ENOENT for an annex that is not there. */
typedef int document_fn(struct gdb_session *s, const char *annex, size_t annex_size,
			struct text *text);

static int make_features(struct gdb_session *s, const char *annex, size_t size, struct text *text)
{
	if (!word_is(annex, size, "target.xml"))
		return -ENOENT;
	target_xml(text, s->arch);
	return 0;
}

static int make_threads(struct gdb_session *s, const char *annex, size_t size, struct text *text)
{
	unsigned count = s->detached || s->exited ? 0 : debug_vcpu_count(s->debug);

	(void)annex;
	if (size)
		return -ENOENT;
	text_printf(text, "<?xml version=\"1.0\"?>\n<threads>\n");
	for (unsigned i = 0; i < count; i++) {
		char words[256] = "";

		debug_vcpu_text(s->debug, (int)i, words, sizeof(words));
		text_printf(text, "<thread id=\"%x\" core=\"%u\" name=\"vCPU %u\">", i + 1, i, i);
		text_xml(text, words);
		text_printf(text, "</thread>\n");
	}
	text_printf(text, "</threads>\n");
	return 0;
}

static const struct document {
	const char *name;
	document_fn *make;
} documents[] = {
	{"features", make_features},
	{"threads", make_threads},
};

const char *document_at(unsigned index)
{
	return index < sizeof(documents) / sizeof(documents[0]) ? documents[index].name : NULL;
}

static const struct document *find_document(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		if (word_is(name, size, documents[i].name))
			return &documents[i];
	}
	return NULL;
}

/* `OBJECT:read:ANNEX:OFFSET,LENGTH` behind the object's name. */
struct transfer_request {
	const char *annex;
	size_t annex_size;
	uint64_t offset, length;
};

static bool take_transfer(struct request *request, struct transfer_request *t)
{
	const char *verb;
	size_t size;

	return take_word(request, ':', &verb, &size) && word_is(verb, size, "read") &&
	       take_word(request, ':', &t->annex, &t->annex_size) &&
	       take_hex(request, &t->offset) && take_char(request, ',') &&
	       take_hex(request, &t->length) && take_end(request);
}

/* A document is made when its first piece is asked for, so that the pieces fit together. */
static int prepare(struct gdb_session *s, const struct document *document,
		   const struct transfer_request *t)
{
	int ret;

	if (t->offset && s->transfer_object == document)
		return 0;
	text_clear(&s->transfer);
	s->transfer_object = NULL;
	ret = document->make(s, t->annex, t->annex_size, &s->transfer);
	if (ret)
		return ret;
	if (s->transfer.failed)
		return -ENOMEM;
	s->transfer_object = document;
	return 0;
}

static int send_piece(struct gdb_session *s, const struct transfer_request *t)
{
	size_t left, wanted, done;
	char *mark = s->reply.bytes + s->reply.size;

	if (t->offset > s->transfer.size)
		return -EINVAL;
	left = s->transfer.size - t->offset;
	wanted = t->length < left ? t->length : left;
	reply_text(&s->reply, "m");
	done = wanted ? reply_binary(&s->reply, s->transfer.bytes + t->offset, wanted) : 0;
	if (done == left)
		*mark = 'l';
	return 0;
}

int command_transfer(struct gdb_session *s, struct request *request)
{
	const struct document *document;
	struct transfer_request transfer;
	const char *name;
	size_t size;
	int ret;

	if (!take_word(request, ':', &name, &size))
		return -EINVAL;
	document = find_document(name, size);
	if (!document)
		return 0;
	if (!take_transfer(request, &transfer))
		return -EINVAL;
	ret = prepare(s, document, &transfer);
	return ret ? ret : send_piece(s, &transfer);
}
