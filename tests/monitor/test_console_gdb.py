# SPDX-License-Identifier: GPL-3.0-or-later
"""The console beside gdb: each is told what the other does, and nobody resumes behind gdb's back.

time limit: 120 s
"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import CTRL_C, PROMPT, Console, guest, plain
from rsp import Client, elf_symbols
from tap import equal, run, skip, test

LONG64 = guest("long64.elf")
SYMBOLS = elf_symbols(LONG64)


def attach(console):
    client = Client(console.socket)
    client.ask("?")
    console.expect("gdb attached; it holds the machine")
    console.expect(PROMPT)
    return client


@test
def gdb_stops_and_resumes_and_the_console_says_so():
    with Console("-kernel", LONG64) as console:
        console.go()
        gdb = attach(console)
        console.expect("■ vCPU 0: paused by gdb at ")
        console.expect(PROMPT)
        gdb.send("vCont;c")
        console.expect("running (by gdb)")
        console.expect(PROMPT)
        time.sleep(0.2)
        gdb.interrupt()
        gdb.reply()
        console.expect("■ vCPU 0: paused by gdb at ")
        console.expect(PROMPT)
        gdb.close()


@test
def the_console_stops_what_gdb_runs_and_gdb_hears_of_it():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        gdb.send("vCont;c")
        console.expect("running (by gdb)")
        console.expect(PROMPT)
        console.send(CTRL_C)
        assert gdb.reply().startswith("T02")
        console.expect("■ vCPU 0: paused from the console at ")
        console.expect(PROMPT)
        gdb.send("vCont;c")
        console.expect("running (by gdb)")
        console.expect(PROMPT)
        console.line("stop")
        assert gdb.reply().startswith("T02")
        gdb.close()


@test
def the_console_does_not_resume_what_gdb_holds():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        for command in ("continue", "step"):
            answer = console.run(command)
            assert "gdb is attached and holds the machine" in answer and "`detach`" in answer, answer
        assert "held by gdb" in console.run("info status")
        pc = int.from_bytes(bytes.fromhex(gdb.ask("p10")), "little")
        equal(console.value("$rip"), pc)
        assert gdb.quiet(0.2), "gdb was told of something"
        equal(gdb.ask("D"), "OK")
        console.expect("running (by gdb)")
        console.expect(PROMPT)
        assert "paused" in console.interrupt()
        assert "step" in console.until_stop("step")
        gdb.close()


@test
def a_breakpoint_of_gdb_is_announced_and_listed():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        address = SYMBOLS["counter_add"][0]
        equal(gdb.ask(f"Z0,{address:x},1"), "OK")
        gdb.send("vCont;c")
        assert gdb.reply().startswith("T05")
        console.expect("■ vCPU 0: breakpoint 1 at counter_add")
        console.expect(PROMPT)
        assert "1   gdb " in console.run("info breakpoints")
        assert "belongs to gdb" in console.run("delete 1")
        equal(gdb.ask(f"z0,{address:x},1"), "OK")
        assert "no breakpoints" in console.run("info breakpoints")
        gdb.close()


@test
def many_steps_of_gdb_are_one_announcement():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        for _ in range(100):
            gdb.ask("vCont;s:1")
        console.expect("■ vCPU 0: step at ")
        console.expect(PROMPT)
        time.sleep(0.4)
        console.line("echo done")
        shown = plain(console.expect(PROMPT))
        assert shown.count("■") < 5, shown
        gdb.close()


@test
def monitor_commands_answer_gdb():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        assert "* vCPU 0: long mode" in gdb.monitor("info cpus")
        assert "0x%x" % SYMBOLS["work"][0] in gdb.monitor("print work")
        assert "4 levels" in gdb.monitor("pt work")
        assert "did you mean" in gdb.monitor("contniue")
        for command in ("continue", "c", "step", "s"):
            assert "gdb's own" in gdb.monitor(command), command
        assert gdb.quiet(0.2)
        assert "\x1b" not in gdb.monitor("context")
        assert len(gdb.monitor("x/4000xb work")) > 20000
        equal(console.run("echo undisturbed"), "undisturbed\n")
        gdb.close()


@test
def points_of_a_lost_gdb_go_and_the_consoles_stay():
    with Console("-kernel", LONG64) as console:
        console.run("break work")
        gdb = attach(console)
        gdb.ask(f"Z0,{SYMBOLS['print_line'][0]:x},1")
        gdb.monitor("hbreak factorial")
        equal(console.run("info breakpoints").count("\n"), 7)
        gdb.close()
        console.expect("the connection was lost")
        console.expect(PROMPT)
        listed = console.run("info breakpoints")
        assert "work+0x" in listed and "print_line" not in listed and "factorial" not in listed, listed
        assert "breakpoint 1" in console.until_stop("continue")


def print_commands(text, persists):
    """What a dprintf without values adds to a Z0 packet (gdb manual, "Agent Expressions")."""
    size = len(text) + 1
    code = f"2200220034{0:02x}{size:04x}{text.encode().hex()}0027"
    return f";cmds:{persists},X{len(code) // 2:x},{code}"


@test
def a_dprintf_of_gdb_prints_in_gdb_alone():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        equal(gdb.ask(f"Z0,{SYMBOLS['print_line'][0]:x},1" + print_commands(r"a line\n", 0)), "OK")
        equal(gdb.ask(f"Z0,{SYMBOLS['counter_add'][0]:x},1"), "OK")
        listed = console.run("info breakpoints")
        assert r'prints "a line\n" and goes on' in listed, listed
        for _ in range(2):
            gdb.send("vCont;c")
            assert gdb.reply().startswith("T05")
            shown = plain(console.expect("■ vCPU 0: breakpoint 2 at counter_add"))
            assert "a line" not in shown, shown
        equal(gdb.console, "a line\n")
        gdb.close()


@test
def a_persistent_dprintf_is_the_consoles_when_gdb_detaches():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        equal(gdb.ask(f"Z0,{SYMBOLS['print_line'][0]:x},1" + print_commands(r"stays\n", 1)), "OK")
        equal(gdb.ask(f"Z0,{SYMBOLS['work'][0]:x},1" + print_commands(r"goes\n", 0)), "OK")
        equal(gdb.ask("D"), "OK")
        console.expect("running (by gdb)")
        console.expect("stays")
        console.expect("stays")
        gdb.close()
        console.interrupt()
        listed = console.run("info breakpoints")
        assert "console" in listed and r'prints "stays\n" and goes on' in listed, listed
        assert "goes\n" not in listed and "gdb" not in listed, listed
        console.run("delete 1")
        assert "no breakpoints" in console.run("info breakpoints")


@test
def a_persistent_dprintf_goes_with_a_lost_gdb():
    with Console("-kernel", LONG64) as console:
        gdb = attach(console)
        equal(gdb.ask(f"Z0,{SYMBOLS['print_line'][0]:x},1" + print_commands(r"goes\n", 1)), "OK")
        gdb.close()
        console.expect("the connection was lost")
        console.expect(PROMPT)
        assert "no breakpoints" in console.run("info breakpoints")


@test
def the_real_gdb_and_its_monitor_command():
    if not shutil.which("gdb"):
        skip("needs gdb")
    with Console("-kernel", LONG64) as console:
        script = ["target remote " + console.socket, "monitor info registers rip", "monitor continue",
                  "break counter_add", "continue", "monitor bt", "monitor info breakpoints", "detach"]
        commands = [part for line in script for part in ("-ex", line)]
        answer = subprocess.run(["gdb", "-nx", "-batch", *commands, LONG64], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=60, check=False).stdout
        assert "rip            0x%x " % SYMBOLS["_start"][0] in answer, answer
        assert "use gdb's own `continue`" in answer, answer
        assert "Breakpoint 1, counter_add" in answer, answer
        assert "#1  0x" in answer and " work+0x" in answer, answer
        console.expect("running (by gdb)")
        console.expect(PROMPT)


run()
