// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots of the whole machine. */
#include "monitor/commands_snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define NAME_SIZE 64

/* ---- names ---------------------------------------------------------------------------------- */

static bool find(struct debug *debug, const char *name, struct snapshot_info *info)
{
	for (unsigned i = 0; debug_snapshot_next(debug, i, info); i++)
		if (!strcmp(info->name, name))
			return true;
	return false;
}

/* The lowest number that is no snapshot's name. */
static const char *new_name(struct debug *debug, char name[NAME_SIZE])
{
	struct snapshot_info info;
	unsigned n = 0;

	do
		snprintf(name, NAME_SIZE, "%u", ++n);
	while (find(debug, name, &info));
	return name;
}

/* The one that is named, or the last that was saved or restored. */
static int find_meant(struct call *call, struct snapshot_info *info)
{
	struct debug *debug = call->monitor->debug;
	const char *name = call->arg[0].text;

	if (name)
		return find(debug, name, info) ? 0
					       : error_set(call->err, -ENOENT,
							   "there is no snapshot \"%.80s\"", name);
	for (unsigned i = 0; debug_snapshot_next(debug, i, info); i++)
		if (info->current)
			return 0;
	return error_set(call->err, -ENOENT,
			 "say which snapshot: none was saved or restored that is still there");
}

/* ---- what it is like ------------------------------------------------------------------------ */

static void size_text(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void tell_facts(struct call *call, const struct snapshot_info *info)
{
	fact_text(call->out, "name", info->name);
	fact_count(call->out, "guest_ns", info->guest_time);
	fact_count(call->out, "saved_at", info->saved_at);
	fact_count(call->out, "pages", info->pages);
	fact_count(call->out, "bytes", info->bytes);
	fact_flag(call->out, "current", info->current);
}

static void tell(struct call *call, const char *what, const struct snapshot_info *info)
{
	char size[32];

	tell_facts(call, info);
	size_text(info->bytes, size, sizeof(size));
	out_printf(call->out, "%s %s: guest time %.6f s, %llu page%s, %s\n", what, info->name,
		   (double)info->guest_time / 1e9, (unsigned long long)info->pages,
		   info->pages == 1 ? "" : "s", size);
}

/* A guest that stands still shows where. */
static void tell_place(struct call *call)
{
	char place[160];
	int cpu = call->cpu;

	if (call->monitor->gdb_attached)
		out_printf(call->out, "gdb remembers the old registers until it is told: "
				      "`maintenance flush register-cache`\n");
	if (debug_running(call->monitor->debug)) {
		out_printf(call->out, "the guest runs on from there\n");
		return;
	}
	address_text(call->monitor, debug_pc(call->monitor->debug, cpu), place, sizeof(place));
	out_printf(call->out, "vCPU %d stands at %s\n", cpu, place);
}

/* ---- the commands --------------------------------------------------------------------------- */

int run_snapshot_save(struct call *call)
{
	struct debug *debug = call->monitor->debug;
	struct snapshot_info info;
	char number[NAME_SIZE];
	const char *name = call->arg[0].text;
	int ret;

	if (!name)
		name = new_name(debug, number);
	ret = debug_snapshot_save(debug, name, call->err);
	if (ret == 0 && find(debug, name, &info))
		tell(call, "saved", &info);
	return ret;
}

int run_snapshot_restore(struct call *call)
{
	struct debug *debug = call->monitor->debug;
	struct snapshot_info info;
	int ret = find_meant(call, &info);

	if (ret == 0)
		ret = debug_snapshot_restore(debug, info.name, call->owner, call->err);
	if (ret < 0)
		return ret;
	find(debug, info.name, &info);
	tell_facts(call, &info);
	out_printf(call->out, "restored %s: guest time %.6f s\n", info.name,
		   (double)info.guest_time / 1e9);
	tell_place(call);
	return 0;
}

int run_snapshot_delete(struct call *call)
{
	fact_text(call->out, "name", call->arg[0].text);
	return debug_snapshot_delete(call->monitor->debug, call->arg[0].text, call->err);
}

static void list_one(struct call *call, const struct snapshot_info *info)
{
	time_t saved_at = (time_t)info->saved_at;
	char size[32], when[32] = "";
	struct tm tm;

	size_text(info->bytes, size, sizeof(size));
	if (localtime_r(&saved_at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	out_printf(call->out, "%c %-18s %12.6f s  %-19s %8llu %11s\n", info->current ? '*' : ' ',
		   info->name, (double)info->guest_time / 1e9, when,
		   (unsigned long long)info->pages, size);
}

int run_snapshot_list(struct call *call)
{
	struct snapshot_info info;
	unsigned i;

	fact_list(call->out, "snapshots");
	for (i = 0; debug_snapshot_next(call->monitor->debug, i, &info); i++) {
		if (i == 0)
			out_printf(call->out, "  %-18s %14s  %-19s %8s %11s\n", "name",
				   "guest time", "saved", "pages", "size");
		list_one(call, &info);
		fact_object(call->out, NULL);
		tell_facts(call, &info);
		fact_end(call->out);
	}
	fact_end(call->out);
	if (i == 0)
		out_printf(call->out, "no snapshots; `snapshot save` makes one\n");
	return 0;
}

int run_snapshot_write(struct call *call)
{
	const char *name = call->arg[0].text, *file = call->arg[1].text;
	char size[32], path[TEXT_CLEAN_SIZE(200)];
	struct stat status;
	int ret = debug_snapshot_write(call->monitor->debug, name, file, call->err);

	if (ret < 0 || stat(file, &status))
		return ret;
	size_text((uint64_t)status.st_size, size, sizeof(size));
	text_clean(file, strnlen(file, 200), false, path, sizeof(path));
	out_printf(call->out, "%s is in %s, %s\n", name, path, size);
	fact_text(call->out, "name", name);
	fact_text(call->out, "file", file);
	fact_count(call->out, "bytes", (uint64_t)status.st_size);
	return 0;
}

int run_snapshot_read(struct call *call)
{
	const char *file = call->arg[0].text, *slash = strrchr(file, '/');
	const char *name = call->arg[1].given ? call->arg[1].text : slash ? slash + 1 : file;
	struct snapshot_info info;
	int ret = debug_snapshot_read(call->monitor->debug, file, name, call->err);

	if (ret == 0 && find(call->monitor->debug, name, &info))
		tell(call, "read", &info);
	return ret;
}
