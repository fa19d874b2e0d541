# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of several points, of other points than breakpoints, and in other modes. time limit: 300 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from hot_guest import *

# ---- other points, and several -------------------------------------------------------------------

@test
def two_breakpoints_in_one_place():
    with Hot() as vm:
        first, second = gdb.Breakpoint("visit"), gdb.Breakpoint("visit")
        first.condition, second.condition = "number % 10 == 3", "number % 10 == 7"
        for number, point in ((3, first), (7, second), (13, first), (17, second)):
            out = vm.go("continue")
            equal(value("number"), number)
            assert f"Breakpoint {point.number}, visit" in out, out
        equal(vm.stop_replies(), 1 + 4 + 3)
        equal(len(vm.sent("Z0,[0-9a-f]+,1;X[0-9a-f]+,[0-9a-f]+X[0-9a-f]+,[0-9a-f]+")), 4)
        third = gdb.Breakpoint("visit")  # without a condition: each call
        out = vm.go("continue")
        equal(value("number"), 18)
        assert f"Breakpoint {third.number}, visit" in out, out
        third.delete()
        vm.go("continue")
        equal(value("number"), 23)


@test
def a_hardware_breakpoint_with_a_condition():
    with Hot() as vm:
        vm.needs("long mode", "slot")
        gdb.Breakpoint("visit", type=gdb.BP_HARDWARE_BREAKPOINT).condition = "number == 60"
        vm.go("continue")
        equal(value("number"), 60)
        equal(vm.stop_replies(), 2)
        equal(len(vm.sent("Z1,[0-9a-f]+,1;X.*")), 1)


@test
def a_temporary_breakpoint_with_a_condition():
    with Hot() as vm:
        do("tbreak visit if number == 30")
        vm.go("continue")
        equal(value("number"), 30)
        equal(gdb.breakpoints(), ())


@test
def an_ignore_count_beside_a_condition():
    with Hot() as vm:
        point = gdb.Breakpoint("visit")
        point.condition = "number % 10 == 0"
        point.ignore_count = 2
        vm.go("continue")
        equal(value("number"), 30)
        equal(point.hit_count, 3)


@test
def a_watch_with_a_condition():
    with Hot("turns=0 one") as vm:
        do("break visit")
        vm.go("continue")
        do("delete")
        try:
            do("watch items[2].s32 if items[2].s32 % 40 == -10")
            out = vm.go("continue")
        except gdb.error as error:
            skip(f"this host's KVM: write watches ({error})")
        assert "Hardware watchpoint" in out, out
        equal((value("items[2].s32"), value("turn")), (-10, 10))
        vm.go("continue")
        equal((value("items[2].s32"), value("turn")), (-50, 50))


@test
def next_over_a_function_with_a_condition_in_it():
    with Hot() as vm:
        gdb.Breakpoint("take_turn").condition = "number == 9"
        vm.go("continue")
        point = gdb.Breakpoint("visit")
        point.condition = "number == 10"
        while "visit" not in do("frame"):
            vm.go("next")  # comes to the line with the call of visit, over prepare
        equal((where(), value("number")), ("take_turn", 9))
        vm.go("next")  # and over it
        equal((where(), value("number")), ("take_turn", 9))
        equal(value("item->bytes[0]"), 9)
        do(f"condition {point.number} number == 11")
        vm.go("continue")
        equal((where(), value("number")), ("visit", 11))


@test
def a_condition_is_changed_and_taken_away():
    with Hot() as vm:
        point = gdb.Breakpoint("visit")
        for condition, wanted in (("number == 5", 5), ("number == 8", 8), (None, 9), ("number > 20", 21)):
            do(f"condition {point.number} {condition or ''}")
            vm.go("continue")
            equal(value("number"), wanted)
        point.enabled = False
        vm.go_and_interrupt(0.05)
        equal(stops.signal(), "SIGINT")
        point.enabled = True
        turn = value("turn")
        do(f"condition {point.number} number == {turn + 50}")
        vm.go("continue")
        equal(value("number"), turn + 50)


@test
def ctrl_c_while_a_condition_is_hot():
    with Hot() as vm:
        gdb.Breakpoint("visit").condition = "number == 0"
        last = 0
        for _ in range(5):
            vm.go_and_interrupt(0.1)
            equal(stops.signal(), "SIGINT")
            assert value("turn") >= last
            last = value("turn")
        assert last > 0


# ---- other modes ---------------------------------------------------------------------------------

@test
def rip_and_rsp_are_linear_in_real_mode():
    with Debugged("real16") as vm:
        vm.needs_a_breakpoint("real mode")
        where_ = value("(long)real_print")
        stack = 0x7bfe  # two bytes of return address have been pushed
        point = gdb.Breakpoint("real_print")
        with settings(breakpoint_always__inserted="on"):
            do(f"condition {point.number} (unsigned int)$rip == {where_} && (unsigned int)$rsp == {stack}")
            vm.go("continue")
            equal(where(), "real_print")
            equal((the_point()["hits"], the_point()["come"]), (1, 1))


@test
def conditions_in_32_bit_code():
    with Debugged("prot32") as vm:
        vm.needs_a_breakpoint("protected mode")
        with settings(breakpoint_always__inserted="on"):
            entry = value("(long)greatest_divisor")
            do(f"break *{entry} if $eip == {entry} && *(unsigned *)($esp + 8) == 21")
            vm.go("continue")
            equal((where(), value("*(unsigned *)($esp + 4)")), ("greatest_divisor", 147))
            equal((the_point()["hits"], the_point()["come"]), (1, 3))  # of 1071 and 462, 462 and 147


run()
