// SPDX-License-Identifier: GPL-3.0-or-later
/* What the benchmark debugs, behind start.S: it calls hot() for ever, and others once in a while. */
void hot(unsigned n);
void turn(void);
void milestone(unsigned power);
void run(void);

volatile unsigned turns, sum;

/* The breakpoint whose condition is false. */
__attribute__((noinline)) void hot(unsigned n)
{
	sum += n;
}

/* A thousand turns, and all of them on one line. */
// clang-format off
__attribute__((noinline)) void turn(void)
{
	unsigned i;

	sum = 0;
	for (i = 0; i < 1000; i++) sum += i;
	sum = 0;
}
// clang-format on

/* Every 2^power calls of hot(). */
__attribute__((noinline)) void milestone(unsigned power)
{
	sum = power;
}

void run(void)
{
	for (;;) {
		hot(++turns);
		if (turns % 64 == 0)
			milestone(6);
		if (turns % 65536 == 0)
			turn();
	}
}
