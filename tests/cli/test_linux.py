# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's unmodified cloud kernel, from bzImage to a shell on the serial console. time limit: 900 s"""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from linux import Linux, needs_kvm
from tap import equal, run, test


def every_cpu_works(guest, vcpus):
    equal(guest.shell("nproc"), str(vcpus))
    for cpu in range(vcpus):
        equal(guest.shell(f"taskset -c {cpu} cut -d ' ' -f 39 /proc/self/stat"), str(cpu), "the CPU that ran it")


@test
def one_vcpu_boots_reboots_and_powers_off():
    needs_kvm()
    with Linux(append="quiet") as guest:
        guest.boots()
        every_cpu_works(guest, 1)
        assert "console=ttyS0" in guest.shell("cat /proc/cmdline")
        guest.type("reboot -f")
        guest.boots()
        guest.type("poweroff -f")
        equal(guest.end(), 0, "status")


@test
def two_vcpus_boot_and_a_reboot_ends_the_run():
    needs_kvm()
    with Linux("-smp", "2", "-no-reboot", append="quiet") as guest:
        guest.boots()
        every_cpu_works(guest, 2)
        guest.type("reboot -f")
        equal(guest.end(), 0, "status")


@test
def four_vcpus_boot():
    needs_kvm()
    with Linux("-smp", "4", append="quiet") as guest:
        guest.boots()
        every_cpu_works(guest, 4)
        guest.type("poweroff -f")
        equal(guest.end(), 0, "status")


@test
def bytes_go_both_ways_and_none_is_lost():
    """Faster than the guest reads, and than this side reads."""
    needs_kvm()
    lines = [f"{n:04} the quick brown fox jumps over the lazy dog" for n in range(200)]
    text = "".join(line + "\n" for line in lines)
    with Linux(append="quiet") as guest:
        guest.boots()
        guest.type("stty -echo; echo ready; cat >/tmp/got; stty echo")
        guest.expect("ready\r+\n")
        guest.child.send(text + "\x04")
        guest.prompt()
        equal(guest.shell("md5sum </tmp/got"), hashlib.md5(text.encode()).hexdigest() + "  -")
        equal(guest.shell("cat /tmp/got").splitlines(), lines)
        print("# IRQ 4:", guest.shell("grep ttyS0 /proc/interrupts"))


@test
def the_32_bit_entry_works_too():
    needs_kvm()
    with Linux("-protocol", "linux32", append="earlyprintk=ttyS0") as guest:
        guest.expect("Linux version")


run()
