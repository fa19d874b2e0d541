# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb's commands about memory: dump, restore, find, compare-sections, load, and physical addresses. time limit: 120 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

SPARE = 0x1000000  # RAM that no guest here uses
DEVICES = 0xa0000  # where RAM has a hole


def write(address, data):
    gdb.selected_inferior().write_memory(address, data)


def pattern(size):
    return bytes((n ^ n >> 8 ^ n >> 16) & 0xff for n in range(size))


def packets(vm, command, first=""):
    """Those that begin so, of what gdb sends while it does a command."""
    with Captured(vm.folder + "/log") as captured:
        gdb.execute("set debug remote-packet-max-chars unlimited")
        gdb.execute("set debug remote 1")
        try:
            gdb.execute(command)
        finally:
            gdb.execute("set debug remote 0")
    return [line for line in captured.text.splitlines() if f"Sending packet: ${first}" in line]


@test
def a_megabyte_there_and_back_in_packets_of_128_kib():
    with Debugged("long64") as vm:
        data = pattern(1 << 20)
        with open(vm.folder + "/data", "wb") as file:
            file.write(data)
        sent = packets(vm, f"restore {vm.folder}/data binary {SPARE}", "X")
        # As many as it takes when each is nearly full; bytes that need an escape take two.
        assert len(sent) <= 10, len(sent)
        equal(memory(SPARE, len(data)), data)
        sent = packets(vm, f"dump binary memory {vm.folder}/back {SPARE} {SPARE + len(data)}", "m")
        assert len(sent) <= 17, len(sent)
        with open(vm.folder + "/back", "rb") as file:
            equal(file.read(), data)


@test
def a_read_that_meets_a_hole():
    with Debugged("long64") as vm:
        write(DEVICES - 4, b"last")
        out = ""
        try:
            with Captured(vm.folder + "/output") as captured:
                gdb.execute(f"x/8c {DEVICES - 4}")
        except gdb.error as error:
            out = str(error)
        equal(re.findall(r"'(.)'", captured.text), list("last"))
        equal(out, f"Cannot access memory at address {DEVICES:#x}")
        assert "0xa0000" in refused(f"dump binary memory {vm.folder}/none {DEVICES} {DEVICES + 1}")
        # Nothing is written behind the end of RAM, and gdb hears of it.
        refused(f"set var *(char *){DEVICES} = 1")
        refused("set var *(char *)0x123456789abc = 1")


@test
def find_in_all_of_memory():
    with Debugged("long64") as vm:
        write(SPARE + 0xffd, b"needle")
        write(SPARE + 0x500000, b"needle")
        found = do("find 0, 0xfffffffffffffffe, 'n', 'e', 'e', 'd', 'l', 'e'")
        equal([int(word, 16) for word in re.findall(r"^0x\w+", found, re.M)], [SPARE + 0xffd, SPARE + 0x500000])
        equal(value("$numfound"), 2)
        equal(value("$_"), SPARE + 0x500000)
        assert "not found" in do("find 0, 0xfffffffffffffffe, 'n', 'e', 'e', 'd', 'l', 'e', 's'")
        found = do(f"find /w {SPARE}, +0x1000000, 0x6465656e")
        equal(value("$numfound"), 2)
        # The stub looks: gdb does not read 64 MiB for that.
        sent = packets(vm, f"find {SPARE}, +0x4000000, 'n', 'e', 'e', 'd', 'l', 'e', 's'")
        assert len(sent) <= 2, sent


def sections():
    """What gdb says of each section that was loaded."""
    found = re.findall(r"Section (\.\w+), range .*: (matched|MIS-MATCHED)", do("compare-sections"))
    return dict(found)


@test
def compare_sections_and_load():
    with Debugged("long64") as vm:
        equal(sections(), {".text": "matched", ".rodata": "matched", ".data": "matched"})
        start = value("(long)&counter_add")
        write(start, b"\xcc")
        write(value("(long)&counter"), b"changed")
        equal(sections(), {".text": "MIS-MATCHED", ".rodata": "matched", ".data": "MIS-MATCHED"})
        gdb.execute("set var $pc = 0x1234")
        out = do("load")
        assert "Start address 0x0000000000100000" in out, out
        equal(set(sections().values()), {"matched"})
        equal((pc(), where()), (0x100000, "_start"))
        equal(memory(start, 16), file_bytes(start, 16))
        vm.needs_a_breakpoint("long mode")
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal((where(), value("line")), ("print_line", 1))


@test
def load_another_program():
    """A machine that has run something else takes a program that gdb brings along."""
    with Debugged("long64", "-append", "ticks=1") as vm:
        with open(guest("io.elf"), "rb") as file:
            program = file.read()
        gdb.execute("file " + guest("io.elf"))
        out = do("load")
        size = int(re.search(r"load size (\d+)", out).group(1))
        assert 0 < size < len(program), out
        assert set(sections().values()) == {"matched"}, sections()
        start = value("(long)&guest_main")
        assert memory(start, 32) in program
        vm.go("continue")
        equal(stops.exit_code, 1)
        assert "ok" in vm.serial(), vm.serial()
        vm.ends_with(1)


@test
def physical_addresses():
    with Debugged("long64"):
        table = value("$cr3") & ~0xfff
        high = 0x8000000000  # the next 512 GiB, where nothing is mapped yet
        refused(f"x/b {high}")
        out = do("monitor physical on")
        assert "physical addresses" in out, out
        entry = int.from_bytes(memory(table, 8), "little")
        equal(entry & 1, 1)
        write(table + 8, memory(table, 8))
        refused(f"x/b {high}")
        assert 'received: "1"' in do("maintenance packet qqemu.PhyMemMode")
        do("monitor physical off")
        equal(memory(high + 0x100000, 64), memory(0x100000, 64))
        write(high + SPARE, b"both")
        equal(memory(SPARE, 4), b"both")
        # As front-ends say it that know QEMU.
        do("maintenance packet Qqemu.PhyMemMode:1")
        refused(f"x/b {high}")
        equal(memory(SPARE, 4), b"both")
        assert "physical addresses" in do("monitor physical")
        do("maintenance packet Qqemu.PhyMemMode:0")


run()
