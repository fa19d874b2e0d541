// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "step_interrupt_rig.h"

uint64_t step_reg(struct place *p, const char *name)
{
	return rig_reg(&p->rig, 0, name);
}

void raise_line(struct place *p, bool level)
{
	struct accel_vm *vm = p->rig.machine->vm;

	assert_int_equal(vm->ops->irq_line(vm, LINE, level), 0);
}

void mask_others(struct place *p)
{
	static const uint8_t code[] = {0xb0, 0xdf, 0xe6, 0x21};

	place_code(p, code, sizeof(code));
	place_step(p, "mov", RIG_CODE + 2);
	place_step(p, "out", RIG_CODE + 4);
}

void code_with_interrupts(struct place *p, const uint8_t *code, size_t size)
{
	mask_others(p);
	place_code(p, code, size);
	rig_set_reg(&p->rig, 0, "rflags", RFLAGS_FIXED | RFLAGS_IF);
}

void accept_interrupt(struct place *p)
{
	struct vcpu *vcpu = &p->rig.machine->vcpus[0];
	struct cpu_state *s = vcpu_state(vcpu, CPU_EVENTS);

	s->events.interrupt.injected = true;
	s->events.interrupt.soft = false;
	s->events.interrupt.vector = LINE;
	vcpu_dirty(vcpu, CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

uint64_t step_hits(struct place *p)
{
	return debug_point_next(p->rig.debug, NULL)->hits;
}

/* mov $0x66, %al; mov %al, 0x7000; iretq */
static const uint8_t writer[] = {0xb0, 0x66, 0xa2, 0x00, 0x70, 0, 0, 0, 0, 0, 0, 0x48, 0xcf};

void start_writer(struct place *p, const char *strategy, const uint8_t *code, size_t size)
{
	place_start(p, LONG, strategy);
	place_put(p, HANDLER, writer, sizeof(writer));
	code_with_interrupts(p, code, size);
}
