# SPDX-License-Identifier: GPL-3.0-or-later
"""The test programs that there are, and which of them somebody wants.

A program is one of
  BUILD/tests/{unit,rsp,monitor,stress}/test_*   cmocka, which is told to speak TAP
  BUILD/tests/fuzz/test_*                        what fuzzing found before, played again
  tests/gdb/test_*.py                            run by the real gdb: gdb -nx -batch -x FILE
  tests/{rsp,monitor,cli,stress,frontends}/test_*.py   run by /usr/bin/python3
  tests/scripts/imports
"""
import fnmatch
import glob
import os
import re

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
PYTHON = "/usr/bin/python3"
DEFAULT_LIMIT = 60
LIMIT = re.compile(r"time limit: (\d+) s")
NEEDS_KVM = re.compile(r"(needs?|open)_kvm\(")


class Program:
    def __init__(self, name, command, source, limit_factor, slower=1):
        self.name, self.command, self.slower = name, command, slower
        self.limit = self._limit(source) * limit_factor
        self.titles, self.failures, self.skips = [], [], []
        self.output, self.seconds = "", 0.0

    @staticmethod
    def _limit(source):
        try:
            with open(source, encoding="utf-8", errors="replace") as file:
                found = LIMIT.search(file.read(3000))
        except OSError:
            found = None
        return int(found.group(1)) if found else DEFAULT_LIMIT

    @property
    def passed(self):
        return len(self.titles)


def c_programs(build, folder):
    for source in sorted(glob.glob(os.path.join(TOP, "tests", folder, "test_*.c"))):
        name = os.path.splitext(os.path.basename(source))[0]
        yield f"{folder}/{name}", [os.path.join(build, "tests", folder, name)], source


def python_programs(folder):
    for source in sorted(glob.glob(os.path.join(TOP, "tests", folder, "test_*.py"))):
        name = os.path.splitext(os.path.basename(source))[0]
        gdb = ["gdb", "-nx", "-batch", "-x", source]
        yield f"{folder}/{name}", gdb if folder == "gdb" else [PYTHON, source], source


def all_programs(build):
    yield from c_programs(build, "unit")
    yield "scripts/imports", [os.path.join(TOP, "tests/scripts/imports")], ""
    yield from c_programs(build, "rsp")
    yield from c_programs(build, "fuzz")
    yield from python_programs("rsp")
    for folder in ("monitor", "stress"):
        yield from c_programs(build, folder)
        yield from python_programs(folder)
    yield from python_programs("cli")
    yield from python_programs("gdb")
    yield from python_programs("frontends")


def wanted(name, only, folders):
    if folders and name.split("/")[0] not in folders:
        return False
    return not only or any(part in name or fnmatch.fnmatch(name, part) for part in only.split())


def needs_kvm(name, source):
    """What runs on the dummy accelerator has nothing to learn from another host's KVM."""
    if name.split("/")[0] in ("gdb", "frontends", "monitor", "stress") and source.endswith(".py"):
        return True
    if name.startswith("unit/test_kvm_"):
        return True
    try:
        with open(source, encoding="utf-8", errors="replace") as file:
            return bool(NEEDS_KVM.search(file.read()))
    except OSError:
        return False
