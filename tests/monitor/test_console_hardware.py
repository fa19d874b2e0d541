# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers, timer, address map and written pages of real guests.

time limit: 120 s
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import Console, batch, guest
from rsp import Client, elf_symbols
from tap import equal, run, test

LONG64 = guest("long64.elf")
SYMBOLS = elf_symbols(LONG64)
PAGE = 4096


def at(console, function):
    console.run("break " + function)
    return console.until_stop("continue")


def controllers(*options):
    """long64 unmasks timer and COM1, from vector 0x20 on, at 20 Hz; its handler runs before the EOI."""
    with Console("-kernel", LONG64, *options) as console:
        at(console, "timer_interrupt")
        pic = console.run("info pic")
        assert "PIC 1: vectors 0x20-0x27, line 0 is highest\n" in pic, pic
        assert re.search(r"\n +0  0x20  timer +[a-z -]*in-service", pic), pic
        assert re.search(r"\n +1  0x21  keyboard +masked", pic), pic
        assert re.search(r"\n +4  0x24  COM1(?! +.*masked)", pic), pic
        assert "counter 0 (IRQ 0): mode 2, rate generator, count 59659: 20.000 Hz\n" in console.run("info pit")
        console.run("delete")
        at(console, "work")
        assert "in-service" not in console.run("info pic")
        return console.run("info mtree"), console.run("info lapic"), console.run("info ioapic")


@test
def controllers_in_the_kernel():
    tree, lapic, ioapic = controllers()
    assert "0x0020-0x0021      2  pic1, in KVM\n" in tree and "0x03f8-0x03ff      8  serial0\n" in tree, tree
    assert "xAPIC at 0xfee00000, bootstrap processor" in lapic and "LVT LINT0" in lapic, lapic
    assert "24 of 24 pins are masked" in ioapic, ioapic


@test
def controllers_in_vitrine():
    tree, lapic, ioapic = controllers("-irqchip", "user")
    assert "in KVM" not in tree and "serial0" in tree, tree
    assert "-irqchip kernel" in lapic and "-irqchip kernel" in ioapic


@test
def every_cpu_has_an_apic_of_its_own():
    with Console("-kernel", guest("smp.elf"), "-smp", "2", "-append", "cpus=2 rounds=5") as console:
        at(console, "cpu1_loop")
        assert "ID            0x01000000  APIC 1\n" in console.run("info lapic")
        console.run("cpu 0")
        assert "ID            0x00000000  APIC 0\n" in console.run("info lapic")


def written(answer):
    pages = set()
    for first, last in re.findall(r"  0x([0-9a-f]{10})-0x([0-9a-f]{10}) ", answer):
        pages |= set(range(int(first, 16) // PAGE, int(last, 16) // PAGE + 1))
    return pages


@test
def pages_that_the_guest_wrote():
    with Console("-kernel", LONG64) as console:
        at(console, "counter_add")
        assert "ask again" in console.run("info dirty")
        console.run("set *(u8 *)0x300000 = 1")
        console.run("break print_line")
        console.until_stop("continue")
        answer = console.run("info dirty")
        stack, counter = console.value("$rsp") // PAGE, SYMBOLS["counter"][0] // PAGE
        assert counter in written(answer) and stack in written(answer), answer
        assert SYMBOLS["counter_add"][0] // PAGE not in written(answer), "breakpoints are none of the guest's writes"
        assert 0x300 not in written(answer), "what the user wrote is none either"
        start = SYMBOLS["counter"][0] & -PAGE
        assert f"  at {start:#x}" in answer, answer
        console.run("set track-writes off")
        assert "ask again" in console.run("info dirty")


def tables_of(console, address):
    """The pages of the entries that translate it."""
    return {int(entry, 16) // PAGE for entry in re.findall(r"\] at 0x([0-9a-f]+) = ", console.run(f"pt {address:#x}"))}


@test
def a_step_writes_what_its_instruction_writes():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        console.run("info dirty")
        while "movl   $0x3" not in console.run("x/i $pc"):
            console.until_stop("step")
        code = console.value("$rip")
        console.until_stop("step")
        variable = console.value("$rbp") - 0x24
        pages = written(console.run("info dirty"))
        assert variable // PAGE in pages, pages
        # Under nested paging the processor reads a guest's tables as if it wrote them (APM vol. 2, 15.25.5).
        walked = tables_of(console, code) | tables_of(console, variable)
        equal(len(walked), 4)
        equal(pages - walked, {variable // PAGE})


COMMANDS = ("info pic", "info pit", "info mtree", "info lapic", "info ioapic")


@test
def the_same_through_gdb_in_batch_and_as_json():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        gdb = Client(console.socket)
        gdb.ask("?")
        through_gdb = {command: gdb.monitor(command) for command in COMMANDS}
        gdb.close()
    answers = batch(["break work", "continue", *COMMANDS, *("json " + line for line in COMMANDS)], "-kernel", LONG64)
    for command in COMMANDS:
        if command != "info pic":  # the timer's line is high or not
            equal(through_gdb[command], answers[command], command)
        assert json.loads(answers["json " + command])["ok"]
    facts = {command: json.loads(answers["json " + command])["result"] for command in COMMANDS}
    equal(facts["info pit"]["counters"][0], {"mode": 2, "count": 59659, "gate": True})
    equal(facts["info pic"]["lines"][0]["vector"], 0x20)
    equal(facts["info mtree"]["memory"][0]["name"], "RAM")


run()
