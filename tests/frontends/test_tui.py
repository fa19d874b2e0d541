# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb's text user interface in a pseudo-terminal: what the screen shows is what the guest's vCPU has."""
import os
import re
import sys
import time
import warnings

import pexpect

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that there are better ones
    from pexpect import ANSI

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from rsp import elf_symbols
from tap import equal, patience, run, skip, test
from vm import Vitrine, guest

ROWS, COLUMNS = 40, 110
CTRL_C, CTRL_L = "\x03", "\x0c"
SYMBOLS = elf_symbols(guest("long64.elf"))


class Tui:
    """gdb in a terminal of its own, attached to a paused guest."""

    def __init__(self, *options):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            skip("needs /dev/kvm")
        self.vm = Vitrine("-S", "-kernel", guest("long64.elf"), *options)
        self.screen, self.marks = ANSI.ANSI(ROWS, COLUMNS), 0

    def __enter__(self):
        self.vm.__enter__()
        try:
            self.attach()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def attach(self):
        self.vm.listening()
        self.child = pexpect.spawn("gdb", ["-nx", "-q", "-iex", "set style enabled off", guest("long64.elf")],
                                   dimensions=(ROWS, COLUMNS), timeout=patience(20),
                                   env=dict(os.environ, TERM="vt100", INPUTRC="/dev/null"))
        self.child.delaybeforesend = None
        for line in ("set confirm off", "set pagination off", "set tui border-kind ascii",
                     f"target remote {self.vm.socket_path}"):
            self.do(line)

    def __exit__(self, kind, *error):
        self.child.close(force=True)
        self.vm.__exit__(kind, *error)
        if kind is not None:
            for line in self.lines():
                print("#  |" + line.rstrip())

    def lines(self):
        return str(self.screen).splitlines()

    def read(self, wanted, seconds=20):
        """Draws what comes until wanted() is true of the screen."""
        deadline = time.monotonic() + patience(seconds)
        while not wanted():
            assert time.monotonic() < deadline, "the screen does not show what it should"
            try:
                # Its shifts between alphabets would be taken for letters.
                self.screen.write(self.child.read_nonblocking(65536, 0.2).translate(None, b"\x0e\x0f"))
            except pexpect.TIMEOUT:
                continue

    def do(self, *lines):
        """Types them, has the screen drawn anew, and waits until all is there. The sum is printed by gdb when it
        has done what came before; nobody has typed it."""
        self.marks += 1
        for line in (*lines, "refresh", f"print 70000 + {self.marks}"):
            self.child.send(line + "\n")
        self.read(lambda: any(re.search(rf"= {70000 + self.marks}\b", line) for line in self.lines()), 60)

    def find(self, pattern):
        for line in self.lines():
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"nothing on the screen is like {pattern}")

    def value(self, expression):
        """What gdb prints; the last such line counts."""
        self.marks += 1
        self.do(f'printf "value {self.marks} is %lx.\\n", {expression}')
        return int(self.find(rf"value {self.marks - 1} is ([0-9a-f]+)\.").group(1), 16)


@test
def the_source_has_an_arrow_where_the_guest_stands():
    with Tui() as tui:
        tui.do("layout src", "break counter_add", "continue")
        line = int(tui.find(r">\s*(\d+)\s+int old = which->value;").group(1))
        equal(int(tui.find(r"L(\d+)\s+PC: 0x").group(1)), line)
        tui.do("next")
        equal(int(tui.find(r">\s*(\d+)\s+int new = old \+ amount;").group(1)), line + 1)
        tui.find(r"In: counter_add")
        equal(tui.value("counter.value"), 0)


@test
def the_code_has_an_arrow_where_the_guest_stands():
    with Tui() as tui:
        tui.do("layout asm")
        equal(int(tui.find(r">\s*0x([0-9a-f]+) <_start").group(1), 16), SYMBOLS["_start"][0])
        for _ in range(4):
            tui.do("stepi")
            pc = tui.value("(unsigned long)$pc")
            equal(int(tui.find(r">\s*0x([0-9a-f]+) <").group(1), 16), pc)
            equal(int(tui.find(r"PC: 0x([0-9a-f]+)").group(1), 16), pc)


@test
def the_registers_are_those_of_the_guest():
    with Tui() as tui:
        tui.do("break counter_add", "continue", "layout regs", "tui reg general")
        rsp = int(tui.find(r"\brsp\s+0x([0-9a-f]+)").group(1), 16)
        equal(rsp, tui.value("(unsigned long)$rsp"))
        equal(int(tui.find(r"\brdi\s+0x([0-9a-f]+)").group(1), 16), SYMBOLS["counter"][0])
        tui.do("set $rbx = 0x1234567")
        tui.find(r"\brbx\s+0x1234567\b")
        tui.do("stepi")
        equal(int(tui.find(r"\brsp\s+0x([0-9a-f]+)").group(1), 16), tui.value("(unsigned long)$rsp"))


@test
def a_monitor_commands_answer_fits_and_the_screen_is_drawn_anew():
    with Tui() as tui:
        tui.do("break counter_add", "continue", "layout split", "monitor info cpus")
        tui.find(r"cr3 0x[0-9a-f]+|long mode")
        tui.child.send(CTRL_L)
        tui.do("stepi")
        tui.find(r">\s*\d+\s+int old = which->value;")
        equal(int(tui.find(r">\s*0x([0-9a-f]+) <").group(1), 16), tui.value("(unsigned long)$pc"))


@test
def ctrl_c_stops_the_guest():
    with Tui() as tui:
        tui.do("layout src")
        tui.child.send("continue\n")
        # gdb says that it goes on before it does, and forgets a Ctrl-C in between.
        assert tui.vm.serial_has("tick 3"), tui.vm.serial()
        tui.child.send(CTRL_C)
        tui.read(lambda: any("SIGINT" in line for line in tui.lines()))
        pc = tui.value("(unsigned long)$pc")
        equal(int(tui.find(r"PC: 0x([0-9a-f]+)").group(1), 16), pc)


run()
