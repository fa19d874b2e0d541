# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's session at the console, with values compared: break, continue, look, step, go on.

time limit: 120 s
"""
import os
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import CTRL_C, PROMPT, Console, guest
from rsp import elf_symbols
from tap import equal, run, test

LONG64 = guest("long64.elf")
SYMBOLS = elf_symbols(LONG64)


def has(text, *wanted):
    for piece in wanted:
        assert piece in text, f"{piece!r} is not in {text!r}"


def source_line(file, number):
    with open(os.path.join(os.environ["SOURCE"], file), encoding="utf-8") as source:
        return source.read().splitlines()[number - 1]


def pc_of(screen):
    return int(re.search(r"→ 0x([0-9a-f]+) ", screen).group(1), 16)


def at_breakpoint(console, function):
    has(console.run("break " + function), "breakpoint 1 at 0x", function)
    return console.until_stop("continue")


@test
def a_breakpoint_in_a_function_shows_the_stop_screen():
    with Console("-kernel", LONG64) as console:
        screen = at_breakpoint(console, "counter_add")
        first, second, third, *rest = screen.splitlines()
        equal(first, "■ vCPU 0: breakpoint 1")
        where = re.match(r"  counter_add\+0x[0-9a-f]+ at main\.c:(\d+) · long mode, ring 0, cr3 0x[0-9a-f]+, IF=0$",
                         second)
        assert where, second
        line = int(where.group(1))
        equal(third.split(None, 1), [str(line), source_line("guests/long64/main.c", line).strip()])
        equal(sum(text.startswith(" → ") for text in rest), 1)
        equal(sum(" <counter_add+0x" in text for text in rest), 6)
        start, size = SYMBOLS["counter_add"]
        assert start < pc_of(screen) < start + size
        has(screen, "rip %x" % pc_of(screen), "rdi %x" % SYMBOLS["counter"][0], "eflags")
        assert len(screen.splitlines()) < 24
        assert all(len(text) <= 80 for text in screen.splitlines()), screen


@test
def values_of_registers_symbols_and_memory():
    with Console("-kernel", LONG64) as console:
        screen = at_breakpoint(console, "counter_add")
        pc = pc_of(screen)
        equal(console.value("$rip"), pc)
        equal(console.value("$pc"), pc)
        equal(console.value("counter"), SYMBOLS["counter"][0])
        equal(console.value("$rdi"), SYMBOLS["counter"][0])
        equal(console.value("(1 + 2) * 3 << 4 | 0xf"), 0x9f)
        has(console.run("info registers rip"), f"rip            {pc:#x} ")
        has(console.run("i r cr0"), "[PE ", " PG]")
        equal(console.memory("&counter", "w"), 0)
        console.until_stop("continue")
        equal(console.memory("&counter", "w"), 1)
        equal(console.memory("&counter + 8"), 1)
        linear, physical = console.run("x/4wx $pc"), console.run("xp/4wx %#x" % pc)
        equal(linear.split(": ")[1], physical.split(": ")[1], "identity mapped")
        has(console.run("gva2gpa $pc"), f"gpa: {pc:#x}\n")
        has(console.run("info symbol $pc"), "counter_add+0x")


@test
def registers_can_be_changed_and_the_guest_sees_it():
    with Console("-kernel", LONG64) as console:
        console.run("hbreak *message_text")
        console.until_stop("continue")
        equal(console.value("$edi"), 1)
        console.run("set $rdi = 3")
        equal(console.value("$rdi"), 3)
        console.run("delete")
        console.go()
        deadline = time.monotonic() + 20
        while "hello, debugger" not in console.serial() and time.monotonic() < deadline:
            time.sleep(0.05)
        has(console.serial(), "message 1: hello, debugger")


@test
def steps_go_one_instruction_at_a_time():
    with Console("-kernel", LONG64) as console:
        screen = at_breakpoint(console, "counter_add")
        for answer in ("stepi", "s", ""):
            following = re.search(r"→ .*\n +0x([0-9a-f]+)", screen).group(1)
            screen = console.until_stop(answer)
            equal(pc_of(screen), int(following, 16))
            has(screen, "■ vCPU 0: step\n", "rip %s*" % following)
        expected = [int(text, 16) for text in
                    re.findall(r"^.{3}0x([0-9a-f]+) ", console.run("x/5i $pc"), re.M)]
        equal(pc_of(console.until_stop("step 4")), expected[4])


@test
def changed_registers_are_marked_and_others_are_not():
    with Console("-kernel", LONG64) as console:
        at_breakpoint(console, "counter_add")
        console.until_stop("s")
        rbx = console.value("$rbx")
        console.run("set $rbx = %#x" % (rbx + 1))
        screen = console.until_stop("s")
        has(screen, "rbx %x*" % (rbx + 1))
        assert "r12 0*" not in screen
        assert "rbx %x*" % (rbx + 1) not in console.until_stop("s")


@test
def backtrace_of_a_recursion():
    with Console("-kernel", LONG64, "-append", "every=1") as console:
        console.run("break fibonacci")
        while True:
            console.until_stop("continue")
            depth = console.run("bt").count("fibonacci+0x")
            if depth == 4:
                break
        text = console.run("bt")
        names = re.findall(r"^#\d+ +0x[0-9a-f]+ (\w+)", text, re.M)
        equal(names, ["fibonacci"] * 4 + ["work", "run", "guest_main", "_start"])
        has(text, "ends here: the outermost function: nobody called it")


@test
def backtrace_before_the_frame_is_made():
    with Console("-kernel", LONG64) as console:
        console.run("break *counter_add")
        for command in ("continue", "stepi", "stepi"):
            console.until_stop(command)
            names = re.findall(r"^#\d+ +0x[0-9a-f]+ (\w+)", console.run("bt"), re.M)
            equal(names, ["counter_add", "work", "run", "guest_main", "_start"], command)


@test
def breakpoints_are_listed_counted_and_deleted():
    with Console("-kernel", LONG64, "-append", "every=1") as console:
        at_breakpoint(console, "work")
        has(console.run("tbreak print_line"), "temporary breakpoint 2")
        console.until_stop("continue")
        text = console.run("info breakpoints")
        assert "print_line" not in text, text
        equal(re.search(r"^1 +console +breakpoint +(\d+)", text, re.M).group(1), "1")
        console.until_stop("continue")
        equal(re.search(r"^1 +console +breakpoint +(\d+)", console.run("i b"), re.M).group(1), "2")
        console.run("delete 1")
        has(console.run("i b"), "no breakpoints")
        has(console.run("delete 1"), "there is no breakpoint 1")
        console.go()
        time.sleep(0.3)
        has(console.interrupt(), "paused")


@test
def ctrl_c_pauses_and_never_kills():
    with Console("-kernel", LONG64) as console:
        for _ in range(5):
            console.go()
            has(console.interrupt(), "■ vCPU 0: paused from the console")
            console.send(CTRL_C)
            console.expect("^C")
            console.expect(PROMPT)
        console.go()
        console.line("stop")
        has(console.stop(), "paused")
        has(console.run("info status"), "VM status: paused")


@test
def ctrl_c_ends_a_long_step():
    with Console("-kernel", LONG64) as console:
        at_breakpoint(console, "work")
        console.run("delete")  # the steps would come by before the key
        begin = time.monotonic()
        console.line("step 1000000")
        time.sleep(0.5)
        console.send(CTRL_C)
        screen = console.stop()
        assert time.monotonic() - begin < 10
        assert "step" in screen or "paused" in screen, screen
        has(console.run("info status"), "VM status: paused")
        pc = console.value("$pc")
        time.sleep(0.2)
        equal(console.value("$pc"), pc)


@test
def what_needs_a_stopped_guest_says_so():
    with Console("-kernel", LONG64) as console:
        console.go()
        for command in ("info registers", "x/4x 0", "step", "bt", "print $rax", "continue"):
            has(console.run(command), "the guest is running")
        has(console.run("info status"), "VM status: running")
        has(console.run("info cpus"), "vCPU 0: running")


@test
def a_page_walk_is_drawn():
    with Console("-kernel", LONG64) as console:
        at_breakpoint(console, "work")
        text = re.sub(r"\n {20,}", " ", console.run("pt work"))  # long lines are folded
        levels = re.findall(r"^  (PML4|PDPT|PD  |PT  )\[ *(\d+)\] at 0x([0-9a-f]+) = 0x([0-9a-f]{16}) +(.*)$", text, re.M)
        equal([level[0].strip() for level in levels], ["PML4", "PDPT", "PD", "PT"])
        for (_, _, _, entry, _), (_, index, at, _, _) in zip(levels, levels[1:]):
            equal(int(at, 16), (int(entry, 16) & 0xffffffffff000) + int(index) * 8)
        for _, _, at, entry, _ in levels:
            has(console.run("xp/gx 0x" + at), "0x" + entry)
        equal(levels[-1][4], "present read-only kernel accessed")
        has(text, "→ physical %#x · may read, execute · kernel only" % SYMBOLS["work"][0])
        has(console.run("pt 0"), "NOT PRESENT", "#PF, error code 0 for a kernel read, 4 for a user read")


@test
def four_cpus():
    with Console("-smp", "4", "-kernel", guest("smp.elf")) as console:
        text = console.run("info cpus")
        equal(re.findall(r"^([ *]) vCPU (\d)", text, re.M), [("*", "0"), (" ", "1"), (" ", "2"), (" ", "3")])
        has(text, "waits for ")
        console.run("break cpu2_loop")
        screen = console.until_stop("continue")
        has(screen, "3 others held", "cpu2_loop")
        number = re.match(r"■ vCPU (\d)", screen).group(1)
        has(console.run("cpu"), f"vCPU {number}: long mode")
        pc = console.value("$pc")
        has(console.run("cpu 0"), "vCPU 0: long mode")
        assert console.value("$pc") != pc
        screen = console.run("context")
        assert re.match(rf"□ vCPU 0: (was running|slept in hlt) when vCPU {number} stopped: breakpoint 1\n", screen), screen
        assert "■" not in screen and "cpu2_loop" not in screen.splitlines()[1], screen
        has(console.run(f"cpu {number}"), f"vCPU {number}: ")
        has(console.until_stop("step"), f"■ vCPU {number}: step\n")
        for other in set("0123") - {number}:
            console.run("cpu " + other)
            screen = console.run("context")
            assert re.match(rf"□ vCPU {other}: (was held|slept in hlt|waited for \w+( startup IPI)?) when vCPU {number} "
                            r"stopped: step\n", screen), screen
        has(console.run("cpu 4"), "they are 0 to 3")


@test
def real_mode_is_shown_in_16_bits():
    with Console("-kernel", guest("real16.bin"), "-symbols", guest("real16.elf")) as console:
        equal(console.value("$pc"), 0x7c00)
        has(console.run("info cpus"), "real mode", "real_start")
        has(console.run("x/2i $pc"), "→ 0x7c00 <real_start>", "cli", "cld")
        has(console.run("disassemble real_main 1"), "mov    $0x", "%si")
        has(console.until_stop("step"), "real mode", "eip 7c01*")
        has(console.run("pt 0x7c00"), "paging is off", "physical 0x7c00")
        console.run("hbreak long_start")
        screen = console.until_stop("continue")
        has(screen, "long mode", "long_start")


@test
def reset_begins_again_and_keeps_the_breakpoints():
    with Console("-kernel", LONG64) as console:
        at_breakpoint(console, "work")
        console.line("reset")
        console.expect("■ reset: the guest is back at its start")
        console.expect(PROMPT)
        equal(console.value("$pc"), SYMBOLS["_start"][0])
        has(console.until_stop("c"), "breakpoint 1", "work+0x")
        equal(console.memory("&counter", "w"), 0)


@test
def the_guest_ends():
    with Console("-kernel", LONG64, "-append", "ticks=1 every=1 exit=5") as console:
        console.line("continue")
        console.expect("■ the guest has ended")
        equal(console.end(), 11)


@test
def quit_restores_the_terminal():
    import termios
    with Console("-kernel", LONG64) as console:
        console.line("quit")
        equal(console.end(), 0)
    with Console("-kernel", LONG64, paused=False) as console:
        before = termios.tcgetattr(console.child.child_fd)[3]
        console.line("quit")
        console.child.wait()
        after = termios.tcgetattr(console.child.child_fd)[3]
        assert not before & termios.ICANON, "readline does not edit"
        assert after & termios.ICANON and after & termios.ECHO, "the terminal stays as readline had it"
        equal(console.end(), 0)


@test
def triple_fault_leaves_everything_to_look_at():
    with Console("-kernel", guest("faults.elf"), "-append", "fault=triple") as console:
        screen = console.until_stop("continue")
        has(screen, "triple fault")
        has(console.run("info registers"), "eip fff0" if "registers are lost" in " ".join(screen.split()) else "rip")
        has(console.run("info status"), "triple fault")


@test
def symbols_stay_when_their_file_is_built_anew():
    def look(console):
        return [console.run(line) for line in ("info line work", "list work", "info symbol work", "bt")]

    with tempfile.TemporaryDirectory() as folder:
        first, second = folder + "/first.elf", folder + "/second.elf"
        shutil.copy(LONG64, first)
        shutil.copy(LONG64, second)
        with Console("-kernel", LONG64) as console:
            wanted = look(console)
        has(wanted[0], "main.c", " work")
        with Console("-kernel", LONG64, "-symbols", first) as console:
            os.truncate(first, 0)
            equal(look(console), wanted)
            console.run("symbol-file " + second)
            os.truncate(second, 0)
            equal(look(console), wanted)
            has(console.run("symbol-file " + second), "is empty")
            equal(look(console), wanted)


run()
