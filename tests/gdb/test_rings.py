# SPDX-License-Identifier: GPL-3.0-or-later
"""Ring 3 and back, exceptions, and port I/O. time limit: 120 s"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


# ---- ring 3 --------------------------------------------------------------------------------------

def in_ring_3(vm):
    """Stopped at one_round in ring 3, on every host: the program is made to run on the spot for a while,
    and paused."""
    point = gdb.Breakpoint("system_write")
    vm.go("continue")
    point.delete()
    start = value("(long)one_round")
    original = memory(start, 2)
    gdb.selected_inferior().write_memory(start, b"\xeb\xfe")
    deadline = time.monotonic() + patience(20)
    while (value("$cs") & 3, pc()) != (3, start) and time.monotonic() < deadline:
        vm.go_and_interrupt(0.3)
    gdb.selected_inferior().write_memory(start, original)
    equal((value("$cs") & 3, pc()), (3, start))


@test
def the_kernel_sees_what_the_program_passes():
    with Debugged("user", "-append", "exit=4") as vm:
        gdb.Breakpoint("system_write")
        for round in (1, 2, 3):
            vm.go("continue")
            equal((value("number"), gdb.parse_and_eval("text").string()), (round, "hello by syscall"))
            vm.go("continue")
            equal((value("number"), gdb.parse_and_eval("text").string()), (111 * round, "hello by int 0x80"))
        equal(value("statistics.by_interrupt"), 3)
        do("set var statistics.sum = 5000")
        vm.go("continue")
        do("delete")
        vm.go("continue")
        vm.ends_with(9)
        assert "goodbye, the sum is 5334" in vm.serial(), vm.serial()


@test
def a_pause_in_ring_3():
    with Debugged("user", "-append", "rounds=0") as vm:
        in_ring_3(vm)
        assert "ring 3" in do("info threads"), do("info threads")
        equal(backtrace()[:2], ["one_round", "user_main"])
        equal((value("$ss") & 3, value("$rdi")), (3, 2))
        before = value("statistics.sum")
        do("set $rdi = 1000")
        gdb.Breakpoint("system_write")
        vm.go("continue")
        equal(value("number"), 1000)
        do("delete")
        vm.go_and_interrupt(0.3)
        assert value("statistics.sum") >= before + 111001, value("statistics.sum")


@test
def a_breakpoint_in_ring_3():
    with Debugged("user") as vm:
        vm.needs_a_breakpoint("ring 3")
        gdb.Breakpoint("one_round")
        for round in (1, 2, 3):
            vm.go("continue")
            equal((where(), value("round"), value("$cs") & 3), ("one_round", round, 3))


@test
def a_breakpoint_in_ring_3_that_this_host_cannot_make_is_refused():
    with Debugged("user") as vm:
        if vm.can("ring 3", "int3") or vm.can("ring 3", "slot"):
            skip("a host whose KVM has no breakpoints in ring 3")
        gdb.Breakpoint("system_write", temporary=True)
        vm.go("continue")
        # The kernel stands still; the program has not been left behind with an int3 in it.
        gdb.Breakpoint("one_round")
        here, said = pc(), vm.go("continue")
        assert "is ring 3 code" in said and "set it where the kernel is entered" in said, said
        equal(pc(), here)
        do("delete")
        start = value("(long)one_round")
        equal(memory(start, 32), file_bytes(start, 32))


@test
def a_step_in_ring_3_that_this_host_cannot_make_says_so():
    with Debugged("user", "-append", "rounds=0") as vm:
        if vm.can("ring 3", "step"):
            skip("a host whose KVM has no single steps in ring 3")
        in_ring_3(vm)
        here = pc()
        out = vm.go("stepi")
        assert "ring 3" in out, out
        equal(pc(), here)
        # And the guest goes on as if nothing had been asked.
        before = value("statistics.sum")
        vm.go_and_interrupt(0.2)
        assert value("statistics.sum") > before


@test
def steps_in_ring_3():
    with Debugged("user", "-append", "rounds=0") as vm:
        vm.needs("ring 3", "step")
        in_ring_3(vm)
        for _ in range(20):
            here = instruction()
            if here["asm"].startswith(("sysc", "int")):
                break
            vm.go("stepi")
            if not here["asm"].startswith(("call", "ret", "j", "leave")):
                equal(pc(), here["addr"] + here["length"], here["asm"])


# ---- exceptions ----------------------------------------------------------------------------------

@test
def exceptions_stay_the_guests():
    with Debugged("faults") as vm:
        names = []
        gdb.Breakpoint("on_fault")
        stops.exit_code = None
        while True:
            vm.go("continue")
            if stops.exit_code is not None:
                break
            names.append(value("frame->vector"))
        equal(names, [0, 1, 6, 7, 11, 12, 13, 14, 14, 14])
        assert "faults: 0 wrong" in vm.serial(), vm.serial()
        vm.ends_with(1)


@test
def a_frame_of_an_exception():
    with Debugged("faults", "-append", "fault=pfw") as vm:
        gdb.Breakpoint("on_fault")
        vm.go("continue")
        equal((value("frame->vector"), value("frame->error")), (14, 3))
        equal(value("$cr2"), 0x3fe456)
        names = backtrace()
        assert names[0] == "on_fault" and "raise_pf_write" in names, names
        do("delete")
        vm.go("continue")
        vm.ends_with(2 * 14 + 1)


@test
def steps_over_instructions_that_fault():
    with Debugged("faults", "-append", "fault=ud") as vm:
        gdb.Breakpoint("raise_ud")
        vm.go("continue")
        while "ud2" not in instruction()["asm"]:
            vm.go("stepi")
        vm.go("stepi")
        # The exception is the guest's: its handler's stub is next.
        assert backtrace()[0] in ("isr6", "isr_common"), backtrace()


@test
def a_triple_fault_stops_with_its_registers():
    with Debugged("faults", "-append", "fault=triple") as vm:
        gdb.Breakpoint("raise_triple")
        vm.go("continue")
        do("set $r15 = 0x1badcafe")
        out = vm.go("continue")
        equal(stops.signal(), "SIGSEGV")
        assert "triple fault" in out, out
        if "registers are lost" in out:  # KVM on AMD-V resets the vCPU
            equal(pc() & 0xffff, 0xfff0)
        else:
            equal(value("$r15"), 0x1badcafe)
            equal(where(), "raise_triple")
        # It is not over: a reset brings it back, breakpoints and all.
        do("monitor reset")
        do("maintenance flush register-cache")
        vm.go("continue")
        equal(where(), "raise_triple")


@test
def what_this_host_cannot_emulate_stops_with_words():
    with Debugged("faults", "-append", "fault=of") as vm:
        gdb.Breakpoint("raise_of")
        vm.go("continue")
        do("delete")
        stops.exit_code = None
        out = vm.go("continue")
        if stops.exit_code is not None:
            equal(stops.exit_code, 9)
            vm.ends_with(9)
            skip("a host whose KVM cannot emulate int 4 in ring 0")
        equal(stops.signal(), "SIGILL")
        assert "cannot execute" in out and "vCPU 0" in out, out
        equal(where(), "raise_of")
        equal(instruction()["asm"].split()[0], "int")


# ---- port I/O and MMIO ---------------------------------------------------------------------------

@test
def io_is_right_while_single_stepping():
    with Debugged("io") as vm:
        gdb.Breakpoint("port_writes")
        vm.go("continue")
        seen = set()
        while where() in ("port_writes", "outb", "outw", "outl", "inb", "print", "check") and len(seen) < 40:
            here = instruction()
            vm.go("stepi")
            words = here["asm"].split()[0]
            if words in ("in", "out"):
                equal(pc(), here["addr"] + here["length"], here["asm"])
            seen.add(here["addr"])
        do("delete")
        vm.go("continue")
        assert "io: 0 wrong" in vm.serial(), vm.serial()
        vm.ends_with(1)


@test
def an_out_instruction_steps_once():
    with Debugged("io") as vm:
        gdb.Breakpoint("port_writes")
        vm.go("continue")
        steps = 0
        for _ in range(200):
            here = instruction()
            vm.go("stepi")
            if here["asm"].startswith(("out ", "in ")):
                equal(pc(), here["addr"] + here["length"], here["asm"])
                steps += 1
                if steps == 3:
                    return
        raise AssertionError("no port I/O in 200 steps")


@test
def mmio_steps_once():
    with Debugged("io") as vm:
        gdb.Breakpoint("unclaimed_memory")
        vm.go("continue")
        for _ in range(6):
            here = instruction()
            if here["asm"].startswith("call"):
                break
            vm.go("stepi")
            equal(pc(), here["addr"] + here["length"], here["asm"])
        do("delete")
        vm.go("continue")
        assert "io: 0 wrong" in vm.serial(), vm.serial()
        vm.ends_with(1)


@test
def gdb_never_touches_a_device():
    with Debugged("io") as vm:
        assert "Cannot access memory" in refused("x/4x 0xfee00000")
        assert "Cannot access memory" in refused("set *(int *)0xd0000000 = 1")


run()
