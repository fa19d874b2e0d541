# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of watchpoint is put to: gdb must see the same, whatever vitrine makes it of. options: vitrine's."""
from harness import Debugged, do, equal, gdb, stopped_thread, value, where


def long64(*options):
    return Debugged("long64", *options)


def at_work(vm):
    """The guest has begun its loop; its timer ticks."""
    point = gdb.Breakpoint("work")
    vm.go("continue")
    point.delete()


def writes_are_told_with_both_values(*options):
    with long64(*options) as vm:
        at_work(vm)
        do("watch shared.lines")
        lines = value("shared.lines")
        for n in range(4):
            said = vm.go("continue")
            assert f"Old value = {lines + n}\n" in said and f"New value = {lines + n + 1}\n" in said, said
            equal(value("shared.lines"), lines + n + 1)


def reads_are_told_with_the_value(*options):
    with long64(*options) as vm:
        at_work(vm)
        for command in ("rwatch messages[1]", "awatch messages[1]"):
            do(command)
            said = vm.go("continue")
            equal(where(), "message_text")
            assert "all is well" in said, said
            do("delete")


def several_vcpus_add_to_one_counter(count, *options):
    """The spinlock and the counter are on one page; who stopped is who has just added. Returns who did."""
    with Debugged("smp", "-smp", "4", *options) as vm:
        do("watch shared.counter")
        writers = []
        for n in range(count):
            vm.go("continue")
            equal((where(), value("shared.counter")), ("add_one", n + 1))
            writers.append(stopped_thread())
        return writers
