# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that run by themselves, and what a user sends into a real machine.

time limit: 120 s
"""
import os
import re
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import CTRL_C, PROMPT, TIMEOUT, Console, batch, guest, plain
from rsp import Client, elf_symbols
from tap import equal, run, test

LONG64 = guest("long64.elf")
SYMBOLS = elf_symbols(LONG64)


def wait_for(condition, what):
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@test
def a_point_prints_and_goes_on():
    with Console("-kernel", LONG64) as console:
        console.run("break counter_add if counter->value < 3 do silent; continue".replace("counter->value", "*(u32 *)counter"))
        console.run("break print_line do silent; print *(u32 *)counter; continue")
        console.line("continue")
        console.expect("running")
        for count in (1, 2, 3):
            console.expect(f"0x{count:x} = {count}\r\n")
        console.interrupt()


@test
def commands_come_line_by_line():
    with Console("-kernel", LONG64) as console:
        console.run("break work")
        console.send("commands\r")
        console.expect("> ")
        console.send("bt 1\r")
        console.expect("> ")
        console.send("echo that was all\r")
        console.expect("> ")
        console.send("end\r")
        console.expect(PROMPT)
        console.line("continue")
        screen = plain(console.expect("that was all"))
        assert "■ vCPU 0: breakpoint 1" in screen and "#0  0x" in screen, screen
        console.expect(PROMPT)
        console.send("commands 1\r")
        console.expect("> ")
        console.send("echo half a")
        console.send(CTRL_C)
        console.expect("^C")
        console.expect(PROMPT)
        assert "that was all" in console.run("info breakpoints")


@test
def a_file_reads_like_a_session():
    with Console("-kernel", LONG64) as console:
        path = console.folder + "/lines"
        with open(path, "w", encoding="utf-8") as file:
            file.write("# comment\nbreak work\ncontinue\nprint $edi\ncontinue\nprint $edi\n")
        console.line("source " + path)
        answer = plain(console.expect("0x2 = 2"))
        assert answer.count("■ vCPU 0: breakpoint 1") == 2 and "0x1 = 1\n" in answer, answer
        console.expect(PROMPT)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"source {path}\n")
        console.line("source " + path)
        console.expect("does a file source itself?")
        console.expect(PROMPT)
        equal(console.run("print 1"), "0x1 = 1\n")


@test
def the_users_file_runs_first():
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(home + "/vitrine")
        with open(home + "/vitrine/init", "w", encoding="utf-8") as file:
            file.write("break work\nset disassembly-flavor intel\n")
        old = os.environ.get("XDG_CONFIG_HOME")
        os.environ["XDG_CONFIG_HOME"] = home
        try:
            with Console("-kernel", LONG64) as console:
                assert "mov    dword ptr" in console.until_stop("continue")
            with Console("-kernel", LONG64, "-nx") as console:
                assert "no breakpoints" in console.run("info breakpoints")
            with Console("-kernel", LONG64, paused=False) as console:  # it runs on as it would without the file
                assert "breakpoint 1" in console.stop()
        finally:
            os.environ.pop("XDG_CONFIG_HOME")
            if old is not None:
                os.environ["XDG_CONFIG_HOME"] = old


@test
def text_for_the_serial_port():
    with Console("-kernel", LONG64) as console:
        console.go()
        console.run('serial send "ab"')
        wait_for(lambda: "got 'b'" in console.serial(), "the guest heard nothing")
        text = "0123456789cdefghijklmnopqrstuvwxyz"  # more than the UART holds
        console.run(f'serial send "{text}"')
        wait_for(lambda: "got 'z'" in console.serial(), "not all of it came")
        equal("".join(re.findall(r"got '(.)'", console.serial())), "ab" + text)


@test
def interrupts_and_keys():
    with Console("-kernel", LONG64) as console:
        console.run("break serial_interrupt")
        console.run("break work")
        console.until_stop("continue")
        console.run("delete 2")
        console.run("irq 4")
        assert "breakpoint 1" in console.until_stop("continue")
        console.run("send-key a")
        assert re.search(r" 1  0x21  keyboard +requested masked high", console.run("info pic")), console.run("info pic")
        console.run("delete")
        console.run("break *isr2")
        console.run("nmi")
        assert "isr2" in console.until_stop("continue")


@test
def gdb_where_one_wants_it():
    with Console("-kernel", LONG64) as console:
        other = console.folder + "/other"
        assert f"gdb is taken at unix:{console.socket}" in console.run("gdbserver")
        assert f"gdb is taken at unix:{other}" in console.run("gdbserver unix:" + other)
        assert not os.path.exists(console.socket)
        gdb = Client(other)
        gdb.ask("?")
        console.expect("gdb attached; it holds the machine")
        console.expect(PROMPT)
        assert "saw off the branch" in gdb.monitor("gdbserver off")
        assert "one is attached" in console.run("gdbserver")
        console.line("gdbserver off")
        console.expect("gdb left")
        console.expect(PROMPT)
        assert "held by gdb" not in console.run("info status")
        gdb.close(abruptly=True)
        answer = console.run("gdbserver :0")
        port = int(re.search(r":(\d+)\n", answer).group(1))
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT).close()
        console.expect("gdb left")
        console.expect(PROMPT)
        assert "No such file" in console.run("gdbserver unix:/no/such/folder/socket")
        assert "no gdb is taken" in console.run("gdbserver off")


@test
def quit_asks_while_gdb_is_attached():
    with Console("-kernel", LONG64) as console:
        gdb = Client(console.socket)
        gdb.ask("?")
        console.expect("gdb attached; it holds the machine")
        console.expect(PROMPT)
        console.line("quit")
        console.expect("quit all the same? (y or n) ")
        console.send("n\r")
        console.expect(PROMPT)
        console.line("quit")
        console.expect("quit all the same? (y or n) ")
        console.send("y\r")
        equal(console.end(), 0)
        gdb.close()


@test
def commands_in_batch():
    answers = batch(["break work do silent; print 0x77; continue", "tbreak print_line", "continue", "print 0x99"],
                    "-kernel", LONG64)
    text = "".join(answers.values())
    assert "0x77 = 119\n" in text and "breakpoint 2" in text and text.endswith("0x99 = 153\n"), text


run()
