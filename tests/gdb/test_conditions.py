# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions that the stub evaluates (pains 4 and 18). time limit: 300 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from hot_guest import *

SLOWER = int(os.environ.get("SLOWER", "1"))
CPUS = 4

# ---- the guest's data, as it is in a turn --------------------------------------------------------

def signed(number, bits):
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def unsigned(number, bits):
    return number & ((1 << bits) - 1)


def rest(number, by):
    """C's %: the sign is the number's."""
    return number % by if number >= 0 else -(-number % by)


class Item:
    """What prepare() in the guest writes."""

    def __init__(self, n):
        self.n = n
        self.s8, self.u8 = signed(n, 8), unsigned(n, 8)
        self.s16, self.u16 = signed(n * 1000, 16), unsigned(n * 1000, 16)
        self.s32, self.u32 = -n, unsigned(n - 10, 32)
        self.s64, self.u64 = 5 - n, unsigned(n << 60, 64)
        self.flag, self.small, self.level = n & 1, n & 7, (n & 15) - 8
        self.color, self.divisor = n % 3, n % 5
        self.index = n % 4
        self.space = 1 if n % 2 else 2


# Each condition, and the same in Python.
CONDITIONS = [
    # locals, arguments, globals
    ("(unsigned char)number == 7", lambda i: i.n % 256 == 7),
    ("turn % 100 > 20 && turn % 100 <= 25", lambda i: 20 < i.n % 100 <= 25),
    ("!(number % 16)", lambda i: i.n % 16 == 0),
    # narrow types, signed and unsigned
    ("item->s8 < 0", lambda i: i.s8 < 0),
    ("item->u8 == 200", lambda i: i.u8 == 200),
    ("item->s8 == -56", lambda i: i.s8 == -56),
    ("item->s16 < -30000", lambda i: i.s16 < -30000),
    ("item->u16 > 65000", lambda i: i.u16 > 65000),
    ("item->s32 % 300 == 0", lambda i: i.n % 300 == 0),
    ("item->s32 % 100 + 50 < 0", lambda i: i.n % 100 > 50),
    ("item->u32 % 300 == 5", lambda i: i.u32 % 300 == 5),
    ("item->s64 % 200 <= -150", lambda i: rest(i.s64, 200) <= -150),
    ("item->u64 > 0xdfffffffffffffff", lambda i: i.u64 > 0xdfffffffffffffff),
    # mixed signs, as in C: one unsigned operand makes the other so
    ("item->s32 > item->u32", lambda i: unsigned(i.s32, 32) > i.u32),
    ("item->s8 > 0x7fU", lambda i: unsigned(i.s8, 32) > 0x7f),
    # operators
    ("(item->u8 & 0xf0) == 0xa0", lambda i: i.u8 & 0xf0 == 0xa0),
    ("(item->u8 ^ 0x5a) == 1", lambda i: i.u8 ^ 0x5a == 1),
    ("(item->u8 | 0x0f) == 0x8f", lambda i: i.u8 | 0x0f == 0x8f),
    ("(signed char)~item->u8 == -3", lambda i: signed(~i.u8, 8) == -3),
    ("item->u8 << 2 == 0x3c", lambda i: i.u8 << 2 == 0x3c),
    ("(item->s32 >> 4) % 20 == -3", lambda i: rest(i.s32 >> 4, 20) == -3),
    ("(item->u32 >> 4) % 20 == 3", lambda i: (i.u32 >> 4) % 20 == 3),
    ("item->s32 / 7 % 20 == -10", lambda i: i.n // 7 % 20 == 10),
    ("item->s32 % 7 == -6", lambda i: i.n % 7 == 6),
    ("item->u32 / 7 % 20 == 10", lambda i: i.u32 // 7 % 20 == 10),
    ("(item->u16 & 0xff) * 2 == 0xd0 * 2", lambda i: i.u16 & 0xff == 0xd0),
    ("-item->s32 % 200 == 120", lambda i: i.n % 200 == 120),
    # logic, and what is not looked at
    ("item->divisor && 100 / item->divisor == 25", lambda i: i.divisor == 4),
    ("!item->divisor || 100 / item->divisor == 1", lambda i: i.divisor == 0),
    ("(item->flag ? item->u8 : 256) == 15", lambda i: i.flag and i.u8 == 15),
    ("item->next && item->next == &items[2]", lambda i: i.index == 1),
    # bit fields and enums
    ("item->flag == 1 && item->small == 5", lambda i: i.flag and i.small == 5),
    ("item->small == 0", lambda i: i.small == 0),
    ("item->level == -8", lambda i: i.level == -8),
    ("item->level < -6 && item->flag", lambda i: i.level < -6 and i.flag),
    ("(int)item->color == (int)BLUE && item->flag", lambda i: i.color == 2 and i.flag),
    # pointers, arrays, casts
    ("item == &items[3]", lambda i: i.index == 3),
    ("item - items == 2", lambda i: i.index == 2),
    ("item->bytes[3] == 235", lambda i: i.n % 8 == 3 and i.u8 == 235),
    ("item->table[1][2] % 400 == 234", lambda i: i.n % 200 == 117),
    ("items[number % 4].s32 % 150 == -30", lambda i: i.n % 150 == 30),
    ("*item->name == 99", lambda i: i.index == 2),
    ("item->name[1] == 111", lambda i: i.index == 3),
    ("(unsigned char)item->s8 == 0xc8", lambda i: i.u8 == 0xc8),
    ("(int)item->s64 % 150 == -50", lambda i: rest(i.s64, 150) == -50),
    ("*(unsigned short *)&item->u32 % 150 == 50", lambda i: (i.u32 & 0xffff) % 150 == 50),
    ("*((int *)&item->s64 + 1) == -1", lambda i: i.n > 5),
    # an address space's own page
    ("here.space.number == 2", lambda i: i.space == 2),
]


@test
def the_target_evaluates():
    with Hot() as vm:
        gdb.Breakpoint("visit").condition = "number == 50"
        assert "currently target" in do("show breakpoint condition-evaluation")
        vm.go("continue")
        equal(value("number"), 50)
        assert "(target evals)" in do("info breakpoints")
        equal(len(vm.sent(r"Z0,[0-9a-f]+,1;X[0-9a-f]+,[0-9a-f]+")), 1)
        equal(vm.stop_replies(), 2)  # of the connect, and of this


def check_next(vm, point, condition, holds):
    """Goes on to the next turn in which the condition holds. The stub has judged each call, and told the one."""
    turn = value("number")
    wanted = next((n for n in range(turn + 1, turn + 400) if holds(Item(n))), None)
    assert wanted, f"{condition} does not hold soon after turn {turn}"
    do(f"condition {point.number} {condition}")  # gdb would not send again what is set in Python
    replies = vm.stop_replies()
    vm.go("continue")
    equal(value("number"), wanted, condition)
    here = the_point()
    equal((here["hits"], here["come"]), (1, wanted - turn), condition)
    equal(vm.stop_replies() - replies, 2, condition)  # off the breakpoint, and the hit


@test
def every_kind_of_condition():
    with Hot() as vm, settings(breakpoint_always__inserted="on"):
        point = gdb.Breakpoint("visit")
        vm.go("continue")
        for condition, holds in CONDITIONS:
            check_next(vm, point, condition, holds)


@test
def registers_in_conditions():
    with Hot() as vm, settings(breakpoint_always__inserted="on"):
        point = gdb.Breakpoint("visit")
        vm.go("continue")
        equal(value("number"), 1)
        mask = (1 << 64) - 1
        here = {name: value("$" + name) & mask for name in
                ("rip", "rsp", "rbp", "cr0_value", "cr4_value", "efer_value", "apic_base", "fs_base")}
        first, second = value("first_cr3"), value("second_cr3")
        equal(value("$cr3_value"), first)
        do("delete")
        point = gdb.Breakpoint(f"*{value('(long)&visit')}")  # rdi and rsi are the arguments there
        vm.go("continue")
        check = [
            (f"$cr3_value == {second:#x}", lambda n: n % 2 == 0),
            (f"$cr3_value == {first:#x}", lambda n: n % 2),
            ("$cr3_value == second_cr3", lambda n: n % 2 == 0),
            (f"$cr3_value >> 12 == {second >> 12} && $rsi % 10 == 0", lambda n: n % 10 == 0),
            (f"$rip == {value('(long)&visit'):#x} && $rsi == 50", lambda n: n == 50),
            ("(long)$rip == (long)visit && $rsi == 52", lambda n: n == 52),
            ("$rdi == &items[3]", lambda n: n % 4 == 3),
            ("((struct item *)$rdi)->divisor == 3", lambda n: n % 5 == 3),
            (f"$rsp == {here['rbp'] + 8:#x} && $rsi == 60", lambda n: n == 60),
            ("*(unsigned long *)($rsp + 8) != 0 && $rsi == 62", lambda n: n == 62),
            ("$cs == 8 && $rsi == 64", lambda n: n == 64),
            (f"$cr0_value == {here['cr0_value']} && $cr4_value == {here['cr4_value']} && $rsi == 66",
             lambda n: n == 66),
            (f"$efer_value == {here['efer_value']} && $rsi == 68", lambda n: n == 68),
            (f"$fs_base == {here['fs_base']} && $rsi == 70", lambda n: n == 70),
        ]
        for condition, holds in check:
            turn = value("turn")
            wanted = next(n for n in range(turn + 1, turn + 100) if holds(n))
            do(f"condition {point.number} {condition}")
            vm.go("continue")
            equal((value("$rsi"), value("turn")), (wanted, wanted), condition)
            equal((the_point()["hits"], the_point()["come"]), (1, wanted - turn), condition)


# ---- pains ---------------------------------------------------------------------------------------

@test
def pain_04_only_in_one_address_space():
    """The same code at the same address in two address spaces; only the second one is asked for."""
    with Hot() as vm, settings(breakpoint_always__inserted="on"):
        point = gdb.Breakpoint("visit")
        vm.go("continue")
        first, second = value("first_cr3"), value("second_cr3")
        assert first != second
        for cr3, space in ((second, 2), (first, 1)):
            for _ in range(5):
                do(f"condition {point.number} $cr3_value == {cr3}")
                turn = value("turn")
                vm.go("continue")
                equal((value("$cr3_value"), value("here.space.number")), (cr3, space))
                passed = value("turn") - turn
                equal(the_point()["come"], passed)
                assert passed in (1, 2), passed
        # And with what else is to be looked at: the hundredth visit there.
        do(f"condition {point.number} $cr3_value == {second} && here.space.visits == 99")
        vm.go("continue")
        equal((value("here.space.visits"), value("here.space.number")), (99, 2))
        equal(value("turn"), 200)


@test
def pain_18_conditional_breakpoints_in_hot_code():
    """Thousands of calls are judged where they happen; gdb hears of the one that it asked for."""
    last = 10000 // SLOWER
    with Hot(f"turns={last + 5}") as vm, settings(breakpoint_always__inserted="on"):
        gdb.Breakpoint("visit")
        vm.go("continue")
        do(f"condition $bpnum number == {last} && item->u8 == {last % 256} && item->s32 < 0")
        replies, packets = vm.stop_replies(), len(vm.sent(".*"))
        vm.go("continue")
        equal((value("number"), value("turn")), (last, last))
        equal((the_point()["hits"], the_point()["come"]), (1, last - 1))
        equal(vm.stop_replies() - replies, 2)  # off the breakpoint, and the hit
        assert len(vm.sent(".*")) - packets < 30, vm.sent(".*")[packets:]
        do("delete")
        vm.go_to_the_end(1)


@test
def pain_18_hot_code_on_four_vcpus():
    """All of them at once, each call is judged for the vCPU that makes it, and none slips by or counts twice."""
    with Logged("smp", "-smp", str(CPUS), "-append", counted(0)) as vm:
        with settings(breakpoint_always__inserted="on"):
            gdb.Breakpoint("add_one").condition = " && ".join(f"cpus[{n}].running" for n in range(CPUS))
            vm.go("continue")
            do("delete")
            gdb.Breakpoint("add_one")
            vm.go("continue")
            for n in range(CPUS):
                rounds = value(f"cpus[{n}].rounds") + 40 // min(SLOWER, 4)
                replies = vm.stop_replies()
                do(f"condition $bpnum cpu == {n} && cpus[cpu].rounds == {rounds}")
                vm.go("continue")
                equal((value("cpu"), value("cpus[cpu].rounds"), where()), (n, rounds, "add_one"))
                equal(vm.stop_replies() - replies, 2)
                equal(the_point()["hits"], 1)


@test
def pain_18_nothing_is_lost_on_four_vcpus():
    """A condition that is never true, on every call of every vCPU; the guest checks its sum itself."""
    rounds = 400 // SLOWER
    with Logged("smp", "-smp", str(CPUS), "-append", f"rounds={rounds}") as vm:
        gdb.Breakpoint("add_one").condition = f"shared.counter > {CPUS * rounds} || cpus[cpu].rounds > {rounds}"
        stops.exit_code = None
        vm.go("continue")
        equal(stops.exit_code, 1)  # value 0
        equal(vm.stop_replies(), 1)  # of the connect
        assert f"total = {CPUS * rounds}, as it must be" in vm.serial(), vm.serial()
        vm.ends_with(1)


# ---- conditions that cannot be evaluated ---------------------------------------------------------

@test
def memory_that_is_not_there_stops_and_says_so():
    with Hot() as vm:
        point = gdb.Breakpoint("visit")
        point.condition = "item->next->s32 == 7"
        out = vm.go("continue")
        equal(value("number"), 3)  # the first whose item is the last one
        equal(value("item->next"), 0)
        assert "vCPU 0: the condition of a breakpoint here cannot be evaluated: 4 bytes at 0x8 cannot be read" in out, out
        assert "Error in testing " in out and "Cannot access memory at address 0x8" in out, out
        vm.go("continue")
        equal(value("number"), 7)


@test
def a_division_by_zero_stops_and_says_so():
    with Hot() as vm:
        gdb.Breakpoint("visit").condition = "100 / item->divisor == 1"
        out = vm.go("continue")
        equal(value("number"), 5)
        assert "cannot be evaluated: division by zero" in out, out
        assert "Division by zero" in out, out


@test
def what_is_not_looked_at_cannot_fail():
    with Hot() as vm:
        gdb.Breakpoint("visit").condition = "item->next && item->divisor && item->next->s32 / item->divisor < -2"
        out = vm.go("continue")
        assert "cannot be evaluated" not in out, out
        # item->next was prepared one turn later, three turns ago.
        equal(value("number"), next(n for n in range(1, 100) if n % 4 != 3 and n % 5 and n > 4 and
                                    -((n - 3) // (n % 5)) < -2))


# ---- who evaluates what --------------------------------------------------------------------------

@test
def what_gdb_does_not_compile_it_evaluates_itself():
    with Hot() as vm, settings(breakpoint_always__inserted="on"):
        point = gdb.Breakpoint("visit")
        vm.go("continue")
        for condition in ("item->color == BLUE", "*item->name == 'c'", "$_thread == 1 && number % 4 == 2",
                          "$st0 == 0 && number % 5 == 0", "$sp != 0 && number % 7 == 0", "$eax + 1 != 0 && number % 3 == 0"):
            do(f"condition {point.number} {condition}")
            vm.go("continue")
            assert gdb.parse_and_eval(condition), condition
            equal(the_point()["come"], None, condition)


@test
def evaluated_by_gdb_at_its_users_wish():
    with Hot() as vm, settings(breakpoint_condition__evaluation="host"):
        gdb.Breakpoint("visit").condition = "number == 6"
        vm.go("continue")
        equal(value("number"), 6)
        equal(vm.sent("Z0,.*X.*"), [])
        assert vm.stop_replies() > 6, vm.stop_replies()
    with Hot() as vm, settings(breakpoint_condition__evaluation="target"):
        gdb.Breakpoint("visit").condition = "number == 6"
        vm.go("continue")
        equal(value("number"), 6)
        equal(vm.stop_replies(), 2)


run()
