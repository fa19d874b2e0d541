// SPDX-License-Identifier: GPL-3.0-or-later
/* The documents that are read in pieces: the description, the threads. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void the_description_has_every_register(void **state)
{
	struct peer *peer = *state;
	char *xml = peer_document(peer, "features:read:target.xml", 0x1fff0);

	assert_int_equal(strncmp(xml, "<?xml version=\"1.0\"?>", 21), 0);
	assert_int_equal(text_count(xml, "<reg "), register_count);
	assert_int_equal(text_count(xml, "<architecture>i386:x86-64</architecture>"), 1);
	assert_int_equal(text_count(xml, "<feature name="), text_count(xml, "</feature>"));
	assert_int_equal(text_count(xml, "<flags id="), text_count(xml, "</flags>"));
	for (unsigned reg = 0; reg < register_count; reg++) {
		char word[200];

		snprintf(word, sizeof(word),
			 "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"",
			 registers[reg].name, registers[reg].bits, registers[reg].gdb_type, reg);
		assert_int_equal(text_count(xml, word), 1);
	}
	assert_int_equal(text_count(xml, "<flags id=\"i386_eflags\" size=\"4\">"), 1);
	assert_int_equal(text_count(xml, "<field name=\"PG\" start=\"31\" end=\"31\"/>"), 1);
	/* Each feature has its own types. */
	assert_int_equal(text_count(xml, "<union id=\"vec128\">"), 2);
	assert_int_equal(text_count(xml, "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>"),
			 1);
	assert_int_equal(text_count(xml, "<feature name=\"org.gnu.gdb.i386."), 6);
	assert_int_equal(text_count(xml, "<compatible>i386</compatible>"), 1);
	free(xml);
}

static void pieces_of_any_size_make_the_same_document(void **state)
{
	static const unsigned sizes[] = {1, 7, 0x400, 0xffff};
	struct peer *peer = *state;
	char *whole = peer_document(peer, "features:read:target.xml", 0x1fff0);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *pieces = peer_document(peer, "features:read:target.xml", sizes[i]);

		assert_string_equal(pieces, whole);
		free(pieces);
	}
	free(whole);
}

static void the_thread_list(void **state)
{
	char *xml = peer_document(*state, "threads:read:", 0x1fff0);

	assert_string_equal(xml, "<?xml version=\"1.0\"?>\n<threads>\n"
				 "<thread id=\"1\" core=\"0\" name=\"vCPU 0\">long mode, &lt;0&gt; "
				 "&amp; &quot;so on&quot;</thread>\n"
				 "<thread id=\"2\" core=\"1\" name=\"vCPU 1\">long mode, &lt;1&gt; "
				 "&amp; &quot;so on&quot;</thread>\n"
				 "<thread id=\"3\" core=\"2\" name=\"vCPU 2\">long mode, &lt;2&gt; "
				 "&amp; &quot;so on&quot;</thread>\n"
				 "<thread id=\"4\" core=\"3\" name=\"vCPU 3\">long mode, &lt;3&gt; "
				 "&amp; &quot;so on&quot;</thread>\n"
				 "</threads>\n");
	free(xml);
}

static void documents_are_not_mixed_up(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "qXfer:features:read:target.xml:0,10");
	assert_non_null(strstr(peer_take(peer, NULL), "m<?xml version=\"1"));
	peer_send(peer, "qXfer:threads:read::16,9");
	assert_non_null(strstr(peer_take(peer, NULL), "m<threads>"));
	peer_send(peer, "qXfer:features:read:target.xml:16,9");
	assert_non_null(strstr(peer_take(peer, NULL), "m<!DOCTYPE"));
}

static void malformed_transfers(void **state)
{
	static const char *const bodies[] = {
		"qXfer:",
		"qXfer:features",
		"qXfer:features:",
		"qXfer:features:read",
		"qXfer:features:read:",
		"qXfer:features:read:target.xml",
		"qXfer:features:read:target.xml:",
		"qXfer:features:read:target.xml:0",
		"qXfer:features:read:target.xml:0,",
		"qXfer:features:read:target.xml:0,x",
		"qXfer:features:read:target.xml:0,10x",
		"qXfer:features:read:target.xml:x,10",
		"qXfer:features:read:target.xml:ffffff,10",
		"qXfer:features:read:target.xml:ffffffffffffffff,10",
		"qXfer:features:read:other.xml:0,10",
		"qXfer:features:read::0,10",
		"qXfer:features:write:target.xml:0,10",
		"qXfer:threads:read:x:0,10",
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ask_error(peer, bodies[i]);
	ask(peer, "qXfer", "");
	ask(peer, "qXfer:auxv:read::0,10", "");
	ask(peer, "qXfer:features:read:target.xml:0,0", "m");
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(the_description_has_every_register),
		ONE(pieces_of_any_size_make_the_same_document),
		SMP(the_thread_list),
		ONE(documents_are_not_mixed_up),
		ONE(malformed_transfers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
