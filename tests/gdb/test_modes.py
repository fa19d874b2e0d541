# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that are not, or not only, in long mode. time limit: 120 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


def real16():
    return Debugged("real16.bin", symbols="real16.elf")


@test
def real_mode_from_the_first_instruction():
    with real16() as vm:
        equal((where(), pc()), ("real_start", 0x7c00))
        equal(value("$cs"), 0)
        equal(value("$cr0_value") & 1, 0)
        assert "real mode" in do("info threads"), do("info threads")
        equal(memory(0x7c00, 510), file_bytes(0x7c00, 510))
        # cli; cld; xor %ax,%ax; mov %ax,%ds
        for length in (1, 1, 2, 2):
            here = pc()
            vm.go("stepi")
            equal(pc(), here + length)


@test
def in_real_mode_pc_and_sp_are_linear():
    with real16() as vm:
        vm.needs_a_breakpoint("real mode")
        gdb.Breakpoint("real_print")
        vm.go("continue")
        equal(where(), "real_print")
        # The call pushed two bytes of return address.
        equal(value("$sp"), 0x7bfe)
        back = int.from_bytes(memory(value("$sp"), 2), "little")
        assert value("(long)real_main") < back < value("(long)real_print")
        # The same place, seen from another segment.
        do("set $ss = 0x10")
        equal(value("$sp"), 0x7cfe)
        do("set $ss = 0")
        do("set $cs = 0x7c0")
        assert pc() == 0x7c00 + value("(long)real_print"), hex(pc())
        assert "0x7c00" in do("info registers cs_base"), do("info registers cs_base")
        do("set $pc = (long)real_print")
        equal(pc(), value("(long)real_print"))
        # A place that this segment does not reach.
        refused("set $pc = 0x20000")
        equal(pc(), value("(long)real_print"))
        # It runs on, with another CS:IP for the same instructions.
        vm.go("stepi")
        equal(pc(), value("(long)real_print") + 3)


@test
def a_walk_through_the_modes():
    with real16() as vm:
        for mode in ("real mode", "protected mode", "long mode"):
            vm.needs_a_breakpoint(mode)
        walk = [("real_main", 0, False), ("prot_start", 8, False), ("prot_page_tables", 8, False),
                ("prot_enable_paging", 8, False), ("long_start", 16, True), ("long_exit", 16, True)]
        for name, selector, paging in walk:
            gdb.Breakpoint("*" + name, temporary=True)
            vm.go("continue")
            equal((where(), value("$cs")), (name, selector))
            equal(bool(value("$cr0_value") >> 31 & 1), paging, name)
        assert vm.serial().split("\n")[:3] == [
            "real16: real mode", "real16: protected mode", "real16: long mode"], vm.serial()
        equal(value("$efer_value") & 0x500, 0x500)
        vm.go("continue")
        vm.ends_with(1)


@test
def each_step_through_the_modes_switches():
    with real16() as vm:
        vm.needs_a_breakpoint("protected mode")
        gdb.Breakpoint("*prot_enable_paging")
        vm.go("continue")
        names = []
        for _ in range(6):
            vm.go("stepi")
            names.append(where())
        # mov, or, mov to cr0, ljmp, and two in long mode: all in their places.
        equal(names, ["prot_enable_paging"] * 3 + ["long_start"] * 3)
        equal(value("$rsp"), 0x7c00)


@test
def a_32_bit_program():
    with Debugged("prot32") as vm:
        vm.needs_a_breakpoint("protected mode")
        assert "i386" in do("show architecture") and "x86-64" not in do("show architecture")
        equal(where(), "_start")
        gdb.Breakpoint("twice_area")
        vm.go("continue")
        equal(backtrace(), ["twice_area", "guest_main", "_start"])
        equal(value("shape->count"), 4)
        equal(value("shape->corners[2].x"), 10)
        do("set var square.corners[2].x = 30")
        do("set var square.corners[1].x = 30")
        vm.go("finish")
        equal(int(gdb.history(0)), 600)
        vm.go("continue")
        assert "area = 300, middle" in vm.serial(), vm.serial()
        vm.ends_with(1)


@test
def arguments_on_the_stack():
    with Debugged("prot32") as vm:
        vm.needs_a_breakpoint("protected mode")
        gdb.Breakpoint("guest_main")
        vm.go("continue")
        equal((value("ram_size"), gdb.parse_and_eval("command_line").string()), (128 << 20, ""))
        gdb.Breakpoint("greatest_divisor")
        vm.go("continue")
        equal((value("a"), value("b")), (1071, 462))
        equal(backtrace(), ["greatest_divisor", "guest_main", "_start"])
        do("delete")
        gdb.Breakpoint("sort")
        vm.go("continue")
        equal([value(f"values[{n}]") for n in range(3)], [42, 7, 19])
        vm.go("finish")
        equal([value(f"numbers[{n}]") for n in range(8)], [1, 3, 7, 19, 23, 42, 56, 88])


@test
def registers_of_32_bits():
    with Debugged("prot32") as vm:
        names = "eax ebx ecx edx esi edi ebp esp".split()
        for n, name in enumerate(names):
            do(f"set ${name} = {0x11223300 + n}")
        do("maintenance flush register-cache")
        for n, name in enumerate(names):
            equal(value("$" + name), 0x11223300 + n, name)
        do("set $xmm7.v2_int64[1] = 0x1122334455667788")
        do("maintenance flush register-cache")
        equal(value("$xmm7.v2_int64[1]"), 0x1122334455667788)
        equal([value("$r" + name[1:]) for name in names], [0x11223300 + n for n in range(8)])
        equal(value("$cr0_value") & 0x80000001, 1)


@test
def a_function_called_by_gdb():
    with Debugged("prot32") as vm:
        vm.needs_a_breakpoint("protected mode")
        gdb.Breakpoint("sort")
        vm.go("continue")
        here = pc()
        with vm.limit(TIME_LIMIT):
            equal(value("greatest_divisor(1071, 462)"), 21)
        equal((where(), pc()), ("sort", here))


@test
def steps_in_32_bits():
    with Debugged("prot32") as vm:
        vm.needs_a_breakpoint("protected mode")
        gdb.Breakpoint("sort")
        vm.go("continue")
        straight = 0
        for _ in range(60):
            here = instruction()
            vm.go("stepi")
            if here["asm"].startswith(("call", "ret", "j")):
                continue
            equal(pc(), here["addr"] + here["length"], here["asm"])
            straight += 1
        assert straight > 20, straight


@test
def a_multiboot_kernel():
    with Debugged("mboot", "-append", "exit=9 hello") as vm:
        vm.needs_a_breakpoint("protected mode")
        equal(where(), "_start")
        equal((value("$eax"), pc()), (0x2badb002, value("(long)_start")))
        gdb.Breakpoint("print_info")
        vm.go("continue")
        equal(backtrace(), ["print_info", "guest_main", "_start"])
        equal(value("info->flags") & 1, 1)
        line = gdb.parse_and_eval("(char *)info->cmdline").string()
        assert line.endswith("exit=9 hello"), line
        gdb.Breakpoint("print_map")
        vm.go("continue")
        entry = gdb.parse_and_eval("*(struct map_entry *)address")
        equal((int(entry["base"]), int(entry["type"])), (0, 1))
        do("delete")
        vm.go("continue")
        vm.ends_with(19)


@test
def a_test_kernel_on_its_way_to_long_mode():
    with Debugged("checks", "-append", "exit=9") as vm:
        vm.needs_a_breakpoint("protected mode")
        equal((where(), value("$cs") & 0xf), ("_start", 8))
        gdb.Breakpoint("in_long_mode")
        vm.go("continue")
        equal((where(), value("$efer") >> 10 & 1), ("in_long_mode", 1))
        gdb.Breakpoint("count_words")
        vm.go("continue")
        equal(backtrace(), ["count_words", "boot_checks", "checks_main", "in_long_mode"])
        line = gdb.parse_and_eval("line").string()
        assert line.endswith("checks.elf exit=9"), line
        do("delete")
        vm.go("continue")
        vm.ends_with(19)


run()
