# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's unmodified cloud kernel under the console, without any file of symbols. time limit: 600 s"""
import json
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
/bin/busybox cat /proc/modules
while :; do echo auto >/sys/module/kvm/parameters/nx_huge_pages; done
"""
BOOT = patience(60)
USER_END = "user mode: a program that these symbols are not of"
THREAD_END = "the outermost function: nobody called it"
# Where struct pt_regs has them.
REGS_AX, REGS_IP, REGS_CS, REGS_FLAGS = 10 * 8, 16 * 8, 17 * 8, 18 * 8
TF, RF = 1 << 8, 1 << 16


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
        frame = re.match(r"#\d+ +(0x[0-9a-f]+)(?: ([^+\s]+)\S*( \[\w+\])?)?", line)
        if frame:
            found.append((int(frame.group(1), 16), (frame.group(2) or frame.group(1)) + (frame.group(3) or "")))
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
    """Where the first module is loaded."""
    go_to(console, "do_init_module")
    found, end = frames(console.run("bt"))
    is_system_call(found, end, ["do_init_module", "init_module_from_file", "idempotent_init_module"])
    console.until_stop("finish")
    equal(console.value("$pc"), found[1][0], "finish goes to frame 1")
    equal(frames(console.run("bt"))[0], found[1:])


def modules(console):
    """{name: (state, where its code is)}"""
    told = json.loads(console.run("json info modules"))["result"]
    equal(told["current"], True)
    return {one["name"]: (one["state"], int(one["code"], 16), int(one["code_size"], 16)) for one in told["modules"]}


def in_a_module(console):
    assert "there is no symbol `set_nx_huge_pages`" in console.run("break set_nx_huge_pages"), "not known yet"
    go_to(console, "do_init_module")
    loaded = modules(console)
    equal({name: state for name, (state, *_) in loaded.items()}, {"irqbypass": "live", "kvm": "coming"})
    start, size = loaded["kvm"][1:]
    assert start <= console.value("&set_nx_huge_pages") < start + size, loaded

    screen = go_to(console, "set_nx_huge_pages")
    assert "set_nx_huge_pages [kvm]" in screen, screen
    kernels_own = dict(re.findall(r"(?m)^(\w+) .* Live 0x([0-9a-f]+)\r?$", console.serial()))
    equal({name: (state, start) for name, (state, start, _) in modules(console).items()},
          {name: ("live", int(start, 16)) for name, start in kernels_own.items()}, "as /proc/modules has it")
    found, end = frames(console.run("bt"))
    is_system_call(found, end, ["set_nx_huge_pages [kvm]", "param_attr_store"])
    equal(console.value("$rip"), console.value("&set_nx_huge_pages"))
    assert "<set_nx_huge_pages [kvm]>" in console.run("x/2i $rip"), console.run("x/2i $rip")

    # Out of the kernel again, through the module's own tables.
    go_to(console, "sysfs_streq")
    found, end = frames(console.run("bt"))
    is_system_call(found, end, ["sysfs_streq", "set_nx_huge_pages [kvm]", "param_attr_store"])
    assert start <= found[1][0] < start + size, found


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


def here(screen):
    """Where a stop's screen says that the vCPU stands: (address, function, mnemonic)."""
    address, mnemonic = re.search(r"→ 0x([0-9a-f]+)(?: <[^>]*>)? +(\w+)", screen).groups()
    return int(address, 16), re.search(r"(?m)^  ([^+\s]+)", screen).group(1), mnemonic


def way_to(console, screen, end, most):
    """Steps until an address; the functions that were on the way."""
    way = []
    for _ in range(most):
        name = here(screen)[1]
        way += [name] if way[-1:] != [name] else []
        screen = console.until_stop("step")
        if here(screen)[0] == end:
            return way
    raise AssertionError(f"{end:#x} was not reached: {way}")


def step_over(console, screen, mnemonic, most):
    """Steps until such an instruction has been executed."""
    for _ in range(most):
        last = here(screen)[2]
        screen = console.until_stop("step")
        if last.startswith(mnemonic):
            return
    raise AssertionError(f"no {mnemonic} came")


def through_a_system_call(console):
    """From the instruction in the program back to the one behind it."""
    go_to(console, "*&entry_SYSCALL_64")
    behind = console.value("$rcx")
    go_to(console, f"*{behind - 2:#x}")
    equal(console.value("$cs & 3"), 3)
    number, stack = console.value("$rax"), console.value("$rsp")
    flags = console.value("$eflags")
    screen = console.until_stop("step")
    equal(here(screen)[0], console.value("&entry_SYSCALL_64"))
    equal((console.value("$cs & 3"), console.value("$rcx"), console.value("$r11") & ~RF), (0, behind, flags & ~RF))
    way = way_to(console, screen, console.value("&do_syscall_64"), 100)
    equal([way[0], way[-1]], ["entry_SYSCALL_64", "entry_SYSCALL_64_after_hwframe"])
    equal((console.value("$esi"), console.memory(f"$rdi + {REGS_IP}")), (number, behind), "what do_syscall_64 is given")
    screen = go_to(console, f"*{console.memory('$rsp'):#x} if *(u64 *)($rsp + {REGS_IP}) == {behind:#x}")
    result = console.memory(f"$rsp + {REGS_AX}")
    step_over(console, screen, "sysret", 100)
    equal((console.value("$rip"), console.value("$cs & 3")), (behind, 3))
    equal((console.value("$rax"), console.value("$rsp")), (result, stack))
    equal(console.value("$eflags") & TF, 0, "the trap flag")


def through_an_interrupt(console):
    """From the stub to the kernel's handler, and by iret back to the program."""
    screen = go_to(console, "*&asm_sysvec_apic_timer_interrupt if (*(u64 *)($rsp + 8) & 3) == 3")
    interrupted = console.memory("$rsp")
    way = way_to(console, screen, console.value("&sysvec_apic_timer_interrupt"), 120)
    equal(way[:2], ["asm_sysvec_apic_timer_interrupt", "error_entry"])
    equal(console.memory(f"$rdi + {REGS_IP}"), interrupted)
    go_to(console, f"*&native_irq_return_iret if *(u64 *)$rsp == {interrupted:#x}")
    stack = console.memory("$rsp + 24")
    console.until_stop("step")
    equal((console.value("$rip"), console.value("$rsp"), console.value("$cs & 3")), (interrupted, stack, 3))


@test
def modules_steps_and_backtraces():
    with linux() as console:
        at_an_exception(console)
        in_a_system_call(console)
        in_a_module(console)
        at_a_system_call(console)
        in_an_interrupt(console, 3)
        in_an_interrupt(console, 0)
        through_a_system_call(console)
        through_an_interrupt(console)


run()
