# SPDX-License-Identifier: GPL-3.0-or-later
"""Catches and the flight recorder at the console, with real guests; values are compared.

time limit: 120 s
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import Console, guest
from rsp import elf_symbols
from tap import equal, run, skip, test

IO, FAULTS = guest("io.elf"), guest("faults.elf")
SCRATCH, EFER = 0x3FF, 0xC0000080


def has(text, *wanted):
    for piece in wanted:
        assert piece in text, f"{piece!r} is not in {text!r}"


def pc_of(screen):
    return int(re.search(r"\n → 0x([0-9a-f]+) ", screen).group(1), 16)


@test
def a_port_and_what_the_recorder_says_of_it():
    start, size = elf_symbols(IO)["port_writes"]
    with Console("-kernel", IO) as console:
        has(console.run("catch io 0x3ff"), "catch 1: io 0x3ff (exits of port I/O)")
        for value in (0x5A, 0xA5):
            has(console.until_stop("continue"), "■ vCPU 0: out 0x3ff ← %#x" % value, "1 byte (catch 1)")
            equal(console.value("$al"), value)
            screen = console.until_stop("continue")
            has(screen, "■ vCPU 0: in 0x3ff → %#x" % value)
            equal(console.value("$al"), value)
            assert start <= pc_of(screen) < start + size, screen
            tail = console.run("trace 2")
            assert re.search(r"io +out 0x3ff ← %#x.*\n.*io +in  0x3ff → %#x" % (value, value), tail), tail
        counts = console.run("info exits")
        total = int(re.search(r"running, ([0-9 ]+) exits", counts).group(1).replace(" ", ""))
        ports = int(re.search(r"  io +([0-9 ]+?)  ", counts).group(1).replace(" ", ""))
        assert 0 < ports <= total, counts
        has(console.run("info breakpoints"), "catch io            4     0x3ff")


@test
def a_condition_on_what_was_written():
    with Console("-kernel", IO) as console:
        console.run("catch io 0x3ff w if $al == 0xa5")
        has(console.until_stop("continue"), "out 0x3ff ← 0xa5")
        has(console.run("info breakpoints"), "only if $al == 0xa5: come upon 2 times")


@test
def a_log_goes_on():
    with Console("-kernel", IO) as console:
        console.run("catch -l io 0x3ff r")
        console.run("tcatch shutdown")
        console.line("continue")
        console.expect("vCPU 0: in 0x3ff → 0x5a 'Z', 1 byte (1)")
        console.expect("vCPU 0: in 0x3ff → 0xa5, 1 byte (1)")
        console.expect("■ vCPU 0: the guest asks for the end")


@test
def a_page_fault_with_its_address():
    start, size = elf_symbols(FAULTS)["raise_pf_write"]
    with Console("-kernel", FAULTS, "-append", "fault=pfw") as console:
        console.run("break raise_pf_write")
        console.until_stop("continue")
        has(console.run("catch exception pf"), "catch 2: exception 14 #PF")
        screen = " ".join(console.until_stop("continue").split())
        where = int(re.search(r"#PF at 0x([0-9a-f]+): write to 0x3fe456 by the kernel, not allowed there, "
                              r"error code 0x3", screen).group(1), 16)
        assert start <= where < start + size, screen
        equal(console.value("$cr2"), 0x3FE456)


@test
def an_msr_with_its_value():
    with Console("-kernel", FAULTS) as console:
        console.run("catch msr 0xc0000080 w")
        has(console.until_stop("continue"), "wrmsr 0xc0000080 (MSR_EFER) ← 0xd00 (catch 1)")
        equal(console.value("$efer") & 0xD00, 0xD00)
        equal(console.value("$eax"), 0xD00)


@test
def why_did_it_die():
    with Console("-kernel", FAULTS, "-append", "fault=triple") as console:
        screen = console.until_stop("continue")
        if "registers are lost" in " ".join(screen.split()):
            skip("a host whose KVM keeps the registers of a triple fault")
        has(screen, "triple fault", "First #PF  at ", "read of 0x3ff000, error code 0x0",
            "2nd  #NP  while delivering it: gate 14 is not present → #DF",
            "3rd  #NP  while delivering #DF: gate 8 is not present → shutdown",
            "  shutdown ")


run()
