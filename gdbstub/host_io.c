// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * vFile: gdb reads the guest's image and symbols from vitrine, which has them in memory as they were when the
 * guest was started, and the names of a Linux guest's modules (modules.c). Nothing of the host's file system is
 * touched: a name that is none of those files is not there. (gdb manual, "Host I/O Packets".)
 */
#include "gdbstub/stub.h"

#include <errno.h>
#include <string.h>

/* The protocol's own numbers (gdb manual, "File-I/O errno Values", "Open Flags", "mode_t Values"). */
enum fileio_error {
	FILEIO_ENOENT = 2,
	FILEIO_EBADF = 9,
	FILEIO_EINVAL = 22,
	FILEIO_EMFILE = 24,
	FILEIO_EROFS = 30,
	FILEIO_ENAMETOOLONG = 91,
};
#define FILEIO_O_RDONLY	   0
#define FILEIO_S_READ_ONLY 0100444

#define NAME_MAX_SIZE	   4096

const void *file_bytes(const struct gdb_file *file, size_t *size)
{
	if (file->make)
		return file->make(file->ctx, size);
	*size = file->size;
	return file->bytes;
}

/* ---- replies -------------------------------------------------------------------- */

static int reply_result(struct gdb_session *s, uint64_t result)
{
	reply_format(&s->reply, "F%llx", (unsigned long long)result);
	return 0;
}

static int reply_failure(struct gdb_session *s, enum fileio_error error)
{
	reply_format(&s->reply, "F-1,%x", error);
	return 0;
}

static void put_number(uint8_t **at, uint64_t value, unsigned bytes)
{
	while (bytes--)
		*(*at)++ = (uint8_t)(value >> 8 * bytes);
}

/* The protocol's struct stat, each member big-endian (gdb manual, "struct stat"). */
static int reply_stat(struct gdb_session *s, const struct gdb_file *file)
{
	uint8_t stat[64] = {0}, *at = stat;
	uint64_t number = file == &s->modules ? 0 : (uint64_t)(file - s->config.files) + 1;
	size_t size;

	file_bytes(file, &size);
	put_number(&at, 0, 4);			/* st_dev */
	put_number(&at, number, 4);		/* st_ino */
	put_number(&at, FILEIO_S_READ_ONLY, 4); /* st_mode */
	put_number(&at, 1, 4);			/* st_nlink */
	at += 12;				/* st_uid, st_gid, st_rdev */
	put_number(&at, size, 8);		/* st_size */
	put_number(&at, 512, 8);		/* st_blksize */
	put_number(&at, (size + 511) / 512, 8); /* st_blocks */
	reply_format(&s->reply, "F%zx;", sizeof(stat));
	reply_binary(&s->reply, stat, sizeof(stat));
	return 0;
}

/* ---- arguments ------------------------------------------------------------------ */

/* Of those that are offered; one that cannot be made is not there. */
static const struct gdb_file *find_file(struct gdb_session *s, const char *name, size_t length)
{
	size_t size;

	for (unsigned i = 0; i < s->config.file_count; i++)
		if (word_is(name, length, s->config.files[i].path))
			return file_bytes(&s->config.files[i], &size) ? &s->config.files[i] : NULL;
	return word_is(name, length, MODULES_PATH) ? modules_file(s) : NULL;
}

/* Hex digits up to stop, or to the end when that is 0; NULL when they are not, and *error says why. */
static const struct gdb_file *take_file(struct gdb_session *s, struct request *request, char stop,
					enum fileio_error *error)
{
	struct request digits = *request;
	char name[NAME_MAX_SIZE];
	size_t size;

	*error = FILEIO_EINVAL;
	if (stop) {
		if (!take_word(request, stop, &digits.at, &size))
			return NULL;
		digits.end = digits.at + size;
	}
	size = request_left(&digits) / 2;
	if (size >= sizeof(name)) {
		*error = FILEIO_ENAMETOOLONG;
		return NULL;
	}
	if (!take_hex_bytes(&digits, name, size))
		return NULL;
	*error = FILEIO_ENOENT;
	return find_file(s, name, size);
}

static const struct gdb_file *handle_file(const struct gdb_session *s, uint64_t handle)
{
	return handle < GDB_HANDLES ? s->handle[handle] : NULL;
}

/* ---- operations ----------------------------------------------------------------- */

static int open_file(struct gdb_session *s, struct request *request)
{
	uint64_t flags, mode, handle = 0;
	const struct gdb_file *file;
	enum fileio_error error;

	file = take_file(s, request, ',', &error);
	if (!file && error != FILEIO_ENOENT)
		return reply_failure(s, error);
	if (!take_hex(request, &flags) || !take_char(request, ',') || !take_hex(request, &mode) ||
	    !take_end(request))
		return reply_failure(s, FILEIO_EINVAL);
	if (!file)
		return reply_failure(s, FILEIO_ENOENT);
	if (flags != FILEIO_O_RDONLY)
		return reply_failure(s, FILEIO_EROFS);
	while (handle < GDB_HANDLES && s->handle[handle])
		handle++;
	if (handle == GDB_HANDLES)
		return reply_failure(s, FILEIO_EMFILE);
	s->handle[handle] = file;
	return reply_result(s, handle);
}

static int close_file(struct gdb_session *s, struct request *request)
{
	uint64_t handle;

	if (!take_hex(request, &handle) || !take_end(request))
		return reply_failure(s, FILEIO_EINVAL);
	if (!handle_file(s, handle))
		return reply_failure(s, FILEIO_EBADF);
	s->handle[handle] = NULL;
	return reply_result(s, 0);
}

/* How many bytes came is known behind them: the number has its place kept, and as many digits as it wants. */
static void reply_piece(struct gdb_session *s, const uint8_t *bytes, size_t wanted)
{
	static const char head[] = "F00000;";
	size_t done;
	char *number;

	reply_text(&s->reply, head);
	number = s->reply.bytes + s->reply.size - 2;
	done = wanted ? reply_binary(&s->reply, bytes, wanted) : 0;
	for (; done; done >>= 4)
		*number-- = hex_digits[done & 15];
}

static int read_file(struct gdb_session *s, struct request *request)
{
	_Static_assert(PACKET_MAX <= 0xfffff, "reply_piece() keeps room for five digits");
	uint64_t handle, count, offset;
	const struct gdb_file *file;
	const uint8_t *bytes;
	size_t size, left;

	if (!take_hex(request, &handle) || !take_char(request, ',') || !take_hex(request, &count) ||
	    !take_char(request, ',') || !take_hex(request, &offset) || !take_end(request))
		return reply_failure(s, FILEIO_EINVAL);
	file = handle_file(s, handle);
	if (!file)
		return reply_failure(s, FILEIO_EBADF);
	bytes = file_bytes(file, &size);
	left = offset < size ? size - offset : 0;
	reply_piece(s, bytes + (left ? offset : 0), count < left ? count : left);
	return 0;
}

static int stat_handle(struct gdb_session *s, struct request *request)
{
	uint64_t handle;

	if (!take_hex(request, &handle) || !take_end(request))
		return reply_failure(s, FILEIO_EINVAL);
	return handle_file(s, handle) ? reply_stat(s, handle_file(s, handle))
				      : reply_failure(s, FILEIO_EBADF);
}

static int stat_name(struct gdb_session *s, struct request *request)
{
	enum fileio_error error;
	const struct gdb_file *file = take_file(s, request, 0, &error);

	return file ? reply_stat(s, file) : reply_failure(s, error);
}

/* None of the files is a link. */
static int read_link(struct gdb_session *s, struct request *request)
{
	enum fileio_error error;
	const struct gdb_file *file = take_file(s, request, 0, &error);

	return reply_failure(s, file ? FILEIO_EINVAL : error);
}

/* There is one file system, whatever process gdb has in mind. */
static int choose_file_system(struct gdb_session *s, struct request *request)
{
	uint64_t process;

	if (!take_hex(request, &process) || !take_end(request))
		return reply_failure(s, FILEIO_EINVAL);
	return reply_result(s, 0);
}

static int refuse_change(struct gdb_session *s, struct request *request)
{
	(void)request;
	return reply_failure(s, FILEIO_EROFS);
}

static const struct {
	const char *name;
	gdb_command_fn *run;
} operations[] = {
	{"open", open_file},	   {"close", close_file},     {"pread", read_file},
	{"fstat", stat_handle},	   {"stat", stat_name},	      {"readlink", read_link},
	{"pwrite", refuse_change}, {"unlink", refuse_change}, {"setfs", choose_file_system},
};

int command_file(struct gdb_session *s, struct request *request)
{
	const char *name;
	size_t size;

	if (!s->config.file_count || !take_word(request, ':', &name, &size))
		return 0;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (word_is(name, size, operations[i].name))
			return operations[i].run(s, request);
	return 0;
}

int document_exec_file(struct gdb_session *s, const char *annex, size_t size, struct text *text)
{
	(void)annex; /* a process; there is one */
	(void)size;
	if (!s->config.file_count)
		return -ENOENT;
	text_printf(text, "%s", s->config.files[0].path);
	return 0;
}
