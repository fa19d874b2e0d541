# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's unmodified cloud kernel under the real gdb, which is given no file. time limit: 600 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from linux import initramfs, kernel, needs_kvm  # noqa: E402

LINKED = 0xffffffff81000000
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc
/bin/busybox mount -t proc proc /proc
echo c >/proc/sysrq-trigger
"""
BOOT = patience(60)


def kernel_text(address):
    return gdb.parse_and_eval(f"(char *) {address}").string(length=60)


def offset_told(serial):
    found = re.search("Kernel Offset: (0x[0-9a-f]+|disabled)", serial)
    return 0 if found.group(1) == "disabled" else int(found.group(1), 16)


def steps_to(vm, function, most):
    """Single steps until that function's first instruction; the instructions that were on the way."""
    seen = []
    for _ in range(most):
        seen.append(instruction()["asm"].split()[0])
        vm.go("stepi")
        if pc() == value(f"(long) &{function}") & (1 << 64) - 1:
            return seen
    raise AssertionError(f"{function} was not reached: {seen}")


@test
def from_the_first_instruction_to_a_panic():
    needs_kvm()
    options = ["-m", "256", "-smp", "2", "-kernel", kernel(), "-initrd", initramfs(INIT),
               "-append", "console=ttyS0 quiet panic=-1 reboot=t"]
    with Debugged(None, *options, file=False) as vm:
        # Nothing has run, and all is known.
        slide = value("(long) &_text") - LINKED & (1 << 64) - 1
        equal((slide % 0x200000, slide < 1 << 30), (0, True), f"slide {slide:#x}")
        told = do("monitor info kaslr")
        assert slide == 0 or f"0x{slide:x} above" in told, told
        equal(int(do("monitor print &start_kernel").split()[0], 16), value("(long) &start_kernel") & (1 << 64) - 1)

        start = gdb.Breakpoint("start_kernel")
        vm.go("continue", BOOT)
        equal(where(), "start_kernel")
        assert kernel_text("&linux_banner").startswith("Linux version"), "linux_banner"
        start.delete()

        # A variable that the command line sets.
        watch = gdb.Breakpoint("*(int *) &panic_timeout", gdb.BP_WATCHPOINT)
        vm.go("continue", BOOT)
        equal(value("*(int *) &panic_timeout"), -1)
        equal(where(), "kstrtoint")
        watch.delete()

        # The first system call of the first program.
        entry = gdb.Breakpoint("*&entry_SYSCALL_64", gdb.BP_HARDWARE_BREAKPOINT)
        vm.go("continue", BOOT)
        equal(pc(), value("(long) &entry_SYSCALL_64") & (1 << 64) - 1)
        number = value("$rax")
        user = value("$rcx")
        assert 0 <= number < 500 and 0 < user < 1 << 47, (number, hex(user))
        entry.delete()
        way = steps_to(vm, "do_syscall_64", 80)
        equal(way.count("swapgs"), 1, str(way))
        equal(value("$esi"), number, "the number that do_syscall_64 is given")
        equal(value("*(long *) ($rdi + 16 * 8)"), user, "regs->ip")

        # It asks for a panic, and that restarts the machine by a triple fault.
        panic = gdb.Breakpoint("panic")
        vm.go("continue", BOOT)
        equal(where(), "panic")
        assert "sysrq triggered crash" in kernel_text("$rdi"), kernel_text("$rdi")
        equal(backtrace()[:2], ["panic", "sysrq_handle_crash"])
        panic.delete()
        said = vm.go("continue", BOOT)
        assert "triple fault" in said, said
        assert "Kernel panic - not syncing: sysrq triggered crash" in vm.serial(), vm.serial()
        equal(offset_told(vm.serial()), slide, "what the kernel says itself")


run()
