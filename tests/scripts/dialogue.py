# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that are dialogues with the console: they are typed, and what is answered is compared.

In blocks between ``` and ```:

    $ vitrine -S FILE         begins a session: a vitrine with these options
    (vitrine) COMMAND         is typed there; the lines that follow are what it must answer
    $ echo $?                 the line that follows is the session's exit status
    $ SCRIPT.py ARGUMENT...   is run, and must go well

In an answer … stands for anything within a line, and alone on its line for any number of lines. Blanks do not
matter. Blocks that begin with neither $ nor (vitrine) are not looked at. What only some hosts show stands in
blocks that begin with ```kept or ```lost: after a triple fault, KVM has kept the registers or lost them.
"""
import os
import re
import shlex
import subprocess
import sys

from tap import equal, patience, skip
from vm import GUESTS, VITRINE

PROMPT = "(vitrine) "


class Session:
    """What is typed after one `$ vitrine …`, and what ought to be answered: [(command, lines)]."""

    def __init__(self, before, options):
        self.before, self.options, self.steps, self.status = before, options, [], None


def typed_lines(path, host):
    with open(path, encoding="utf-8") as file:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", file.read(), re.M | re.S)
    return "".join(block for only, block in blocks
                   if only in ("", host) and block.startswith((PROMPT, "$ "))).splitlines()


def read_dialogue(path, host=""):
    """The document's sessions, in order, on a host of this kind."""
    sessions, before, into = [], [], None
    for line in typed_lines(path, host):
        if line.startswith("$ vitrine "):
            sessions.append(Session(before, shlex.split(line)[2:]))
            before, into = [], None
        elif line == "$ echo $?":
            into = sessions[-1].status = []
        elif line.startswith("$ "):
            before.append(line.removeprefix("$ "))
        elif line.startswith(PROMPT):
            into = []
            sessions[-1].steps.append((line.removeprefix(PROMPT), into))
        else:
            into.append(line)
    return sessions


def prepare_folder(folder):
    """The names of a built source tree, as the documents use them."""
    for name, to in (("build/guests", GUESTS), ("tests", os.path.join(os.environ["SOURCE"], "tests"))):
        link = os.path.join(folder, name)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.islink(link):
            os.symlink(os.path.abspath(to), link)


def converse(options, commands, folder, limit=60):
    """([(command, answer)], exit status)"""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    prepare_folder(folder)
    path = os.path.join(folder, "commands")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(command + "\n" for command in commands)
    done = subprocess.run([VITRINE, "-nx", *options, "-batch", path], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=patience(limit), check=False, env=dict(os.environ, NO_COLOR="1"))
    parts = re.split(r"^\(vitrine\) (.*)\n", done.stdout.decode(), flags=re.M)
    return list(zip(parts[1::2], parts[2::2])), done.returncode


def comparable(lines):
    """Blanks do not matter."""
    return [line for line in (" ".join(line.split()) for line in lines) if line]


def pattern(lines):
    return "".join(r"(.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
                   for line in comparable(lines))


def differs(wanted, got):
    """What is wrong, or ""."""
    (command, lines), (typed, answer) = wanted, got
    equal(typed, command)
    answer = "".join(line + "\n" for line in comparable(answer.splitlines()))
    if re.fullmatch(pattern(lines), answer):
        return ""
    return f"{PROMPT}{command}\nwanted:\n" + "\n".join(lines) + f"\ngot:\n{answer}"


def hold(session, folder):
    """Types a session, and compares all of it."""
    prepare_folder(folder)
    for line in session.before:
        subprocess.run([sys.executable, *shlex.split(line)], cwd=folder, check=True)
    got, status = converse(session.options, [command for command, _ in session.steps], folder)
    wrong = [differs(wanted, answered) for wanted, answered in zip(session.steps, got)]
    assert not any(wrong), "\n".join(filter(None, wrong))
    equal(len(got), len(session.steps), "commands that were answered")
    if session.status is not None:
        equal([str(status)], comparable(session.status), "exit status")
