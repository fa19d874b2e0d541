# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest whose one function is hot, and a look at what gdb and its stub say to each other about it."""
import contextlib
import re
import sys

import gdb

from harness import Debugged, do, equal


@contextlib.contextmanager
def settings(**wanted):
    """gdb's settings, with blanks for underscores; as they were afterwards."""
    before = {}
    for name, value_ in wanted.items():
        name = name.replace("__", "-").replace("_", " ")
        before[name] = gdb.parameter(name)
        do(f"set {name} {value_}")
    try:
        yield
    finally:
        for name, old in before.items():
            old = {True: "on", False: "off"}.get(old, old)
            do(f"set {name} {old}")


class Logged(Debugged):
    """A guest whose packets are kept."""

    def __enter__(self):
        super().__enter__()
        try:
            self.needs_a_breakpoint("long mode")
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def attach(self, *args, **more):
        do("set remotelogfile " + self.folder + "/packets")
        return super().attach(*args, **more)

    def sent(self, pattern):
        """Packets of gdb's that look like this."""
        with open(self.folder + "/packets", encoding="utf-8", errors="replace") as file:
            return re.findall(r"^w \$(" + pattern + ")#", file.read(), re.M)

    def stop_replies(self):
        with open(self.folder + "/packets", encoding="utf-8", errors="replace") as file:
            return len(re.findall(r"\$T[0-9a-f]{2}", file.read()))


class Hot(Logged):
    """The guest whose function is hot: for ever, when nothing else is said."""

    def __init__(self, arguments="turns=0", *options):
        super().__init__("hot", "-append", arguments, *options)


def points():
    """What vitrine says of each of its points: {kind, hits, come, text}."""
    found = []
    for line in do("monitor info breakpoints").splitlines():
        head = re.match(r"(\d+)\s+(\S+)\s+(.*?)\s+(\d+)\s+0x([0-9a-f]+)", line)
        if head:
            found.append({"owner": head.group(2), "kind": head.group(3), "hits": int(head.group(4)),
                          "address": int(head.group(5), 16), "come": None, "text": ""})
        elif found:
            found[-1]["text"] += line.strip() + "\n"
            come = re.search(r"come upon (\d+) times?", line)
            if come:
                found[-1]["come"] = int(come.group(1))
    return found


def the_point():
    found = points()
    equal(len(found), 1, str(found))
    return found[0]
