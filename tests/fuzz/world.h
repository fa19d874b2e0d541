/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a session is fuzzed: the stub, the real debugger core, and a machine on the dummy accelerator with threads that
 * run. What the stub says is judged as it comes, and whatever must not be ends the process, as a crash
 * would.
 */
#ifndef TESTS_FUZZ_WORLD_H
#define TESTS_FUZZ_WORLD_H

#include "accel/dummy.h"
#include "gdbstub/stub.h"
#include "machine/machine.h"

#define WORLD_CODE  0x1000ull
#define WORLD_APART 0x100ull

struct world_config {
	unsigned vcpus; /* 1 to 4 */
	struct dummy_config dummy;
	bool noisy;
};

struct world {
	struct dummy_config dummy;
	struct machine *machine;
	struct debug *debug;
	struct gdb_session *session;
	bool noisy, loud;
	bool closed; /* the session is over */
	bool exited; /* and the run, too */
	/* What the stub has said. A packet may come in pieces, but it ends before the call does. */
	unsigned replies; /* packets that do not print */
	struct packet_reader heard;
	uint64_t said; /* bytes, in all */
};

void world_open(struct world *world, const struct world_config *config);
void world_close(struct world *world);
/* Another gdb comes after this one has vanished; the machine is paused first. */
void world_reconnect(struct world *world);
/* Tells the session what there is to tell, and waits at most so long for the machine to stop. */
void world_hear(struct world *world, int ms);
/* Stops the machine, whatever it does, as somebody else. */
void world_pause(struct world *world, enum debug_owner owner);

/* Ends the process. */
void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
