// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_option.h"

#include "option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where QEMU puts isa-debug-exit when it is not told. */
#define DEBUG_EXIT_BASE 0x501
#define DEBUG_EXIT_SIZE 2
#define DEBUG_EXIT_MOST 4

typedef int property_fn(struct options *o, const char *value, struct error *err);

static int set_iobase(struct options *o, const char *value, struct error *err)
{
	uint64_t base;
	int rc = option_whole("device isa-debug-exit,iobase", value, UINT16_MAX, &base, err);

	if (rc == 0 && base == 0)
		return error_set(err, -EINVAL, "-device isa-debug-exit,iobase cannot be 0");
	if (rc == 0)
		o->debug_exit_port = (uint16_t)base;
	return rc;
}

static int set_iosize(struct options *o, const char *value, struct error *err)
{
	uint64_t size;
	int rc = option_whole("device isa-debug-exit,iosize", value, DEBUG_EXIT_MOST, &size, err);

	if (rc == 0 && size == 0)
		return error_set(err, -EINVAL, "-device isa-debug-exit,iosize cannot be 0");
	if (rc == 0)
		o->debug_exit_size = (uint8_t)size;
	return rc;
}

static void add_debug_exit(struct options *o)
{
	o->debug_exit_port = DEBUG_EXIT_BASE;
	o->debug_exit_size = DEBUG_EXIT_SIZE;
}

static void add_pc_testdev(struct options *o)
{
	o->pc_testdev = true;
}

struct property {
	const char *name;
	property_fn *set;
};

static const struct property debug_exit_properties[] = {
	{"iobase", set_iobase}, {"iosize", set_iosize}, {0}};
static const struct property no_properties[] = {{0}};

static const struct device_kind {
	const char *name;
	void (*add)(struct options *o);
	const struct property *properties;
} kinds[] = {
	{"isa-debug-exit", add_debug_exit, debug_exit_properties},
	{"pc-testdev", add_pc_testdev, no_properties},
};

static const struct device_kind *kind_named(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int set_property(struct options *o, const struct device_kind *kind, const char *key,
			const char *value, struct error *err)
{
	const struct property *p = kind->properties;

	while (p->name && strcmp(p->name, key) != 0)
		p++;
	if (!p->name)
		return error_set(err, -EINVAL, "-device %s has no property '%s'; leave it out",
				 kind->name, key);
	if (!value)
		return error_set(err, -EINVAL, "-device %s,%s needs a value: %s=NUMBER", kind->name,
				 key, key);
	return p->set(o, value, err);
}

static int parse(struct options *o, char *rest, struct error *err)
{
	const struct device_kind *kind;
	char *key, *value;
	int rc = 0;

	rest = option_property(rest, &key, &value);
	kind = value ? NULL : kind_named(key);
	if (!kind)
		return error_set(err, -EINVAL,
				 "there is no -device '%s': isa-debug-exit and pc-testdev can be "
				 "added, the others are always there",
				 key);
	kind->add(o);
	while (rest && rc == 0) {
		rest = option_property(rest, &key, &value);
		rc = set_property(o, kind, key, value, err);
	}
	return rc;
}

int device_option(struct options *o, const char *text, struct error *err)
{
	char *copy = strdup(text);
	int rc;

	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	rc = parse(o, copy, err);
	free(copy);
	return rc;
}
