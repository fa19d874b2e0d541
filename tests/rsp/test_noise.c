// SPDX-License-Identifier: GPL-3.0-or-later
/* Real packets, damaged at random (the same way each time): nothing crashes, nothing is answered twice,
 * and the guest is never resumed by something that is not a resume. */
#include "peer.h"

#include <string.h>

#define ROUNDS 200000

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned below(unsigned limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % limit;
}

static const char *const packets[] = {
	"qSupported:multiprocess+;swbreak+;hwbreak+;error-message+",
	"vMustReplyEmpty",
	"QStartNoAckMode",
	"!",
	"Hg0",
	"Hgp1.2",
	"Hc-1",
	"qXfer:features:read:target.xml:0,fff",
	"qXfer:threads:read::0,1000",
	"qTStatus",
	"?",
	"qfThreadInfo",
	"qsThreadInfo",
	"qThreadExtraInfo,1",
	"qAttached:1",
	"qC",
	"g",
	"G00112233",
	"p10",
	"P0=0102030405060708",
	"m100,40",
	"M100,4:01020304",
	"X100,4:abcd",
	"Z0,ffffffff80001000,1",
	"z0,ffffffff80001000,1",
	"Z2,100,8",
	"z4,100,8",
	"T1",
	"vCont?",
	"vCont;s:1;c",
	"vCont;r1000,1010:1;c:-1",
	"vCont;C05:p1.1;t",
	"c1000",
	"S05;100",
	"qRcmd,68656c70",
	"qqemu.PhyMemMode",
	"Qqemu.PhyMemMode:1",
	"vAttach;1",
	"vRun;6b;61",
	"R00",
};

static size_t damage(char *body, size_t size)
{
	static const char letters[] =
		"0123456789abcdefxX:;,.-=+*#$}pvqQZzmMgGcCsStrk?!\x03\x00\xff";

	for (unsigned n = below(4); n; n--) {
		size_t at = below((unsigned)size + 1);
		char letter = letters[below(sizeof(letters) - 1)];

		if (below(3) == 0) {
			size = at; /* cut off */
		} else if (below(2) && at < size) {
			body[at] = letter;
		} else if (size < 200) {
			memmove(body + at + 1, body + at, size - at);
			body[at] = letter;
			size++;
		}
	}
	return size;
}

/* Bytes that make another packet of it, or another letter. */
static bool is_something_else(const char *body, size_t size)
{
	return memchr(body, '$', size) || memchr(body, '#', size) || (size && body[0] == '}');
}

static bool may_resume(const char *body, size_t size)
{
	return (size && memchr("cCsSDv", body[0], 6)) || is_something_else(body, size);
}

static bool ends_session(const char *body, size_t size)
{
	return (size && memchr("Dkv", body[0], 3)) || is_something_else(body, size);
}

static void stop_again(struct peer *peer)
{
	if (!peer->debug->running)
		return;
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP, .vcpu = (int)below(4)},
		  OWNER_NONE);
}

static void damaged_packets(void **state)
{
	struct peer *peer = peer_new(FAKE_VCPUS);

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const char *packet = packets[below(sizeof(packets) / sizeof(packets[0]))];
		char body[256];
		size_t size = strlen(packet);

		memcpy(body, packet, size);
		size = damage(body, size);
		peer_send_bytes(peer, body, size);
		if (peer->debug->running)
			assert_true(may_resume(body, size));
		if (peer->closed || peer->debug->kills) {
			assert_true(ends_session(body, size));
			peer_free(peer);
			peer = peer_new(FAKE_VCPUS);
		}
		stop_again(peer);
		peer_take(peer, NULL);
	}
	/* It still listens, and is in step. */
	peer_send_raw(peer, "#00", 3);
	peer_take(peer, NULL);
	ask(peer, "vMustReplyEmpty", "");
	ask(peer, "Hg1", "OK");
	ask(peer, "qC", "QC1");
	peer_free(peer);
}

static void random_bytes(void **state)
{
	struct peer *peer = peer_new_raw(1);
	char bytes[512];

	(void)state;
	for (unsigned round = 0; round < ROUNDS / 20; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)below(256);
		peer_send_raw(peer, bytes, sizeof(bytes));
		peer_take(peer, NULL);
		assert_false(peer->debug->running);
	}
	peer_send_raw(peer, "#00$qC#b4", 9);
	assert_non_null(strstr(peer_take(peer, NULL), "$QC1#c5"));
	peer_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_packets),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
