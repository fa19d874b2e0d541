# SPDX-License-Identifier: GPL-3.0-or-later
"""dprintf by the stub: what it prints arrives in gdb, whole, in order, and nobody stops. time limit: 300 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from hot_guest import *

SLOWER = int(os.environ.get("SLOWER", "1"))
CPUS = 4


def by_the_stub():
    return settings(dprintf__style="agent")


def numbers(pattern, out):
    return [int(n) for n in re.findall(pattern, out, re.M)]


@test
def it_prints_and_goes_on():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"turn %lu\n",number')
        gdb.Breakpoint("take_turn").condition = "number == 101"
        out = vm.go("continue")
        equal(numbers(r"^turn (\d+)$", out), list(range(1, 101)))
        assert out.index("turn 100\n") < out.index("Breakpoint "), out  # ahead of the stop
        equal(value("number"), 101)
        equal(vm.stop_replies(), 2)
        out = vm.go("stepi")
        equal(numbers(r"^turn (\d+)$", out), [])


@test
def values_of_every_kind():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"%d|%u|%d|%u|%ld|%lx|%c|%s|%5.2s|%-4d|%04x|%p|%d%%|%d\n",'
           "item->s8, item->u8, item->s8, item->u16, item->s64, item->u64, item->name[0], item->name, item->name,"
           "item->level, item->small, item, item->flag ? 100 : 50, item->next && item->next->s32 == 5 - 9")
        gdb.Breakpoint("take_turn").condition = "number == 9"
        out = vm.go("continue")
        lines = [line for line in out.splitlines() if line.count("|") == 13]
        names = ["anna", "berta", "clara", "dora"]
        items = value("(long)&items[0]")
        size = value("sizeof(items[0])")
        wanted = []
        for n in range(1, 9):
            name, level = names[n % 4], (n & 15) - 8
            nexts = n % 4 != 3 and n - 3 == 4
            wanted.append(f"{n}|{n}|{n}|{n * 1000}|{5 - n}|{n << 60 & (1 << 64) - 1:x}|{name[0]}|{name}|"
                          f"   {name[:2]}|{level:<4}|{n & 7:04x}|{items + n % 4 * size:#x}|"
                          f"{100 if n & 1 else 50}%|{int(nexts)}")
        equal(lines, wanted)


@test
def a_value_that_cannot_be_read():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"%lu %d %s %s\n",number, item->next->s32, item->name, item->next->name')
        gdb.Breakpoint("take_turn").condition = "number == 4"
        out = vm.go("continue")
        assert ("3 <4 bytes at 0x8 cannot be read> dora <8 bytes at " in out), out
        assert "2 0 clara dora\n" in out, out


@test
def a_line_in_pieces():
    with Hot() as vm, by_the_stub():
        do(r'dprintf prepare,"[%lu"' + ",number")
        do(r'dprintf visit,"-%lu]"' + ",number")
        do(r'dprintf *&take_turn,"\"\t\\\n"')
        gdb.Breakpoint("take_turn").condition = "number == 4"
        out = vm.go("continue")
        assert '"\t\\\n[1-1]"\t\\\n[2-2]"\t\\\n[3-3]"\t\\\n' in out, out


@test
def with_a_condition():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"turn %lu\n",number')
        do("condition $bpnum number % 7 == 0")
        gdb.Breakpoint("take_turn").condition = "number == 50"
        out = vm.go("continue")
        equal(numbers(r"^turn (\d+)$", out), list(range(7, 50, 7)))
        equal(vm.stop_replies(), 2)


@test
def two_in_one_place():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"a%lu ",number')
        do(r'dprintf visit,"b%lu\n",number')
        gdb.Breakpoint("take_turn").condition = "number == 5"
        out = vm.go("continue")
        assert "a1 b1\na2 b2\na3 b3\na4 b4\n" in out, out
        equal(vm.stop_replies(), 2)


@test
def beside_a_breakpoint_gdb_prints_itself():
    """gdb does not send a dprintf to a place where it has a breakpoint; by its other style it prints by itself."""
    with Hot() as vm, settings(dprintf__style="gdb"):
        do(r'dprintf visit,"turn %lu\n",number')
        gdb.Breakpoint("visit").condition = "number == 5"
        out = vm.go("continue")
        equal(numbers(r"^turn (\d+)$", out), [1, 2, 3, 4, 5])
        equal(value("number"), 5)


@test
def nothing_is_lost_when_it_prints_without_end():
    """Faster than gdb reads: the guest waits for it."""
    last = 5000 // SLOWER
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"turn %lu, and a longer text that says nothing more\n",number')
        gdb.Breakpoint("take_turn").condition = f"number == {last + 1}"
        out = vm.go("continue", 3 * TIME_LIMIT)
        equal(numbers(r"^turn (\d+),", out), list(range(1, last + 1)))


@test
def ctrl_c_while_it_prints_without_end():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"turn %lu\n",number')
        first = 1
        for _ in range(5):
            out = vm.go_and_interrupt(0.2)
            equal(stops.signal(), "SIGINT")
            seen = numbers(r"^turn (\d+)$", out)
            equal(seen, list(range(first, first + len(seen))))
            first += len(seen)
            # All that was executed was printed before the stop, and it alone.
            assert value("turn") in (first - 1, first), (value("turn"), first)


@test
def on_four_vcpus():
    rounds = 100 // SLOWER
    with Logged("smp", "-smp", str(CPUS), "-append", counted(rounds)) as vm, by_the_stub():
        do(r'dprintf add_one,"cpu %u does round %lu\n",cpu,cpus[cpu].rounds')
        stops.exit_code = None
        out = vm.go("continue")
        equal(stops.exit_code, 1)  # the guest's own check of its sum: value 0
        for n in range(CPUS):
            equal(numbers(rf"^cpu {n} does round (\d+)$", out), list(range(rounds)))
        equal(out.count("\n"), CPUS * rounds + out.count("\n", out.rindex("does round")) - 1)
        vm.ends_with(1)


@test
def a_format_that_the_stub_does_not_print():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"%g\n",number')
        out = vm.go_refused("continue")
        assert "Cannot insert breakpoint" in out, out
        says(vm, "is not printed here")


@test
def it_is_over_when_it_is_deleted():
    with Hot() as vm, by_the_stub():
        do(r'dprintf visit,"turn %lu\n",number')
        point = gdb.Breakpoint("take_turn")
        point.condition = "number == 10"
        equal(len(numbers(r"^turn (\d+)$", vm.go("continue"))), 9)
        do(f"disable {point.number - 1}")
        point.condition = "number == 20"
        equal(numbers(r"^turn (\d+)$", vm.go("continue")), [])
        do(f"enable {point.number - 1}")
        point.condition = "number == 22"
        equal(numbers(r"^turn (\d+)$", vm.go("continue")), [20, 21])
        do(f"delete {point.number - 1}")
        point.condition = "number == 30"
        equal(numbers(r"^turn (\d+)$", vm.go("continue")), [])


run()
