# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/tour.md: its commands are typed, and what the console answers is compared. time limit: 180 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from dialogue import converse, hold, read_dialogue, typed_lines
from tap import equal, run, test

FOLDER = os.environ["TMPDIR"]
TOUR = os.path.join(os.environ["SOURCE"], "docs/tour.md")


def kind_of_host():
    """What KVM leaves of a CPU after a triple fault."""
    steps, _ = converse(["build/guests/faults.elf", "-append", "fault=triple", "-S"], ["continue"], FOLDER)
    answer = " ".join(steps[0][1].split())
    assert "triple fault" in answer, answer
    return "lost" if "registers are lost" in answer else "kept"


@test
def the_lesson():
    sessions = read_dialogue(TOUR, kind_of_host())
    equal(len(sessions), 2)
    for session in sessions:
        hold(session, FOLDER)


@test
def every_block_is_read():
    """A block that is spelled wrongly would be one that nobody checks."""
    with open(TOUR, encoding="utf-8") as file:
        text = file.read()
    equal(len(re.findall(r"^```\w*$", text, re.M)) % 2, 0)
    written = [line for line in text.splitlines() if line.startswith("(vitrine) ")]
    read = {line for host in ("kept", "lost") for line in typed_lines(TOUR, host)}
    equal([line for line in written if line not in read], [])
    equal(text.count("### Exercises"), text.count("<details><summary>Answers</summary>"))
    equal(text.count("\n## ") - 1, text.count("### Exercises"), "chapters with exercises")


run()
