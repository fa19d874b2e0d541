/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A debugger core without a machine behind it: two vCPUs in long mode, 8 MiB of RAM that is
 * mapped linear = physical by 2 MiB pages (the last one is not present), and an account of what
 * was asked. */
#ifndef TESTS_MONITOR_FAKE_DEBUG_H
#define TESTS_MONITOR_FAKE_DEBUG_H

#include "debug/debug.h"

#define FAKE_VCPUS  2
#define FAKE_RAM    (8u << 20)
#define FAKE_TABLES 0x1000u /* PML4, PDPT, PD behind each other; cr3 */
#define FAKE_STACK  0x300000u
#define FAKE_POINTS 16

struct debug {
	uint8_t *ram;
	struct cpu_state state[FAKE_VCPUS];
	bool running;
	struct stop stop;
	struct point points[FAKE_POINTS];
	unsigned point_count;
	int next_number;
	debug_listener_fn *listener;
	void *listener_ctx;
	/* What was asked. */
	unsigned continues, steps, pauses, resets;
	struct plan plans[FAKE_VCPUS]; /* of the last resume */
	enum debug_owner last_actor;
	bool step_interrupts;
	bool refuse_step;
	bool search_fails;
	bool trace_pc;
	uint64_t msr; /* LSTAR */
	bool tracks_writes;
	uint64_t written[4][2];		 /* gpa, size; size 0 ends it */
	unsigned nmis[FAKE_VCPUS], irqs; /* irqs: a bit each */
	uint8_t keys[32];
	struct screen_info screen;
	size_t key_count;
	struct pc_chips chips;
	struct lapic lapic;
	bool no_lapic;
	unsigned traced; /* exits that the recorder holds */
	struct debug_capabilities capabilities;
	uint64_t prepared;	  /* the image's slide, as the loader chose it */
	struct image_slide slide; /* what is found when it is looked for */
	unsigned searches;
};

/* Loads the segments of the fixture (elf may be NULL); vCPU 0 stands at its entry, on a stack of its own. */
struct debug *fake_debug_new(const void *elf);
void fake_debug_free(struct debug *debug);
/* Frees its condition and its action. */
void fake_point_clear(struct point *point);

/* The machine has stopped for this reason, where its registers say; listeners are told. */
void fake_debug_stop(struct debug *debug, enum stop_reason reason, int vcpu, const char *text);
/* The same with all that is known of it, but the pc. */
void fake_debug_stop_as(struct debug *debug, const struct stop *stop);
void fake_debug_tell(struct debug *debug, enum debug_event event, enum debug_owner actor);

/* The fixture beside the running program, mapped for good. */
const void *fixture_image(size_t *size);

#endif
