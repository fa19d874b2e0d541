// SPDX-License-Identifier: GPL-3.0-or-later
/* Options about the guest and its machine. */
#include "chardev.h"
#include "option_values.h"
#include "options_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MIB	  (1ull << 20)
#define RAM_MIN	  MIB
#define RAM_MAX	  (1ull << 40)
#define VCPUS_MAX 4096

int set_kernel(struct options *o, const char *arg, struct error *err)
{
	if (o->kernel)
		return error_set(err, -EINVAL, "two images: '%s' and '%s'; give one", o->kernel,
				 arg);
	o->kernel = arg;
	return 0;
}

int set_append(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->append = arg;
	return 0;
}

int set_initrd(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->initrd = arg;
	return 0;
}

int set_memory(struct options *o, const char *arg, struct error *err)
{
	const char *rest;
	uint64_t n;
	unsigned shift;

	if (strncmp(arg, "size=", 5) == 0)
		arg += 5;
	if (option_number(arg, &n, &rest) < 0 || (shift = option_unit_shift(rest)) == 0)
		return error_set(err, -EINVAL,
				 "-m takes a size such as 128 or 512M or 2G, not '%s'", arg);
	if (n > RAM_MAX >> shift || n << shift < RAM_MIN)
		return error_set(err, -ERANGE, "-m %s is out of range: give between 1M and 1024G",
				 arg);
	o->ram_size = n << shift & ~0xfffull;
	return 0;
}

int set_smp(struct options *o, const char *arg, struct error *err)
{
	const char *rest;
	uint64_t n;

	if (strncmp(arg, "cpus=", 5) == 0)
		arg += 5;
	if (option_number(arg, &n, &rest) < 0 || *rest || n == 0)
		return error_set(err, -EINVAL,
				 "-smp takes the number of vCPUs, 1 or more, not '%s'", arg);
	if (n > VCPUS_MAX)
		return error_set(err, -ERANGE,
				 "-smp %s is more than any host carries: give %d or less", arg,
				 VCPUS_MAX);
	o->vcpus = (unsigned)n;
	return 0;
}

int set_cpu(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->cpu = arg;
	return 0;
}

int set_accel(struct options *o, const char *arg, struct error *err)
{
	o->accel = accel_find(arg);
	return o->accel ? 0
			: error_set(err, -EINVAL,
				    "there is no accelerator '%s': use kvm (or dummy)", arg);
}

int set_enable_kvm(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return set_accel(o, "kvm", err);
}

int set_kvm_device(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->kvm_device = arg;
	return 0;
}

int set_irqchip(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {{"kernel", 0}, {"user", 1}, {0}};
	int value;
	int rc = option_choice("irqchip", arg, choices, &value, err);

	if (rc == 0)
		o->user_irqchip = value;
	return rc;
}

int set_load(struct options *o, const char *arg, struct error *err)
{
	o->has_load = true;
	return option_whole("load", arg, UINT64_MAX, &o->load, err);
}

int set_entry(struct options *o, const char *arg, struct error *err)
{
	o->has_entry = true;
	return option_whole("entry", arg, UINT64_MAX, &o->entry, err);
}

int set_loadvm(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->loadvm = arg;
	return 0;
}

int set_serial(struct options *o, const char *arg, struct error *err)
{
	if (o->serial_count == MAX_SERIALS)
		return error_set(err, -EINVAL,
				 "there are two serial ports: give -serial at most twice");
	o->serial[o->serial_count++] = arg;
	return chardev_check(arg, err);
}

int set_nographic(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return o->serial_count ? 0 : set_serial(o, "mon:stdio", err);
}

int set_debug_exit(struct options *o, const char *arg, struct error *err)
{
	uint64_t port = 0;
	int rc = strcmp(arg, "none") == 0 ? 0 : option_whole("debug-exit", arg, 0xffff, &port, err);

	if (rc == 0)
		o->debug_exit_port = (uint16_t)port;
	return rc;
}

/* The one -device that scripts written for QEMU pass to a test kernel. */
int set_device(struct options *o, const char *arg, struct error *err)
{
	const char *iobase = strstr(arg, "iobase=");
	char number[20];

	if (strncmp(arg, "isa-debug-exit", 14) != 0)
		return error_set(
			err, -EINVAL,
			"vitrine knows -device isa-debug-exit alone; its devices are always there");
	if (!iobase)
		return 0;
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(iobase + 7, ","), iobase + 7);
	return set_debug_exit(o, number, err);
}

int set_display(struct options *o, const char *arg, struct error *err)
{
	(void)o;
	return strcmp(arg, "none") == 0
		       ? 0
		       : error_set(err, -EINVAL, "vitrine has no display: use -display none");
}
