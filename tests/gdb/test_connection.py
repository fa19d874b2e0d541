# SPDX-License-Identifier: GPL-3.0-or-later
"""Coming and going: lost connections, second comers, TCP. time limit: 120 s"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from rsp import Client  # noqa: E402


class OtherGdb:
    """Another gdb process, which can be killed at any moment."""

    def __init__(self, vm, *commands):
        args = ["gdb", "-nx", "-q", "-ex", "set pagination off", "-ex", "set confirm off",
                "-ex", f"target remote {vm.address}"]
        for command in commands:
            args += ["-ex", command]
        self.process = subprocess.Popen(args + [vm.symbols], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def until(self, text, seconds=patience(20)):
        seen, watchdog = b"", threading.Timer(seconds, self.process.kill)
        watchdog.start()
        try:
            while text.encode() not in seen:
                more = self.process.stdout.read1(4096)
                if not more:
                    raise AssertionError(f"no {text!r} in {seen!r}")
                seen += more
        finally:
            watchdog.cancel()

    def kill(self):
        self.process.kill()
        self.process.wait()


def waits(vm):
    listening(vm)
    time.sleep(0.1)


@test
def a_killed_gdb_leaves_a_paused_guest_paused():
    with Debugged("long64", attach=False) as vm:
        waits(vm)
        other = OtherGdb(vm, "break print_line", "continue", "echo arrived\\n")
        other.until("arrived")
        other.kill()
        says(vm, "the guest stays paused", patience(10))
        vm.attach()
        equal((where(), value("line")), ("print_line", 1))
        equal(do("monitor info breakpoints").count("print_line"), 0)
        equal(vm.serial().count("tick"), 0)
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(value("line"), 2)


@test
def a_killed_gdb_leaves_a_running_guest_running():
    with Debugged("long64", attach=False) as vm:
        waits(vm)
        other = OtherGdb(vm, "break counter_add if 0", "continue")
        assert vm.serial_has("tick 2"), vm.serial()
        other.kill()
        says(vm, "the guest runs", patience(10))
        lines = vm.serial().count("tick")
        assert vm.serial_has(f"tick {lines + 2}"), vm.serial()
        vm.attach()
        assert "guest_main" in backtrace(), backtrace()
        start = value("(long)counter_add")
        equal(memory(start, 40), file_bytes(start, 40))


@test
def the_choice_after_a_lost_connection():
    with Debugged("long64", "-on-disconnect", "continue", attach=False) as vm:
        waits(vm)
        other = OtherGdb(vm, "echo arrived\\n")
        other.until("arrived")
        other.kill()
        assert vm.serial_has("tick 1"), vm.words()
    with Debugged("long64", "-on-disconnect", "kill", attach=False) as vm:
        waits(vm)
        other = OtherGdb(vm, "echo arrived\\n")
        other.until("arrived")
        other.kill()
        vm.ends_with(0)


@test
def a_gdb_that_is_stopped_in_the_middle_of_a_step_storm():
    with Debugged("long64", attach=False) as vm:
        waits(vm)
        for n in range(5):
            other = OtherGdb(vm, "echo arrived\\n", "stepi 100000")
            other.until("arrived")
            time.sleep(0.05 * n)
            other.kill()
        vm.attach()
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(where(), "print_line")


@test
def a_second_gdb_is_refused():
    with Debugged("long64") as vm:
        other = OtherGdb(vm, "echo arrived\\n")
        other.until("arrived")
        other.process.communicate(b"", timeout=patience(20))
        says(vm, "second gdb was refused", patience(10))
        equal(where(), "_start")
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(where(), "print_line")


@test
def over_tcp():
    with Debugged("long64", tcp=True) as vm:
        equal(where(), "_start")
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal((where(), value("line")), ("print_line", 1))
        do("detach")
        assert vm.serial_has("tick 2"), vm.serial()
        vm.attach()
        assert "guest_main" in backtrace()


def listeners(port):
    """The addresses at which somebody listens on this TCP port, as the kernel writes them: hex, network order."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        found += [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    return found


@test
def by_nobody_but_this_machine():
    with Debugged("long64", tcp=True) as vm:
        equal(listeners(vm.address[1]), ["0100007F"])


@test
def a_flood_of_noise():
    with Debugged("long64", attach=False) as vm:
        waits(vm)
        with open("/dev/urandom", "rb") as file:
            noise = file.read(300000)
        client = Client(vm.address, no_ack=False)
        client.raw(noise.replace(b"\x03", b"$"))
        client.close()
        vm.attach()
        equal(where(), "_start")
        equal(vm.serial(), "")


@test
def the_guest_is_not_resumed_behind_gdbs_back():
    with Debugged("long64") as vm:
        gdb.Breakpoint("print_line")
        vm.go("continue")
        for command in ("continue", "step"):
            out = do("monitor " + command)
            assert "use gdb's own" in out, out
        time.sleep(0.2)
        do("maintenance flush register-cache")
        equal((where(), value("line")), ("print_line", 1))
        vm.go("continue")
        equal((where(), value("line")), ("print_line", 2))


run()
