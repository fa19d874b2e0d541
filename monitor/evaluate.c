// SPDX-License-Identifier: GPL-3.0-or-later
/* Expressions over one vCPU of the stopped machine. */
#include "monitor/command.h"
#include "near_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- names --------------------------------------------------------------------------------- */

/* "shared.counter", where shared is a symbol. */
static bool is_member(struct monitor *monitor, const char *name)
{
	uint64_t value, size;
	char *object = strndup(name, strcspn(name, "."));
	bool is = object && strchr(name, '.') &&
		  !symbols_find(monitor->symbols, object, &value, &size);

	free(object);
	return is;
}

static const char *nearest_symbol(struct symbols *symbols, const char *name)
{
	struct near_name near;
	const char *other;
	size_t cursor = 0;

	near_name_begin(&near, name, strlen(name));
	while ((other = symbols_next(symbols, "", &cursor)))
		near_name_offer(&near, other, strlen(other));
	return near.name;
}

static int no_symbol(struct monitor *monitor, const char *name, struct error *err)
{
	struct program_builder ignored = {0};
	const char *near;
	int ret = register_compile(name, &ignored, NULL);

	program_abandon(&ignored);
	if (!ret)
		return error_set(err, -ENOENT, "there is no symbol `%s`; the register is $%s", name,
				 name);
	if (is_member(monitor, name))
		return error_set(err, -ENOENT,
				 "there is no symbol `%s`: members are gdb's to know; here it is "
				 "&%.*s + OFFSET",
				 name, (int)strcspn(name, "."), name);
	near = nearest_symbol(monitor->symbols, name);
	if (near)
		return error_set(err, -ENOENT, "there is no symbol `%s`; did you mean `%s`?", name,
				 near);
	return error_set(err, -ENOENT, "there is no symbol `%s` in the guest's image", name);
}

static int lookup_symbol(void *ctx, const char *name, uint64_t *value, uint64_t *size,
			 struct error *err)
{
	struct monitor *monitor = ctx;

	return symbols_find(monitor->symbols, name, value, size) ? no_symbol(monitor, name, err)
								 : 0;
}

static int lookup_register(void *ctx, const char *name, struct program_builder *builder,
			   struct error *err)
{
	(void)ctx;
	return register_compile(name, builder, err);
}

int monitor_compile(struct monitor *monitor, const char *text, struct program **program,
		    uint64_t *size, const char **end, struct error *err)
{
	struct expression_names names = {monitor, lookup_symbol, lookup_register};

	return expression_compile(text, &names, program, size, end, err);
}

/* ---- values -------------------------------------------------------------------------------- */

static const struct cpu_state *state_at(void *ctx, unsigned groups)
{
	struct guest_view *view = ctx;

	return debug_state(view->monitor->debug, view->cpu, groups);
}

static bool read_physical_at(void *ctx, uint64_t address, void *buf, size_t len)
{
	struct guest_view *view = ctx;

	return debug_read(view->monitor->debug, view->cpu, SPACE_PHYSICAL, address, buf, len) ==
	       (ssize_t)len;
}

/* A person is told more than a fault knows. */
static int explain(struct guest_view *view, const struct program_fault *fault, int ret,
		   struct error *err)
{
	uint8_t buf[8];
	ssize_t done;

	if (debug_running(view->monitor->debug) && fault->kind == PROGRAM_NO_VALUE)
		return error_set(err, -EBUSY,
				 "the guest is running; `stop` it to look at registers");
	if (fault->kind != PROGRAM_MEMORY)
		return error_set(err, ret, "%s", fault->text);
	done = monitor_read(view->monitor, view->cpu, fault->physical, fault->address, buf,
			    fault->size, err);
	if (done < 0)
		return (int)done;
	return error_set(err, -EFAULT, "only %zd of %s", done, fault->text);
}

int monitor_run(struct monitor *monitor, int cpu, const struct program *program, uint64_t *value,
		struct error *err)
{
	struct guest_view view = {monitor, cpu};
	struct program_context context = {&view, cpu, state_at, guest_view_read, read_physical_at};
	struct program_fault fault = {0};
	int64_t result;
	int ret = program_run(program, &context, &result, &fault);

	*value = (uint64_t)result;
	return ret ? explain(&view, &fault, ret, err) : 0;
}

int monitor_evaluate(struct monitor *monitor, int cpu, const char *text, uint64_t *value,
		     const char **end, struct error *err)
{
	struct program *program;
	int ret = monitor_compile(monitor, text, &program, NULL, end, err);

	if (ret)
		return ret;
	ret = monitor_run(monitor, cpu, program, value, err);
	program_free(program);
	return ret;
}
