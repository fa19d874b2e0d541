// SPDX-License-Identifier: GPL-3.0-or-later
/* A target without libFuzzer: plays what is in its corpus, tests/fuzz/corpus/NAME, and reports in TAP. So every seed,
 * and every input that once found something, is tried by every compiler and with every sanitizer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* For the mutators, which nobody calls here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	(void)data;
	return size < max_size ? size : max_size;
}

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;

	if (!file)
		return NULL;
	bytes = fstat(fileno(file), &st) == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	if (bytes)
		*size = fread(bytes, 1, (size_t)st.st_size, file);
	fclose(file);
	return bytes;
}

static void play(unsigned number, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t size;
	uint8_t *bytes = read_file(path, &size);

	if (!bytes) {
		printf("not ok %u - %s cannot be read\n", number, path);
		return;
	}
	printf("# %s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, size);
	printf("ok %u - %s\n", number, name);
	free(bytes);
}

/* tests/fuzz/test_NAME has tests/fuzz/corpus/NAME. */
static void find_corpus(const char *program, char *folder, size_t size)
{
	const char *top = getenv("SOURCE"), *name = strstr(program, "test_");

	snprintf(folder, size, "%s/tests/fuzz/corpus/%s", top ? top : ".", name ? name + 5 : "");
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int play_corpus(const char *program)
{
	struct dirent **names;
	char folder[300], path[600];
	int count;

	find_corpus(program, folder, sizeof(folder));
	count = scandir(folder, &names, is_seed, alphasort);
	if (count < 0) {
		perror(folder);
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		play((unsigned)i + 1, path);
		free(names[i]);
	}
	free(names);
	return 0;
}

/* Files that are named are played instead. */
int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	if (argc < 2)
		return play_corpus(argv[0]);
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		play((unsigned)i, argv[i]);
	return 0;
}
