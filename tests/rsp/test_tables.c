// SPDX-License-Identifier: GPL-3.0-or-later
/* qXfer:osdata, which gdb shows as `info os`. What the machine is like is fake_debug.c's invention; descriptor tables
 * and page tables are read from its RAM. */
#include "peer.h"

#include "gdbstub/packet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P   1ull
#define W   2ull
#define U   4ull
#define PS  0x80ull
#define GDT 0x2000u
#define IDT 0x3000u

/* The whole document, in pieces of size; the caller frees it. */
static char *fetch_in(struct peer *peer, const char *annex, size_t piece)
{
	char *document = calloc(1, 16 << 20);
	size_t used = 0, size;
	const char *reply;

	do {
		peer_send(peer, text("qXfer:osdata:read:%s:%zx,%zx", annex, used, piece));
		reply = peer_take(peer, &size);
		if (reply[1] != 'm' && reply[1] != 'l')
			fail_msg("info os %s: %.40s", annex, reply);
		for (size_t i = 2; i < size - 3; i++)
			document[used++] = reply[i] == '}' ? (char)(reply[++i] ^ 0x20) : reply[i];
	} while (reply[1] == 'm');
	return document;
}

static char *fetch(struct peer *peer, const char *annex)
{
	return fetch_in(peer, annex, 0x1000);
}

/* Each row becomes a line, its columns with a bar behind each. */
static char *rows_of(struct peer *peer, const char *annex)
{
	char *document = fetch(peer, annex), *rows = calloc(1, strlen(document) + 1);

	for (char *at = document; (at = strchr(at, '<')); at++) {
		if (!strncmp(at, "</item>", 7))
			strcat(rows, "\n");
		if (strncmp(at, "<column", 7))
			continue;
		at = strchr(at, '>') + 1;
		strncat(rows, at, strcspn(at, "<"));
		strcat(rows, "|");
	}
	free(document);
	return rows;
}

static void expect_rows(struct peer *peer, const char *annex, const char *wanted)
{
	char *rows = rows_of(peer, annex);

	assert_string_equal(rows, wanted);
	free(rows);
}

/* The columns' names of the first row. */
static void expect_columns(struct peer *peer, const char *annex, const char *wanted)
{
	char *document = fetch(peer, annex), *end = strstr(document, "</item>");
	char names[400] = "";

	assert_non_null(end);
	*end = '\0';
	for (char *at = document; (at = strstr(at, "<column name=\"")); at++) {
		at += strlen("<column name=\"");
		strncat(names, at, strcspn(at, "\""));
		strcat(names, "|");
	}
	assert_string_equal(names, wanted);
	free(document);
}

static unsigned count_rows(const char *rows)
{
	unsigned count = 0;

	for (; (rows = strchr(rows, '\n')); rows++)
		count++;
	return count;
}

static void put(struct peer *peer, uint64_t at, uint64_t value)
{
	memcpy(peer->debug->ram + at, &value, sizeof(value));
}

static void the_list(void **state)
{
	char *rows = rows_of(*state, "");

	expect_columns(*state, "", "Type|Description|Title|");
	assert_int_equal(count_rows(rows), 9);
	assert_memory_equal(rows, "vcpus|", 6);
	for (char *line = strtok(rows, "\n"); line; line = strtok(NULL, "\n")) {
		char name[40];
		char *document;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "|"), line);
		document = fetch(*state, name);
		assert_non_null(strstr(document, text("<osdata type=\"%s\">", name)));
		assert_non_null(strstr(document, "</osdata>"));
		free(document);
	}
	free(rows);
}

static void vcpus(void **state)
{
	expect_columns(*state, "vcpus", "vCPU|Mode|Ring|IF|Exits|CR3|PC|State|");
	expect_rows(*state, "vcpus",
		    "0|long mode|0|1|7|0x1000|0x100000|runs|\n"
		    "1|long mode|1|0|7|0x1000|0x200000|waits for startup|\n"
		    "2|long mode|2|0|7|0x1000|0x300000|runs|\n"
		    "3|long mode|3|0|7|0x1000|0x400000|runs|\n");
}

static void exits(void **state)
{
	expect_columns(*state, "exits", "vCPU|Reason|Exits|Guest ms|vitrine ms|Most often|");
	expect_rows(*state, "exits",
		    "0|&lt;io&gt;|10|1.235|0.001|0x3f8 out (8), 0x60 in (2)|\n"
		    "0|hlt|20|1.235|0.001||\n");
}

static void breakpoints(void **state)
{
	struct peer *peer = *state;
	const struct point_spec io = {.kind = POINT_CATCH_IO, .address = 0x60, .length = 5};
	const struct point_spec limited = {.kind = POINT_HARDWARE,
					   .address = 0x1234,
					   .physical = true,
					   .limit = {.by = LIMIT_VCPU | LIMIT_RING | LIMIT_CR3,
						     .vcpu = 2,
						     .ring = 3,
						     .cr3 = 0x5000}};

	expect_rows(peer, "breakpoints", "");
	ask(peer, "Z0,100,1", "OK");
	ask(peer, "Z2,200,8", "OK");
	debug_point_add(peer->debug, &io, OWNER_CONSOLE, NULL);
	debug_point_add(peer->debug, &limited, OWNER_CONSOLE, NULL);
	peer->debug->point[1].hits = 5;
	peer->debug->point[3].enabled = false;
	peer->debug->point[1].rung = "debug register 2";
	expect_columns(peer, "breakpoints", "Number|Owner|Enabled|Hits|Place|Kind|How|Only|");
	expect_rows(
		peer, "breakpoints",
		"1|gdb|yes|0|0x100|breakpoint|||\n"
		"2|gdb|yes|5|0x200, 8 bytes|write watch|debug register 2||\n"
		"3|console|yes|0|0x60-0x64 r|catch io|||\n"
		"4|console|no|0|physical 0x1234|hardware breakpoint||vCPU 2 ring 3 cr3 0x5000|\n");
}

static void slots_and_devices(void **state)
{
	expect_columns(*state, "memory-slots", "Slot|Start|End|KiB|Access|Dirty log|");
	expect_rows(*state, "memory-slots",
		    "0|0x0|0xfff|4|read,write|off|\n1|0x1000|0x1fff|4|read|off|\n");
	expect_columns(*state, "devices", "Space|Start|End|By|Writes|Device|");
	expect_rows(*state, "devices",
		    "port|0x3f8|0x3ff|vitrine|at once|serial0|\n"
		    "memory|0xfee00000|0xfee00fff|kernel|at once|lapic|\n");
}

static void lapic(void **state)
{
	struct peer *peer = *state;
	char *rows;

	peer->debug->state[1].system.apic_base = 0xfee00800;
	expect_columns(peer, "lapic", "vCPU|Offset|Value|Register|Meaning|");
	rows = rows_of(peer, "lapic 1");
	assert_non_null(strstr(rows, "1||0xfee00800|APIC_BASE|xAPIC at 0xfee00000|\n"
				     "1|0x020|0x1000000|ID|APIC 1|\n"));
	assert_non_null(strstr(rows, "1|0x0f0|0x1ff|SVR|enabled, spurious vector 0xff|\n"));
	assert_non_null(strstr(rows, "1|0x100||ISR|none|\n"));
	free(rows);
	peer->debug->refuse_lapic = -ENOTSUP;
	ask(peer, "qXfer:osdata:read:lapic:0,1000", "E5f");
}

static void vectors(void **state)
{
	struct peer *peer = *state;

	peer->debug->state[0].system.idt = (struct cpu_table){IDT, 0x3f};
	put(peer, IDT + 16, 0x81008e0200081234);
	put(peer, IDT + 24, 0xffffffff);
	put(peer, IDT + 32, 0x00000e0000080010); /* not present */
	expect_columns(peer, "idt", "vCPU|Vector|Exception|Present|DPL|IST|Selector|Handler|Kind|");
	expect_rows(peer, "idt",
		    "0|1|#DB|yes|0|2|0x8|0xffffffff81001234|interrupt gate, 64 bits|\n"
		    "0|2|NMI|NO|0|0|0x8|0x10|interrupt gate, 64 bits|\n");
	/* Nowhere. */
	peer->debug->state[0].system.idt.base = 0x10000000;
	expect_rows(peer, "idt", "");
}

static void vectors_of_real_mode(void **state)
{
	struct peer *peer = *state;

	cpu_state_reset(&peer->debug->state[0], true);
	put(peer, 4, 0xf000fff0);
	put(peer, 0x3fc, 0x1234);
	expect_rows(peer, "idt",
		    "0|1|#DB|yes|||0xf000|0xffff0|real mode's vector|\n"
		    "0|255||yes|||0x0|0x1234|real mode's vector|\n");
}

static void segments(void **state)
{
	struct peer *peer = *state;
	struct cpu_system *system = &peer->debug->state[0].system;

	system->gdt = (struct cpu_table){GDT, 0x2f};
	put(peer, GDT + 8, 0x00209a0000000000);
	put(peer, GDT + 16, 0x00008b0050000067);
	put(peer, GDT + 24, 0xffff8000);
	put(peer, GDT + 32, 0x00cf12000000ffff);
	system->seg[SEG_TR] = (struct cpu_segment){.selector = 0x10, .present = 1};
	system->seg[SEG_LDTR] = (struct cpu_segment){
		.selector = 0x28, .base = GDT + 0x100, .limit = 15, .present = 1};
	put(peer, GDT + 0x108, 0x00cffa000000ffff);
	expect_columns(peer, "gdt", "vCPU|Selector|Present|DPL|Limit|Base|Held by|Kind|");
	expect_rows(peer, "gdt",
		    "0|0x08|yes|0|0x0|0x0|cs|code, 64 bits, readable|\n"
		    "0|0x10|yes|0|0x67|0xffff800000005000|ss tr|TSS, 64 bits, busy|\n"
		    "0|0x20|NO|0|0xffffffff|0x0||data, 32 bits, writable|\n"
		    "0|0x0c|yes|3|0xffffffff|0x0||code, 32 bits, readable|\n");
}

/* Long mode's tables at 0x2000, 0x3000, 0x4000 and 0x5000 of vCPU 0. */
static void map(struct peer *peer)
{
	put(peer, 0x2000 + 8 * 256, 0x3000 | P | W | U);
	put(peer, 0x3000, 0x4000 | P | W | U);
	put(peer, 0x4000, 0x5000 | P | W | U);
	peer->debug->state[0].system.cr3 = 0x2000;
}

static void pages(void **state)
{
	struct peer *peer = *state;

	expect_rows(peer, "pagetable", "0|0x0|0xffffffff|0x0||paging is off|\n");
	map(peer);
	for (unsigned i = 0; i < 4; i++)
		put(peer, 0x5000 + 8 * i, (0x8000 + 0x1000 * i) | P | W);
	put(peer, 0x5000 + 8 * 4, 0x20000 | P | U);
	put(peer, 0x4000 + 8, 0x600000 | P | PS | W | U);
	expect_columns(peer, "pagetable", "vCPU|Start|End|Physical|Page|Rights|");
	expect_rows(peer, "pagetable",
		    "0|0xffff800000000000|0xffff800000003fff|0x8000|4K|rwx kernel|\n"
		    "0|0xffff800000004000|0xffff800000004fff|0x20000|4K|r-x user|\n"
		    "0|0xffff800000200000|0xffff8000003fffff|0x600000|2M|rwx user|\n");
	expect_rows(peer, "pagetable 0xffff800000004123",
		    "0|0xffff800000004000|0xffff800000004fff|0x20000|4K|r-x user|\n"
		    "0|0xffff800000200000|0xffff8000003fffff|0x600000|2M|rwx user|\n");
	expect_rows(peer, "pagetable 0xffffffff00000000", "");
}

/* All of 256 TiB is mapped, to four pages by turns: no two neighbours are alike. */
static void tables_that_contain_themselves(void **state)
{
	struct peer *peer = *state;
	char *rows, *more;
	unsigned count;

	for (unsigned i = 0; i < 512; i++)
		put(peer, 0x2000 + 8 * i, 0x2000 | P | W | U);
	peer->debug->state[0].system.cr3 = 0x2000;
	rows = rows_of(peer, "pagetable");
	count = count_rows(rows);
	assert_int_equal(count, 4096 + 1);
	more = strstr(rows, "and more: info os pagetable 0x1000000|");
	assert_non_null(more);
	free(rows);
	rows = rows_of(peer, "pagetable 0x1000000");
	assert_non_null(strstr(rows, "0|0x1000000|0x1000fff|0x2000|4K|rwx user|\n"));
	free(rows);
}

static void pieces_fit_together(void **state)
{
	struct peer *peer = *state;
	char *whole = fetch(peer, "devices"), *pieces = fetch_in(peer, "devices", 7);

	assert_string_equal(whole, pieces);
	free(whole);
	free(pieces);
	/* Another table in the middle is not the first one's rest. */
	peer_send(peer, "qXfer:osdata:read:devices:0,10");
	peer_take(peer, NULL);
	peer_send(peer, "qXfer:osdata:read:vcpus:0,1000");
	assert_non_null(strstr(peer_take(peer, NULL), "type=\"vcpus\""));
	peer_send(peer, "qXfer:osdata:read:devices:20,1000");
	assert_non_null(strstr(peer_take(peer, NULL), "type=\"devices\""));
}

static void arguments(void **state)
{
	static const char *const refused[] = {
		"nothing", "idt x",	  "idt 4",
		"idt 1 2", "idt -1",	  "idt 0x",
		"vcpus 1", "pagetable q", "lapic 99999999999999999999",
		"idtx",	   "IDT",	  " idt"};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ask_error(peer, text("qXfer:osdata:read:%s:0,1000", refused[i]));
	ask_error(peer, text("qXfer:osdata:read:idt %0100u:0,1000", 1u));
	ask_error(peer, "qXfer:osdata:write:idt:0,1000");
	free(fetch(peer, "idt   0x2"));
	free(fetch(peer, "vcpus "));
	/* Of the thread that gdb looks at. */
	peer->debug->state[2].system.gdt = (struct cpu_table){GDT, 0xf};
	put(peer, GDT + 8, 0x00209a0000000000);
	ask(peer, "Hg3", "OK");
	expect_rows(peer, "gdt", "2|0x08|yes|0|0x0|0x0|cs|code, 64 bits, readable|\n");
	expect_rows(peer, "gdt 1", "");
}

static void refusals_have_words(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "qSupported:error-message+");
	peer_take(peer, NULL);
	ask(peer, "qXfer:osdata:read:gdt 9:0,1000", "E.there is no vCPU 9");
	ask(peer, "qXfer:osdata:read:vcpus 9:0,1000", "E.info os vcpus takes no argument");
}

static void of_a_running_guest(void **state)
{
	static const char *const busy[] = {"vcpus", "idt", "gdt", "pagetable", "lapic"};
	struct peer *peer = *state;

	peer->debug->running = true;
	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++)
		ask(peer, text("qXfer:osdata:read:%s:0,1000", busy[i]), "E10");
	free(fetch(peer, "exits"));
	free(fetch(peer, "devices"));
	free(fetch(peer, "memory-slots"));
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(the_list),
		SMP(vcpus),
		ONE(exits),
		ONE(breakpoints),
		ONE(slots_and_devices),
		SMP(lapic),
		ONE(vectors),
		ONE(vectors_of_real_mode),
		ONE(segments),
		ONE(pages),
		ONE(tables_that_contain_themselves),
		ONE(pieces_fit_together),
		SMP(arguments),
		ONE(refusals_have_words),
		ONE(of_a_running_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
