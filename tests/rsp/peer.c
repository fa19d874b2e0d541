// SPDX-License-Identifier: GPL-3.0-or-later
#include "peer.h"

#include "gdbstub/packet.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that need escapes among them. */
static uint8_t kernel[PEER_KERNEL_SIZE];
static const char symbols[] = "symbols of #}$* all sorts";

const struct gdb_file peer_files[PEER_FILES] = {
	{.path = "/boot/kernel.elf", .bytes = kernel, .size = sizeof(kernel)},
	{.path = "/boot/more symbols", .bytes = symbols, .size = sizeof(symbols)},
};

static void make_kernel(void)
{
	const Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
				   .e_type = ET_EXEC,
				   .e_machine = EM_X86_64,
				   .e_version = 1,
				   .e_entry = 0x200000,
				   .e_phoff = sizeof(header),
				   .e_ehsize = sizeof(header),
				   .e_phentsize = sizeof(Elf64_Phdr),
				   .e_phnum = 1};
	const Elf64_Phdr code = {.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_X,
				 .p_offset = PEER_CODE,
				 .p_vaddr = PEER_CODE_LINKED,
				 .p_paddr = PEER_CODE_LOADED,
				 .p_filesz = PEER_CODE_SIZE,
				 .p_memsz = PEER_CODE_SIZE};

	for (size_t i = 0; i < sizeof(kernel); i++)
		kernel[i] = (uint8_t)(i ^ i >> 8);
	memcpy(kernel, &header, sizeof(header));
	memcpy(kernel + sizeof(header), &code, sizeof(code));
}

static void on_output(void *ctx, const void *bytes, size_t size)
{
	struct peer *peer = ctx;

	peer->out = realloc(peer->out, peer->out_size + size + 1);
	assert_non_null(peer->out);
	memcpy(peer->out + peer->out_size, bytes, size);
	peer->out_size += size;
	peer->out[peer->out_size] = '\0';
}

static void on_closed(void *ctx, bool detached)
{
	struct peer *peer = ctx;

	peer->closed++;
	peer->detached = detached;
}

static void on_monitor(void *ctx, const char *line,
		       void (*write)(void *wctx, const char *bytes, size_t size), void *wctx)
{
	struct peer *peer = ctx;

	snprintf(peer->monitor_line, sizeof(peer->monitor_line), "%s", line);
	if (peer->monitor_action)
		peer->monitor_action(peer);
	if (peer->monitor_answer)
		write(wctx, peer->monitor_answer, strlen(peer->monitor_answer));
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct peer *peer = ctx;

	gdb_session_on_event(peer->session, event, actor);
}

struct peer *peer_new_with(struct debug *debug, enum gdb_arch arch, const struct gdb_file *files,
			   unsigned file_count)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct gdb_config config = {.ctx = peer,
				    .output = on_output,
				    .closed = on_closed,
				    .arch = arch,
				    .files = files,
				    .file_count = file_count,
				    .monitor_ctx = peer,
				    .monitor = on_monitor};

	make_kernel();
	peer->debug = debug;
	peer->session = gdb_session_new(peer->debug, &config);
	assert_non_null(peer->session);
	debug_listen(peer->debug, on_event, peer);
	return peer;
}

struct peer *peer_new_on(struct debug *debug)
{
	return peer_new_with(debug, GDB_ARCH_AUTO, peer_files, PEER_FILES);
}

struct peer *peer_new_raw(unsigned vcpus)
{
	return peer_new_on(fake_new(vcpus));
}

struct peer *peer_new(unsigned vcpus)
{
	struct peer *peer = peer_new_raw(vcpus);

	peer_send(peer, "QStartNoAckMode");
	expect_raw(peer, "+$OK#9a");
	peer_send(peer, "qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+");
	peer_take(peer, NULL);
	return peer;
}

void peer_free(struct peer *peer)
{
	gdb_session_free(peer->session);
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
	fake_free(peer->debug);
	free(peer->out);
	free(peer);
}

void peer_send_raw(struct peer *peer, const void *bytes, size_t size)
{
	gdb_session_feed(peer->session, bytes, size);
}

void peer_send_bytes(struct peer *peer, const void *body, size_t size)
{
	const uint8_t *byte = body;
	uint8_t sum = 0;
	char tail[4];

	for (size_t i = 0; i < size; i++)
		sum += byte[i];
	snprintf(tail, sizeof(tail), "#%02x", sum);
	peer_send_raw(peer, "$", 1);
	peer_send_raw(peer, body, size);
	peer_send_raw(peer, tail, 3);
}

void peer_send(struct peer *peer, const char *body)
{
	peer_send_bytes(peer, body, strlen(body));
}

const char *peer_take(struct peer *peer, size_t *size)
{
	if (size)
		*size = peer->out_size;
	peer->out_size = 0;
	return peer->out ? peer->out : "";
}

const char *peer_answer(struct peer *peer, const char *request)
{
	static char body[PACKET_MAX + 1];
	const char *reply;
	size_t size;

	peer_send(peer, request);
	reply = peer_take(peer, &size);
	assert_true(size >= 4);
	memcpy(body, reply + 1, size - 4);
	body[size - 4] = '\0';
	return body;
}

char *peer_document(struct peer *peer, const char *object, unsigned piece)
{
	char *document = calloc(1, 1 << 20);
	size_t size = 0;

	for (;;) {
		const char *reply;
		size_t got;

		peer_send(peer, text("qXfer:%s:%zx,%x", object, size, piece));
		reply = peer_take(peer, &got);
		assert_true(reply[1] == 'm' || reply[1] == 'l');
		for (size_t i = 2; i < got - 3; i++)
			document[size++] = (char)(reply[i] == '}' ? reply[++i] ^ 0x20 : reply[i]);
		if (reply[1] == 'l')
			return document;
		assert_true(got > 5);
	}
}

unsigned text_count(const char *document, const char *word)
{
	unsigned n = 0;

	while ((document = strstr(document, word))) {
		document += strlen(word);
		n++;
	}
	return n;
}

void expect_raw(struct peer *peer, const char *bytes)
{
	if (peer->out_size == 0)
		assert_string_equal("", bytes);
	else
		assert_string_equal(peer->out, bytes);
	peer_take(peer, NULL);
}

void expect_packet(struct peer *peer, const char *body)
{
	size_t size = strlen(body);
	char *packet = malloc(size + 5);
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (uint8_t)body[i];
	snprintf(packet, size + 5, "$%s#%02x", body, sum);
	expect_raw(peer, packet);
	free(packet);
}

void expect_silence(struct peer *peer)
{
	expect_raw(peer, "");
}

void ask(struct peer *peer, const char *body, const char *reply)
{
	peer_send(peer, body);
	expect_packet(peer, reply);
}

void ask_error(struct peer *peer, const char *body)
{
	const char *reply;
	size_t size;

	peer_send(peer, body);
	reply = peer_take(peer, &size);
	if (size != 7 || reply[1] != 'E' || !strncmp(reply + 2, "00", 2))
		fail_msg("$%.60s: wanted one error reply, got \"%.60s\"", body, size ? reply : "");
}

static char *next_text(void)
{
	static char texts[8][4096];
	static unsigned next;

	return texts[next++ % 8];
}

const char *text(const char *fmt, ...)
{
	char *bytes = next_text();
	va_list args;

	va_start(args, fmt);
	vsnprintf(bytes, 4096, fmt, args);
	va_end(args);
	return bytes;
}

const char *hex_of(const char *string)
{
	char *bytes = next_text();
	size_t size = strlen(string);

	assert_true(size < 2048);
	bytes[0] = '\0';
	for (size_t i = 0; i < size; i++)
		sprintf(bytes + 2 * i, "%02x", (uint8_t)string[i]);
	return bytes;
}

const char *hex_number(uint64_t value, unsigned bytes)
{
	char *digits = next_text();

	for (unsigned i = 0; i < bytes; i++)
		sprintf(digits + 2 * i, "%02x", (unsigned)(value >> 8 * i) & 0xff);
	return digits;
}

const char *expedited(struct peer *peer, unsigned vcpu)
{
	const struct cpu_state *state = &peer->debug->state[vcpu];

	return text("10:%s;07:%s;06:%s;11:%s;", hex_number(cpu_linear_pc(state), 8),
		    hex_number(cpu_linear_sp(state), 8), hex_number(state->general.gpr[GPR_RBP], 8),
		    hex_number(state->general.rflags, 4));
}

int setup_peer(void **state)
{
	*state = peer_new(1);
	return 0;
}

int setup_peer_smp(void **state)
{
	*state = peer_new(FAKE_VCPUS);
	return 0;
}

int teardown_peer(void **state)
{
	peer_free(*state);
	return 0;
}

void expect_plan(struct peer *peer, const char *body, const char *plan)
{
	static const char letters[] = {
		[PLAN_HOLD] = '-', [PLAN_RUN] = 'c', [PLAN_STEP] = 's', [PLAN_STEP_RANGE] = 'r'};
	char got[FAKE_VCPUS + 1] = "";

	peer_send(peer, body);
	expect_silence(peer);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		got[i] = letters[peer->debug->plan[i].action];
	assert_string_equal(got, plan);
	assert_int_equal(peer->debug->last_actor, OWNER_GDB);
	fake_stop(peer->debug, &(struct stop){.reason = STOP_PAUSE}, OWNER_GDB);
	expect_packet(peer, text("T02thread:1;core:0;%s", expedited(peer, 0)));
}
