/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's devices, and what they find in it. */
#ifndef MACHINE_DEVICES_H
#define MACHINE_DEVICES_H

#include "error.h"

struct machine;

/* Fills machine->host. */
void devices_host(struct machine *machine);
/* All of them, into machine->devices; with an error there may be some. */
int devices_create(struct machine *machine, struct error *err);

#endif
