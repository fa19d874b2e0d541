# SPDX-License-Identifier: GPL-3.0-or-later
"""Watchpoints by step and compare with the real gdb: what is told is what the other rungs tell. time limit: 300 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
import watching
from watching import at_work, long64

BY_STEPS = ("-debug-strategy", "watch=compare,access=compare")
BY_PAGE = ("-debug-strategy", "watch=page,access=page")


def is_slow(vm):
    """Whether vitrine has said so."""
    return "is by step and compare" in vm.words()


def hits_of(strategy, expressions, count):
    """(what gdb says of it, function, next instruction) of each stop, without the numbers of gdb's points."""
    seen = []
    with long64(*strategy) as vm:
        at_work(vm)
        for expression in expressions:
            do("watch " + expression)
        for _ in range(count):
            said = [line.split(": ")[-1] for line in vm.go("continue").splitlines()
                    if "value = " in line or "watchpoint" in line]
            seen.append((said, where(), pc()))
        equal(is_slow(vm), strategy == BY_STEPS)
    return seen


@test
def values_writers_and_hits_are_those_of_page_protection():
    # Not what the timer's interrupts change: how many come in between is the host's affair.
    expressions = ["shared.lines", "counter.value", "counter.updates", "message_number"]
    equal(hits_of(BY_STEPS, expressions, 12), hits_of(BY_PAGE, expressions, 12))


@test
def a_variable():
    watching.writes_are_told_with_both_values(*BY_STEPS)


@test
def the_timer_ticks_on():
    """What an interrupt's handler writes, while everything is stepped."""
    with long64(*BY_STEPS) as vm:
        at_work(vm)
        do("watch shared.interrupts")
        ticks = value("shared.interrupts")
        for n in range(3):
            vm.go("continue")
            equal((where(), value("shared.interrupts")), ("timer_interrupt", ticks + n + 1))


@test
def breakpoints_on_the_way():
    with long64(*BY_STEPS) as vm:
        at_work(vm)
        do("watch counter.step")
        point = gdb.Breakpoint("counter_add")
        for n in range(3):
            before = value("counter.value")
            vm.go("continue")
            equal((stops.breakpoints(), where()), ([point.number], "counter_add"))
            vm.go("finish")
            assert value("counter.value") != before
        do("set var counter.step = 3")  # not the guest's
        vm.go("continue")
        equal(stops.breakpoints(), [point.number])


@test
def a_step_over_a_line_is_stopped_by_a_watch():
    with long64(*BY_STEPS) as vm:
        gdb.Breakpoint("counter_add")
        vm.go("continue")
        before = value("counter.value")
        do("watch counter.value")
        said = ""
        for _ in range(10):
            said = vm.go("next")
            if "Hardware watchpoint" in said:
                break
        assert f"Old value = {before}\n" in said, said


@test
def reads():
    watching.reads_are_told_with_the_value(*BY_STEPS)


@test
def code_that_is_read():
    """What pages cannot carry, by itself: nobody has asked for this rung."""
    with long64() as vm:
        at_work(vm)
        do("rwatch *(char *)work")
        point = gdb.Breakpoint("work")
        vm.go("continue")
        equal(stops.breakpoints(), [point.number])
        if not is_slow(vm):
            skip("a host whose KVM has no read watches by debug register")


@test
def ctrl_c():
    with long64(*BY_STEPS) as vm:
        at_work(vm)
        do("watch counter.step")
        for _ in range(3):
            vm.go_and_interrupt(0.2)
            equal(stops.signal(), "SIGINT")


@test
def through_the_modes():
    """Each text is read in a mode of its own, its first byte once."""
    with Debugged("real16.bin", *BY_STEPS, symbols="real16.elf") as vm:
        for mode in ("real mode", "protected mode", "long mode"):
            vm.needs(mode, "step")
        seen = []
        for name in ("real", "prot", "long"):
            do(f"rwatch *(char *)&{name}_text")
        for _ in range(3):
            vm.go("continue")
            seen.append((where(), chr(value("$al"))))
        equal(seen, [("real_print", "r"), ("prot_print", "r"), ("long_print", "r")])
        do("delete")
        vm.go("continue")
        vm.ends_with(1)
        assert "long mode" in vm.serial(), vm.serial()


@test
def several_vcpus_add_to_one_counter():
    writers = watching.several_vcpus_add_to_one_counter(40, *BY_STEPS)
    assert len(set(writers)) > 1, writers


# ---- ring 3 --------------------------------------------------------------------------------------

@test
def ring_3():
    with Debugged("user", *BY_STEPS) as vm:
        vm.needs("ring 3", "step")
        do("watch statistics.by_interrupt")
        for n in range(3):
            vm.go("continue")
            equal((where(), value("statistics.by_interrupt"), value("$cs") & 3), ("call_by_interrupt", n + 1, 3))


@test
def ring_3_where_this_host_cannot_step():
    with Debugged("user", *BY_STEPS) as vm:
        if vm.can("ring 3", "step"):
            skip("a host whose KVM has no single steps in ring 3")
        # Of a page that is open to ring 3 it would miss writes.
        point = gdb.Breakpoint("enter_user")
        vm.go("continue")
        point.delete()
        do("watch statistics.by_interrupt")
        here, said = pc(), vm.go("continue")
        assert "watch=compare" in said, said
        equal(pc(), here)
        do("delete")
        # Of the kernel's it would not; but there is no way through ring 3.
        do("watch *(int *)mend_syscall")
        said = vm.go("continue")
        equal((value("$cs") & 3, stops.signal()), (3, "SIGABRT"))
        assert "step and compare: disable it" in said and "ring 3" in said, said
        here = pc()
        said = vm.go("continue")
        assert "step and compare: disable it" in said, said
        equal(pc(), here)
        do("delete")
        gdb.Breakpoint("system_write")
        vm.go("continue")
        equal((where(), value("number")), ("system_write", 1))


run()
