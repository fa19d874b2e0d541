// SPDX-License-Identifier: GPL-3.0-or-later
/* What runs in ring 3. The linker keeps this file's code and data on pages that ring 3 may touch;
 * it must not use anything of the kernel but system calls. */
#include "system.h"

struct statistics {
	long by_syscall, by_interrupt, sum;
};

struct statistics statistics;

long call_by_syscall(long number, long a, long b);
long call_by_interrupt(long number, long a, long b);
long add_up(const long *values, unsigned count);
long one_round(long round);
void user_main(long rounds, long code);

/* The CPU itself overwrites RCX and R11. */
__attribute__((noinline)) long call_by_syscall(long number, long a, long b)
{
	long result;

	statistics.by_syscall++;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((noinline)) long call_by_interrupt(long number, long a, long b)
{
	long result;

	statistics.by_interrupt++;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "memory");
	return result;
}

__attribute__((noinline)) long add_up(const long *values, unsigned count)
{
	long sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += values[i];
	return sum;
}

__attribute__((noinline)) long one_round(long round)
{
	long values[3] = {round, round * 10, round * 100};
	long sum = add_up(values, 3);

	call_by_syscall(SYSTEM_WRITE, (long)"hello by syscall", round);
	call_by_interrupt(SYSTEM_WRITE, (long)"hello by int 0x80", sum);
	return call_by_syscall(SYSTEM_ADD, sum, 1);
}

void user_main(long rounds, long code)
{
	for (long round = 1; rounds == 0 || round <= rounds; round++)
		statistics.sum += one_round(round);
	call_by_interrupt(SYSTEM_WRITE, (long)"goodbye, the sum is", statistics.sum);
	call_by_syscall(SYSTEM_EXIT, code, 0);
}
