# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of real guests in bulk: found, compared, dumped, restored, written; with the guest going on with
what was put there.

time limit: 120 s
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import TAB, Console, batch, guest
from rsp import Client, elf_symbols
from tap import equal, run, skip, test

LONG64 = guest("long64.elf")
SYMBOLS = elf_symbols(LONG64)


def at_work(console):
    console.run("break work")
    console.until_stop("continue")


@test
def texts_and_code_are_found_where_they_are():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        found = console.run('find "hello, debugger"').splitlines()
        address = int(found[0].split()[0], 16)
        equal(found[-1], "1 found")
        equal(console.run(f"x/s {address:#x}").split('"')[1], "hello, debugger")
        equal(console.run('find -p "hello, debugger"').split()[0], f"{address:#x}")
        start, size = SYMBOLS["counter_add"]
        first = console.memory(f"{start:#x}")
        assert f"{start:#x} <counter_add>\n" in console.run(f"find image_start, text_end, {first:#x}")
        held = re.findall(r" (0x[0-9a-f]{2})\b", console.run(f"x/{size}xb {start:#x}"))
        equal(len(held), size)
        at = [f"{start + i:#x}" for i, byte in enumerate(held) if byte == "0x55"]
        equal(re.findall(r"^0x[0-9a-f]+", console.run(f"find/b {start:#x}, +{size}, 0x55"), re.M), at)
        assert "nothing found" in console.run('find "not to be found anywhere"')


@test
def memory_that_is_set_is_what_the_guest_reads():
    with Console("-kernel", LONG64) as console:
        console.run("break print_line")
        console.until_stop("continue")
        console.run("set *(u32 *)message_number = 4")
        console.run("set *(u32 *)(counter + 4) = 100")
        console.until_stop("continue")
        assert "message 4: the display case is open" in console.serial(), console.serial()
        equal(console.memory("&counter", "w"), 101)
        assert "nothing is mapped" in console.run("set *(u8 *)0 = 1")
        assert "does not fit" in console.run("set *(u8 *)counter = 300")


@test
def an_address_wider_than_the_processors_is_a_reserved_bit():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        answer = console.run("info cpuid 0x80000008").splitlines()[-1]
        width = int(answer.split()[1], 16) & 0xff
        if width >= 52:
            skip("needs a processor whose physical addresses have less than 52 bits")
        walk = console.run("pt $rsp")
        at, entry = re.search(r"PT  \[ *\d+\] at (0x[0-9a-f]+) = (0x[0-9a-f]+)", walk).groups()
        console.run(f"set *(u64 *){at} = {int(entry, 16) | 1 << width:#x}")
        assert "a reserved bit is set: #PF, error code 9 for a kernel read" in console.run("pt $rsp")
        assert "reserved bit" in console.run("x/gx $rsp")
        console.run(f"set *(u64 *){at} = {entry}")
        equal(console.run("pt $rsp"), walk)


@test
def files_get_the_rights_that_the_user_wants():
    before = os.umask(0o077)
    try:
        with Console("-kernel", LONG64) as console:
            path = console.folder + "/file"
            for lines in (["dump {} messages 8"], ["snapshot save here", "snapshot write here {}"]):
                for line in lines:
                    console.run(line.format(path))
                equal(os.stat(path).st_mode & 0o777, 0o600)
                os.remove(path)
    finally:
        os.umask(before)


@test
def a_dump_is_what_is_there_and_comes_back():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        start, size = SYMBOLS["messages"]
        path = console.folder + "/dump"
        assert "bytes from" in console.run(f"dump {path} messages {size}")
        with open(path, "rb") as file:
            data = file.read()
        equal(len(data), size)
        equal(int.from_bytes(data[:8], "little"), console.memory("messages"))
        console.run("restore %s 0x300000" % path)
        assert f"all {size} bytes are the same" in console.run(f"compare messages 0x300000 {size}")
        console.run("set *(u8 *)0x300003 = *(u8 *)0x300003 ^ 0xff")
        answer = console.run(f"compare messages 0x300000 {size}")
        assert f"  {start + 3:#x} / 0x300003      1  " in answer and f"1 of {size} bytes differ" in answer, answer
        with open(path, "wb") as file:
            file.write(b"\x00\x11\x22\x33" * 40000)
        console.run(f"restore -p {path} 0x400000")
        equal(console.memory("0x400000 + 159996", "w"), 0x33221100)


@test
def a_files_name_is_completed():
    with Console("-kernel", LONG64) as console:
        with open(console.folder + "/a-long-name", "wb") as file:
            file.write(b"abc")
        console.send(f"restore {console.folder}/a-lo{TAB} 0x300000\r")
        console.expect("bytes of the file")
        console.expect("(vitrine) ")
        equal(console.run("x/3c 0x300000").count("'"), 6)


@test
def slots_are_where_ram_is():
    with Console("-kernel", LONG64, "-m", "64M") as console:
        at_work(console)
        slots = re.findall(r"\n? +(\d+)  0x([0-9a-f]+)-0x([0-9a-f]+) ", console.run("info memory-slots"))
        covered = sum(int(last, 16) - int(first, 16) + 1 for _, first, last in slots)
        equal(covered, (64 << 20) - (128 << 10))  # the text screen and what lies behind it
        console.run("delete")
        assert "read-only" not in console.run("info memory-slots")
        host = int(re.search(r"hva 0x([0-9a-f]+)", console.run("info memory-slots")).group(1), 16)
        assert f"hva: {host:#x} in" in console.run("gpa2hva 0")


COMMANDS = ('find "hello, debugger"', "compare work work+8 8", "compare work work 16")


@test
def the_same_through_gdb_in_batch_and_as_json():
    with Console("-kernel", LONG64) as console:
        at_work(console)
        gdb = Client(console.socket)
        gdb.ask("?")
        through_gdb = {command: gdb.monitor(command) for command in COMMANDS}
        gdb.close()
    answers = batch(["break work", "continue", *COMMANDS, *("json " + line for line in COMMANDS)], "-kernel", LONG64)
    for command in COMMANDS:
        equal(through_gdb[command], answers[command], command)
        assert json.loads(answers["json " + command])["ok"]
    equal(json.loads(answers["json " + COMMANDS[0]])["result"]["found"], [answers[COMMANDS[0]].split()[0]])
    equal(json.loads(answers["json " + COMMANDS[2]])["result"], {"differences": [], "differ": 0})


run()
