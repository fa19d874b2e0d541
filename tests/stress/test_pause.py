# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and continue, at random moments, four vCPUs in a loop: one stop for each request, every
vCPU parked when it is told, nothing lost, nothing kept.

time limit: 600 s
"""
import os
import random
import sys
import time

for folder in ("scripts", "stress"):
    sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", folder))
from smp_guest import CPUS, SmpVitrine, facts_of, grown, need_kvm, rounds
from tap import run, test

ROUNDS = rounds(full=10000, usual=1000)
PAUSES = (0, 0, 0.0001, 0.0005, 0.001, 0.003)  # seconds between continue and Ctrl-C, at most


def one_round(client, dice):
    client.send("vCont;c")
    time.sleep(dice.uniform(0, dice.choice(PAUSES)))
    for _ in range(dice.choice((1, 1, 1, 2))):  # an impatient user presses it twice
        client.interrupt()
    stop = client.reply(10)
    assert stop.startswith("T02"), f"asked for a pause and got {stop}"


def stands_still(vm, client):
    """No second stop is on its way, and no vCPU moves."""
    assert client.quiet(0.01), "a second stop came for one pause"
    first, again = vm.counters(client), vm.counters(client)
    assert first == again, f"a parked vCPU still counts: {first}, {again}"
    pcs = [client.ask(f"Hg{cpu + 1}") and client.ask("p10") for cpu in range(CPUS)]
    assert all(len(pc) == 16 for pc in pcs), f"not every vCPU shows its pc: {pcs}"


def rounds_of(vm, client, seed):
    dice, counted = random.Random(seed), None
    settled = None
    for number in range(ROUNDS):
        one_round(client, dice)
        if number % 20 == 0:
            stands_still(vm, client)
            counted = vm.check_counters(client, counted)
        if number == ROUNDS // 5:
            settled = facts_of(vm)
    return settled


@test
def random_pauses_of_four_vcpus():
    need_kvm()
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"# {ROUNDS} rounds, SEED={seed}")
    with SmpVitrine("-S") as vm:
        client = vm.gdb()
        client.ask("?")
        before = vm.wait_until_all_count(client)
        settled = rounds_of(vm, client, seed)
        vm.check_counters(client, before)
        vm.wait_until_all_count(client, since=vm.counters(client)[1])
        assert not grown(settled, facts_of(vm)), grown(settled, facts_of(vm))
        assert client.ask("D") == "OK"
        client.close()


run()
