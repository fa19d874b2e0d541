# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/tour-32-bit.md: its commands are typed, and what the console answers is compared. time limit: 120 s"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from dialogue import converse, hold, read_dialogue
from tap import equal, run, skip, test
from vm import guest

FOLDER = os.environ["TMPDIR"]
TOUR = os.path.join(os.environ["SOURCE"], "docs/tour-32-bit.md")


def need_32_bit_paging():
    """Where KVM knows no such thing, the instruction that turns it on ends in #GP, with everything in place."""
    steps, _ = converse(["-S", os.path.abspath(guest("teach.elf"))], ["tbreak traps_init", "continue", "info cr4", "info cr3", "quit"], FOLDER)
    answers = dict(steps)
    if re.search(r"paging_on.*\n(.*\n)*.*mov +%eax, ?%cr0", answers["continue"]) and "#GP" in answers["continue"]:
        assert re.search(r"PAE +0", answers["info cr4"]) and re.search(r"PSE +1", answers["info cr4"]), answers
        skip("this host's KVM: 32-bit paging")


@test
def the_tour():
    sessions = read_dialogue(TOUR)
    equal(len(sessions), 1)
    need_32_bit_paging()
    hold(sessions[0], FOLDER)


run()
