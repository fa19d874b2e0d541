# SPDX-License-Identifier: GPL-3.0-or-later
"""What hands do at a terminal: TAB, arrows, Ctrl-C, Ctrl-R, and typing while something is printed.

time limit: 120 s
"""
import os
import re
import signal
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import CTRL_C, CTRL_D, CTRL_R, ESCAPES, PROMPT, TAB, UP, Console, guest, plain
from rsp import Client
from tap import equal, run, test

LONG64 = guest("long64.elf")


def complete(console, text):
    """Types text and TAB, then Enter; returns the line that was run, as the echo shows it."""
    console.send(text + TAB)
    time.sleep(0.1)
    console.send("\r")
    line = plain(console.expect("\n")).replace("\a", "").strip()
    console.expect(PROMPT)
    return line


@test
def tab_completes_what_can_stand_there():
    with Console("-kernel", LONG64) as console:
        equal(complete(console, "info cap"), "info capabilities")
        equal(complete(console, "i st"), "i status")
        equal(complete(console, "info symbol guest_m"), "info symbol guest_main")
        equal(complete(console, "print $efl"), "print $eflags")
        equal(complete(console, "p 1+sum_of"), "p 1+sum_of_squares")
        equal(complete(console, "x/2i factor"), "x/2i factorial")
        equal(complete(console, "set disas" + TAB + "i"), "set disassembly-flavor intel")
        equal(complete(console, "help disas"), "help disassemble")
        equal(complete(console, "help info reg"), "help info registers")
        equal(complete(console, "help trace f"), "help trace follow")
        equal(complete(console, "help refe"), "help reference")
        equal(complete(console, "json info stat"), "json info status")
        equal(complete(console, "json p sum_of"), "json p sum_of_squares")
        console.run("break work")
        equal(complete(console, "commands 1 disas"), "commands 1 disassemble")
        equal(complete(console, "nonsense xy"), "nonsense xy")


@test
def tab_goes_on_where_a_path_does():
    with Console("-kernel", LONG64) as console:
        os.mkdir(console.folder + "/folder")
        with open(console.folder + "/folder/bytes", "wb"):
            pass
        console.send(f"dump {console.folder}/fol{TAB}by{TAB}0x100000 4\r")
        console.expect(f"dump {console.folder}/folder/bytes 0x100000 4\r\n")
        console.expect("4 bytes from 0x100000 on")
        console.expect(PROMPT)
        equal(os.path.getsize(console.folder + "/folder/bytes"), 4)
        console.send(f"gdbserver un{TAB}{console.folder}/other\r")
        console.expect(f"gdb is taken at unix:{console.folder}/other\r\n")


@test
def snapshots_have_names_to_complete():
    with Console("-kernel", LONG64) as console:
        console.run("snapshot save before_paging")
        equal(complete(console, "snapshot restore bef"), "snapshot restore before_paging")
        equal(complete(console, "loadvm b"), "loadvm before_paging")
        path = os.path.join(console.folder, "machine.snapshot")
        with open(path, "wb"):
            pass
        equal(complete(console, f"snapshot write before_paging {path[:-6]}"), f"snapshot write before_paging {path}")
        answer = console.run(f"snapshot write before_paging {path}")
        equal(answer.startswith(f"before_paging is in {path}, "), True, answer)
        equal(complete(console, f"snapshot read {path[:-6]}"), f"snapshot read {path}")
        equal(complete(console, f"snapshot read {path} bef"), f"snapshot read {path} before_paging")
        equal(complete(console, f"trace instructions 0 {path[:-6]}"), f"trace instructions 0 {path}")
        assert "before_paging" in console.run("snapshot list")
        equal(complete(console, "delvm b"), "delvm before_paging")
        assert "from 1 to" in console.run("snapshot save " + "a" * 80)
        equal(complete(console, "delvm m"), "delvm machine.snapshot")
        assert "no snapshots" in console.run("snapshot list")


@test
def tab_twice_lists_what_is_possible():
    with Console("-kernel", LONG64) as console:
        console.send("break isr1" + TAB)
        time.sleep(0.1)
        console.send(TAB + TAB)
        listed = plain(console.expect(PROMPT))
        for name in ("isr1", "isr10", "isr19"):
            assert name in listed.split(), listed
        console.expect("break isr1")


@test
def the_history_stays_between_runs():
    with tempfile.TemporaryDirectory() as state:
        with Console("-kernel", LONG64, state=state) as console:
            for line in ("echo first", "echo second", "echo second", "", "   "):
                console.run(line)
            console.line("quit")
            equal(console.end(), 0)
        path = os.path.join(state, "vitrine", "history")
        equal(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
        with open(path, encoding="utf-8") as file:
            equal(file.read().splitlines(), ["echo first", "echo second", "quit"])
        with Console("-kernel", LONG64, state=state) as console:
            console.line(UP + UP + UP)
            equal(plain(console.expect(PROMPT)), "first\n")
            console.line(CTRL_R + "sec")
            equal(plain(console.expect(PROMPT)), "second\n")


@test
def a_killed_vitrine_keeps_its_history():
    with tempfile.TemporaryDirectory() as state:
        with Console("-kernel", LONG64, state=state) as console:
            console.run("echo before the end")
            console.child.kill(9)
            console.child.wait()
        with open(os.path.join(state, "vitrine", "history"), encoding="utf-8") as file:
            equal(file.read(), "echo before the end\n")


@test
def ctrl_c_clears_the_line_and_a_search():
    with Console("-kernel", LONG64) as console:
        console.send("this is not a command")
        console.expect("command")
        console.send(CTRL_C)
        console.expect("^C")
        console.expect(PROMPT)
        equal(console.run("echo clean"), "clean\n")
        console.send(CTRL_R + "ech")
        console.expect("ech")
        console.send(CTRL_C)
        console.expect("^C")
        console.expect(PROMPT)
        equal(console.run("echo clean again"), "clean again\n")


@test
def ctrl_c_ends_a_long_answer():
    with Console("-kernel", LONG64, "-m", "1G") as console:
        console.line("find/b999999 0x1000000, +0x30000000, 0")  # a minute and more
        console.send(CTRL_C)
        console.expect("interrupted")
        assert re.fullmatch(r"; from 0x[1-4][0-9a-f]{6,7} on nothing was looked at", plain(console.expect(PROMPT)).strip())
        equal(console.run("print 2 + 3"), "0x5 = 5\n")
        path = os.path.join(console.folder, "memory")
        console.line(f"dump {path} 0x100000 0x3ff00000")
        console.send(CTRL_C)
        console.expect("interrupted")
        console.expect(PROMPT)
        equal([name for name in os.listdir(console.folder) if name.startswith("memory")], [])
        assert "VM status: paused" in console.run("info status")


@test
def ctrl_c_ends_a_search_without_a_hit():
    with Console("-kernel", LONG64) as console:
        console.run("break work")
        console.until_stop("continue")
        table = console.value("$cr3 & ~0xfff")
        path = os.path.join(console.folder, "entries")
        with open(path, "wb") as file:  # 127 TiB of nothing but the tables themselves, again and again
            file.write(struct.pack("<Q", table | 3) * 255)
        console.run(f"restore {path} {table + 8:#x}")
        console.line('find 0x8000000000, +0x7f0000000000, "no such text"')
        console.send(CTRL_C)
        console.expect("interrupted; from 0x")
        assert console.expect(PROMPT)
        equal(console.run("print 2 + 3"), "0x5 = 5\n")


@test
def ctrl_d_ends_vitrine():
    with Console("-kernel", LONG64) as console:
        console.send(CTRL_D)
        equal(console.end(), 0)


@test
def the_delete_key_in_an_empty_line_is_nothing():
    with Console("-kernel", LONG64) as console:
        for _ in range(2):
            console.send("\033[3~")
            console.send("print 1\r")
            said = plain(console.expect(PROMPT)).replace("\a", "").replace("\r", "")
            assert said.split("print 1\n")[1].startswith("0x1 = 1\n"), said


@test
def an_empty_line_goes_on():
    with Console("-kernel", LONG64) as console:
        first = console.run("x/4gx 0x100000")
        assert first.startswith("0x100000"), first
        assert console.run("").startswith("0x100020"), "x"
        assert "0x100040" in console.run(""), "x again"
        console.run("disassemble guest_main 3")
        following = console.run("")
        assert "<guest_main+0x" in following and "<guest_main>" not in following, following
        console.run("echo once")
        equal(console.run(""), "")


@test
def a_mistyped_command_names_the_nearest():
    with Console("-kernel", LONG64) as console:
        assert "did you mean `continue`?" in console.run("contniue")
        assert "did you mean `info registers`?" in console.run("info regsters")
        assert "did you mean `guest_main`?" in console.run("break guest_mian")
        assert "there is no symbol `qqqqqqqq` in the guest's image" in console.run("print qqqqqqqq + 1")
        assert "ambiguous: step, stop" in console.run("st")
        assert "`help` lists" in console.run("abracadabra")


@test
def what_is_printed_while_typing_leaves_the_line_alone():
    with Console("-kernel", LONG64) as console:
        console.go()
        console.send("echo half a li")
        console.expect("half a li")
        gdb = Client(console.socket)
        gdb.ask("?")
        console.expect("■ vCPU 0: paused by gdb at ")
        console.expect(PROMPT)
        console.expect("echo half a li")
        console.line("ne")
        equal(plain(console.expect(PROMPT)), "half a line\n")
        console.send("echo the other ha")
        console.expect("ha")
        gdb.close()
        console.expect("the connection was lost")
        console.expect("echo the other ha")
        console.line("lf")
        equal(plain(console.expect(PROMPT)), "the other half\n")


@test
def colours_only_where_they_are_wanted():
    with Console("-kernel", LONG64, color=True) as console:
        console.line("step")
        assert "\x1b[1;31m■" in console.expect("vCPU") , "colours"
    with Console("-kernel", LONG64, color=False) as console:
        console.line("step")
        shown = console.expect(PROMPT).replace("\x1b[?2004h", "").replace("\x1b[?2004l", "")
        assert not ESCAPES.search(shown), shown


@test
def a_narrow_terminal_and_a_long_line():
    with Console("-kernel", LONG64, size=(24, 40)) as console:
        console.go()
        long = "0123456789" * 12
        console.send("echo " + long)
        console.expect("6789")
        console.send(CTRL_C)
        console.expect("paused")
        console.expect(PROMPT)
        console.line("")
        equal(plain(console.expect(PROMPT)), long + "\n")
        equal(console.run("echo still here"), "still here\n")
        refusal = console.run("info cr2")
        assert "shown by `info registers cr2`" in refusal.replace("\n", " "), refusal
        assert 1 < refusal.count("\n") and max(map(len, refusal.splitlines())) < 40, refusal


@test
def stopped_and_continued_by_the_shell():
    with Console("-kernel", LONG64) as console:
        console.send("echo half")
        console.expect("half")
        for signal_number in (signal.SIGSTOP, signal.SIGCONT):
            console.child.kill(signal_number)
            time.sleep(0.1)
        console.expect("echo half")
        console.line(" and half")
        equal(plain(console.expect(PROMPT)), "half and half\n")


@test
def many_matches_are_cut_and_nothing_waits_for_an_answer():
    with Console("-kernel", LONG64) as console:
        console.send("break " + TAB)
        time.sleep(0.1)
        console.send(TAB)
        listed = plain(console.expect(" more\r\n")).split()
        equal(listed[-3:-1], ["...", "and"])
        assert 100 <= len(listed) < 110 and "counter" in listed, listed
        console.expect("break ")
        console.send(CTRL_C)
        console.expect(PROMPT)
        equal(console.run("echo there"), "there\n")


@test
def help_fits_the_screen():
    with Console("-kernel", LONG64) as console:
        text = console.run("help")
        assert len(text.splitlines()) < 24 and all(len(line) <= 80 for line in text.splitlines()), text
        for name in ("break", "info registers", "continue", "pt"):
            assert name in text, name
        assert "x[/FMT] [ADDR]" in console.run("help x")


run()
