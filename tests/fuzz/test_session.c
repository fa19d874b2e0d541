// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A session of gdb, by libFuzzer: the input is a script (script.h) of packets, raw bytes, and events. Beside what the
 * sanitizers find, it must hold that
 *
 * - a packet is answered once, or it is one that is not, and what is sent are whole packets;
 * - nothing resumes or ends the guest but packets that say so;
 * - at the end gdb can stop the guest and ask why it stands still;
 * - nothing of gdb's is left behind.
 */
#include "mutate.h"
#include "script.h"
#include "world.h"

#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITS_MAX 6 /* a script that waits longer says nothing new */
#define WAIT_MS	  1

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct script script;
static struct world world;

static void drop(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *top = getenv("SOURCE");
	char list[300];

	(void)argc;
	(void)argv;
	if (!getenv("FUZZ_LOG"))
		log_set_sink(drop, NULL);
	snprintf(list, sizeof(list), "%s/tests/rsp/checklist", top ? top : ".");
	if (mutate_init(list) < 0)
		broken("%s cannot be read; SOURCE is the source's folder", list);
	return 0;
}

/* ---- events ----------------------------------------------------------------------------- */

static uint64_t number(const char **text)
{
	char *end;
	uint64_t value = strtoull(*text, &end, 16);

	*text = end;
	return value;
}

static void do_step(const char *args)
{
	uint64_t vcpu = number(&args);

	if (vcpu < debug_vcpu_count(world.debug))
		debug_step(world.debug, (int)vcpu, OWNER_CONSOLE, NULL);
}

/* KIND ADDRESS LENGTH */
static void do_point(const char *args)
{
	uint64_t kind = number(&args), address = number(&args), length = number(&args);
	const struct point_spec spec = {.kind = (enum point_kind)(kind % POINT_KIND_COUNT),
					.address = address,
					.length = length ? length : 1};

	debug_point_add(world.debug, &spec, OWNER_CONSOLE, NULL);
}

static void do_forget(const char *args)
{
	(void)args;
	debug_points_forget(world.debug, OWNER_CONSOLE);
}

static void do_stop(const char *args)
{
	(void)args;
	world_pause(&world, OWNER_CONSOLE);
}

static void do_go(const char *args)
{
	(void)args;
	debug_continue(world.debug, OWNER_CONSOLE, NULL);
}

static void do_reset(const char *args)
{
	(void)args;
	debug_reset(world.debug, OWNER_CONSOLE, NULL);
}

static void do_save(const char *args)
{
	(void)args;
	debug_snapshot_save(world.debug, "s", NULL);
}

static void do_restore(const char *args)
{
	(void)args;
	debug_snapshot_restore(world.debug, "s", OWNER_CONSOLE, NULL);
}

static void do_lost(const char *args)
{
	(void)args;
	world_reconnect(&world);
}

static void do_quit(const char *args)
{
	debug_kill(world.debug, OWNER_CONSOLE, (int)number(&args));
}

static void do_hear(const char *args)
{
	(void)args;
	world_hear(&world, 0);
}

static const struct event {
	const char *name;
	void (*run)(const char *args);
} events[] = {
	{"forget", do_forget}, {"go", do_go},	  {"hear", do_hear},   {"lost", do_lost},
	{"point", do_point},   {"quit", do_quit}, {"reset", do_reset}, {"restore", do_restore},
	{"save", do_save},     {"step", do_step}, {"stop", do_stop},
};

static void play_event(const struct script_line *line)
{
	char text[80];
	size_t size = line->size < sizeof(text) ? line->size : sizeof(text) - 1;
	size_t word;

	memcpy(text, line->text, size);
	text[size] = '\0';
	word = strcspn(text, " ");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strlen(events[i].name) == word && !memcmp(events[i].name, text, word))
			events[i].run(text + word);
	}
}

/* ---- packets ---------------------------------------------------------------------------- */

static bool begins(const uint8_t *body, size_t size, const char *text)
{
	return size >= strlen(text) && !memcmp(body, text, strlen(text));
}

/* By its bytes it is one packet, the one that it looks like. */
static bool is_plain(const uint8_t *body, size_t size)
{
	return !memchr(body, '$', size) && !memchr(body, '#', size) && size < PACKET_MAX &&
	       (!size || (body[0] != '}' && body[size - 1] != '}'));
}

/* The monitor's words are the console's: it may do anything. */
static bool may_resume(const uint8_t *body, size_t size)
{
	return (size && strchr("cCsSDR", body[0]) && body[0]) || begins(body, size, "vCont;") ||
	       begins(body, size, "qRcmd");
}

static bool is_unanswered(const uint8_t *body, size_t size)
{
	return world.session->waiting || begins(body, size, "R") || (size == 1 && body[0] == 'k');
}

static void frame(const uint8_t *body, size_t size)
{
	uint8_t sum = 0;
	char tail[4];

	for (size_t i = 0; i < size; i++)
		sum += body[i];
	snprintf(tail, sizeof(tail), "#%02x", sum);
	gdb_session_feed(world.session, "$", 1);
	gdb_session_feed(world.session, body, size);
	gdb_session_feed(world.session, tail, 3);
}

static void play_packet(const uint8_t *body, size_t size)
{
	bool was_running, was_waiting, plain = is_plain(body, size);
	unsigned replies;

	/* What came before may be half a packet. */
	if (plain)
		gdb_session_feed(world.session, "#00", 3);
	if (world.closed)
		return;
	replies = world.replies;
	was_running = debug_running(world.debug);
	was_waiting = world.session->waiting;
	frame(body, size);
	if (!plain)
		return;
	replies = world.replies - replies;
	/* The stop that was owed may be told behind it. */
	if (replies > 1u + was_waiting || (replies == 0 && !is_unanswered(body, size)))
		broken("%u replies to one packet", replies);
	if (!was_running && debug_running(world.debug) && !may_resume(body, size))
		broken("the guest was resumed by what is no resume");
	if (world.closed && !world.exited && !begins(body, size, "k") &&
	    !begins(body, size, "vKill") && !begins(body, size, "D"))
		broken("the session was ended by what is no end");
}

/* gdb waits for the guest, as it does behind every resume. */
static void wait_for_stop(unsigned *waits)
{
	if (world.session->waiting && (*waits)++ < WAITS_MAX)
		world_hear(&world, WAIT_MS);
}

static void play_line(const struct script_line *line, unsigned *waits)
{
	static uint8_t bytes[1 << 20];
	size_t size = line->size <= sizeof(bytes) ? script_bytes(line, bytes) : 0;

	if (world.closed)
		world_reconnect(&world);
	if (line->kind == '!')
		play_event(line);
	else if (line->kind == '$')
		play_packet(bytes, size);
	else
		gdb_session_feed(world.session, bytes, size);
	/* Bytes leave the guest running: what is next comes upon it. */
	if (line->kind == '$')
		wait_for_stop(waits);
}

/* ---- one script ------------------------------------------------------------------------- */

/* `!machine VCPUS INT3 FLAGS`, in the first line. */
static struct world_config read_config(const struct script_line *line)
{
	struct world_config config = {.vcpus = 2};
	char text[40];
	const char *at = text;
	uint64_t flags;

	if (line->kind != '!' || !begins(line->text, line->size, "machine "))
		return config;
	snprintf(text, sizeof(text), "%.*s", (int)(line->size - 8), (const char *)line->text + 8);
	config.vcpus = 1 + (unsigned)(number(&at) - 1) % 4;
	config.dummy.int3 = (enum dummy_int3)(number(&at) % 3);
	flags = number(&at);
	config.dummy.no_step = flags & 1;
	config.dummy.no_slots = flags & 2;
	config.dummy.no_watches = flags & 4;
	config.dummy.ignore_rf = flags & 8;
	config.noisy = flags & 16;
	return config;
}

/* A new packet is understood, and the guest can be stopped. */
static void must_be_alive(void)
{
	unsigned replies;

	if (world.closed || world.exited)
		return;
	gdb_session_feed(world.session, "#00\x03", 4);
	world_pause(&world, OWNER_GDB);
	world_hear(&world, 0);
	if (world.closed || world.exited)
		return;
	if (world.session->waiting)
		broken("the machine stands still, and gdb was not told");
	replies = world.replies;
	frame((const uint8_t *)"?", 1);
	if (world.replies != replies + 1)
		broken("? has %u replies", world.replies - replies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world_config config = {.vcpus = 2};
	unsigned waits = 0;

	script_read(&script, data, size);
	if (script.count)
		config = read_config(&script.line[0]);
	world_open(&world, &config);
	for (unsigned i = 0; i < script.count && !world.exited; i++)
		play_line(&script.line[i], &waits);
	must_be_alive();
	world_close(&world);
	return 0;
}
