// SPDX-License-Identifier: GPL-3.0-or-later
#include "cpu64.h"
#include "port.h"
#include "print.h"

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_middle;
	uint32_t offset_high, zero;
};

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60
#define GATE_PRESENT   0x80

extern const uint64_t isr_table[VECTOR_COUNT];
void exception_dispatch(struct frame *frame);

static struct gate idt[256];
static handler_fn *handlers[VECTOR_COUNT];

static const char *const names[] = {
	"#DE divide error",
	"#DB debug",
	"NMI",
	"#BP breakpoint",
	"#OF overflow",
	"#BR bound range",
	"#UD invalid opcode",
	"#NM device not available",
	"#DF double fault",
	"coprocessor segment overrun",
	"#TS invalid TSS",
	"#NP segment not present",
	"#SS stack fault",
	"#GP general protection",
	"#PF page fault",
	"vector 15",
	"#MF x87 error",
	"#AC alignment check",
	"#MC machine check",
	"#XM SIMD error",
};

const char *exception_name(unsigned vector)
{
	return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "interrupt";
}

/* int 0x80 has the last row. */
static unsigned row_of(unsigned vector)
{
	return vector == VECTOR_SYSTEM ? VECTOR_COUNT - 1 : vector;
}

static void set_gate(unsigned vector, uint64_t address)
{
	idt[vector] = (struct gate){
		.offset_low = (uint16_t)address,
		.offset_middle = (uint16_t)(address >> 16),
		.offset_high = (uint32_t)(address >> 32),
		.selector = KERNEL_CODE,
		.type = GATE_INTERRUPT | (vector == VECTOR_SYSTEM ? GATE_USER : 0),
	};
}

void exceptions_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void exceptions_init(void)
{
	for (unsigned vector = 0; vector < VECTOR_COUNT - 1; vector++)
		set_gate(vector, isr_table[vector]);
	set_gate(VECTOR_SYSTEM, isr_table[VECTOR_COUNT - 1]);
	exceptions_load();
}

void exception_handler(unsigned vector, handler_fn *handler)
{
	handlers[row_of(vector)] = handler;
}

void exception_gate(unsigned vector, int present)
{
	idt[vector].type = (uint8_t)((idt[vector].type & ~GATE_PRESENT) |
				     (present ? GATE_PRESENT : 0));
}

void exception_stack(unsigned vector, unsigned stack)
{
	idt[vector].stack = (uint8_t)stack;
}

void print_frame(const struct frame *frame)
{
	print("vector %lu, %s: error code 0x%lx, cr2 0x%lx, rip 0x%lx\n", frame->vector,
	      exception_name((unsigned)frame->vector), frame->error, read_cr2(), frame->rip);
}

void exception_dispatch(struct frame *frame)
{
	handler_fn *handler = handlers[row_of((unsigned)frame->vector)];

	if (handler) {
		handler(frame);
		return;
	}
	print("unexpected ");
	print_frame(frame);
	debug_exit((uint8_t)frame->vector);
}
