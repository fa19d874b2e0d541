// SPDX-License-Identifier: GPL-3.0-or-later
/* The names of a Linux guest's modules, behind those of its image; and info modules. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct modules {
	struct guest_modules *list; /* NULL: the image is of no such guest */
	struct error why;	    /* ... in words */
	unsigned stop;		    /* the one at which it was read last */
	bool read, current;	    /* whether it has ever been, and at that stop */
	void *file;		    /* their names, as ELF */
	struct symbols *symbols;    /* of that */
};

static struct modules *modules_of(struct monitor *monitor)
{
	struct modules *modules = monitor->modules;
	size_t size;
	const void *elf = symbols_file_bytes(monitor->symbols, &size);

	if (modules)
		return modules;
	modules = monitor->modules = calloc(1, sizeof(*modules));
	if (modules && elf)
		guest_modules_new(elf, size, &modules->list, &modules->why);
	else if (modules)
		error_set(&modules->why, -ENOENT, "there is no file of the kernel's to tell how");
	return modules;
}

static void drop_names(struct modules *modules)
{
	symbols_free(modules->symbols);
	free(modules->file);
	modules->symbols = NULL;
	modules->file = NULL;
}

void modules_forget(struct monitor *monitor)
{
	if (!monitor->modules)
		return;
	drop_names(monitor->modules);
	guest_modules_free(monitor->modules->list);
	free(monitor->modules);
	monitor->modules = NULL;
}

static void read_names(struct monitor *monitor, struct modules *modules, int cpu)
{
	size_t size;

	drop_names(modules);
	modules->file = guest_modules_file(modules->list, monitor->debug, cpu, &size);
	if (modules->file)
		symbols_load(modules->file, size, &modules->symbols, NULL);
}

/* Once at each stop, through the page tables of the vCPU that stopped: where those are a program's own, without the
 * kernel's memory, what was read before has to do. */
static void refresh(struct monitor *monitor, struct modules *modules)
{
	const struct stop *stop = debug_last_stop(monitor->debug);
	int cpu = stop && stop->vcpu >= 0 ? stop->vcpu : 0, changed;

	if (!modules->list || debug_running(monitor->debug) ||
	    (modules->read && modules->stop == monitor->stop_number))
		return;
	modules->stop = monitor->stop_number;
	modules->read = true;
	changed = guest_modules_read(modules->list, monitor->debug, cpu,
				     symbols_offset(monitor->symbols));
	modules->current = changed >= 0;
	if (changed > 0)
		read_names(monitor, modules, cpu);
}

static struct symbols *ask(void *ctx)
{
	struct modules *modules = modules_of(ctx);

	if (!modules)
		return NULL;
	refresh(ctx, modules);
	return modules->symbols;
}

const struct guest_module *modules_at(struct monitor *monitor, uint64_t address)
{
	struct modules *modules = monitor->modules;

	return modules && modules->list ? guest_modules_find(modules->list, address) : NULL;
}

static const char *module_name(void *ctx, uint64_t address)
{
	const struct guest_module *module = modules_at(ctx, address);

	return module ? module->name : NULL;
}

void modules_attach(struct monitor *monitor)
{
	if (monitor->symbols)
		symbols_set_others(monitor->symbols, ask, module_name, monitor);
}

/* ---- info modules ---------------------------------------------------------------------------- */

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {"live", "coming", "going"};

	return state < sizeof(names) / sizeof(*names) ? names[state] : "?";
}

static void show_module(struct monitor_out *out, const struct guest_module *module)
{
	char size[24];

	out_printf(out, "  0x%016" PRIx64 " %6s  %-7s %s\n", module->piece[0].base,
		   short_size((guest_module_size(module) + 1023) & ~1023ull, size),
		   state_name(module->state), module->name);
	fact_object(out, NULL);
	fact_text(out, "name", module->name);
	fact_text(out, "state", state_name(module->state));
	fact_hex(out, "code", module->piece[0].base);
	fact_hex(out, "code_size", module->piece[0].size);
	fact_hex(out, "size", guest_module_size(module));
	fact_count(out, "symbols", module->symbol_count);
	fact_end(out);
}

static void show_list(struct call *call, const struct modules *modules)
{
	unsigned count = guest_modules_count(modules->list);

	fact_flag(call->out, "current", modules->current);
	fact_list(call->out, "modules");
	if (count)
		out_printf(call->out, "  code                 size  state   name\n");
	for (unsigned i = 0; i < count; i++)
		show_module(call->out, guest_modules_at(modules->list, i));
	fact_end(call->out);
	if (!modules->current)
		out_printf(call->out,
			   "as it was: from where the vCPU stands, the guest's list cannot "
			   "be read\n");
	else if (!count)
		out_printf(call->out, "none is loaded\n");
}

int run_info_modules(struct call *call)
{
	struct modules *modules = modules_of(call->monitor);

	if (!modules)
		return error_set(call->err, -ENOMEM, "out of memory");
	if (!modules->list)
		return error_set(call->err, -ENOENT, "%s", modules->why.text);
	refresh(call->monitor, modules);
	show_list(call, modules);
	return 0;
}
