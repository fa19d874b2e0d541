// SPDX-License-Identifier: GPL-3.0-or-later
/* Images of disks: what is no image, who may have one, and requests that take their time. */
#include "disk_image.h"
#include "drives.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECTORS 64

static struct {
	char path[200];
	struct disk_image *image;
	struct disk_backend backend;
	/* What the image told. */
	pthread_mutex_t lock;
	pthread_cond_t news;
	unsigned told;
	uint64_t ticket;
	int rc;
	uint8_t bytes[DISK_REQUEST_MAX * DISK_SECTOR];
	bool hold, held; /* it is kept telling */
	char log[1000];
	unsigned lines;
} the;

static void log_sink(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	the.lines++;
	snprintf(the.log, sizeof(the.log), "%s", line);
}

static void done(void *ctx, uint64_t ticket, int rc, const uint8_t *bytes)
{
	assert_ptr_equal(ctx, &the);
	pthread_mutex_lock(&the.lock);
	the.held = the.hold;
	pthread_cond_broadcast(&the.news);
	while (the.hold)
		pthread_cond_wait(&the.news, &the.lock);
	the.held = false;
	the.told++;
	the.ticket = ticket;
	the.rc = rc;
	memcpy(the.bytes, bytes, sizeof(the.bytes));
	pthread_cond_broadcast(&the.news);
	pthread_mutex_unlock(&the.lock);
}

static void wait_told(unsigned count)
{
	pthread_mutex_lock(&the.lock);
	while (the.told < count)
		pthread_cond_wait(&the.news, &the.lock);
	pthread_mutex_unlock(&the.lock);
}

static void set_hold(bool hold)
{
	pthread_mutex_lock(&the.lock);
	the.hold = hold;
	pthread_cond_broadcast(&the.news);
	pthread_mutex_unlock(&the.lock);
}

static void wait_held(void)
{
	pthread_mutex_lock(&the.lock);
	while (!the.held)
		pthread_cond_wait(&the.news, &the.lock);
	pthread_mutex_unlock(&the.lock);
}

/* Sector n is full of n. */
static void make_file(size_t size)
{
	FILE *file = fopen(the.path, "wb");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		fputc((int)(i / DISK_SECTOR), file);
	assert_int_equal(fclose(file), 0);
}

static int try_open(bool readonly, bool raw, struct disk_image **image, struct error *err)
{
	struct disk_image_config config = {.path = the.path, .readonly = readonly, .raw = raw};

	*err = (struct error){0};
	return disk_image_open(&config, image, err);
}

static void open_image(bool readonly)
{
	struct error err;

	assert_int_equal(try_open(readonly, false, &the.image, &err), 0);
	the.backend = disk_image_backend(the.image);
	disk_image_connect(the.image, done, &the);
}

static int setup(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	memset(&the, 0, sizeof(the));
	pthread_mutex_init(&the.lock, NULL);
	pthread_cond_init(&the.news, NULL);
	snprintf(the.path, sizeof(the.path), "%s/disk-%d.img", folder ? folder : "/tmp", getpid());
	make_file((size_t)SECTORS * DISK_SECTOR);
	log_set_sink(log_sink, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	disk_image_close(the.image);
	log_set_sink(NULL, NULL);
	unlink(the.path);
	pthread_cond_destroy(&the.news);
	pthread_mutex_destroy(&the.lock);
	return 0;
}

static int start(enum disk_op op, uint64_t sector, uint32_t count, uint8_t *bytes)
{
	static uint64_t ticket = 100;
	struct disk_request request = {op, sector, count, bytes, ++ticket};

	return the.backend.start(the.backend.ctx, &request);
}

/* Done at once, or when it is told. */
static int finish(enum disk_op op, uint64_t sector, uint32_t count, uint8_t *bytes)
{
	unsigned before = the.told;
	int rc = start(op, sector, count, bytes);

	if (rc != -EINPROGRESS)
		return rc;
	wait_told(before + 1);
	if (op == DISK_READ)
		memcpy(bytes, the.bytes, (size_t)count * DISK_SECTOR);
	return the.rc;
}

static bool is_full_of(const uint8_t *bytes, uint32_t sectors, uint8_t value)
{
	for (uint32_t i = 0; i < sectors * DISK_SECTOR; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static uint8_t buffer[DISK_REQUEST_MAX * DISK_SECTOR];

/* ---- what is asked of it ------------------------------------------------------------------------ */

static void test_read_and_write(void **state)
{
	struct error err;
	struct disk_image *again;

	(void)state;
	open_image(false);
	assert_int_equal(the.backend.sectors, SECTORS);
	assert_false(the.backend.readonly);
	assert_int_equal(finish(DISK_READ, 63, 1, buffer), 0);
	assert_true(is_full_of(buffer, 1, 63));
	memset(buffer, 0xaa, sizeof(buffer));
	assert_int_equal(finish(DISK_WRITE, 10, 16, buffer), 0);
	assert_int_equal(finish(DISK_FLUSH, 0, 0, NULL), 0);
	disk_image_close(the.image);
	the.image = NULL;
	assert_int_equal(try_open(true, false, &again, &err), 0);
	the.image = again;
	the.backend = disk_image_backend(again);
	disk_image_connect(again, done, &the);
	assert_true(the.backend.readonly);
	for (unsigned i = 9; i < 27; i++) {
		assert_int_equal(finish(DISK_READ, i, 1, buffer), 0);
		assert_true(is_full_of(buffer, 1, i < 10 || i > 25 ? (uint8_t)i : 0xaa));
	}
	assert_int_equal(finish(DISK_FLUSH, 0, 0, NULL), 0);
	assert_int_equal(the.lines, 0);
}

/* While the thread is not through with one, everything else has to wait; the newest is what counts. */
static void test_one_after_the_other(void **state)
{
	(void)state;
	open_image(false);
	memset(buffer, 1, sizeof(buffer));
	set_hold(true);
	assert_int_equal(start(DISK_WRITE, 5, 1, buffer), -EINPROGRESS);
	wait_held();
	assert_int_equal(start(DISK_READ, 6, 1, buffer), -EINPROGRESS);
	assert_int_equal(start(DISK_READ, 7, 2, buffer), -EINPROGRESS);
	assert_true(is_full_of(buffer, DISK_REQUEST_MAX, 1)); /* it is not written to later on */
	set_hold(false);
	wait_told(2);
	assert_int_equal(the.rc, 0);
	assert_true(is_full_of(the.bytes, 1, 7) && is_full_of(the.bytes + DISK_SECTOR, 1, 8));
	disk_image_disconnect(the.image);
	assert_int_equal(the.told, 2);
}

/* What was started is done though nobody hears of it any more. */
static void test_close_finishes(void **state)
{
	struct disk_request request = {DISK_WRITE, 20, 1, buffer, 1};
	struct error err;
	int fd;

	(void)state;
	open_image(false);
	memset(buffer, 0x5a, sizeof(buffer));
	assert_int_equal(the.backend.start(the.backend.ctx, &request), -EINPROGRESS);
	disk_image_disconnect(the.image);
	request.sector = 21;
	assert_int_equal(the.backend.start(the.backend.ctx, &request), -EINPROGRESS);
	disk_image_close(the.image);
	fd = open(the.path, O_RDONLY);
	assert_int_equal(pread(fd, buffer, 2 * DISK_SECTOR, 20 * DISK_SECTOR), 2 * DISK_SECTOR);
	close(fd);
	assert_true(is_full_of(buffer, 1, 0x5a));
	assert_true(is_full_of(buffer + DISK_SECTOR, 1, 21)); /* that one was never begun */
	assert_int_equal(try_open(false, false, &the.image, &err), 0);
}

static void test_versions(void **state)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {1000, 2000}};
	uint64_t run, changed, run2, changed2;
	struct error err;

	(void)state;
	open_image(false);
	assert_int_equal(utimensat(AT_FDCWD, the.path, times, 0), 0);
	the.backend.version(the.backend.ctx, &run, &changed);
	assert_int_equal(changed, 1000000002000);
	disk_image_close(the.image);
	assert_int_equal(try_open(true, false, &the.image, &err), 0);
	the.backend = disk_image_backend(the.image);
	the.backend.version(the.backend.ctx, &run2, &changed2);
	assert_int_not_equal(run, run2);
	assert_int_equal(changed, changed2);
}

/* ---- a host that fails --------------------------------------------------------------------------- */

static void test_a_file_that_shrinks(void **state)
{
	struct stat st;

	(void)state;
	open_image(false);
	assert_int_equal(truncate(the.path, 20 * DISK_SECTOR + 100), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(finish(DISK_READ, 30, 1, buffer), -ENODATA);
		assert_int_equal(finish(DISK_READ, 20, 1, buffer), -ENODATA);
		assert_int_equal(finish(DISK_WRITE, 20, 1, buffer), -ENODATA);
		assert_int_equal(finish(DISK_READ, 18, 2, buffer), 0);
		assert_int_equal(finish(DISK_WRITE, 19, 1, buffer), 0);
	}
	assert_int_equal(stat(the.path, &st), 0);
	assert_int_equal(st.st_size, 20 * DISK_SECTOR + 100);
	assert_int_equal(the.lines, 1);
	assert_non_null(strstr(the.log, "has shrunk"));
}

static void test_a_file_that_vanishes(void **state)
{
	(void)state;
	open_image(false);
	unlink(the.path);
	memset(buffer, 9, sizeof(buffer));
	assert_int_equal(finish(DISK_WRITE, 20, 1, buffer), 0);
	assert_int_equal(finish(DISK_WRITE, 21, 1, buffer), 0);
	memset(buffer, 0, sizeof(buffer));
	assert_int_equal(finish(DISK_READ, 20, 1, buffer), 0);
	assert_true(is_full_of(buffer, 1, 9));
	assert_int_equal(the.lines, 1);
	assert_non_null(strstr(the.log, "was deleted"));
}

/* A limit on the size of files stands for a host's disk that is full. */
static void test_a_full_disk(void **state)
{
	struct rlimit before, limit;

	(void)state;
	open_image(false);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 30 * DISK_SECTOR;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(finish(DISK_WRITE, 40, 1, buffer), -EFBIG);
	assert_int_equal(finish(DISK_WRITE, 40, 1, buffer), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(the.lines, 1);
	assert_non_null(strstr(the.log, "cannot write to"));
	assert_int_equal(finish(DISK_WRITE, 40, 1, buffer), 0);
	assert_int_equal(finish(DISK_READ, 41, 1, buffer), 0);
	assert_true(is_full_of(buffer, 1, 41));
}

/* ---- opening ------------------------------------------------------------------------------------- */

static void is_refused(int rc, const char *why)
{
	struct disk_image *image = NULL;
	struct error err;

	assert_int_equal(try_open(false, false, &image, &err), rc);
	assert_null(image);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
}

static void test_what_is_no_disk(void **state)
{
	char name[sizeof(the.path)];

	(void)state;
	make_file(0);
	is_refused(-EINVAL, "is empty: make one");
	make_file(1000);
	is_refused(-EINVAL, "1000 bytes, which are no whole sectors");
	unlink(the.path);
	is_refused(-ENOENT, "cannot open the disk");
	assert_int_equal(mkfifo(the.path, 0600), 0);
	is_refused(-EINVAL, "neither a file nor a block device");
	unlink(the.path);
	snprintf(name, sizeof(name), "%s", the.path);
	snprintf(the.path, sizeof(the.path), "/dev/null");
	is_refused(-EINVAL, "neither a file nor a block device");
	memcpy(the.path, name, sizeof(name));
}

static void test_other_formats(void **state)
{
	struct disk_image *image;
	struct error err;
	FILE *file = fopen(the.path, "r+b");

	(void)state;
	fwrite("QFI\xfb\0\0\0\3", 8, 1, file);
	fclose(file);
	is_refused(-EINVAL, "is a qcow2 image, and vitrine takes raw ones");
	assert_int_equal(try_open(false, true, &image, &err), 0);
	disk_image_close(image);
}

static void test_who_may_have_it(void **state)
{
	struct disk_image *one, *two;
	struct error err;

	(void)state;
	assert_int_equal(try_open(false, false, &one, &err), 0);
	is_refused(-EBUSY, "is in use");
	assert_int_equal(try_open(true, false, &two, &err), -EBUSY);
	disk_image_close(one);
	assert_int_equal(try_open(true, false, &one, &err), 0);
	assert_int_equal(try_open(true, false, &two, &err), 0);
	is_refused(-EBUSY, "is in use");
	disk_image_close(one);
	disk_image_close(two);
}

/* ---- options ------------------------------------------------------------------------------------- */

static struct drive_option drives[MAX_DRIVES];

static void parses(const char *text, unsigned index, const char *path, bool readonly, bool raw)
{
	assert_int_equal(drive_option_parse(text, drives, NULL), 0);
	assert_string_equal(drives[index].path, path);
	assert_int_equal(drives[index].readonly, readonly);
	assert_int_equal(drives[index].raw, raw);
}

static void test_options(void **state)
{
	(void)state;
	memset(drives, 0, sizeof(drives));
	parses("a.img", 0, "a.img", false, false);
	parses("b,,c.img,readonly", 1, "b,c.img", true, false);
	memset(drives, 0, sizeof(drives));
	parses("file=a=b,format=raw,if=ide", 0, "a=b", false, true);
	parses("index=1,media=disk,read-only=on,file=x", 1, "x", true, false);
	memset(drives, 0, sizeof(drives));
	parses("x,index=1,readonly=off", 1, "x", false, false);
	parses("y,,", 0, "y,", false, false);
	memset(drives, 0, sizeof(drives));
	assert_int_equal(drive_option_file("a,b=c", 1, drives, NULL), 0);
	assert_string_equal(drives[1].path, "a,b=c");
	assert_string_equal(drives[0].path, "");
}

static void test_bad_options(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "one image"},
		{"readonly=on", "names no image"},
		{"a,b", "not 'b'"},
		{"a,file=b", "one image"},
		{"file=", "one image"},
		{"a,format=qcow2", "raw images"},
		{"a,if=virtio", "IDE"},
		{"a,media=cdrom", "disks alone"},
		{"a,index=2", "index"},
		{"a,index=-1", "index"},
		{"a,readonly=maybe", "readonly"},
		{"a,cache=none", "not 'cache=none'"},
	};
	char longest[2 * PATH_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		int rc;

		memset(drives, 0, sizeof(drives));
		rc = drive_option_parse(rows[i].text, drives, &err);
		assert_int_equal(rc, -EINVAL);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: '%s' is not in '%s'", rows[i].text, rows[i].why, err.text);
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(drives, 0, sizeof(drives));
	assert_int_equal(drive_option_parse(longest, drives, NULL), -EINVAL);
	assert_int_equal(drive_option_file(longest, 0, drives, NULL), -EINVAL);
	assert_int_equal(drive_option_parse("a", drives, NULL), 0);
	assert_int_equal(drive_option_file("b", 0, drives, NULL), -EINVAL);
	assert_int_equal(drive_option_parse("b", drives, NULL), 0);
	assert_int_equal(drive_option_parse("c", drives, NULL), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_read_and_write),	TEST(test_one_after_the_other),
		TEST(test_close_finishes),	TEST(test_versions),
		TEST(test_a_file_that_shrinks), TEST(test_a_file_that_vanishes),
		TEST(test_a_full_disk),		TEST(test_what_is_no_disk),
		TEST(test_other_formats),	TEST(test_who_may_have_it),
		cmocka_unit_test(test_options), cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
