# SPDX-License-Identifier: GPL-3.0-or-later
"""What hurts people elsewhere, kept from hurting here: breakpoints (pains 1, 2 and 3). time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from rsp import Client  # noqa: E402

KERNEL = ["start_memory", "start_interrupts", "start_clock", "start_tasks", "start_files", "start_network",
          "start_programs"]
SLOTS = 4  # debug registers that a processor has
ALL_UP = 2 * len(KERNEL) + 1  # the kernel's exit status
MOVED = 0x800000


def high(*options, image="high"):
    return Debugged(image, *options, symbols="high.elf")


def breaks_at(names, **options):
    return [gdb.Breakpoint(name, **options) for name in names]


def address(name):
    return value(f"(unsigned long){name}")


def kernel_offset(name):
    return address(name) & 0xfffff


# ---- 1: a plain break always works -----------------------------------------------------------------

@test
def pain_01_a_break_before_the_kernel_is_mapped():
    with high() as vm:
        equal(refused("x/x start_clock")[:20], "Cannot access memory")
        points = breaks_at(KERNEL[:SLOTS])
        equal(vm.stops_at(SLOTS), KERNEL[:SLOTS])
        equal([point.hit_count for point in points], [1] * SLOTS)
        vm.go_to_the_end(ALL_UP)


@test
def pain_01_more_breaks_than_debug_registers_before_the_kernel_is_mapped():
    with high("-append", "rounds=2") as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL)
        equal(vm.stops_at(2 * len(KERNEL)), 2 * KERNEL)
        equal(value("started"), 2 * len(KERNEL) - 1)
        vm.go_to_the_end(2 * ALL_UP - 1)


@test
def pain_01_a_break_before_the_kernel_is_moved():
    with high("-append", "move") as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL)
        equal(vm.stops_at(len(KERNEL)), KERNEL)
        vm.go_to_the_end(ALL_UP)


@test
def pain_01_a_break_before_the_kernel_is_unpacked():
    """Its code is nowhere in memory, its addresses are in no page table and not in the image."""
    with high(image="packed") as vm:
        breaks_at(KERNEL[:SLOTS])
        equal(vm.stops_at(SLOTS), KERNEL[:SLOTS])
        vm.go_to_the_end(ALL_UP)


@test
def pain_01_more_breaks_than_debug_registers_before_the_kernel_is_unpacked():
    with high(image="packed") as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL)
        equal(vm.stops_at(len(KERNEL)), KERNEL)
        vm.go_to_the_end(ALL_UP)


@test
def pain_01_a_break_as_an_IDE_sets_it():
    with high() as vm:
        said = do('interpreter-exec mi "-break-insert start_clock"')
        assert "^done,bkpt={" in said and "hw" not in said.split("type=")[1].split(",")[0], said
        equal(vm.stops_at(1), ["start_clock"])


@test
def pain_01_a_break_in_every_mode_from_the_first_instruction_on():
    with Debugged("real16.bin", symbols="real16.elf") as vm:
        for mode in ("real mode", "protected mode", "long mode"):
            vm.needs_a_breakpoint(mode)
        names = ["real_main", "prot_start", "prot_enable_paging", "long_start"]
        breaks_at(["*" + name for name in names])
        equal(vm.stops_at(len(names)), names)


@test
def pain_01_a_break_survives_a_reset_by_the_user():
    with high() as vm:
        points = breaks_at(["start_memory", "start_programs"])
        equal(vm.stops_at(2), ["start_memory", "start_programs"])
        do("monitor reset")
        do("maintenance flush register-cache")
        equal(where(), "_start")
        equal(vm.stops_at(2), ["start_memory", "start_programs"])
        equal([point.hit_count for point in points], [2, 2])
        vm.go_to_the_end(ALL_UP)


def survives_a_reset_by(how, *options):
    with Debugged("io", "-append", "reset=" + how, *options) as vm:
        point = gdb.Breakpoint("string_reads")
        gdb.Breakpoint("guest_main")
        equal(vm.stops_at(3), ["guest_main", "guest_main", "string_reads"])
        assert "back after a reset" in vm.serial(), vm.serial()
        equal(point.hit_count, 1)


@test
def pain_01_a_break_survives_a_reset_by_the_guest():
    for how in ("i8042", "port92", "cf9"):
        survives_a_reset_by(how)
    survives_a_reset_by("triple", "-on-triple-fault", "reset")


@test
def pain_01_a_break_survives_another_connection():
    with high("-append", "rounds=2") as vm:
        breaks_at(["start_clock", "start_tasks"])
        equal(vm.stops_at(1), ["start_clock"])
        vm.drop()
        vm.attach()
        equal(where(), "start_clock")
        equal(vm.stops_at(2), ["start_tasks", "start_clock"])


@test
def pain_01_a_break_for_a_processor_that_is_not_online():
    with Debugged("smp", "-smp", "3") as vm:
        gdb.Breakpoint("ap_main")
        seen = set()
        for _ in range(2):
            equal(vm.stops_at(1), ["ap_main"])
            seen.add(stopped_thread())
        equal(seen, {2, 3})


def at_the_trampoline(vm):
    vm.go("continue")
    equal((pc(), value("$cs"), stopped_thread() > 1), (0x8000, 0x800, True))
    assert "real mode" in do("info threads").splitlines()[stopped_thread()], do("info threads")


@test
def pain_01_a_break_where_a_processor_will_start():
    """Set when nothing but zeros is there, and before it is copied there; met in real mode."""
    with Debugged("smp", "-smp", "3") as vm:
        vm.needs_a_breakpoint("real mode")
        needs_slots_in_segments()
        do("break *0x8000")
        equal(memory(0x8000, 4), bytes(4))
        at_the_trampoline(vm)
        at_the_trampoline(vm)


@test
def pain_01_a_break_where_a_processor_starts():
    with Debugged("smp", "-smp", "2") as vm:
        vm.needs_a_breakpoint("real mode")
        needs_slots_in_segments()
        gdb.Breakpoint("apic_send", temporary=True)
        vm.go("continue")
        do("break *0x8000")
        at_the_trampoline(vm)


@test
def pain_01_an_hbreak_for_a_processor_that_is_not_online():
    with Debugged("smp", "-smp", "3") as vm:
        vm.needs("long mode", "slot")
        do("hbreak ap_main")
        seen = set()
        for _ in range(2):
            equal(vm.stops_at(1), ["ap_main"])
            seen.add(stopped_thread())
        equal(seen, {2, 3})


@test
def pain_01_a_break_nowhere_disturbs_nobody():
    """Not canonical, beyond RAM, a device, the last byte."""
    with Debugged("long64") as vm:
        vm.needs("long mode", "int3")
        for nowhere in (1 << 47, 1 << 63, 0x10000000000000, 0xd0000000, 0xfee00000, (1 << 64) - 1):
            do(f"break *{nowhere:#x}")
        gdb.Breakpoint("work")
        equal(vm.stops_at(2), ["work", "work"])


@test
def pain_01_as_many_hbreaks_as_one_likes():
    with high() as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL, type=gdb.BP_HARDWARE_BREAKPOINT)
        equal(vm.stops_at(len(KERNEL)), KERNEL)


# ---- 2: the int3 never reaches the guest -----------------------------------------------------------

@test
def pain_02_a_moved_int3_does_not_reach_the_guest():
    """The kernel is moved with int3s in it, which nobody asks for any more when it runs."""
    with high("-append", "move") as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL[1:] + KERNEL[:1])
        equal(vm.stops_at(1), ["start_memory"])
        do("delete")
        do("detach")
        vm.ends_with(ALL_UP)
        assert "kernel: all is up" in vm.serial(), vm.serial()


@test
def pain_02_the_guest_counts_no_int3_but_its_own():
    with Debugged("paces", "-append", "do=debug rounds=5") as vm:
        vm.needs("long mode", "int3")  # the guest needs the debug registers
        names = ["own_int3", "behind_int3", "target", "own_trap_flag"]
        breaks_at(names[:1] + ["*behind_int3"] + names[2:])
        order = ["own_int3", "own_int3", "own_trap_flag", "target"]
        equal(vm.stops_at(20), 5 * order)
        equal((value("seen.breakpoints"), value("wrong")), (5, 0))
        do("delete")
        vm.go_to_the_end(1)


# ---- 3: nobody sees it, it does not stay, it does not vanish ---------------------------------------

def is_the_files(name, size=48):
    equal(memory(address(name), size), file_bytes(address(name), size), name)


@test
def pain_03_memory_over_breakpoints_is_the_guests():
    with Debugged("long64") as vm:
        vm.needs("long mode", "int3")
        do("set breakpoint always-inserted on")
        try:
            names = ["work", "print_line", "counter_add", "message_text", "factorial"]
            breaks_at(["*" + name for name in names])
            equal(vm.stops_at(1), ["work"])
            for name in names:
                is_the_files(name)
            gdb.Breakpoint("timer_interrupt")
            is_the_files("timer_interrupt")
            equal(instruction(address("print_line"))["asm"].split()[0], "push")
            start, size = address("work"), 400
            do(f"dump binary memory {vm.folder}/dump {start} {start + size}")
            with open(vm.folder + "/dump", "rb") as file:
                equal(file.read(), file_bytes(start, size))
            assert "matched" in do("compare-sections .text"), do("compare-sections .text")
        finally:
            do("set breakpoint always-inserted off")


@test
def pain_03_physical_memory_over_breakpoints_is_the_guests():
    with high("-append", "move") as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL)
        equal(vm.stops_at(1), ["start_memory"])
        size = 96
        wanted = file_bytes(address("start_memory"), size)
        equal(memory(address("start_memory"), size), wanted)
        equal(memory(MOVED + kernel_offset("start_memory"), size), wanted)
        do("maintenance packet Qqemu.PhyMemMode:1")
        try:
            do("maintenance flush dcache")
            equal(memory(MOVED + kernel_offset("start_memory"), size), wanted)
        finally:
            do("maintenance packet Qqemu.PhyMemMode:0")


@test
def pain_03_nothing_is_left_when_gdb_has_left():
    with high("-append", "move") as vm:
        vm.needs("long mode", "int3")
        breaks_at(KERNEL)
        equal(vm.stops_at(1), ["start_memory"])
        wanted, offset = file_bytes(address("start_memory"), 96), kernel_offset("start_memory")
        vm.drop()
        with contextlib.closing(vm.gdb()) as other:
            equal(other.ask("Qqemu.PhyMemMode:1"), "OK")
            equal(other.read(MOVED + offset, 96), wanted)
            equal(other.read(0x400000 + offset, 96), bytes(96))
            other.send("vCont;c")
            equal(other.reply(), f"W{ALL_UP:02x}")
        vm.status = ALL_UP


@test
def pain_03_what_is_listed_after_a_reset_is_there():
    with Debugged("long64") as vm:
        points = breaks_at(["work", "print_line"])
        equal(vm.stops_at(2), ["work", "print_line"])
        do("monitor reset")
        do("maintenance flush register-cache")
        assert "work" in do("info breakpoints") and "print_line" in do("info breakpoints")
        is_the_files("work")
        equal(vm.stops_at(2), ["work", "print_line"])
        equal([point.hit_count for point in points], [2, 2])


run()
