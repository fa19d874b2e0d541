# SPDX-License-Identifier: GPL-3.0-or-later
"""run, kill, attach and detach with extended-remote; lost connections; who may connect; what no stub should choke
on; gdb's pipe. time limit: 180 s"""
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from rsp import Client, Timeout  # noqa: E402
from vm import VITRINE, free_port  # noqa: E402


def code_is_the_guests():
    start = value("(long)counter_add")
    equal(memory(start, 40), file_bytes(start, 40))


# ---- extended-remote


@test
def run_restarts_the_guest_and_breakpoints_stay():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        vm.attach(extended=True)
        vm.needs_a_breakpoint("long mode")
        stop = gdb.Breakpoint("print_line")
        vm.go("continue")
        vm.go("continue")
        equal((where(), value("line")), ("print_line", 2))
        do("monitor catch -l io 0xf4")
        for _ in range(2):
            vm.go("run")
            equal((where(), value("line")), ("print_line", 1))
            equal(value("counter.value"), 1)
        equal(stop.hit_count, 1)
        points = do("monitor info breakpoints")
        assert "catch io" in points and "0xf4" in points, points
        # Restarted for good: serial output, too, begins anew.
        equal(vm.serial().count("128 MiB of memory"), 3)


@test
def run_by_the_packet_of_old():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        gdb.execute("set remote run-packet off")
        try:
            vm.attach(extended=True)
            vm.needs_a_breakpoint("long mode")
            gdb.Breakpoint("print_line")
            vm.go("continue")
            vm.go("continue")
            vm.go("run")
            equal((where(), value("line")), ("print_line", 1))
        finally:
            gdb.execute("set remote run-packet auto")


@test
def killed_and_run_again_or_left():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        vm.attach(extended=True)
        vm.needs_a_breakpoint("long mode")
        gdb.Breakpoint("print_line")
        vm.go("continue")
        do("kill")
        equal(thread_count(), 0)
        vm.go("run")
        equal((where(), value("line")), ("print_line", 1))
        do("kill")
        vm.drop()
        vm.ends_with(0)


@test
def kill_of_a_plain_remote():
    with Debugged("long64") as vm:
        do("kill")
        vm.ends_with(0)


@test
def detach_and_attach_on_one_connection():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        vm.attach(extended=True)
        vm.needs_a_breakpoint("long mode")
        gdb.Breakpoint("print_line")
        for _ in range(3):
            vm.go("continue")
            equal(where(), "print_line")
            line = value("line")
            do("detach")
            assert vm.serial_has(f"tick {line + 1}"), vm.serial()
            vm.go("attach 1")
            assert "guest_main" in backtrace(), backtrace()
            code_is_the_guests()


# ---- pain 14: coming and going


@test
def pain_14_detach_leaves_a_running_guest_and_gdb_may_come_again():
    with Debugged("long64") as vm:
        vm.needs_a_breakpoint("long mode")
        for _ in range(5):
            stop = gdb.Breakpoint("print_line")
            vm.go("continue")
            line = value("line")
            do("detach")
            assert vm.serial_has(f"tick {line + 2}"), vm.serial()
            stop.delete()
            vm.attach()
            code_is_the_guests()
        equal(vm.process.poll(), None)
        assert "lost" not in vm.words(), vm.words()


@test
def pain_14_a_lost_connection_leaves_the_guest_as_it_was():
    with Debugged("long64") as vm:
        vm.needs_a_breakpoint("long mode")
        for line in range(1, 6):
            stop = gdb.Breakpoint("print_line")
            vm.go("continue")
            equal((where(), value("line")), ("print_line", line))
            here = pc()
            vm.drop()
            says(vm, "the guest stays paused")
            stop.delete()
            vm.attach()
            equal((pc(), value("line")), (here, line))
            code_is_the_guests()
            equal(vm.serial().count("tick"), line - 1)


@test
def pain_14_a_gdb_that_vanishes_while_the_guest_runs():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        for round in range(5):
            client = vm.gdb()
            equal(client.ask("Z0,%x,1" % 0x7fff0000), "OK")  # never met
            client.send("vCont;c")
            assert vm.serial_has(f"tick {round + 1}"), vm.serial()
            client.close(abruptly=True)
            lines = vm.serial().count("tick")
            assert vm.serial_has(f"tick {lines + 2}"), vm.serial()
        vm.attach()
        equal(do("monitor info breakpoints").count("0x7fff0000"), 0)
        code_is_the_guests()


@test
def pain_14_what_a_lost_connection_means_can_be_chosen():
    with Debugged("long64", "-on-disconnect", "continue", attach=False) as vm:
        listening(vm)
        vm.gdb().close()
        assert vm.serial_has("tick 1"), vm.words()
    with Debugged("long64", "-on-disconnect", "kill", attach=False) as vm:
        listening(vm)
        vm.gdb().close()
        vm.ends_with(0)


@test
def a_second_gdb_is_refused_and_told_of():
    with Debugged("long64") as vm:
        try:
            Client(vm.address, no_ack=True, timeout=patience(5))
            raise AssertionError("a second gdb was taken")
        except (ConnectionError, OSError, Timeout):
            pass
        says(vm, "a second gdb was refused")
        equal(where(), "_start")


# ---- pain 23: who may connect


def listeners(port):
    """Addresses that somebody listens at on this TCP port, as the kernel writes them: hex, network order."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        found += [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    return found


@test
def pain_23_without_a_host_only_this_machine_can_connect():
    for spelling in (":{}", "tcp::{}", "localhost:{}", "127.0.0.1:{}"):
        port = free_port()
        with Vitrine("-S", "-gdb", spelling.format(port)) as vm:
            vm.address = ("127.0.0.1", port)
            client = vm.gdb()
            equal(client.ask("qC"), "QC1")
            client.close()
            assert set(listeners(port)) <= {"0100007F", "00000000000000000000000001000000"}, listeners(port)
            assert "anybody who reaches" not in vm.words(), vm.words()


@test
def pain_23_a_wider_address_is_a_choice_and_a_warning():
    port = free_port()
    with Vitrine("-S", "-gdb", f"0.0.0.0:{port}") as vm:
        vm.address = ("127.0.0.1", port)
        vm.gdb().close()
        equal(listeners(port), ["00000000"])
        says(vm, "anybody who reaches 0.0.0.0")


@test
def pain_23_a_unix_socket_is_its_owners():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        equal(os.stat(vm.socket_path).st_mode & 0o022, 0)


# ---- pain 24: what no gdb says today, and one may say tomorrow


ODD = ["bs", "bc", "G", "G0", "g0", "vCont", "vCont;", "vCont;r", "vCont;q:1", "vCont;s:99", "Z", "Z0", "Z9,0,0", "z0,",
       "m", "m,", "m0,ffffffffffffffff", "M0,ffffffff:00", "X0,10:x", "x", "P", "P=", "p", "pffffffff", "H", "Hx0", "T",
       "qXfer:features:read:target.xml:fffffffff,1", "qXfer:osdata:read:pagetable zzz:0,1", "qXfer:", "vFile:", "vFile:open:",
       "vFile:pread:ffffffff,ffffffff,ffffffff", "vFile:close:-1", "qSearch:memory:0;ffffffffffffffff;", "qCRC:0,ffffffffffffffff",
       "qRcmd,", "qRcmd,zz", "QNonStop:1", "QThreadEvents:1", "QCatchSyscalls:1", "qTStatus", "qSymbol::", "vMustReplyEmpty",
       "vCtrlC", "vStopped", "jThreadsInfo", "qHostInfo", "QSetWorkingDir:", "qMemTags:0,0:1", "F-1", "i", "I", "t", "B",
       "e", "d", "a", "w", "\x00", "\xff" * 100, "{}", "A" * 5000, ";", ":", "?" * 100, "$", "}", "*" * 10]


@test
def pain_24_odd_packets_get_one_answer_each():
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        client = vm.gdb()
        for packet in ODD:
            if packet in ("$", "}"):  # framing, not packets
                continue
            client.send(packet.replace("}", "}]").replace("*", "}\n"))
            reply = client.reply()
            assert not reply.startswith(("T", "S", "W")), (packet, reply)
            # One answer, and the next question has its own.
            equal(client.ask("qC"), "QC1", packet)
        equal(client.ask("bs") + client.ask("bc"), "")
        assert client.ask("G").startswith("E")
        client.close()
        vm.attach()
        equal((where(), vm.serial()), ("_start", ""))


@test
def pain_24_garbage_and_wrong_checksums():
    chance = random.Random(24)
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        client = vm.gdb(no_ack=False)
        for _ in range(200):
            size = chance.randrange(1, 300)
            client.raw(bytes(chance.choice(b"$#}*+-0123456789abcdefgmMqvZz;:,\x00\x80\xff") for _ in range(size)))
        client.raw(b"#00")
        client.raw(b"$g#00$vCont;c#00$k#00$D#00")
        client.close()
        client = vm.gdb()
        equal(client.ask("qC"), "QC1")
        client.raw(b"$g#00")
        assert client.reply().startswith("E")
        equal(client.ask("qC"), "QC1")
        client.close()
        vm.attach()
        equal((where(), vm.serial()), ("_start", ""))


@test
def pain_24_gdbs_own_commands_for_what_there_is_not():
    with Debugged("long64") as vm:
        for command in ("reverse-stepi", "reverse-continue", "record", "info auxv", "info proc", "tstatus", "catch fork",
                        "set non-stop on", "info os files", "remote get /etc/passwd /dev/null", "generate-core-file /dev/null/x"):
            try:
                vm.go(command)
            except gdb.error:
                pass
        equal((where(), vm.serial()), ("_start", ""))
        equal(memory(0x100000, 4), bytes.fromhex("488d2569"))
        do("delete")


# ---- monitor


@test
def a_long_answer_of_monitor():
    with Debugged("long64"):
        out = do("monitor x/65536xb 0x100000")
        found = re.findall(r"0x([0-9a-f]{2})\b", re.sub(r"(?m)^0x[^:]*:", "", out))
        equal(len(found), 65536)
        equal(bytes(int(byte, 16) for byte in found), memory(0x100000, 65536))
        out = do("monitor x/60000s 0x100000")
        assert len(out) > 100000
        equal(where(), "_start")


@test
def ctrl_c_behind_a_long_answer():
    """One that comes too late, or while nobody waits for it, means nothing to a guest that stands still."""
    with Debugged("long64", attach=False) as vm:
        listening(vm)
        client = vm.gdb()
        for _ in range(20):
            client.send("qRcmd," + b"x/20000xb 0x100000".hex())
            client.interrupt()
            equal(client.reply(), "OK")
            equal(client.ask("qC"), "QC1")
        assert client.ask("?").startswith("T02")
        # A client that goes away in the middle of it.
        for _ in range(5):
            client.send("qRcmd," + b"x/65536xb 0x100000".hex())
            client.close()
            client = vm.gdb()
        equal(client.ask("qC"), "QC1")
        client.close()


# ---- gdb's pipe


@test
def gdb_starts_vitrine_itself():
    for kind in ("remote", "extended-remote"):
        gdb.execute("file")
        do(f"target {kind} | {VITRINE} -gdb stdio -S -kernel {guest('long64.elf')} -append every=1 2>/dev/null")
        equal(where(), "_start")
        equal(gdb.current_progspace().filename, "target:" + os.path.realpath(guest("long64.elf")))
        gdb.execute("tbreak print_line", to_string=True)
        gdb.execute("continue", to_string=True)
        equal((where(), value("line")), ("print_line", 1))
        gdb.execute("detach" if kind == "remote" else "kill", to_string=True)
        with contextlib.suppress(gdb.error):
            gdb.execute("disconnect")
        gdb.execute("file")
        gdb.execute("unset tdesc filename")


run()
