// SPDX-License-Identifier: GPL-3.0-or-later
/* A Linux guest's modules: their names behind the image's, and guests that lie about them. */
#include "command_rig.h"
#include "module_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODULE	0x110000u /* the first struct module; the others behind it, 0x1000 each */
#define CODE	0x200000u /* of the first module; 0x1000 each */
#define SYMTAB	0x400000u /* 0x1000 each */
#define STRTAB	0x480000u
#define SYMBOLS 4

/* ---- the guest -------------------------------------------------------------------------------- */

struct world {
	struct rig rig;
	struct module_image image;
};

static struct module *module_at(struct world *l, unsigned index)
{
	return (struct module *)(l->rig.debug->ram + MODULE + index * 0x1000);
}

static uint64_t list_of(unsigned index)
{
	return KERNEL + MODULE + index * 0x1000 + offsetof(struct module, next);
}

static Elf64_Sym *symbols_of(struct world *l, unsigned index)
{
	return (Elf64_Sym *)(l->rig.debug->ram + SYMTAB + index * 0x1000);
}

static char *strings_of(struct world *l, unsigned index)
{
	return (char *)l->rig.debug->ram + STRTAB + index * 0x1000;
}

/* Functions NAME_first and NAME_second, 0x100 bytes each, and an object. */
static void make_symbols(struct world *l, unsigned index, const char *name)
{
	static const char *const ends[] = {"", "_first", "_second", "_object"};
	Elf64_Sym *symbols = symbols_of(l, index);
	char *text = strings_of(l, index);
	uint32_t at = 1;

	for (unsigned i = 1; i < SYMBOLS; i++) {
		uint64_t place = KERNEL + CODE + index * 0x1000 + (i - 1) * 0x100;

		symbols[i] = (Elf64_Sym){.st_name = at,
					 .st_shndx = 1,
					 .st_value = i == 3 ? place + 0x40000 - 0x200 : place,
					 .st_size = i == 3 ? 8 : 0x100};
		at += (uint32_t)sprintf(text + at, "%s%s", name, ends[i]) + 1;
	}
}

/* The guest's list has one more. */
static void load(struct world *l, unsigned index, const char *name)
{
	struct module *m = module_at(l, index);
	struct kallsyms *k = (struct kallsyms *)((uint8_t *)m + 0x800);
	uint64_t head = KERNEL + HEAD;

	memset(m, 0, 0x1000);
	memcpy(m->name, name, strlen(name));
	m->mem[0].base = KERNEL + CODE + index * 0x1000;
	m->mem[0].size = 0x1000;
	m->mem[1].base = KERNEL + CODE + 0x40000 + index * 0x1000;
	m->mem[1].size = 0x800;
	m->kallsyms = KERNEL + MODULE + index * 0x1000 + 0x800;
	k->symtab = KERNEL + SYMTAB + index * 0x1000;
	k->strtab = KERNEL + STRTAB + index * 0x1000;
	k->num_symtab = SYMBOLS;
	m->next = head;
	make_symbols(l, index, name);
	head = list_of(index);
	memcpy(index ? (void *)&module_at(l, index - 1)->next : l->rig.debug->ram + HEAD, &head, 8);
}

static struct kallsyms *kallsyms_of(struct world *l, unsigned index)
{
	return (struct kallsyms *)((uint8_t *)module_at(l, index) + 0x800);
}

static void stop(struct world *l)
{
	fake_debug_stop(l->rig.debug, STOP_PAUSE, 0, "");
}

static void collect(void *ctx, const char *text, size_t size)
{
	struct rig *rig = ctx;

	assert_true(rig->size + size < sizeof(rig->text));
	memcpy(rig->text + rig->size, text, size);
	rig->size += size;
	rig->text[rig->size] = 0;
}

static int setup(void **state)
{
	struct world *l = calloc(1, sizeof(*l));
	uint64_t head = KERNEL + HEAD;

	if (!l)
		return -1;
	module_image_make(&l->image);
	l->rig.debug = fake_debug_new(NULL);
	/* The last 2 GiB are the first ones, too. */
	memcpy(l->rig.debug->ram + FAKE_TABLES + 511 * 8, l->rig.debug->ram + FAKE_TABLES, 8);
	memcpy(l->rig.debug->ram + FAKE_TABLES + 0x1000 + 510 * 8,
	       l->rig.debug->ram + FAKE_TABLES + 0x1000, 8);
	memcpy(l->rig.debug->ram + HEAD, &head, 8);
	l->rig.out = (struct monitor_out){.ctx = &l->rig, .write = collect};
	if (symbols_load(&l->image, sizeof(l->image), &l->rig.symbols, NULL))
		return -1;
	l->rig.monitor = monitor_new(l->rig.debug, l->rig.symbols, NULL, NULL);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct world *l = *state;

	monitor_free(l->rig.monitor);
	fake_debug_free(l->rig.debug);
	symbols_free(l->rig.symbols);
	free(l);
	return 0;
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void test_names(void **state)
{
	struct world *l = *state;
	struct rig *rig = &l->rig;
	uint64_t address, size, offset;
	char text[96];
	size_t cursor = 0;

	assert_string_equal(answer(rig, "info modules"), "none is loaded\n");
	load(l, 0, "one");
	load(l, 1, "two");
	stop(l);
	contains(answer(rig, "info modules"), "  0xffffffff80200000     6K  live    one\n"
					      "  0xffffffff80201000     6K  live    two\n");
	contains(answer(rig, "json info modules"),
		 "{\"name\":\"one\",\"state\":\"live\",\"code\":\"0xffffffff80200000\","
		 "\"code_size\":\"0x1000\",\"size\":\"0x1800\",\"symbols\":4}");
	assert_int_equal(symbols_find(rig->symbols, "two_second", &address, &size), 0);
	assert_int_equal(address, KERNEL + CODE + 0x1100);
	assert_int_equal(size, 0x100);
	assert_string_equal(symbols_name(rig->symbols, address + 5, &offset), "two_second");
	assert_int_equal(offset, 5);
	assert_string_equal(symbols_text(rig->symbols, address + 5, text, sizeof(text)),
			    "two_second+0x5 [two]");
	contains(answer(rig, "break one_first"), "at 0xffffffff80200000: one_first [one]");
	contains(answer(rig, "x/i one_first + 4"), "<one_first+0x4 [one]>");
	contains(answer(rig, "print &two_object"), "<two_object [two]>");
	/* The image's own stay as they are. */
	assert_string_equal(symbols_text(rig->symbols, KERNEL + HEAD, text, sizeof(text)),
			    "modules");
	assert_string_equal(symbols_next(rig->symbols, "start", &cursor), "start");
	assert_null(symbols_next(rig->symbols, "start", &cursor));
	cursor = 0;
	assert_string_equal(symbols_next(rig->symbols, "one_", &cursor), "one_first");
	assert_string_equal(symbols_next(rig->symbols, "one_", &cursor), "one_object");
	assert_string_equal(symbols_next(rig->symbols, "one_", &cursor), "one_second");
	assert_null(symbols_next(rig->symbols, "one_", &cursor));
}

static bool knows(struct world *l, const char *name)
{
	uint64_t address;

	return !symbols_find(l->rig.symbols, name, &address, NULL);
}

static void test_they_come_and_go(void **state)
{
	struct world *l = *state;
	uint64_t cr3 = l->rig.debug->state[0].system.cr3, head = KERNEL + HEAD;

	stop(l);
	assert_false(knows(l, "one_first"));
	load(l, 0, "one");
	assert_false(knows(l, "one_first")); /* the machine has not run since */
	l->rig.debug->running = true;
	assert_false(knows(l, "one_first"));
	stop(l);
	assert_true(knows(l, "one_first"));
	module_at(l, 0)->state = MODULE_GOING;
	load(l, 1, "two");
	stop(l);
	assert_true(knows(l, "one_first") && knows(l, "two_first"));
	contains(answer(&l->rig, "info modules"), "  going   one\n");
	/* From a program's page tables, what was known before has to do. */
	l->rig.debug->state[0].system.cr3 = 0x700000;
	stop(l);
	assert_true(knows(l, "one_first"));
	contains(answer(&l->rig, "info modules"), "two\nas it was: ");
	l->rig.debug->state[0].system.cr3 = cr3;
	module_at(l, 1)->state = MODULE_UNFORMED;
	stop(l);
	assert_true(knows(l, "one_first") && !knows(l, "two_first"));
	memcpy(l->rig.debug->ram + HEAD, &head, 8);
	stop(l);
	assert_false(knows(l, "one_first"));
	/* A guest that begins anew has none, wherever it stands. */
	load(l, 0, "one");
	stop(l);
	assert_true(knows(l, "one_first"));
	l->rig.debug->state[0].system.cr3 = 0x700000;
	fake_debug_tell(l->rig.debug, DEBUG_RESET, OWNER_NONE);
	assert_false(knows(l, "one_first"));
}

static void test_a_kernel_that_has_moved(void **state)
{
	struct world *l = *state;
	uint64_t head = KERNEL + HEAD + 0x2000;

	load(l, 0, "one");
	module_at(l, 0)->next = head;
	memcpy(l->rig.debug->ram + HEAD + 0x2000, l->rig.debug->ram + HEAD, 8);
	memset(l->rig.debug->ram + HEAD, 0, 8);
	answer(&l->rig, "symbol-file -o 0x2000");
	stop(l);
	assert_true(knows(l, "one_first"));
	assert_int_equal(address_of(&l->rig, "one_first"), KERNEL + CODE);
	assert_int_equal(address_of(&l->rig, "modules"), head);
}

static void test_lists_that_lie(void **state)
{
	struct world *l = *state;
	uint64_t nowhere = 0x123456789abcull;

	load(l, 0, "one");
	stop(l);
	assert_true(knows(l, "one_first"));
	module_at(l, 0)->next = list_of(0); /* without an end */
	stop(l);
	contains(answer(&l->rig, "info modules"), "one\nas it was: ");
	module_at(l, 0)->next = nowhere;
	stop(l);
	contains(answer(&l->rig, "info modules"), "one\nas it was: ");
	memcpy(l->rig.debug->ram + HEAD, &nowhere, 8);
	stop(l);
	contains(answer(&l->rig, "info modules"), "one\nas it was: ");
	assert_true(knows(l, "one_first"));
}

static void test_tables_that_lie(void **state)
{
	struct world *l = *state;
	uint64_t offset;

	load(l, 0, "one");
	load(l, 1, "two");
	kallsyms_of(l, 0)->num_symtab = UINT32_MAX; /* more than there is memory */
	kallsyms_of(l, 0)->symtab = KERNEL + 0x5ff000;
	kallsyms_of(l, 1)->strtab = 0x123456789abcull;
	stop(l);
	assert_false(knows(l, "one_first") || knows(l, "two_first"));
	assert_null(symbols_name(l->rig.symbols, KERNEL + CODE, &offset));
	contains(answer(&l->rig, "info modules"), "live    two\n");
	kallsyms_of(l, 0)->symtab = KERNEL + SYMTAB; /* more than are taken, most of them zeros */
	module_at(l, 1)->kallsyms = 0x123456789abcull;
	stop(l);
	assert_true(knows(l, "one_first") && !knows(l, "two_first"));
	symbols_of(l, 0)[1].st_name = UINT32_MAX;
	symbols_of(l, 0)[2].st_value = KERNEL + HEAD + 0x100; /* the kernel's own */
	kallsyms_of(l, 0)->num_symtab = SYMBOLS;
	stop(l);
	assert_true(!knows(l, "one_first") && !knows(l, "one_second") && knows(l, "one_object"));
}

static void test_names_that_lie(void **state)
{
	struct world *l = *state;
	char text[96];

	load(l, 0, "one");
	load(l, 1, "two");
	memcpy(strings_of(l, 0) + 1, "\033[2J", 4); /* of one_first */
	memset(strings_of(l, 1), 'x', 0x1000);	    /* of two: none ends */
	memcpy(module_at(l, 0)->name, "\033[31mone", 8);
	memset(module_at(l, 1)->name, 'y', sizeof(module_at(l, 1)->name));
	module_at(l, 0)->mem[6].base = 0;
	module_at(l, 0)->mem[6].size = UINT32_MAX;
	module_at(l, 1)->mem[5].base = KERNEL; /* the kernel's own code, it says */
	module_at(l, 1)->mem[5].size = 0x7fffffff;
	stop(l);
	contains(answer(&l->rig, "info modules"), "  live    ?[31mone\n");
	lacks(l->rig.text, "\033");
	assert_true(knows(l, "one_second") && !knows(l, "two_first"));
	assert_string_equal(symbols_text(l->rig.symbols, KERNEL + HEAD + 0x110, text, sizeof(text)),
			    "start+0x10");
	assert_string_equal(symbols_text(l->rig.symbols, KERNEL + CODE + 0x110, text, sizeof(text)),
			    "one_second+0x10 [?[31mone]");
}

static void test_no_linux(void **state)
{
	struct world *l = *state;
	struct guest_modules *modules;
	struct error err = {0};

	l->image.btf[0] = 0;
	contains(refusal(&l->rig, "info modules", -ENOENT), "CONFIG_DEBUG_INFO_BTF");
	module_image_make(&l->image);
	l->image.types[MODULE_TYPES - 1] = 0x7fffffff; /* strtab lies far outside */
	assert_int_equal(guest_modules_new(&l->image, sizeof(l->image), &modules, &err), -ENOENT);
	assert_string_equal(err.text,
			    "this kernel keeps its modules in a way that is not known here");
	module_image_make(&l->image);
	l->image.symbols[1].st_shndx = SHN_UNDEF;
	assert_int_equal(guest_modules_new(&l->image, sizeof(l->image), &modules, &err), -ENOENT);
	assert_non_null(strstr(err.text, "CONFIG_KALLSYMS_ALL"));
	assert_int_equal(guest_modules_new("no ELF", 6, &modules, &err), -ENOENT);
	assert_null(modules);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_names),	  ROW(test_they_come_and_go),
		ROW(test_lists_that_lie), ROW(test_a_kernel_that_has_moved),
		ROW(test_no_linux),	  ROW(test_tables_that_lie),
		ROW(test_names_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
