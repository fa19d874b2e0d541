# SPDX-License-Identifier: GPL-3.0-or-later
"""The QEMU bed: kvm_amd on a processor that QEMU translates. Fast; int3 is not intercepted.

A bed is a module with
  VENDOR     whose KVM module it needs: intel or amd
  ARCHIVE    the suffix of its initramfs: .cpio, or .cpio.gz when it is better compressed
  CPUS, JOBS how many test programs run at a time
  SLOWER     factor for the time limits inside
  LIMIT      seconds that all its tests may take, outside; QUICK_LIMIT: those of the quick selection
  SILENCE    seconds without a sign of life after which it counts as hung; may be missing
  emulator() what it starts; packages.Unavailable when it cannot be had
  command()  the arguments and the environment that boot it, in bed.folder
  stand()    what its processors are doing, for a bed that hangs; may be missing
  OUTSIDE    a socket in bed.folder that is the outer machine's /dev/ttyS2, for a gdb outside; may be missing
"""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time

from packages import cached

VENDOR = "amd"
ARCHIVE = ".cpio"
CPUS, JOBS = 1, 2
SLOWER = 4
LIMIT, QUICK_LIMIT = 1500, 600
SILENCE = 120
MONITOR, OUTSIDE = "qemu.monitor", "qemu.gdb"  # in bed.folder, where it is started
OLDEST = 10  # older ones lose execution slots and watches too

# One CPU. QEMU 10 forgets that it has delivered an interrupt into a guest (VMRUN with EVENTINJ) until that guest is left,
# and delivers it again, with interrupts off, when something else asks for its attention before: another CPU's
# turn, another CPU's thread. Guests with locks of their own hang; others lose a breakpoint or find strange registers.
ACCELERATOR = "tcg,thread=single"


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
    machine = ["-accel", ACCELERATOR, "-cpu", "max", "-smp", str(CPUS), "-m", "1536", "-no-user-config",
               "-nodefaults", "-display", "none", "-no-reboot"]
    console = "mon:stdio" if bed.interactive else "file:" + bed.log
    lines = ["-serial", console, "-serial", "file:" + bed.report]
    lines += ["-serial" if bed.interactive else "-monitor",
              f"unix:{OUTSIDE if bed.interactive else MONITOR},server=on,wait=off"]
    boot = ["-kernel", bed.kernel, "-initrd", bed.archive, "-append", "console=ttyS0,115200 mitigations=off " + bed.append]
    return [*start, *machine, *lines, *boot], dict(os.environ, **environment)


def stand(bed):
    """Its monitor's answer; nothing when it gives none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as monitor:
        monitor.settimeout(5)
        monitor.connect(os.path.relpath(os.path.join(bed.folder, MONITOR)))
        monitor.sendall(b"info cpus\ninfo registers -a\n")
        time.sleep(1)
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", monitor.recv(65536).decode(errors="replace"))
    return ""
