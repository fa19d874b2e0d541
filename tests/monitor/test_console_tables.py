# SPDX-License-Identifier: GPL-3.0-or-later
"""Page tables and descriptor tables of real guests, as the console shows them: compared with what lies in
the guests' memory.

time limit: 120 s
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import Console, batch, guest
from rsp import Client, elf_symbols
from tap import equal, run, test

LONG64, REAL16, PROT32 = guest("long64.elf"), guest("real16.elf"), guest("prot32.elf")
SYMBOLS = elf_symbols(LONG64)
PRESENT, WRITE, USER, LARGE, NX = 1, 2, 4, 0x80, 1 << 63


def at(console, place):
    console.run("break " + place)
    console.until_stop("continue")


def words(console, address, count):
    answer = console.run(f"xp/{count}gx {address:#x}")
    return [int(word, 16) for line in answer.splitlines() for word in line.split(": ")[1].split()]


def walk(console, linear):
    """The walk by hand: every entry, and what comes out."""
    table, entries = console.value("$cr3") & ~0xfff, []
    for shift in (39, 30, 21, 12):
        where = table + (linear >> shift & 511) * 8
        entry = words(console, where, 1)[0]
        entries.append((where, entry))
        if not entry & PRESENT:
            return entries, None
        table = entry & 0x000ffffffffff000
        if entry & LARGE and shift > 12:
            break
    return entries, table + (linear & ((1 << shift) - 1))


@test
def a_walk_is_drawn_as_the_tables_are():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        for linear in (SYMBOLS["work"][0], SYMBOLS["counter"][0] + 3, 0x12345678, 0, 0xfee00123):
            picture = console.run(f"pt {linear:#x}")
            entries, physical = walk(console, linear)
            drawn = [(int(a, 16), int(b, 16)) for a, b in
                     re.findall(r"\] at 0x([0-9a-f]+) = 0x([0-9a-f]{16}) ", picture)]
            equal(drawn, entries)
            if physical is None:
                assert "NOT PRESENT" in picture and "error code 0 for a kernel read" in picture, picture
            else:
                assert f"→ physical {physical:#x}" in picture, picture
                equal(console.run(f"gva2gpa {linear:#x}"), f"gpa: {physical:#x}\n")
        assert "kernel execute 0x11" in console.run("pt counter")
        assert "kernel write 0x3" in console.run("pt work")
        assert "(no RAM)" in console.run("pt 0xfee00123")


def ranges(answer):
    return [(int(a, 16), int(b, 16), rights) for a, b, rights in
            re.findall(r"0x([0-9a-f]+)-0x([0-9a-f]+) +\S+  (.*)\n", answer)]


def section(name):
    return SYMBOLS[name][0]


@test
def the_ranges_are_those_that_the_guest_made():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        found = ranges(console.run("info mem"))
        code, constants, data, end = (section(name) for name in
                                      ("image_start", "text_end", "rodata_end", "image_end"))
        equal(found[:4], [(0x1000, code - 1, "rwx kernel"), (code, constants - 1, "r-x kernel"),
                          (constants, data - 1, "r-- kernel"), (data, end - 1, "rw- kernel")])
        equal(found[4], (end, (1 << 32) - 1, "rwx kernel"))
        equal(ranges(console.run("info mem work")), found[1:])
        pages = re.findall(r"0x([0-9a-f]+) → 0x([0-9a-f]+) +(\d+) × (\w+)", console.run("info tlb"))
        assert all(linear.lstrip("0") == physical for linear, physical, _, _ in pages), pages
        equal(sum(int(count) * {"4K": 4 << 10, "2M": 2 << 20}[size] for _, _, count, size in pages),
              (4 << 30) - 4096)
        equal(pages[-1][2:], ("2046", "2M"))


@test
def tables_of_long_mode():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        gdt = console.run("info gdt")
        assert gdt.startswith(f"gdt at {SYMBOLS['gdt'][0]:#x} <gdt>, limit 0x47\n"), gdt
        assert "\n  0x08  code, 64 bits, readable, accessed, dpl 0, flat   ← cs\n" in gdt, gdt
        assert "\n  0x28  code, 64 bits, readable, accessed, dpl 3, flat\n" in gdt, gdt
        assert f"base {SYMBOLS['task'][0]:#x} limit 0x67   ← tr\n" in gdt, gdt
        idt = console.run("info idt")
        assert idt.startswith(f"idt at {SYMBOLS['idt'][0]:#x} <idt>, limit 0xfff\n"), idt
        for vector in (0, 14, 47, 128):
            handler = f"0x8:{SYMBOLS[f'isr{vector}'][0]:#x} <isr{vector}>\n"
            assert re.search(rf"\n +{vector} .*{handler}", idt), idt
        assert "  48-127  empty\n" in idt and " 129-255  empty\n" in idt, idt
        assert "dpl 3" in console.run("info idt 128")
        tss = console.run("info tss")
        assert f"  rsp0    {SYMBOLS['stack_top'][0]:#x} <stack_top>\n" in tss, tss
        assert "there is no LDT" in console.run("info ldt")


@test
def real_mode_has_vectors():
    with Console("-kernel", REAL16) as console:
        start = SYMBOLS_16["real_start"][0]
        assert "ivt at 0x0" in console.run("info ivt 0")
        assert "info ivt" in console.run("info idt")
        assert "real mode does not use it" in console.run("info gdt")
        equal(console.value("$cs:$ip"), start)
        equal(console.value("0x7c0:0"), start)
        equal(console.value("0xf000:0xfff0"), 0xffff0)
        assert f"→ {start:#x} <real_start>" in console.run("x/i cs:$ip")
        assert f"breakpoint 1 at {start:#x}" in console.run("break 0x7c0:0")
        console.run("delete")
        at(console, "prot_enable_paging")
        assert "paging is off" in console.run("info mem")
        assert "code, 32 bits" in console.run("info gdt")


SYMBOLS_16 = elf_symbols(REAL16)


@test
def a_host_address_is_where_the_guests_byte_is():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        console.run("set $rax = *(u64 *)counter")
        answer = re.match(r"hva: 0x([0-9a-f]+) in process (\d+)", console.run("gpa2hva counter"))
        address, process = int(answer.group(1), 16), int(answer.group(2))
        equal(process, console.child.pid)
        with open(f"/proc/{process}/mem", "rb") as memory:
            memory.seek(address)
            equal(int.from_bytes(memory.read(8), "little"), console.value("$rax"))
        assert "no RAM" in console.run("gpa2hva 0xfee00000")


COMMANDS = ("pt work", "gva2gpa work", "gpa2hva 0", "info mem", "info tlb", "info gdt", "info idt", "info ivt 3",
            "info tss")


@test
def the_same_through_gdb_and_in_batch():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        gdb = Client(console.socket)
        gdb.ask("?")
        through_gdb = {command: gdb.monitor(command) for command in COMMANDS}
        gdb.close()
    answers = batch(["break work", "continue", *COMMANDS], "-kernel", LONG64)
    for command in COMMANDS:
        if command != "gpa2hva 0":  # each process has its own
            equal(through_gdb[command], answers[command], command)


@test
def the_same_as_json():
    asked = ["pt counter", "info mem", "info gdt", "info idt", "info tss", "gva2gpa work"]
    answers = batch(["break work", "continue", *("json " + line for line in asked)], "-kernel", LONG64)
    facts = {line: json.loads(answers["json " + line])["result"] for line in asked}
    equal(facts["pt counter"]["physical"], f"{SYMBOLS['counter'][0]:#x}")
    equal([level["name"] for level in facts["pt counter"]["walk"]], ["PML4", "PDPT", "PD", "PT"])
    equal(facts["pt counter"]["execute"], False)
    equal(facts["info mem"]["ranges"][0], {"linear": "0x1000", "size": f"{section('image_start') - 0x1000:#x}",
                                           "write": True, "execute": True, "user": False})
    equal(facts["info gdt"]["entries"][0]["held_by"], ["cs"])
    equal(facts["info idt"]["entries"][14]["symbol"], "isr14")
    equal(facts["info tss"]["rsp0"], f"{SYMBOLS['stack_top'][0]:#x}")
    equal(facts["gva2gpa work"]["physical"], f"{SYMBOLS['work'][0]:#x}")


run()
