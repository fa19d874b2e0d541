// SPDX-License-Identifier: GPL-3.0-or-later
/* qXfer: documents that gdb reads piece by piece. */
#include "gdbstub/stub.h"

#include <errno.h>
#include <string.h>

static const struct document {
	const char *name;
	document_fn *make;
} documents[] = {
	{"exec-file", document_exec_file},   {"features", document_features},
	{"memory-map", document_memory_map}, {"osdata", document_osdata},
	{"threads", document_threads},
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

	if (t->annex_size > ANNEX_MAX)
		return -ENOENT;
	if (t->offset && s->transfer_object == document &&
	    word_is(t->annex, t->annex_size, s->transfer_annex))
		return 0;
	text_clear(&s->transfer);
	s->transfer_object = NULL;
	ret = document->make(s, t->annex, t->annex_size, &s->transfer);
	if (ret)
		return ret;
	if (s->transfer.failed)
		return -ENOMEM;
	s->transfer_object = document;
	memcpy(s->transfer_annex, t->annex, t->annex_size);
	s->transfer_annex[t->annex_size] = '\0';
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
