// SPDX-License-Identifier: GPL-3.0-or-later
#include "symbol_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_fd(int fd, const char *path, struct symbol_file *file, struct error *err)
{
	struct stat st;
	void *bytes;

	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return error_set(err, -EINVAL, "-symbols takes an ELF file, and %s is none", path);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return error_set(err, -errno, "cannot map %s: %s", path, strerror(errno));
	*file = (struct symbol_file){bytes, (size_t)st.st_size};
	return 0;
}

int symbol_file_map(const char *path, struct symbol_file *file, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	rc = map_fd(fd, path, file, err);
	close(fd);
	return rc;
}

void symbol_file_unmap(struct symbol_file *file)
{
	if (file->bytes)
		munmap(file->bytes, file->size);
	file->bytes = NULL;
}
