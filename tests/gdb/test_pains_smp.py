# SPDX-License-Identifier: GPL-3.0-or-later
"""What hurts people elsewhere, kept from hurting here: several processors, threads that speak (pains 6 and 10).
time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

CPUS = 4


def smp(*options):
    return Debugged("smp", "-smp", str(CPUS), *options)


def all_running(vm):
    """Every CPU is in its loop, one has just called add_one, and nobody has the lock."""
    point = gdb.Breakpoint("add_one")
    point.condition = " && ".join([f"cpus[{n}].running" for n in range(CPUS)] + ["!shared.lock"])
    vm.go("continue")
    point.delete()
    return stopped_thread()


def resumed(packets):
    """[(action, thread or None), …] of the resumptions among packets."""
    actions = []
    for packet in packets:
        if packet.startswith("vCont;"):
            actions += [re.match(r"([a-z])[^:]*(?::(\w+))?$", one).groups() for one in packet.split(";")[1:]]
    return actions


def moved(vm, command):
    before = each_pc()
    packets, _ = vm.packets(command)
    after = each_pc()
    return [n for n in before if before[n] != after[n]], resumed(packets)


def rows():
    """info threads, as [(selected, number, what is said of it), …]."""
    found = re.findall(r'^(\*?)\s+(\d+)\s+Thread \d+ "vCPU \d+" \(([^)]*)\)', do("info threads"), re.M)
    return [(star == "*", int(number), said) for star, number, said in found]


# ---- 6: who stopped, who moves, who stands still ---------------------------------------------------

@test
def pain_06_stop_on_one_inspect_another_step_it_alone():
    with smp() as vm:
        me = all_running(vm)
        other = me % CPUS + 1
        hit = pc()
        thread(other)
        equal(backtrace()[-1], "_start" if other == 1 else "ap_entry")
        do("set scheduler-locking on")
        for _ in range(5):
            whom, actions = moved(vm, "stepi")
            assert whom in ([other], []), whom  # a jump to itself, or a turn of the lock's loop
            equal(actions, [("s", str(other))])
            equal(stopped_thread(), other)
        thread(me)
        equal((pc(), where()), (hit, "add_one"))


@test
def pain_06_scheduler_locking_says_who_runs():
    with smp() as vm:
        me = all_running(vm)
        others = ("c", None)
        for mode, command, wanted in (("off", "stepi", [("s", str(me)), others]),
                                      ("on", "stepi", [("s", str(me))]),
                                      ("step", "stepi", [("s", str(me))]),
                                      ("replay", "stepi", [("s", str(me)), others])):
            do("set scheduler-locking " + mode)
            whom, actions = moved(vm, command)
            equal(actions, wanted, mode)
            assert others in wanted or set(whom) <= {me}, (mode, whom)
        do("set scheduler-locking on")
        gdb.Breakpoint("add_one")
        before = [value(f"cpus[{n}].rounds") for n in range(CPUS)]
        if value("shared.lock"):
            return  # somebody who is held has it
        packets, _ = vm.packets("continue")
        equal(resumed(packets)[-1], ("c", str(me)))
        equal(stopped_thread(), me)
        after = [value(f"cpus[{n}].rounds") for n in range(CPUS)]
        equal(sum(after) - sum(before), 1)


@test
def pain_06_ctrl_c_is_told_at_the_one_that_ran():
    """gdb 13 ends itself where a thread that it holds is told to have stopped."""
    with smp() as vm:
        first = all_running(vm)
        do("set scheduler-locking on")
        for number in range(1, CPUS + 1):
            thread(number)
            backtrace()
            vm.go_and_interrupt(0.05)
            equal(stopped_thread(), number)
        thread(first)
        do("set scheduler-locking off")


@test
def pain_06_no_hit_is_lost_while_another_is_stepped():
    """Steps and continues in turns; in the end every round of every processor has been told, each once."""
    rounds = 30
    with smp("-append", counted(rounds)) as vm:
        gdb.Breakpoint("add_one")
        commands = ["continue", "stepi", "next", "step", "continue", "stepi 3"]
        hits, stops.exit_code = {}, None
        for n in range(100 * rounds):
            vm.go(commands[n % len(commands)])
            if stops.exit_code is not None:
                break
            if stops.breakpoints():
                equal(where(), "add_one")
                key = value("cpu"), value("cpus[cpu].rounds")
                hits[key] = hits.get(key, 0) + 1
        equal(stops.exit_code, 1)
        equal(sorted(hits), [(cpu, done) for cpu in range(CPUS) for done in range(rounds)])
        equal(set(hits.values()), {1})
        vm.ends_with(1)


@test
def pain_06_a_hit_that_waits_is_told_to_the_next_continue():
    """All come to the breakpoint; one is told, and the others are then told without having moved."""
    with smp() as vm:
        all_running(vm)
        gdb.Breakpoint("add_one")
        seen = []
        for _ in range(40):
            vm.go("continue")
            equal((where(), len(stops.breakpoints())), ("add_one", 1))
            seen.append((stopped_thread(), value("cpu"), value("cpus[cpu].rounds")))
        equal(len(set(seen)), len(seen), seen)
        assert len({who for who, _, _ in seen}) > 1, seen


@test
def pain_06_a_deleted_breakpoint_is_not_told_any_more():
    with smp() as vm:
        all_running(vm)
        point = gdb.Breakpoint("add_one")
        vm.go("continue")
        point.delete()
        gdb.Breakpoint("print_total")
        vm.go("continue")
        equal((where(), stopped_thread()), ("print_total", 1))


@test
def pain_06_an_hbreak_counts_for_every_processor():
    with smp() as vm:
        vm.needs("long mode", "slot")
        all_running(vm)
        do("hbreak add_one")
        seen, deadline = set(), time.monotonic() + patience(20)
        # Who waits for the lock gets it only when it runs while nobody has it.
        while len(seen) < CPUS and time.monotonic() < deadline:
            vm.go("continue")
            equal(where(), "add_one")
            seen.add(stopped_thread())
        equal(seen, {1, 2, 3, 4})


@test
def pain_06_a_watch_names_the_processor_that_wrote():
    with smp() as vm:
        all_running(vm)
        do("watch shared.counter")
        for _ in range(12):
            before = value("shared.counter")
            said = vm.go("continue")
            equal(where(), "add_one")
            assert f"Old value = {before}\n" in said and f"New value = {before + 1}\n" in said, said
            # The writer's own registers: what it added to is what it read.
            equal(value("old") if text("old") != "<optimized out>" else before, before)


@test
def pain_06_all_stand_still_when_one_has_stopped():
    with smp() as vm:
        all_running(vm)
        before = (value("shared.counter"), each_pc())
        for n in range(1, CPUS + 1):
            thread(n)
            do("info registers")
        gdb.execute("shell sleep 0.3")
        do("maintenance flush register-cache")
        do("maintenance flush dcache")
        equal((value("shared.counter"), each_pc()), before)


# ---- 10: threads that speak ------------------------------------------------------------------------

@test
def pain_10_threads_say_what_they_are():
    with smp() as vm:
        listing = rows()
        equal([(star, number) for star, number, _ in listing], [(n == 1, n) for n in range(1, CPUS + 1)])
        equal(listing[0][2], f"long mode, ring 0, cr3 {value('$cr3_value'):#x}, IF=0")
        for _, number, said in listing[1:]:
            assert said.startswith("real mode, ring 0, cr3 0x0, IF=0, waits for "), (number, said)
        all_running(vm)
        for _, number, said in rows():
            thread(number)
            wanted = f"long mode, ring 0, cr3 {value('$cr3_value'):#x}, IF={value('$eflags_value') >> 9 & 1}"
            equal(said.removesuffix(", halted"), wanted)


@test
def pain_10_threads_say_who_sleeps():
    with smp("-append", "rounds=1") as vm:
        gdb.Breakpoint("finish")
        vm.go("continue")
        do("set scheduler-locking on")
        deadline = time.monotonic() + patience(20)
        for number in range(2, CPUS + 1):
            thread(number)
            # A busy host may not have let it come that far.
            while not rows()[number - 1][2].endswith("IF=1, halted"):
                assert time.monotonic() < deadline, rows()
                vm.go_and_interrupt(0.1)
            equal((where(), instruction(pc())["asm"].split()[0]), ("ap_main", "jmp"))
        said = rows()[0][2]
        assert said.endswith("IF=1"), said


@test
def pain_10_threads_in_other_modes():
    with Debugged("prot32") as vm:
        equal([said for _, _, said in rows()], ["32-bit protected mode, ring 0, cr3 0x0, IF=0"])
    with Debugged("real16.bin", symbols="real16.elf") as vm:
        equal([said for _, _, said in rows()], ["real mode, ring 0, cr3 0x0, IF=0"])


@test
def pain_10_ring_3_shows():
    with Debugged("user", "-append", "rounds=0") as vm:
        point = gdb.Breakpoint("system_write")
        vm.go("continue")
        point.delete()
        start = value("(long)one_round")
        original = memory(start, 2)
        gdb.selected_inferior().write_memory(start, b"\xeb\xfe")
        vm.go_and_interrupt(0.3)
        gdb.selected_inferior().write_memory(start, original)
        assert rows()[0][2].startswith("long mode, ring 3, cr3 0x"), rows()


@test
def pain_10_names_and_numbers():
    with smp() as vm:
        threads = sorted((one.num, one.name, one.ptid[1]) for one in gdb.selected_inferior().threads())
        equal(threads, [(n + 1, f"vCPU {n}", n + 1) for n in range(CPUS)])
        packets, _ = vm.packets("stepi")
        asked = [packet for packet in packets if packet.startswith("qXfer:threads")]
        equal(len(asked), 1, packets)  # all of them in one piece
        assert "Thread 3" in do("thread find vCPU 2"), do("thread find vCPU 2")
        equal(len(re.findall(r"^\$\d+ = ", do("thread apply all p $cs"), re.M)), CPUS)


run()
