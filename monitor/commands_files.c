// SPDX-License-Identifier: GPL-3.0-or-later
/* dump and restore: memory to a file, and back. */
#include "monitor/bytes.h"
#include "monitor/commands.h"
#include "plain_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

static int file_error(struct call *call, int code, const char *what, const char *path)
{
	return error_set(call->err, code, "cannot %s %.200s: %s", what, path,
			 code == -EINVAL ? "it is no plain file" : strerror(-code));
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			size -= (size_t)done;
		}
	}
	return 0;
}

static int dump_to(struct call *call, int fd, const char *path, uint64_t address, uint64_t length)
{
	static const size_t piece = PIECE;
	uint8_t bytes[PIECE];

	for (uint64_t done = 0; done < length;) {
		size_t want = length - done < piece ? (size_t)(length - done) : piece;
		ssize_t got = monitor_read(call->monitor, call->cpu, call->arg[0].given,
					   address + done, bytes, want, call->err);
		int ret = got < 0 ? 0 : write_all(fd, bytes, (size_t)got);

		if (got < 0)
			return (int)got;
		if (ret)
			return file_error(call, ret, "write to", path);
		if (check_enough(call))
			return -EINTR;
		done += (uint64_t)got;
	}
	return 0;
}

int file_check_replaceable(const char *path, struct error *err)
{
	struct stat status;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(err, -EEXIST, "%.200s is there, and no plain file", path);
	return 0;
}

/* A dump that fails half way leaves what was there before. */
static int dump_beside(struct call *call, int fd, const char *path, const char *beside)
{
	int ret = dump_to(call, fd, path, call->arg[2].value, call->arg[3].value);

	if (close(fd) < 0 && !ret)
		ret = file_error(call, -errno, "write to", path);
	if (!ret && rename(beside, path) < 0)
		ret = file_error(call, -errno, "write to", path);
	if (ret)
		unlink(beside);
	return ret;
}

static int dump(struct call *call, const char *path)
{
	char *beside;
	int fd = plain_file_new_beside(path, &beside), ret;

	if (fd < 0)
		return file_error(call, fd, "write to", path);
	ret = dump_beside(call, fd, path, beside);
	free(beside);
	return ret;
}

int run_dump(struct call *call)
{
	const char *path = call->arg[1].text;
	char size[24];
	int ret = file_check_replaceable(path, call->err);

	if (!ret)
		ret = dump(call, path);
	if (ret)
		return ret;
	out_printf(call->out, "%s bytes from 0x%" PRIx64 " on are in the file\n",
		   short_size(call->arg[3].value, size), call->arg[2].value);
	fact_count(call->out, "size", call->arg[3].value);
	return 0;
}

static int restore_from(struct call *call, int fd, const char *path, uint64_t *total)
{
	uint8_t bytes[PIECE];
	ssize_t got;
	int ret = 0;

	*total = 0;
	while (!ret && (got = read(fd, bytes, sizeof(bytes)))) {
		if (got < 0)
			return file_error(call, -errno, "read", path);
		ret = bytes_write(call, bytes_space(call), call->arg[2].value + *total, bytes,
				  (size_t)got);
		*total += ret ? 0 : (uint64_t)got;
		if (!ret)
			ret = check_enough(call);
	}
	return ret;
}

int run_restore(struct call *call)
{
	const char *path = call->arg[1].text;
	uint64_t total;
	char size[24];
	int fd = plain_file_open(path, NULL), ret;

	if (fd < 0)
		return file_error(call, fd, "read", path);
	ret = restore_from(call, fd, path, &total);
	close(fd);
	if (ret)
		return ret;
	out_printf(call->out, "%s bytes of the file are at 0x%" PRIx64 "\n",
		   short_size(total, size), call->arg[2].value);
	fact_count(call->out, "size", total);
	return 0;
}
