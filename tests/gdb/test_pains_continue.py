# SPDX-License-Identifier: GPL-3.0-or-later
"""What hurts people elsewhere, kept from hurting here: to continue goes on (pain 7). time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


def hits_are_counted_once(command, mode_needs):
    with Debugged("paces", "-append", "do=steps") as vm:
        vm.needs("long mode", mode_needs)
        gdb.Breakpoint("busy", temporary=True)
        vm.go("continue")
        do("next")
        # The loop's own instruction: turns++ is met once a turn.
        loop = next(i for i in gdb.newest_frame().architecture().disassemble(pc(), count=20) if "add" in i["asm"])
        do(f"{command} *{loop['addr']:#x}")
        for turn in range(60):
            vm.go("continue")
            equal((pc(), value("turns")), (loop["addr"], turn))
        do("delete")
        vm.go_to_the_end(1)


@test
def pain_07_each_continue_is_one_turn_of_the_loop():
    hits_are_counted_once("break", "int3")
    hits_are_counted_once("hbreak", "slot")


@test
def pain_07_breakpoints_side_by_side():
    with Debugged("paces", "-append", "do=steps") as vm:
        vm.needs("long mode", "int3")
        gdb.Breakpoint("depth", temporary=True)
        vm.go("continue")
        code = gdb.newest_frame().architecture().disassemble(pc(), count=4)
        for here in code:
            do(f"break *{here['addr']:#x}")
        seen = [pc()]
        for _ in range(2):
            vm.go("continue")
            seen.append(pc())
        equal(seen, [here["addr"] for here in code[:3]])


@test
def pain_07_a_breakpoint_where_one_stands():
    """It is no news; the next time round it is."""
    with Debugged("long64") as vm:
        gdb.Breakpoint("counter_add", temporary=True)
        vm.go("continue")
        do("break")
        equal(value("counter.updates"), 0)
        vm.go("continue")
        equal((where(), value("counter.updates")), ("counter_add", 1))


def everywhere_in(*names):
    """A breakpoint on every instruction of these functions; their addresses."""
    places = []
    for name in names:
        symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
        block = gdb.block_for_pc(int(symbol.value().address))
        code = gdb.selected_frame().architecture().disassemble(block.start, block.end - 1)
        places += [here["addr"] for here in code]
    for place in places:
        do(f"break *{place:#x}")
    return places


@test
def pain_07_a_breakpoint_on_every_instruction():
    """Whatever it is: pushes, calls, jumps, returns, sti, hlt and the instruction that it sleeps before."""
    with Debugged("long64", "-append", "ticks=1 every=1") as vm:
        vm.needs("long mode", "int3")
        places = set(everywhere_in("run", "wait_for_interrupt", "sleep_until", "timer_interrupt", "counter_add"))
        met, last = set(), None
        stops.exit_code = None
        for _ in range(400):
            vm.go("continue")
            if stops.exit_code is not None:
                break
            equal(len(stops.breakpoints()), 1)
            assert pc() != last, f"{last:#x} is hit again at once"
            last = pc()
            met.add(last)
        equal(stops.exit_code, 1)
        assert met <= places and len(met) > 80, len(met)
        vm.ends_with(1)


run()
