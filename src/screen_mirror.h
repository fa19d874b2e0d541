/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's text screen on the terminal, where COM1's output would be, as long as COM1 is silent: for kernels that
 * only know the screen. What scrolls is told line by line as it scrolls; the rest when it is looked at: 20 times a
 * second while something changes, four times while nothing does, and not at all once COM1 has spoken or while the
 * guest is stopped.
 */
#ifndef SCREEN_MIRROR_H
#define SCREEN_MIRROR_H

#include "debug/debug.h"
#include "event_loop.h"
#include "serial_ports.h"

struct screen_mirror;

/* -ENOMEM, or what timerfd_create() said. */
int screen_mirror_new(struct serial_ports *serial, struct event_loop *loop,
		      struct screen_mirror **mirror, struct error *err);
struct text_backend screen_mirror_backend(struct screen_mirror *mirror); /* for machine_create() */
/* It looks from here on. */
int screen_mirror_connect(struct screen_mirror *mirror, struct machine *machine,
			  struct debug *debug);
/* Before debugger and machine go; NULL is fine for both. */
void screen_mirror_disconnect(struct screen_mirror *mirror);
void screen_mirror_free(struct screen_mirror *mirror);

#endif
