# SPDX-License-Identifier: GPL-3.0-or-later
"""Long answers, a screen at a time; stories, pictures and traces of what the guest did.

time limit: 120 s
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import CTRL_C, PROMPT, Console, batch, guest, plain
from rsp import Client
from tap import equal, run, skip, test

LONG64, SMP = guest("long64.elf"), guest("smp.elf")
MORE = "-- more: "


def at(console, place):
    console.run("break " + place)
    return console.until_stop("continue")


def page(console):
    """What came since the key before."""
    return plain(console.expect(MORE)).split("leave it --")[-1]


@test
def a_long_answer_comes_by_screens():
    with Console("-kernel", LONG64, pager=True, size=(24, 80)) as console:
        at(console, "work")
        console.line("info idt")
        first = page(console).splitlines()
        equal(len(first), 23)
        equal(first[-1].split()[0], "21")
        console.send("\r")
        equal([line.split()[0] for line in page(console).splitlines() if line.startswith("  ")], ["22"])
        console.send(" ")
        assert "\n   45 " in page(console)
        console.send(" ")
        assert plain(console.expect(PROMPT)).splitlines()[-1].startswith("  129-255  empty")
        equal(console.run("print 1"), "0x1 = 1\n")


@test
def on_a_narrow_terminal_its_question_has_one_line():
    with Console("-kernel", LONG64, pager=True, size=(24, 60)) as console:
        console.line("info registers -a")
        first = plain(console.expect(MORE + "Space, Enter, q --")).splitlines()
        equal(first[0].split(), ["core:"])
        equal(len(first), 23)
        console.send("\r")
        equal(plain(console.expect(MORE)).split(), ["fs", "0x10", "16"])
        console.send("q")
        console.expect(PROMPT)


@test
def one_leaves_it_with_q_and_with_ctrl_c():
    with Console("-kernel", LONG64, pager=True) as console:
        at(console, "work")
        for key in ("q", CTRL_C, "\x04"):
            console.line("info idt")
            page(console)
            console.send(key)
            console.expect(PROMPT)
            equal(console.run("print 2"), "0x2 = 2\n")
        console.run("set pager off")
        assert "129-255" in console.run("info idt")
        console.run("set pager on")
        assert MORE not in console.run("info cr0")


@test
def what_comes_meanwhile_waits():
    with Console("-kernel", LONG64, "-append", "every=1", pager=True) as console:
        console.run('dprintf print_line,"line %d",$edi')
        console.line("continue")
        console.expect("line 1\r\n")
        console.expect("line 2\r\n")
        console.line("help reference")
        console.expect(MORE)
        for _ in range(20):
            console.send(" ")
            assert not re.search(r"^line \d+$", page(console), re.M)
        console.send("q")
        came = [int(n) for n in re.findall(r"line (\d+)\n", plain(console.expect("line 40\r\n")))]
        equal(came, list(range(came[0], 40)))


def places(text):
    """Functions and files that `why` names."""
    return re.findall(r"(\w+)\(\)\s+in\s+((?:src|gdbstub)/[\w/.]+\.c)", text)


@test
def why_names_what_is_there():
    with Console("-kernel", LONG64) as console:
        stories = []
        at(console, "work")
        stories.append(console.run("why"))
        assert "KVM_EXIT_" in stories[0] and "breakpoint 1 is made through" in stories[0], stories[0]
        console.until_stop("step")
        stories.append(console.run("why"))
        assert "KVM_EXIT_DEBUG" in stories[-1] and "the plan of this vCPU is done" in " ".join(stories[-1].split())
        console.run("catch io 0x3f8 w")
        console.until_stop("continue")
        stories.append(console.run("why"))
        assert "KVM_EXIT_IO" in stories[-1] and "out 0x3f8" in stories[-1] and "kvm_handle_io()" in stories[-1]
        console.run("delete")
        console.go()
        assert "the guest" in console.run("why")
        console.interrupt()
        stories.append(console.run("why"))
        for story in stories:
            assert all(len(line) < 80 for line in story.splitlines()), story
        assert len(set(sum(map(places, stories), []))) > 4


@test
def every_place_in_the_source_of_why_is_there():
    source = os.environ["SOURCE"]
    if not os.path.exists(os.path.join(source, "monitor/why.c")):
        skip("needs vitrine's source")
    with open(os.path.join(source, "monitor/why.c"), encoding="utf-8") as file:
        text = re.sub(r'"\s*"', "", file.read())
    found = places(text)
    assert len(found) > 25, found
    for function, name in found:
        with open(os.path.join(source, name), encoding="utf-8") as file:
            assert re.search(rf"^[^\n]*\b{function}\(", file.read(), re.M), f"{function}() is not in {name}"


@test
def a_picture_of_what_the_vcpus_did():
    with Console("-kernel", SMP, "-smp", "2", "-append", "cpus=2 rounds=200") as console:
        assert "no exits yet" in console.run("timeline")
        at(console, "cpu1_loop")
        picture = console.run("timeline")
        rows = re.findall(r"^vCPU (\d+) +│(.*)│ (\d+)$", picture, re.M)
        equal([row[0] for row in rows], ["0", "1"])
        equal([len(row[1]) for row in rows], [64, 64])
        assert "i" in rows[0][1] and int(rows[0][2]) > 0, picture
        assert all(len(line) < 80 for line in picture.splitlines()), picture
        facts = json.loads(console.run("json timeline 50").replace("\n", ""))["result"]
        assert facts["to_ns"] - facts["from_ns"] <= 50_000_000


@test
def exits_as_they_come():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        console.run("delete")
        console.run("trace follow")
        console.line("continue")
        console.expect("out 0x3f8 ← 0x77 'w'")
        console.interrupt()
        equal(console.run("trace follow off"), "")
        assert "write: trace follow on" in console.run("trace follow maybe")
        assert "0x3f8" not in console.until_stop("step")
        assert " exits" in console.run("info exits")
        assert "  +" in console.run("trace 2")


@test
def instructions_into_a_file():
    with Console("-kernel", LONG64) as console:
        at(console, "*counter_add")
        path = console.folder + "/trace"
        listed = re.findall(r"^.{3}0x([0-9a-f]+) ", console.run("x/6i $pc"), re.M)
        rsp = console.value("$rsp")
        console.until_stop(f"trace instructions 6 {path}")
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        equal([re.match(r"0x([0-9a-f]+) counter_add(\+0x[0-9a-f]+)? ", line).group(1) for line in lines], listed)
        assert lines[0].endswith(f"push   %rbp  rsp={rsp - 8:x}"), lines[0]
        assert "no plain file" in console.run("trace instructions 5 /dev/null")
        assert "from 1 to" in console.run(f"trace instructions 0 {path}")
        console.run("break work")
        assert "breakpoint" in console.until_stop(f"trace instructions 100000 {path}")
        with open(path, encoding="utf-8") as file:
            assert len(file.read().splitlines()) > 50


COMMANDS = ("why", "timeline", "trace 3")


@test
def the_same_through_gdb_in_batch_and_as_json():
    with Console("-kernel", LONG64) as console:
        at(console, "work")
        gdb = Client(console.socket)
        gdb.ask("?")
        for command in COMMANDS:
            assert len(gdb.monitor(command)) > 60, command
        assert "gdb waits for the end" in gdb.monitor("trace follow")
        gdb.close()
    answers = batch(["break work", "continue", *COMMANDS, *("json " + line for line in COMMANDS)], "-kernel", LONG64)
    for command in COMMANDS:
        assert len(answers[command]) > 60, command
    facts = {command: json.loads(answers["json " + command])["result"] for command in COMMANDS}
    assert facts["why"]["kvm"].startswith("KVM_EXIT_"), facts["why"]
    equal(len(facts["trace 3"]["exits"]), 3)


run()
