# SPDX-License-Identifier: GPL-3.0-or-later
"""Points with conditions, limits, counts and actions, and plans, at the console; values are compared.

time limit: 180 s
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import PROMPT, Console, guest
from rsp import elf_symbols
from tap import equal, run, test

LONG64, SMP = guest("long64.elf"), guest("smp.elf")
SYMBOLS = elf_symbols(LONG64)
ROUNDS = elf_symbols(SMP)["cpus"][0]  # of four struct cpu, 16 bytes each


def has(text, *wanted):
    for piece in wanted:
        assert piece in text, f"{piece!r} is not in {text!r}"


def pc_of(screen):
    return int(re.search(r"→ 0x([0-9a-f]+) ", screen).group(1), 16)


def is_in(function, address):
    start, size = SYMBOLS[function]
    return start <= address < start + size


def long64():
    return Console("-kernel", LONG64, "-append", "every=1")


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def calls(n):
    """How often fibonacci(n) calls itself, with the first call."""
    return 1 if n < 2 else 1 + calls(n - 1) + calls(n - 2)


@test
def a_condition_on_a_register():
    with long64() as console:
        has(console.run("break fibonacci if $edi == 4"), "breakpoint 1 at")
        has(console.until_stop("continue"), "■ vCPU 0: breakpoint 1")
        equal(console.value("$edi"), 4)
        equal(console.memory("(u64 *)shared + 1"), 4)  # each line calls it with its number
        has(console.run("info breakpoints"), "only if $edi == 4: come upon %d times" % (sum(map(calls, (1, 2, 3))) + 1))
        has(console.run("i b"), "breakpoint          1 ")


@test
def a_condition_on_memory():
    with long64() as console:
        console.run("break counter_add if *(int *)counter == 3 && ((int *)$rdi)[1] == 1")
        console.until_stop("continue")
        equal(console.memory("counter", "w"), 3)
        has(console.run("condition 1"), "unconditional")
        console.until_stop("continue")
        equal(console.memory("counter", "w"), 4)
        console.run("condition 1 *(int *)counter >= 6")
        console.until_stop("continue")
        equal(console.memory("counter", "w"), 6)


@test
def a_condition_that_cannot_be_evaluated_stops_and_says_so():
    with long64() as console:
        console.run("break work if *(u32 *)0x7fff00000000")
        has(" ".join(console.until_stop("continue").split()),
            "the condition of 1 cannot be evaluated: 4 bytes at 0x7fff00000000 cannot be read")


@test
def a_watch_with_a_condition():
    with long64() as console:
        has(console.run("watch *(int *)counter if *(int *)counter == 3"), "write watch 1 at", "4 bytes: counter (")
        screen = console.until_stop("continue")
        has(screen, "watch 1", "long mode", "counter")
        equal(console.memory("counter", "w"), 3)
        where = pc_of(screen)
        assert is_in("counter_add", where), screen
        has(console.run("info breakpoints"), "write watch         1 ", "come upon 3 times")
        console.run("condition 1")
        console.until_stop("continue")
        equal(console.memory("counter", "w"), 4)
        equal(pc_of(console.run("x/i $pc")), where)


@test
def a_watch_of_a_whole_object():
    with long64() as console:
        has(console.run("watch counter"), "write watch 1 at", "16 bytes: counter (")
        console.until_stop("continue")
        equal((console.memory("counter", "w"), console.memory("(u64 *)counter + 1")), (1, 0))
        console.until_stop("continue")
        equal((console.memory("counter", "w"), console.memory("(u64 *)counter + 1")), (1, 1))


@test
def ignored_hits_are_counted():
    with long64() as console:
        console.run("break counter_add")
        has(console.run("ignore 1 3"), "the next 3 hits of 1 pass")
        console.until_stop("continue")
        equal(console.memory("counter", "w"), 3)
        has(console.run("info breakpoints"), "breakpoint          4 ")


@test
def a_disabled_point_is_passed():
    with long64() as console:
        console.run("break counter_add")
        console.run("break print_line")
        console.run("disable 1")
        for _ in range(2):
            has(console.until_stop("continue"), "■ vCPU 0: breakpoint 2")
        has(console.run("info breakpoints"), ", disabled", "breakpoint          0 ", "breakpoint          2 ")
        console.run("enable 1")
        has(console.until_stop("continue"), "■ vCPU 0: breakpoint 1")


@test
def a_dprintf_prints_and_goes_on():
    with long64() as console:
        has(console.run('dprintf counter_add,"value %d + %d at %#lx by %d",*(int *)$rdi,$esi,$rdi,$_cpu'),
            "breakpoint 1 at")
        console.line("continue")
        for value in range(3):
            console.expect("value %d + 1 at %#x by 0" % (value, SYMBOLS["counter"][0]))
        console.interrupt()
        hits = int(re.search(r"breakpoint +(\d+) ", console.run("info breakpoints")).group(1))
        # The pause may come between the last line and the addition.
        equal(hits - console.memory("counter", "w") in (0, 1), True)
        has(console.run("i b"), 'prints "value %d + %d at %#lx by %d", *(int *)$rdi, $esi, $rdi, $_cpu and goes on')


@test
def a_dprintf_shows_the_guests_texts_without_their_escapes():
    with long64() as console:
        console.run('dprintf print_line,"key %c, text %s.",27,*(u64 *)messages if $_cpu == 0')
        console.line("continue")
        console.expect("key \\x1b, text silence.")
        console.interrupt()


@test
def points_are_set_while_the_guest_runs():
    with long64() as console:
        console.go()
        console.line("break counter_add if *(int *)$rdi > 5")
        console.expect("breakpoint 1 at")
        console.stop()
        assert console.memory("counter", "w") > 5


@test
def finish_ends_in_the_caller():
    with long64() as console:
        console.run("break fibonacci if $edi == 3")
        console.until_stop("continue")
        caller = console.run("bt").splitlines()[1]
        console.run("delete")
        console.line("finish")
        console.expect("running until 0x")
        screen = console.stop()
        equal(pc_of(screen), int(re.match(r"#1 +0x([0-9a-f]+) ", caller).group(1), 16))
        equal(console.value("$rax"), fibonacci(3))


@test
def finish_is_not_misled_by_recursion():
    with long64() as console:
        console.run("break fibonacci if $edi == 5")
        console.until_stop("continue")
        console.run("condition 1 $edi == 4")
        console.until_stop("continue")  # called by that, and itself the first call of the next
        console.run("delete")
        screen = console.until_stop("finish")
        assert is_in("fibonacci", pc_of(screen)), screen
        equal(console.value("$rax"), fibonacci(4))
        screen = console.until_stop("finish")
        assert is_in("work", pc_of(screen)), screen
        equal(console.value("$rax"), fibonacci(5))


@test
def next_steps_over_calls():
    with long64() as console:
        console.run("break *work")
        console.until_stop("continue")
        back = console.memory("$rsp")
        pcs = []
        while not pcs or is_in("work", pcs[-1]):
            pcs.append(pc_of(console.until_stop("next" if not pcs else "")))
            assert len(pcs) < 120, pcs
        equal(pcs[-1], back)
        assert len(set(pcs)) > 30
        console.run("delete")
        equal(console.memory("(int *)counter", "w"), 1)


@test
def next_takes_a_count_that_a_breakpoint_ends():
    with long64() as console:
        console.run("break *work")
        console.until_stop("continue")
        console.run("break counter_add")
        screen = console.until_stop("next 1000")
        has(screen, "breakpoint 2")
        assert is_in("counter_add", pc_of(screen)), screen


@test
def advance_runs_to_a_place():
    with long64() as console:
        has(console.until_stop("advance counter_add"), "■ vCPU 0: ", "counter_add+0x")
        equal(console.memory("counter", "w"), 0)
        has(console.until_stop("until *print_line"), " print_line at main.c:")
        equal(console.memory("counter", "w"), 1)
        has(console.run("info breakpoints"), "no breakpoints")


@test
def a_point_for_one_vcpu():
    with Console("-smp", "4", "-kernel", SMP) as console:
        console.run("break add_one cpu 2")
        console.run("break add_one if $_cpu == 3")
        seen = set()
        while len(seen) < 2:  # one of them may come by often before the other does
            stop = re.match(r"■ vCPU (\d): breakpoint (\d)", console.until_stop("continue")).groups()
            assert stop in (("2", "1"), ("3", "2")), stop
            seen.add(stop)
        has(console.run("info breakpoints"), "only on vCPU 2", "only if $_cpu == 3: come upon ")


def others(console):
    """Where the other vCPUs stand, and what they have done."""
    return re.findall(r"^  vCPU \d: .*\n +(.*)$", console.run("info cpus"), re.M), \
        console.run("x/8gx %#x" % ROUNDS)


@test
def the_others_are_held_or_run():
    with Console("-smp", "4", "-kernel", SMP) as console:
        console.run("break cpu3_loop")
        number = re.match(r"■ vCPU (\d)", console.until_stop("continue")).group(1)
        console.run("delete")
        before = others(console)
        console.until_stop("step 20")
        equal(others(console), before)
        console.run("set scheduler-locking on")
        console.line("continue")
        console.expect(f"vCPU {number} running, the others are held")
        console.expect(PROMPT)
        has(console.interrupt(), "■ vCPU ")
        equal(others(console)[0], before[0])
        console.run("cpu " + number)
        console.run("set scheduler-locking off")
        for _ in range(50):
            console.until_stop("step 20")
            if others(console)[0] != before[0]:
                return
        raise AssertionError("the others never ran")


run()
