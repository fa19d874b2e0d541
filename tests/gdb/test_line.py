# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb over a serial line: two pseudo-terminals, joined by a null modem. time limit: 120 s"""
import os
import subprocess
import sys
import termios

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *

LOCAL_FLAGS = 3  # in what tcgetattr() returns

# The runner makes gdb the leader of a session, so that the first terminal it opens becomes its controlling one.
signal.signal(signal.SIGHUP, signal.SIG_IGN)


class NullModem:
    def __init__(self):
        command = ["/usr/bin/python3", os.path.join(os.environ["SOURCE"], "tests/scripts/null_modem.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.near, self.far = self.process.stdout.readline().split()

    def is_raw(self):
        fd = os.open(self.near, os.O_RDWR | os.O_NOCTTY)
        try:
            return not termios.tcgetattr(fd)[LOCAL_FLAGS] & (termios.ICANON | termios.ECHO)
        finally:
            os.close(fd)

    def close(self):
        self.process.communicate()


class OnALine(Debugged):
    """Its -gdb is one end of the line, the other is gdb's."""

    def __init__(self, name, *options):
        self.modem = NullModem()
        super().__init__(name, "-gdb", self.modem.near, *options, attach=False)
        self.address = self.modem.far

    def __enter__(self):
        super().__enter__()
        deadline = time.monotonic() + patience(20)
        while not self.modem.is_raw():
            assert time.monotonic() < deadline and self.process.poll() is None, self.words()
            time.sleep(0.01)
        self.attach()
        return self

    def __exit__(self, *why):
        try:
            return super().__exit__(*why)
        finally:
            self.modem.close()


@test
def values_over_a_line():
    with OnALine("long64") as vm:
        gdb.Breakpoint("print_line")
        for line in range(1, 4):
            vm.go("continue")
            equal((where(), value("line")), ("print_line", line))
        start = value("(long)counter_add")
        equal(memory(start, 40), file_bytes(start, 40))
        address = value("(long)&counter")
        before = memory(address, 8)
        gdb.selected_inferior().write_memory(address, b"\x03\x11\x13$#}*\r")
        equal(memory(address, 8), b"\x03\x11\x13$#}*\r")
        gdb.selected_inferior().write_memory(address, before)
        here = instruction()
        vm.go("stepi")
        equal(pc(), here["addr"] + here["length"])


@test
def ctrl_c_over_a_line():
    with OnALine("long64") as vm:
        vm.go_and_interrupt()
        equal(stops.signal(), "SIGINT")
        assert "guest_main" in backtrace(), backtrace()


@test
def two_sessions_one_after_the_other():
    with OnALine("long64") as vm:
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(value("line"), 1)
        do("detach")
        assert vm.serial_has("tick 2"), vm.serial()
        vm.attach()
        assert "guest_main" in backtrace(), backtrace()
        equal(do("monitor info breakpoints").count("print_line"), 0)
        lines = vm.serial().count("tick")
        vm.go("continue")
        equal((where(), value("line")), ("print_line", lines + 1))
        assert "lost" not in vm.words(), vm.words()


@test
def a_gdb_that_went_without_a_word():
    """Nothing tells vitrine that it has gone: the next one just begins."""
    with OnALine("long64") as vm:
        gdb.Breakpoint("counter_add")
        vm.go("continue")
        do("monitor info registers")
        vm.drop()
        other = subprocess.run(
            ["gdb", "-nx", "-q", "-batch", "-ex", f"set remotetimeout {patience(15)}", "-ex", f"target remote {vm.address}",
             "-ex", "break print_line", "-ex", "continue", "-ex", "print line", "-ex", "backtrace 1", vm.symbols],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience(40), check=False)
        assert "$1 = 1" in other.stdout and "print_line" in other.stdout, other.stdout + other.stderr
        vm.attach()
        assert "no breakpoints" in do("monitor info breakpoints")
        assert vm.serial_has("tick 1"), vm.serial()


@test
def killed_over_a_line():
    with OnALine("long64") as vm:
        do("kill")
        vm.ends_with(0)


run()
