# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux, ten boots in a row: from before its first instruction through a breakpoint to a shell and to power-off.
Where a boot takes long, as many as there is time for, and each number of vCPUs at least once; STRESS=full means ten.

time limit: 900 s
"""
import os
import sys
import time

for folder in ("scripts", "stress"):
    sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", folder))
from linux import Linux, needs_kvm
from rsp import Client
from smp_guest import rounds
from tap import equal, patience, run, test

ROUNDS = rounds(full=10, usual=10)
ENOUGH = float("inf") if os.environ.get("STRESS") else patience(120)  # seconds
VCPUS = (1, 2, 4)
BOOT = patience(60)


def breaks_once(gdb):
    """Set before the first instruction; afterwards it stays, and must not be hit again."""
    equal(gdb.ask("?")[:3], "T02")
    place = int(gdb.monitor("print &start_kernel").split()[0], 16)
    equal(gdb.ask(f"Z0,{place:x},1"), "OK")
    gdb.send("vCont;c")
    stop = gdb.reply(BOOT)
    equal(stop[:3], "T05", stop)
    equal(int(gdb.monitor("print $rip").split()[0], 16), place)
    gdb.send("vCont;c")


def one_boot(vcpus):
    with Linux("-S", "-smp", str(vcpus), append="quiet") as guest:
        gdb = Client(guest.socket, timeout=BOOT)
        breaks_once(gdb)
        guest.boots()
        equal(guest.shell("nproc"), str(vcpus))
        gdb.interrupt()
        stop = gdb.reply()
        equal(stop[:3], "T02", f"a second stop: {stop}")
        gdb.ask("D")
        gdb.close()
        guest.type("poweroff -f")
        equal(guest.end(), 0, "status")


@test
def boots_in_a_row():
    needs_kvm()
    begun = time.monotonic()
    for n in range(ROUNDS):
        if n >= len(VCPUS) and time.monotonic() - begun > ENOUGH:
            break
        one_boot(VCPUS[n % len(VCPUS)])
        print(f"# boot {n + 1} of {ROUNDS}, {VCPUS[n % len(VCPUS)]} vCPUs", flush=True)


run()
