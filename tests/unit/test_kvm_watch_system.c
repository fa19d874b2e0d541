// SPDX-License-Identifier: GPL-3.0-or-later
/* Watches under KVM that several vCPUs and the processor itself write to. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "watch_rig.h"

#include <unistd.h>

/* ---- several vCPUs ------------------------------------------------------------------------- */

/* Counters on the watched page, next to the watched bytes; each vCPU adds one to each, ROUNDS times, in a way
 * of its own. The last is added to by a plain inc, under a lock that xchg takes. */
enum { LOCKED, ADDED, COMPARED, BIT, SPIN, GUARDED };

#define COUNTER(n) (DATA + 8 * (n))
#define DONE	   (DATA + 4 * PAGE) /* elsewhere */

static const uint8_t counting[] = {
	/* again: */
	0xf0, 0xff, 0x05, 0x00, 0x80, 0,    0,		/* lock incl LOCKED */
	0xb8, 1,    0,	  0,	0,			/* mov $1,%eax */
	0xf0, 0x0f, 0xc1, 0x05, 0x08, 0x80, 0, 0,	/* lock xadd %eax,ADDED */
	0xa1, 0x10, 0x80, 0,	0,			/* mov COMPARED,%eax */
	0x8d, 0x50, 0x01,				/* compare: lea 1(%eax),%edx */
	0xf0, 0x0f, 0xb1, 0x15, 0x10, 0x80, 0, 0,	/* lock cmpxchg %edx,COMPARED */
	0x75, 0xf3,					/* jne compare */
	0xb8, 1,    0,	  0,	0,			/* mov $1,%eax */
	0x87, 0x05, 0x20, 0x80, 0,    0,		/* spin: xchg %eax,SPIN */
	0x85, 0xc0,					/* test %eax,%eax */
	0x75, 0xf6,					/* jne spin */
	0xff, 0x05, 0x28, 0x80, 0,    0,		/* incl GUARDED */
	0xc7, 0x05, 0x20, 0x80, 0,    0,    0, 0, 0, 0, /* movl $0,SPIN */
	0xf0, 0x0f, 0xbb, 0x35, 0x18, 0x80, 0, 0,	/* lock btc %esi,BIT */
	0x49,						/* dec %ecx */
	0x75, 0xb0,					/* jne again */
	0xf0, 0xff, 0x05, 0x00, 0xc0, 0,    0,		/* lock incl DONE */
	0xfa, 0xf4,					/* cli; hlt */
};

static void wait_until_done(struct rig *rig, unsigned vcpus)
{
	for (unsigned i = 0; i < 12000 && watch_get(rig, DONE, 4) < vcpus; i++)
		usleep(10000);
	assert_int_equal(watch_get(rig, DONE, 4), vcpus);
	rig_pause(rig);
	rig_wait_stop(rig);
}

static void no_update_is_lost(void **state)
{
	const bool slow = *state == by_steps; /* each instruction is a step */
	const unsigned vcpus = 4, rounds = slow ? rig_rounds(3001, 201) : rig_rounds(100001, 1001);
	struct rig rig = {0};
	int number;

	watch_start(&rig, vcpus, *state);
	number = rig_watch(&rig, POINT_WRITE, DATA + 0x100, 8);
	for (unsigned i = 0; i < vcpus; i++) {
		rig_code(&rig, i, counting, sizeof(counting));
		rig_set_reg(&rig, (int)i, "rcx", rounds);
		rig_set_reg(&rig, (int)i, "rsi", i);
	}
	rig_continue(&rig);
	wait_until_done(&rig, vcpus);
	assert_int_equal(watch_get(&rig, COUNTER(LOCKED), 4), vcpus * rounds);
	assert_int_equal(watch_get(&rig, COUNTER(ADDED), 4), vcpus * rounds);
	assert_int_equal(watch_get(&rig, COUNTER(COMPARED), 4), vcpus * rounds);
	assert_int_equal(watch_get(&rig, COUNTER(GUARDED), 4), vcpus * rounds);
	assert_int_equal(watch_get(&rig, COUNTER(BIT), 4), 0xf); /* an odd number of times each */
	assert_int_equal(watch_get(&rig, COUNTER(SPIN), 4), 0);
	assert_int_equal(rig_point(&rig, number)->evaluations, 0);
	rig_stop(&rig);
}

/* ---- what the processor writes by itself --------------------------------------------------- */

#define HANDLER 0x5000ull
#define COUNT	0x6000ull
#define TIMER	0x40

static void put_gate(struct rig *rig, unsigned vector, uint64_t handler)
{
	put64(rig, IDT + 16 * vector, (handler & 0xffff) | 8ull << 16 | 0x8eull << 40);
}

/* incl COUNT; addq $2,(%rsp); iretq */
static const uint8_t ud_handler[] = {0xff, 0x04, 0x25, 0x00, 0x60, 0,	 0,
				     0x48, 0x83, 0x04, 0x24, 0x02, 0x48, 0xcf};

/* incl COUNT; movl $0,EOI(%rbp); iretq */
static const uint8_t timer_handler[] = {0xff, 0x04, 0x25, 0x00, 0x60, 0, 0, 0xc7, 0x85, 0xb0,
					0,    0,    0,	  0,	0,    0, 0, 0x48, 0xcf};

static void put_handlers(struct rig *rig)
{
	struct memory *memory = rig->machine->memory;

	enter_long_mode(rig);
	put_gate(rig, 6, HANDLER);
	put_gate(rig, TIMER, HANDLER + 0x100);
	mem_write_phys(memory, HANDLER, ud_handler, sizeof(ud_handler));
	mem_write_phys(memory, HANDLER + 0x100, timer_handler, sizeof(timer_handler));
	rig_set_reg(rig, 0, "rbp", APIC);
}

/* Where a frame would be lost with its event, such a page is not protected. */
static void needs_frames(struct rig *rig, const char *strategy)
{
	if (strategy == by_steps ||
	    debug_capabilities(rig->debug)->page_frame[CAP_LONG] == PAGE_WORKS)
		return;
	expect_refusal(rig, POINT_WRITE, STACK - 0x800, "a stack is on that page");
	rig_stop(rig);
	print_message("# SKIP this host's KVM: event frames on protected pages\n");
	skip();
}

/* Where changing a slot is slow, each of these is some 20 ms. */
static void exception_frames_on_a_watched_page(void **state)
{
	const unsigned rounds = rig_rounds(200, 60);
	struct rig rig = {0};
	int number, end;

	watch_start(&rig, 1, *state);
	put_handlers(&rig);
	needs_frames(&rig, *state);
	end = LOAD(&rig, 0x0f, 0x0b, 0xff, 0xc9, 0x75, 0xfa); /* again: ud2; dec %ecx; jnz again */
	rig_set_reg(&rig, 0, "rcx", rounds);
	number = rig_watch(&rig, POINT_WRITE, STACK - 0x800, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(watch_get(&rig, COUNT, 4), rounds);
	assert_int_equal(rig_reg(&rig, 0, "rsp"), STACK);
	assert_int_equal(rig_point(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* The frame of 40 bytes begins with RIP. */
static void a_frame_is_a_write_too(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	watch_start(&rig, 1, *state);
	put_handlers(&rig);
	needs_frames(&rig, *state);
	end = LOAD(&rig, NOP, 0x0f, 0x0b, NOP);
	number = rig_watch(&rig, POINT_WRITE, STACK - 40, 8);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	expect_text(stop,
		    "write to 0xafd8 (watch 2, 8 bytes): 0 → 4097 by the processor, on its way "
		    "to the handler at 0x5000");
	rig_continue(&rig); /* the handler's addq */
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->new_value, RIG_CODE + 3);
	assert_int_equal(stop->writer, HANDLER + 7);
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* The local controller would not send another before the last was acknowledged: none is lost. */
static void interrupt_frames_on_a_watched_page(void **state)
{
	struct rig rig = {0};
	int number, end;

	watch_start(&rig, 1, *state);
	put_handlers(&rig);
	needs_frames(&rig, *state);
	end = LOAD(&rig, 0xc7, 0x85, 0xf0, 0, 0, 0, 0xff, 0x01, 0, 0, /* SVR: on */
		   0xc7, 0x85, 0xe0, 0x03, 0, 0, 0x0b, 0, 0, 0,	      /* divide by 1 */
		   0xc7, 0x85, 0x20, 0x03, 0, 0, TIMER, 0, 2, 0,      /* periodic */
		   0xc7, 0x85, 0x80, 0x03, 0, 0, 0x40, 0x42, 0x0f, 0, /* 1 ms */
		   0xfb, 0xff, 0xc3, 0x83, 0x3c, 0x25, 0x00, 0x60, 0, 0, 100, 0x72, 0xf4, 0xfa);
	number = rig_watch(&rig, POINT_WRITE, STACK - 0x800, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_in_range(watch_get(&rig, COUNT, 4), 100, 110); /* before cli one more may come */
	assert_int_equal(rig_reg(&rig, 0, "rsp"), STACK);
	assert_int_equal(rig_point(&rig, number)->hits, 0);
	rig_stop(&rig);
}

#define BY_PAGE(f) cmocka_unit_test_prestate(f, by_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_BOTH(no_update_is_lost),
		BY_BOTH(exception_frames_on_a_watched_page),
		BY_BOTH(a_frame_is_a_write_too),
		BY_BOTH(interrupt_frames_on_a_watched_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
