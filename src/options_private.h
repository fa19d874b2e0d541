/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each option does; options.c has the table that names them. */
#ifndef OPTIONS_PRIVATE_H
#define OPTIONS_PRIVATE_H

#include "options.h"

/* arg: what stands behind the option; NULL for one that takes nothing. -errno with a sentence. */
typedef int option_fn(struct options *o, const char *arg, struct error *err);

option_fn set_kernel, set_append, set_initrd, set_memory, set_smp, set_cpu, set_accel,
	set_enable_kvm, set_kvm_device, set_irqchip, set_load, set_entry, set_loadvm, set_serial,
	set_nographic, set_debug_exit, set_device, set_display, set_symbols, set_gdb, set_s,
	set_paused, set_on_disconnect, set_on_triple_fault, set_no_reboot, set_debug_strategy,
	set_doctor, set_json, set_monitor, set_command, set_batch, set_log;

#endif
