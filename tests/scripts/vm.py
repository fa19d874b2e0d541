# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a vitrine for a test, and ends it again."""
import functools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from rsp import Client, connect
from tap import patience

VITRINE = os.environ["VITRINE"]
GUESTS = os.environ["GUESTS"]


def guest(name):
    return os.path.join(GUESTS, name)


@functools.cache
def doctor():
    """What it says of this host, as JSON has it."""
    told = subprocess.run([VITRINE, "-doctor", "-json"], capture_output=True, text=True, check=False).stdout
    return json.loads(told)


def counted(rounds):
    """-append of smp.elf, whose every round is to be counted: no interrupt comes meanwhile where one would keep a
    debug register silent."""
    found = doctor()["found"]
    quiet = found["interrupt_rf"] == "set" and found["int3"]["long"] == "lost"
    return f"rounds={rounds}" + (" quiet" if quiet else "")


def sanitized():
    """Sanitizers make everything slower: tests do fewer rounds."""
    with open(os.path.join(os.environ["BUILD"], "flags"), encoding="utf-8") as file:
        return "-fsanitize=" in file.read()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Vitrine:
    """with Vitrine("-smp", "4", "-kernel", guest("smp.elf")) as vm: vm.gdb().ask("?")"""

    def __init__(self, *options, serial=True, tcp=False):
        self.folder = tempfile.mkdtemp(prefix="vm-")
        self.socket_path, self.serial_path = self.folder + "/gdb", self.folder + "/serial"
        self.address = ("127.0.0.1", free_port()) if tcp else self.socket_path
        gdb = f":{self.address[1]}" if tcp else "unix:" + self.address
        serial_options = ["-serial", "file:" + self.serial_path] if serial else []
        self.errors = open(self.folder + "/stderr", "a+", encoding="utf-8")  # both seek in it
        self.process = subprocess.Popen(
            [VITRINE, "-gdb", gdb, "-monitor", "none", *serial_options, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """A sanitizer's report shows in the status."""
        status = self.end()
        if kind is not None:
            print(f"# vitrine ended with status {status} and said {self.words()[-2000:]!r}")
            print(f"# the guest's last words: {self.serial()[-1000:]!r}")
            return
        if status not in (0, 128 + signal.SIGTERM):
            raise AssertionError(f"vitrine ended with status {status}: {self.words()}")
        if os.path.exists(self.socket_path):
            raise AssertionError("vitrine left its socket behind")

    def gdb(self, **options):
        """A connected client of the stub."""
        self.must_be_there()
        try:
            return Client(self.address, **options)
        except OSError:
            self.must_be_there()
            raise

    def must_be_there(self):
        if self.process.poll() is not None:
            raise AssertionError(f"vitrine ended with status {self.process.returncode}: {self.words()}")

    def listening(self):
        connect(self.address).close()

    def words(self):
        """What vitrine has said on standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def serial(self):
        try:
            with open(self.serial_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def serial_has(self, text, seconds=patience(20)):
        deadline = time.monotonic() + seconds
        while text not in self.serial():
            if time.monotonic() > deadline or self.process.poll() is not None:
                return text in self.serial()
            time.sleep(0.02)
        return True

    def end(self, seconds=patience(20)):
        """Asks vitrine to end, as a user would; returns its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("vitrine did not end when asked to: " + self.words()) from None
