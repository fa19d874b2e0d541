// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The demonstration guest: a small kernel in long mode that lives on the timer interrupt. Twice a
 * second it does some work and prints a line; in between it sleeps in hlt. Change `message_number`,
 * or a member of `counter`, from a debugger, and the next line shows it.
 *
 * Command line: ticks=N  exit after N lines      exit=V   with this value (0)
 *               every=N  timer interrupts a line (10, at 20 a second)
 *               text     write to the text screen too
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

enum { TIMER_HZ = 20, INPUT_SIZE = 64 };

struct counter {
	int value;
	int step;
	unsigned long updates;
};

struct shared {
	unsigned long interrupts; /* of the timer */
	unsigned long lines;
	unsigned long received;
	char last_key;
};

/* Bytes from the interrupt handler to the main loop; only ever one writer and one reader. */
struct input {
	char bytes[INPUT_SIZE];
	volatile unsigned head, tail;
};

volatile struct shared shared;
struct counter counter = {.value = 0, .step = 1};
volatile unsigned message_number = 1;
struct input input;

static const char *const messages[] = {
	"silence",
	"all is well",
	"somebody is watching",
	"hello, debugger",
	"the display case is open",
};

void timer_interrupt(struct frame *frame);
void serial_interrupt(struct frame *frame);
unsigned long factorial(unsigned n);
unsigned long fibonacci(unsigned n);
int sum_of_squares(const int *values, unsigned count);
void counter_add(struct counter *which, int amount);
const char *message_text(unsigned number);
void work(unsigned long line);
void print_line(unsigned long line);
void echo_input(void);
void run(unsigned long lines, unsigned long interrupts_per_line);

void timer_interrupt(struct frame *frame)
{
	(void)frame;
	shared.interrupts++;
	pic_end_of_interrupt(0);
}

void serial_interrupt(struct frame *frame)
{
	int c;

	(void)frame;
	while ((c = serial_get()) >= 0) {
		if (input.head - input.tail < INPUT_SIZE)
			input.bytes[input.head++ % INPUT_SIZE] = (char)c;
	}
	pic_end_of_interrupt(4);
}

unsigned long factorial(unsigned n)
{
	unsigned long rest;

	if (n <= 1)
		return 1;
	rest = factorial(n - 1);
	return n * rest;
}

unsigned long fibonacci(unsigned n)
{
	if (n < 2)
		return n;
	return fibonacci(n - 1) + fibonacci(n - 2);
}

int sum_of_squares(const int *values, unsigned count)
{
	int sum = 0;

	for (unsigned i = 0; i < count; i++) {
		int square = values[i] * values[i];

		sum += square;
	}
	return sum;
}

void counter_add(struct counter *which, int amount)
{
	int old = which->value;
	int new = old + amount;

	which->value = new;
	which->updates++;
}

const char *message_text(unsigned number)
{
	unsigned count = sizeof(messages) / sizeof(messages[0]);

	return number < count ? messages[number] : "a number without a text";
}

void work(unsigned long line)
{
	int values[4] = {1, 2, 3, (int)line};
	unsigned n = (unsigned)(line % 6);
	unsigned long f = factorial(n);
	unsigned long fib = fibonacci(n);
	int sum = sum_of_squares(values, 4);

	counter_add(&counter, counter.step);
	print("work: %u! = %lu, fib(%u) = %lu, squares = %d\n", n, f, n, fib, sum);
}

void print_line(unsigned long line)
{
	unsigned number = message_number;

	print("tick %lu: counter.value = %d, message %u: %s\n", line, counter.value, number,
	      message_text(number));
}

void echo_input(void)
{
	while (input.tail != input.head) {
		char key = input.bytes[input.tail % INPUT_SIZE];

		input.tail++;
		shared.received++;
		shared.last_key = key;
		if (key >= ' ' && key < 0x7f)
			print("got '%c'\n", key);
		else
			print("got 0x%x\n", (uint8_t)key);
	}
}

/* Interrupts are off here, but for the hlt. */
static void sleep_until(unsigned long interrupt)
{
	while ((long)(interrupt - shared.interrupts) > 0) {
		wait_for_interrupt();
		echo_input();
	}
}

void run(unsigned long lines, unsigned long interrupts_per_line)
{
	unsigned long next = shared.interrupts;

	while (lines == 0 || shared.lines < lines) {
		next += interrupts_per_line;
		sleep_until(next);
		shared.lines++;
		work(shared.lines);
		print_line(shared.lines);
	}
}

/* The page at 0 is taken away, so that a null pointer faults; code cannot be written, and nothing
 * but code can be executed. */
static void protect_image(void)
{
	uint64_t data = PAGE_PRESENT | PAGE_WRITE | PAGE_NX;

	paging_set(0, 0);
	paging_set_range((uint64_t)image_start, (uint64_t)text_end, PAGE_PRESENT);
	paging_set_range((uint64_t)text_end, (uint64_t)rodata_end, PAGE_PRESENT | PAGE_NX);
	paging_set_range((uint64_t)rodata_end, (uint64_t)image_end, data);
}

static void interrupts_init(void)
{
	exceptions_init();
	pic_init();
	exception_handler(VECTOR_TIMER, timer_interrupt);
	exception_handler(VECTOR_SERIAL, serial_interrupt);
	timer_init(TIMER_HZ);
	serial_receive_interrupts();
	pic_unmask(0);
	pic_unmask(4);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	unsigned long every = argument_number(command_line, "every", 10);

	serial_init();
	if (argument_given(command_line, "text"))
		text_screen_on();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	protect_image();
	interrupts_init();
	print("long64: %lu MiB of memory, command line \"%s\"\n", ram_size >> 20, command_line);
	run(argument_number(command_line, "ticks", 0), every ? every : 1);
	print("long64: done\n");
	debug_exit((uint8_t)argument_number(command_line, "exit", 0));
}
