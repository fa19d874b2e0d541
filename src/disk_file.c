// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk_file.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTORS_MAX (1ull << 48) /* LBA48 */

static int open_file(struct disk_file *file, struct error *err)
{
	int mode = file->readonly ? O_RDONLY : O_RDWR;
	struct stat st;

	file->fd = open(file->path, mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0)
		return error_set(
			err, -errno, "cannot open the disk %s%s: %s%s", file->path,
			file->readonly ? "" : " for writing", strerror(errno),
			!file->readonly && (errno == EACCES || errno == EROFS || errno == EPERM)
				? "; -drive FILE,readonly only reads it"
				: "");
	if (fstat(file->fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return error_set(err, -EINVAL,
				 "%s is no disk: it is neither a file nor a block device",
				 file->path);
	return 0;
}

/* Where a file system knows no locks there is nothing to hold on to. */
static int lock_file(struct disk_file *file, struct error *err)
{
	if (flock(file->fd, (file->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return error_set(
			err, -EBUSY,
			"the disk %s is in use: a disk that is written belongs to one guest, "
			"and those who share it all give readonly",
			file->path);
	log_warn("disk", "cannot lock %s: %s; take care that nobody else writes to it", file->path,
		 strerror(errno));
	return 0;
}

static int measure(struct disk_file *file, struct error *err)
{
	off_t size = lseek(file->fd, 0, SEEK_END);

	if (size <= 0)
		return error_set(err, -EINVAL,
				 "the disk %s is empty: make one with `truncate -s 16M %s`",
				 file->path, file->path);
	if (size % DISK_SECTOR)
		return error_set(err, -EINVAL,
				 "the disk %s has %lld bytes, which are no whole sectors of 512: "
				 "`truncate -s %%512 %s` fills it up",
				 file->path, (long long)size, file->path);
	file->sectors = (uint64_t)size / DISK_SECTOR;
	if (file->sectors > SECTORS_MAX)
		return error_set(err, -EFBIG, "the disk %s is larger than an IDE disk can be",
				 file->path);
	return 0;
}

/* Taken as it is, such a file would be damaged by the first write. */
static int check_format(const struct disk_file *file, struct error *err)
{
	static const struct {
		const char *name, *magic;
	} formats[] = {{"qcow2", "QFI\xfb"},
		       {"vmdk", "KDMV"},
		       {"vhdx", "vhdxfile"},
		       {"vpc", "conectix"},
		       {"qed", "QED"}};
	char head[9] = "";

	if (pread(file->fd, head, 8, 0) != 8)
		return error_set(err, -EIO, "cannot read the disk %s", file->path);
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (memcmp(head, formats[i].magic, strlen(formats[i].magic)) == 0)
			return error_set(err, -EINVAL,
					 "%s is a %s image, and vitrine takes raw ones: `qemu-img "
					 "convert -O raw` makes one of it; with format=raw it is "
					 "taken as it is",
					 file->path, formats[i].name);
	return 0;
}

int disk_file_open(struct disk_file *file, bool raw, struct error *err)
{
	int rc = open_file(file, err);

	if (rc == 0)
		rc = lock_file(file, err);
	if (rc == 0)
		rc = measure(file, err);
	return rc == 0 && !raw ? check_format(file, err) : rc;
}
