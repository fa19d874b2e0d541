# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's unmodified cloud kernel, from bzImage to a shell on the serial console. time limit: 900 s"""
import hashlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from linux import Linux, needs_kvm
from rsp import Client
from tap import equal, patience, run, test


def every_cpu_works(guest, vcpus):
    equal(guest.shell("nproc"), str(vcpus))
    for cpu in range(vcpus):
        equal(guest.shell(f"taskset -c {cpu} cut -d ' ' -f 39 /proc/self/stat"), str(cpu), "the CPU that ran it")


LINES = [f"{n:04} the quick brown fox jumps over the lazy dog" for n in range(200)]


def every_byte_arrives(guest):
    """In both directions, faster than the guest reads, and than this side reads."""
    text = "".join(line + "\n" for line in LINES)
    guest.type("stty -echo; echo ready; cat >/tmp/got; stty echo")
    guest.expect("ready\r+\n")
    guest.child.send(text + "\x04")
    guest.prompt()
    equal(guest.shell("md5sum </tmp/got"), hashlib.md5(text.encode()).hexdigest() + "  -")
    equal(guest.shell("cat /tmp/got").splitlines(), LINES)


def uptime(guest):
    return float(guest.shell("cat /proc/uptime").split()[0])


PAUSE = 10
LINKED = 0xffffffff81000000


def held(guest):
    """The debugger holds the machine for a while; returns what the guest's clock says of that."""
    guest.shell("echo 1 >/proc/sys/kernel/watchdog_thresh; dmesg -c >/dev/null")  # a soft lockup is 2 s from now on
    before = uptime(guest)
    gdb = Client(guest.socket)
    gdb.ask("?")
    time.sleep(PAUSE)
    gdb.ask("D")
    gdb.close()
    after = uptime(guest)
    guest.shell("sleep 3")
    troubles = guest.shell("dmesg | grep -iE 'lockup|stall|hung|unstable|backwards'; true")
    equal(troubles, "", "what the watchdogs say")
    return after - before


# A boot takes a while in the beds: each is good for more than one thing.


@test
def one_vcpu_boots_reads_and_writes_reboots_and_powers_off():
    needs_kvm()
    with Linux(append="quiet") as guest:
        guest.boots()
        every_cpu_works(guest, 1)
        assert "console=ttyS0" in guest.shell("cat /proc/cmdline")
        every_byte_arrives(guest)
        guest.type("reboot -f")
        guest.boots()
        guest.type("poweroff -f")
        equal(guest.end(), 0, "status")


@test
def two_vcpus_are_told_of_a_pause_when_time_goes_on_and_a_reboot_ends_the_run():
    needs_kvm()
    with Linux("-smp", "2", "-no-reboot", "-clock", "host", append="quiet") as guest:
        guest.boots()
        every_cpu_works(guest, 2)
        seen = held(guest)
        assert seen >= PAUSE, f"the guest says that {seen} s have passed"
        guest.type("reboot -f")
        equal(guest.end(), 0, "status")


@test
def for_four_vcpus_a_pause_does_not_exist():
    needs_kvm()
    with Linux("-smp", "4", append="quiet") as guest:
        guest.boots()
        every_cpu_works(guest, 4)
        seen = held(guest)
        assert seen < PAUSE / 2, f"the guest says that {seen} s have passed"
        every_cpu_works(guest, 4)
        guest.type("poweroff -f")
        equal(guest.end(), 0, "status")


@test
def a_kernel_that_unpacks_and_moves_itself_is_found():
    """The 32-bit entry leads to the kernel's own unpacker, which chooses the place."""
    needs_kvm()
    with Linux("-protocol", "linux32", append="earlyprintk=ttyS0") as guest:
        guest.expect("Linux version ")
        gdb = Client(guest.socket, timeout=patience(60))
        gdb.ask("?")
        told = gdb.monitor("info kaslr")
        print("# " + told)
        slide = re.match("0x[0-9a-f]+ above", told)
        assert slide or told.startswith("none"), told
        slide = int(slide.group(0).split()[0], 16) if slide else 0
        where = f"TextSeg={LINKED + slide:x}"
        equal(gdb.ask("qOffsets"), where if slide else "", "what gdb is told")
        # In read-only data, which was not compared.
        assert "Linux version" in gdb.monitor("x/s &linux_banner"), gdb.monitor("x/s &linux_banner")
        gdb.close()


run()
