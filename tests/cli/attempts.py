# SPDX-License-Identifier: GPL-3.0-or-later
"""Attempts that vitrine must decline: one sentence, the right exit status, and nothing left behind."""
import os
import re
import shutil
import subprocess
import tempfile

from tap import equal, skip

VITRINE = os.environ["VITRINE"]
LONG64 = os.path.join(os.environ["GUESTS"], "long64.elf")
NOBODY = 65534
USAGE, FAILURE = 2, 1

# What a vitrine that should have failed, and did not, would do: end soon instead of running for ever.
QUIET = ["-monitor", "none", "-gdb", "none", "-append", "ticks=1 every=1"]


class Folder:
    """An empty working folder for one attempt; counts what the attempt leaves in it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="bad-")
        os.chmod(self.path, 0o755)

    def file(self, name, data=b"", mode=0o644):
        path = os.path.join(self.path, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    def contents(self):
        return sorted((name, os.lstat(os.path.join(self.path, name)).st_size)
                      for name in os.listdir(self.path))


def refused(folder, options, status, words, before=()):
    """Runs vitrine and checks how it declines."""
    contents = folder.contents()
    done = subprocess.run([*before, VITRINE, *options], cwd=folder.path, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False)
    said = done.stderr.decode()
    what = f"{' '.join(options)}\n  said {said!r} and ended with {done.returncode}"
    assert done.returncode == status, what + f", not {status}"
    assert done.stdout == b"", what + f", with output {done.stdout!r}"
    assert said.startswith("vitrine: ") and said.endswith("\n") and said.count("\n") == 1, \
        what + "\n  which is not one line"
    for pattern in words:
        assert re.search(pattern, said), what + f"\n  without {pattern!r}"
    equal(folder.contents(), contents, what + "\n  left behind")


def attempt(options, status, *words):
    refused(Folder(), options, status, words)


def as_nobody(*groups):
    """A command prefix that gives up every privilege but some groups."""
    if os.geteuid() != 0:
        skip("needs root, to become somebody else")
    lists = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", *lists]


def readable_vitrine():
    """A copy that somebody without rights to the build folder may run."""
    global VITRINE
    folder = tempfile.mkdtemp(prefix="bin-")
    os.chmod(folder, 0o755)
    os.chmod(os.environ["TMPDIR"], 0o755)
    VITRINE = shutil.copy(VITRINE, folder)


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
