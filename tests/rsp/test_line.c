// SPDX-License-Identifier: GPL-3.0-or-later
/* gdb over a character device: a pseudo-terminal with the test at its other end, a loop, and the fake machine. */
#include "peer.h"

#include "event_loop.h"
#include "gdbstub/server.h"
#include "log.h"
#include "serial_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define OFFER                                                                                      \
	"PacketSize=20000;vContSupported+;ConditionalBreakpoints+;BreakpointCommands+;"            \
	"swbreak+;hwbreak+;qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+;"       \
	"qXfer:osdata:read+;binary-upload+"

#define SLOWLY "qRcmd,736c6f77" /* monitor slow */

struct place {
	struct debug *debug;
	struct event_loop *loop;
	struct gdb_server *server;
	char path[100]; /* a link to the pseudo-terminal, which may be another one later */
	char log[4000];
	int far; /* the end that gdb has */
	unsigned came, went, slow;
};

static struct place place;

static void on_log(void *ctx, enum log_level level, const char *line)
{
	size_t used = strlen(place.log);

	(void)ctx;
	(void)level;
	snprintf(place.log + used, sizeof(place.log) - used, "%s\n", line);
}

static void on_attached(void *ctx, bool attached)
{
	(void)ctx;
	*(attached ? &place.came : &place.went) += 1;
}

static void plug_in(void)
{
	char path[64];

	place.far = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(place.far >= 0);
	assert_int_equal(grantpt(place.far), 0);
	assert_int_equal(unlockpt(place.far), 0);
	assert_int_equal(ptsname_r(place.far, path, sizeof(path)), 0);
	unlink(place.path);
	assert_int_equal(symlink(path, place.path), 0);
}

static const char *packet(const char *body)
{
	uint8_t sum = 0;

	for (const char *c = body; *c; c++)
		sum += (uint8_t)*c;
	return text("$%s#%02x", body, sum);
}

/* gdb has waited for too long, and its user for much too long. */
static void be_slow(void *ctx, const char *line, void (*write_text)(void *, const char *, size_t),
		    void *wctx)
{
	const char *again = text("-%s-\x03-", packet(SLOWLY));
	char got[10];

	(void)ctx;
	assert_string_equal(line, "slow");
	assert_int_equal(read(place.far, got, sizeof(got)), 1);
	assert_int_equal(got[0], '+');
	assert_int_equal(write(place.far, again, strlen(again)), strlen(again));
	poll(NULL, 0, 1100);
	place.slow++;
	write_text(wctx, "ok", 2);
}

static int new_server(const char *path, struct error *err)
{
	struct gdb_server_config config = {
		.on_disconnect = DISCONNECT_KEEP, .attached = on_attached, .monitor = be_slow};

	config.address.kind = NET_DEVICE;
	snprintf(config.address.path, sizeof(config.address.path), "%s", path);
	return gdb_server_new(place.debug, place.loop, &config, &place.server, err);
}

static int setup(void **state)
{
	const char *folder = getenv("TMPDIR");
	struct error err = {0};

	(void)state;
	memset(&place, 0, sizeof(place));
	snprintf(place.path, sizeof(place.path), "%.60s/test_line.%d", folder ? folder : "/tmp",
		 (int)getpid());
	log_set_sink(on_log, NULL);
	log_set_level(LOG_INFO);
	place.debug = fake_new(2);
	place.loop = event_loop_new();
	plug_in();
	assert_int_equal(new_server(place.path, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gdb_server_free(place.server);
	assert_null(place.debug->listener);
	assert_int_equal(place.came, place.went);
	event_loop_free(place.loop);
	fake_free(place.debug);
	log_set_sink(NULL, NULL);
	log_set_level(LOG_WARN);
	close(place.far);
	unlink(place.path);
	return 0;
}

static void rounds(void)
{
	for (int i = 0; i < 20; i++)
		event_loop_once(place.loop, 1);
}

static void say(const char *bytes)
{
	assert_int_equal(write(place.far, bytes, strlen(bytes)), strlen(bytes));
	rounds();
}

static void expect(const char *bytes)
{
	char got[500];
	ssize_t n = read(place.far, got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	assert_string_equal(got, bytes);
}

/* As gdb begins: it acknowledges whatever there was, and introduces itself. */
static void hello(void)
{
	say("+");
	say(packet("qSupported:swbreak+"));
	expect(text("+%s", packet(OFFER)));
	say("+");
}

static void the_first_packet_begins_a_session(void **state)
{
	(void)state;
	say("\r\nlogin: +-\x03");
	expect("");
	assert_int_equal(place.debug->pauses, 0);
	assert_false(gdb_server_attached(place.server));
	hello();
	assert_int_equal(place.debug->pauses, 1);
	assert_true(gdb_server_attached(place.server));
	say("$qC#b4");
	expect("+$QC1#c5");
	say("+$vCont;c#a8");
	assert_true(place.debug->running);
	expect("+");
	say("\x03");
	assert_int_equal(place.debug->pauses, 2);
}

/* Bytes get lost on a line: who does not acknowledge could not ask for them again. */
static void acknowledgments_stay(void **state)
{
	(void)state;
	hello();
	say("$QStartNoAckMode#b0");
	expect("+$#00");
	say("+$qC#b5");
	expect("-");
	say("$qC#b4");
	expect("+$QC1#c5");
	say("-");
	expect("$QC1#c5");
}

/* gdb repeats what is not answered soon, and complains. One question, one answer. */
static void impatience_is_no_question(void **state)
{
	(void)state;
	hello();
	say(packet(SLOWLY));
	expect(text("%s%s", packet("O6f6b"), packet("OK")));
	assert_int_equal(place.slow, 1);
	say("+$qC#b4");
	expect("+$QC1#c5");
	say("-");
	expect("$QC1#c5");
	assert_int_equal(place.slow, 1);
}

/* What gdb says after its goodbye does not call the stub back. */
static void after_a_goodbye_the_next_may_come(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		hello();
		assert_int_equal(place.debug->pauses, i);
		say("$Z0,100,1#a4");
		expect("+$OK#9a");
		say("+$D#44");
		expect("+$OK#9a");
		say("+");
		assert_false(gdb_server_attached(place.server));
		assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 0);
		assert_true(place.debug->running);
		assert_int_equal(place.went, i);
	}
	assert_null(strstr(place.log, "lost"));
}

static void kill_ends_the_session(void **state)
{
	(void)state;
	hello();
	say("$k#6b");
	expect("+");
	assert_int_equal(place.debug->kills, 1);
	assert_false(gdb_server_attached(place.server));
}

/* The last gdb was killed in the middle of a packet, with the guest running and nobody to hear of its stop. */
static void another_gdb_takes_over(void **state)
{
	(void)state;
	hello();
	say("$Z0,100,1#a4");
	expect("+$OK#9a");
	say("+$vCont;c#a8");
	expect("+");
	say("$m100");
	fake_stop(place.debug, &(struct stop){.reason = STOP_PAUSE}, OWNER_CONSOLE);
	rounds();
	assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 1);
	tcflush(place.far, TCIFLUSH);
	hello();
	assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 0);
	assert_int_equal(place.came, 2);
	assert_int_equal(place.went, 1);
	assert_int_equal(place.debug->kills, 0);
	say("$qC#b4");
	expect("+$QC1#c5");
	assert_non_null(strstr(place.log, "another gdb took over"));
}

/* lldb introduces itself in another order, once. */
static void a_late_introduction_is_no_other_gdb(void **state)
{
	(void)state;
	say(packet("qC"));
	expect("+$QC1#c5");
	say(text("+%s", packet("Z0,100,1")));
	expect("+$OK#9a");
	hello();
	assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 1);
	assert_int_equal(place.came, 1);
}

static void bytes_are_bytes(void **state)
{
	struct termios mode;
	int near = open(place.path, O_RDWR | O_NOCTTY);

	(void)state;
	assert_int_equal(tcgetattr(near, &mode), 0);
	assert_int_equal(mode.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
	assert_int_equal(mode.c_iflag & (IXON | ICRNL | INLCR | ISTRIP), 0);
	assert_int_equal(mode.c_oflag & OPOST, 0);
	/* The terminal is as it was when the server has gone. */
	gdb_server_free(place.server);
	place.server = NULL;
	assert_int_equal(tcgetattr(near, &mode), 0);
	assert_int_equal(mode.c_lflag & (ICANON | ECHO | ISIG), ICANON | ECHO | ISIG);
	close(near);
}

/* A guest that cannot be paused now may be, later. */
static void a_guest_that_cannot_be_paused(void **state)
{
	(void)state;
	place.debug->refuse_pause = -ETIMEDOUT;
	say(packet("qSupported:swbreak+"));
	expect("");
	assert_non_null(strstr(place.log, "could not be paused"));
	place.debug->refuse_pause = 0;
	hello();
}

/* More than a begun packet may hold, and then a gdb. */
static void a_long_beginning_is_no_gdb(void **state)
{
	char noise[6000];

	(void)state;
	memset(noise, 'x', sizeof(noise) - 1);
	noise[0] = '$';
	noise[sizeof(noise) - 1] = '\0';
	for (unsigned at = 0; at < sizeof(noise) - 1; at += 1000)
		say(text("%.1000s", noise + at));
	say(text("#%02x", (uint8_t)('x' * (sizeof(noise) - 2))));
	expect("");
	assert_int_equal(place.debug->pauses, 0);
	hello();
}

static void wait_for(const char *words)
{
	for (int i = 0; i < 100 && !strstr(place.log, words); i++)
		event_loop_once(place.loop, 100);
	assert_non_null(strstr(place.log, words));
}

/* The adapter is pulled out, and another one plugged in. */
static void a_device_that_goes_and_comes_back(void **state)
{
	(void)state;
	hello();
	say("$Z0,100,1#a4");
	expect("+$OK#9a");
	close(place.far);
	rounds();
	assert_non_null(strstr(place.log, "has hung up"));
	assert_non_null(strstr(place.log, "the guest stays paused; gdb may come again over"));
	assert_false(gdb_server_attached(place.server));
	assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 0);
	plug_in();
	wait_for("is back");
	hello();
}

static void no_such_device(void **state)
{
	struct gdb_server *mine = place.server;
	struct error err = {0};

	(void)state;
	assert_int_equal(new_server("/dev/no-such-device", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/dev/no-such-device"));
	assert_int_equal(new_server("/etc/passwd", &err), -ENOTTY);
	assert_non_null(strstr(err.text, "is not a character device"));
	place.server = mine;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_first_packet_begins_a_session),
		T(acknowledgments_stay),
		T(impatience_is_no_question),
		T(after_a_goodbye_the_next_may_come),
		T(kill_ends_the_session),
		T(another_gdb_takes_over),
		T(a_late_introduction_is_no_other_gdb),
		T(bytes_are_bytes),
		T(a_guest_that_cannot_be_paused),
		T(a_long_beginning_is_no_gdb),
		T(a_device_that_goes_and_comes_back),
		T(no_such_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
