# SPDX-License-Identifier: GPL-3.0-or-later
"""Four vCPUs as four threads: who stopped, who moves, who stands still. time limit: 180 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

CPUS = 4


def smp(*options, cpus=CPUS):
    return Debugged("smp", "-smp", str(cpus), *options)


def all_running(vm):
    """Every CPU is in its loop, one has just called add_one, and nobody has the lock."""
    point = gdb.Breakpoint("add_one")
    point.condition = " && ".join([f"cpus[{n}].running" for n in range(CPUS)] + ["!shared.lock"])
    vm.go("continue")
    point.delete()


def numbers():
    """A CPU's number in the guest, by thread: they come up in any order."""
    selected, found = gdb.selected_thread(), {}
    for one in gdb.selected_inferior().threads():
        one.switch()
        for name in backtrace():
            match = re.match(r"cpu(\d)_loop", name or "")
            if match:
                found[one.num] = int(match.group(1))
    selected.switch()
    return found


def rounds():
    return [value(f"cpus[{n}].rounds") for n in range(CPUS)]


@test
def threads_before_the_start():
    with smp() as vm:
        equal(thread_count(), CPUS)
        equal(stopped_thread(), 1)
        equal(where(), "_start")
        listing = do("info threads")
        for n in range(CPUS):
            assert f'"vCPU {n}"' in listing, listing
        assert "long mode, ring 0" in listing, listing
        equal(listing.count("waits for "), CPUS - 1, listing)


@test
def threads_while_all_run():
    with smp() as vm:
        all_running(vm)
        equal(sorted(numbers().values()), [0, 1, 2, 3])
        equal(do("info threads").count("long mode, ring 0"), CPUS)
        # Each on its own stack.
        stacks = set()
        for n in range(1, CPUS + 1):
            thread(n)
            stacks.add(value("$rsp") >> 13)
        equal(len(stacks), CPUS)


@test
def the_thread_that_hit_is_named():
    with smp() as vm:
        all_running(vm)
        for n in range(CPUS):
            point = gdb.Breakpoint("add_one")
            point.condition = f"cpu == {n}"
            vm.go("continue")
            equal(value("cpu"), n)
            equal(numbers()[stopped_thread()], n)
            point.delete()


@test
def a_step_moves_one_vcpu_alone():
    with smp() as vm:
        all_running(vm)
        do("set scheduler-locking on")
        for n in range(1, CPUS + 1):
            thread(n)
            for _ in range(3):
                before = each_pc()
                here = instruction()
                vm.go("stepi")
                after = each_pc()
                moved = [k for k in before if after[k] != before[k]]
                assert moved == [n] or here["asm"].startswith(("jmp", "rep", "pause")), (here, moved)


@test
def continue_one_vcpu_alone():
    with smp() as vm:
        all_running(vm)
        mine = numbers()[stopped_thread()]
        do("set scheduler-locking on")
        gdb.Breakpoint("add_one")
        before = rounds()
        equal(value("shared.lock"), 0)
        for _ in range(5):
            vm.go("continue")
            equal((where(), value("cpu")), ("add_one", mine))
        after = rounds()
        equal([b - a for a, b in zip(before, after)], [5 if n == mine else 0 for n in range(CPUS)])


@test
def a_breakpoint_for_one_thread():
    with smp() as vm:
        all_running(vm)
        for n in (3, 1, 4, 2):
            point = gdb.Breakpoint("add_one")
            point.thread = n
            vm.go("continue")
            equal(stopped_thread(), n)
            point.delete()


@test
def step_over_a_function_while_the_others_run():
    with smp() as vm:
        all_running(vm)
        # Whoever has the lock gets out in any case. Who waits for it may wait for ever, where one processor is all
        # that the vCPUs have: each of the others that comes by stops the machine, and does so with the lock.
        gdb.Breakpoint("lock_release").condition = "cpus[1].running"
        vm.go("continue")
        me, before = stopped_thread(), sum(rounds())
        do("delete")
        vm.go("finish")
        equal((stopped_thread(), where()), (me, "add_one"))
        vm.go("finish")
        assert where() in ("cpu0_loop", "cpu1_loop", "cpu2_loop", "cpu3_loop"), where()
        equal(stopped_thread(), me)
        assert sum(rounds()) > before


@test
def registers_of_each_thread():
    with smp() as vm:
        all_running(vm)
        # Somewhere that only this vCPU's registers can be: r15 is nobody's in these loops.
        for n in range(1, CPUS + 1):
            thread(n)
            do(f"set $r15 = {0x1000 + n}")
        do("maintenance flush register-cache")
        for n in range(1, CPUS + 1):
            thread(n)
            equal(value("$r15"), 0x1000 + n)


@test
def ctrl_c_with_all_of_them_running():
    with smp() as vm:
        all_running(vm)
        last, n = sum(rounds()), 0
        while n < 20 or (last <= 100 and n < 500):  # however little a busy host lets them do
            vm.go_and_interrupt(0.02 + n % 3 * 0.05)
            equal(stops.signal(), "SIGINT")
            total = sum(rounds())
            assert total >= last
            last, n = total, n + 1
        assert last > 100, last


@test
def nothing_is_lost_in_many_stops():
    with smp("-append", "rounds=40") as vm:
        hits = 0
        stops.exit_code = None
        point = gdb.Breakpoint("add_one")
        while True:
            vm.go("continue")
            if stops.exit_code is not None:
                break
            equal(stops.breakpoints(), [point.number])
            hits += 1
        equal(stops.exit_code, 1)  # the guest's own check of its total: value 0
        equal(hits, 4 * 40)
        assert "total = 160, as it must be" in vm.serial(), vm.serial()
        vm.ends_with(1)


@test
def a_breakpoint_before_the_others_are_online():
    with smp() as vm:
        gdb.Breakpoint("ap_main")
        seen = set()
        for _ in range(CPUS - 1):
            vm.go("continue")
            equal(where(), "ap_main")
            seen.add(stopped_thread())
        equal(seen, {2, 3, 4})


@test
def two_vcpus():
    with smp(cpus=2) as vm:
        equal(thread_count(), 2)
        gdb.Breakpoint("cpu1_loop")
        vm.go("continue")
        equal((where(), stopped_thread()), ("cpu1_loop", 2))


run()
