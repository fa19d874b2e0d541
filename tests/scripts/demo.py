# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration without a terminal: a real gdb session, run by gdb itself, shown and checked.

Environment: ADDRESS (for `target remote`), SERIAL (the file that the guest's serial port writes to).
"""
import os
import time

import gdb

PLANTED = 4000


def do(command):
    """Runs a gdb command and shows it as a session would look."""
    print(f"(gdb) {command}", flush=True)
    gdb.execute(command)


def expect(what, truth):
    if not truth:
        raise gdb.GdbError(f"the demonstration failed: expected {what}")


def say(text):
    print(f"\n--- {text}", flush=True)


def frames():
    frame, names = gdb.newest_frame(), []
    while frame is not None and len(names) < 20:
        names.append(frame.name())
        frame = frame.older()
    return names


def serial_line(wanted, seconds=20):
    """Waits for a line of the guest's serial output that contains wanted."""
    deadline = time.monotonic() + seconds
    while True:
        with open(os.environ["SERIAL"], encoding="utf-8", errors="replace") as file:
            for line in file:
                if wanted in line:
                    return line.strip()
        if time.monotonic() > deadline:
            return None
        time.sleep(0.05)


def attach():
    say("The guest is paused at its first instruction. Attach to it.")
    do("target remote " + os.environ["ADDRESS"])
    expect("one thread per vCPU", len(gdb.selected_inferior().threads()) == 1)
    do("info threads")


def break_in_a_function():
    say("Stop in a C function, at the bottom of a recursion.")
    do("tbreak factorial if n == 1")
    do("continue")
    expect("to be in factorial(1)", gdb.newest_frame().name() == "factorial" and
           int(gdb.parse_and_eval("n")) == 1)
    do("backtrace")
    names = frames()
    expect("the way from guest_main to factorial in the backtrace",
           names[-1] in ("guest_main", "_start", "start") or "guest_main" in names)
    expect("work() and run() on that way", "work" in names and "run" in names)


def change_a_variable():
    say("Look at the caller's variables, and change one.")
    do("frame function work")
    do("info locals")
    do("print counter")
    do(f"set variable counter.value = {PLANTED}")
    do("print counter")
    expect("the changed value to read back",
           int(gdb.parse_and_eval("counter.value")) == PLANTED)


def run_on():
    say("Let the guest run to its next line of output.")
    do("tbreak print_line")
    do("continue")
    expect("to be in print_line", gdb.newest_frame().name() == "print_line")
    value = int(gdb.parse_and_eval("counter.value"))
    expect("the guest to have counted on from there", value >= PLANTED)
    do("finish")
    do("detach")
    line = serial_line(f"counter.value = {value}")
    say("What the guest says on its serial port:")
    print(f"{line}\n", flush=True)
    expect("the guest to print the changed value", line is not None)


gdb.execute("set confirm off")
gdb.execute("set breakpoint pending off")
gdb.execute("set pagination off")
gdb.execute("set style enabled off")
try:
    attach()
    break_in_a_function()
    change_a_variable()
    run_on()
except Exception as error:  # gdb would carry on with the next script
    print(f"\n{error}", flush=True)
    gdb.execute("quit 1")
gdb.execute("quit 0")
