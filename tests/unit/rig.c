// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "x86/mode.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void heard(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct rig *rig = ctx;

	rig->count[event]++;
	rig->actor[event] = actor;
}

static void serial_out(void *ctx, const void *bytes, size_t size)
{
	struct rig *rig = ctx;

	for (size_t i = 0; i < size && rig->output_size < sizeof(rig->output) - 1; i++)
		rig->output[rig->output_size++] = ((const char *)bytes)[i];
}

static void flat_at(struct cpu_state *state, uint64_t rip)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state->system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, 32);
	state->system.cr0 = CR0_PE;
	state->general.rip = rip;
}

void rig_make_flat(struct rig *rig, unsigned i)
{
	struct vcpu *vcpu = &rig->machine->vcpus[i];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

	assert_non_null(state);
	flat_at(state, RIG_CODE + i * RIG_APART);
	state->events.run_state = CPU_RUNNABLE;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

void rig_start(struct rig *rig, unsigned vcpus, enum irqchip irqchip)
{
	struct machine_config config = {.accel = rig->accel ? rig->accel : &accel_dummy,
					.dummy = &rig->dummy,
					.ram_size = rig->ram_size ? rig->ram_size : RIG_RAM,
					.vcpus = vcpus,
					.irqchip = irqchip,
					.debug_exit_port = 0xf4,
					.serial[0] = {.ctx = rig, .write = serial_out},
					.disk = {rig->disk[0], rig->disk[1]}};
	struct error err = {0};

	if (machine_create(&config, &rig->machine, &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < vcpus && !rig->as_at_reset; i++)
		rig_make_flat(rig, i);
	if (debug_create(rig->machine, &rig->config, &rig->debug, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(debug_listen(rig->debug, heard, rig), 0);
}

void rig_stop(struct rig *rig)
{
	debug_destroy(rig->debug);
	machine_destroy(rig->machine);
}

void rig_needs_kvm(void)
{
	if (access("/dev/kvm", R_OK | W_OK) == 0)
		return;
	print_message("# SKIP needs /dev/kvm\n");
	skip();
}

unsigned rig_rounds(unsigned full, unsigned usual)
{
	const char *stress = getenv("STRESS");

	return stress && !strcmp(stress, "full") ? full : usual;
}

void rig_code(struct rig *rig, unsigned vcpu, const void *code, size_t size)
{
	uint64_t at = RIG_CODE + vcpu * RIG_APART;

	assert_int_equal(mem_write_phys(rig->machine->memory, at, code, size), size);
}

void rig_boot(struct rig *rig, const void *code, size_t size)
{
	struct boot_image image = {.protocol = "test", .segment_count = rig->machine->vcpu_count};
	struct error err = {0};

	cpu_state_reset(&image.start, true);
	flat_at(&image.start, RIG_CODE);
	for (unsigned i = 0; i < image.segment_count; i++)
		image.segment[i] = (struct boot_segment){.gpa = RIG_CODE + i * RIG_APART,
							 .size = size,
							 .data = code,
							 .data_size = size,
							 .what = "code"};
	if (machine_boot(rig->machine, &image, &err) < 0)
		fail_msg("%s", err.text);
}

int rig_slower(void)
{
	const char *slower = getenv("SLOWER");
	int factor = slower ? (int)strtol(slower, NULL, 10) : 1;

	return factor > 1 ? factor : 1;
}

static int patience_ms(const struct rig *rig)
{
	return (rig->patience ? rig->patience : 30) * 1000 * rig_slower();
}

bool rig_wait(struct rig *rig)
{
	struct pollfd fd = {.fd = debug_event_fd(rig->debug), .events = POLLIN};

	if (poll(&fd, 1, patience_ms(rig)) != 1)
		return false;
	debug_dispatch(rig->debug);
	return true;
}

void rig_pause(struct rig *rig)
{
	assert_int_equal(debug_pause_wait(rig->debug, OWNER_CONSOLE, patience_ms(rig)), 0);
}

const struct stop *rig_wait_stop(struct rig *rig)
{
	while (debug_running(rig->debug))
		if (!rig_wait(rig))
			fail_msg("the machine did not stop in time");
	debug_dispatch(rig->debug);
	return debug_last_stop(rig->debug);
}

const struct stop *rig_wait_exit(struct rig *rig)
{
	while (rig->count[DEBUG_EXITED] == 0)
		if (!rig_wait(rig))
			fail_msg("the run did not end in time");
	return debug_last_stop(rig->debug);
}

static int add_point(struct rig *rig, const struct point_spec *spec)
{
	struct error err = {0};
	int number = debug_point_add(rig->debug, spec, OWNER_CONSOLE, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

int rig_break(struct rig *rig, uint64_t address)
{
	return add_point(rig, &(struct point_spec){.kind = POINT_SOFTWARE, .address = address});
}

int rig_watch(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length)
{
	return add_point(rig,
			 &(struct point_spec){.kind = kind, .address = address, .length = length});
}

const struct point *rig_point(struct rig *rig, int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(rig->debug, p)))
		if (p->number == number)
			return p;
	fail_msg("there is no point %d", number);
	return NULL;
}

uint64_t rig_reg(struct rig *rig, int vcpu, const char *name)
{
	uint64_t value = 0;
	int reg = register_find(name);

	assert_true(reg >= 0);
	assert_int_equal(debug_reg_get(rig->debug, vcpu, (unsigned)reg, &value), 0);
	return value;
}

void rig_set_reg(struct rig *rig, int vcpu, const char *name, uint64_t value)
{
	int reg = register_find(name);

	assert_true(reg >= 0);
	assert_int_equal(debug_reg_set(rig->debug, vcpu, (unsigned)reg, &value), 0);
}

void rig_continue(struct rig *rig)
{
	struct error err = {0};

	if (debug_continue(rig->debug, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

void rig_step(struct rig *rig, int vcpu)
{
	struct error err = {0};

	if (debug_step(rig->debug, vcpu, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

/* Pages behind the end of an empty file. */
void rig_lose(struct rig *rig, uint64_t gpa, uint64_t size)
{
	void *pages = mem_hva(rig->machine->memory, gpa, NULL);
	int fd = memfd_create("lost", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_ptr_equal(mmap(pages, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0),
			 pages);
	close(fd);
}

uint8_t rig_byte(struct rig *rig, uint64_t gpa)
{
	uint8_t byte = 0;

	assert_int_equal(mem_read_phys(rig->machine->memory, gpa, &byte, 1), 1);
	return byte;
}

void sleep_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}
