# SPDX-License-Identifier: GPL-3.0-or-later
"""The text screen on the terminal, as long as the guest says nothing on COM1. time limit: 240 s"""
import itertools
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/monitor"))
from console import PROMPT, Console, plain
from tap import equal, run, test

# A boot sector that scrolls the screen up, blanks the last line and writes five equal letters there, from A to Z, and
# sleeps:
#           cli; mov $0xb800, %ax; mov %ax, %ds; mov %ax, %es; mov $'A', %bl
#   again:  xor %di, %di; mov $160, %si; mov $24*80, %cx; cld; rep movsw
#           mov $0x0720, %ax; mov $80, %cx; rep stosw
#           mov $24*160, %di; mov %bl, %al; mov $5, %cx; rep stosw
#           inc %bl; cmp $'Z'+1, %bl; jne again
SCROLL = ("fa b800b8 8ed8 8ec0 b341"
          "31ff bea000 b98007 fc f3a5"
          "b82007 b95000 f3ab"
          "bf000f 88d8 b90500 f3ab"
          "fec3 80fb5b 75dc")
SLEEP = "fb f4 ebfd"  # sti; stop: hlt; jmp stop
SPEAK = "baf803 b040 ee"  # mov $0x3f8, %dx; mov $'@', %al; out %al, %dx
LETTERS = [chr(c) * 5 for c in range(ord("A"), ord("Z") + 1)]


def sector(*code):
    path = os.path.join(os.environ["TMPDIR"], "sector")
    with open(path, "wb") as file:
        file.write(bytes.fromhex("".join(code)).ljust(510, b"\0") + b"\x55\xaa")
    return path


def lines(text):
    return [line for line in plain(text).split("\n") if line in LETTERS]


def drawn(text):
    """Behind a prompt a line is drawn once more, in its place, when the next one comes."""
    return [line for line, _ in itertools.groupby(match.group() for match in re.finditer(r"([A-Z])\1{4}", plain(text)))]


@test
def every_line_comes_once_however_far_the_screen_scrolls():
    with Console("-monitor", "none", "-kernel", sector(SCROLL, SLEEP), serial=False, paused=False, console=False) as vm:
        equal(lines(vm.expect("ZZZZZ") + "ZZZZZ"), LETTERS)


@test
def above_the_prompt_which_stays():
    with Console("-kernel", sector(SCROLL, SLEEP), serial=False) as vm:
        vm.send("continue\rprint 40 + 2")
        seen = vm.expect("ZZZZZ")
        equal(drawn(seen + "ZZZZZ"), LETTERS)
        vm.send("\r")
        vm.expect("0x2a = 42")
        vm.expect(PROMPT)
        assert "ZZZZZ" in vm.run("screen")


@test
def what_was_written_before_a_stop_is_shown():
    with Console("-kernel", sector("b800b8 8ed8 c70600004807 c70602006907", "fb f4 ebfd"), serial=False) as vm:
        vm.line("continue")
        vm.expect("Hi")
        vm.interrupt()


@test
def com1_ends_it():
    """The guest speaks first: what it then has on the screen is there by command alone."""
    with Console("-monitor", "none", "-kernel", sector(SPEAK, SCROLL, SPEAK, SLEEP), serial=False, paused=False,
                 console=False) as vm:
        vm.expect("@")
        equal(lines(vm.expect("@")), [])


@test
def with_com1_elsewhere_there_is_none():
    with Console("-serial", "none", "-kernel", sector(SCROLL, SPEAK, SLEEP)) as vm:
        vm.run("catch io 0x3f8 w")
        screen = vm.until_stop("continue")
        equal((lines(vm.seen), "0x3f8" in screen), ([], True), vm.seen)
        assert "ZZZZZ" in vm.run("screen")


run()
