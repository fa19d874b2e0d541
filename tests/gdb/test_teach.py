# SPDX-License-Identifier: GPL-3.0-or-later
"""A 32-bit kernel from its multiboot entry to its processes, in its own source lines. time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from teach import MOTTO, make_disk

DISK = os.path.join(os.environ["TMPDIR"], "teach.img")
SOURCES = os.path.join(os.environ["SOURCE"], "guests/teach")


def teach(*options, cpus=2):
    return Debugged("teach", "-smp", str(cpus), "-hda", make_disk(DISK), *options)


class Stop:
    vm = None


def until(place, condition=None):
    point = gdb.Breakpoint(place)
    point.condition = condition
    Stop.vm.go("continue")
    point.delete()
    equal(where(), place)


def line():
    """The source line that is next, as it is written."""
    sal = gdb.newest_frame().find_sal()
    with open(os.path.join(SOURCES, os.path.basename(sal.symtab.filename)), encoding="utf-8") as file:
        return file.read().splitlines()[sal.line - 1].strip()


def next_to(text):
    """`next` until that line is the next one."""
    for _ in range(30):
        if line() == text:
            return
        Stop.vm.go("next")
    raise AssertionError(f"{text!r} does not come; here is {line()!r}")


def paging():
    return value("$cr0") >> 31 & 1


def ring():
    return value("$cs") & 3


def can_page():
    """A host's KVM may know no paging but that of long mode: then the instruction that is to turn it on, with
    all that the SDM asks for in place, ends in #GP."""
    if where() != "paging_on" or not instruction()["asm"].split()[-1].endswith("cr0"):
        return True
    equal((value("$eax") >> 31 & 1, value("$eax") & 1, value("$cr4") & 0x20, value("$cr3") & 0xfff), (1, 1, 0, 0))
    equal(value("kernel_directory[0]") & 0xff3, 3)
    return False


def start(vm):
    Stop.vm = vm
    point = gdb.Breakpoint("traps_init")
    vm.go("continue")
    point.delete()
    if not can_page():
        skip("this host's KVM: 32-bit paging")
    equal((where(), paging()), ("traps_init", 1))


@test
def from_the_boot_loader_to_paging():
    with teach() as vm:
        Stop.vm = vm
        equal((where(), value("$eax") & 0xffffffff, ring(), paging()), ("_start", 0x2badb002, 0, 0))
        until("kernel_main")
        equal((value("magic") & 0xffffffff, value("info[2]")), (0x2badb002, 127 * 1024))
        next_to("paging_init();")
        equal(paging(), 0)
        next_to("paging_on();")
        equal(value("kernel_directory[1]") & 0x87, 0x83)
        vm.go("next")
        if not can_page():
            skip("this host's KVM: 32-bit paging")
        equal((line(), paging()), ("traps_init();", 1))
        assert "PSE" in do("info registers cr4"), do("info registers cr4")
        # the same line again, through page tables that gdb reads for itself
        table = value("kernel_directory[0]") & ~0xfff
        equal(value(f"*(unsigned *){table + 4 * 0x100:#x}") & ~0x7f, 0x100000)


@test
def the_second_cpu():
    with teach() as vm:
        start(vm)
        equal(thread_count(), 2)
        until("second_main")
        equal((stopped_thread(), ring(), paging()), (2, 0, 0))
        vm.go("next")
        equal((stopped_thread(), line(), paging()), (2, "traps_load();", 1))
        thread(1)
        assert "second_cpu_start" in backtrace(), backtrace()
        equal((backtrace()[-2:], paging()), (["kernel_main", "_start"], 1))
        until("processes_init")
        assert vm.serial_has("the second CPU runs"), vm.serial()


@test
def two_processes_in_ring_3():
    with teach() as vm:
        start(vm)
        points = [gdb.Breakpoint(place) for place in ("counter_main", "shell_main", "read_line")]
        begun = {}
        for _ in points:  # the timer says which one is first, and how far it comes
            vm.go("continue")
            equal((ring(), stopped_thread(), paging(), value("$esp") >> 12), (3, 1, 1, 0x7ff))
            begun[where()] = (gdb.parse_and_eval("current->name").string(), value("$cr3"))
            if where() == "read_line":
                equal((value("primes"), value("calls")), (0, 1))
        counter, shell = (("counter", value("(int)processes[0].space")), ("shell", value("(int)processes[1].space")))
        equal(begun, {"counter_main": counter, "shell_main": shell, "read_line": shell})
        for point in points:
            point.delete()
        # The same variable is each one's own: the shell has counted no primes.
        until("is_prime", "primes > 0")
        equal((backtrace()[:2], gdb.parse_and_eval("current->name").string()), (["is_prime", "counter_main"], "counter"))
        vm.go("finish")
        equal((where(), value("$cr3")), ("counter_main", begun["counter_main"][1]))


@test
def a_system_call():
    with teach() as vm:
        start(vm)
        until("shell_main")
        next_to('write("$ ");')
        until("system_write", "current == &processes[1]")
        equal(backtrace()[:7], ["system_write", "system_call", "trap", "trap_common", "call", "write", "shell_main"])
        equal((ring(), value("frame->ecx"), memory(value("frame->ebx"), 2)), (0, 2, b"$ "))
        equal(value("frame->cs") & 3, 3)
        gdb.execute("frame function call")
        equal(value("number"), 0)
        vm.go("finish")
        # and the way in, an instruction at a time
        until("call")
        for _ in range(30):
            if ring() == 0:
                break
            vm.go("stepi")
        equal((where(), ring()), ("trap_system", 0))
        vm.go("stepi")
        vm.go("stepi")
        vm.go("stepi")
        equal(where(), "trap_common")


@test
def a_file_from_the_disk():
    with teach() as vm:
        start(vm)
        until("read_line")
        do("monitor send-text cat motto")
        until("show_file")
        equal((gdb.parse_and_eval("name").string(), backtrace()[1:3]), ("motto", ["run_line", "shell_main"]))
        until("disk_interrupt")
        equal(value("reading"), 0)
        until("show_sectors")
        equal((value("file->size"), ring()), (len(MOTTO), 3))
        until("disk_interrupt")
        equal(value("reading"), 1)
        until("read_line")
        equal(bytes(memory(value("(int)sector"), len(MOTTO))), MOTTO)
        screen = do("monitor screen")
        assert "\nLook before you leap.\n" in screen, screen
        do("monitor send-text exit 3")
        vm.go_to_the_end(7)


@test
def work_for_the_second_cpu():
    with teach() as vm:
        start(vm)
        until("read_line")
        do("monitor send-text sum 10")
        until("second_job")
        equal((stopped_thread(), value("job"), ring()), (2, 10, 0))
        until("read_line")
        equal((stopped_thread(), value("result"), value("jobs_done")), (1, 55, 1))


run()
