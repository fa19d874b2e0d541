/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A debugger core with no machine: debug/debug.h over a little RAM and plain register states, whose
 * stops a test makes by hand. A test that calls fake_new() links this instead of src/debug.
 */
#ifndef TESTS_RSP_FAKE_DEBUG_H
#define TESTS_RSP_FAKE_DEBUG_H

#include "debug/debug.h"

#define FAKE_VCPUS  4
#define FAKE_RAM    0x40000
#define FAKE_POINTS 16

struct debug {
	unsigned vcpu_count;
	struct cpu_state state[FAKE_VCPUS];
	uint64_t prepared;     /* the image's slide, as the loader chose it */
	uint8_t ram[FAKE_RAM]; /* linear and physical 0 and up; 0x1000-0x1fff is a hole */
	bool running, exited, output_full;
	struct stop last_stop;
	debug_listener_fn *listener;
	void *listener_ctx;
	struct point point[FAKE_POINTS]; /* number 0: free */
	int last_number;

	/* What the test wants refused: an errno and a sentence. */
	int refuse_resume, refuse_point, refuse_reset, refuse_pause, refuse_lapic;
	unsigned refuse_groups; /* debug_state() and registers of these are not to be had */
	const void *image;	/* or NULL */
	const char *fault_chain[FAULT_CHAIN];
	size_t image_size;

	/* What the stub has asked for. */
	struct plan plan[FAKE_VCPUS];
	unsigned resumes, pauses, resets, kills, memory_space;
	int kill_status;
	enum debug_owner last_actor;
};

struct debug *fake_new(unsigned vcpus);
void fake_free(struct debug *debug);

/* Stops the machine and tells the listener. */
void fake_stop(struct debug *debug, const struct stop *stop, enum debug_owner actor);
/* Stops it; the listener is told by fake_tell(), later. */
void fake_stop_quietly(struct debug *debug, const struct stop *stop);
void fake_tell(struct debug *debug, enum debug_event event, enum debug_owner actor);
unsigned fake_point_count(const struct debug *debug, enum debug_owner owner);

#endif
