# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb's machine interface (gdb manual, "The GDB/MI Interface"), as VS Code and Emacs speak it.

    with Mi(symbols) as mi:
        mi.ask(f"-target-select remote {vm.socket_path}")
        mi.ask("-exec-continue")
        stop = mi.wait("stopped")
"""
import os
import queue
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import patience  # noqa: E402

ESCAPE = re.compile(r'\\([0-7]{3}|.)')
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b"}


class Parser:
    """One record's `name=value,…`: c-strings, {tuples} and [lists] become str, dict and list."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def peek(self):
        return self.text[self.at:self.at + 1]

    def take(self, character):
        if self.peek() != character:
            raise ValueError(f"{character!r} is missing at {self.at} of {self.text!r}")
        self.at += 1

    def results(self, end):
        """`name=value` until end; a name that comes again makes a list of its values."""
        found = {}
        while self.peek() not in (end, ""):
            name, value = self.result()
            if name in found:
                found[name] = (found[name] if isinstance(found[name], list) else [found[name]]) + [value]
            else:
                found[name] = value
            if self.peek() == ",":
                self.at += 1
        return found

    def result(self):
        equals = self.text.index("=", self.at)
        name, self.at = self.text[self.at:equals], equals + 1
        return name, self.value()

    def value(self):
        if self.peek() == '"':
            return self.string()
        if self.peek() == "{":
            self.take("{")
            found = self.results("}")
            self.take("}")
            return found
        self.take("[")
        found = []
        while self.peek() != "]":
            found.append(self.value() if self.peek() in '"{[' else dict([self.result()]))
            if self.peek() == ",":
                self.at += 1
        self.take("]")
        return found

    def string(self):
        match = re.compile(r'"((?:[^"\\]|\\.)*)"').match(self.text, self.at)
        self.at = match.end()
        return ESCAPE.sub(lambda m: LETTERS.get(m.group(1)) or (
            chr(int(m.group(1), 8)) if m.group(1).isdigit() else m.group(1)), match.group(1))


class Mi:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(["gdb", "-nx", "-q", "-i=mi3", *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.lines, self.events, self.console, self.token = queue.Queue(), [], "", 0
        self.said = []  # for a failed test's message
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        for setting in "confirm off", "mi-async on", "debuginfod enabled off", f"remotetimeout {patience(15)}":
            self.ask("-gdb-set " + setting)
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()  # gdb ends where its input does
        try:
            self.process.wait(patience(20))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if kind is not None:
            print("# gdb said last:")
            for line in self.said[-25:]:
                print("#   " + line[:300])

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _next(self, seconds):
        """The next record: (token, mark, class, fields). Text of the console and of the target is kept."""
        while True:
            line = self.lines.get(timeout=patience(seconds))
            if line is None:
                raise EOFError("gdb has ended")
            self.said.append(line)
            match = re.match(r"(\d*)([\^*+=])([\w-]+),?", line)
            if match:
                fields = Parser(line[match.end():]).results("")
                return match.group(1), match.group(2), match.group(3), fields
            if line[:1] in ("~", "@"):
                self.console += Parser(line[1:]).string()

    def ask(self, command, seconds=20):
        """The fields of the answer; an ^error raises. What happens besides goes into events."""
        answer, fields = self.try_(command, seconds)
        if answer == "error":
            raise AssertionError(f"{command}: {fields.get('msg')}")
        return fields

    def try_(self, command, seconds=20):
        self.token += 1
        self.process.stdin.write(f"{self.token}{command}\n")
        while True:
            token, mark, name, fields = self._next(seconds)
            if mark == "^" and token == str(self.token):
                return name, fields
            if mark != "^":
                self.events.append((name, fields))

    def wait(self, wanted, seconds=30):
        """The next event of this name."""
        while True:
            for i, (name, fields) in enumerate(self.events):
                if name == wanted:
                    del self.events[:i + 1]
                    return fields
            _, mark, name, fields = self._next(seconds)
            if mark != "^":
                self.events.append((name, fields))

    def go(self, command):
        """Resumes, and waits for the stop."""
        self.events.clear()
        self.ask(command)
        return self.wait("stopped")

    def value(self, expression):
        return self.ask(f'-data-evaluate-expression "{expression}"')["value"]
