# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that vanish at any moment: the guest stays as it was, its memory is its own again, and
the next gdb is welcome.

time limit: 600 s
"""
import os
import random
import sys
import time

for folder in ("scripts", "stress"):
    sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests", folder))
from smp_guest import SmpVitrine, facts_of, grown, need_kvm, rounds
from tap import equal, run, test

ROUNDS = rounds(full=1000, usual=200)


def nothing(vm, client):
    """Connects, and is gone."""


def half_a_packet(vm, client):
    client.raw(b"$m" + b"%x" % vm.shared)


def garbage(vm, client):
    client.raw(vm.dice.randbytes(300).replace(b"\x03", b"x"))


def unread_answers(vm, client):
    for _ in range(50):
        client.send(f"m{vm.add_one:x},1000")


def leaves_points(vm, client):
    assert client.ask(f"Z0,{vm.add_one:x},1") == "OK"
    client.ask(f"Z1,{vm.add_one + 4:x},1")


def while_running(vm, client):
    client.send("vCont;c")


def while_running_with_points(vm, client):
    leaves_points(vm, client)
    client.send("vCont;c")


def after_a_hit(vm, client):
    assert client.ask(f"Z0,{vm.add_one:x},1") == "OK"
    stop = client.ask("vCont;c")
    assert stop.startswith("T05"), stop


def while_stepping(vm, client):
    for _ in range(5):
        assert client.ask("vCont;s:1").startswith("T05")
    client.send("vCont;s:1")


def right_after_a_pause(vm, client):
    client.send("vCont;c")
    time.sleep(0.001)
    client.interrupt()


WAYS = (nothing, half_a_packet, garbage, unread_answers, leaves_points, while_running,
        while_running_with_points, after_a_hit, while_stepping, right_after_a_pause)
RUNS_ON = (while_running, while_running_with_points)


def connected(vm):
    """A client. One that comes before vitrine has noticed that the last one is gone is refused."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return vm.gdb(timeout=10)
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.002)


def visit(vm):
    """The next gdb: is told that the guest stands, and finds its code untouched."""
    client = connected(vm)
    assert client.ask("qSupported:swbreak+;hwbreak+").count("PacketSize") == 1
    stop = client.ask("?")
    assert stop.startswith("T"), stop
    return client


def code_is_the_guests(vm, client):
    code = client.read(vm.add_one, 32)
    assert code in vm.image, f"the code of add_one() has changed: {code.hex()}"


def one_round(vm, counted):
    client = visit(vm)
    code_is_the_guests(vm, client)
    counted = vm.check_counters(client, counted)
    way = vm.dice.choice(WAYS)
    try:
        way(vm, client)
    except Exception as error:
        raise AssertionError(f"{way.__name__}: {error}") from error
    client.close(abruptly=True)
    return counted


def facts_while_connected(vm):
    client = visit(vm)
    facts = facts_of(vm)
    client.close()
    return facts


def rounds_of(vm, counted, count):
    settled = None
    for number in range(count):
        counted = one_round(vm, counted)
        if number == count // 5:
            settled = facts_while_connected(vm)
    more = grown(settled, facts_while_connected(vm))
    assert not more, f"vitrine has kept something of each connection: {more}"
    client = visit(vm)
    vm.check_counters(client, counted)
    return client


def disconnect_often(count, **ways):
    need_kvm()
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"# {count} rounds, SEED={seed}")
    with SmpVitrine("-S", **ways) as vm:
        client = visit(vm)
        counted = vm.wait_until_all_count(client)
        client.close(abruptly=True)
        vm.dice = random.Random(seed)
        client = rounds_of(vm, counted, count)
        vm.wait_until_all_count(client, since=vm.counters(client)[1])
        assert client.ask("D") == "OK"
        client.close()


@test
def abrupt_disconnects_of_a_unix_socket():
    disconnect_often(ROUNDS // 2)


@test
def abrupt_disconnects_over_tcp():
    disconnect_often(ROUNDS // 2, tcp=True)


@test
def a_lost_connection_leaves_the_guest_as_it_was():
    need_kvm()
    with SmpVitrine("-S") as vm:
        client = visit(vm)
        vm.wait_until_all_count(client)
        client.send("vCont;c")
        time.sleep(0.1)
        client.close(abruptly=True)
        time.sleep(0.5)  # it runs on meanwhile
        client = visit(vm)
        before = vm.counters(client)
        client.close(abruptly=True)
        time.sleep(0.3)  # and stands now
        client = visit(vm)
        equal(vm.counters(client), before, "a paused guest went on when its gdb was lost")
        assert client.ask("D") == "OK"
        client.close()
        time.sleep(0.3)  # detached from, it goes on
        client = visit(vm)
        assert vm.counters(client)[0] > before[0], "the guest did not go on after a detach"


run()
