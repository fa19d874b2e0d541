# SPDX-License-Identifier: GPL-3.0-or-later
"""What hurts people elsewhere, kept from hurting here: steps, Ctrl-C, a guest that debugs itself (pains 5, 13,
19 and 21). time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

TURNS = 1000


def paces(do_what, *options):
    return Debugged("paces", "-append", do_what, *options)


def at(vm, name):
    point = gdb.Breakpoint(name)
    vm.go("continue")
    point.delete()
    equal(where(), name)


def line():
    return gdb.newest_frame().find_sal().line


def source_line(text):
    """The number of the line of guests/paces/main.c that has this text."""
    with open(os.path.join(os.environ["SOURCE"], "guests/paces/main.c"), encoding="utf-8") as file:
        return next(n for n, one in enumerate(file, 1) if text in one)


def resumptions(packets):
    return [packet for packet in packets if packet.startswith("vCont;")]


# ---- 5: a step lands where it should, whatever the timer does --------------------------------------

@test
def pain_05_stepi_does_not_land_in_a_handler():
    """A thousand ticks a second, and always one that waits."""
    with paces("do=steps rounds=0") as vm:
        at(vm, "lines")
        ticks, inside = value("ticks"), set()
        for _ in range(150):
            vm.go("stepi")
            inside.add(where())
        assert inside <= {"lines", "depth", "do_steps", "busy"}, inside
        equal(value("ticks"), ticks)
        # It has not been stepped away: the interrupts come when the guest runs.
        at(vm, "lines")
        assert value("ticks") > ticks


@test
def pain_05_step_and_next_go_line_by_line():
    with paces("do=steps rounds=0") as vm:
        at(vm, "lines")
        first = line()
        seen = [first]
        while where() == "lines" and len(seen) < 40:
            vm.go("next")
            seen.append(line() if where() == "lines" else None)
        start = source_line("unsigned long a = n + 1;")
        loop = source_line("for (unsigned long i = 0; i < 3; i++)")
        equal(seen[:4], [start, start + 1, start + 2, loop])
        equal(seen[4:10], [loop + 1, loop] * 3)
        equal((where(), value("round")), ("do_steps", 1))
        vm.go("step")
        equal((where(), line()), ("do_steps", source_line("busy(TURNS);")))
        vm.go("step")
        equal((where(), value("count")), ("busy", TURNS))


@test
def pain_05_finish_until_and_advance():
    with paces("do=steps rounds=0") as vm:
        at(vm, "lines")
        n = value("n")
        gdb.Breakpoint("depth")
        vm.go("continue")
        deepest = value("n")
        for below in range(deepest, 0, -1):
            vm.go("continue")
            equal(value("n"), below - 1)
        do("delete")
        for level in range(deepest):
            vm.go("finish")
            equal((where(), value("$"), value("n")), ("depth", level + 1, level + 1))
        vm.go("finish")
        equal((where(), value("$")), ("lines", deepest + 1))
        vm.go(f"until {source_line('c += i;')}")
        equal((where(), value("i")), ("lines", 0))
        vm.go(f"advance {source_line('return a + b + c;')}")
        equal(where(), "lines")
        vm.go("advance depth")  # or the end of this function
        equal((where(), value("$rax")), ("do_steps", (n + 1) + 2 * (n + 1) + (deepest + 1) + 3))
        vm.go("advance busy")
        equal((where(), value("count")), ("busy", TURNS))


@test
def pain_05_next_over_a_recursive_call():
    with paces("do=steps rounds=0") as vm:
        gdb.Breakpoint("depth").condition = "n == 2"
        vm.go("continue")
        do("delete")
        vm.go("next 3")
        equal((where(), value("n"), value("below")), ("depth", 2, 2))


@test
def pain_05_next_over_a_loop_that_waits_for_an_interrupt():
    """It ends, because interrupts are handled aside, and the handler is not shown."""
    with Debugged("smp", "-smp", "2") as vm:
        at(vm, "sleep_ticks")
        before, lines = value("ticks"), set()
        for _ in range(20):
            vm.go("next")
            if where() != "sleep_ticks":
                break
            lines.add(line())
        equal(where(), "start_others")
        assert value("ticks") > before and len(lines) == 2, (value("ticks"), lines)


@test
def pain_05_a_breakpoint_in_a_handler_is_hit_during_next():
    with Debugged("smp", "-smp", "2") as vm:
        at(vm, "sleep_ticks")
        vm.go("next")
        point = gdb.Breakpoint("timer_interrupt")
        for _ in range(10):
            vm.go("next")
            if where() == "timer_interrupt":
                break
        equal((where(), stops.breakpoints()), ("timer_interrupt", [point.number]))
        assert "sleep_ticks" in backtrace(), backtrace()


@test
def pain_05_a_step_behind_hlt_is_the_next_instruction():
    """In between comes the interrupt that wakes the processor."""
    for controllers in ("kernel", "user"):
        with Debugged("long64", "-irqchip", controllers) as vm:
            at(vm, "wait_for_interrupt")
            while not instruction()["asm"].startswith("hlt"):
                vm.go("stepi")
            ticks, here = value("shared.interrupts"), instruction()
            vm.go("stepi")
            equal(pc(), here["addr"] + here["length"])
            assert "halted" in do("info threads"), do("info threads")
            after = instruction()
            vm.go("stepi")
            equal(pc(), after["addr"] + after["length"])
            equal(value("shared.interrupts"), ticks + 1, controllers)


# ---- 19: a busy line is one packet -----------------------------------------------------------------

@test
def pain_19_next_over_a_busy_line_is_one_packet():
    with paces("do=steps rounds=0") as vm:
        at(vm, "busy")
        vm.go("next")
        equal((line(), value("turns")), (source_line("COUNT_TO(count);"), 0))
        packets, _ = vm.packets("next")
        equal((line(), value("turns")), (source_line("sink = turns;"), TURNS))
        equal(len(resumptions(packets)), 1, packets)
        assert resumptions(packets)[0].startswith("vCont;r"), packets


@test
def pain_19_step_into_and_out_of_lines_is_one_packet_each():
    with paces("do=steps rounds=0") as vm:
        at(vm, "lines")
        for _ in range(2):
            packets, _ = vm.packets("step")
            equal(len(resumptions(packets)), 1, packets)


@test
def pain_19_a_breakpoint_in_a_busy_line_ends_it():
    with paces("do=steps rounds=0") as vm:
        vm.needs_a_breakpoint("long mode")
        at(vm, "busy")
        vm.go("next")
        code = gdb.newest_frame().architecture().disassemble(pc(), count=12)
        inside = next(here["addr"] for here in code if here["asm"].startswith("add"))
        point = gdb.Breakpoint(f"*{inside:#x}")
        point.ignore_count = 41
        for _ in range(42):
            vm.go("next")
            if point.hit_count == 42:
                break
        equal((pc(), value("turns"), point.hit_count), (inside, 41, 42))


# ---- 13: Ctrl-C ------------------------------------------------------------------------------------

@test
def pain_13_ctrl_c_while_the_guest_runs():
    with paces("rounds=0") as vm:
        for _ in range(3):
            vm.go_and_interrupt(0.2)
            equal(stops.signal(), "SIGINT")
        ticks = value("ticks")
        assert ticks > 0
        vm.go_and_interrupt(0.2)
        assert value("ticks") > ticks


@test
def pain_13_ctrl_c_while_it_spins_with_interrupts_off():
    with paces("do=spin") as vm:
        at(vm, "spin_without_interrupts")
        gdb.Breakpoint("print")
        turns = 0
        for _ in range(3):
            vm.go_and_interrupt(patience(0.1))
            if where() == "print":
                skip("this host's KVM: kicks of a guest that has interrupts off")
            equal((stops.signal(), where()), ("SIGINT", "spin_without_interrupts"))
            assert value("turns") > turns
            turns = value("turns")
            assert "IF=0" in do("info threads"), do("info threads")
        do("delete")
        do("set var released = 1")
        vm.go_to_the_end(1)


@test
def pain_13_ctrl_c_while_it_sleeps_with_interrupts_off():
    for controllers in ("kernel", "user"):
        with paces("do=sleep", "-irqchip", controllers) as vm:
            at(vm, "sleep_without_interrupts")
            for _ in range(3):
                vm.go_and_interrupt(0.2)
                equal((stops.signal(), where()), ("SIGINT", "sleep_without_interrupts"))
                assert "IF=0, halted" in do("info threads"), do("info threads")


@test
def pain_13_ctrl_c_while_all_processors_wait():
    with Debugged("smp", "-smp", "4", "-append", "rounds=1") as vm:
        gdb.Breakpoint("wait_until_done")
        vm.go("continue")
        do("delete")
        do("set var cpus[1].done = 0")
        do("set scheduler-locking off")
        vm.go_and_interrupt(0.2)
        equal(stops.signal(), "SIGINT")
        equal(thread_count(), 4)


@test
def pain_13_ctrl_c_before_anything_has_run():
    """A vCPU that waits for its start, alone."""
    with Debugged("smp", "-smp", "2") as vm:
        thread(2)
        do("set scheduler-locking on")
        vm.go_and_interrupt(0.3)
        equal(stops.signal(), "SIGINT")
        assert "waits for " in do("info threads"), do("info threads")
        thread(1)
        equal(where(), "_start")


@test
def pain_13_ctrl_c_ends_steps():
    with paces("do=steps") as vm:
        at(vm, "busy")
        do("set var count = 1 << 30")
        vm.go("next")
        for command in ("next", "stepi 1000000000"):
            turns = value("turns")
            with contextlib.suppress(KeyboardInterrupt):  # gdb's own, between two steps
                vm.go_and_interrupt(0.3, command)
                equal(stops.signal(), "SIGINT", command)
            assert "busy" in backtrace(), backtrace()
            assert value("turns") >= turns
    with paces("do=sleep") as vm:
        at(vm, "sleep_without_interrupts")
        vm.go_and_interrupt(0.3)
        vm.go_and_interrupt(0.3, "stepi")
        equal((stops.signal(), where()), ("SIGINT", "sleep_without_interrupts"))


# ---- 21: what is the guest's stays the guest's -----------------------------------------------------

def all_its_own(rounds):
    equal([value("seen." + name) for name in ("breakpoints", "steps", "slots", "others")], [rounds] * 3 + [0])
    equal(value("wrong"), 0)


@test
def pain_21_int3_trap_flag_and_debug_registers_of_the_guests_own():
    with paces("do=debug rounds=3") as vm:
        vm.go_to_the_end(1)
        assert "paces: 0 wrong" in vm.serial(), vm.serial()


@test
def pain_21_among_breakpoints():
    with paces("do=debug rounds=3") as vm:
        vm.needs("long mode", "int3")
        names = ["own_int3", "own_trap_flag", "own_debug_register", "target", "on_breakpoint", "on_debug"]
        for name in names:
            gdb.Breakpoint(name)
        order = ["own_int3", "on_breakpoint", "own_trap_flag", "on_debug", "own_debug_register", "on_debug",
                 "target"]
        equal(vm.stops_at(21), order * 3)
        all_its_own(3)
        do("delete")
        vm.go_to_the_end(1)


@test
def pain_21_while_it_is_stepped():
    """Instruction by instruction through all of it, handlers included."""
    with paces("do=debug rounds=2") as vm:
        at(vm, "do_debug")
        inside = set()
        for _ in range(1200):
            vm.go("stepi")
            inside.add(where())
            if where() == "guest_main":
                break
        equal(where(), "guest_main")
        assert {"on_breakpoint", "on_debug", "target"} <= inside, inside
        all_its_own(1)
        vm.go_to_the_end(1)


@test
def pain_21_while_lines_are_stepped():
    with paces("do=debug rounds=2") as vm:
        vm.needs("long mode", "int3")  # gdb's own breakpoints would take the guest's debug registers
        at(vm, "do_debug")
        for _ in range(20):
            vm.go("next")
            if where() == "guest_main":
                break
        all_its_own(1)
        vm.go_to_the_end(1)


@test
def pain_21_among_watches():
    """Of pages, which leave the debug registers to the guest."""
    with paces("do=debug rounds=2") as vm:
        do("watch record")
        do("watch *(char (*)[16])&sink")
        for n in (1, 2):
            vm.go("continue")
            equal((where(), value("sink")), ("target", n))
        do("delete")
        vm.go_to_the_end(1)


run()
