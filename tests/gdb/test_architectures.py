# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes of the guest against architectures of gdb's: whatever gdb was told, by its user, its file or the target, it
goes on working when the guest changes its mode. time limit: 240 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

ARCHITECTURES = ("i8086", "i386", "i386:x86-64")
WIDTHS = {"i8086": 16, "i386": 32, "i386:x86-64": 64}

# What the bytes at these places of guests/real16 are: by symbol, and gdb's words for it with 16, 32 and 64 bits.
PLACES = {
    "real_start": ("xor    %ax,%ax", "xor    %eax,%eax", "xor    %eax,%eax"),
    "prot_start": ("mov    $0x18,%ax", "mov    $0x18,%eax", "mov    $0x18,%eax"),
    "long_start": ("dec    %ax", "dec    %eax", "mov    $0x7c00,%rsp"),
}
OFFSETS = {"real_start": 2, "prot_start": 0, "long_start": 0}

# How gdb complains when it and the stub disagree on what registers there are.
TROUBLE = re.compile("too long|too short|runcated|rejected|not recognized|badly formatted|internal-error|nvalid")


def addresses():
    from rsp import elf_symbols
    return {name: at for name, (at, _) in elf_symbols(guest("real16.elf")).items()}


ADDRESS = addresses()


def architecture():
    """The one that gdb really uses, whatever it was told."""
    return gdb.newest_frame().architecture().name()


def said(command):
    """All that gdb prints, errors too."""
    try:
        return do(command)
    except gdb.error as error:
        return f"error: {error}"


def registers_are_right(place, width):
    """The general registers, by both names, and those that are read one by one."""
    flush = said("maintenance flush register-cache")
    listing = said("info registers")
    for words in (flush, listing, said("p $pc"), said("x/i $pc"), said("p $eflags")):
        assert not TROUBLE.search(words), words
    equal(pc(), ADDRESS[place])
    name = "rip" if width == 64 else "eip"
    assert re.search(rf"^{name} +{ADDRESS[place]:#x} ", listing, re.M), listing
    old = value("$esi" if width < 64 else "$rsi") & 0xffffffff
    do(f"set ${'esi' if width < 64 else 'rsi'} = 0x12345678")
    equal(value("$si"), 0x5678)
    equal(value("$cs_attr_value") & 0x80, 0x80)
    do(f"set ${'esi' if width < 64 else 'rsi'} = {old}")
    do(f"set $pc = {ADDRESS[place]}")
    equal(pc(), ADDRESS[place])


def disassembly_is_right(place, width):
    at = ADDRESS[place] + OFFSETS[place]
    wanted = PLACES[place][{16: 0, 32: 1, 64: 2}[width]]
    equal(" ".join(instruction(at)["asm"].split()), " ".join(wanted.split()), f"{place}, {width} bits")


def look(place):
    width = WIDTHS[architecture()]
    registers_are_right(place, width)
    disassembly_is_right(place, width)
    return width


def go_to(vm, place):
    gdb.Breakpoint(f"*{ADDRESS[place]}", temporary=True)
    out = vm.go("continue")
    assert not TROUBLE.search(out), out
    equal(pc(), ADDRESS[place])


def capabilities(vm):
    for mode in ("real mode", "protected mode", "long mode"):
        vm.needs_a_breakpoint(mode)


def attach(vm):
    out = vm.attach()
    assert not TROUBLE.search(out), out


def walk(file, chosen):
    """One guest, from reset to long mode, with gdb's file and its user's choice made before it connects; and gdb
    comes anew in each mode."""
    with Debugged("real16.bin", attach=False, file=False) as vm:
        if file:
            do("file " + guest(file))
        do("set architecture " + chosen)
        try:
            attach(vm)
            capabilities(vm)
            look("real_start")
            go_to(vm, "prot_start")
            look("prot_start")
            vm.drop()
            attach(vm)
            look("prot_start")
            go_to(vm, "long_start")
            look("long_start")
            vm.drop()
            attach(vm)
            # In long mode it is what the processor is.
            equal(look("long_start"), 64, f"file {file}, {chosen}")
        finally:
            do("set architecture auto")


@test
def pain_08_a_mode_switch_with_no_file():
    for chosen in ("auto", *ARCHITECTURES):
        walk(None, chosen)


@test
def pain_08_a_mode_switch_with_a_64_bit_file():
    for chosen in ("auto", *ARCHITECTURES):
        walk("real16.elf", chosen)


@test
def pain_08_a_mode_switch_with_a_32_bit_file():
    for chosen in ("auto", *ARCHITECTURES):
        walk("prot32.elf", chosen)


@test
def the_architecture_is_the_guests_mode():
    for image, name in (("real16.bin", "i8086"), ("prot32", "i386"), ("long64", "i386:x86-64")):
        with Debugged(image, file=False):
            equal(architecture(), name, image)
    with Debugged("real16.bin", "-symbols", guest("real16.elf"), file=False) as vm:
        # The file says x86-64, and gdb goes by the file.
        equal(architecture(), "i386:x86-64")
        do("set architecture i8086")
        equal(look("real_start"), 16)
        do("set architecture auto")


@test
def every_architecture_at_any_time():
    with Debugged("real16.bin", file=False) as vm:
        capabilities(vm)
        try:
            for place in ("real_start", "prot_start", "long_start"):
                if place != "real_start":
                    go_to(vm, place)
                for name in ("i386:x86-64", "i8086", "i386", "i386:x86-64", "i386", "i8086"):
                    assert not TROUBLE.search(said("set architecture " + name))
                    equal(architecture(), name)
                    look(place)
                words = said("info all-registers")
                assert not TROUBLE.search(words) and "st7" in words, words
                if vm.can("long mode", "step"):
                    vm.go("stepi")
                    do(f"set $pc = {ADDRESS[place]}")
        finally:
            do("set architecture auto")


@test
def reading_the_description_again_follows_the_mode():
    with Debugged("real16.bin", file=False) as vm:
        capabilities(vm)
        for place, name in (("real_start", "i8086"), ("prot_start", "i386"), ("long_start", "i386:x86-64")):
            if place != "real_start":
                go_to(vm, place)
            out = said("unset tdesc filename")
            assert not TROUBLE.search(out), out
            equal(architecture(), name)
            look(place)
        # With one set of names, addresses are addresses again.
        equal(gdb.parse_and_eval("$rip").type.code, gdb.TYPE_CODE_PTR)


@test
def each_vcpu_may_be_in_another_mode():
    with Debugged("smp", "-smp", "2") as vm:
        do("thread 2")
        equal(value("$cr0_value") & 1, 0)
        equal(architecture(), "i386:x86-64")
        do("unset tdesc filename")
        try:
            do("set architecture i8086")
            equal(architecture(), "i8086")
            assert not TROUBLE.search(said("info registers")), said("info registers")
            equal(value("$cs_base"), 0xffff0000)
            do("thread 1")
            do("set architecture auto")
            do("unset tdesc filename")
            equal((architecture(), where()), ("i386:x86-64", "_start"))
        finally:
            do("set architecture auto")


@test
def a_caught_mode_switch_says_what_to_type():
    with Debugged("real16.bin", file=False) as vm:
        capabilities(vm)
        do("monitor catch mode")
        try:
            for _ in range(6):
                out = vm.go("continue")
                assert not TROUBLE.search(out), out
                advice = re.search("^In gdb, type: (.*)$", out, re.M)
                assert advice and "mode switch: from " in out, out
                assert not TROUBLE.search(said(advice.group(1)))
                width = {"i386": "32-bit", "i8086": "16-bit", "i386:x86-64": "long mode"}[architecture()]
                assert width in do("info threads"), (architecture(), do("info threads"))
                assert not TROUBLE.search(said("x/i $pc"))
                if architecture() == "i386:x86-64":
                    break
            equal(architecture(), "i386:x86-64")
        finally:
            do("set architecture auto")


@test
def by_option_gdb_is_told_the_same_all_the_time():
    for option, name in (("i8086", "i8086"), ("i386", "i386"), ("x86-64", "i386:x86-64")):
        with Debugged("real16.bin", "-gdb-arch", option, symbols="real16.elf") as vm:
            capabilities(vm)
            for place in ("real_start", "prot_start", "long_start"):
                if place != "real_start":
                    go_to(vm, place)
                equal(architecture(), name)
                registers_are_right(place, WIDTHS[name])
            do("unset tdesc filename")
            equal(architecture(), name)
            equal(text("$rax") == "void", option != "x86-64")


@test
def pain_09_real_mode_is_disassembled_as_such():
    with Debugged("real16.bin", file=False) as vm:
        do("symbol-file " + guest("real16.elf"))
        equal(architecture(), "i8086")
        lines = [" ".join(line.split("\t")[1].split()) for line in do("x/4i $pc").splitlines()]
        equal(lines, ["cli", "cld", "xor %ax,%ax", "mov %ax,%ds"])
        vm.needs("real mode", "step")
        # Every step is as long as gdb thinks that the instruction is.
        for _ in range(4):
            here = instruction()
            vm.go("stepi")
            equal(pc(), here["addr"] + here["length"], here["asm"])
        equal(instruction()["asm"].split(), ["mov", "%ax,%es"])


@test
def pain_09_breakpoints_in_real_mode_are_hit():
    with Debugged("real16.bin", file=False) as vm:
        vm.needs_a_breakpoint("real mode")
        do("symbol-file " + guest("real16.elf"))
        for name in ("real_main", "real_print"):
            point = gdb.Breakpoint(name)
            vm.go("continue")
            equal((pc(), stops.breakpoints()), (ADDRESS[name], [point.number]))
        equal(gdb.parse_and_eval("(char *) $si").string(), "real16: real mode\n")


@test
def pain_09_code_segments_count():
    with Debugged("real16.bin", file=False) as vm:
        do("symbol-file " + guest("real16.elf"))
        # The same code through another segment: linear addresses stay, offsets do not.
        do("set $cs = 0x7c0")
        do(f"set $pc = {ADDRESS['real_start']}")
        assert " 0x0 " in do("monitor info registers rip"), do("monitor info registers rip")
        equal((pc(), value("$eip"), value("$rip")), (0x7c00,) * 3)
        equal(instruction()["asm"], "cli")
        vm.needs("real mode", "step")
        vm.go("stepi 3")
        equal((pc(), value("$ax"), instruction()["asm"].split()), (0x7c04, 0, ["mov", "%ax,%ds"]))
        assert " 0x4 " in do("monitor info registers rip"), do("monitor info registers rip")
        # And the stack through another one.
        do("set $ss = 0x1000")
        do("set $sp = 0x10100")
        equal(value("$esp"), 0x10100)
        assert " 0x100 " in do("monitor info registers rsp"), do("monitor info registers rsp")


# Not with debug registers: there is an emulator that crashes when one is hit in such a segment.
@test
def pain_09_a_breakpoint_is_hit_through_another_code_segment():
    with Debugged("real16.bin", file=False) as vm:
        vm.needs("real mode", "int3")
        do("set $cs = 0x7c0")
        do(f"set $pc = {ADDRESS['real_start']}")
        gdb.Breakpoint("*0x7c0d", temporary=True)
        vm.go("continue")
        equal(pc(), 0x7c0d)
        assert " 0xd " in do("monitor info registers rip"), do("monitor info registers rip")


run()
