# SPDX-License-Identifier: GPL-3.0-or-later
"""Watchpoints with the real gdb: variables, structures, buffers, more than four, reads. time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


def long64(*options):
    return Debugged("long64", *options)


def at_work(vm):
    """The guest has begun its loop; its timer ticks."""
    point = gdb.Breakpoint("work")
    vm.go("continue")
    point.delete()


def watched(vm, old, new, expression=None):
    """gdb announces both values."""
    said = vm.go("continue")
    assert f"Old value = {old}\n" in said and f"New value = {new}\n" in said, said
    if expression:
        assert expression in said, said


@test
def a_variable():
    with long64() as vm:
        at_work(vm)
        do("watch counter.value")
        before = value("counter.value")
        vm.go("continue")
        equal(where(), "counter_add")
        after = value("counter.value")
        assert after != before, (before, after)
        said = vm.go("continue")
        assert f"Old value = {after}\n" in said, said
        equal(where(), "counter_add")


@test
def the_stop_is_behind_the_writer():
    with long64() as vm:
        at_work(vm)
        do("watch shared.lines")
        lines = value("shared.lines")
        for n in range(3):
            watched(vm, lines + n, lines + n + 1)
            equal(value("shared.lines"), lines + n + 1)


@test
def a_structure():
    with long64() as vm:
        at_work(vm)
        do("watch counter")
        seen = set()
        for _ in range(4):
            before = text("counter")
            vm.go("continue")
            equal(where(), "counter_add")
            assert text("counter") != before
            seen.add(instruction()["addr"])
        assert len(seen) >= 2, seen  # value, and updates


@test
def a_buffer():
    """64 bytes, that only one watch can hold."""
    with long64() as vm:
        at_work(vm)
        do("watch *(char (*)[64])&shared")
        vm.go("continue")
        assert where() in ("timer_interrupt", "run"), where()


@test
def more_than_four():
    with long64() as vm:
        at_work(vm)
        names = ["counter.value", "counter.updates", "counter.step", "shared.lines", "shared.interrupts",
                 "shared.received", "message_number", "input.head"]
        for name in names:
            do("watch " + name)
        hit = []
        while hit.count("shared.lines") < 3 and len(hit) < 400:
            said = vm.go("continue")
            hit += [name for name in names if name in said]
        # None is left out. How many ticks come between two lines is the host's affair.
        rest = [name for name in hit if name != "shared.interrupts"]
        equal(rest, ["counter.value", "counter.updates", "shared.lines"] * 3, str(hit))
        assert "shared.interrupts" in hit, hit


@test
def a_local_variable():
    """On the stack, where the timer's frames come too; the watch ends with its function."""
    with long64() as vm:
        gdb.Breakpoint("sum_of_squares")
        vm.go("continue")
        do("delete")
        do("watch sum")
        values = []
        for _ in range(8):
            said = vm.go("continue")
            if where() != "sum_of_squares":
                break
            values.append(value("sum"))
        assert "which its expression is valid" in said, said
        assert values[-3:-1] == [1, 5] or values[:3] == [0, 1, 5] or values[:2] == [1, 5], values


@test
def reads():
    with long64() as vm:
        at_work(vm)
        for command in ("rwatch messages[1]", "awatch messages[1]"):
            do(command)
            said = vm.go("continue")
            equal(where(), "message_text")
            assert "all is well" in said, said
            do("delete")


@test
def what_gdb_writes_is_no_hit():
    with long64() as vm:
        at_work(vm)
        do("watch counter.step")
        do("set var counter.step = 3")
        point = gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(stops.breakpoints(), [point.number])
        equal(value("counter.step"), 3)


@test
def a_condition():
    with long64() as vm:
        at_work(vm)
        target = value("shared.lines") + 5
        do(f"watch shared.lines if shared.lines == {target}")
        vm.go("continue")
        equal(value("shared.lines"), target)


@test
def several_vcpus_add_to_one_counter():
    """The spinlock and the counter are on one page; who stopped is who has just added."""
    with Debugged("smp", "-smp", "4") as vm:
        point = gdb.Breakpoint("add_one")
        vm.go("continue")
        point.delete()
        do("watch shared.counter")
        vm.go("continue")
        last = value("shared.counter")
        for _ in range(20):
            vm.go("continue")
            equal(where(), "add_one")
            equal(value("shared.counter"), last + 1)
            last += 1


run()
