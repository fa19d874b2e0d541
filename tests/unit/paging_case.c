// SPDX-License-Identifier: GPL-3.0-or-later
#include "paging_case.h"
#include "x86/paging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

uint8_t ram[RAM_SIZE];
unsigned reads;

static size_t read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	uint8_t *memory = ctx;

	reads++;
	if (gpa >= RAM_SIZE)
		return 0;
	if (len > RAM_SIZE - gpa)
		len = RAM_SIZE - gpa;
	memcpy(buf, memory + gpa, len);
	return len;
}

int clear(void **unused)
{
	(void)unused;
	memset(ram, 0, sizeof(ram));
	reads = 0;
	return 0;
}

void put_entry(uint64_t table, unsigned index, uint64_t entry)
{
	memcpy(ram + table + 8 * (size_t)index, &entry, sizeof(entry));
}

struct paging_walk walk(const struct paging_regs *regs, uint64_t linear)
{
	struct paging_walk result;
	enum paging_fault fault;

	memset(&result, 0xee, sizeof(result));
	fault = paging_walk(regs, linear, read_ram, ram, &result);
	assert_int_equal(result.fault, fault);
	return result;
}

struct paging_walk expect_gpa(const struct paging_regs *regs, uint64_t linear, uint64_t gpa,
			      uint64_t page_size)
{
	struct paging_walk result = walk(regs, linear);

	assert_int_equal(result.fault, PAGING_OK);
	assert_int_equal(result.gpa, gpa);
	assert_int_equal(result.page_size, page_size);
	return result;
}

struct paging_walk expect_fault(const struct paging_regs *regs, uint64_t linear,
				enum paging_fault fault, unsigned levels)
{
	struct paging_walk result = walk(regs, linear);

	assert_int_equal(result.fault, fault);
	assert_int_equal(result.levels, levels);
	return result;
}

void expect_level(const struct paging_walk *result, unsigned i, const char *name, unsigned index,
		  uint64_t entry_gpa, uint64_t entry)
{
	assert_true(i < result->levels);
	assert_string_equal(result->level[i].name, name);
	assert_int_equal(result->level[i].index, index);
	assert_int_equal(result->level[i].entry_gpa, entry_gpa);
	assert_int_equal(result->level[i].entry, entry);
}

void expect_rights(const struct paging_walk *result, bool write, bool user, bool exec)
{
	assert_int_equal(result->write, write);
	assert_int_equal(result->user, user);
	assert_int_equal(result->exec, exec);
}
