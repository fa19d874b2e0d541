// SPDX-License-Identifier: GPL-3.0-or-later
/* 32-bit code in flat protected mode, without paging: functions with arguments on the stack.
 * Command line: exit=V  the value to end with (0). */
#include "arguments.h"
#include "port.h"
#include "print.h"

struct point {
	int x, y;
};

struct shape {
	struct point corners[4];
	unsigned count;
};

struct shape square = {.corners = {{0, 0}, {10, 0}, {10, 10}, {0, 10}}, .count = 4};
int numbers[8] = {42, 7, 19, 3, 88, 1, 56, 23};

unsigned greatest_divisor(unsigned a, unsigned b);
void sort(int *values, unsigned count);
int twice_area(const struct shape *shape);
struct point middle(struct point a, struct point b);
void guest_main(uint32_t ram_size, const char *command_line);

unsigned greatest_divisor(unsigned a, unsigned b)
{
	if (b == 0)
		return a;
	return greatest_divisor(b, a % b);
}

void sort(int *values, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		int value = values[i];
		unsigned at = i;

		for (; at > 0 && values[at - 1] > value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
}

int twice_area(const struct shape *shape)
{
	int sum = 0;

	for (unsigned i = 0; i < shape->count; i++) {
		const struct point *a = &shape->corners[i];
		const struct point *b = &shape->corners[(i + 1) % shape->count];

		sum += a->x * b->y - b->x * a->y;
	}
	return sum;
}

struct point middle(struct point a, struct point b)
{
	struct point m = {(a.x + b.x) / 2, (a.y + b.y) / 2};

	return m;
}

void guest_main(uint32_t ram_size, const char *command_line)
{
	struct point m;

	serial_init();
	print("prot32: %u MiB of memory, command line \"%s\"\n", ram_size >> 20, command_line);
	print("gcd(1071, 462) = %u\n", greatest_divisor(1071, 462));
	sort(numbers, 8);
	print("sorted: %d %d %d ... %d\n", numbers[0], numbers[1], numbers[2], numbers[7]);
	m = middle(square.corners[0], square.corners[2]);
	print("area = %d, middle = (%d, %d)\n", twice_area(&square) / 2, m.x, m.y);
	print("prot32: done\n");
	debug_exit((uint8_t)argument_number(command_line, "exit", 0));
}
