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
/bin/busybox mkdir -p /proc /sys
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox insmod /irqbypass.ko
/bin/busybox insmod /kvm.ko
echo auto >/sys/module/kvm/parameters/nx_huge_pages
i=0
while [ $i -lt 30000 ]; do i=$((i + 1)); done
echo c >/proc/sysrq-trigger
"""
BOOT = patience(60)


MASK = (1 << 64) - 1
# Where struct pt_regs has them.
REGS_AX, REGS_IP = 10 * 8, 16 * 8


def kernel_text(address, length=60):
    return gdb.parse_and_eval(f"(char *) {address}").string(length=length)


def offset_told(serial):
    found = re.search("Kernel Offset: (0x[0-9a-f]+|disabled)", serial)
    return 0 if found.group(1) == "disabled" else int(found.group(1), 16)


def steps_to(vm, function, most):
    """Single steps until that function's first instruction; the instructions that were on the way."""
    seen = []
    for _ in range(most):
        seen.append(instruction()["asm"].split()[0])
        vm.go("stepi")
        if pc() == address(function):
            return seen
    raise AssertionError(f"{function} was not reached: {seen}")


def address(function):
    return value(f"(long) &{function}") & MASK


def at(vm, place, condition=None):
    """Until it is there for the first time from here."""
    point = gdb.Breakpoint("*" + place, gdb.BP_HARDWARE_BREAKPOINT)
    point.condition = condition
    vm.go("continue", BOOT)
    point.delete()


def steps_to_a(vm, mnemonic, most):
    for _ in range(most):
        if instruction()["asm"].startswith(mnemonic):
            return
        vm.go("stepi")
    raise AssertionError(f"no {mnemonic} came")


def through_a_system_call(vm):
    """The first one of the first program, from its entry back to the program."""
    at(vm, "&entry_SYSCALL_64")
    number, user, stack = value("$rax"), value("$rcx"), value("$rsp")
    assert 0 <= number < 500 and 0 < user < 1 << 47, (number, hex(user))
    way = steps_to(vm, "do_syscall_64", 80)
    equal(way.count("swapgs"), 1, str(way))
    equal(value("$esi"), number, "the number that do_syscall_64 is given")
    equal(value(f"*(long *) ($rdi + {REGS_IP})"), user, "regs->ip")
    told = do("monitor bt")
    assert re.search(r"#1 .* entry_SYSCALL_64_after_hwframe.*\n    --- system call from user mode, ring 3", told), told
    assert re.search(rf"^#2  0x{user:x}$", told, re.M), told
    at(vm, f"{value('*(long *) $rsp') & MASK:#x}", f"*(long *) ($rsp + {REGS_IP}) == {user}")
    result = value(f"*(long *) ($rsp + {REGS_AX})")
    steps_to_a(vm, "sysret", 80)
    vm.go("stepi")
    equal((pc(), value("$cs & 3"), value("$rsp"), value("$rax")), (user, 3, stack, result))


def in_a_module(vm):
    """Its names, after it was loaded."""
    load = gdb.Breakpoint("do_init_module")
    vm.go("continue", BOOT)
    vm.go("continue", BOOT)
    load.delete()
    told = do("monitor info modules")
    assert re.search(r"coming +kvm\n", told) and re.search(r"live +irqbypass\n", told), told
    do("add-symbol-file target:/vitrine/modules")
    equal(int(do("monitor print &set_nx_huge_pages").split()[0], 16), address("set_nx_huge_pages"))
    point = gdb.Breakpoint("set_nx_huge_pages")
    vm.go("continue", BOOT)
    equal(where(), "set_nx_huge_pages")
    equal(kernel_text("$rdi", 5), "auto\n")
    point.delete()
    told = do("monitor bt")
    assert re.match(r"#0 .* set_nx_huge_pages(\+0x[0-9a-f]+)? \[kvm\]\n#1 .* param_attr_store\+", told), told


def through_an_interrupt(vm):
    at(vm, "&asm_sysvec_apic_timer_interrupt", "(*(long *) ($rsp + 8) & 3) == 3")
    user = value("*(long *) $rsp")
    way = steps_to(vm, "sysvec_apic_timer_interrupt", 120)
    equal(way.count("swapgs"), 1, str(way))
    equal(value(f"*(long *) ($rdi + {REGS_IP})"), user, "regs->ip")
    at(vm, "&native_irq_return_iret", f"*(long *) $rsp == {user}")
    stack = value("*(long *) ($rsp + 24)")
    vm.go("stepi")
    equal((pc(), value("$cs & 3"), value("$rsp")), (user, 3, stack))


@test
def from_the_first_instruction_to_a_panic():
    needs_kvm()
    options = ["-m", "256", "-smp", "2", "-kernel", kernel(), "-initrd", initramfs(INIT, ("irqbypass", "kvm")),
               "-append", "console=ttyS0 quiet panic=-1 reboot=t"]
    with Debugged(None, *options, file=False) as vm:
        # Nothing has run, and all is known.
        slide = value("(long) &_text") - LINKED & MASK
        equal((slide % 0x200000, slide < 1 << 30), (0, True), f"slide {slide:#x}")
        told = do("monitor info kaslr")
        assert slide == 0 or f"0x{slide:x} above" in told, told
        equal(int(do("monitor print &start_kernel").split()[0], 16), value("(long) &start_kernel") & MASK)

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

        through_a_system_call(vm)
        in_a_module(vm)
        through_an_interrupt(vm)

        # It asks for a panic, and that restarts the machine by a triple fault.
        panic = gdb.Breakpoint("panic")
        vm.go("continue", BOOT)
        equal(where(), "panic")
        assert "sysrq triggered crash" in kernel_text("$rdi"), kernel_text("$rdi")
        equal(backtrace()[:2], ["panic", "sysrq_handle_crash"])
        panic.delete()

        # The code that it began with is gone by now.
        assert slide == 0 or f"0x{slide:x} above" in do("monitor info kaslr"), do("monitor info kaslr")
        assert slide == 0 or re.search(rf'"TextSeg={(LINKED + slide) & MASK:x}"', do("maint packet qOffsets")), \
            do("maint packet qOffsets")
        said = vm.go("continue", BOOT)
        assert "triple fault" in said, said
        assert "Kernel panic - not syncing: sysrq triggered crash" in vm.serial(), vm.serial()
        equal(offset_told(vm.serial()), slide, "what the kernel says itself")


run()
