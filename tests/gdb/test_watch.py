# SPDX-License-Identifier: GPL-3.0-or-later
"""Watchpoints with the real gdb: variables, structures, buffers, more than four, reads. time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
import watching
from watching import at_work, long64


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
    watching.writes_are_told_with_both_values()


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
    watching.reads_are_told_with_the_value()


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
    watching.several_vcpus_add_to_one_counter(20)


run()
