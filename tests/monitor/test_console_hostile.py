# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a guest calls its symbols, prints, and keeps in memory: the user's terminal is not its to command.

time limit: 120 s
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import TIMEOUT, VITRINE, Console, guest, need_kvm
from tap import equal, run, test

LONG64 = guest("long64.elf")
# Clears the screen, sets the title, rings, and an 8-bit CSI in UTF-8.
EVIL = ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\x1bc")


def tame(text):
    for sequence in EVIL:
        assert sequence not in text, f"{sequence!r} came to the terminal: {text!r}"


def evil_guest(folder):
    """long64 with the names of functions, objects and files replaced by others as long."""
    with open(LONG64, "rb") as file:
        image = file.read()
    for name, evil in ((b"factorial", b"f\x1b[2J\x07al"), (b"add_one", b"a\x1b]0;x\x07"), (b"counter", b"c\xc2\x9b31mX"),
                       (b"guest_main", b"g\x1bc\x1b[2Jest"), (b"main.c", b"\x1b[2J.c")):
        evil = evil[:len(name)].ljust(len(name), b"_")
        image = image.replace(b"\0" + name + b"\0", b"\0" + evil + b"\0")
    path = os.path.join(folder, "evil.elf")
    with open(path, "wb") as file:
        file.write(image)
    return path


def ask_everything(console):
    """Commands that quote what the guest has chosen."""
    for line in ("break *0x{:x}".format(console.value("work")), "info breakpoints", "info symbol $pc", "bt", "list",
                 "info line", "disassemble", "info idt", "context", "why", "trace", "info exits", "nonsense \x1b[2J",
                 "json context", "json bt", "symbol-file", "print $pc", "x/2a $rsp"):
        console.line(line.replace("\x1b", ""))
        tame(console.expect("(vitrine) "))


@test
def names_of_symbols_and_files():
    with tempfile.TemporaryDirectory() as folder:
        with Console("-kernel", evil_guest(folder), color=True) as console:
            ask_everything(console)
            console.line("continue")
            console.expect("■ ")
            tame(console.expect("(vitrine) "))
            ask_everything(console)
            console.line("list work")
            console.expect("(vitrine) ")
            console.send("break f\t\t")
            console.expect("\\x1b[2J\\x07al")
            tame(console.seen.replace("break f\x07", "break f"))  # readline's own bell
            assert "\\x1b[2J" in console.seen, console.seen[-2000:]


@test
def what_is_in_memory_and_what_the_guest_prints():
    with Console("-kernel", LONG64, "-serial", "none", color=True) as console:
        console.run("break print_line")
        console.until_stop("continue")
        for i, byte in enumerate(b"\x1b[2J\x1b]0;t\x07\xc2\x9b31m\0"):
            console.run(f"set *(u8 *)(0x180000 + {i}) = {byte}")
        for line in ("x/s 0x180000", "x/20c 0x180000", "xp/s 0x180000", "json x/s 0x180000",
                     'dprintf print_line,"%s",0x180000', "info breakpoints"):
            console.line(line)
            tame(console.expect("(vitrine) "))
        console.run("delete 1")
        console.line("continue")
        console.expect("31m")
        tame(console.seen)
        assert "\\x1b[2J\\x1b]0;t\\x07\\xc2\\x9b31m" in console.seen


@test
def what_comes_over_the_serial_port():
    need_kvm()
    with tempfile.TemporaryDirectory() as folder:
        lines = os.path.join(folder, "lines")
        with open(lines, "w", encoding="utf-8") as file:
            file.write('serial send "\\x1b[2J\\x9b2J\\x07 end"\nbreak print_line\ncontinue\nquit\n')
        answer = subprocess.run([VITRINE, "-S", "-gdb", "none", "-batch", lines, LONG64], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, timeout=TIMEOUT, check=False).stdout
        equal(sorted(b for b in set(answer) if b < 32 and b not in b"\n\t"), [])
        assert b"\x9b" not in answer and b"\\x1b[2J\\x9b2J\\x07 end" in answer, answer


run()
