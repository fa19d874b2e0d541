# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for programs: the facts are those of the text, and have the names that the reference promises.

time limit: 120 s
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import TIMEOUT, VITRINE, guest, need_kvm
from rsp import elf_symbols
from tap import equal, run, skip, test

LONG64 = guest("long64.elf")
SYMBOLS = {name: address for name, (address, _) in elf_symbols(LONG64).items()}


def ask(lines, *options):
    """The objects that answer these lines, by line, and the news."""
    need_kvm()
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/lines", "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        done = subprocess.run([VITRINE, "-S", "-gdb", "none", "-serial", "none", "-json", "-batch", folder + "/lines",
                               "-kernel", LONG64, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=folder,
                              timeout=TIMEOUT, check=False, env=dict(os.environ, XDG_CONFIG_HOME=folder))
    objects = [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]
    return ({found["line"]: found for found in objects if "line" in found},
            [found for found in objects if "event" in found])


def number(text):
    return int(text, 16)


@test
def points_and_stops():
    answers, news = ask(["break work if $rdi != 7 cpu 0", "watch counter", "catch io 0x3f8 w", "info breakpoints",
                         "continue", "context", "info status", "info cpus", "delete", "step"])
    point = answers["break work if $rdi != 7 cpu 0"]["result"]
    equal((point["number"], point["kind"], point["owner"], point["enabled"], point["hits"]),
          (1, "breakpoint", "console", True, 0))
    equal((point["condition"], point["only_vcpu"]), ("$rdi != 7", 0))
    equal(answers["watch counter"]["result"]["length"], elf_symbols(LONG64)["counter"][1])
    points = answers["info breakpoints"]["result"]["points"]
    equal([p["number"] for p in points], [1, 2, 3])
    equal(points[0], point)
    assert number(point["address"]) - SYMBOLS["work"] < 32 and point["name"].startswith("work+"), point
    stop = news[0]
    equal(stop["event"], "stopped")
    context = answers["context"]["result"]
    equal(stop["result"], context)
    assert context["reason"] in stop["text"] or context["why"] in stop["text"], stop
    equal(context["pc"], answers["info status"]["result"]["pc"])
    equal(answers["info status"]["result"]["running"], False)
    here = context["here"]
    assert f"{here['name']} at {os.path.basename(here['file'])}:{here['line']}" in stop["text"], stop
    current = [i for i in context["instructions"] if i["current"]]
    equal([number(i["address"]) for i in current], [number(here["pc"])])
    equal(answers["info cpus"]["result"]["cpus"][0]["pc"], here["pc"])
    equal([found["event"] for found in news], ["stopped", "stopped"])
    equal(news[1]["result"]["reason"], "step")


@test
def memory_and_code():
    answers, _ = ask(["set *(u32 *)0x180000 = 0x11223344", "set *(u32 *)0x180004 = 0x55667788", "x/2wx 0x180000", "xp/2wx 0x180000",
                      "set *(u32 *)0x180010 = 0x1b6948", "x/s 0x180010", "print counter", "print 5 - 6",
                      "disassemble work 3", "x/3i work", "list work", "info symbol work + 1", "info line work", "cpu 0"])
    for command in ("x/2wx 0x180000", "xp/2wx 0x180000"):
        result = answers[command]["result"]
        equal((result["address"], result["size"], result["values"]), ("0x180000", 4, ["0x11223344", "0x55667788"]))
    equal(answers["x/s 0x180010"]["result"]["strings"], [{"address": "0x180010", "text": "Hi\\x1b", "whole": True}])
    printed = answers["print counter"]["result"]
    equal(number(printed["value"]), SYMBOLS["counter"])
    equal(printed["name"], "counter")
    equal(answers["print 5 - 6"]["result"]["value"], "0xffffffffffffffff")
    for command in ("disassemble work 3", "x/3i work"):
        code = answers[command]["result"]["instructions"]
        equal((number(code[0]["address"]), code[0]["name"], len(code)), (SYMBOLS["work"], "work", 3))
        for instruction in code:
            assert instruction["text"] in answers[command]["text"], instruction
    listed = answers["list work"]["result"]
    assert listed["file"].endswith("guests/long64/main.c")
    for line in listed["lines"]:
        assert str(line["number"]) in answers["list work"]["text"]
    symbol = answers["info symbol work + 1"]["result"]
    equal((symbol["name"], number(symbol["start"]), symbol["offset"]), ("work", SYMBOLS["work"], "0x1"))
    equal(answers["info line work"]["result"]["file"], listed["file"])
    equal(answers["cpu 0"]["result"]["vcpu"], 0)


@test
def the_machine():
    answers, news = ask(["break print_line", "continue", "info exits", "trace 5", "snapshot save one", "snapshot list",
                         "snapshot restore one", "info capabilities", "doctor", "delete", "finish"])
    exits = answers["info exits"]["result"]
    equal(exits["exits"], sum(reason["exits"] for reason in exits["reasons"]))
    equal(len(answers["trace 5"]["result"]["exits"]), 5)
    saved = answers["snapshot save one"]["result"]
    equal((saved["name"], saved["current"]), ("one", True))
    equal(answers["snapshot list"]["result"]["snapshots"], [saved])
    equal(answers["snapshot restore one"]["result"]["guest_ns"], saved["guest_ns"])
    report = answers["doctor"]["result"]["report"]
    assert isinstance(report, dict) and report, report
    for found in answers["info capabilities"]["result"]["answers"]:
        assert f'"{found["question"]}"' in json.dumps(report), found
    equal(news[-1]["event"], "stopped")
    equal(news[-1]["result"]["pc"], answers["finish"]["result"]["address"])


# Names that are a table's own: registers, fields, areas.
OWN_NAMES = {"registers", "bits", "levels", "report"}
OWN_ROWS = {"info tss", "info lapic"}


def names_in(value):
    if isinstance(value, list):
        return set().union(*map(names_in, value), set())
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(names_in(v) for k, v in value.items() if k not in OWN_NAMES))


def promised(command, reference):
    row = re.search(rf"\n#### `{re.escape(command)}`\n(?:(?!\n####).)*?\nAs JSON: ([^\n]*)", reference, re.S)
    assert row, f"{command} tells facts that the reference has no names for"
    like = re.match(r"as `([^`]+)`", row.group(1)) or re.search(r": as `([^`]+)`", row.group(1))
    return row.group(1) + (promised(like.group(1), reference) if like else "")


@test
def every_name_is_in_the_reference():
    path = os.path.join(os.environ["SOURCE"], "docs/console.md")
    if not os.path.exists(path):
        skip("needs vitrine's source")
    with open(path, encoding="utf-8") as file:
        reference = file.read()
    lines = ["break work", "catch io 0x3f8 w if $al != 10", "watch counter cpu 0 ring 0 cr3 $cr3", "info breakpoints",
             "dprintf run,\"x\"", "continue", "step", "context", "info status", "info cpus", "cpu", "x/4x $rsp", "x/2s $rsp",
             "x/2i $pc", "print counter", "disassemble", "list", "info symbol $pc", "info line", "info exits", "trace -a 20",
             "info capabilities", "doctor", "snapshot save", "snapshot list", "info registers -a", "info segments", "info cr0",
             "info dr7", "info fpu", "info sse", "info cpuid -a", "rdmsr efer", "find \"work\"", "compare 0 1 100", "dump a 0x180000 10",
             "restore a 0x180000", "info dirty", "info memory-slots", "pt $pc", "pt 0x7f00000000000", "gva2gpa $pc", "gpa2hva 0",
             "info mem", "info tlb", "info gdt", "info idt", "info tss", "info pic", "info pit", "info lapic", "info ioapic",
             "info mtree", "gdbserver", "log", "bt", "why", "timeline", "finish"]
    answers, news = ask(lines)
    told = 0
    for line, answer in answers.items():
        names = names_in(answer.get("result", {}))
        told += bool(names)
        if answer["command"] in OWN_ROWS or not names:
            continue
        row = promised(answer["command"], reference)
        for name in names:
            assert f"`{name}`" in row or f"`{name}[]`" in row, f"{line}: {name} is not among {row}"
    assert told > 40, told
    row = promised("context", reference)
    for name in names_in(next(found for found in news if found["event"] == "stopped")["result"]):
        assert f"`{name}`" in row or f"`{name}[]`" in row, name


run()
