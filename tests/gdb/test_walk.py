# SPDX-License-Identifier: GPL-3.0-or-later
"""The chapter docs/from-reset-to-long-mode.md: its commands are typed, and what gdb prints is compared. time limit: 120 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

CHAPTER = os.path.join(os.environ["SOURCE"], "docs/from-reset-to-long-mode.md")
HAS_SOURCES = os.path.exists(os.path.join(os.environ["SOURCE"], "guests/real16/boot.S"))


def dialogue():
    """[(command, lines that gdb answers)], in order."""
    with open(CHAPTER, encoding="utf-8") as file:
        blocks = re.findall(r"^```\n(.*?)^```", file.read(), re.M | re.S)
    steps = []
    for line in "".join(block for block in blocks if block.startswith("(gdb)")).splitlines():
        if line.startswith("(gdb) "):
            steps.append((line.removeprefix("(gdb) "), []))
        else:
            steps[-1][1].append(line)
    return steps


def comparable(lines):
    """Blanks do not matter. Lines of source are shown only where gdb finds the source."""
    lines = [" ".join(line.split()) for line in lines]
    return [line for line in lines if line and (HAS_SOURCES or not re.match(r"\d+ ", line))]


def pattern(lines):
    """`…` stands for anything within a line, and alone for any number of lines."""
    return "".join(r"(.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
                   for line in comparable(lines))


def check(command, wanted, answer):
    got = "".join(line + "\n" for line in comparable(answer.splitlines()))
    assert re.fullmatch(pattern(wanted), got), f"(gdb) {command}\nwanted:\n" + "\n".join(wanted) + f"\ngot:\n{got}"


def ask_for_capabilities(vm):
    for mode in ("real mode", "protected mode", "long mode"):
        vm.needs_a_breakpoint(mode)
        vm.needs(mode, "step")


def typed(vm, command):
    """All that gdb prints."""
    if not command.startswith("target remote"):
        return vm.go(command.replace("build/guests", os.environ["GUESTS"]))
    answer = vm.attach()
    ask_for_capabilities(vm)
    return answer


# The first in its gdb: values are numbered.
@test
def the_chapter_is_true():
    steps = dialogue()
    assert len(steps) > 60, steps
    with Debugged("real16.bin", attach=False, file=False) as vm:
        for command, wanted in steps:
            check(command, wanted, typed(vm, command))
        vm.ends_with(43)
        equal(vm.serial(), "real16: real mode\nreal16: protected mode\nreal16: long mode\n")


@test
def the_comparison_notices_what_differs():
    check("x", ["a  b", "…", "c …"], "a b\n\nanything\nc and more\n")
    check("x", ["…", "c"], "c\n")
    for wanted, answer in ((["a b"], "a c"), (["a"], "a\nb"), (["a", "b"], "a"), (["…", "c"], "c\nd"), (["a.c"], "abc"),
                           ([], "something")):
        try:
            check("x", wanted, answer)
        except AssertionError:
            continue
        raise AssertionError(f"{wanted} was found in {answer!r}")


run()
