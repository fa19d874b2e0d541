// SPDX-License-Identifier: GPL-3.0-or-later
/* symbol-file: other symbols, or the same at another place. */
#include "monitor/commands.h"
#include "whole_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct symbol_file {
	struct whole_file whole;
	struct symbols *symbols;
};

void symbol_file_free(struct symbol_file *file)
{
	if (!file)
		return;
	symbols_free(file->symbols);
	whole_file_free(&file->whole);
	free(file);
}

/* Names that views remember belong to the old symbols. */
static void take(struct monitor *monitor, struct symbol_file *file)
{
	for (unsigned i = 0; i < OWNER_COUNT; i++)
		monitor->view[i].file = NULL;
	modules_forget(monitor);
	symbol_file_free(monitor->symbol_file);
	monitor->symbol_file = file;
	monitor->symbols = file->symbols;
	modules_attach(monitor);
}

static int load(struct monitor *monitor, const char *path, struct error *err)
{
	struct symbol_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return error_set(err, -ENOMEM, "out of memory");
	ret = whole_file_read(path, &file->whole, err);
	if (!ret && !file->whole.size)
		ret = error_set(err, -EINVAL, "%.200s is empty", path);
	if (!ret)
		ret = symbols_load(file->whole.bytes, file->whole.size, &file->symbols, err);
	if (ret)
		symbol_file_free(file);
	else
		take(monitor, file);
	return ret;
}

static void tell_offset(struct call *call)
{
	uint64_t offset = symbols_offset(call->monitor->symbols);

	if (offset)
		out_printf(call->out,
			   "the symbols are 0x%" PRIx64 " above where they were linked\n", offset);
	fact_text(call->out, "file", call->arg[1].text);
	fact_hex(call->out, "offset", offset);
}

int run_symbol_file(struct call *call)
{
	int ret;

	if (!call->arg[0].given && !call->arg[1].given)
		return error_set(call->err, -EINVAL,
				 "write: symbol-file [-o OFFSET] FILE, or -o OFFSET");
	if (call->arg[1].given) {
		ret = load(call->monitor, call->arg[1].text, call->err);
		if (ret)
			return ret;
	}
	if (!call->monitor->symbols)
		return error_set(call->err, -ENOENT, "there are no symbols to move");
	call->monitor->placed = call->arg[0].given;
	if (call->arg[0].given)
		symbols_set_offset(call->monitor->symbols, call->arg[0].value);
	else
		kaslr_begin(call->monitor);
	tell_offset(call);
	return 0;
}
