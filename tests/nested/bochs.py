#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Bochs bed: kvm_intel on a processor that Bochs interprets, precise and slow. See qemu.py for what a bed is.

bochs.py COMMAND…: starts the emulator with the terminal that it insists on. CONSOLE=/path in the environment
becomes a link to a second terminal, which is connected to this one; Ctrl-A x leaves. SIGUSR1 makes it ask the
emulator's debugger what the processor is doing, and write that into the file STAND.
"""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
import tty

from packages import Unavailable, cached

HERE = os.path.dirname(os.path.abspath(__file__))
VENDOR = "intel"
ARCHIVE = ".cpio"
CPUS, JOBS = 1, 1
SLOWER = 4
LIMIT, QUICK_LIMIT = 3000, 1200
OLDEST = 3.0  # 2.7 single-steps without getting ahead
PACKAGES = ("bochs", "bochs-term", "bochsbios", "isolinux", "syslinux-common", "xorriso")
LIB = "usr/lib/x86_64-linux-gnu"
BIOS = "usr/share/bochs/BIOS-bochs-latest"
VGA_BIOS = "usr/share/bochs/VGABIOS-lgpl-latest"
ISOLINUX = ("usr/lib/ISOLINUX/isolinux.bin", "usr/lib/syslinux/modules/bios/ldlinux.c32")
NEEDED = ("usr/bin/bochs-bin", "usr/bin/xorriso", LIB + "/bochs/plugins/libbx_term_gui.so", BIOS, VGA_BIOS, *ISOLINUX)
MEMORY = 1024  # MB

# The TSC counts instructions, but CPUID promises 3.5 GHz: a clock that believed it would crawl. The HPET is for
# bochs-init. The rest is what takes seconds of the boot and is good for nothing here: self-tests, certificates,
# tracing, BPF.
NOT_CALLED = ("trace_eval_init", "init_kprobe_trace", "ptdump_debugfs_init", "jent_mod_init",
              "load_system_certificate_list", "bpf_dummy_struct_ops_init", "bpf_tcp_ca_kfunc_init")
KERNEL_OPTIONS = (f"console=ttyS0,115200 rdinit={HERE}/bochs-init tsc=unstable hpet=disable iomem=relaxed mitigations=off "
                  "cryptomgr.notests initcall_blacklist=" + ",".join(NOT_CALLED))

BOOT = """\
default outer
prompt 0
timeout 0
label outer
 kernel /vmlinuz
 append initrd=/initrd {append}
"""

# What Bochs says on its own terminal it must not say: it waits there for an answer.
SETTINGS = """\
config_interface: textconfig
display_library: term
romimage: file={root}{bios}
vgaromimage: file={root}{vga_bios}
cpu: model=corei7_skylake_x, count={cpus}, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={memory}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={image}, status=inserted
boot: cdrom
com1: enabled=1, mode={console_mode}, dev={console}
com2: enabled=1, mode=file, dev={report}
clock: sync={sync}, time0=utc
log: {log}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


# ---- the emulator --------------------------------------------------------------------------------


def program(root, path):
    """Arguments that start a program of a prefix: with the prefix's own loader and libraries."""
    if root == "/":
        return ["/" + path]
    return [root + "usr/lib64/ld-linux-x86-64.so.2", "--library-path", root + LIB, root + path]


def environment(root):
    return dict(os.environ, TERM="xterm", LTDL_LIBRARY_PATH=root + LIB + "/bochs/plugins",
                BXSHARE=root + "usr/share/bochs")


def version(root):
    told = subprocess.run([*program(root, "usr/bin/bochs-bin"), "--help"], env=environment(root),
                          capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"Bochs x86 Emulator (\d+\.\d+)", told.stdout + told.stderr)
    return float(found.group(1)) if found else 0


def usable(root):
    return all(os.path.exists(root + path) for path in NEEDED) and version(root) >= OLDEST


def emulator():
    """Where it is: the system's own, when it is new enough and complete."""
    if usable("/"):
        return "/"
    root = cached("bochs", lambda: (list(PACKAGES), True), lambda work: None, "Bochs 3") + "/"
    if not usable(root):
        raise Unavailable(f"no Bochs {OLDEST} in {root}; remove that folder to download it again")
    return root


# ---- the machine ---------------------------------------------------------------------------------


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def make_image(root, bed, base):
    """A bootable CD with the kernel and the archive."""
    tree = base + ".cd"
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree + "/isolinux")
    for path in ISOLINUX:
        shutil.copy(root + path, tree + "/isolinux")
    for source, name in ((bed.kernel, "vmlinuz"), (bed.archive, "initrd")):
        os.symlink(source, f"{tree}/{name}")
    write(tree + "/isolinux/isolinux.cfg", BOOT.format(append=f"{KERNEL_OPTIONS} {bed.append}"))
    made = subprocess.run(
        [*program(root, "usr/bin/xorriso"), "-as", "mkisofs", "-quiet", "-f", "-o", base + ".iso",
         "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot", "-boot-load-size", "4",
         "-boot-info-table", tree], capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError("xorriso cannot make the bed's CD: " + made.stderr.strip())
    shutil.rmtree(tree)


def command(bed):
    root = emulator()
    base = os.path.join(bed.folder, bed.name)
    make_image(root, bed, base)
    console = base + ".tty" if bed.interactive else bed.log
    write(base + ".settings", SETTINGS.format(
        root=root, bios=BIOS, vga_bios=VGA_BIOS, cpus=CPUS, memory=MEMORY, image=base + ".iso", console=console,
        console_mode="term" if bed.interactive else "file", report=bed.report, log=base + ".emulator.log",
        sync="slowdown" if bed.interactive else "none"))
    write(base + ".debugger", "c\n")  # Debian's is built with its debugger, which waits to be told
    start = [*program(root, "usr/bin/bochs-bin"), "-q", "-f", base + ".settings", "-rc", base + ".debugger"]
    extra = {"CONSOLE": console} if bed.interactive else {"STAND": base + ".stand"}
    return [sys.executable, os.path.abspath(__file__), *start], dict(environment(root), **extra)


# ---- a processor that is stuck -------------------------------------------------------------------

# Several times the same: does it move?
QUESTIONS = ["r", "sreg", "creg", "info cpu"] + ["s 1000", "r"] * 4
ANSWER_SECONDS = 10


def stand(bed):
    """The debugger's answers."""
    path = os.path.join(bed.folder, bed.name + ".stand")
    write(path, "")
    os.kill(bed.process.pid, signal.SIGUSR1)
    time.sleep(ANSWER_SECONDS + 3)
    with open(path, encoding="utf-8", errors="replace") as file:
        return re.sub(r"\x1b[\[(][0-9;?]*[A-Za-z]|[\r\x0e\x0f]", "", file.read())


def ask_debugger(screen, child):
    """Ctrl-C brings its prompt; it writes onto the screen that it draws on."""
    child.send_signal(signal.SIGINT)
    time.sleep(1)
    os.write(screen, ("\n".join(QUESTIONS) + "\n").encode())
    told, end = b"", time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.2)[0]:
            told += os.read(screen, 65536)
    write(os.environ["STAND"], told.decode(errors="replace"))


# ---- its terminals -------------------------------------------------------------------------------


class Bridge:
    """Between this terminal and the one that is the outer machine's serial port."""

    def __init__(self, path):
        self.end, own = pty.openpty()
        tty.setraw(own)
        self.before = termios.tcgetattr(0) if os.isatty(0) else None
        self.escaped = False
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(os.ttyname(own), path)
        if self.before:
            tty.setraw(0)

    def typed(self):
        """False at the end: Ctrl-A x, or nobody types any more."""
        data = os.read(0, 1024)
        for byte in data:
            if self.escaped and byte in b"xX":
                return False
            self.escaped = byte == 1 and not self.escaped
            if not self.escaped:
                os.write(self.end, bytes([byte]))
        return bool(data)

    def close(self):
        if self.before:
            termios.tcsetattr(0, termios.TCSADRAIN, self.before)


CONNECTED = re.compile(rb'connected to screen "(/dev/pts/\d+)"')


class Display:
    """The text screen is drawn on a terminal that Bochs makes for it, and names on the one that it was given. Somebody
    has to read there: once some thousand bytes wait, Bochs does, too, forever."""

    def __init__(self):
        self.told, self.fd = b"", None

    def look_for(self, told):
        """What Bochs says, piece by piece. True when that has named the terminal."""
        if self.fd is not None:
            return False
        self.told = (self.told + told)[-4096:]
        found = CONNECTED.search(self.told)
        if found:
            self.fd = os.open(found.group(1), os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self.fd)  # an echo would be typed into the guest
        return found is not None


def drain(fd):
    try:
        return os.read(fd, 65536)
    except OSError:  # its other end has gone
        return b""


def pump(screen, bridge, child):
    """Until the emulator ends. What it draws is thrown away."""
    display = Display()
    watched = [screen] + ([0, bridge.end] if bridge else [])
    while child.poll() is None:
        for ready in select.select(watched, [], [], 0.2)[0]:
            if ready == 0 and not bridge.typed():
                return
            if ready == screen and display.look_for(drain(screen)):
                watched.append(display.fd)
            elif ready == display.fd:
                drain(display.fd)
            elif bridge and ready == bridge.end:
                os.write(1, os.read(bridge.end, 65536))


def main():
    screen, its = pty.openpty()
    console = os.environ.get("CONSOLE")
    bridge = Bridge(console) if console else None
    child = subprocess.Popen(sys.argv[1:], stdin=its, stdout=its, stderr=its)
    signal.signal(signal.SIGUSR1, lambda *_: ask_debugger(screen, child))
    try:
        pump(screen, bridge, child)
    finally:
        child.kill()
        child.wait()
        if bridge:
            bridge.close()
    return 0 if child.returncode >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
