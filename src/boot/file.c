// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/boot_private.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A kernel with all its debug information stays well below this. */
#define FILE_SIZE_MAX (2ll << 30)

#define LARGE_PAGE    ((uintptr_t)2 << 20)

/* A kernel and its symbols are some hundred megabytes, and each page is touched once: large ones cost less. */
static void want_large_pages(void *memory, size_t size)
{
	uintptr_t from = ((uintptr_t)memory + LARGE_PAGE - 1) & -LARGE_PAGE;
	uintptr_t to = ((uintptr_t)memory + size) & -LARGE_PAGE;

	if (from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void *boot_memory(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (memory)
		want_large_pages(memory, size);
	return memory;
}

static size_t pages_length(size_t size)
{
	return (size + LARGE_PAGE - 1) & -LARGE_PAGE;
}

/* Aligned to large pages, as guest RAM is, and told the host as guest RAM is: they are moved whole then. */
uint8_t *boot_pages(size_t size)
{
	size_t length = pages_length(size), skip;
	uint8_t *all = mmap(NULL, length + LARGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	skip = -(uintptr_t)all & (LARGE_PAGE - 1);
	if (skip)
		munmap(all, skip);
	munmap(all + skip + length, LARGE_PAGE - skip);
	madvise(all + skip, length, MADV_HUGEPAGE);
	madvise(all + skip, length, MADV_DONTDUMP);
	madvise(all + skip, length, MADV_DONTFORK);
	return all + skip;
}

void boot_pages_free(uint8_t *pages, size_t size)
{
	if (pages)
		munmap(pages, pages_length(size));
}

void *boot_allocate(struct boot_image *image, size_t size)
{
	void *memory;

	if (image->allocation_count == BOOT_MAX_ALLOCATIONS)
		return NULL;
	memory = boot_memory(size);
	if (!memory)
		return NULL;
	image->allocations[image->allocation_count++] = memory;
	return memory;
}

bool boot_take(const struct loader *loader, uint64_t offset, void *to, size_t size)
{
	if (offset > loader->size || size > loader->size - offset)
		return false;
	memcpy(to, loader->file + offset, size);
	return true;
}

uint32_t boot_u32(const struct loader *loader, uint64_t offset)
{
	uint32_t value = 0;

	boot_take(loader, offset, &value, sizeof(value));
	return le32toh(value);
}

static int check_file(int fd, size_t *size, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot be examined: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "is a directory; name an image in it");
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "is not a regular file");
	if (st.st_size == 0)
		return error_set(err, -EINVAL, "is empty");
	if (st.st_size > FILE_SIZE_MAX)
		return error_set(err, -EFBIG,
				 "is larger than 2 GiB, which is the most that vitrine reads");
	*size = (size_t)st.st_size;
	return 0;
}

static int read_all(int fd, uint8_t *to, size_t size, struct error *err)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, to + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot be read: %s", strerror(errno));
		if (n == 0)
			return error_set(err, -EIO, "became shorter while it was read");
		done += (size_t)n;
	}
	return 0;
}

int boot_read_file(struct boot_image *image, const char *path, const uint8_t **bytes, size_t *size,
		   struct error *err)
{
	/* O_NONBLOCK: a FIFO shall be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	uint8_t *to = NULL;

	if (fd < 0)
		return error_set(err, -errno, "cannot be opened: %s", strerror(errno));
	rc = check_file(fd, size, err);
	if (!rc && !(to = boot_allocate(image, *size)))
		rc = error_set(err, -ENOMEM, "no memory for its %zu bytes", *size);
	if (!rc)
		rc = read_all(fd, to, *size, err);
	close(fd);
	*bytes = to;
	return rc;
}
