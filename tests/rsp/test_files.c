// SPDX-License-Identifier: GPL-3.0-or-later
/* vFile and qXfer:exec-file: the two files of peer.c, and nothing else in the world. */
#include "peer.h"

#include "gdbstub/packet.h"
#include "gdbstub/stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL	"2f626f6f742f6b65726e656c2e656c66"     /* /boot/kernel.elf */
#define SYMBOLS "2f626f6f742f6d6f72652073796d626f6c73" /* /boot/more symbols */

/* The attachment of an answer `F RESULT;ATTACHMENT`, escapes undone; its size is asserted. */
static const uint8_t *attachment(struct peer *peer, const char *result, size_t wanted)
{
	static uint8_t bytes[PACKET_MAX];
	size_t size, count = 0, head = strlen(result);
	const char *reply = peer_take(peer, &size);

	assert_true(size > head + 4);
	assert_memory_equal(reply + 1, result, head);
	assert_int_equal(reply[size - 3], '#');
	for (size_t i = 1 + head; i < size - 3; i++)
		bytes[count++] = reply[i] == '}' ? (uint8_t)reply[++i] ^ 0x20 : (uint8_t)reply[i];
	assert_int_equal(count, wanted);
	return bytes;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *bytes++;
	return value;
}

static void the_program(void **state)
{
	ask(*state, "qXfer:exec-file:read::0,1000", "l/boot/kernel.elf");
	ask(*state, "qXfer:exec-file:read:1:0,1000", "l/boot/kernel.elf");
	ask(*state, "qXfer:exec-file:read::0,5", "m/boot");
	ask(*state, "qXfer:exec-file:read::5,1000", "l/kernel.elf");
	ask_error(*state, "qXfer:exec-file:read::11,10");
	ask_error(*state, "qXfer:exec-file:write::0,10");
}

static void opening(void **state)
{
	ask(*state, "vFile:open:" KERNEL ",0,0", "F0");
	ask(*state, "vFile:open:" SYMBOLS ",0,1ff", "F1");
	/* The same one once more. */
	ask(*state, "vFile:open:" KERNEL ",0,0", "F2");
}

static void no_other_file(void **state)
{
	static const char *const names[] = {"/etc/passwd",	 "/boot/kernel.el",
					    "/boot/kernel.elf2", "/boot/../boot/kernel.elf",
					    "boot/kernel.elf",	 "kernel.elf",
					    "/boot//kernel.elf", "/boot",
					    "/vitrine/modules",	 "/"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask(*state, text("vFile:open:%s,0,0", hex_of(names[i])), "F-1,2");
		ask(*state, text("vFile:stat:%s", hex_of(names[i])), "F-1,2");
		ask(*state, text("vFile:readlink:%s", hex_of(names[i])), "F-1,2");
	}
	ask(*state, "vFile:open:,0,0", "F-1,2");
	/* A name with a NUL in it is not the name before it. */
	ask(*state, "vFile:open:" KERNEL "0061,0,0", "F-1,2");
	ask(*state, "vFile:fstat:0", "F-1,9");
}

static void names_of_any_length(void **state)
{
	char *body = malloc(PACKET_MAX);
	size_t n = (size_t)sprintf(body, "vFile:open:");

	memset(body + n, '2', 10000);
	strcpy(body + n + 10000, ",0,0");
	ask(*state, body, "F-1,5b");
	free(body);
}

static void handles_are_few(void **state)
{
	for (unsigned i = 0; i < GDB_HANDLES; i++)
		ask(*state, "vFile:open:" KERNEL ",0,0", text("F%x", i));
	ask(*state, "vFile:open:" KERNEL ",0,0", "F-1,18");
	ask(*state, "vFile:close:5", "F0");
	ask(*state, "vFile:open:" SYMBOLS ",0,0", "F5");
}

static void closing(void **state)
{
	ask(*state, "vFile:open:" KERNEL ",0,0", "F0");
	ask(*state, "vFile:close:0", "F0");
	ask(*state, "vFile:close:0", "F-1,9");
	ask(*state, "vFile:pread:0,1,0", "F-1,9");
	ask(*state, "vFile:close:ffffffffffffffff", "F-1,9");
	ask(*state, text("vFile:close:%x", GDB_HANDLES), "F-1,9");
	ask(*state, "vFile:close:-1", "F-1,16");
}

static void reading(void **state)
{
	struct peer *peer = *state;

	ask(peer, "vFile:open:" SYMBOLS ",0,0", "F0");
	peer_send(peer, "vFile:pread:0,1000,0");
	assert_memory_equal(attachment(peer, "F0001a;", peer_files[1].size), peer_files[1].bytes,
			    peer_files[1].size);
	ask(peer, "vFile:pread:0,3,b", "F00003;}\x03}]}\x04");
	ask(peer, "vFile:pread:0,2,8", "F00002;of");
	ask(peer, "vFile:pread:0,0,0", "F00000;");
	ask(peer, "vFile:pread:0,1,1a", "F00000;");
	ask(peer, "vFile:pread:0,1,ffffffffffffffff", "F00000;");
}

static void a_read_is_as_long_as_a_packet_can_be(void **state)
{
	struct peer *peer = *state;
	const uint8_t *kernel = peer_files[0].bytes;
	size_t at = 0, size, count;
	const char *reply;

	ask(peer, "vFile:open:" KERNEL ",0,0", "F0");
	while (at < PEER_KERNEL_SIZE) {
		unsigned long said;

		peer_send(peer, text("vFile:pread:0,ffffffffffffffff,%zx", at));
		reply = peer_take(peer, &size);
		assert_true(size <= PACKET_MAX + 4);
		said = strtoul(reply + 2, NULL, 16);
		assert_true(at + said == PEER_KERNEL_SIZE || size >= PACKET_MAX + 3);
		count = 0;
		for (size_t i = 8; i < size - 3; i++, count++) {
			uint8_t byte = reply[i] == '}' ? (uint8_t)reply[++i] ^ 0x20
						       : (uint8_t)reply[i];

			if (byte != kernel[at + count])
				fail_msg("byte %zu is %#x", at + count, byte);
		}
		assert_int_equal(count, said);
		at += said;
	}
	ask(peer, text("vFile:pread:0,10,%zx", at), "F00000;");
}

static void what_a_file_is_like(void **state)
{
	struct peer *peer = *state;
	const uint8_t *stat;

	ask(peer, "vFile:open:" KERNEL ",0,0", "F0");
	peer_send(peer, "vFile:fstat:0");
	stat = attachment(peer, "F40;", 64);
	assert_int_equal(big_endian(stat + 8, 4), 0100444);
	assert_int_equal(big_endian(stat + 28, 8), PEER_KERNEL_SIZE);
	peer_send(peer, "vFile:stat:" SYMBOLS);
	stat = attachment(peer, "F40;", 64);
	assert_int_equal(big_endian(stat + 4, 4), 2);
	assert_int_equal(big_endian(stat + 28, 8), peer_files[1].size);
	assert_int_equal(big_endian(stat + 44, 8), 1);
}

static void no_file_is_a_link(void **state)
{
	ask(*state, "vFile:readlink:" KERNEL, "F-1,16");
	ask(*state, "vFile:readlink:" SYMBOLS, "F-1,16");
}

static void one_file_system(void **state)
{
	ask(*state, "vFile:setfs:0", "F0");
	ask(*state, "vFile:setfs:1", "F0");
	ask(*state, "vFile:setfs:", "F-1,16");
}

static void nothing_is_written(void **state)
{
	static const unsigned flags[] = {1, 2, 8, 0x200, 0x400, 0x800, 0xffffffff};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		ask(*state, text("vFile:open:" KERNEL ",%x,1ff", flags[i]), "F-1,1e");
	ask(*state, "vFile:open:" KERNEL ",0,0", "F0");
	ask(*state, "vFile:pwrite:0,0,abc", "F-1,1e");
	ask(*state, "vFile:unlink:" KERNEL, "F-1,1e");
	ask(*state, "vFile:pread:0,1,1", "F00001;E");
}

static void put_pc(struct peer *peer, uint64_t pc)
{
	peer->debug->state[0].general.rip = pc;
}

static void where_the_guest_has_moved(void **state)
{
	struct peer *peer = *state;
	const uint8_t *code = (const uint8_t *)peer_files[0].bytes + PEER_CODE;
	uint8_t *ram = peer->debug->ram;

	ask(peer, "qOffsets", ""); /* it runs somewhere else */
	memcpy(ram + 0x20000, code, PEER_CODE_SIZE);
	ask(peer, "qOffsets", "");
	put_pc(peer, 0x20345);
	ask(peer, "qOffsets", "TextSeg=20000");
	/* Patched here and there. */
	for (unsigned i = 0; i < PEER_CODE_SIZE; i += 40)
		ram[0x20000 + i] ^= 0xff;
	ask(peer, "qOffsets", "TextSeg=20000");
	/* No trace of it any more: what was said is taken back. */
	memset(ram + 0x21000, 0, PEER_CODE_SIZE);
	ask(peer, "qOffsets", text("TextSeg=%llx", PEER_CODE_LINKED));
	ask(peer, "qOffsets", "");
	ask(peer, "qOffsetsX", "");
}

/* A piece of it somewhere is no moved kernel: a trampoline, a page cache. */
static void a_piece_of_the_image_is_not_the_image(void **state)
{
	struct peer *peer = *state;
	const uint8_t *code = (const uint8_t *)peer_files[0].bytes + PEER_CODE;

	memcpy(peer->debug->ram + 0x20000, code + 0x1000, 0x1000);
	put_pc(peer, 0x20010);
	ask(peer, "qOffsets", "");
	/* Nor one that has no whole pages between here and there. */
	memcpy(peer->debug->ram + 0x20100, code, PEER_CODE_SIZE);
	put_pc(peer, 0x20110);
	ask(peer, "qOffsets", "");
}

/* Where it was loaded, it is not mapped yet; and only the loader knows whether it will be somewhere else. */
static void a_guest_that_has_just_started(void **state)
{
	struct peer *peer = *state;
	const uint8_t *code = (const uint8_t *)peer_files[0].bytes + PEER_CODE;

	put_pc(peer, PEER_CODE_LOADED + 0x100);
	ask(peer, "qOffsets", "");
	peer->debug->prepared = 0x1200000;
	ask(peer, "qOffsets", ""); /* something else is there: its unpacker, perhaps */
	memcpy(peer->debug->ram + PEER_CODE_LOADED, code, PEER_CODE_SIZE);
	ask(peer, "qOffsets", text("TextSeg=%llx", PEER_CODE_LINKED + 0x1200000));
	peer->debug->running = true;
	ask(peer, "qOffsets", "E10");
}

static void malformed(void **state)
{
	static const char *const bodies[] = {
		"vFile:open:",
		"vFile:open:" KERNEL,
		"vFile:open:" KERNEL ",",
		"vFile:open:" KERNEL ",0",
		"vFile:open:" KERNEL ",0,",
		"vFile:open:" KERNEL ",0,0,",
		"vFile:open:" KERNEL ",x,0",
		"vFile:open:" KERNEL "0,0,0",
		"vFile:open:xx,0,0",
		"vFile:close:",
		"vFile:close:x",
		"vFile:close:0,",
		"vFile:pread:",
		"vFile:pread:0",
		"vFile:pread:0,",
		"vFile:pread:0,1",
		"vFile:pread:0,1,",
		"vFile:pread:0,1,0,",
		"vFile:pread:,1,0",
		"vFile:pread:0,11111111111111111,0",
		"vFile:fstat:",
		"vFile:fstat:00000000000000000",
		"vFile:stat:2",
		"vFile:readlink:zz",
		"vFile:setfs:-1",
	};

	ask(*state, "vFile:open:" KERNEL ",0,0", "F0");
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ask(*state, bodies[i], "F-1,16");
	ask(*state, "vFile", "");
	ask(*state, "vFile:", "");
	ask(*state, "vFile:open", "");
	ask(*state, "vFile:mkdir:2f", "");
	ask(*state, "vFile::", "");
}

/* A guest without symbols: gdb is told of no files. */
static void without_files(void **state)
{
	struct peer *peer = *state;

	peer->session->config.file_count = 0;
	peer_send(peer, "qSupported");
	assert_null(strstr(peer_take(peer, NULL), "exec-file"));
	ask(peer, "vFile:setfs:0", "");
	ask(peer, "qOffsets", "");
	ask_error(peer, "qXfer:exec-file:read::0,100");
}

struct maker {
	unsigned made;
	const void *bytes;
};

static const void *make(void *ctx, size_t *size)
{
	struct maker *maker = ctx;

	maker->made++;
	*size = peer_files[0].size;
	return maker->bytes;
}

static void offer_made(struct peer *peer, struct gdb_file *file, struct maker *maker)
{
	*file = (struct gdb_file){.path = peer_files[0].path, .make = make, .ctx = maker};
	peer->session->config.files = file;
	peer->session->config.file_count = 1;
}

/* A gdb that has a file of its own asks for none of this. */
static void a_file_is_made_when_it_is_wanted(void **state)
{
	struct peer *peer = *state;
	struct maker maker = {.bytes = peer_files[0].bytes};
	struct gdb_file file;

	offer_made(peer, &file, &maker);
	peer_send(peer, "qSupported");
	assert_non_null(strstr(peer_take(peer, NULL), "qXfer:exec-file:read+"));
	ask(peer, "qXfer:exec-file:read::0,100", "l/boot/kernel.elf");
	ask(peer, "vFile:setfs:0", "F0");
	peer_send(peer, "?");
	peer_take(peer, NULL);
	peer_send(peer, "g");
	peer_take(peer, NULL);
	assert_int_equal(maker.made, 0);
	ask(peer, "vFile:open:" KERNEL ",0,0", "F0");
	assert_true(maker.made > 0);
	ask(peer, "vFile:pread:0,3,1", "F00003;ELF");
	ask(peer, "vFile:close:0", "F0");
}

static void a_file_that_cannot_be_made_is_not_there(void **state)
{
	struct peer *peer = *state;
	struct maker maker = {0};
	struct gdb_file file;

	offer_made(peer, &file, &maker);
	ask(peer, "vFile:open:" KERNEL ",0,0", "F-1,2");
	ask(peer, "vFile:stat:" KERNEL, "F-1,2");
	ask(peer, "qOffsets", "");
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(the_program),
		ONE(opening),
		ONE(no_other_file),
		ONE(names_of_any_length),
		ONE(handles_are_few),
		ONE(closing),
		ONE(reading),
		ONE(a_read_is_as_long_as_a_packet_can_be),
		ONE(what_a_file_is_like),
		ONE(no_file_is_a_link),
		ONE(one_file_system),
		ONE(nothing_is_written),
		ONE(where_the_guest_has_moved),
		ONE(a_piece_of_the_image_is_not_the_image),
		ONE(a_guest_that_has_just_started),
		ONE(malformed),
		ONE(without_files),
		ONE(a_file_is_made_when_it_is_wanted),
		ONE(a_file_that_cannot_be_made_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
