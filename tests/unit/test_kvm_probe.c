// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The probe on this host's KVM: whatever it says, it must be true of a machine. Nothing here knows
 * what this host can do; a yes must work, and a no must be refused.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "debug/probe.h"
#include "log.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CODE   0x2000ull
#define DATA   0x7000ull
#define TABLES 0x10000ull

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void probe(struct debug_capabilities *found)
{
	struct machine_config config = {.accel = &accel_kvm};
	struct error err = {0};

	if (core_probe(&config, found, &err) != 0)
		fail_msg("%s", err.text);
}

/* ---- a machine in a mode ----------------------------------------------------------------- */

static void put64(struct rig *rig, uint64_t gpa, uint64_t value)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, &value, 8), 8);
}

static void enter_real(struct cpu_state *s)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_real(&s->system.seg[i], 0);
}

static void enter_flat(struct cpu_state *s, unsigned bits)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&s->system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, bits);
	s->system.cr0 = CR0_PE | CR0_ET | CR0_NE;
}

static void enter_long(struct rig *rig, struct cpu_state *s)
{
	put64(rig, TABLES, (TABLES + 0x1000) | 3);
	put64(rig, TABLES + 0x1000, (TABLES + 0x2000) | 3);
	put64(rig, TABLES + 0x2000, 0x83);
	enter_flat(s, 64);
	s->system.cr0 |= CR0_PG;
	s->system.cr3 = TABLES;
	s->system.cr4 = CR4_PAE;
	s->system.efer = EFER_LME | EFER_LMA;
}

static void enter(struct rig *rig, enum capability_mode mode)
{
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state *s = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

	assert_non_null(s);
	if (mode == CAP_REAL)
		enter_real(s);
	else if (mode == CAP_PROT)
		enter_flat(s, 32);
	else
		enter_long(rig, s);
	s->general.rip = CODE;
	s->general.gpr[GPR_RSP] = 0x6000;
	s->general.gpr[GPR_RDI] = s->general.gpr[GPR_RBX] = DATA;
	s->events.run_state = CPU_RUNNABLE;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* nop; mov %al,(%rdi) or (%bx); mov (%rdi),%al; nop; jmp . */
static const uint8_t code[] = {0x90, 0x88, 0x07, 0x8a, 0x07, 0x90, 0xeb, 0xfe};

static void start(struct rig *rig, enum capability_mode mode, const char *strategy)
{
	*rig = (struct rig){.accel = &accel_kvm, .as_at_reset = true};
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(mem_write_phys(rig->machine->memory, CODE, code, sizeof(code)),
			 sizeof(code));
	enter(rig, mode);
}

/* ---- what is said is true ---------------------------------------------------------------- */

struct claim {
	const char *strategy;
	enum point_kind kind;
	uint64_t address, length, pc; /* where it stops */
	bool (*said)(const struct debug_capabilities *found, enum capability_mode mode);
};

static bool says_traps(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->int3[mode] == INT3_TRAPS;
}

static bool says_failure(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->int3[mode] == INT3_EMULATION_FAILURE;
}

static bool says_slot(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->slot[mode];
}

static bool says_watch(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->watch_write[mode];
}

static bool says_access(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->watch_access[mode];
}

static bool says_page(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->page_write[mode];
}

static const struct claim claims[] = {
	{"break=int3", POINT_SOFTWARE, CODE + 1, 1, CODE + 1, says_traps},
	{"break=emulation", POINT_SOFTWARE, CODE + 1, 1, CODE + 1, says_failure},
	{"break=slot", POINT_SOFTWARE, CODE + 1, 1, CODE + 1, says_slot},
	{"hbreak=slot", POINT_HARDWARE, CODE + 5, 1, CODE + 5, says_slot},
	{"watch=slot", POINT_WRITE, DATA, 1, CODE + 3, says_watch},
	{"access=slot", POINT_ACCESS, DATA, 1, CODE + 3, says_access},
	{"watch=page", POINT_WRITE, DATA, 1, CODE + 3, says_page},
};

static void check_claim(const struct claim *c, enum capability_mode mode, bool said)
{
	const struct point_spec spec = {
		.kind = c->kind, .address = c->address, .length = c->length};
	struct error err = {0};
	struct rig rig;
	int number;

	start(&rig, mode, c->strategy);
	number = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err);
	if ((number > 0) != said)
		fail_msg("%s in %s: said %d, point %d: %s", c->strategy, capability_mode_name(mode),
			 said, number, err.text);
	for (unsigned round = 0; said && round < 3; round++) {
		const struct stop *stop;

		rig_set_reg(&rig, 0, "rip", CODE);
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		if (stop->point != number || debug_pc(rig.debug, 0) != c->pc)
			fail_msg("%s in %s: '%s' at 0x%llx", c->strategy,
				 capability_mode_name(mode), stop->text,
				 (unsigned long long)debug_pc(rig.debug, 0));
	}
	rig_stop(&rig);
}

static void test_points_are_as_said(void **state)
{
	struct debug_capabilities found;

	(void)state;
	rig_needs_kvm();
	probe(&found);
	for (enum capability_mode mode = CAP_REAL; mode <= CAP_LONG; mode++)
		for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
			check_claim(&claims[i], mode, claims[i].said(&found, mode));
}

static void test_steps_are_as_said(void **state)
{
	struct debug_capabilities found;

	(void)state;
	rig_needs_kvm();
	probe(&found);
	for (enum capability_mode mode = CAP_REAL; mode <= CAP_LONG; mode++) {
		struct error err = {0};
		struct rig rig;
		int rc;

		start(&rig, mode, "step=tf");
		rc = debug_step(rig.debug, 0, OWNER_CONSOLE, &err);
		assert_int_equal(rc, found.step[mode] ? 0 : -ENOTSUP);
		if (rc == 0) {
			assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
			assert_int_equal(debug_pc(rig.debug, 0), CODE + 1);
		}
		rig_stop(&rig);
	}
}

/* ---- debug registers that two want ------------------------------------------------------- */

#define HANDLER 0x3000ull

/* Real mode; the guest's DR0 is on the second instruction, and its #DB handler stays where it is.
 * True: it was entered. */
static bool guest_slot_fires(bool with_point)
{
	static const uint8_t stay[] = {0xeb, 0xfe};
	const uint16_t vector[2] = {HANDLER, 0};
	struct point_spec spec = {.kind = POINT_HARDWARE, .address = 0x5000};
	struct error err = {0};
	struct rig rig;
	uint64_t pc;

	start(&rig, CAP_REAL, NULL);
	mem_write_phys(rig.machine->memory, 4 * 1, vector, sizeof(vector));
	mem_write_phys(rig.machine->memory, HANDLER, stay, sizeof(stay));
	rig_set_reg(&rig, 0, "dr0", CODE + 1);
	rig_set_reg(&rig, 0, "dr7", 0x402);
	if (with_point)
		assert_true(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err) > 0);
	do {
		rig_continue(&rig);
		rig_pause(&rig);
		pc = debug_pc(rig.debug, 0);
		debug_dispatch(rig.debug);
	} while (pc != HANDLER && pc != CODE + sizeof(code) - 2);
	assert_int_equal(rig_reg(&rig, 0, "dr7"), 0x402);
	rig_stop(&rig);
	return pc == HANDLER;
}

static void ignore_line(void *ctx, enum log_level level, const char *line)
{
	(void)level;
	*(unsigned *)ctx += strstr(line, "takes the debug registers") != NULL;
}

/* They are the guest's as long as vitrine needs none, and the user hears of it when it does. */
static void test_the_guests_own_debug_registers(void **state)
{
	struct debug_capabilities found;
	unsigned told = 0;

	(void)state;
	rig_needs_kvm();
	probe(&found);
	log_set_sink(ignore_line, &told);
	assert_int_equal(guest_slot_fires(false), found.guest_slot[CAP_REAL] == EVENT_DELIVERED);
	assert_int_equal(told, 0);
	if (found.slot[CAP_REAL]) {
		guest_slot_fires(true); /* or not: that is why the user is told */
		assert_int_equal(told, 1);
	}
	log_set_sink(NULL, NULL);
}

/* ---- the same again ---------------------------------------------------------------------- */

static void test_answers_do_not_change(void **state)
{
	struct debug_capabilities first, again;

	(void)state;
	rig_needs_kvm();
	probe(&first);
	for (unsigned i = 0; i < 20; i++) {
		probe(&again);
		assert_memory_equal(&first, &again, sizeof(first));
	}
}

/* A figure for people; a machine of any speed has passed when it has answered each time. */
static void test_what_it_takes(void **state)
{
	struct debug_capabilities found;
	uint64_t best = UINT64_MAX;

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 3; i++) {
		uint64_t before = now_us(), took;

		probe(&found);
		took = now_us() - before;
		best = took < best ? took : best;
	}
	print_message("# the probe takes %u us\n", (unsigned)best);
	assert_true(best > 0);
}

/* ---- the host ---------------------------------------------------------------------------- */

static void test_host_facts(void **state)
{
	const struct accel_config config = {.device = NULL};
	struct accel_host host;

	(void)state;
	rig_needs_kvm();
	accel_kvm.host(&config, &host);
	assert_int_equal(host.device_errno, 0);
	assert_null(host.remedy);
	assert_int_equal(host.api_version, 12);
	assert_true(host.device_mode != 0);
	assert_true(strlen(host.processor) > 10);
	assert_true(host.promise_count > 10);
	assert_int_equal(host.repeatable, host.module[0] != '\0');
	for (unsigned i = 0; i < host.promise_count; i++)
		for (unsigned n = 0; n < i; n++)
			assert_string_not_equal(host.promise[i].name, host.promise[n].name);
}

static void test_hosts_without_kvm(void **state)
{
	const struct accel_config missing = {.device = "/nonexistent/kvm"},
				  other = {.device = "/dev/null"};
	struct accel_host host;

	(void)state;
	accel_kvm.host(&missing, &host);
	assert_int_equal(host.device_errno, ENOENT);
	assert_non_null(strstr(host.remedy, "module"));
	assert_int_equal(host.promise_count, 0);
	assert_false(host.repeatable);
	accel_kvm.host(&other, &host);
	assert_true(host.device_errno > 0);
	assert_non_null(strstr(host.remedy, "not the KVM device"));
	assert_int_equal(host.api_version, 0);
	assert_false(host.repeatable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_points_are_as_said),
		cmocka_unit_test(test_steps_are_as_said),
		cmocka_unit_test(test_the_guests_own_debug_registers),
		cmocka_unit_test(test_answers_do_not_change),
		cmocka_unit_test(test_what_it_takes),
		cmocka_unit_test(test_host_facts),
		cmocka_unit_test(test_hosts_without_kvm),
	};

	return cmocka_run_group_tests_name("the probe on KVM", tests, NULL, NULL);
}
