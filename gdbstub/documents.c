// SPDX-License-Identifier: GPL-3.0-or-later
/* The smaller documents. */
#include "gdbstub/stub.h"

#include <errno.h>

int document_features(struct gdb_session *s, const char *annex, size_t size, struct text *text)
{
	if (!word_is(annex, size, "target.xml"))
		return -ENOENT;
	/* gdb has forgotten what it knew of registers, or will. */
	if (!debug_running(s->debug) && view_renew(s))
		return -ENOMEM;
	target_xml(text, &s->layout);
	return 0;
}

int document_threads(struct gdb_session *s, const char *annex, size_t size, struct text *text)
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

/* gdb's addresses are linear, and the guest may map RAM at any of them, at any time. A map that left some out would
 * only keep gdb from asking. */
int document_memory_map(struct gdb_session *s, const char *annex, size_t size, struct text *text)
{
	(void)s;
	(void)annex;
	if (size)
		return -ENOENT;
	text_printf(text, "<?xml version=\"1.0\"?>\n<memory-map>\n"
			  "<memory type=\"ram\" start=\"0x0\" length=\"0x8000000000000000\"/>\n"
			  "<memory type=\"ram\" start=\"0x8000000000000000\" "
			  "length=\"0x8000000000000000\"/>\n"
			  "</memory-map>\n");
	return 0;
}
