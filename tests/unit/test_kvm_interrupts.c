// SPDX-License-Identifier: GPL-3.0-or-later
/* Interrupts under KVM, and kicks: none may get lost. */
#include "accel/kvm_private.h"
#include "bare_vm.h"
#include "kvm_case.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* ---- interrupts ------------------------------------------------------------------------- */

static void injects_through_the_window(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xe6, 0x77, 0x90, 0xfb, 0x90, 0xeb,
		  0xfe); /* …; sti; nop; jmp . */
	bare_expect_out(&bare, 0x77, 1, 0);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare.ops->interrupt_window(bare.vcpu, true);
	bare_expect(&bare, EXIT_IRQ_WINDOW);
	assert_true(bare.ops->interrupt_ready(bare.vcpu));
	bare.ops->interrupt_window(bare.vcpu, false);
	assert_int_equal(bare.ops->interrupt(bare.vcpu, 0x55), 0);
	assert_false(bare.ops->interrupt_ready(bare.vcpu)); /* one at a time */
	bare_expect_out(&bare, 0xe9, 1, 0x55);
	bare_close(&bare);
}

static void clearing_if_closes_the_window(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xfb, 0x90, 0xeb, 0xfe);
	bare.ops->interrupt_window(bare.vcpu, true);
	bare_expect(&bare, EXIT_IRQ_WINDOW);
	bare_get(&bare, CPU_GENERAL);
	bare.state.general.rflags &= ~(uint64_t)RFLAGS_IF;
	bare_put_general(&bare);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare_close(&bare);
}

static void delivers_an_nmi(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	BARE_LOAD(&bare, BARE_LONG, 0xeb, 0xfe);
	assert_int_equal(bare.ops->nmi(bare.vcpu), 0);
	bare_expect_out(&bare, 0xe9, 1, VECTOR_NMI);
	bare_close(&bare);
}

static void raises_a_line_of_the_kernels_controller(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	/* Both local APIC registers that let the 8259 through, then the 8259 with base 0x40. */
	BARE_LOAD(&bare, BARE_LONG, 0xbf, 0xf0, 0x00, 0xe0, 0xfe, 0xc7, 0x07, 0xff, 0x01, 0, 0,
		  0xbf, 0x50, 0x03, 0xe0, 0xfe, 0xc7, 0x07, 0x00, 0x07, 0, 0, 0xb0, 0x11, 0xe6,
		  0x20, 0xb0, 0x40, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,
		  0xb0, 0x00, 0xe6, 0x21, 0xe6, 0x77, 0xfb, 0xf4, 0xeb, 0xfd);
	bare_expect_out(&bare, 0x77, 1, 0);
	assert_int_equal(bare.ops->irq_line(bare.vm, 4, true), 0);
	bare_expect_out(&bare, 0xe9, 1, 0x44);
	assert_int_equal(bare.ops->irq_line(bare.vm, 4, false), 0);
	bare_close(&bare);
}

static void reset_brings_the_controllers_back(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	/* Mask IRQs in the 8259, change the local APIC's spurious vector, tell both. */
	BARE_LOAD(&bare, BARE_LONG, 0xb0, 0xa5, 0xe6, 0x21, 0xbf, 0xf0, 0x00, 0xe0, 0xfe, 0xc7,
		  0x07, 0x7e, 0x01, 0, 0, 0xe4, 0x21, 0xe6, 0x10, 0x8b, 0x07, 0xe7, 0x11, 0xeb,
		  0xf6);
	bare_expect_out(&bare, 0x10, 1, 0xa5);
	bare_expect_out(&bare, 0x11, 4, 0x17e);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(bare.ops->vm_reset(bare.vm), 0);
	assert_int_equal(bare.ops->vcpu_reset(bare.vcpu), 0);
	bare_expect_out(&bare, 0x10, 1, 0);
	bare_expect_out(&bare, 0x11, 4, 0xff);
	bare_close(&bare);
}

/* ---- kicks ------------------------------------------------------------------------------ */

static void completion_keeps_a_kick(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xe4, 0x10, 0xe6, 0x11, 0xf4);
	kvm_answer(&bare, 0x10, 1, "\x33");
	bare.ops->vcpu_kick(bare.vcpu, pthread_self());
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(kvm_rip(&bare), BARE_CODE + 2);
	bare_expect(&bare, EXIT_INTR);
	bare_expect(&bare, EXIT_INTR);
	bare.ops->vcpu_kick_done(bare.vcpu);
	bare_expect_out(&bare, 0x11, 1, 0x33);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	bare_expect(&bare, EXIT_HLT); /* completing is no kick */
	bare_close(&bare);
}

struct kicked {
	struct bare_vm bare;
	_Atomic unsigned long asked, answered;
	atomic_bool quit;
	unsigned long exits, complaints;
};

static void *answer_kicks(void *argument)
{
	struct kicked *kicked = argument;

	while (!atomic_load(&kicked->quit)) {
		kicked->bare.ops->vcpu_kick_done(kicked->bare.vcpu);
		atomic_store(&kicked->answered, atomic_load(&kicked->asked));
		kicked->bare.ops->vcpu_run(kicked->bare.vcpu, &kicked->bare.exit);
		kicked->exits++;
		if (kicked->bare.exit.reason == EXIT_IO)
			kicked->bare.ops->vcpu_complete(kicked->bare.vcpu, &kicked->bare.exit);
		kicked->complaints += kicked->bare.exit.reason != EXIT_INTR;
	}
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Asks, kicks, waits: an answer that stays away for ten seconds is a lost kick. */
static bool kick_once(struct kicked *kicked, pthread_t thread)
{
	unsigned long mine = atomic_fetch_add(&kicked->asked, 1) + 1;
	double give_up = seconds() + 10;

	kicked->bare.ops->vcpu_kick(kicked->bare.vcpu, thread);
	while (atomic_load(&kicked->answered) < mine)
		if (seconds() > give_up)
			return false;
	return true;
}

/* So many, or as many as fit into a few seconds where threads do not run side by side. */
static void kick_many(struct kicked *kicked, unsigned long rounds)
{
	unsigned long lost = 0, done;
	double start = seconds();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, answer_kicks, kicked), 0);
	for (done = 0; done < rounds && !lost && seconds() < start + 8; done++)
		lost += !kick_once(kicked, thread);
	print_message("%lu kicks, %.1f us each\n", done, (seconds() - start) * 1e6 / (double)done);
	atomic_store(&kicked->quit, true);
	kicked->bare.ops->vcpu_kick(kicked->bare.vcpu, thread);
	pthread_join(thread, NULL);
	assert_int_equal(lost, 0);
	assert_int_equal(kicked->complaints, 0);
}

static void no_kick_is_lost_in_a_loop(void **unused)
{
	static struct kicked kicked;

	(void)unused;
	open_kvm(&kicked.bare, NULL);
	BARE_LOAD(&kicked.bare, BARE_LONG, 0xeb, 0xfe);
	kick_many(&kicked, 50000);
	bare_close(&kicked.bare);
}

/* Here kicks meet the thread outside KVM_RUN, and in the middle of a completion. */
static void no_kick_is_lost_between_exits(void **unused)
{
	static struct kicked kicked;

	(void)unused;
	open_kvm(&kicked.bare, NULL);
	BARE_LOAD(&kicked.bare, BARE_LONG, 0xe6, 0x10, 0xeb, 0xfc);
	kick_many(&kicked, 50000);
	assert_true(kicked.exits > 500);
	bare_close(&kicked.bare);
}

/* The guest sleeps in the kernel. */
static void a_kick_ends_hlt(void **unused)
{
	static struct kicked kicked;

	(void)unused;
	open_kvm(&kicked.bare, &with_controllers);
	BARE_LOAD(&kicked.bare, BARE_LONG, 0xfa, 0xf4, 0xeb, 0xfd);
	kick_many(&kicked, 2000);
	bare_get(&kicked.bare, CPU_EVENTS);
	assert_int_equal(kicked.bare.state.events.run_state, CPU_HALTED);
	bare_close(&kicked.bare);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(injects_through_the_window),
		T(clearing_if_closes_the_window),
		T(delivers_an_nmi),
		T(raises_a_line_of_the_kernels_controller),
		T(reset_brings_the_controllers_back),
		T(completion_keeps_a_kick),
		T(no_kick_is_lost_in_a_loop),
		T(no_kick_is_lost_between_exits),
		T(a_kick_ends_hlt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
