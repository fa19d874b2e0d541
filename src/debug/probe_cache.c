// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the probe found, kept for the next start: one small file of text. It begins with everything
 * that the answers depend on, as it is now on this host, and counts only if that is the same to the
 * byte; it ends with a sum. The kernel's boot id is part of it, so that a folder shared between
 * hosts, or a kernel that was changed, never matters. Whatever is wrong with the file, the host is
 * asked instead.
 */
#include "debug/probe.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CACHE_SIZE 16384
#define UNASKED	   "-"

struct text {
	char bytes[CACHE_SIZE];
	size_t used; /* CACHE_SIZE: it did not fit */
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *fmt, ...)
{
	size_t room = CACHE_SIZE - text->used;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->bytes + text->used, room, fmt, args);
	va_end(args);
	text->used += n < 0 || (size_t)n >= room ? room : (size_t)n;
}

/* ---- what the answers depend on ---------------------------------------------------------- */

static bool read_boot_id(char *id, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, size - 1);

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	return id[0] != '\0';
}

/* False: this host cannot be told from another, or from itself after a change. */
static bool add_host(struct text *text, const struct accel_host *host)
{
	struct utsname name;
	char boot[64];

	if (!host->repeatable || uname(&name) < 0 || !read_boot_id(boot, sizeof(boot)))
		return false;
	add(text, "vitrine capabilities %d\n", PROBE_VERSION);
	add(text, "boot %s\n", boot);
	add(text, "kernel %s %s %s %s\n", name.nodename, name.release, name.version, name.machine);
	add(text, "processor %s, under %s\n", host->processor,
	    host->hypervisor[0] ? host->hypervisor : "nothing");
	add(text, "module %s at %s\n", host->module, host->device);
	add(text, "parameters %s\n", host->parameters);
	return true;
}

/* ---- answers ----------------------------------------------------------------------------- */

static unsigned columns(const struct capability_question *question)
{
	return question->modes ? CAP_MODE_COUNT : 1;
}

static void add_answers(struct text *text, const struct debug_capabilities *found)
{
	const struct capability_question *question;

	for (unsigned i = 0; (question = capability_question(i)); i++) {
		add(text, "%s", question->name);
		for (unsigned mode = 0; mode < columns(question); mode++) {
			const char *word = capability_answer(found, question, mode)->name;

			add(text, " %s", word ? word : UNASKED);
		}
		add(text, "\n");
	}
}

static bool take(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0 || ((*at)[length] != ' ' && (*at)[length] != '\n'))
		return false;
	*at += length + 1;
	return true;
}

static bool take_answer(const char **at, const struct capability_question *question,
			uint8_t *answer)
{
	for (unsigned i = 0; i < question->word_count; i++) {
		const char *word = question->words[i].name;

		if (take(at, word ? word : UNASKED)) {
			*answer = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool take_answers(const char **at, struct debug_capabilities *found)
{
	const struct capability_question *question;

	for (unsigned i = 0; (question = capability_question(i)); i++) {
		uint8_t *answer = (uint8_t *)found + question->offset;

		if (!take(at, question->name))
			return false;
		for (unsigned mode = 0; mode < columns(question); mode++)
			if (!take_answer(at, question, answer + mode))
				return false;
	}
	return true;
}

/* ---- the sum ----------------------------------------------------------------------------- */

/* FNV-1a: for damage, not for malice. Whoever may write here may do worse. */
static uint64_t sum_of(const char *bytes, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (uint8_t)bytes[i]) * 0x100000001b3;
	return sum;
}

static void add_sum(struct text *text)
{
	add(text, "sum %016" PRIx64 "\n", sum_of(text->bytes, text->used));
}

/* ---- the file ---------------------------------------------------------------------------- */

bool debug_cache_path(char *buf, size_t size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n = 0;

	/* The specification of that variable says to ignore a relative one. */
	if (cache && cache[0] == '/')
		n = snprintf(buf, size, "%s/vitrine/capabilities", cache);
	else if (home && home[0] == '/')
		n = snprintf(buf, size, "%s/.cache/vitrine/capabilities", home);
	return n > 0 && (size_t)n < size;
}

/* A file of our own that nobody else may write. */
static bool is_trusted(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH)) && st.st_size < CACHE_SIZE;
}

static bool read_file(const char *path, struct text *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (is_trusted(fd))
		n = read(fd, text->bytes, CACHE_SIZE - 1);
	close(fd);
	text->used = n > 0 ? (size_t)n : 0;
	text->bytes[text->used] = '\0';
	return n > 0;
}

/* The two folders that may be missing: the cache's own, and ours in it. */
static void make_folders(const char *path)
{
	char folder[CACHE_PATH_SIZE];
	char *own, *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		return;
	*slash = '\0';
	own = slash;
	slash = strrchr(folder, '/');
	if (slash && slash > folder) {
		*slash = '\0';
		mkdir(folder, 0700);
		*slash = '/';
	}
	if (own > folder)
		mkdir(folder, 0700);
}

static int write_all(int fd, const struct text *text)
{
	ssize_t n = write(fd, text->bytes, text->used);

	if (n < 0)
		return -errno;
	return (size_t)n == text->used ? 0 : -ENOSPC;
}

static int write_file(const char *path, const struct text *text)
{
	char temporary[CACHE_PATH_SIZE + 8];
	int fd, rc;

	make_folders(path);
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, text);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temporary, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(temporary);
	return rc;
}

/* ---- keeping and recalling --------------------------------------------------------------- */

bool cache_load(const char *path, const struct accel_host *host, struct debug_capabilities *found)
{
	struct text now = {.used = 0}, kept;
	struct debug_capabilities answers = {0};
	const char *at = kept.bytes;
	bool ok;

	if (!add_host(&now, host) || now.used >= CACHE_SIZE || !read_file(path, &kept))
		return false;
	ok = kept.used > now.used && memcmp(kept.bytes, now.bytes, now.used) == 0;
	at += now.used;
	if (!ok || !take_answers(&at, &answers))
		return false;
	now = kept;
	now.used = (size_t)(at - kept.bytes);
	add_sum(&now);
	if (now.used != kept.used || memcmp(now.bytes, kept.bytes, now.used) != 0)
		return false;
	*found = answers;
	return true;
}

int cache_save(const char *path, const struct accel_host *host,
	       const struct debug_capabilities *found)
{
	struct text text = {.used = 0};

	if (strlen(path) >= CACHE_PATH_SIZE || !add_host(&text, host))
		return -EINVAL;
	add_answers(&text, found);
	add_sum(&text);
	return text.used < CACHE_SIZE ? write_file(path, &text) : -E2BIG;
}

int core_know_host(const struct machine_config *machine, const char *cache, bool afresh,
		   struct debug_capabilities *found, struct error *err)
{
	struct accel_config config = {.device = machine->kvm_device, .dummy = machine->dummy};
	struct accel_host host = {.repeatable = false};
	int rc;

	if (cache)
		machine->accel->host(&config, &host);
	if (cache && !afresh && cache_load(cache, &host, found))
		return 0;
	rc = core_probe(machine, found, err);
	if (rc != 0 || !host.repeatable)
		return rc < 0 ? rc : 0;
	rc = cache_save(cache, &host, found);
	if (rc < 0)
		log_debug("debug", "what this host can do is not kept in %s: %s", cache,
			  strerror(-rc));
	return 0;
}
