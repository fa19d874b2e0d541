// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines from a file: `source`, and the one that is read at the start. */
#include "monitor/commands.h"
#include "plain_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)
/* Files that source each other. */
#define DEPTH_MAX 16

static int read_whole(int fd, const char *path, struct string *text, struct error *err)
{
	char bytes[4096];
	ssize_t size;

	while ((size = read(fd, bytes, sizeof(bytes))) > 0 && text->size <= FILE_MAX)
		string_add(text, bytes, (size_t)size);
	if (size < 0)
		return error_set(err, -errno, "cannot read %.200s: %s", path, strerror(errno));
	for (size_t i = 0; i < text->size; i++) /* a NUL would hide what is behind it */
		if (!text->text[i] || text->text[i] == '\r')
			text->text[i] = ' ';
	return 0;
}

static int read_file(const char *path, struct string *text, struct error *err)
{
	off_t size = 0;
	int fd = plain_file_open(path, &size), ret;

	if (fd == -EINVAL || size > FILE_MAX)
		ret = error_set(err, -EINVAL, "%.200s is no file of commands", path);
	else if (fd < 0)
		ret = error_set(err, fd, "cannot read %.200s: %s", path, strerror(-fd));
	else
		ret = read_whole(fd, path, text, err);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* One after the other, at once; the first that fails ends it. */
static int run_lines(struct monitor *monitor, char *text, enum debug_owner owner,
		     struct monitor_out *out)
{
	int ret = 0;

	for (char *line = text, *next; !ret && line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		ret = monitor_execute(monitor, line, owner, out);
	}
	return ret;
}

/* A console takes the lines in, and waits for the stops in between. */
static int source(struct monitor *monitor, const char *path, enum debug_owner owner,
		  struct monitor_out *out, struct error *err)
{
	struct string text = {0};
	int ret = read_file(path, &text, err);

	if (!ret && monitor->source_depth >= DEPTH_MAX)
		ret = error_set(err, -ELOOP,
				"files of commands nest deeper than %d: do they source "
				"themselves?",
				DEPTH_MAX);
	if (!ret && owner == OWNER_CONSOLE && monitor->feed) {
		ret = monitor->feed(monitor->feed_ctx, string_text(&text), err);
	} else if (!ret && text.size) {
		monitor->source_depth++;
		/* What went wrong has been said. */
		run_lines(monitor, text.text, owner, out);
		monitor->source_depth--;
	}
	string_free(&text);
	return ret;
}

int run_source(struct call *call)
{
	fact_text(call->out, "file", call->arg[0].text);
	return source(call->monitor, call->arg[0].text, call->owner, call->out, call->err);
}

/* $XDG_CONFIG_HOME/vitrine/init, by default in ~/.config (XDG base directory specification). */
static bool init_path(char path[PATH_MAX])
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int size = -1;

	if (config && config[0] == '/')
		size = snprintf(path, PATH_MAX, "%s/vitrine/init", config);
	else if (home && home[0] == '/')
		size = snprintf(path, PATH_MAX, "%s/.config/vitrine/init", home);
	return size > 0 && size < PATH_MAX;
}

void monitor_run_init(struct monitor *monitor, struct monitor_out *out)
{
	monitor_feed_fn *feed = monitor->feed;
	struct error err = {0};
	char path[PATH_MAX];

	if (!init_path(path) || access(path, F_OK))
		return;
	monitor->feed = NULL; /* before anything else happens */
	if (source(monitor, path, OWNER_CONSOLE, out, &err))
		out_printf(out, "%s\n", err.text);
	monitor->feed = feed;
}
