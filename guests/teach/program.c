// SPDX-License-Identifier: GPL-3.0-or-later
/* What runs in ring 3: the program of both processes. Its data is each one's own, at the same addresses. */
#include "system.h"

#include <stdint.h>

#define LINE   64
#define SECTOR 512
#define FILES  15

struct file {
	char name[24];
	uint32_t sector, size;
};

/* The disk's first sector: a name, then the files. Behind the last one comes an empty name. */
struct directory {
	char magic[16];
	struct file file[FILES];
	uint8_t rest[16];
};

void counter_main(void);
void shell_main(void);
int call(int number, uint32_t a, uint32_t b);
void write(const char *text);
struct line {
	char text[80];
	uint32_t size;
};
void add(struct line *line, const char *text);
void add_number(struct line *line, uint32_t number);
void end_line(struct line *line);
int is_prime(uint32_t number);
void read_line(char *line);
void run_line(char *line);
void list_files(void);
void show_file(const char *name);

unsigned calls; /* of the kernel, by this process */
static unsigned primes;
static struct directory directory;
static char sector[SECTOR];

/* ---- the kernel ----------------------------------------------------------------------------------- */

int call(int number, uint32_t a, uint32_t b)
{
	int value;

	calls++;
	__asm__ volatile("int $0x80" : "=a"(value) : "a"(number), "b"(a), "c"(b) : "memory");
	return value;
}

void write(const char *text)
{
	uint32_t size = 0;

	while (text[size])
		size++;
	call(SYSTEM_WRITE, (uint32_t)text, size);
}

/* What is written in one call nobody else's text comes into. */
void add(struct line *line, const char *text)
{
	while (*text && line->size < sizeof(line->text))
		line->text[line->size++] = *text++;
}

void add_number(struct line *line, uint32_t number)
{
	char text[12], *at = text + sizeof(text) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	add(line, at);
}

void end_line(struct line *line)
{
	add(line, "\n");
	call(SYSTEM_WRITE, (uint32_t)line->text, line->size);
	line->size = 0;
}

/* ---- the process that computes --------------------------------------------------------------------- */

int is_prime(uint32_t number)
{
	for (uint32_t i = 2; i * i <= number; i++)
		if (number % i == 0)
			return 0;
	return 1;
}

void counter_main(void)
{
	struct line line;
	uint32_t next = 100;

	line.size = 0;
	for (uint32_t number = 2;; number++) {
		primes += (unsigned)is_prime(number);
		if (primes != next)
			continue;
		add(&line, "counter: prime number ");
		add_number(&line, primes);
		add(&line, " is ");
		add_number(&line, number);
		end_line(&line);
		next *= 10;
	}
}

/* ---- the shell ------------------------------------------------------------------------------------- */

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static uint32_t number_in(const char *text)
{
	uint32_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = 10 * number + (uint32_t)(*text - '0');
	return number;
}

static int read_directory(void)
{
	if (call(SYSTEM_SECTOR, 0, (uint32_t)&directory) < 0 ||
	    !same(directory.magic, "teach disk")) {
		write("there is no disk with files\n");
		return 0;
	}
	return 1;
}

void list_files(void)
{
	struct line line;

	line.size = 0;
	if (!read_directory())
		return;
	for (unsigned i = 0; i < FILES && directory.file[i].name[0]; i++) {
		directory.file[i].name[23] = '\0';
		add(&line, directory.file[i].name);
		add(&line, "  ");
		add_number(&line, directory.file[i].size);
		end_line(&line);
	}
}

static void show_sectors(const struct file *file)
{
	for (uint32_t done = 0; done < file->size; done += SECTOR) {
		uint32_t left = file->size - done;

		if (call(SYSTEM_SECTOR, file->sector + done / SECTOR, (uint32_t)sector) < 0) {
			write("the disk cannot be read\n");
			return;
		}
		call(SYSTEM_WRITE, (uint32_t)sector, left < SECTOR ? left : SECTOR);
	}
}

void show_file(const char *name)
{
	if (!read_directory())
		return;
	for (unsigned i = 0; i < FILES && directory.file[i].name[0]; i++)
		if (same(directory.file[i].name, name)) {
			show_sectors(&directory.file[i]);
			return;
		}
	write("there is no such file\n");
}

/* Each character is shown as it is typed. */
void read_line(char *line)
{
	unsigned used = 0;

	for (;;) {
		char c = (char)call(SYSTEM_KEY, 0, 0);

		if (c == '\n' || used + 1 < LINE)
			call(SYSTEM_WRITE, (uint32_t)&c, 1);
		if (c == '\n')
			break;
		if (used + 1 < LINE)
			line[used++] = c;
	}
	line[used] = '\0';
}

/* A word, and one behind a blank. */
void run_line(char *line)
{
	char *argument = line;
	struct line answer;

	answer.size = 0;
	while (*argument && *argument != ' ')
		argument++;
	if (*argument)
		*argument++ = '\0';
	if (same(line, "ls")) {
		list_files();
	} else if (same(line, "cat")) {
		show_file(argument);
	} else if (same(line, "sum")) {
		add_number(&answer, (uint32_t)call(SYSTEM_SUM, number_in(argument), 0));
		end_line(&answer);
	} else if (same(line, "exit")) {
		call(SYSTEM_EXIT, number_in(argument), 0);
	} else {
		write("ls, cat FILE, sum N, exit N\n");
	}
}

void shell_main(void)
{
	char line[LINE];

	for (;;) {
		write("$ ");
		read_line(line);
		run_line(line);
	}
}
