// SPDX-License-Identifier: GPL-3.0-or-later
/* Two processes and, when neither can run, the kernel's own idle loop. They take turns at each interrupt. */
#include "kernel.h"
#include "port.h"
#include "print.h"

#define COUNT  3
#define IF_SET 0x202

void counter_main(void); /* in ring 3: program.c */
void shell_main(void);

struct process *current;
unsigned ticks;

static struct space spaces[2];
static struct process processes[COUNT] = {
	{.name = "counter", .space = &spaces[0]},
	{.name = "shell", .space = &spaces[1]},
	{.name = "idle"},
};

static uint8_t *stack_top(struct process *process)
{
	return process->stack + sizeof(process->stack);
}

/* A frame as if it had been interrupted before its first instruction. The word on its stack is where a return address
 * would be. */
static void process_init(struct process *process, void (*entry)(void))
{
	struct frame *frame = (struct frame *)stack_top(process) - 1;

	space_init(process->space);
	*frame = (struct frame){.eip = (uint32_t)entry,
				.cs = USER_CODE,
				.eflags = IF_SET,
				.esp = USER_END - 4,
				.ss = USER_DATA};
	process->frame = frame;
}

void processes_init(void)
{
	process_init(&processes[0], counter_main);
	process_init(&processes[1], shell_main);
}

void processes_run(void)
{
	current = &processes[COUNT - 1];
	set_kernel_stack(stack_top(current));
	for (;;)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* The one behind the current one that can run; the idle loop, last in the list, when there is no other. */
static struct process *choose(void)
{
	unsigned at = (unsigned)(current - processes);

	for (unsigned i = 1; i <= COUNT; i++) {
		struct process *process = &processes[(at + i) % COUNT];

		if (process->state == READY && process->space)
			return process;
	}
	return &processes[COUNT - 1];
}

struct frame *next_process(void)
{
	struct process *process = choose();

	if (process != current)
		process->turns++;
	current = process;
	set_kernel_stack(stack_top(process));
	space_enter(process->space);
	return process->frame;
}

void wake_up(enum state waiting)
{
	for (unsigned i = 0; i < COUNT; i++)
		if (processes[i].state == waiting)
			processes[i].state = READY;
}

void wait_in(struct frame *frame, enum state state)
{
	frame->eip -= 2; /* to the int 0x80 again */
	current->state = state;
}
