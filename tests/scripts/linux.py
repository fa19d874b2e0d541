# SPDX-License-Identifier: GPL-3.0-or-later
"""A Linux guest for tests: Debian's cloud kernel, and a shell on its serial console.

    with Linux("-smp", "2") as guest:
        guest.shell("nproc")    # "2"

The kernel is the beds' own: tests/nested/pack puts it into them, and elsewhere tests/nested/fetch has it.
"""
import functools
import os
import re
import shlex
import subprocess
import tempfile

import pexpect
from cpio import Archive
from tap import patience, skip
from vm import VITRINE, doctor

BUILD, SOURCE = os.environ["BUILD"], os.environ["SOURCE"]
PROMPT = "guest# "
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /usr/bin /usr/sbin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin PS1='guest# '
stty cols 500
exec setsid cttyhack sh
"""


@functools.cache
def needs_kvm():
    """Linux wants more of a processor than KVM's instruction emulator has."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    if not doctor()["host"]["hardware_virtualisation"]:
        skip("needs hardware virtualisation: Linux does not run on KVM's instruction emulator")


def fetched(what, name, key=None):
    packed = os.path.join(BUILD, "linux", name)
    if os.path.exists(packed):
        return packed
    done = subprocess.run([SOURCE + "/tests/nested/fetch", what], capture_output=True, text=True, check=False)
    if done.returncode:
        skip("needs Debian's cloud kernel and busybox: " + done.stderr.strip().splitlines()[-1])
    return dict(word.split("=", 1) for word in shlex.split(done.stdout))[key or what]


def kernel():
    return fetched("kernel", "vmlinuz")


def module(name):
    """A file with a module of that kernel's: irqbypass or kvm, neither of which needs any hardware."""
    return os.path.join(fetched("kernel", "modules", "modules"), name + ".ko")


@functools.cache
def initramfs(init=INIT, modules=()):
    """What the kernel finds as its first program: a script for busybox. Modules are at its root."""
    path = os.path.join(tempfile.mkdtemp(prefix="linux-"), "initramfs")
    with open(path, "wb") as file:
        archive = Archive(file)
        archive.node("dev/console", 5, 1)
        archive.copy(fetched("busybox", "busybox"), "bin/busybox")
        archive.data("init", init.encode(), 0o755)
        for name in modules:
            archive.copy(module(name), name + ".ko")
        archive.end()
    return path


class Linux:
    def __init__(self, *options, append="", image=None):
        needs_kvm()
        self.folder = tempfile.mkdtemp(prefix="guest-")
        self.socket = self.folder + "/gdb"
        self.child = pexpect.spawn(
            VITRINE, ["-m", "256", "-serial", "stdio", "-monitor", "none", "-gdb", "unix:" + self.socket,
                      "-kernel", image or kernel(), "-initrd", initramfs(),
                      "-append", f"console=ttyS0 panic=-1 {append}".strip(), *options],
            timeout=patience(60), encoding="utf-8", codec_errors="replace")
        self.child.delaybeforesend = None
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """pexpect gives a child a tenth of a second for each way to die."""
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:
            self.child.ptyproc.wait()
        if kind is not None:
            print("# the guest's console: " + repr(self.seen[-3000:]))

    def expect(self, pattern, timeout=-1):
        """Reads until the pattern has been there; returns what came before it."""
        try:
            self.child.expect(pattern, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            self.seen += self.child.before if isinstance(self.child.before, str) else ""
            raise AssertionError(f"{pattern!r} did not come: {type(error).__name__}") from None
        self.seen += self.child.before + self.child.after
        return self.child.before.replace("\r", "")

    def prompt(self):
        return self.expect(re.escape(PROMPT))

    boots = prompt  # the first one

    def type(self, command):
        self.child.send(command + "\n")

    def shell(self, command):
        """Types a command; returns its output."""
        self.type(command)
        self.expect(re.escape(command) + "\r+\n")
        return self.prompt().rstrip("\n")

    def end(self):
        """Waits for vitrine's end; returns its exit status."""
        self.child.expect(pexpect.EOF)
        self.seen += self.child.before
        self.child.close()
        return self.child.exitstatus
