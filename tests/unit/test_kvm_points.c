// SPDX-License-Identifier: GPL-3.0-or-later
/* Breakpoints where the guest moves its code about, on the host's own KVM. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static int stop(void **state)
{
	(void)state;
	if (rig.machine)
		rig_stop(&rig);
	rig = (struct rig){0};
	return 0;
}

static void start(unsigned vcpus)
{
	rig_needs_kvm();
	rig = (struct rig){.accel = &accel_kvm, .ram_size = 4 << 20};
	rig_start(&rig, vcpus, IRQCHIP_KERNEL);
}

/* ---- a kernel that moves itself ---------------------------------------------------------- */

#define COPY 0x3000ull
#define BODY 0x40 /* into the page */

/* Copies its page, and goes on in the copy. */
static const uint8_t mover[] = {
	0xbe, 0x00, 0x10, 0, 0, /* mov $0x1000,%esi */
	0xbf, 0x00, 0x30, 0, 0, /* mov $0x3000,%edi */
	0xb9, 0x00, 0x02, 0, 0, /* mov $0x200,%ecx */
	0xf3, 0xa4,		/* rep movsb */
	0xb8, 0x40, 0x30, 0, 0, /* mov $0x3040,%eax */
	0xff, 0xe0,		/* jmp *%eax */
};
static const uint8_t body[] = {
	0xbb, 0x11, 0x22, 0x33, 0x44, /* mov $0x44332211,%ebx */
	0x43,			      /* inc %ebx: the breakpoints' place */
	0x8d, 0x4b, 0x07,	      /* lea 7(%ebx),%ecx */
	0x31, 0xd2,		      /* xor %edx,%edx */
	0xb0, 0x00,		      /* mov $0,%al */
	0xe6, 0xf4,		      /* out %al,$0xf4: the end */
	0xeb, 0xfe,		      /* jmp . */
};
#define INC (BODY + 5)

static void start_mover(void)
{
	start(1);
	rig_code(&rig, 0, mover, sizeof(mover));
	mem_write_phys(rig.machine->memory, RIG_CODE + BODY, body, sizeof(body));
}

static void test_copied_int3_never_reaches_the_guest(void **state)
{
	(void)state;
	start_mover();
	rig_break(&rig, RIG_CODE + INC);
	rig_continue(&rig);
	rig_wait_exit(&rig);
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_int_equal(debug_point_next(rig.debug, NULL)->hits, 0);
	assert_int_equal(rig_byte(&rig, COPY + INC), 0x43);
	assert_int_equal(rig_byte(&rig, RIG_CODE + INC), 0x43);
}

static void test_breakpoint_where_code_will_be_copied_to(void **state)
{
	int there;

	(void)state;
	start_mover();
	rig_break(&rig, RIG_CODE + INC);
	there = rig_break(&rig, COPY + INC);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, there);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x44332211);
	rig_continue(&rig);
	rig_wait_exit(&rig);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x44332212);
}

/* An int3 of the guest's own, among bytes that look like nothing of ours, stays its own. */
static void test_own_int3_is_not_taken_for_a_copy(void **state)
{
	const uint8_t code[] = {0x90, 0xcc, 0x90};

	(void)state;
	start(1);
	rig_code(&rig, 0, code, sizeof(code));
	rig_break(&rig, COPY + 1);
	rig_continue(&rig);
	assert_int_not_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(rig_byte(&rig, RIG_CODE + 1), 0xcc);
}

/* ---- a kernel that is linked high -------------------------------------------------------- */

#define HIGH	 0xffffffff80000000ull
#define LOADED	 0x100000ull
#define PML4	 0x10000ull
#define PDPT_LOW 0x11000ull
#define PDPT_UP	 0x12000ull
#define PD	 0x13000ull

/* An image of one segment: HIGH + x is loaded at LOADED + x, below the first pages. */
static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t code[0x400];
} image = {
	.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			       EV_CURRENT},
		   .e_type = ET_EXEC,
		   .e_machine = EM_X86_64,
		   .e_version = EV_CURRENT,
		   .e_phoff = sizeof(Elf64_Ehdr),
		   .e_ehsize = sizeof(Elf64_Ehdr),
		   .e_phentsize = sizeof(Elf64_Phdr),
		   .e_phnum = 1},
	.segment = {.p_type = PT_LOAD,
		    .p_flags = PF_R | PF_X,
		    .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
		    .p_vaddr = HIGH,
		    .p_paddr = LOADED,
		    .p_filesz = sizeof(image.code),
		    .p_memsz = sizeof(image.code),
		    .p_align = 1},
};

/* Maps itself high and goes there. */
static const uint8_t mapper[] = {
	0x48, 0xb8, 0x03, 0x20, 0x01,
	0,    0,    0,	  0,	0, /* movabs $0x12003,%rax */
	0x48, 0xa3, 0xf8, 0x0f, 0x01,
	0,    0,    0,	  0,	0, /* movabs %rax,0x10ff8: PML4[511] */
	0x48, 0xb8, 0x50, 0x00, 0x00,
	0x80, 0xff, 0xff, 0xff, 0xff, /* movabs $HIGH+0x50,%rax */
	0xff, 0xe0,		      /* jmp *%rax */
};
#define HIGH_CODE 0x50
/* Ten places for breakpoints, and the end. */
static const uint8_t high_code[] = {
	0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0x48,
	0xff, 0xc3, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0x48, 0xff,
	0xc3, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, /* inc %rbx, ten times */
	0x30, 0xc0, 0xe6, 0xf4,					    /* xor %al,%al; out %al,$0xf4 */
	0xeb, 0xfe,
};

static void put64(uint64_t gpa, uint64_t value)
{
	mem_write_phys(rig.machine->memory, gpa, &value, sizeof(value));
}

static void make_long(void)
{
	struct vcpu *vcpu = &rig.machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	put64(PML4, PDPT_LOW | 3);
	put64(PDPT_LOW, PD | 3);
	put64(PDPT_UP + 510 * 8, PD | 3);
	put64(PD, 0x83);
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state->system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, 64);
	state->system.cr3 = PML4;
	state->system.cr4 |= CR4_PAE;
	state->system.efer |= EFER_LME | EFER_LMA;
	state->system.cr0 |= CR0_PE | CR0_PG;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* The 2 MiB page that is mapped high begins at 0, so HIGH + LOADED + x is where the code runs; the image is
 * linked for that. */
static void start_high(void)
{
	struct boot_image *boot;

	start(1);
	memcpy(image.code, mapper, sizeof(mapper));
	memcpy(image.code + HIGH_CODE, high_code, sizeof(high_code));
	image.segment.p_vaddr = HIGH + LOADED;
	image.code[22] = HIGH_CODE; /* the jump's target: HIGH + LOADED + HIGH_CODE */
	image.code[24] = 0x10;
	mem_write_phys(rig.machine->memory, LOADED, image.code, sizeof(image.code));
	boot = &rig.machine->boot;
	boot->elf = &image;
	boot->elf_size = sizeof(image);
	make_long();
	rig_set_reg(&rig, 0, "rbx", 0);
	rig_set_reg(&rig, 0, "rip", LOADED);
}

/* Far more breakpoints than debug registers, all set before anything is mapped: each is hit, once. */
static void test_breakpoints_before_the_kernel_is_mapped(void **state)
{
	int number[10];

	(void)state;
	start_high();
	if (debug_capabilities(rig.debug)->int3[CAP_LONG] == INT3_LOST) {
		print_message("# SKIP needs int3 in long mode\n");
		skip();
	}
	for (int i = 0; i < 10; i++)
		number[i] = rig_break(&rig, HIGH + LOADED + HIGH_CODE + 3 * (unsigned)i);
	for (int i = 0; i < 10; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->point, number[i]);
		assert_int_equal(rig_reg(&rig, 0, "rbx"), i);
	}
	rig_continue(&rig);
	rig_wait_exit(&rig);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 10);
}

/* The image knows nothing of these, and the debug registers are taken by addresses that never come: the page is
 * noticed at the first exit. */
static void test_breakpoint_that_no_debug_register_is_left_for(void **state)
{
	static const uint8_t exit_first[] = {0xe6, 0x80, 0x90}; /* out %al, $0x80; nop */
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x7ffff0000000};
	int number;

	(void)state;
	start_high();
	if (debug_capabilities(rig.debug)->int3[CAP_LONG] == INT3_LOST) {
		print_message("# SKIP needs int3 in long mode\n");
		skip();
	}
	rig.machine->boot.elf = NULL;
	mem_write_phys(rig.machine->memory, LOADED + HIGH_CODE, exit_first, sizeof(exit_first));
	for (int i = 0; i < 4; i++, spec.address++)
		assert_true(debug_point_add(rig.debug, &spec, OWNER_GDB, NULL) > 0);
	number = rig_break(&rig, HIGH + LOADED + HIGH_CODE + 6);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	assert_int_equal(debug_pc(rig.debug, 0), HIGH + LOADED + HIGH_CODE + 6);
}

/* Nobody knows where this will be; it waits, and harms nothing. */
static void test_breakpoint_nowhere_waits(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x7ffff0000000};
	const struct point *point = NULL;

	(void)state;
	start_high();
	for (int i = 0; i < 5; i++, spec.address++)
		assert_true(debug_point_add(rig.debug, &spec, OWNER_GDB, NULL) > 0);
	while ((point = debug_point_next(rig.debug, point)))
		if (point->number == 5)
			assert_non_null(strstr(point->rung, "pending"));
	rig_continue(&rig);
	rig_wait_exit(&rig);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 10);
}

#define TEST(name) cmocka_unit_test_teardown(name, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_copied_int3_never_reaches_the_guest),
		TEST(test_breakpoint_where_code_will_be_copied_to),
		TEST(test_own_int3_is_not_taken_for_a_copy),
		TEST(test_breakpoints_before_the_kernel_is_mapped),
		TEST(test_breakpoint_that_no_debug_register_is_left_for),
		TEST(test_breakpoint_nowhere_waits),
	};

	return cmocka_run_group_tests_name("breakpoints and moving code", tests, NULL, NULL);
}
