# SPDX-License-Identifier: GPL-3.0-or-later
"""Backtraces of real guests: through interrupts, out of user mode, in prologues, where the stack has overflowed;
compared with gdb's where both have the same information.

time limit: 120 s
"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import Console, batch, guest
from rsp import Client, elf_symbols
from tap import equal, run, skip, test

LONG64, USER, SMP, PROT32, REAL16, FAULTS = (guest(name + ".elf") for name in
                                             ("long64", "user", "smp", "prot32", "real16", "faults"))
SYMBOLS = elf_symbols(LONG64)


def at(console, place):
    console.run("break " + place)
    return console.until_stop("continue")


def frames(answer):
    """[(pc, function)], and the last line."""
    found = re.findall(r"^#\d+ +0x([0-9a-f]+) ([\w.]+)", answer, re.M)
    end = re.search(r"ends here: (.*)", answer, re.S).group(1)
    return [(int(pc, 16), name) for pc, name in found], " ".join(end.split())


def names(answer):
    return [name for _, name in frames(answer)[0]]


RF = 1 << 16  # some processors push it with every interrupt, others with faults alone


def entry(answer):
    """The functions on either side of the one entry into the kernel, what kind it was, and the flags that were pushed
    (None: no interrupt's frame)."""
    inner, kind, flags, outer = re.match(r"(.*)    --- ([^,\n]*)(?:, ring [^\n]*, eflags 0x([0-9a-f]+) [^\n]*)?\n(.*)",
                                         answer, re.S).groups()
    return names(inner + "ends here: -"), kind, flags and int(flags, 16), names(outer)


@test
def calls_end_at_the_entry():
    with Console("-kernel", LONG64) as console:
        at(console, "counter_add")
        answer = console.run("bt")
        equal(names(answer), ["counter_add", "work", "run", "guest_main", "_start"])
        equal(frames(answer)[1], "the outermost function: nobody called it")
        assert re.search(r"#1  0x[0-9a-f]+ work\+0x[0-9a-f]+ at main\.c:\d+\n", answer), answer


@test
def every_instruction_of_a_function_has_the_same_callers():
    with Console("-kernel", LONG64) as console:
        at(console, "*counter_add")
        start, size = SYMBOLS["counter_add"]
        callers, steps = names(console.run("bt"))[1:], 0
        while start <= console.value("$rip") < start + size:
            found, end = frames(console.run("bt"))
            equal(found[0][1], "counter_add")
            equal([name for _, name in found[1:]], callers, f"at {found[0][0]:#x}")
            equal(end, "the outermost function: nobody called it")
            console.until_stop("step")
            steps += 1
        equal(names(console.run("bt")), callers)
        assert steps > 8, steps


@test
def from_a_handler_into_what_it_interrupted():
    with Console("-kernel", LONG64) as console:
        at(console, "timer_interrupt")
        answer = console.run("bt")
        assert "    --- interrupt or exception in the kernel, ring 0: cs 0x8, eflags 0x" in answer, answer
        inner, kind, flags, outer = entry(answer)
        equal(kind, "interrupt or exception in the kernel")
        equal(inner, ["timer_interrupt", "exception_dispatch", "isr_common"])
        equal(flags & ~RF, 0x206)
        equal(outer, ["wait_for_interrupt", "sleep_until", "run", "guest_main", "_start"])


def called_from_user_mode(console, caller):
    """Where syscall does not work, the guest answers it as an exception."""
    answer = console.run("bt")
    inner, kind, flags, outer = entry(answer)
    if inner[-1] == "syscall_entry":
        equal((caller, kind, flags), ("call_by_syscall", "system call from user mode", None))
    else:
        equal((inner[-1], kind), ("isr_common", "interrupt or exception in user mode"))
        assert "in user mode, ring 3: cs 0x2b, eflags 0x" in answer, answer
        equal(flags & 0x202, 0x202)
    equal(outer, [caller, "one_round", "user_main"])
    facts = json.loads(console.run("json bt").replace("\n", ""))["result"]["frames"]
    equal([frame["name"].split("+")[0] for frame in facts if frame["user"]], outer)
    for fact, wanted in (("interrupted", "isr_common"), ("system_call", "syscall_entry")):
        equal([i for i, frame in enumerate(facts) if frame[fact]], [len(inner)] if inner[-1] == wanted else [], fact)


@test
def from_a_kernel_into_user_code():
    with Console("-kernel", USER, "-append", "rounds=2") as console:
        at(console, "system_write")
        called_from_user_mode(console, "call_by_syscall")
        console.until_stop("continue")
        called_from_user_mode(console, "call_by_interrupt")


@test
def first_instruction_of_a_handler():
    with Console("-kernel", LONG64) as console:
        at(console, "*isr32")
        answer = console.run("bt")
        equal(names(answer)[:3], ["isr32", "wait_for_interrupt", "sleep_until"])
        at(console, "*isr_common")
        equal(names(console.run("bt"))[:2], ["isr_common", "wait_for_interrupt"])


def stack_overflow(console):
    """long64 stands in a deep recursion whose stack reaches into a page that is not mapped."""
    at(console, "factorial")
    console.run("delete")
    # The page below the stack's lowest goes; then fib(30) with a stack that has little room left.
    stack = SYMBOLS["stack"][0] if "stack" in SYMBOLS else SYMBOLS["stack_top"][0] - 16384
    page = (stack + 4095) & -4096
    entry = re.search(r"PT  \[ *\d+\] at 0x([0-9a-f]+) ", console.run(f"pt {page - 4096:#x}")).group(1)
    console.run(f"set *(u64 *)0x{entry} = 0")
    console.run("set $rip = factorial")
    console.run(f"set $rsp = {page + 0x208:#x}")
    console.run("set $rdi = 100000")
    return page


def recursion_fills(console, page):
    assert page - 16 <= console.value("$rsp") < page + 64, hex(console.value("$rsp"))
    answer = console.run("bt")
    found, end = frames(answer)
    equal({name for _, name in found}, {"factorial"})
    # Its own frames lie in the page that is there; the first was called by nobody: its stack was zeros.
    assert len(names(console.run("bt -a"))) > 5, answer
    equal(end, "the return address is 0: nobody called")


@test
def a_stack_that_has_overflowed():
    with Console("-kernel", LONG64) as console:
        page = stack_overflow(console)
        at(console, f"*factorial if $rsp < {page + 64:#x}")
        recursion_fills(console, page)
        # The function that has no frame yet, with its stack pointer in the missing page.
        sp = console.value("$rsp")
        console.run(f"set $rsp = {page - 8:#x}")
        end = frames(console.run("bt"))[1]
        equal(end, f"the stack has overflowed: nothing is mapped at {page - 8:#x}, right below it")
        console.run(f"set $rsp = {sp:#x}")
        console.run("delete")
        screen = console.until_stop("continue")
        assert "triple fault" in screen, screen
        # KVM on AMD-V resets the vCPU before it tells.
        if "registers are lost" not in " ".join(screen.split()):
            recursion_fills(console, page)


@test
def a_deep_recursion_shows_both_ends():
    with Console("-kernel", LONG64) as console:
        at(console, "factorial")
        console.run("set $rdi = 150")
        console.run("delete")
        console.run("set *(u32 *)($rbp - 0x14) = 150")
        at(console, "factorial if $edi == 1")
        answer = console.run("bt")
        equal(names(answer), ["factorial"] * 2 + ["work", "run", "guest_main", "_start"])
        assert re.search(r"#1  0x\w+ (factorial\+0x\w+ at \S+)\n    \.\.\. 148 more frames of \1\n#150 ", answer), answer
        answer = console.run("bt -a 40")
        assert "... 110 frames ...\n" in answer and "#39 " in answer, answer
        equal(names(answer)[-4:], ["work", "run", "guest_main", "_start"])
        equal(len(names(console.run("bt -a"))), 154)
        equal(names(console.run("bt -a 1")), ["factorial", "work", "run", "guest_main", "_start"])
        rows = json.loads(console.run("json bt").replace("\n", ""))["result"]
        equal([(row["number"], row.get("folded")) for row in rows["frames"]],
              [(0, None), (1, 148), (150, None), (151, None), (152, None), (153, None)])
        equal(rows["count"], 154)


@test
def other_modes():
    with Console("-kernel", PROT32) as console:
        at(console, "greatest_divisor")
        found, end = frames(console.run("bt"))
        equal(found[0][1], "greatest_divisor")
        equal([name for _, name in found[-2:]], ["guest_main", "_start"])
        equal(end, "the outermost function: nobody called it")
    with Console("-kernel", REAL16) as console:
        found, end = frames(console.run("bt"))
        equal(found[0][1], "real_start")
        assert end, "why it ends is said"


@test
def the_same_frames_as_gdb():
    if not shutil.which("gdb"):
        skip("needs gdb")
    with Console("-kernel", LONG64) as console:
        at(console, "timer_interrupt")
        ours = frames(console.run("bt"))[0]
        theirs = subprocess.run(["gdb", "-nx", "-batch", "-ex", "target remote " + console.socket, "-ex",
                                 'python f = gdb.newest_frame()\nwhile f: print("PC", hex(f.pc())); f = f.older()',
                                 LONG64], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                                check=False).stdout
        equal([pc for pc, _ in ours], [int(pc, 16) for pc in re.findall(r"^PC 0x([0-9a-f]+)", theirs, re.M)])


@test
def finish_leaves_a_function_that_keeps_no_frame_pointer():
    with Console("-kernel", LONG64) as console:
        at(console, "*isr32")
        # The return address of an interrupt: where finish leads.
        interrupted = frames(console.run("bt"))[0][1][0]
        console.run("delete")
        screen = console.until_stop("finish")
        assert "wait_for_interrupt" in screen, screen
        equal(console.value("$rip"), interrupted)


@test
def the_same_through_gdb_and_in_batch():
    with Console("-kernel", LONG64) as console:
        at(console, "timer_interrupt")
        gdb = Client(console.socket)
        gdb.ask("?")
        through_gdb = gdb.monitor("bt")
        gdb.close()
    equal(names(through_gdb), names(batch(["break timer_interrupt", "continue", "bt"], "-kernel", LONG64)["bt"]))


run()
