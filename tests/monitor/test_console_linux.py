# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's unmodified cloud kernel under the console, without any file of symbols. time limit: 600 s"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import Console
from linux import initramfs, kernel, needs_kvm
from tap import equal, patience, run, test

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox insmod /irqbypass.ko
/bin/busybox insmod /kvm.ko
while :; do /bin/busybox cat /sys/module/kvm/parameters/nx_huge_pages; done
"""
BOOT = patience(60)
USER_END = "user mode: a program that these symbols are not of"
THREAD_END = "the outermost function: nobody called it"
# Where struct pt_regs has them.
REGS_IP, REGS_CS, REGS_FLAGS = 16 * 8, 17 * 8, 18 * 8


def linux():
    needs_kvm()
    return Console("-m", "256", "-kernel", kernel(), "-initrd", initramfs(INIT, ("irqbypass", "kvm")),
                   "-append", "console=ttyS0 quiet panic=-1")


def go_to(console, place):
    """Until it is there for the first time from here."""
    console.run("tbreak " + place)
    return console.until_stop("continue", BOOT)


def frames(answer):
    """[(pc, name)], with what lies between two of them as [None, what], and why they end."""
    found = []
    for line in answer.splitlines():
        frame = re.match(r"#\d+ +0x([0-9a-f]+) (\S+)", line)
        if frame:
            found.append((int(frame.group(1), 16), frame.group(2).split("+")[0]))
        elif line.startswith("    --- "):
            found.append((None, line[8:]))
    return found, " ".join(re.search(r"ends here: (.*)", answer, re.S).group(1).split())


def names(found):
    return [name for _, name in found]


def is_system_call(found, end, innermost):
    """The frames of a system call, from the innermost ones to the program."""
    equal(end, USER_END)
    equal(names(found)[:len(innermost)], innermost)
    equal(names(found)[-4:-2], ["do_syscall_64", "entry_SYSCALL_64_after_hwframe"])
    assert re.match(r"system call from user mode, ring 3: cs 0x33, eflags 0x2[0-9a-f]{2} ", found[-2][1]), found[-2]
    assert 0 < found[-1][0] < 1 << 47, found[-1]
    equal(found[-1][1], hex(found[-1][0]), "the user's code has no name")


def in_a_system_call(console):
    go_to(console, "do_init_module")
    found, end = frames(console.run("bt"))
    is_system_call(found, end, ["do_init_module", "init_module_from_file", "idempotent_init_module"])
    # struct pt_regs, which do_syscall_64's caller has pushed, ends where the kernel's stack begins.
    finished = console.until_stop("finish")
    assert f"{found[1][0]:#x}" in finished or "init_module_from_file+" in finished, finished
    equal(console.value("$pc"), found[1][0], "finish goes to frame 1")
    equal(frames(console.run("bt"))[0], found[1:])


def at_a_system_call(console):
    """At the entry's first instructions nothing is saved."""
    go_to(console, "*&entry_SYSCALL_64")
    user = console.value("$rcx")
    for _ in range(3):
        found, end = frames(console.run("bt"))
        equal(found[1:], [(None, "system call from user mode"), (user, hex(user))])
        equal(end, USER_END)
        console.until_stop("step")


def in_an_interrupt(console, ring):
    go_to(console, f"__sysvec_apic_timer_interrupt if (*(u64 *)($rdi + {REGS_CS}) & 3) == {ring}")
    regs = console.value("$rdi")
    interrupted = console.memory(regs + REGS_IP)
    found, end = frames(console.run("bt 100"))
    way = ["__sysvec_apic_timer_interrupt", "sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt"]
    equal(names(found)[:3], way)
    mode = "user mode" if ring else "the kernel"
    cs, flags = console.memory(regs + REGS_CS), console.memory(regs + REGS_FLAGS)
    assert found[3][1].startswith(f"interrupt or exception in {mode}, ring {ring}: cs {cs:#x}, eflags {flags:#x} ["), \
        found[3]
    equal(found[4][0], interrupted)
    if ring:
        equal((len(found), end), (5, USER_END))
    else:
        assert found[4][1][0] != "0", "the kernel's code has a name"
        assert end in (USER_END, THREAD_END), end


def at_an_exception(console):
    """In the stub, on top of the processor's words and the error code."""
    go_to(console, "*&asm_exc_page_fault")
    where = console.memory("$rsp + 8")
    found, _ = frames(console.run("bt"))
    equal((names(found)[0], found[2][0]), ("asm_exc_page_fault", where))
    assert found[1][1].startswith("interrupt or exception in "), found[1]


@test
def backtraces_go_through_system_calls_and_interrupts():
    with linux() as console:
        in_a_system_call(console)
        at_a_system_call(console)
        in_an_interrupt(console, 3)
        in_an_interrupt(console, 0)
        at_an_exception(console)


run()
