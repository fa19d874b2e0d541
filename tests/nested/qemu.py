# SPDX-License-Identifier: GPL-3.0-or-later
"""The QEMU bed: kvm_amd on a processor that QEMU translates. Fast, several CPUs; int3 is not intercepted.

A bed is a module with
  VENDOR     whose KVM module it needs: intel or amd
  ARCHIVE    the suffix of its initramfs: .cpio, or .cpio.gz when it is better compressed
  CPUS, JOBS how many test programs run at a time
  SLOWER     factor for the time limits inside
  LIMIT      seconds that all its tests may take, outside
  emulator() what it starts; packages.Unavailable when it cannot be had
  command()  the arguments and the environment that boot it
"""
import os
import re
import shutil
import subprocess

from packages import cached

VENDOR = "amd"
ARCHIVE = ".cpio"
CPUS, JOBS = 2, 2
SLOWER = 4
LIMIT = 1500
OLDEST = 10  # older ones lose execution slots and watches too


def version(program):
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.search(r"version (\d+)\.", told)
    return int(found.group(1)) if found else 0


def emulator():
    """Arguments that start it, and environment: the system's own, when it is new enough."""
    own = shutil.which("qemu-system-x86_64")
    if own and version(own) >= OLDEST:
        return [own], {}
    place = cached("qemu", lambda: (["qemu-system-x86"], True), lambda work: None, "QEMU 10")
    lib = place + "/usr/lib/x86_64-linux-gnu"
    loader = [place + "/usr/lib64/ld-linux-x86-64.so.2", "--library-path", lib]
    data = ["-L", place + "/usr/share/qemu", "-L", place + "/usr/share/seabios"]
    return [*loader, place + "/usr/bin/qemu-system-x86_64", *data], {"QEMU_MODULE_DIR": lib + "/qemu"}


def command(bed):
    """bed: kernel, archive, append, console (a QEMU character device), report (a path), folder."""
    start, environment = emulator()
    machine = ["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(CPUS), "-m", "1536", "-no-user-config",
               "-nodefaults", "-display", "none", "-no-reboot"]
    console = "mon:stdio" if bed.interactive else "file:" + bed.log
    lines = ["-serial", console, "-serial", "file:" + bed.report]
    boot = ["-kernel", bed.kernel, "-initrd", bed.archive, "-append", "console=ttyS0 mitigations=off " + bed.append]
    return [*start, *machine, *lines, *boot], dict(os.environ, **environment)
