// SPDX-License-Identifier: GPL-3.0-or-later
/* Images of disks: what is no image, who may have one, and requests that take their time. */
#include "disk_image.h"
#include "disk_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void done(void *ctx, uint64_t ticket, int rc, const uint8_t *bytes)
{
	assert_ptr_equal(ctx, &disk);
	pthread_mutex_lock(&disk.lock);
	disk.held = disk.hold;
	pthread_cond_broadcast(&disk.news);
	while (disk.hold)
		pthread_cond_wait(&disk.news, &disk.lock);
	disk.held = false;
	disk.told++;
	disk.ticket = ticket;
	disk.rc = rc;
	memcpy(disk.bytes, bytes, sizeof(disk.bytes));
	pthread_cond_broadcast(&disk.news);
	pthread_mutex_unlock(&disk.lock);
}

static void wait_told(unsigned count)
{
	pthread_mutex_lock(&disk.lock);
	while (disk.told < count)
		pthread_cond_wait(&disk.news, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

static void set_hold(bool hold)
{
	pthread_mutex_lock(&disk.lock);
	disk.hold = hold;
	pthread_cond_broadcast(&disk.news);
	pthread_mutex_unlock(&disk.lock);
}

static void wait_held(void)
{
	pthread_mutex_lock(&disk.lock);
	while (!disk.held)
		pthread_cond_wait(&disk.news, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

static void open_image(bool readonly)
{
	struct error err;

	assert_int_equal(try_open(readonly, false, &disk.image, &err), 0);
	disk.backend = disk_image_backend(disk.image);
	disk_image_connect(disk.image, done, &disk);
}

static int start(enum disk_op op, uint64_t sector, uint32_t count, uint8_t *bytes)
{
	static uint64_t ticket = 100;
	struct disk_request request = {op, sector, count, bytes, ++ticket};

	return disk.backend.start(disk.backend.ctx, &request);
}

/* Done at once, or when it is told. */
static int finish(enum disk_op op, uint64_t sector, uint32_t count, uint8_t *bytes)
{
	unsigned before = disk.told;
	int rc = start(op, sector, count, bytes);

	if (rc != -EINPROGRESS)
		return rc;
	wait_told(before + 1);
	if (op == DISK_READ)
		memcpy(bytes, disk.bytes, (size_t)count * DISK_SECTOR);
	return disk.rc;
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
	assert_int_equal(disk.backend.sectors, SECTORS);
	assert_false(disk.backend.readonly);
	assert_int_equal(finish(DISK_READ, 63, 1, buffer), 0);
	assert_true(is_full_of(buffer, 1, 63));
	memset(buffer, 0xaa, sizeof(buffer));
	assert_int_equal(finish(DISK_WRITE, 10, 16, buffer), 0);
	assert_int_equal(finish(DISK_FLUSH, 0, 0, NULL), 0);
	disk_image_close(disk.image);
	disk.image = NULL;
	assert_int_equal(try_open(true, false, &again, &err), 0);
	disk.image = again;
	disk.backend = disk_image_backend(again);
	disk_image_connect(again, done, &disk);
	assert_true(disk.backend.readonly);
	for (unsigned i = 9; i < 27; i++) {
		assert_int_equal(finish(DISK_READ, i, 1, buffer), 0);
		assert_true(is_full_of(buffer, 1, i < 10 || i > 25 ? (uint8_t)i : 0xaa));
	}
	assert_int_equal(finish(DISK_FLUSH, 0, 0, NULL), 0);
	assert_int_equal(disk.lines, 0);
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
	assert_int_equal(disk.rc, 0);
	assert_true(is_full_of(disk.bytes, 1, 7) && is_full_of(disk.bytes + DISK_SECTOR, 1, 8));
	disk_image_disconnect(disk.image);
	assert_int_equal(disk.told, 2);
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
	assert_int_equal(disk.backend.start(disk.backend.ctx, &request), -EINPROGRESS);
	disk_image_disconnect(disk.image);
	request.sector = 21;
	assert_int_equal(disk.backend.start(disk.backend.ctx, &request), -EINPROGRESS);
	disk_image_close(disk.image);
	fd = open(disk.path, O_RDONLY);
	assert_int_equal(pread(fd, buffer, 2 * DISK_SECTOR, 20 * DISK_SECTOR), 2 * DISK_SECTOR);
	close(fd);
	assert_true(is_full_of(buffer, 1, 0x5a));
	assert_true(is_full_of(buffer + DISK_SECTOR, 1, 21)); /* that one was never begun */
	assert_int_equal(try_open(false, false, &disk.image, &err), 0);
}

static void test_versions(void **state)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {1000, 2000}};
	uint64_t run, changed, run2, changed2;
	struct error err;

	(void)state;
	open_image(false);
	assert_int_equal(utimensat(AT_FDCWD, disk.path, times, 0), 0);
	disk.backend.version(disk.backend.ctx, &run, &changed);
	assert_int_equal(changed, 1000000002000);
	disk_image_close(disk.image);
	assert_int_equal(try_open(true, false, &disk.image, &err), 0);
	disk.backend = disk_image_backend(disk.image);
	disk.backend.version(disk.backend.ctx, &run2, &changed2);
	assert_int_not_equal(run, run2);
	assert_int_equal(changed, changed2);
}

/* ---- a host that fails --------------------------------------------------------------------------- */

static void test_a_file_that_shrinks(void **state)
{
	struct stat st;

	(void)state;
	open_image(false);
	assert_int_equal(truncate(disk.path, 20 * DISK_SECTOR + 100), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(finish(DISK_READ, 30, 1, buffer), -ENODATA);
		assert_int_equal(finish(DISK_READ, 20, 1, buffer), -ENODATA);
		assert_int_equal(finish(DISK_WRITE, 20, 1, buffer), -ENODATA);
		assert_int_equal(finish(DISK_READ, 18, 2, buffer), 0);
		assert_int_equal(finish(DISK_WRITE, 19, 1, buffer), 0);
	}
	assert_int_equal(stat(disk.path, &st), 0);
	assert_int_equal(st.st_size, 20 * DISK_SECTOR + 100);
	assert_int_equal(disk.lines, 1);
	assert_non_null(strstr(disk.log, "has shrunk"));
}

static void test_a_file_that_vanishes(void **state)
{
	(void)state;
	open_image(false);
	unlink(disk.path);
	memset(buffer, 9, sizeof(buffer));
	assert_int_equal(finish(DISK_WRITE, 20, 1, buffer), 0);
	assert_int_equal(finish(DISK_WRITE, 21, 1, buffer), 0);
	memset(buffer, 0, sizeof(buffer));
	assert_int_equal(finish(DISK_READ, 20, 1, buffer), 0);
	assert_true(is_full_of(buffer, 1, 9));
	assert_int_equal(disk.lines, 1);
	assert_non_null(strstr(disk.log, "was deleted"));
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
	assert_int_equal(disk.lines, 1);
	assert_non_null(strstr(disk.log, "cannot write to"));
	assert_int_equal(finish(DISK_WRITE, 40, 1, buffer), 0);
	assert_int_equal(finish(DISK_READ, 41, 1, buffer), 0);
	assert_true(is_full_of(buffer, 1, 41));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_read_and_write),	TEST(test_one_after_the_other),
		TEST(test_close_finishes),	TEST(test_versions),
		TEST(test_a_file_that_shrinks), TEST(test_a_file_that_vanishes),
		TEST(test_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
