// SPDX-License-Identifier: GPL-3.0-or-later
/* m M x X, qSearch, qCRC, the map, and the choice of the address space. The fake machine has RAM at 0-0xfff and
 * 0x2000-0x3ffff. */
#include "peer.h"

#include "gdbstub/packet.h"
#include "gdbstub/stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_memory(void **state)
{
	struct peer *peer = *state;

	memcpy(peer->debug->ram + 0x100, "\x00\x01\x7f\x80\xff", 5);
	ask(peer, "m100,5", "00017f80ff");
	ask(peer, "m104,1", "ff");
	ask(peer, "m0000000000000100,1", "00");
	ask(peer, "m100,0", "");
	assert_int_equal(peer->debug->memory_space, SPACE_LINEAR);
}

static void a_read_returns_what_lies_before_a_hole(void **state)
{
	struct peer *peer = *state;

	memcpy(peer->debug->ram + 0xffe, "\xaa\xbb", 2);
	ask(peer, "mffe,10", "aabb");
	ask(peer, "mfff,1000000", "bb");
	ask(peer, "m1000,1", "E0e");
	ask(peer, "mfffffffffffffff0,10", "E0e");
}

static void a_read_is_as_long_as_a_packet_can_be(void **state)
{
	struct peer *peer = *state;
	const char *reply;
	size_t size;

	memset(peer->debug->ram + 0x2000, 0x5a, FAKE_RAM - 0x2000);
	peer_send(peer, "m2000,ffffffff");
	reply = peer_take(peer, &size);
	assert_int_equal(size, PACKET_MAX + 4);
	assert_int_equal(strspn(reply + 1, "5a"), PACKET_MAX);
	peer_send(peer, "m2000,10000");
	peer_take(peer, &size);
	assert_int_equal(size, PACKET_MAX + 4);
}

static void write_memory(void **state)
{
	struct peer *peer = *state;

	ask(peer, "M100,3:00fF7e", "OK");
	assert_memory_equal(peer->debug->ram + 0x100, "\x00\xff\x7e\x00", 4);
	ask(peer, "M100,0:", "OK");
	ask(peer, "M1000,1:00", "E0e");
	/* Not all of it fits in front of the hole. */
	ask(peer, "Mfff,2:0102", "E0e");
}

static void write_long(void **state)
{
	struct peer *peer = *state;
	size_t size = (PACKET_MAX - 20) / 2;
	char *body = malloc(PACKET_MAX);
	int n = sprintf(body, "M2000,%zx:", size);

	memset(body + n, '3', 2 * size);
	peer_send_bytes(peer, body, (size_t)n + 2 * size);
	expect_packet(peer, "OK");
	assert_int_equal(peer->debug->ram[0x2000], 0x33);
	assert_int_equal(peer->debug->ram[0x2000 + size - 1], 0x33);
	assert_int_equal(peer->debug->ram[0x2000 + size], 0);
	free(body);
}

static void write_binary(void **state)
{
	struct peer *peer = *state;
	static const char body[] = "X100,5:a}\x03}\x04}]\0";

	peer_send_bytes(peer, body, sizeof(body) - 1);
	expect_packet(peer, "OK");
	assert_memory_equal(peer->debug->ram + 0x100, "a#$}\0", 5);
	/* gdb's question whether X is known. */
	ask(peer, "X0,0:", "OK");
	ask(peer, "X1000,1:a", "E0e");
}

static void read_binary(void **state)
{
	struct peer *peer = *state;

	memcpy(peer->debug->ram + 0x100, "ab#}$*c", 7);
	ask(peer, "x100,7", "bab}\x03}]}\x04}\nc");
	ask(peer, "x100,0", "b");
	memcpy(peer->debug->ram + 0xffe, "yz", 2);
	ask(peer, "xffe,10", "byz");
	ask(peer, "x1000,1", "E0e");
	ask(peer, "x100,ffffffffffffffff", "E16");
}

static void a_binary_read_is_as_long_as_a_packet_can_be(void **state)
{
	struct peer *peer = *state;
	size_t size;

	memset(peer->debug->ram + 0x2000, 'z', FAKE_RAM - 0x2000);
	peer_send(peer, "x2000,ffffffff");
	assert_int_equal(strspn(peer_take(peer, &size) + 2, "z"), PACKET_MAX - 2);
	assert_int_equal(size, PACKET_MAX + 3);
	/* With escapes there are fewer. */
	memset(peer->debug->ram + 0x2000, '#', FAKE_RAM - 0x2000);
	peer_send(peer, "x2000,1ffff");
	assert_int_equal(strspn(peer_take(peer, &size) + 2, "}\x03"), PACKET_MAX - 2);
}

static void search(void **state)
{
	struct peer *peer = *state;

	memcpy(peer->debug->ram + 0x345, "needle", 6);
	memcpy(peer->debug->ram + 0xffa, "needle", 6);
	memcpy(peer->debug->ram + FAKE_RAM - 6, "needle", 6);
	ask(peer, "qSearch:memory:0;1000;needle", "1,345");
	ask(peer, "qSearch:memory:345;6;needle", "1,345");
	ask(peer, "qSearch:memory:345;5;needle", "0");
	ask(peer, "qSearch:memory:346;cba;needle", "1,ffa");
	ask(peer, "qSearch:memory:346;cb9;needle", "0");
	ask(peer, "qSearch:memory:ffa;ffffffffffffffff;needle", "1,ffa");
	ask(peer, "qSearch:memory:ffb;ffffffffffffffff;needle", "1,3fffa");
	ask(peer, "qSearch:memory:3fffb;100000000;needle", "0");
	memset(peer->debug->ram, 0, FAKE_RAM);
	memcpy(peer->debug->ram + 0x10, "}:;$*#", 6);
	peer_send_bytes(peer, "qSearch:memory:0;1000;}]:;}\x04}\n}\x03", 33);
	expect_packet(peer, "1,10");
}

static void search_passes_over_holes(void **state)
{
	struct peer *peer = *state;

	/* Not across one. */
	memcpy(peer->debug->ram + 0xffd, "nee", 3);
	memcpy(peer->debug->ram + 0x2000, "dle", 3);
	ask(peer, "qSearch:memory:0;40000;needle", "0");
	ask(peer, "qSearch:memory:0;40000;dle", "1,2000");
	ask(peer, "qSearch:memory:1000;40000;dle", "1,2000");
	ask(peer, "qSearch:memory:1000;1000;dle", "0");
	ask(peer, "qSearch:memory:100000;1000;dle", "0");
	ask(peer, "Qqemu.PhyMemMode:1", "OK");
	ask(peer, "qSearch:memory:0;ffffffffffffffff;dle", "1,2000");
	ask(peer, "qSearch:memory:2001;ffffffffffffffff;dle", "0");
}

/* The check value of this kind of sum (CRC-32/MPEG-2) for "123456789". */
static void crc(void **state)
{
	struct peer *peer = *state;

	memcpy(peer->debug->ram + 0x100, "123456789", 9);
	ask(peer, "qCRC:100,9", "C376e6e7");
	ask(peer, "qCRC:100,0", "Cffffffff");
	/* 0x3e000 zeros, which are read in two pieces. */
	ask(peer, "qCRC:2000,3e000", "C75f412aa");
	ask(peer, "qCRC:fff,2", "E0e");
	ask(peer, "qCRC:1000,1", "E0e");
}

static void the_map(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "qXfer:memory-map:read::0,1000");
	assert_non_null(
		strstr(peer_take(peer, NULL),
		       "<memory type=\"ram\" start=\"0x0\" length=\"0x8000000000000000\"/>"));
	ask_error(peer, "qXfer:memory-map:read:x:0,1000");
}

static void physical_by_monitor(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, text("qRcmd,%s", hex_of("physical on")));
	assert_non_null(strstr(peer_take(peer, NULL), hex_of("at physical addresses")));
	ask(peer, "qqemu.PhyMemMode", "1");
	ask(peer, "m100,1", "00");
	assert_int_equal(peer->debug->memory_space, SPACE_PHYSICAL);
	peer_send(peer, text("qRcmd,%s", hex_of(" physical ")));
	assert_non_null(strstr(peer_take(peer, NULL), hex_of("at physical addresses")));
	peer_send(peer, text("qRcmd,%s", hex_of("physical maybe")));
	peer_take(peer, NULL);
	ask(peer, "qqemu.PhyMemMode", "1");
	peer_send(peer, text("qRcmd,%s", hex_of("physical off")));
	assert_non_null(strstr(peer_take(peer, NULL), hex_of("at linear addresses")));
	ask(peer, "qqemu.PhyMemMode", "0");
	/* The console saw none of this. */
	assert_string_equal(peer->monitor_line, "");
}

static const char *const malformed_bodies[] = {
	"m",
	"m,",
	"m1",
	"m1,",
	"m,1",
	"m1,g",
	"m1,1,",
	"m1,1:",
	"mx,1",
	"m-1,1",
	"m 1,1",
	"m1,1 ",
	"m0x100,1",
	"m1,10000000000000000",
	"mfffffffffffffff0,20",
	"M",
	"M1",
	"M1,1",
	"M1,1:",
	"M1,1:0",
	"M1,1:0g",
	"M1,1:000",
	"M1,2:00",
	"M1,:00",
	"M,1:00",
	"M1,0:00",
	"M1,ffffffffffffffff:00",
	"X",
	"X1",
	"X1,1",
	"X1,1:",
	"X1,2:a",
	"X1,1:aa",
	"X,1:a",
	"Xq",
	"M2000,20000:00",
	"x",
	"x100",
	"x100,",
	"x100,1,",
	"xg,1",
	"qSearch:memory:",
	"qSearch:memory:100",
	"qSearch:memory:100;",
	"qSearch:memory:100;10",
	"qSearch:memory:100;10;",
	"qSearch:memory:100;0;a",
	"qSearch:memory:;10;a",
	"qSearch:memory:100,10,a",
	"qCRC:",
	"qCRC:100",
	"qCRC:100,",
	"qCRC:100,1,",
	"qCRC:x,1",
	"qCRC:ffffffffffffffff,2",
	"Qqemu.PhyMemMode:",
	"Qqemu.PhyMemMode:2",
	"Qqemu.PhyMemMode:x",
};

static void malformed(void **state)
{
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(malformed_bodies) / sizeof(malformed_bodies[0]); i++)
		ask_error(peer, malformed_bodies[i]);
	for (size_t i = 0; i < 0x200; i++)
		assert_int_equal(peer->debug->ram[i], 0);
}

static void a_running_guest_is_not_touched(void **state)
{
	struct peer *peer = *state;

	peer->debug->running = true;
	ask(peer, "m100,1", "E10");
	ask(peer, "M100,1:ff", "E10");
	ask(peer, "X100,1:f", "E10");
	ask(peer, "x100,1", "E10");
	ask(peer, "qCRC:100,1", "E10");
	ask(peer, "qSearch:memory:100;10;a", "E10");
	peer->session->space = SPACE_PHYSICAL;
	ask(peer, "qSearch:memory:100;10;a", "E10");
	assert_int_equal(peer->debug->ram[0x100], 0);
}

static void physical_addresses(void **state)
{
	struct peer *peer = *state;

	ask(peer, "qqemu.PhyMemMode", "0");
	ask(peer, "Qqemu.PhyMemMode:1", "OK");
	ask(peer, "qqemu.PhyMemMode", "1");
	ask(peer, "m100,1", "00");
	assert_int_equal(peer->debug->memory_space, SPACE_PHYSICAL);
	ask(peer, "Qqemu.PhyMemMode:0", "OK");
	ask(peer, "M100,1:00", "OK");
	assert_int_equal(peer->debug->memory_space, SPACE_LINEAR);
}

/* LLDB's: every address is somewhere, and where no address can be there is nothing. */
static void regions(void **state)
{
	struct peer *peer = *state;
	struct cpu_state *cpu = &peer->debug->state[0];

	ask(peer, "qMemoryRegionInfo:0", "start:0;size:800000000000;permissions:rwx;");
	ask(peer, "qMemoryRegionInfo:7fffffffffff", "start:0;size:800000000000;permissions:rwx;");
	ask(peer, "qMemoryRegionInfo:800000000000", "start:800000000000;size:ffff000000000000;");
	ask(peer, "qMemoryRegionInfo:ffff800000000000",
	    "start:ffff800000000000;size:800000000000;permissions:rwx;");
	cpu->system.cr4 |= CR4_LA57;
	ask(peer, "qMemoryRegionInfo:ffffffffffffffff",
	    "start:ff00000000000000;size:100000000000000;permissions:rwx;");
	cpu->system.efer = 0;
	ask(peer, "qMemoryRegionInfo:ffffffff", "start:0;size:100000000;permissions:rwx;");
	ask(peer, "qMemoryRegionInfo:100000000", "start:100000000;size:ffffffff00000000;");
	ask_error(peer, "qMemoryRegionInfo:");
	ask_error(peer, "qMemoryRegionInfo:x");
	ask_error(peer, "qMemoryRegionInfo:1,2");
	ask(peer, "qMemoryRegionInfo", "");
	peer->debug->running = true;
	ask(peer, "qMemoryRegionInfo:0", "E10");
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(read_memory),
		ONE(a_read_returns_what_lies_before_a_hole),
		ONE(a_read_is_as_long_as_a_packet_can_be),
		ONE(write_memory),
		ONE(write_long),
		ONE(write_binary),
		ONE(read_binary),
		ONE(a_binary_read_is_as_long_as_a_packet_can_be),
		ONE(search),
		ONE(search_passes_over_holes),
		ONE(crc),
		ONE(the_map),
		ONE(physical_by_monitor),
		ONE(malformed),
		ONE(a_running_guest_is_not_touched),
		ONE(physical_addresses),
		ONE(regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
