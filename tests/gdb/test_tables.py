# SPDX-License-Identifier: GPL-3.0-or-later
"""`info os`: what gdb shows of the machine, held against registers, symbols and memory. time limit: 120 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


def table(name=""):
    """Rows of `info os NAME` as dictionaries, by way of gdb's machine interface."""
    out = do(f'interpreter-exec mi "-info-os \\"{name}\\""')
    heads = re.findall(r'col_name="(col\d+)",colhdr="([^"]*)"', out)
    rows = []
    for item in re.findall(r"item=\{(.*?)\}", out):
        cells = dict(re.findall(r'(col\d+)="((?:[^"\\]|\\.)*)"', item))
        rows.append({title: cells[column] for column, title in heads})
    return rows


def number(text):
    return int(text, 0)


def packets(vm, command):
    """How many gdb sends while it does a command, and what it says."""
    gdb.execute("set debug remote 1")
    try:
        out = vm.go(command)
    finally:
        gdb.execute("set debug remote 0")
    return [line for line in out.splitlines() if "Sending packet: $" in line]


def at_print_line(vm):
    vm.needs_a_breakpoint("long mode")
    gdb.Breakpoint("print_line")
    vm.go("continue")
    equal(where(), "print_line")


@test
def the_tables_there_are():
    with Debugged("long64"):
        equal([row["Type"] for row in table()],
              ["vcpus", "exits", "breakpoints", "memory-slots", "devices", "lapic", "idt", "gdt", "pagetable"])
        out = do("info os")
        assert re.search(r"^pagetable\s+What is mapped", out, re.M), out
        assert "Can not fetch data" in refused("info os processes")


@test
def vcpus():
    with Debugged("smp", "-smp", "2", "-append", "cpus=2") as vm:
        vm.needs_a_breakpoint("long mode")
        first, second = table("vcpus")
        equal((first["Mode"], first["Ring"], number(first["PC"])), ("long mode", "0", pc()))
        equal(second["State"], "waits for INIT")
        gdb.Breakpoint("cpu1_loop")
        vm.go("continue")
        rows = table("vcpus")
        for row, one in zip(rows, sorted(gdb.selected_inferior().threads(), key=lambda one: one.num)):
            one.switch()
            equal(number(row["PC"]), pc())
            equal(number(row["CR3"]), value("$cr3"))
            assert row["State"] in ("runs", "halted"), row
        equal(rows[1]["State"], "runs")
        exits = table("exits")
        for row in rows:
            equal(sum(int(one["Exits"]) for one in exits if one["vCPU"] == row["vCPU"]), int(row["Exits"]))


@test
def exits_and_devices():
    with Debugged("long64") as vm:
        at_print_line(vm)
        rows = {row["Reason"]: row for row in table("exits")}
        assert int(rows["io"]["Exits"]) > 50, rows
        assert "0x3f8 out" in rows["io"]["Most often"], rows
        devices = {(row["Space"], number(row["Start"])): row for row in table("devices")}
        serial = devices["port", 0x3f8]
        equal((number(serial["End"]), serial["Device"], serial["By"]), (0x3ff, "serial0", "vitrine"))
        equal(devices["memory", 0xfee00000]["By"], "kernel")


@test
def breakpoints_of_gdb_and_of_the_console():
    with Debugged("long64") as vm:
        at_print_line(vm)
        do("monitor catch -l io 0x3f8 w")
        # gdb takes its own out whenever the guest stands still, unless it is told not to.
        gdb.execute("set breakpoint always-inserted on")
        try:
            gdb.Breakpoint("counter_add")
            vm.go("continue")
            rows = {row["Place"]: row for row in table("breakpoints")}
        finally:
            gdb.execute("set breakpoint always-inserted off")
        equal(where(), "counter_add")
        caught, mine = rows["0x3f8 w"], rows[f"{pc():#x}"]
        equal((caught["Owner"], caught["Kind"], int(caught["Hits"]) > 10), ("gdb", "catch io", True))
        equal((mine["Owner"], mine["Kind"], mine["Hits"]), ("gdb", "breakpoint", "1"))
        assert mine["How"], mine


@test
def memory_slots():
    with Debugged("long64", "-m", "64"):
        rows = table("memory-slots")
        equal(sum(int(row["KiB"]) for row in rows), 64 * 1024 - 128)
        for row in rows:
            equal((number(row["End"]) + 1 - number(row["Start"])) >> 10, int(row["KiB"]))
            equal(row["Access"], "read,write")
        equal(number(rows[0]["Start"]), 0)


@test
def the_idt_names_the_handlers():
    with Debugged("long64") as vm:
        equal(table("idt"), [])
        at_print_line(vm)
        rows = {int(row["Vector"]): row for row in table("idt")}
        base = value("$idtr_base") if "idtr_base" in do("info registers") else None
        for vector, name in ((0, "#DE"), (14, "#PF"), (32, "")):
            row = rows[vector]
            equal((row["Exception"], row["Present"], row["DPL"]), (name, "yes", "0"))
            equal(row["Kind"], "interrupt gate, 64 bits")
            equal(number(row["Selector"]), value("$cs"))
            handler = number(row["Handler"])
            assert "in section .text" in do(f"info symbol {handler:#x}"), row
            if base is not None:
                gate = memory(base + 16 * vector, 16)
                equal(handler, int.from_bytes(gate[0:2] + gate[6:8] + gate[8:12], "little"))
        equal(rows[128]["DPL"], "3")


@test
def real_modes_vectors():
    with Debugged("real16.bin", symbols="real16.elf"):
        equal(table("idt"), [])
        gdb.selected_inferior().write_memory(4 * 0x10, b"\x34\x12\x00\xf0")
        equal([(row["Vector"], row["Selector"], row["Handler"]) for row in table("idt")],
              [("16", "0xf000", "0xf1234")])


@test
def the_gdt_says_who_holds_what():
    with Debugged("long64") as vm:
        at_print_line(vm)
        rows = {number(row["Selector"]): row for row in table("gdt")}
        assert "cs" in rows[value("$cs")]["Held by"].split(), rows
        assert "ss" in rows[value("$ss")]["Held by"].split(), rows
        assert rows[value("$cs")]["Kind"].startswith("code, 64 bits"), rows
        task = [row for row in rows.values() if row["Kind"].startswith("TSS")]
        equal([row["Held by"] for row in task], ["tr"])
        assert "task_state" in do(f"info symbol {task[0]['Base']}") or number(task[0]["Base"]) > 0x100000


@test
def the_local_apic():
    with Debugged("long64", "-smp", "2"):
        rows = {row["Register"]: row for row in table("lapic 1")}
        equal((rows["ID"]["Meaning"], rows["ID"]["vCPU"]), ("APIC 1", "1"))
        assert "bootstrap" not in rows["APIC_BASE"]["Meaning"], rows
        rows = {row["Register"]: row for row in table("lapic")}
        assert "bootstrap processor" in rows["APIC_BASE"]["Meaning"], rows
        assert "Can not fetch" in refused("info os lapic 2")
    with Debugged("long64", "-irqchip", "user"):
        assert "Can not fetch" in refused("info os lapic")


def entries(base):
    """512 entries of a page table, read at physical addresses."""
    data = memory(base & 0x000ffffffffff000, 4096)
    return [int.from_bytes(data[n:n + 8], "little") for n in range(0, 4096, 8)]


def pages(base, level=3, linear=0, rights=7):
    """(linear, physical, size, writable) of every page in four levels of tables, lowest first."""
    for index, entry in enumerate(entries(base)):
        at = linear | index << 12 + 9 * level
        if at >> 47 & 1:
            at |= 0xffff << 48
        if not entry & 1:
            continue
        if level == 0 or entry & 0x80:
            size = 1 << 12 + 9 * level
            yield at, entry & 0x000ffffffffff000 & ~(size - 1), size, bool(entry & rights & 2)
        else:
            yield from pages(entry, level - 1, at, rights & entry)


@test
def pain_16_page_tables_need_no_scripts():
    with Debugged("user") as vm:
        vm.needs_a_breakpoint("long mode")
        gdb.Breakpoint("guest_main")
        vm.go("continue")
        sent = packets(vm, "info os pagetable")
        assert len(sent) <= 2, sent
        rows = table("pagetable")
        do("monitor physical on")
        wanted = list(pages(value("$cr3")))
        do("monitor physical off")
        assert len(wanted) > 100, len(wanted)
        got = []
        for row in rows:
            start, end, physical = (number(row[name]) for name in ("Start", "End", "Physical"))
            size = {"4K": 1 << 12, "2M": 1 << 21, "1G": 1 << 30}[row["Page"]]
            for offset in range(0, end + 1 - start, size):
                got.append((start + offset, physical + offset, size, row["Rights"][1] == "w"))
        equal(got, wanted)
        # From an address on.
        middle = rows[len(rows) // 2]
        equal(table("pagetable " + middle["Start"])[0]["Start"], middle["Start"])


@test
def pain_16_tables_that_contain_themselves_take_no_minutes():
    with Debugged("long64") as vm:
        top = value("$cr3") & ~0xfff
        gdb.selected_inferior().write_memory(0x2000000, (0x2000003).to_bytes(8, "little") * 512)
        do("monitor physical on")
        gdb.selected_inferior().write_memory(top + 8 * 256, (0x2000003).to_bytes(8, "little"))
        do("monitor physical off")
        sent = packets(vm, "info os pagetable 0xffff800000000000")
        assert len(sent) <= 400, len(sent)
        rows = table("pagetable 0xffff800000000000")
        equal(len(rows), 4097)
        equal(rows[-1]["Start"], "and more: info os pagetable 0xffff800001000000")
        equal({row["Physical"] for row in rows[:-1]}, {"0x2000000"})


@test
def pain_17_a_stop_with_all_that_front_ends_look_at():
    """Registers, stack, code and maps at each stop: few packets, none of them large."""
    with Debugged("long64") as vm:
        at_print_line(vm)
        gdb.execute("set debug remote 1")
        try:
            with Captured(vm.folder + "/log") as captured:
                gdb.execute("continue")
                gdb.execute("info registers", to_string=True)
                for n in range(64):
                    memory(value("$sp") + 8 * n, 8)
                gdb.execute("x/20i $pc", to_string=True)
                gdb.execute("info os pagetable", to_string=True)
                gdb.execute("backtrace", to_string=True)
        finally:
            gdb.execute("set debug remote 0")
        sent = [line for line in captured.text.splitlines() if "Sending packet: $" in line]
        assert len(sent) < 64 + 110, len(sent)
        equal((where(), value("line")), ("print_line", 2))


run()
