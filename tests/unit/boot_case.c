// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void boot_case_file(char path[64], const void *bytes, size_t size)
{
	int fd;

	snprintf(path, 64, "/tmp/vitrine-boot-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

void boot_case_init(struct boot_case *c, const void *bytes, size_t size)
{
	memset(c, 0, sizeof(*c));
	boot_case_file(c->path, bytes, size);
	c->request.kernel = c->path;
	c->request.ram_size = 64 * MIB;
}

void boot_case_end(struct boot_case *c)
{
	boot_free(&c->image);
	unlink(c->path);
}

void boot_case_check_image(const struct boot_image *image, uint64_t ram_size)
{
	struct ram_layout ram = ram_layout(ram_size);

	assert_true(image->segment_count <= BOOT_MAX_SEGMENTS);
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct boot_segment *s = &image->segment[i];
		uint64_t end = s->gpa + s->size;

		assert_true(s->size > 0 && s->data_size <= s->size && end > s->gpa);
		assert_true(end <= RAM_LOW_END || (s->gpa >= 0xc0000 && end <= ram.below_4g) ||
			    (s->gpa >= 1ull << 32 && end <= (1ull << 32) + ram.above_4g));
		for (unsigned k = 0; k < i; k++) {
			const struct boot_segment *other = &image->segment[k];

			assert_true(end <= other->gpa || other->gpa + other->size <= s->gpa);
		}
	}
}

void boot_case_loads(struct boot_case *c)
{
	int rc = boot_load(&c->request, &c->image, &c->err);

	if (rc < 0)
		fail_msg("refused: %s", c->err.text);
	boot_case_check_image(&c->image, c->request.ram_size);
	assert_non_null(c->image.protocol);
	assert_true(c->image.why[0] != '\0');
}

void boot_case_refuses(struct boot_case *c, int code, const char *words)
{
	struct boot_image empty;
	int rc = boot_load(&c->request, &c->image, &c->err);

	if (rc == 0)
		fail_msg("loaded, instead of: %s", words);
	if (!strstr(c->err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", c->err.text, words);
	assert_int_equal(rc, code);
	assert_int_equal(c->err.code, code);
	assert_memory_equal(c->err.text, c->request.kernel, strlen(c->request.kernel));
	memset(&empty, 0, sizeof(empty));
	assert_memory_equal(&c->image, &empty, sizeof(empty));
}

static uint8_t byte_at(const struct boot_image *image, uint64_t gpa)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct boot_segment *s = &image->segment[i];

		if (gpa >= s->gpa && gpa - s->gpa < s->data_size)
			return ((const uint8_t *)s->data)[gpa - s->gpa];
	}
	return 0;
}

size_t boot_case_read(void *image, uint64_t gpa, void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = byte_at(image, gpa + i);
	return len;
}

uint32_t boot_case_u32(const struct boot_image *image, uint64_t gpa)
{
	uint32_t value;

	boot_case_read((void *)image, gpa, &value, sizeof(value));
	return value;
}

uint64_t boot_case_u64(const struct boot_image *image, uint64_t gpa)
{
	uint64_t value;

	boot_case_read((void *)image, gpa, &value, sizeof(value));
	return value;
}

const char *boot_case_text(const struct boot_image *image, uint64_t gpa, char buf[256])
{
	boot_case_read((void *)image, gpa, buf, 255);
	buf[255] = '\0';
	return buf;
}

const struct boot_segment *boot_case_segment(const struct boot_image *image, const char *what)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		if (!strcmp(image->segment[i].what, what))
			return &image->segment[i];
	}
	fail_msg("no segment \"%s\"", what);
	return NULL;
}
