// SPDX-License-Identifier: GPL-3.0-or-later
/* Which module of the kernel serves this processor, and how it was told to: kvm itself is the
 * common half. */
#include "accel/kvm_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULES "/sys/module"

static int is_vendor_module(const struct dirent *entry)
{
	return strncmp(entry->d_name, "kvm_", 4) == 0;
}

static int is_parameter(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The list of names under a folder, sorted; -1 when there is no such folder. */
static int list(const char *path, int (*wanted)(const struct dirent *), struct dirent ***names)
{
	*names = NULL;
	return scandir(path, names, wanted, alphasort);
}

static void free_list(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

/* Two modules may be there, and one in use: then kvm says who holds it. */
static bool find_in(const char *path, struct accel_host *host)
{
	struct dirent **names;
	int count = list(path, is_vendor_module, &names);

	if (count > 0)
		snprintf(host->module, sizeof(host->module), "%.31s", names[0]->d_name);
	free_list(names, count);
	return count > 0;
}

/* One line, at most size - 1 bytes; "" when the kernel does not tell. */
static void read_value(const char *module, const char *name, char *buf, size_t size)
{
	char path[320];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), MODULES "/%s/parameters/%s", module, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	for (char *c = buf; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
}

static void add_parameters(const char *module, struct accel_host *host)
{
	char path[64], value[128];
	struct dirent **names;
	int count;

	snprintf(path, sizeof(path), MODULES "/%s/parameters", module);
	count = list(path, is_parameter, &names);
	for (int i = 0; i < count; i++) {
		size_t used = strlen(host->parameters);

		read_value(module, names[i]->d_name, value, sizeof(value));
		snprintf(host->parameters + used, sizeof(host->parameters) - used, "%s%s.%s=%s",
			 used ? " " : "", module, names[i]->d_name, value);
	}
	free_list(names, count);
}

void kvm_host_module(struct accel_host *host)
{
	if (!find_in(MODULES "/kvm/holders", host) && !find_in(MODULES, host))
		return;
	add_parameters("kvm", host);
	add_parameters(host->module, host);
}
