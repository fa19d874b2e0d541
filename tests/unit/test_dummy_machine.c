// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy accelerator around its instructions: slots, the ring, kicks, interrupts, state. */
#include "accel/dummy.h"
#include "bare_vm.h"
#include "dummy_rig.h"
#include "x86/debug_registers.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- slots and the ring ----------------------------------------------------------------- */

static int set_slot(struct bare_vm *bare, unsigned id, uint64_t gpa, uint64_t size, bool readonly)
{
	struct accel_slot slot = {.id = id,
				  .gpa = gpa,
				  .size = size,
				  .hva = bare->memory + 0x1000,
				  .readonly = readonly};
	struct error err;

	return bare->ops->slot_set(bare->vm, &slot, &err);
}

static void slots_are_as_strict_as_kvms(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	assert_int_equal(set_slot(&bare, 2, 0x9f000, 0x2000, false), -EEXIST);
	assert_int_equal(set_slot(&bare, 2, 0xa0800, 0x1000, false), -EINVAL);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x1000, false), 0);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x1000, true), -EINVAL);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x2000, false), -EINVAL);
	assert_int_equal(set_slot(&bare, 2, 0xa1000, 0x1000, false), 0); /* moving is allowed */
	assert_int_equal(set_slot(&bare, 2, 0, 0, false), 0);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x1000, true), 0);
	assert_int_equal(set_slot(&bare, 100000, 0xb0000, 0x1000, true), -EINVAL);
	/* A store to a read-only slot exits, and changes nothing. */
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xa2, 0x00, 0x00, 0x0a, 0, 0xf4);
	bare_expect(&bare, EXIT_MMIO);
	assert_int_equal(bare.memory[0x1000], 0);
	bare_close(&bare);
}

struct drained {
	unsigned count;
	bool pio[80];
	uint64_t addr[80];
	unsigned size[80];
	uint8_t first[80];
};

static void remember(void *ctx, bool pio, uint64_t addr, unsigned size, const void *data)
{
	struct drained *drained = ctx;

	assert_true(drained->count < 80);
	drained->pio[drained->count] = pio;
	drained->addr[drained->count] = addr;
	drained->size[drained->count] = size;
	drained->first[drained->count++] = *(const uint8_t *)data;
}

static void ring_keeps_the_order(void **unused)
{
	struct drained drained = {0};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	assert_int_equal(bare.ops->coalesce(bare.vm, 0xb8000, 0x1000, false), 0);
	assert_int_equal(bare.ops->coalesce(bare.vm, 0x70, 1, true), 0);
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xa3, 0, 0x80, 0x0b, 0, 0x40, 0xe6, 0x70, 0x40, 0xa2, 4,
		  0x80, 0x0b, 0, 0xe6, 0x71, 0xf4);
	bare_expect_out(&bare, 0x71, 1, 3);
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 3);
	assert_int_equal(drained.addr[0], 0xb8000);
	assert_int_equal(drained.size[0], 4);
	assert_true(drained.pio[1] && drained.addr[1] == 0x70 && drained.first[1] == 2);
	assert_true(!drained.pio[2] && drained.addr[2] == 0xb8004 && drained.first[2] == 3);
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 3);
	bare_close(&bare);
}

static void a_full_ring_exits(void **unused)
{
	struct drained drained = {0};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	assert_int_equal(bare.ops->coalesce(bare.vm, 0x70, 1, true), 0);
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xe6, 0x70, 0xeb, 0xfb);
	bare_expect_out(&bare, 0x70, 1, 65);
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 64);
	assert_int_equal(drained.first[63], 64);
	bare_close(&bare);
}

/* ---- kicks and interrupts --------------------------------------------------------------- */

static void kicks_stay_until_answered(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xf4);
	bare.ops->vcpu_kick(bare.vcpu, pthread_self());
	bare_expect(&bare, EXIT_INTR);
	bare_expect(&bare, EXIT_INTR);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	bare_expect(&bare, EXIT_INTR);
	bare.ops->vcpu_kick_done(bare.vcpu);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static void *run_once(void *argument)
{
	struct bare_vm *bare = argument;

	bare->ops->vcpu_run(bare->vcpu, &bare->exit);
	return NULL;
}

static void kick_running(struct bare_vm *bare)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_once, bare), 0);
	usleep(20000);
	bare->ops->vcpu_kick(bare->vcpu, thread);
	pthread_join(thread, NULL);
	assert_int_equal(bare->exit.reason, EXIT_INTR);
	bare->ops->vcpu_kick_done(bare->vcpu);
}

static void kicks_end_an_endless_loop(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xeb, 0xfe);
	kick_running(&bare);
	assert_int_equal(dummy_rip(&bare), BARE_CODE);
	bare_close(&bare);
}

static void kicks_end_the_wait_for_init(void **unused)
{
	struct bare_vm bare;
	struct timespec before, after;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xf4);
	bare.state.events.run_state = CPU_WAIT_INIT;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_EVENTS, &bare.state), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	kick_running(&bare);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec <
		    15000000);
	assert_int_equal(dummy_rip(&bare), BARE_CODE);
	assert_int_equal(bare.state.general.gpr[GPR_RAX], 0);
	bare_close(&bare);
}

static void processors_start_as_after_power_on(void **unused)
{
	struct bare_vm bare;
	struct accel_vcpu *second;
	struct cpu_state state;
	struct error err;

	(void)unused;
	open_dummy(&bare, NULL);
	bare_get(&bare, CPU_ALL);
	assert_int_equal(bare.state.general.rip, 0xfff0);
	assert_int_equal(bare.state.events.run_state, CPU_RUNNABLE);
	assert_int_equal(bare.ops->vcpu_create(bare.vm, 1, &second, &err), 0);
	assert_int_equal(bare.ops->state_get(second, CPU_ALL, &state), 0);
	assert_int_not_equal(state.events.run_state, CPU_RUNNABLE);
	bare.ops->vcpu_destroy(second);
	bare_close(&bare);
}

static void opens_interrupt_windows(void **unused)
{
	const uint16_t handler[2] = {BARE_CODE + 4, 0};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xfb, 0x40, 0x40, 0xf4);
	bare.ops->interrupt_window(bare.vcpu, true);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare_expect(&bare, EXIT_IRQ_WINDOW); /* one instruction after sti */
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 3);
	assert_true(bare.ops->interrupt_ready(bare.vcpu));
	memcpy(bare.memory + 4 * 0x20, handler, sizeof(handler));
	assert_int_equal(bare.ops->interrupt(bare.vcpu, 0x20), 0);
	assert_int_equal(dummy_counts(bare.vcpu)->interrupts, 1);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare.ops->interrupt_window(bare.vcpu, false);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(dummy_counts(bare.vcpu)->delivered, 1);
	assert_int_equal(bare.ops->nmi(bare.vcpu), 0);
	assert_int_equal(dummy_counts(bare.vcpu)->nmis, 1);
	bare_close(&bare);
}

/* ---- state ------------------------------------------------------------------------------ */

static void groups_are_separate(void **unused)
{
	struct bare_vm bare;
	struct cpu_state other;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xf4);
	memset(&other, 0x5a, sizeof(other));
	other.general.rip = 0x1234;
	other.system.cr3 = 0x9000;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_SYSTEM, &other), 0);
	bare_get(&bare, CPU_ALL);
	assert_int_equal(bare.state.general.rip, BARE_CODE);
	assert_int_equal(bare.state.system.cr3, 0x9000);
	memset(&other, 0, sizeof(other));
	assert_int_equal(bare.ops->state_get(bare.vcpu, CPU_GENERAL, &other), 0);
	assert_int_equal(other.general.rip, BARE_CODE);
	assert_int_equal(other.system.cr3, 0);
	bare_close(&bare);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(slots_are_as_strict_as_kvms),
		T(ring_keeps_the_order),
		T(a_full_ring_exits),
		T(kicks_stay_until_answered),
		T(kicks_end_an_endless_loop),
		T(kicks_end_the_wait_for_init),
		T(processors_start_as_after_power_on),
		T(opens_interrupt_windows),
		T(groups_are_separate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
