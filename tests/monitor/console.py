# SPDX-License-Identifier: GPL-3.0-or-later
"""vitrine's console in a pseudo-terminal, for tests.

    with Console("-kernel", guest("long64.elf")) as console:
        console.run("break work")
        screen = console.until_stop("continue")
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import pexpect

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import patience, skip

VITRINE, GUESTS = os.environ["VITRINE"], os.environ["GUESTS"]
PROMPT = "(vitrine) "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UP, CTRL_A, CTRL_C, CTRL_D, CTRL_R, TAB = "\x1b[A", "\x01", "\x03", "\x04", "\x12", "\t"
TIMEOUT = patience(20)


def guest(name):
    return os.path.join(GUESTS, name)


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


def plain(text):
    """Without escape sequences, and with plain newlines."""
    return ESCAPES.sub("", text).replace("\r", "")


def close(child):
    """pexpect gives a child a tenth of a second for each way to die."""
    try:
        child.close(force=True)
    except pexpect.ExceptionPexpect:
        child.ptyproc.wait()


class Console:
    """state: a folder that holds the history; it stays, when it is given. serial: COM1 has a file, unless options say."""

    def __init__(self, *options, paused=True, color=False, state=None, size=(24, 80), console=True, pager=False,
                 serial=True):
        need_kvm()
        self.folder = tempfile.mkdtemp(prefix="console-")
        self.socket, self.serial_path = self.folder + "/gdb", self.folder + "/serial"
        environment = dict(os.environ, TERM="xterm", XDG_STATE_HOME=state or self.folder, INPUTRC="/dev/null")
        environment.pop("NO_COLOR", None)
        if not pager and "XDG_CONFIG_HOME" not in environment:
            environment["XDG_CONFIG_HOME"] = self.folder
            os.mkdir(self.folder + "/vitrine")
            with open(self.folder + "/vitrine/init", "w", encoding="utf-8") as file:
                file.write("set pager off\n")
        if not color:
            environment["NO_COLOR"] = "1"
        arguments = ["-gdb", "unix:" + self.socket, *(["-S"] if paused else []), *options]
        if serial and "-serial" not in options and "-nographic" not in options:
            arguments += ["-serial", "file:" + self.serial_path]
        self.child = pexpect.spawn(VITRINE, arguments, env=environment, dimensions=size, timeout=TIMEOUT,
                                   encoding="utf-8", codec_errors="replace")
        self.child.delaybeforesend = None
        self.seen = ""  # everything that was read, for a failed test's message
        if console:
            self.expect(PROMPT)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        close(self.child)
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is not None:
            print("# the terminal saw: " + repr(self.seen[-1500:]))

    def expect(self, text, timeout=TIMEOUT):
        """Reads until text has been there; returns what came before it, with the escape sequences."""
        try:
            self.child.expect_exact(text, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            self.seen += self.child.before if isinstance(self.child.before, str) else ""
            raise AssertionError(f"{text!r} did not come: {type(error).__name__}, {plain(self.seen[-600:])!r}") \
                from None
        self.seen += self.child.before + text
        return self.child.before

    def send(self, text):
        self.child.send(text)

    def line(self, text):
        """Types a line."""
        self.send(text + "\r")
        self.expect("\n")

    def run(self, text):
        """Types a command that is answered at once; returns the answer."""
        self.line(text)
        return plain(self.expect(PROMPT))

    def until_stop(self, text, timeout=TIMEOUT):
        """Types a command that lets the guest run until it stops by itself; returns the stop's screen."""
        self.line(text)
        return self.stop(timeout)

    def stop(self, timeout=TIMEOUT):
        self.expect("■ ", timeout)
        return "■ " + plain(self.expect(PROMPT))

    def go(self):
        """Lets the guest run, to be interrupted later."""
        self.line("continue")
        self.expect("running")
        self.expect(PROMPT)

    def interrupt(self):
        self.send(CTRL_C)
        return self.stop()

    def value(self, expression):
        return int(re.match(r"0x([0-9a-f]+) = ", self.run("print " + expression)).group(1), 16)

    def memory(self, address, size="g"):
        answer = self.run(f"x/{size}x {address}")
        return int(re.search(r": 0x([0-9a-f]+)\n", answer).group(1), 16)

    def end(self):
        """Waits for the end; returns the exit status, or minus the signal."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus

    def serial(self):
        with open(self.serial_path, encoding="utf-8", errors="replace") as file:
            return file.read()


def batch(lines, *options):
    """Runs these lines as -batch does; returns each one's answer."""
    need_kvm()
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/lines", "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        answer = subprocess.run([VITRINE, "-S", "-gdb", "none", "-serial", "none", "-batch", folder + "/lines", *options],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=patience(40), check=False,
                                text=True, env=dict(os.environ, XDG_STATE_HOME=folder)).stdout
    parts = re.split(r"^\(vitrine\) (.*)\n", answer, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))
