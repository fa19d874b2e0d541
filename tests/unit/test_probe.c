// SPDX-License-Identifier: GPL-3.0-or-later
/* The probe on hosts that the dummy plays, and what is kept of its answers. */
#include "probe_case.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "accel/dummy.h"
#include "debug/probe.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- answers ----------------------------------------------------------------------------- */

static struct debug_capabilities ask(const struct dummy_config *dummy)
{
	struct dummy_config copy = *dummy;
	struct machine_config config = {.accel = &accel_dummy, .dummy = &copy};
	struct debug_capabilities found;
	struct error err = {0};

	if (core_probe(&config, &found, &err) != 0)
		fail_msg("%s", err.text);
	return found;
}

static void test_a_complete_host(void **state)
{
	struct debug_capabilities found = ask(&(struct dummy_config){.no_step = false});

	(void)state;
	EXPECT(found, step, true);
	EXPECT(found, int3, INT3_TRAPS);
	EXPECT(found, slot, true);
	EXPECT(found, watch_write, true);
	EXPECT(found, watch_access, true);
	EXPECT(found, page_write, true);
	EXPECT(found, page_read, true);
	EXPECT(found, over_io, OVER_EXIT);
	EXPECT(found, over_mmio, OVER_EXIT);
	EXPECT(found, over_sti, OVER_EXACT);
	EXPECT(found, over_pushf, OVER_LEAKS);
	assert_int_equal(found.over_syscall[CAP_USER], OVER_LOST); /* unknown there */
	assert_false(found.slot_ignores_rf);
	assert_false(found.interrupt_rf);
	assert_false(found.block_irq);
}

static void test_hosts_that_lack_something(void **state)
{
	struct debug_capabilities found;

	(void)state;
	found = ask(&(struct dummy_config){.no_step = true});
	EXPECT(found, step, false);
	EXPECT(found, over_io, OVER_UNASKED);
	EXPECT(found, slot, true);
	found = ask(&(struct dummy_config){.no_slots = true});
	EXPECT(found, slot, false);
	EXPECT(found, watch_write, false);
	EXPECT(found, step, true);
	found = ask(&(struct dummy_config){.no_watches = true});
	EXPECT(found, slot, true);
	EXPECT(found, watch_write, false);
	EXPECT(found, watch_access, false);
	EXPECT(found, page_write, true);
	found = ask(&(struct dummy_config){.int3 = DUMMY_INT3_EMULATION_FAILURE});
	EXPECT(found, int3, INT3_EMULATION_FAILURE);
	EXPECT(found, guest_int3, EVENT_EMULATION_FAILURE);
	found = ask(&(struct dummy_config){.int3 = DUMMY_INT3_TO_GUEST});
	EXPECT(found, int3, INT3_LOST);
	EXPECT(found, reinject, EVENT_UNASKED);
	found = ask(&(struct dummy_config){.ignore_rf = true});
	assert_true(found.slot_ignores_rf);
}

static void test_no_host(void **state)
{
	struct dummy_config dummy = {.fail_vm_create = EBUSY};
	struct machine_config config = {.accel = &accel_dummy, .dummy = &dummy};
	struct debug_capabilities found;
	struct error err = {0};

	(void)state;
	assert_int_equal(core_probe(&config, &found, &err), -EBUSY);
	assert_non_null(strstr(err.text, "probing what this host can debug: "));
}

/* Each answer has words, in every table that shows them, and each question a name of its own. */
static void test_questions(void **state)
{
	const struct capability_question *q, *other;

	(void)state;
	for (unsigned i = 0; (q = capability_question(i)); i++) {
		assert_true(strlen(q->title) <= 25);
		for (unsigned w = 0; w < q->word_count; w++)
			assert_true(strlen(q->words[w].brief) <= 12);
		for (unsigned n = 0; n < i; n++) {
			other = capability_question(n);
			assert_string_not_equal(q->name, other->name);
			assert_true(q->offset != other->offset);
		}
	}
}

/* ---- a host that does not come back ------------------------------------------------------ */

static struct accel_ops stuck;

static atomic_bool kicked;

static void run_until_kicked(struct accel_vcpu *vcpu, struct vm_exit *exit)
{
	(void)vcpu;
	while (!atomic_load(&kicked))
		usleep(1000);
	exit->reason = EXIT_INTR;
}

static void kick(struct accel_vcpu *vcpu, unsigned long thread)
{
	(void)vcpu;
	(void)thread;
	atomic_store(&kicked, true);
}

static void kick_done(struct accel_vcpu *vcpu)
{
	(void)vcpu;
	atomic_store(&kicked, false);
}

static int create_stuck_vcpu(struct accel_vm *vm, int index, struct accel_vcpu **vcpu,
			     struct error *err)
{
	int rc = accel_dummy.vcpu_create(vm, index, vcpu, err);

	if (rc == 0)
		(*vcpu)->ops = &stuck;
	return rc;
}

static int create_stuck_vm(const struct accel_config *config, struct accel_vm **vm,
			   struct error *err)
{
	int rc = accel_dummy.vm_create(config, vm, err);

	if (rc == 0)
		(*vm)->ops = &stuck;
	return rc;
}

static void ignore_line(void *ctx, enum log_level level, const char *line)
{
	(void)level;
	*(bool *)ctx |= strstr(line, "did not come back") != NULL;
}

/* Whether it told of questions that it did not come back from. */
static bool ask_stuck(void (*run)(struct accel_vcpu *vcpu, struct vm_exit *exit), int result,
		      struct debug_capabilities *found)
{
	struct machine_config config = {.accel = &stuck};
	struct error err = {0};
	bool told = false;

	stuck = accel_dummy;
	stuck.vm_create = create_stuck_vm;
	stuck.vcpu_create = create_stuck_vcpu;
	stuck.vcpu_run = run;
	stuck.vcpu_kick = kick;
	stuck.vcpu_kick_done = kick_done;
	log_set_sink(ignore_line, &told);
	assert_int_equal(core_probe(&config, found, &err), result);
	log_set_sink(NULL, NULL);
	return told;
}

static void test_a_host_that_hangs(void **state)
{
	struct debug_capabilities found;

	(void)state;
	assert_true(ask_stuck(run_until_kicked, 1, &found));
	EXPECT(found, step, false);
	EXPECT(found, int3, INT3_LOST);
}

static void spin_on_a_protected_table(struct accel_vcpu *vcpu, struct vm_exit *exit)
{
	static struct cpu_state state;

	assert_int_equal(accel_dummy.state_get(vcpu, CPU_SYSTEM, &state), 0);
	exit->reason = EXIT_INTR;
	if (state.system.cr3 == AT_GUARDED)
		while (!atomic_load(&kicked))
			;
	else
		accel_dummy.vcpu_run(vcpu, exit);
}

/* Processors with VT-x may do that. It is a no to this question alone, and soon. */
static void test_a_host_that_spins_on_page_tables(void **state)
{
	struct debug_capabilities found;
	time_t before = time(NULL);

	(void)state;
	assert_false(ask_stuck(spin_on_a_protected_table, 0, &found));
	assert_true(time(NULL) - before < 2);
	EXPECT(found, step, true);
	assert_int_equal(found.page_table[CAP_LONG], PAGE_FAILS);
	EXPECT(found, page_read, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_complete_host),
		cmocka_unit_test(test_hosts_that_lack_something),
		cmocka_unit_test(test_no_host),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_a_host_that_hangs),
		cmocka_unit_test(test_a_host_that_spins_on_page_tables),
	};

	return cmocka_run_group_tests_name("the probe and its cache", tests, NULL, NULL);
}
