# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb's protocol over standard input and output: nothing else is ever on them. time limit: 120 s"""
import os
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from rsp import elf_symbols
from tap import equal, patience, run, skip, test
from vm import VITRINE, guest


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


def frame(body):
    return b"$" + body + b"#%02x" % (sum(body) & 0xff)


class Stdio:
    """A vitrine with pipes, or with both ends of one socket, for gdb."""

    def __init__(self, *options, pair=False, errors=subprocess.PIPE):
        need_kvm()
        command = [VITRINE, "-gdb", "stdio", "-S", "-kernel", guest("long64.elf"), *options]
        self.socket, self.log, self.seen = None, b"", b""
        if pair:
            self.socket, theirs = socket.socketpair()
            self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=errors)
            theirs.close()
            self.output = self.socket.makefile("rb", buffering=0)
        else:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            bufsize=0)
            self.output = self.process.stdout
        self.reader = threading.Thread(target=self._read_log)
        if errors is subprocess.PIPE:
            self.reader.start()

    def _read_log(self):
        while more := os.read(self.process.stderr.fileno(), 65536):
            self.log += more

    def __enter__(self):
        self.watchdog = threading.Timer(patience(40), self.process.kill)
        self.watchdog.start()
        return self

    def __exit__(self, kind, *_):
        self.watchdog.cancel()
        self.process.kill()
        self.process.wait()
        if self.reader.is_alive():
            self.reader.join()
        if kind is not None:
            print(f"# it said {self.log[-2000:]!r}, and sent {self.seen[-500:]!r}")

    def send(self, data):
        if self.socket:
            self.socket.sendall(data)
        else:
            self.process.stdin.write(data)

    def hang_up(self):
        if self.socket:
            self.socket.shutdown(socket.SHUT_WR)
        else:
            self.process.stdin.close()

    def packet(self):
        """The next packet's body; anything but acknowledgments before it is a failure."""
        while True:
            end = self.seen.find(b"#")
            if end >= 0 and len(self.seen) >= end + 3:
                break
            more = self.output.read(65536)
            assert more, "it hung up"
            self.seen += more
        head = self.seen[:end].lstrip(b"+")
        assert head.startswith(b"$"), self.seen[:200]
        equal(self.seen[:end + 3].lstrip(b"+"), frame(head[1:]))
        self.seen = self.seen[end + 3:]
        return head[1:]

    def ask(self, body):
        self.send(frame(body))
        return self.packet()

    def status(self):
        return self.process.wait(patience(20))


def conversation(vm):
    assert vm.ask(b"qSupported").startswith(b"PacketSize=")
    equal(vm.ask(b"QStartNoAckMode"), b"OK")
    assert vm.ask(b"?").startswith(b"T02thread:1;")
    equal(vm.ask(b"m100000,4"), b"488d2569")
    vm.send(frame(b"vCont;c"))
    text = b""
    while b"tick 2" not in vm.log:
        assert vm.process.poll() is None
    vm.send(b"\x03")
    while (reply := vm.packet()).startswith(b"O"):
        text += bytes.fromhex(reply[1:].decode())
    assert reply.startswith(b"T02"), reply
    assert b"tick" not in text, text


@test
def through_two_pipes():
    with Stdio() as vm:
        conversation(vm)
        vm.hang_up()
        equal(vm.status(), 0)
        assert b"so the machine ends" in vm.log, vm.log


@test
def through_one_socket():
    with Stdio(pair=True) as vm:
        conversation(vm)
        vm.hang_up()
        equal(vm.status(), 0)


@test
def a_goodbye_ends_the_run_too():
    with Stdio() as vm:
        equal(vm.ask(b"D"), b"OK")
        equal(vm.status(), 0)
        equal(vm.output.read(), b"")
        assert b"lost" not in vm.log, vm.log


@test
def unless_the_guest_is_to_go_on():
    with Stdio("-on-disconnect", "continue", "-append", "ticks=3 every=1 exit=5") as vm:
        equal(vm.ask(b"D"), b"OK")
        equal(vm.status(), 11)
        assert b"tick 3" in vm.log, vm.log
    with Stdio("-on-disconnect", "continue", "-append", "ticks=3 every=1 exit=5") as vm:
        assert vm.ask(b"?").startswith(b"T02")
        vm.hang_up()
        equal(vm.status(), 11)


@test
def the_end_of_the_guest_is_told():
    with Stdio("-append", "ticks=1 every=1 exit=5") as vm:
        vm.send(frame(b"vCont;c"))
        while (reply := vm.packet()).startswith(b"O"):
            pass
        equal(reply, b"W0b")
        equal(vm.status(), 11)


@test
def kill():
    with Stdio() as vm:
        vm.send(frame(b"k"))
        equal(vm.status(), 0)


@test
def nothing_to_read_at_all():
    need_kvm()
    done = subprocess.run([VITRINE, "-gdb", "stdio", "-S"], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=patience(20), check=False)
    equal((done.returncode, done.stdout), (0, b""))


@test
def a_reader_that_is_slow():
    """Output waits until it is read; nothing is lost, nothing else comes in between."""
    with Stdio() as vm:
        equal(vm.ask(b"QStartNoAckMode"), b"OK")
        request = frame(b"m100000,8000")
        writer = threading.Thread(target=vm.send, args=[request * 200])
        writer.start()
        replies = [vm.packet() for _ in range(200)]
        writer.join()
        equal({len(reply) for reply in replies}, {0x10000})
        equal(len(set(replies)), 1)


@test
def standard_error_that_nobody_reads_holds_up_nothing():
    """As gdb, which looks at it now and then: the guest prints on, and vitrine ends when it is told to."""
    _, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    address, _ = elf_symbols(guest("long64.elf"))["print_line"]
    with Stdio("-append", "every=1", pair=True, errors=theirs) as vm:
        equal(vm.ask(b"QStartNoAckMode"), b"OK")
        equal(vm.ask(b"Z0,%x,1" % address), b"OK")
        for line in range(1, 21):
            reply = vm.ask(b"vCont;c")
            assert reply.startswith(b"T05"), (line, reply)
        # rdi, its argument
        equal(vm.ask(b"p5"), b"%02x" % line + 14 * b"0")
        vm.process.send_signal(signal.SIGTERM)
        equal(vm.status(), 128 + signal.SIGTERM)


@test
def who_else_wants_standard_output_is_refused():
    for options in (["-monitor", "stdio"], ["-serial", "stdio"], ["-serial", "none", "-serial", "mon:stdio"],
                    ["-nographic"], ["-ex", "info cpus"], ["-batch", "/dev/null"]):
        done = subprocess.run([VITRINE, "-gdb", "stdio", *options], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=patience(20), check=False)
        equal((done.returncode, done.stdout), (2, b""), options)
        assert b"leave out -monitor stdio" in done.stderr, done.stderr


@test
def other_places_for_the_serial_port():
    path = os.path.join(os.environ["TMPDIR"], "serial")
    with Stdio("-serial", "file:" + path, "-append", "ticks=1 every=1") as vm:
        vm.send(frame(b"vCont;c"))
        equal(vm.status(), 1)
    with open(path, encoding="utf-8") as file:
        assert "tick 1" in file.read()
    assert b"tick" not in vm.log, vm.log


run()
