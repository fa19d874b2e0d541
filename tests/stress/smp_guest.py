# SPDX-License-Identifier: GPL-3.0-or-later
"""Four vCPUs that count under a lock, and what must be true of them whenever they stand still."""
import os
import struct
import time

from rsp import elf_symbols, process_facts
from tap import skip
from vm import Vitrine, guest, sanitized

CPUS = 4
DATA_SLACK = 4096  # KiB: what the C library may keep back for later


def rounds(full, usual):
    """How many rounds this run makes: STRESS=full, STRESS=NUMBER (percent of full), or the usual."""
    wish = os.environ.get("STRESS", "")
    if wish == "full":
        return full
    if wish:
        return max(1, full * int(wish) // 100)
    return max(1, usual // 5) if sanitized() else usual


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


class SmpVitrine(Vitrine):
    def __init__(self, *options, **ways):
        image = guest("smp.elf")
        super().__init__("-kernel", image, "-smp", str(CPUS), *options, **ways)
        symbols = elf_symbols(image)
        self.shared, self.cpus, self.add_one = (symbols[n][0] for n in ("shared", "cpus", "add_one"))
        with open(image, "rb") as file:
            self.image = file.read()

    def counters(self, client):
        """The counter under the lock, and each CPU's own count."""
        total, = struct.unpack("<Q", client.read(self.shared + 8, 8))
        data = client.read(self.cpus, 16 * CPUS)
        return total, [struct.unpack_from("<Q", data, 16 * i)[0] for i in range(CPUS)]

    def check_counters(self, client, before=None):
        """Every CPU counts for itself right after it has counted under the lock, so that the sums
        differ by as many as stand between the two. Nothing ever goes back."""
        total, each = self.counters(client)
        assert 0 <= total - sum(each) <= CPUS, f"{total} counted under the lock, {each} by the CPUs"
        if before:
            assert total >= before[0], f"the counter went back from {before[0]} to {total}"
            for cpu in range(CPUS):
                assert each[cpu] >= before[1][cpu], f"CPU {cpu} went back: {before[1]}, {each}"
        return total, each

    def wait_until_all_count(self, client, since=(0,) * CPUS, seconds=60):
        """Runs the stopped guest in short pieces until every CPU has counted on. The lock is not a
        fair one: on a busy host a CPU may wait for a while."""
        deadline = time.monotonic() + seconds
        while True:
            client.send("vCont;c")
            time.sleep(0.2)
            client.interrupt()
            stop = client.reply()
            assert stop.startswith("T02"), f"nobody but this test stops the guest, and yet: {stop}"
            total, each = self.check_counters(client)
            if all(now > before for now, before in zip(each, since)):
                return total, each
            assert time.monotonic() < deadline, f"a CPU does not count: {since}, {each}"


def grown(before, after):
    """What has grown between two sets of process facts, beyond what may."""
    slack = {"VmData": DATA_SLACK if not sanitized() else 64 * DATA_SLACK}
    return {k: (before[k], after[k]) for k in before if after[k] > before[k] + slack.get(k, 0)}


def facts_of(vm):
    return process_facts(vm.process.pid)
