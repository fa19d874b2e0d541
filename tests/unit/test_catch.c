// SPDX-License-Identifier: GPL-3.0-or-later
/* Catches on the dummy accelerator: each kind stops once, after the access, with what it got; or logs. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "x86/mode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PORT   0x10
#define MMIO   0xfe000000ull

/* ---- a device that counts, and may do something to the guest --------------------------------- */

struct counter {
	struct bus_region port, mmio;
	atomic_uint reads, writes;
	void (*then)(struct rig *rig);
	struct rig *rig;
};

static void counter_io(void *device, struct bus_access *access)
{
	struct counter *counter = device;

	counter->writes += access->write;
	counter->reads += !access->write;
	if (!access->write)
		access->value = 0x5a;
	if (counter->then)
		counter->then(counter->rig);
}

static void start(struct rig *rig, struct counter *counter, const void *code, size_t size)
{
	struct error err = {0};

	rig_start(rig, 1, rig->dummy.int3 ? IRQCHIP_KERNEL : IRQCHIP_USER);
	rig_code(rig, 0, code, size);
	*counter = (struct counter){.rig = rig,
				    .port = {.name = "counter",
					     .base = PORT,
					     .size = 4,
					     .max_size = 4,
					     .io = counter_io,
					     .device = counter},
				    .mmio = {.name = "counter",
					     .base = MMIO,
					     .size = 0x1000,
					     .max_size = 4,
					     .io = counter_io,
					     .device = counter}};
	assert_int_equal(bus_add(&rig->machine->ports, &counter->port, &err), 0);
	assert_int_equal(bus_add(&rig->machine->mmio, &counter->mmio, &err), 0);
}

static int catch_spec(struct rig *rig, struct point_spec spec)
{
	struct error err = {0};
	int number = debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

static int catch (struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length,
		  enum point_direction direction)
{
	return catch_spec(rig, (struct point_spec){.kind = kind,
						   .address = address,
						   .length = length,
						   .direction = direction});
}

static void refused(struct rig *rig, struct point_spec spec, int code, const char *says)
{
	struct error err = {0};

	assert_int_equal(debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err), code);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
}

static const struct point *point(struct rig *rig, int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(rig->debug, p)))
		if (p->number == number)
			return p;
	fail_msg("there is no point %d", number);
	return NULL;
}

static void log_only(struct rig *rig, int number)
{
	struct point_action *action = calloc(1, sizeof(*action));
	struct error err = {0};

	action->format = strdup("");
	action->go_on = true;
	assert_int_equal(debug_point_action(rig->debug, number, action, &err), 0);
}

static void says(const struct stop *stop, const char *text)
{
	if (!strstr(stop->text, text))
		fail_msg("'%s' does not say '%s'", stop->text, text);
}

/* ---- ports and MMIO -------------------------------------------------------------------------- */

/* inc eax; out 0x10, al; in al, 0x11; 1: jmp 1b */
static const uint8_t talk[] = {0x40, 0xe6, PORT, 0xe4, PORT + 1, 0xeb, 0xfe};

static void test_a_port(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0};
	int out, in;

	(void)state;
	start(&rig, &counter, talk, sizeof(talk));
	rig_set_reg(&rig, 0, "rax", 0x40);
	out = catch (&rig, POINT_CATCH_IO, 0, 0x20, ON_WRITE);
	in = catch (&rig, POINT_CATCH_IO, PORT + 1, 1, ON_READ);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_IO);
	assert_int_equal(stop->point, out);
	assert_int_equal(stop->address, PORT);
	assert_int_equal(stop->new_value, 0x41);
	assert_int_equal(stop->size, 1);
	assert_int_equal(stop->pc, RIG_CODE + 3);
	assert_int_equal(stop->writer, RIG_CODE + 1);
	assert_string_equal(stop->text, "out 0x10 ← 0x41 'A', 1 byte (catch 1)");
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE + 3);
	assert_int_equal(counter.writes, 1);

	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, in);
	assert_int_equal(stop->new_value, 0x5a);
	assert_int_equal(stop->pc, RIG_CODE + 5);
	assert_int_equal(stop->writer, RIG_CODE + 3);
	assert_int_equal(rig_reg(&rig, 0, "rax") & 0xff, 0x5a);
	says(stop, "in 0x11 → 0x5a 'Z'");
	assert_int_equal(counter.writes, 1);
	assert_int_equal(counter.reads, 1);
	assert_int_equal(point(&rig, out)->hits, 1);
	assert_int_equal(point(&rig, in)->hits, 1);
	rig_stop(&rig);
}

/* A step over it tells of the access, not of the step; and makes it once. */
static void test_a_port_under_a_step(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0};

	(void)state;
	start(&rig, &counter, talk, sizeof(talk));
	catch (&rig, POINT_CATCH_IO, PORT, 1, 0);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	rig_step(&rig, 0);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_IO);
	assert_int_equal(stop->pc, RIG_CODE + 3);
	assert_int_equal(counter.writes, 1);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE + 5);
	rig_stop(&rig);
}

static void remember_line(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct rig *rig = ctx;

	(void)actor;
	if (event == DEBUG_OUTPUT)
		strncpy(rig->output, debug_output(rig->debug), sizeof(rig->output) - 1);
}

/* Two vCPUs at one port: each access is told once, or not at all when the catch is gone by then. */
static void test_two_at_one_port(void **state)
{
	static const uint8_t once[] = {0xe6, PORT, 0xeb, 0xfe};
	struct error err = {0};

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct rig rig = {0};
		int number;

		rig_start(&rig, 2, IRQCHIP_KERNEL);
		rig_code(&rig, 0, once, sizeof(once));
		rig_code(&rig, 1, once, sizeof(once));
		number = catch (&rig, POINT_CATCH_IO, PORT, 1, 0);
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_IO);
		if (round % 2) {
			int told = debug_last_stop(rig.debug)->vcpu;

			rig_continue(&rig);
			assert_int_equal(rig_wait_stop(&rig)->reason, STOP_IO);
			assert_int_equal(debug_last_stop(rig.debug)->vcpu, !told);
			assert_int_equal(point(&rig, number)->hits, 2);
		}
		assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
		rig_continue(&rig);
		assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
		debug_dispatch(rig.debug);
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
		rig_stop(&rig);
	}
}

/* 1: out 0x10, al; jmp 1b */
static const uint8_t loop[] = {0xe6, PORT, 0xeb, 0xfc};

static void test_logging_and_ignoring(void **state)
{
	struct counter counter;
	struct rig rig = {0};
	struct error err = {0};
	int logs, counts;

	(void)state;
	start(&rig, &counter, loop, sizeof(loop));
	debug_listen(rig.debug, remember_line, &rig);
	logs = catch (&rig, POINT_CATCH_IO, PORT, 1, 0);
	log_only(&rig, logs);
	counts = catch (&rig, POINT_CATCH_IO, PORT, 2, 0);
	assert_int_equal(debug_point_ignore(rig.debug, counts, 9, &err), 0);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, counts);
	debug_dispatch(rig.debug);
	assert_int_equal(point(&rig, logs)->hits, 10);
	assert_int_equal(rig.count[DEBUG_OUTPUT], 10);
	assert_string_equal(rig.output, "vCPU 0: out 0x10 ← 0x0, 1 byte (1)\n");
	assert_int_equal(counter.writes, 10);
	assert_int_equal(debug_point_enable(rig.debug, counts, false, &err), 0);
	assert_int_equal(debug_point_enable(rig.debug, logs, false, &err), 0);
	rig_continue(&rig);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	assert_false(atomic_load(&rig.machine->attentive));
	rig_stop(&rig);
}

/* mov [0xfe000000], eax; mov [0xb8000], al; 1: jmp 1b */
static const uint8_t store[] = {0xa3, 0, 0, 0, 0xfe, 0xa2, 0, 0x80, 0x0b, 0, 0xeb, 0xfe};

static void test_mmio(void **state)
{
	struct rig rig = {.ram_size = 1 << 20};
	struct counter counter;
	const struct stop *stop;

	(void)state;
	start(&rig, &counter, store, sizeof(store));
	rig_set_reg(&rig, 0, "rax", 0x12345678);
	catch (&rig, POINT_CATCH_MMIO, MMIO, 4, ON_WRITE);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_MMIO);
	assert_int_equal(stop->address, MMIO);
	assert_int_equal(stop->new_value, 0x12345678);
	assert_int_equal(stop->size, 4);
	assert_int_equal(stop->pc, RIG_CODE + 5);
	assert_int_equal(stop->writer, RIG_CODE);
	assert_int_equal(counter.writes, 1);
	refused(&rig, (struct point_spec){.kind = POINT_CATCH_MMIO, .address = 0x1000, .length = 4},
		-EINVAL, "use a watch");
	rig_stop(&rig);
}

/* ---- MSRs ------------------------------------------------------------------------------------ */

/* wrmsr; rdmsr; 1: jmp 1b */
static const uint8_t msrs[] = {0x0f, 0x30, 0x0f, 0x32, 0xeb, 0xfe};
#define LSTAR 0xc0000082u

static void test_msrs(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	start(&rig, &counter, msrs, sizeof(msrs));
	rig_set_reg(&rig, 0, "rcx", LSTAR);
	rig_set_reg(&rig, 0, "rdx", 0xffffffff);
	rig_set_reg(&rig, 0, "rax", 0x81000000);
	catch (&rig, POINT_CATCH_MSR, LSTAR, 1, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_MSR);
	assert_int_equal(stop->address, LSTAR);
	assert_true(stop->new_value == 0xffffffff81000000);
	assert_int_equal(stop->pc, RIG_CODE + 2);
	assert_int_equal(stop->writer, RIG_CODE);
	assert_string_equal(stop->text,
			    "wrmsr 0xc0000082 (MSR_LSTAR) ← 0xffffffff81000000 (catch 1)");
	rig_set_reg(&rig, 0, "rax", 0);
	rig_set_reg(&rig, 0, "rdx", 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_true(stop->new_value == 0xffffffff81000000);
	assert_int_equal(rig_reg(&rig, 0, "rdx"), 0xffffffff);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0x81000000);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->msr_faults, 0);

	/* An address that cannot be, and an MSR that is not there: the guest's #GP, and told. */
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	rig_set_reg(&rig, 0, "rdx", 0x12345678);
	rig_continue(&rig);
	says(rig_wait_stop(&rig), ": refused, the guest gets #GP");
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->msr_faults, 1);
	assert_int_equal(debug_point_remove(rig.debug, 1, &err), 0);
	catch (&rig, POINT_CATCH_MSR, 0x1200, 0x100, ON_READ);
	rig_set_reg(&rig, 0, "rip", RIG_CODE + 2);
	rig_set_reg(&rig, 0, "rcx", 0x1234);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	says(stop, "rdmsr 0x1234: refused");
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->msr_faults, 2);
	refused(&rig, (struct point_spec){.kind = POINT_CATCH_MSR, .address = 0x830, .length = 1},
		-ENOTSUP, "local APIC");
	rig_stop(&rig);
}

/* What nobody catches any more does not exit. */
static void test_the_filter_goes_with_the_catch(void **state)
{
	struct counter counter;
	struct rig rig = {0};
	struct error err = {0};
	int number;

	(void)state;
	start(&rig, &counter, msrs, sizeof(msrs));
	rig_set_reg(&rig, 0, "rcx", LSTAR);
	number = catch (&rig, POINT_CATCH_MSR, LSTAR, 1, 0);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	rig_break(&rig, RIG_CODE + 4);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(recorder_exits(&rig.machine->vcpus[0].recorder, EXIT_WRMSR), 0);
	rig_stop(&rig);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* nop; hlt; 1: jmp 1b */
static const uint8_t halts[] = {0x90, 0xf4, 0xeb, 0xfe};

static void test_hlt(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0}, kernel = {0};

	(void)state;
	start(&rig, &counter, halts, sizeof(halts));
	catch (&rig, POINT_CATCH_HLT, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_HLT);
	assert_int_equal(stop->pc, RIG_CODE + 2);
	says(stop, "interrupts off");
	rig_stop(&rig);

	rig_start(&kernel, 1, IRQCHIP_KERNEL);
	refused(&kernel, (struct point_spec){.kind = POINT_CATCH_HLT}, -ENOTSUP, "-irqchip=user");
	rig_stop(&kernel);
}

/* nop; int3; 1: jmp 1b */
static const uint8_t breaks[] = {0x90, 0xcc, 0xeb, 0xfe};

static void guest_int3(enum dummy_int3 how, uint64_t pc)
{
	struct rig rig = {.dummy = {.int3 = how}};
	struct counter counter;
	const struct stop *stop;

	start(&rig, &counter, breaks, sizeof(breaks));
	catch (&rig, POINT_CATCH_INT3, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_GUEST_INT3);
	assert_int_equal(stop->writer, RIG_CODE + 1);
	assert_int_equal(stop->pc, pc);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_bp, 0);
	rig_break(&rig, RIG_CODE + 2);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	rig_stop(&rig);
}

static void test_int3(void **state)
{
	struct rig lost = {.dummy = {.int3 = DUMMY_INT3_TO_GUEST}};

	(void)state;
	guest_int3(DUMMY_INT3_TRAPS, RIG_CODE + 1);
	guest_int3(DUMMY_INT3_EMULATION_FAILURE, RIG_CODE + 2);
	rig_start(&lost, 1, IRQCHIP_KERNEL);
	refused(&lost, (struct point_spec){.kind = POINT_CATCH_INT3}, -ENOTSUP,
		"catch exception 3");
	rig_stop(&lost);
}

/* out 0x92, al: the reset that chipsets have */
static const uint8_t resets[] = {0xe6, 0x92, 0xeb, 0xfe};

static void test_reset(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, resets, sizeof(resets));
	rig_set_reg(&rig, 0, "rax", 1);
	catch (&rig, POINT_CATCH_RESET, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_RESET);
	says(stop, "port 0x92");
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE + 2);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
	assert_int_equal(rig.count[DEBUG_RESET], 0);
	rig_continue(&rig);
	while (rig.count[DEBUG_RESET] == 0)
		assert_true(rig_wait(&rig));
	rig_stop(&rig);
}

/* out 0xf4, al: the debug exit */
static const uint8_t ends[] = {0xe6, 0xf4, 0xeb, 0xfe};

static void test_shutdown(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, ends, sizeof(ends));
	rig_set_reg(&rig, 0, "rax", 3);
	catch (&rig, POINT_CATCH_SHUTDOWN, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_SHUTDOWN);
	says(stop, "the guest asks for the end");
	assert_int_equal(rig.count[DEBUG_EXITED], 0);
	rig_continue(&rig);
	assert_int_equal(rig_wait_exit(&rig)->exit_status, 7);
	rig_stop(&rig);
}

static void test_triple_fault(void **state)
{
	const struct vm_exit dies = {.reason = EXIT_SHUTDOWN};
	struct rig rig = {.config = {.on_triple_fault = ON_TRIPLE_FAULT_EXIT}};
	const struct stop *stop;
	struct counter counter;
	int number;

	(void)state;
	start(&rig, &counter, halts, sizeof(halts));
	number = catch (&rig, POINT_CATCH_TRIPLE_FAULT, 0, 0, 0);
	dummy_play(rig.machine->vcpus[0].accel, &dies, 1);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_TRIPLE_FAULT);
	assert_int_equal(stop->point, number);
	assert_int_equal(rig.count[DEBUG_EXITED], 0);
	rig_stop(&rig);
}

static void test_emulation_failure(void **state)
{
	static const uint8_t bad[] = {0x0f, 0xae, 0x2f};
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};
	int number;

	(void)state;
	start(&rig, &counter, bad, sizeof(bad));
	number = catch (&rig, POINT_CATCH_EMULATION, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_EMULATION_FAILURE);
	assert_int_equal(stop->point, number);
	says(stop, "xrstor");
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE);
	rig_stop(&rig);
}

/* As if the access had led to code that left protected mode. */
static void leave_protected_mode(struct rig *rig)
{
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state state;

	vcpu->accel->ops->state_get(vcpu->accel, CPU_SYSTEM, &state);
	state.system.cr0 &= ~CR0_PE;
	vcpu->accel->ops->state_put(vcpu->accel, CPU_SYSTEM, &state);
}

static void test_mode_switch(void **state)
{
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};
	int number;

	(void)state;
	start(&rig, &counter, talk, sizeof(talk));
	number = catch (&rig, POINT_CATCH_MODE, 0, 0, 0);
	counter.then = leave_protected_mode;
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_MODE_SWITCH);
	assert_int_equal(stop->point, number);
	says(stop, "to real mode");
	/* Once: the mode is the one that it is now. */
	rig_break(&rig, RIG_CODE + 5);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	rig_stop(&rig);
}

static void set_run_state(struct rig *rig, unsigned i, enum cpu_run_state run_state)
{
	struct vcpu *vcpu = &rig->machine->vcpus[i];

	vcpu_state(vcpu, CPU_EVENTS)->events.run_state = run_state;
	vcpu_dirty(vcpu, CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

static const uint8_t spin[] = {0xeb, 0xfe};

/* Started while it was held: told at the next resume, before it runs. */
static void test_online(void **state)
{
	const struct stop *stop;
	struct rig rig = {0}, one = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, spin, sizeof(spin));
	rig_code(&rig, 1, spin, sizeof(spin));
	set_run_state(&rig, 1, CPU_WAIT_SIPI);
	catch (&rig, POINT_CATCH_ONLINE, 0, 0, 0);
	rig_continue(&rig);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	debug_dispatch(rig.debug);
	set_run_state(&rig, 1, CPU_RUNNABLE);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_ONLINE);
	assert_int_equal(stop->vcpu, 1);
	assert_int_equal(stop->pc, RIG_CODE + RIG_APART);
	rig_continue(&rig);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	debug_dispatch(rig.debug);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	rig_stop(&rig);

	rig_start(&one, 1, IRQCHIP_KERNEL);
	refused(&one, (struct point_spec){.kind = POINT_CATCH_ONLINE}, -EINVAL, "one vCPU");
	assert_int_equal(err.code, 0);
	rig_stop(&one);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

#define IDT	0x4000
#define GDT	0x5000
#define STACK	0x8000
#define HANDLER 0x6000
#define PF	14

static void put(struct rig *rig, uint64_t gpa, const void *bytes, size_t size)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, bytes, size), size);
}

static void put_gate(struct rig *rig, unsigned vector, uint32_t handler)
{
	const uint16_t gate[4] = {(uint16_t)handler, 8, 0x8e00, (uint16_t)(handler >> 16)};

	put(rig, IDT + 8 * vector, gate, sizeof(gate));
}

static void set_tables(struct rig *rig)
{
	static const uint8_t code[8] = {0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0};
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	put(rig, GDT + 8, code, sizeof(code));
	put(rig, HANDLER, spin, sizeof(spin));
	put(rig, HANDLER + 0x100, spin, sizeof(spin));
	put_gate(rig, PF, HANDLER);
	state->system.idt = (struct cpu_table){IDT, 0x7ff};
	state->system.gdt = (struct cpu_table){GDT, 0xf};
	state->system.cr2 = 0x1234;
	state->general.gpr[GPR_RSP] = STACK;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* The dummy raises nothing: the code jumps to the handler, with a frame on the stack as the processor would
 * have pushed it. 1: out 0x10, al; jmp HANDLER (0x6000) by two short jumps would not reach, so the gate is
 * moved to where the jump goes. */
static const uint8_t faults[] = {0xe6, PORT, 0xeb, 0x1c};
#define ENTRY (RIG_CODE + 0x20)

static void push_frame(struct rig *rig, uint32_t error, uint32_t rip, uint32_t cs, uint32_t flags)
{
	const uint32_t frame[4] = {error, rip, cs, flags};

	put(rig, STACK, frame, sizeof(frame));
}

static void start_faulting(struct rig *rig, struct counter *counter)
{
	start(rig, counter, faults, sizeof(faults));
	set_tables(rig);
	put(rig, ENTRY, halts, sizeof(halts));
	put_gate(rig, PF, ENTRY);
}

static void test_an_exception(void **state)
{
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};
	int number;

	(void)state;
	start_faulting(&rig, &counter);
	push_frame(&rig, 2, 0x1003, 8, 0x202);
	number = catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_EXCEPTION);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->vector, PF);
	assert_int_equal(stop->error_code, 2);
	assert_int_equal(stop->address, 0x1234);
	assert_int_equal(stop->writer, 0x1003);
	assert_int_equal(stop->pc, ENTRY);
	assert_string_equal(stop->text, "#PF at 0x1003: write to 0x1234 by the kernel, not mapped, "
					"error code 0x2 (catch 1)");
	if (!strstr(point(&rig, number)->rung, "on its handler 0x1020"))
		fail_msg("through %s", point(&rig, number)->rung);
	/* Goes on behind it: the handler spins, and is not told again for standing there. */
	rig_set_reg(&rig, 0, "rip", ENTRY);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	rig_stop(&rig);
}

/* Whoever is at the handler's entry without the processor's frame has jumped there. */
static void no_exception(uint32_t rip, uint32_t cs, uint32_t flags)
{
	struct counter counter;
	struct rig rig = {0};
	int number;

	start_faulting(&rig, &counter);
	push_frame(&rig, 2, rip, cs, flags);
	number = catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	while (counter.writes == 0)
		;
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	debug_dispatch(rig.debug);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	assert_int_equal(point(&rig, number)->hits, 0);
	rig_stop(&rig);
}

static void test_a_jump_is_no_exception(void **state)
{
	static const uint8_t software[] = {0xcd, PF};
	struct rig rig = {0};
	struct counter counter;

	(void)state;
	no_exception(0x1003, 0, 0x202);	     /* no code segment */
	no_exception(0x1003, 8, 0);	     /* no flags */
	no_exception(0x1003, 8, 0xffff0202); /* reserved ones */
	no_exception(0x1003, 0x12345678, 2);
	/* int 14, whose return address is behind it */
	start_faulting(&rig, &counter);
	put(&rig, 0x7000, software, sizeof(software));
	push_frame(&rig, 2, 0x7002, 8, 0x202);
	catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	while (counter.writes == 0)
		;
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	debug_dispatch(rig.debug);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	rig_stop(&rig);
}

static void move_the_gate(struct rig *rig)
{
	put_gate(rig, PF, ENTRY);
}

/* The guest's own doing, after the launch: an exit shows that the gate leads elsewhere now. */
static void test_a_gate_is_followed(void **state)
{
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};

	(void)state;
	start_faulting(&rig, &counter);
	put_gate(&rig, PF, HANDLER);
	counter.then = move_the_gate;
	push_frame(&rig, 0, 0x1003, 8, 0x202);
	catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_EXCEPTION);
	assert_int_equal(stop->pc, ENTRY);
	rig_stop(&rig);
}

static void test_exceptions_that_cannot_be(void **state)
{
	struct counter counter;
	struct rig rig = {0};
	int number, shared, pf;

	(void)state;
	start_faulting(&rig, &counter);
	refused(&rig,
		(struct point_spec){.kind = POINT_CATCH_EXCEPTION, .address = 33, .length = 1},
		-EINVAL, "0 to 31");
	refused(&rig,
		(struct point_spec){.kind = POINT_CATCH_IO, .address = 0xfff0, .length = 0x20},
		-EINVAL, "0xffff");
	put_gate(&rig, 13, ENTRY);
	shared = catch (&rig, POINT_CATCH_EXCEPTION, 13, 1, 0);
	pf = catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	number = catch (&rig, POINT_CATCH_EXCEPTION, 6, 1, 0);
	push_frame(&rig, 0, 0x1003, 8, 0x202);
	rig_continue(&rig);
	/* Both have the handler, and the frame fits both: the first one is told. */
	assert_int_equal(rig_wait_stop(&rig)->point, shared);
	if (!strstr(point(&rig, pf)->rung, "shared") ||
	    !strstr(point(&rig, shared)->rung, "shared"))
		fail_msg("through %s", point(&rig, pf)->rung);
	if (!strstr(point(&rig, number)->rung, "pending: gate 6"))
		fail_msg("through %s", point(&rig, number)->rung);
	rig_stop(&rig);
}

/* ---- words ----------------------------------------------------------------------------------- */

static void text_is(struct point_spec spec, const char *expected)
{
	char text[80];

	debug_catch_text(&spec, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_words(void **state)
{
	(void)state;
	text_is(
		(struct point_spec){
			.kind = POINT_CATCH_IO, .address = 0x60, .length = 5, .direction = ON_READ},
		"io 0x60-0x64 r");
	text_is((struct point_spec){.kind = POINT_CATCH_EXCEPTION, .address = 14, .length = 1},
		"exception 14 #PF");
	text_is((struct point_spec){.kind = POINT_CATCH_MSR, .address = LSTAR, .length = 1},
		"msr 0xc0000082 MSR_LSTAR");
	text_is((struct point_spec){.kind = POINT_CATCH_HLT}, "hlt");
	assert_int_equal(debug_catch_kind("triple-fault"), POINT_CATCH_TRIPLE_FAULT);
	assert_int_equal(debug_catch_kind("nothing"), POINT_KIND_COUNT);
	assert_null(debug_catch_name(POINT_WRITE));
	assert_true(debug_catch_ranged(POINT_CATCH_MSR));
	assert_false(debug_catch_directed(POINT_CATCH_EXCEPTION));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port),
		cmocka_unit_test(test_a_port_under_a_step),
		cmocka_unit_test(test_two_at_one_port),
		cmocka_unit_test(test_logging_and_ignoring),
		cmocka_unit_test(test_mmio),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_the_filter_goes_with_the_catch),
		cmocka_unit_test(test_hlt),
		cmocka_unit_test(test_int3),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_triple_fault),
		cmocka_unit_test(test_emulation_failure),
		cmocka_unit_test(test_mode_switch),
		cmocka_unit_test(test_online),
		cmocka_unit_test(test_an_exception),
		cmocka_unit_test(test_a_jump_is_no_exception),
		cmocka_unit_test(test_a_gate_is_followed),
		cmocka_unit_test(test_exceptions_that_cannot_be),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
