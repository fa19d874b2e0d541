/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What vitrine does about an exit. For the vCPU's own thread. */
#ifndef MACHINE_EXITS_H
#define MACHINE_EXITS_H

#include "machine/vcpu.h"

/* Answers an exit. True: the vCPU may be entered again at once. False: a stop has been recorded, or
 * the vCPU has to wait; its thread looks at its plan. */
bool exit_dispatch(struct vcpu *vcpu, const struct vm_exit *exit);

/* The observer of a machine that nobody debugs: an exit without an answer holds the machine. */
struct machine_observer;
extern const struct machine_observer no_observer;

#endif
