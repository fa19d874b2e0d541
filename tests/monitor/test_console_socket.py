# SPDX-License-Identifier: GPL-3.0-or-later
"""-monitor unix:PATH: a console for one client at a time, who may come and go.

time limit: 120 s
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import PROMPT, TIMEOUT, VITRINE, guest, need_kvm
from tap import equal, run, test

LONG64 = guest("long64.elf")


class Gone(Exception):
    pass


class Machine:
    def __init__(self, *options):
        need_kvm()
        self.folder = tempfile.mkdtemp(prefix="console-")
        self.path = self.folder + "/console"
        self.process = subprocess.Popen(
            [VITRINE, "-S", "-gdb", "none", "-serial", "none", "-monitor", "unix:" + self.path, "-kernel", LONG64,
             *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, XDG_CONFIG_HOME=self.folder))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self):
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                return Client(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                assert self.process.poll() is None and time.monotonic() < end, self.process.communicate()
                time.sleep(0.02)

    def end(self):
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out, err


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())

    def expect(self, text):
        """Reads until text has been there; returns what came before it."""
        while text not in self.text:
            try:
                bytes_ = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"{text!r} did not come: {self.text[-600:]!r}") from None
            if not bytes_:
                raise Gone(self.text)
            self.text += bytes_.decode()
        before, self.text = self.text.split(text, 1)
        return before

    def run(self, line):
        self.send(line + "\n")
        return self.expect(PROMPT)

    def rest(self):
        """Up to the end."""
        try:
            return self.expect("\0")
        except Gone as end:
            return str(end)

    def object(self):
        return json.loads(self.expect("\n"))

    def answer(self, line):
        """Of all objects the one that answers, without the news before it."""
        self.send(line + "\n")
        while True:
            found = self.object()
            if found.get("line") == line:
                return found


@test
def a_session():
    with Machine() as machine, machine.client() as client:
        assert "ready to start at _start" in client.expect(PROMPT)
        equal(client.run("print 2 + 3"), "0x5 = 5\n")
        assert "breakpoint 1 at 0x" in client.run("break work")
        client.send("continue\n")
        client.expect("■ vCPU 0: breakpoint 1\n")
        assert "work" in client.expect(PROMPT)
        assert re.search(r"breakpoint +1 ", client.run("info breakpoints"))
        assert "\x1b" not in client.run("help")
        assert "did you mean" in client.run("contniue")
        client.send("quit\n")
        client.rest()
        status, out, err = machine.end()
        equal((status, out, err), (0, b"", b""))
        assert not os.path.exists(machine.path)


@test
def who_leaves_loses_nothing():
    with Machine("-ex", "break print_line") as machine:
        with machine.client() as client:
            assert client.expect("ready to start at").startswith("(vitrine) break print_line\nbreakpoint 1 at ")
            client.expect(PROMPT)
            client.run("cpu 0")
            client.run("set pager off")
            client.send("continue\n")  # and away
        with machine.client() as client:
            client.expect("breakpoint 1\n")  # told now, if it came meanwhile
            client.expect(PROMPT)
            assert "breakpoint          1 " in client.run("info breakpoints")
        with machine.client() as client:
            assert "breakpoint 1" in client.expect(PROMPT)
            client.send("info stat")  # an unfinished line
        with machine.client() as client:
            client.expect(PROMPT)
            assert "VM status: paused" in client.run("info status")


@test
def a_second_one_is_told_to_wait():
    with Machine() as machine, machine.client() as first:
        first.expect(PROMPT)
        with machine.client() as second:
            equal(second.rest(), "somebody else has this console\n")
        equal(first.run("echo still here"), "still here\n")


@test
def a_client_may_say_all_at_once():
    with Machine() as machine, machine.client() as client:
        client.send("break work\ncontinue\nprint $rip == work + 0xc\nx/2i $pc\necho no newline at the end")
        client.socket.shutdown(socket.SHUT_WR)
        answer = client.rest()
        assert "■ vCPU 0: breakpoint 1" in answer and "0x1 = 1\n" in answer, answer
        assert answer.endswith("no newline at the end\n"), answer
        assert answer.index("breakpoint 1\n") < answer.index("0x1 = 1"), answer


@test
def who_has_said_all_makes_room():
    with Machine() as machine, machine.client() as first:
        first.send("continue\necho behind the stop\n")
        first.socket.shutdown(socket.SHUT_WR)
        first.expect("running")
        with machine.client() as second:
            second.expect("running")
            first.rest()
            second.send("stop\n")  # before the lines that wait for it
            second.expect("paused from the console")
            second.expect("behind the stop\n")
            second.expect(PROMPT)
            second.send("info status\n")
            second.expect("VM status: paused")
            second.send("quit\n")
            second.rest()
        equal(machine.end()[0], 0)


@test
def a_byte_of_3_is_ctrl_c():
    with Machine() as machine, machine.client() as client:
        client.expect(PROMPT)
        client.run("continue")
        assert "running" in client.run("info status")
        client.send("\x03")
        client.expect("paused from the console")
        client.expect(PROMPT)
        assert "paused" in client.run("info status")


@test
def who_does_not_read_holds_nobody_up():
    with Machine() as machine:
        with machine.client() as client:
            client.expect(PROMPT)
            client.send("help reference\n" * 200)
            time.sleep(0.5)
        with machine.client() as client:
            client.expect("which is lost\n")
            client.expect(PROMPT)
            client.send("echo come to the end\n")
            client.expect("come to the end\n")


@test
def rubbish():
    with Machine() as machine:
        with machine.client() as client:
            client.socket.sendall(os.urandom(5000).replace(b"q", b"_") + b"\n" * 3 + b"x" * 200000 + b"\n")
            client.send("echo the end\n")
            while "the end" not in client.expect("\n"):
                pass
        with machine.client() as client:
            client.expect("ready to start at")
            client.expect(PROMPT)
            equal(client.run("print 1"), "0x1 = 1\n")


@test
def for_programs():
    with Machine("-json") as machine, machine.client() as client:
        equal(client.object()["event"], "state")
        found = client.answer("info registers rip")
        assert found["ok"] and found["command"] == "info registers", found
        client.answer("break work")
        client.answer("continue")
        found = client.object()
        equal(found["event"], "stopped")
        assert "breakpoint 1" in found["text"], found
        found = client.answer("nonsense")
        equal((found["ok"], found["errno"]), (False, "EINVAL"))
        with machine.client() as second:
            equal(second.object(), {"event": "busy"})


@test
def over_a_pipe_for_programs():
    need_kvm()
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run([VITRINE, "-S", "-gdb", "none", "-json", "-kernel", LONG64, "-monitor", "stdio"],
                                input=b"break print_line\ncontinue\ncommands 1\nsilent\nend\nserial send hello\n"
                                b"delete\nbreak echo_input\ncontinue\ncontinue\nquit\n",
                                stdout=subprocess.PIPE, timeout=TIMEOUT, check=True,
                                env=dict(os.environ, XDG_CONFIG_HOME=folder)).stdout
    objects = [json.loads(line) for line in answer.splitlines()]
    assert all("event" in o or "line" in o for o in objects), objects
    events = [o["event"] for o in objects if "event" in o]
    equal(events.count("stopped"), 3)
    lines = [o["line"] for o in objects if "line" in o]
    equal(lines[:2], ["break print_line", "continue"])
    assert any("print" == o.get("event") for o in objects), "the serial port"


@test
def what_does_not_go_together():
    for options in (["-batch", "/dev/null", "-monitor", "unix:x"], ["-monitor", "none", "-ex", "echo"],
                    ["-monitor", "tcp:1234"], ["-monitor", "none", "-batch", "/dev/null"]):
        done = subprocess.run([VITRINE, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        equal(done.returncode, 2)
        assert b"-monitor" in done.stderr, done.stderr


run()
