// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/core.h"

#include "machine/snapshot.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void core_debug_output(void *ctx, const void *bytes, size_t size)
{
	struct debug *debug = ctx;

	if (debug->config.debug_output)
		debug->config.debug_output(debug->config.debug_output_ctx, bytes, size);
}

static bool has_several_cpus(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

static int allocate(struct debug *debug, struct error *err)
{
	unsigned vcpus = debug->machine->vcpu_count;

	debug->vcpu = calloc(vcpus, sizeof(*debug->vcpu));
	debug->scratch = calloc(vcpus, sizeof(*debug->scratch));
	debug->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!debug->vcpu || !debug->scratch)
		return error_set(err, -ENOMEM, "out of memory");
	if (debug->event_fd < 0)
		return error_set(err, -errno, "eventfd failed: %s", strerror(errno));
	return core_pages_create(debug, err);
}

/* The machine stands still, as after power-on, until the first resume. */
static void start_stopped(struct debug *debug)
{
	core_lock(debug);
	debug->machine->observer = (struct machine_observer){.ctx = debug,
							     .exit = core_exit,
							     .stepping = core_stepping,
							     .stepped = core_stepped,
							     .saw = core_saw,
							     .settled = core_settled,
							     .started = core_started,
							     .request = core_request,
							     .device_write = core_device_write,
							     .parked = core_parked,
							     .debug_output = core_debug_output};
	debug->state = CORE_STOPPED;
	debug->stop.reason = STOP_PAUSE;
	strcpy(debug->stop.text, "ready to start");
	core_mark_seen(debug);
	debug->stop.pc = core_linear_pc(debug, 0);
	core_unlock(debug);
}

int debug_create(struct machine *machine, const struct debug_config *config, struct debug **out,
		 struct error *err)
{
	struct debug *debug = calloc(1, sizeof(*debug));
	int rc;

	if (!debug)
		return error_set(err, -ENOMEM, "out of memory");
	debug->machine = machine;
	debug->config = *config;
	debug->config.cache = NULL; /* the caller's, and not needed any more */
	debug->event_fd = -1;
	debug->lingers = has_several_cpus();
	rc = allocate(debug, err);
	if (rc == 0)
		rc = core_know_host(&machine->config, config->cache, config->strategy.probe,
				    &debug->capabilities, err);
	if (rc < 0) {
		debug_destroy(debug);
		return rc;
	}
	start_stopped(debug);
	*out = debug;
	return 0;
}

/* The observer goes with us, so nothing may run from here on. */
static void leave_machine(struct debug *debug)
{
	core_lock(debug);
	if (debug->machine->observer.ctx == debug) {
		core_quiesce(debug);
		machine_forget_observer(debug->machine);
	}
	core_unlock(debug);
}

void debug_destroy(struct debug *debug)
{
	struct line *line;

	if (!debug)
		return;
	leave_machine(debug);
	core_pages_destroy(debug);
	snapshots_free(debug->snapshots);
	while (debug->points) {
		struct core_point *p = debug->points;

		debug->points = p->next;
		core_point_free(p);
	}
	while ((line = core_take_line(debug)))
		free(line);
	if (debug->event_fd >= 0)
		close(debug->event_fd);
	free(debug->planted.place);
	free(debug->scratch);
	free(debug->written);
	free(debug->vcpu);
	free(debug);
}
