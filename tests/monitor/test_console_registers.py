# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers of real guests, decoded: the same values by every way that there is, and changes that the guest
sees.

time limit: 120 s
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import Console, batch, guest
from rsp import Client, elf_symbols
from tap import equal, run, skip, test

LONG64, REAL16 = guest("long64.elf"), guest("real16.elf")
SYMBOLS = elf_symbols(LONG64)
BITS = ("eflags", "cr0", "cr3", "cr4", "efer", "xcr0", "apic_base", "dr6", "dr7", "mxcsr")


def at_work(console):
    console.run("break work")
    console.until_stop("continue")


@test
def bits_add_up_to_the_register():
    with Console("-kernel", LONG64, size=(60, 80)) as console:
        at_work(console)
        for name in BITS:
            answer = console.run("info " + name)
            value = int(re.match(rf"{name} = 0x([0-9a-f]+)\n", answer).group(1), 16)
            equal(value, console.value("$" + name))
            told = 0
            for high, low, field in re.findall(r"\n +(\d+)(?:-(\d+))?  \S+ +(?:0x)?([0-9a-f]+)  ", answer):
                told |= int(field, 16) << int(low or high)
            reserved = {"eflags": 2, "dr6": 0xffff0ff0, "dr7": 0x400}.get(name, 0)
            equal(told | reserved, value, name)


@test
def modes_show_in_the_bits():
    with Console("-kernel", REAL16, size=(60, 80)) as console:
        assert "  PE         0  protected mode\n" in console.run("info cr0")
        assert "  cs   0x0000  code, 16 bits" in console.run("info segments")
        console.run("break long_start")
        console.until_stop("continue")
        assert "  PE         1  protected mode\n" in console.run("info cr0")
        assert "  LMA        1  long mode is active\n" in console.run("info efer")
        assert "code, 64 bits" in console.run("info segments")


@test
def a_changed_register_is_what_the_guest_goes_on_with():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        console.run("set $rax = 0x1122334455667788")
        console.run("set $ax = 0x99aa")
        equal(console.value("$rax"), 0x11223344556699aa)
        assert "rax            0x11223344556699aa" in console.run("info registers rax")
        console.run("set $r12 = -1")
        console.run("set $eflags = $eflags | 0x41")
        flags = console.run("info eflags")
        assert "  ZF         1 " in flags and "  CF         1 " in flags, flags
        assert "no processor can hold" in console.run("set $cr0 = 0x80000000")
        assert "cannot be changed" in console.run("set $tsc = 1")


@test
def msrs_by_name_and_number():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        equal(console.run("rdmsr efer"), "MSR_EFER (0xc0000080) = 0xd00 [LME LMA NXE]\n")
        equal(console.run("rdmsr 0xc0000080"), console.run("rdmsr IA32_EFER"))
        console.run("wrmsr lstar work")
        equal(console.run("rdmsr lstar"), f"MSR_LSTAR (0xc0000082) = {SYMBOLS['work'][0]:#x} <work>\n")
        equal(console.value("$lstar"), SYMBOLS["work"][0])
        console.run("wrmsr MSR_FS_BASE 0x5000")
        equal(console.value("$fs_base"), 0x5000)
        equal(console.value("$fs:0x10"), 0x5010)
        assert "no processor takes" in console.run("wrmsr lstar 0x800000000000")
        assert "cannot be read" in console.run("rdmsr 0x87654321")
        # Not one of the register table's: it goes to the accelerator.
        console.run("wrmsr tsc_adjust 0x1000")
        assert "= 0x1000" in console.run("rdmsr tsc_adjust")


@test
def the_processor_says_who_it_is():
    with Console("-kernel", LONG64, "-cpu", "max,-sse4.2") as console:
        overview = console.run("info cpuid")
        features = overview.split("features:")[1].split()
        assert "sse2" in features and "lm" in features, features
        leaf = re.search(r"  00000001 +([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})\n",
                         console.run("info cpuid 1"))
        eax, ecx = int(leaf.group(1), 16), int(leaf.group(3), 16)
        equal(ecx >> 20 & 1, "sse4.2" in features)
        equal(ecx >> 31 & 1, 1)
        assert f"stepping {eax & 15}" in overview
        all_leaves = console.run("info cpuid -a")
        assert leaf.group(0) in all_leaves and "  80000001 " in all_leaves
        if "sse4.2" in features:
            skip("needs a KVM that hides features which -cpu takes away")


COMMANDS = ("info registers", "info eflags", "info cr4", "info segments", "info fpu", "info sse", "rdmsr efer",
            "info cpuid 1", "info registers control")


@test
def the_same_through_gdb_and_in_batch():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        gdb = Client(console.socket)
        gdb.ask("?")
        through_gdb = {command: gdb.monitor(command) for command in COMMANDS}
        gdb.close()
    answers = batch(["break work", "continue", *COMMANDS], "-kernel", LONG64)
    for command in COMMANDS:
        equal(through_gdb[command], answers[command], command)


@test
def the_same_as_json():
    answers = batch(["break work", "continue", "json info registers", "json rdmsr efer", "json info segments"],
                    "-kernel", LONG64)
    facts = {line: json.loads(answer)["result"] for line, answer in answers.items() if line.startswith("json ")}
    registers = facts["json info registers"]["registers"]
    start, size = SYMBOLS["work"]
    assert start < int(registers["rip"], 16) < start + size
    equal(registers["cs"], "0x8")
    equal(facts["json rdmsr efer"], {"msr": "0xc0000080", "name": "MSR_EFER", "value": "0xd00"})
    equal([segment["name"] for segment in facts["json info segments"]["segments"]],
          ["cs", "ss", "ds", "es", "fs", "gs", "tr", "ldtr"])


run()
