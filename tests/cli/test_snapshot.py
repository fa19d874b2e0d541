# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots as a user takes them: at the console, in a file, and as the start of another run."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, run, skip, test
from vm import VITRINE, guest

FOLDER = os.environ["TMPDIR"]


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


def batch(commands, *options, image="long64.elf"):
    """(status, output, errors) of a run with these console commands."""
    need_kvm()
    path = os.path.join(FOLDER, "commands")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(commands) + "\n")
    done = subprocess.run([VITRINE, "-batch", path, *options, guest(image)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False)
    os.unlink(path)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def has(output, *patterns):
    for pattern in patterns:
        assert re.search(pattern, output), f"{pattern!r} is not in {output!r}"


@test
def back_in_time_at_the_console():
    status, output, errors = batch([
        "break counter_add", "continue", "snapshot save first", "delete", "tbreak print_line", "continue",
        "print counter", "x/1dw &counter", "savevm", "snapshot restore first", "x/1dw &counter", "info status",
        "info snapshots", "snapshot delete first", "loadvm", "loadvm 1", "x/1dw &counter", "snapshot list"])
    equal(status, 1, errors)  # one of them is refused
    has(output, r"saved first: guest time \d+\.\d+ s, \d+ pages, [\d.]+ .iB", r"saved 1: guest time",
        r"restored first: guest time", r"vCPU 0 stands at .*counter_add", r"\* first +\d", r"say which snapshot", r"restored 1", r"\* 1 +\d",
        r"<counter>: 1\n(.|\n)*<counter>: 0\n(.|\n)*<counter>: 1\n")


@test
def from_a_file_into_another_run():
    path = os.path.join(FOLDER, "boot.snap")
    status, output, errors = batch(["break counter_add", "continue", "print/x $sp", "snapshot save a",
                                    f"snapshot write a {path}"], "-append", "ticks=3 every=1")
    equal(status, 0, output + errors)
    stack = re.search(r"print/x \$sp\n(0x[0-9a-f]+)", output).group(1)
    status, output, errors = batch(["print/x $sp", "bt", "break print_line", "continue", "info snapshots"],
                                   "-S", "-loadvm", path)
    equal(status, 0, output + errors)
    has(output, rf"print/x \$sp\n{stack}\b", r"counter_add", r"loadvm")
    # without a console it goes on from there to its end
    done = subprocess.run([VITRINE, "-loadvm", path, "-serial", "stdio", "-monitor", "none", guest("long64.elf")],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    output = done.stdout.decode()
    equal(done.returncode, 1, output + done.stderr.decode())
    has(output, r"tick 3: counter.value = 3")
    assert "MiB of memory" not in output, "it has started anew"
    os.unlink(path)


@test
def what_does_not_fit_is_said():
    path = os.path.join(FOLDER, "small.snap")
    status, _, errors = batch(["snapshot save a", f"snapshot write a {path}"], "-m", "32")
    equal(status, 0, errors)
    status, output, errors = batch([], "-m", "64", "-loadvm", path)
    equal((status, output), (1, ""))
    has(errors, r"vitrine: .*small\.snap is of a machine with 32768 KiB of RAM.*-m 32768K")
    status, _, errors = batch([], "-m", "32", "-irqchip", "user", "-loadvm", path)
    equal(status, 1)
    has(errors, r"-irqchip=kernel")
    status, output, _ = batch([f"snapshot read {path} a", "snapshot read /nowhere", "snapshot restore a"], "-m", "48")
    has(output, r"-m 32768K")
    with open(path, "r+b") as file:
        file.seek(2000)
        file.write(b"damage")
    status, _, errors = batch([], "-m", "32", "-loadvm", path)
    equal(status, 1)
    has(errors, r"small\.snap is damaged")
    os.unlink(path)
    status, _, errors = batch([], "-loadvm", path)
    equal(status, 1)
    has(errors, r"cannot read .*small\.snap: No such file")


@test
def nothing_is_left_behind():
    equal([name for name in os.listdir(FOLDER) if not name.startswith(".")], [])


run()
