// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One function, called over and over, by turns in two address spaces: code that is too hot for a debugger that looks at
 * each call itself. In both spaces the code is the same; the page that `here` is in is another one.
 *
 * Command line: turns=N  how many calls (1000; 0: for ever), then the end: value 0 when all were counted
 *               one      in the first address space alone
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

#include <stddef.h>

enum { ENTRIES = 512, PAGE_SIZE = 4096, ITEMS = 4 };

#define TABLE_FLAGS (PAGE_PRESENT | PAGE_WRITE | PAGE_USER)

enum color { RED, GREEN, BLUE };

/* A value of every kind; what they are follows from the turn. */
struct item {
	int8_t s8;
	uint8_t u8;
	int16_t s16;
	uint16_t u16;
	int32_t s32;
	uint32_t u32;
	int64_t s64;
	uint64_t u64;
	unsigned flag : 1, small : 3;
	int level : 4;
	enum color color;
	struct item *next; /* NULL in the last one */
	const char *name;
	uint8_t bytes[8];
	int table[2][3];
	int divisor; /* turn % 5 */
};

struct space {
	unsigned number; /* 1, 2 */
	unsigned long visits;
};

/* `here` is one page or the other. */
union page {
	struct space space;
	uint8_t bytes[PAGE_SIZE];
};

volatile unsigned long turn;
struct item items[ITEMS];
union page here __attribute__((aligned(4096))) = {.space = {.number = 1}};
union page there __attribute__((aligned(4096))) = {.space = {.number = 2}};
uint64_t first_cr3, second_cr3;

static uint64_t second[4][ENTRIES] __attribute__((aligned(4096)));
static const char *const names[ITEMS] = {"anna", "berta", "clara", "dora"};

void prepare(struct item *item, unsigned long number);
void visit(struct item *item, unsigned long number);
void take_turn(unsigned long number);

/* ---- two address spaces -------------------------------------------------------------------- */

static void load_cr3(uint64_t cr3)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

/* Copies a table of pages, and makes the entry in it lead to the next copy. */
static uint64_t *copy_table(const uint64_t *table, unsigned level, unsigned entry)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		second[level][i] = table[i];
	if (level < 3)
		second[level][entry] = (uint64_t)second[level + 1] | TABLE_FLAGS;
	return (uint64_t *)(table[entry] & ~0xfffull);
}

static void make_second_space(void)
{
	uint64_t address = (uint64_t)&here;
	uint64_t *table = (uint64_t *)(read_cr3() & ~0xfffull);

	for (unsigned level = 0; level < 4; level++)
		table = copy_table(table, level, address >> (39 - 9 * level) & (ENTRIES - 1));
	second[3][address / PAGE_SIZE % ENTRIES] = (uint64_t)&there | PAGE_PRESENT | PAGE_WRITE;
	first_cr3 = read_cr3();
	second_cr3 = (uint64_t)second[0];
}

/* ---- the turns ----------------------------------------------------------------------------- */

void prepare(struct item *item, unsigned long number)
{
	item->s8 = (int8_t)number;
	item->u8 = (uint8_t)number;
	item->s16 = (int16_t)(number * 1000);
	item->u16 = (uint16_t)(number * 1000);
	item->s32 = -(int32_t)number;
	item->u32 = (uint32_t)number - 10;
	item->s64 = 5 - (int64_t)number;
	item->u64 = number << 60;
	item->flag = number & 1;
	item->small = number & 7;
	item->level = (int)(number & 15) - 8;
	item->color = number % 3 == 0 ? RED : number % 3 == 1 ? GREEN : BLUE;
	item->bytes[number % 8] = (uint8_t)number;
	item->table[1][2] = (int)number * 2;
	item->divisor = (int)(number % 5);
}

void visit(struct item *item, unsigned long number)
{
	here.space.visits++;
	item->bytes[0] = (uint8_t)number;
}

void take_turn(unsigned long number)
{
	struct item *item = &items[number % ITEMS];

	prepare(item, number);
	visit(item, number);
}

static void run(unsigned long turns, bool one)
{
	for (unsigned long number = 1; turns == 0 || number <= turns; number++) {
		turn = number;
		if (!one)
			load_cr3(number % 2 ? first_cr3 : second_cr3);
		take_turn(number);
	}
	load_cr3(first_cr3);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	unsigned long turns = argument_number(command_line, "turns", 1000), all;

	(void)ram_size;
	serial_init();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	exceptions_init();
	paging_set(0, 0);
	make_second_space();
	for (unsigned i = 0; i < ITEMS; i++) {
		items[i].name = names[i];
		items[i].next = i + 1 < ITEMS ? &items[i + 1] : NULL;
	}
	run(turns, argument_given(command_line, "one"));
	all = here.space.visits + there.space.visits;
	print("hot: %lu turns, %lu here and %lu there\n", turns, here.space.visits,
	      there.space.visits);
	debug_exit(all == turns ? 0 : 1);
}
