// SPDX-License-Identifier: GPL-3.0-or-later
#include "world.h"

#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000
#define NEWS_MAX    100

/* inc rax; mov al, (rdi); push flags; jmp back. */
static const uint8_t guest_code[] = {0x40, 0x88, 0x07, 0x9c, 0xeb, 0xfa};

void broken(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("vitrine: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

/* ---- what the stub says ----------------------------------------------------------------- */

static void on_output(void *ctx, const void *bytes, size_t size)
{
	struct world *world = ctx;
	const uint8_t *byte = bytes;

	world->said += size;
	if (world->loud)
		fprintf(stderr, "says %.*s\n", (int)size, (const char *)bytes);
	for (size_t i = 0; i < size; i++) {
		struct packet_reader *heard = &world->heard;

		if (heard->state == READ_OUTSIDE && !strchr("$+-", byte[i]))
			broken("the stub says byte %#x outside of a packet", byte[i]);
		switch (packet_read(heard, byte[i])) {
		case PACKET_DAMAGED: broken("the stub sends a damaged packet");
		case PACKET_TOO_LONG: broken("the stub sends more than PacketSize bytes");
		case PACKET_WHOLE:
			world->replies += heard->body[0] != 'O' || !strcmp(heard->body, "OK");
			break;
		default: break;
		}
	}
	if (world->heard.state != READ_OUTSIDE)
		broken("the stub sends half a packet");
}

static void on_closed(void *ctx, bool detached)
{
	struct world *world = ctx;

	(void)detached;
	world->closed = true;
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct world *world = ctx;

	world->exited |= event == DEBUG_EXITED;
	gdb_session_on_event(world->session, event, actor);
}

/* The console's part: it talks, and does what gdb does not expect. */
static void on_monitor(void *ctx, const char *line,
		       void (*write)(void *wctx, const char *text, size_t size), void *wctx)
{
	static const char said[] = "The console says }*#$ and \0 as well.\n";
	struct world *world = ctx;
	uint64_t value = 0x1001;

	switch (line[0]) {
	case 'c': debug_continue(world->debug, OWNER_CONSOLE, NULL); break;
	case 'p': world_pause(world, OWNER_CONSOLE); break;
	case 'r': debug_reset(world->debug, OWNER_CONSOLE, NULL); break;
	case 'm': debug_reg_set(world->debug, 0, (unsigned)register_find("rip"), &value); break;
	case 'd': debug_points_forget(world->debug, OWNER_GDB); break;
	default: write(wctx, said, sizeof(said) - 1);
	}
}

/* ---- machine and session ---------------------------------------------------------------- */

static void start_session(struct world *world)
{
	static const uint8_t bytes[300] = {0x7f, 'E', 'L', 'F'};
	static const struct gdb_file files[] = {
		{.path = "/boot/kernel.elf", .bytes = bytes, .size = sizeof(bytes)},
		{.path = "/boot/}odd*name#", .bytes = bytes}};
	struct gdb_config config = {.ctx = world,
				    .files = files,
				    .file_count = 2,
				    .output = on_output,
				    .closed = on_closed,
				    .noisy = world->noisy,
				    .monitor_ctx = world,
				    .monitor = on_monitor};

	packet_reader_init(&world->heard);
	world->closed = false;
	world->session = gdb_session_new(world->debug, &config);
	if (!world->session || debug_listen(world->debug, on_event, world) < 0)
		broken("no session");
}

static void end_session(struct world *world)
{
	const struct point *point = NULL;

	debug_unlisten(world->debug, on_event, world);
	gdb_session_free(world->session);
	world->session = NULL;
	while ((point = debug_point_next(world->debug, point)))
		if (point->owner == OWNER_GDB)
			broken("gdb left point %d behind", point->number);
}

static void start_vcpu(struct machine *machine, unsigned index)
{
	struct vcpu *vcpu = &machine->vcpus[index];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	uint64_t at = WORLD_CODE + index * WORLD_APART;

	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state->system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, 32);
	state->system.cr0 = CR0_PE;
	state->general.rip = at;
	state->general.gpr[GPR_RDI] = 0x3000;
	state->general.gpr[GPR_RSP] = 0x8000;
	state->events.run_state = CPU_RUNNABLE;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	if (vcpu_flush(vcpu) < 0 ||
	    mem_write_phys(machine->memory, at, guest_code, sizeof(guest_code)) == 0)
		broken("vCPU %u cannot be prepared", index);
}

void world_open(struct world *world, const struct world_config *config)
{
	struct machine_config machine = {.accel = &accel_dummy,
					 .dummy = &world->dummy,
					 .ram_size = 4 << 20,
					 .vcpus = config->vcpus,
					 .debug_exit_port = 0xf4};
	struct debug_config debug = {0};
	struct error err = {0};

	*world = (struct world){
		.dummy = config->dummy, .noisy = config->noisy, .loud = getenv("FUZZ_LOG")};
	if (machine_create(&machine, &world->machine, &err) < 0)
		broken("no machine: %s", err.text);
	for (unsigned i = 0; i < config->vcpus; i++)
		start_vcpu(world->machine, i);
	if (debug_create(world->machine, &debug, &world->debug, &err) < 0)
		broken("no debugger: %s", err.text);
	start_session(world);
}

void world_close(struct world *world)
{
	end_session(world);
	debug_destroy(world->debug);
	machine_destroy(world->machine);
}

void world_pause(struct world *world, enum debug_owner owner)
{
	if (debug_pause_wait(world->debug, owner, PATIENCE_MS) < 0)
		broken("the machine cannot be paused");
}

void world_reconnect(struct world *world)
{
	end_session(world);
	world_pause(world, OWNER_GDB);
	start_session(world);
}

void world_hear(struct world *world, int ms)
{
	struct pollfd fd = {.fd = debug_event_fd(world->debug), .events = POLLIN};

	/* A guest may have news for ever. */
	for (int i = 0; i < NEWS_MAX && poll(&fd, 1, ms) == 1; i++) {
		debug_dispatch(world->debug);
		if (!debug_running(world->debug))
			ms = 0;
	}
}
