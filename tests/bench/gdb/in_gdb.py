# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the benchmark that the real gdb plays. Finds TARGET (host:port) and BREAK (what a breakpoint is called
on this stub) in its environment; prints one line of JSON: microseconds, by name."""
import json
import os
import time

import gdb

STOPS = 10  # of a front end
WORDS = 512  # of a table that it looks through


def run(line):
    gdb.execute(line, to_string=True)


def timed(line):
    start = time.perf_counter()
    run(line)
    return (time.perf_counter() - start) * 1e6


def value(expression):
    return int(gdb.parse_and_eval(expression))


def forget():
    run("delete")


def go_to(place):
    run(f"{BREAK} {place}")
    run("continue")


def condition():
    """One evaluation of a condition that is false, in a loop that is hot."""
    for place, turns in ("milestone", 64), ("turn", 65536):
        forget()
        go_to(place)
        run(f"{BREAK} hot if n == 0xffffffff")
        took = timed("continue")
        if took > 60000 or place == "turn":  # below that it is gdb that took its time
            return took / turns
    return None


def next_over_a_loop():
    forget()
    go_to("turn")
    run("next")
    before = gdb.selected_frame().find_sal().line
    took = timed("next")
    if gdb.selected_frame().find_sal().line != before + 1 or value("sum") != 499500:
        raise gdb.GdbError("`next` did not run the loop")
    return took


# ---- a front end, as GEF and pwndbg are ----------------------------------------------------------


def word(address):
    try:
        return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, 8)), "little")
    except gdb.MemoryError:
        return None


def look_at_registers():
    run("info registers")
    for name in "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "rip":
        follow(value("(unsigned long)$" + name))


def follow(address):
    """What it points to, and what that points to."""
    for _ in range(3):
        address = word(address)
        if address is None:
            return


def look_at_stack():
    stack = value("(unsigned long)$rsp")
    for slot in range(24):
        follow(stack + 8 * slot)


def look_at_code():
    architecture, pc = gdb.selected_frame().architecture(), value("(unsigned long)$rip")
    architecture.disassemble(pc, count=20)
    run("bt")


def look_at_map():
    for n in range(WORDS):
        word(0x100000 + 8 * n)


def one_stop():
    run("stepi")
    look_at_registers()
    look_at_stack()
    look_at_code()
    look_at_map()


def front_end():
    start = time.perf_counter()
    for _ in range(STOPS):
        one_stop()
    return (time.perf_counter() - start) * 1e6 / STOPS


def main():
    for line in "set confirm off", "set pagination off", "set width 0", "target remote " + os.environ["TARGET"]:
        run(line)
    if "STOPS" in os.environ:  # so many, for somebody who counts packets
        for _ in range(int(os.environ["STOPS"])):
            one_stop()
    else:
        figures = {"condition": condition(), "next": next_over_a_loop(), "front_end": front_end()}
        print("figures " + json.dumps(figures), flush=True)
    forget()
    run("detach")


BREAK = os.environ["BREAK"]
try:
    main()
except BaseException as error:  # gdb would go on to its prompt
    print(f"failed {error}", flush=True)
    run("quit 1")
