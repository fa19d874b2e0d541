# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with the demonstration guest: they end, begin again, and outlive it. time limit: 180 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


@test
def detach_lets_the_guest_go_on():
    with Debugged("long64", "-append", "ticks=3 exit=5 every=4") as vm:
        at_print_line(vm)
        do("set var message_number = 2")
        do("detach")
        vm.ends_with(11)
        assert "message 2: somebody is watching" in vm.serial(), vm.serial()
        assert "tick 3" in vm.serial() and "long64: done" in vm.serial(), vm.serial()


@test
def attach_again():
    with Debugged("long64") as vm:
        for n in range(1, 4):
            gdb.Breakpoint("print_line")
            vm.go("continue")
            equal(where(), "print_line")
            do("delete")
            do("detach")
            assert vm.serial_has(f"tick {n + 1}"), vm.serial()
            vm.attach()
            assert "guest_main" in backtrace(), backtrace()


@test
def attach_to_a_running_guest():
    with Debugged("long64", attach=False, pause=False) as vm:
        assert vm.serial_has("tick 1"), vm.serial()
        vm.attach()
        lines = vm.serial().count("tick")
        gdb.execute("shell sleep 1")
        equal(vm.serial().count("tick"), lines)
        at_print_line(vm)


@test
def kill_ends_the_machine():
    with Debugged("long64") as vm:
        at_print_line(vm)
        do("kill")
        vm.ends_with(0)


@test
def the_guests_exit_status_arrives():
    with Debugged("long64", "-append", "ticks=1 exit=3 every=2") as vm:
        stops.exit_code = None
        vm.go("continue")
        equal(stops.exit_code, 7)
        vm.ends_with(7)


@test
def run_starts_again():
    with Debugged("long64", attach=False) as vm:
        vm.attach(extended=True)
        gdb.Breakpoint("print_line")
        vm.go("continue")
        vm.go("continue")
        equal(value("line"), 2)
        do("set remote exec-file long64")
        vm.go("run")
        equal((where(), value("line")), ("print_line", 1))
        do("detach")
        assert vm.serial_has("tick 3"), vm.serial()
        vm.go("attach 1")
        assert "guest_main" in backtrace(), backtrace()


run()
