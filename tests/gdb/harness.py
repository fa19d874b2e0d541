# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests with the real gdb share; runs inside gdb's own Python.

    from harness import *

    @test
    def stops_in_print_line():
        with Debugged("long64") as vm:
            gdb.Breakpoint("print_line")
            vm.go("continue")
            equal(where(), "print_line")

    run()

Each test has a vitrine of its own, started paused. Everything that resumes the guest goes through
vm.go(), which gives it a time limit: a guest that does not stop ends its vitrine and fails its test.
"""
import atexit
import contextlib
import os
import re
import signal
import sys
import threading
import time

import gdb

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
# The tests import these from here.
from tap import equal, patience, run, skip, test  # noqa: E402,F401
from vm import Vitrine, counted, guest  # noqa: E402,F401

for _setting in ("pagination off", "confirm off", "width 0", "height 0", "style enabled off",
                 "debuginfod enabled off", f"remotetimeout {patience(15)}", "tcp auto-retry off",
                 "breakpoint pending off"):
    gdb.execute("set " + _setting)

TIME_LIMIT = patience(30)


class Stops:
    """The stops that gdb has announced."""

    def __init__(self):
        self.last = None
        self.exit_code = None
        gdb.events.stop.connect(self._on_stop)
        gdb.events.exited.connect(self._on_exit)

    def _on_stop(self, event):
        self.last = event

    def _on_exit(self, event):
        self.exit_code = getattr(event, "exit_code", None)

    def signal(self):
        return getattr(self.last, "stop_signal", None)

    def breakpoints(self):
        return [b.number for b in getattr(self.last, "breakpoints", [])]


stops = Stops()
_running = set()


@atexit.register
def _end_all():
    for vm in list(_running):
        vm.process.kill()


def listening(vm):
    """Until vitrine listens, without a connection."""
    deadline = time.monotonic() + patience(20)
    while not os.path.exists(vm.socket_path):
        assert time.monotonic() < deadline and vm.process.poll() is None, vm.words()
        time.sleep(0.01)


def says(vm, words, seconds=patience(20)):
    """Until it has said that on standard error."""
    deadline = time.monotonic() + seconds
    while words not in vm.words():
        assert time.monotonic() < deadline, vm.words()
        time.sleep(0.02)


class Captured:
    """All that gdb prints: to_string=True would miss how it announces a stop, and what the stub says."""

    def __init__(self, path):
        self.path, self.text = path, ""

    def __enter__(self):
        flush()
        self.saved = [os.dup(1), os.dup(2)]
        with open(self.path, "wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        return self

    def __exit__(self, *_):
        flush()
        for fd, saved in enumerate(self.saved, 1):
            os.dup2(saved, fd)
            os.close(saved)
        with open(self.path, encoding="utf-8", errors="replace") as file:
            self.text = file.read()


def flush():
    sys.stdout.flush()
    for stream in (gdb.STDOUT, gdb.STDERR, gdb.STDLOG):
        gdb.flush(stream)


class Debugged(Vitrine):
    """A guest under vitrine with gdb attached, paused at its first instruction.

    image: a name in the folder of guests, None for the one that is built in; symbols: another, when the
    image has none; file: whether gdb is given them."""

    def __init__(self, name, *options, symbols=None, attach=True, pause=True, tcp=False, file=True):
        image = name if name is None or "." in name else name + ".elf"
        self.symbols = guest(symbols or image) if file else None
        self.attach_at_start, self.status, self.too_late = attach, 0, None
        paused = ["-S"] if pause else []
        kernel = ["-kernel", guest(image)] if image else []
        super().__init__(*kernel, *paused, *options, tcp=tcp)
        _running.add(self)

    def __enter__(self):
        super().__enter__()
        if self.symbols:
            gdb.execute("file " + self.symbols)
        if self.attach_at_start:
            self.attach()
        return self

    def __exit__(self, kind, error, trace):
        try:
            self._leave()
            status = self.end()
        finally:
            _running.discard(self)
            if kind is not None and kind.__name__ != "Skip":
                self._explain()
        if kind is None and status not in (self.status, 128 + signal.SIGTERM):
            raise AssertionError(f"vitrine ended with status {status}: {self.words()}")
        if kind is None and os.path.exists(self.socket_path):
            raise AssertionError("vitrine left its socket behind")

    def ends_with(self, status, seconds=TIME_LIMIT):
        """The machine's run ends by itself, with this status."""
        equal(self.process.wait(seconds), status, "status")
        self.status = status

    def _leave(self):
        gdb.execute("delete")  # dprintfs too, which gdb.breakpoints() leaves out
        with contextlib.suppress(gdb.error):  # refused when nothing is attached
            gdb.execute("set scheduler-locking replay")
        self.drop()
        gdb.execute("file")
        gdb.execute("unset tdesc filename")  # gdb keeps the last target's description until then

    def _explain(self):
        if self.too_late:
            print(f"# nothing happened for {self.too_late} s; the vitrine of this test was ended")
        for title, text in (("vitrine", self.words()), ("the guest", self.serial()[-2000:])):
            for line in text.splitlines():
                print(f"# {title}: {line}")
        sys.stdout.flush()

    def attach(self, extended=False, seconds=patience(20)):
        """Tries until vitrine listens: a knock at the door beforehand would pause the guest."""
        kind = "extended-remote" if extended else "remote"
        address = self.address if isinstance(self.address, str) else "%s:%d" % self.address
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.go(f"target {kind} {address}")
            except gdb.error as error:
                unborn = any(words in str(error) for words in ("refused", "No such file", "No such device"))
                if not unborn or self.process.poll() is not None or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def drop(self):
        """Ends the connection without a word to the guest."""
        with contextlib.suppress(gdb.error):
            gdb.execute("disconnect", to_string=True)

    @contextlib.contextmanager
    def limit(self, seconds):
        timer = threading.Timer(seconds, self._too_late, [seconds])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _too_late(self, seconds):
        self.too_late = seconds
        self.process.kill()

    def go(self, command, seconds=TIME_LIMIT):
        """A command that resumes the guest; returns what gdb printed when it had stopped."""
        stops.last = None
        with self.limit(seconds), Captured(self.folder + "/output") as captured:
            gdb.execute(command)
        return captured.text

    def packets(self, command, seconds=TIME_LIMIT):
        """The packets that gdb sends for a command which may resume the guest, and all that was printed."""
        gdb.execute("set debug remote 1")
        try:
            said = self.go(command, seconds)
        finally:
            gdb.execute("set debug remote 0")
        return re.findall(r"Sending packet: \$([^#]*)#", said), said

    def go_refused(self, command, seconds=TIME_LIMIT):
        """A command that would resume the guest and ends with an error instead; all that gdb said."""
        captured = Captured(self.folder + "/output")
        try:
            with self.limit(seconds), captured:
                gdb.execute(command)
        except gdb.error as error:
            return captured.text + str(error)
        raise AssertionError(f"{command}: no error")

    def go_and_interrupt(self, seconds=0.3, command="continue"):
        """A command that does not end by itself, and Ctrl-C a while after the guest goes: earlier, Python would take it."""
        timer = threading.Timer(seconds, os.kill, [os.getpid(), signal.SIGINT])

        def start(_):
            gdb.events.cont.disconnect(start)
            timer.start()

        gdb.events.cont.connect(start)
        try:
            return self.go(command)
        finally:
            timer.cancel()

    def go_to_the_end(self, status):
        """The guest runs until it powers off; gdb is told of this exit status."""
        stops.exit_code = None
        self.go("continue")
        equal(stops.exit_code, status, "exit code")
        self.ends_with(status)

    def stops_at(self, count):
        """The functions in which the next stops are."""
        names = []
        for _ in range(count):
            self.go("continue")
            names.append(where())
        return names

    def can(self, mode, what):
        """What vitrine found out about this host: mode "real mode", "protected mode", "long mode" or
        "ring 3"; what "step", "int3" or "slot"."""
        column = {"step": 0, "int3": 1, "slot": 2}[what]
        for line in gdb.execute("monitor info capabilities", to_string=True).splitlines():
            if line.strip().startswith(mode):
                words = re.split(r"\s{2,}", line.strip())[1:]
                return not words[column].startswith("NO")
        raise AssertionError(f"no line for {mode} in info capabilities")

    def needs(self, mode, what):
        names = {"step": "single steps", "int3": "software breakpoints", "slot": "hardware breakpoints"}
        if not self.can(mode, what):
            skip(f"this host's KVM: {names[what]} in {mode}")

    def needs_a_breakpoint(self, mode):
        if not self.can(mode, "int3") and not self.can(mode, "slot"):
            skip(f"this host's KVM: breakpoints in {mode}")


def needs_slots_in_segments():
    """QEMU's own processor takes QEMU with it when a debug register fires where CS.base is not 0."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        if "QEMU TCG" in file.read():
            skip("this host's processor: execution breakpoints where CS.base is not 0")


def do(command):
    """A command that does not resume the guest."""
    return gdb.execute(command, to_string=True)


def refused(command):
    """The error that a command ends with."""
    try:
        gdb.execute(command, to_string=True)
    except gdb.error as error:
        return str(error)
    raise AssertionError(f"{command}: no error")


def value(expression):
    return int(gdb.parse_and_eval(expression))


def text(expression):
    return str(gdb.parse_and_eval(expression))


def pc():
    return value("$pc") & 0xffffffffffffffff


def where():
    """The innermost function's name."""
    return gdb.newest_frame().name()


def backtrace():
    """Names of the functions, innermost first."""
    names, frame = [], gdb.newest_frame()
    while frame is not None:
        names.append(frame.name())
        frame = frame.older()
    return names


def caller(level):
    frame = gdb.newest_frame()
    for _ in range(level):
        frame = frame.older()
    return frame


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def file_bytes(address, size):
    """What the image's file holds for an address."""
    for line in do("info files").splitlines():
        found = re.match(r"\s*(0x[0-9a-f]+) - (0x[0-9a-f]+) is (\.\S+)", line)
        if found and int(found.group(1), 16) <= address < int(found.group(2), 16):
            break
    else:
        raise AssertionError(f"{address:#x} is in no section")
    symbols = gdb.current_progspace().filename
    offset = section_offset(symbols, found.group(3)) + address - int(found.group(1), 16)
    with open(symbols, "rb") as file:
        file.seek(offset)
        return file.read(size)


def section_offset(path, name):
    import subprocess
    listing = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\]\s+" + re.escape(name) + r"\s+\S+\s+[0-9a-f]+\s+([0-9a-f]+)", listing)
    return int(found.group(1), 16)


def instruction(address=None):
    """{"addr", "asm", "length"} of the instruction at an address, or at pc."""
    return gdb.newest_frame().architecture().disassemble(pc() if address is None else address)[0]


def thread(number):
    for one in gdb.selected_inferior().threads():
        if one.num == number:
            one.switch()
            return one
    raise AssertionError(f"there is no thread {number}")


def thread_count():
    return len(gdb.selected_inferior().threads())


def stopped_thread():
    return gdb.selected_thread().num


def each_pc():
    """pc of every thread; the selected thread stays selected."""
    selected = gdb.selected_thread()
    pcs = {}
    for one in gdb.selected_inferior().threads():
        one.switch()
        pcs[one.num] = pc()
    selected.switch()
    return pcs


def at_print_line(vm, line=1):
    """Goes on until a guest prints its nth line from here."""
    gdb.Breakpoint("print_line")
    for _ in range(line):
        vm.go("continue")
    equal(where(), "print_line")
