# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/tour.md: its commands are typed, and what the console answers is compared. time limit: 120 s"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, patience, run, skip, test
from teach import make_disk
from vm import VITRINE, guest

FOLDER = os.environ["TMPDIR"]
TOUR = os.path.join(os.environ["SOURCE"], "docs/tour.md")


def dialogue():
    """[(command, lines that the console answers)], in order."""
    with open(TOUR, encoding="utf-8") as file:
        blocks = re.findall(r"^```\n(.*?)^```", file.read(), re.M | re.S)
    steps = []
    for line in "".join(block for block in blocks if block.startswith("(vitrine)")).splitlines():
        if line.startswith("(vitrine) "):
            steps.append((line.removeprefix("(vitrine) "), []))
        else:
            steps[-1][1].append(line)
    return steps


def session(commands):
    """([(command, answer)], exit status)"""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    path = os.path.join(FOLDER, "commands")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(command + "\n" for command in commands)
    done = subprocess.run([VITRINE, "-S", "-smp", "2", "-hda", make_disk(os.path.join(FOLDER, "teach.img")), "-serial", "none",
                           "-batch", path, guest("teach.elf")], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=patience(60), check=False, env=dict(os.environ, NO_COLOR="1"))
    parts = re.split(r"^\(vitrine\) (.*)\n", done.stdout.decode(), flags=re.M)
    return list(zip(parts[1::2], parts[2::2])), done.returncode


def need_32_bit_paging():
    """Where KVM knows no such thing, the instruction that turns it on ends in #GP, with everything in place."""
    steps, _ = session(["tbreak traps_init", "continue", "info cr4", "info cr3", "quit"])
    answers = dict(steps)
    if re.search(r"paging_on.*\n(.*\n)*.*mov +%eax, ?%cr0", answers["continue"]) and "#GP" in answers["continue"]:
        assert re.search(r"PAE +0", answers["info cr4"]) and re.search(r"PSE +1", answers["info cr4"]), answers
        skip("this host's KVM: 32-bit paging")


def comparable(lines):
    """Blanks do not matter."""
    return [line for line in (" ".join(line.split()) for line in lines) if line]


def pattern(lines):
    """`…` stands for anything within a line, and alone for any number of lines."""
    return "".join(r"(.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
                   for line in comparable(lines))


@test
def the_tour():
    need_32_bit_paging()
    wanted = dialogue()
    got, status = session([command for command, _ in wanted])
    for (command, lines), (typed, answer) in zip(wanted, got):
        equal(typed, command)
        answer = "".join(line + "\n" for line in comparable(answer.splitlines()))
        assert re.fullmatch(pattern(lines), answer), \
            f"(vitrine) {command}\nwanted:\n" + "\n".join(lines) + f"\ngot:\n{answer}"
    equal((len(got), status), (len(wanted), 7))


run()
