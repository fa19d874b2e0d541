# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks as a guest has them, and what is left of an image when vitrine is killed. time limit: 120 s"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, patience, run, skip, test
from vm import VITRINE, guest

FOLDER = os.environ["TMPDIR"]
SECTOR, FIRST, WRITTEN = 512, 8, 64


def image(name="disk", sectors=2048):
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as file:
        file.write(b"".join(bytes([n & 0xff]) * SECTOR for n in range(sectors)))
    return path


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


def command(*options, do="check"):
    need_kvm()
    return [VITRINE, "-monitor", "none", "-serial", "stdio", "-append", f"do={do}", *options, guest("disk.elf")]


def ends(*options, do="check"):
    done = subprocess.run(command(*options, do=do), stdin=subprocess.DEVNULL, capture_output=True, timeout=patience(30),
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def sectors(path):
    with open(path, "rb") as file:
        data = file.read()
    return [data[at:at + SECTOR] for at in range(0, len(data), SECTOR)]


@test
def every_command():
    path = image()
    before = sectors(path)
    status, said, errors = ends("-hda", path)
    equal(re.findall(r"^(ok|bad) (.*)$", said, re.M),
          [("ok", name) for name in ("identify", "write", "read", "multiple", "flush", "no such sector", "reset")],
          errors)
    equal((status, "disk: 2048 sectors" in said), (1, True))
    after = sectors(path)
    equal(after[FIRST:FIRST + 4], [b"\x34\x12" * 256] * 4)
    equal(after[FIRST + 4:FIRST + 20], [b"\x21\x43" * 256] * 16)
    equal(after[:FIRST] + after[FIRST + 20:], before[:FIRST] + before[FIRST + 20:])


@test
def interrupts():
    path = image()
    status, said, errors = ends("-drive", f"file={path},format=raw", do="interrupts")
    if "cannot execute 'iretd'" in errors:
        skip("this host's KVM: interrupts in protected mode")
    equal(re.findall(r"^(ok|bad) (.*)$", said, re.M),
          [("ok", name) for name in ("write", "read by interrupts", "write by interrupts")], errors)
    equal(status, 1)
    equal(sectors(path)[FIRST + 20:FIRST + 22], [b"\x77" * SECTOR] * 2)


@test
def a_disk_that_is_only_read():
    path = image()
    os.chmod(path, 0o444)
    before = sectors(path)
    status, said, errors = ends("-drive", path + ",readonly")
    assert "bad write" in said and "ok identify" in said, said + errors
    equal((status & 1, sectors(path)), (1, before))
    os.unlink(path)


def killed_while_writing(path, delay):
    """The guest writes each sector full of one value, and a vitrine that is killed cannot do anything about it."""
    process = subprocess.Popen(command("-hda", path, do="write"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        said = b""
        while b"once round" not in said:
            said += os.read(process.stdout.fileno(), 100) or b"once round: it has ended"
        status, _, errors = ends("-hda", path)
        equal((status, "is in use" in errors), (1, True), "a second one while the first writes")
        time.sleep(delay)
        equal(process.poll(), None)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Writer:
    """A guest that writes to the same sectors over and over, whatever the drive says."""

    def __init__(self, path):
        self.errors = open(os.path.join(FOLDER, "errors"), "a+", encoding="utf-8")  # both seek in it
        self.errors.truncate(0)
        self.process = subprocess.Popen(command("-hda", path, do="write"), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def __enter__(self):
        said = b""
        while b"once round" not in said:
            more = os.read(self.process.stdout.fileno(), 100)
            assert more, f"it has ended: {self.words()}"
            said += more
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def words(self):
        self.errors.seek(0)
        return self.errors.read()

    def told(self, text):
        deadline = time.monotonic() + patience(20)
        while text not in self.words() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.words()

    def ends(self):
        """Asked to, after everything that it had to say."""
        self.process.terminate()
        equal(self.process.wait(patience(20)), 143)
        return self.words().splitlines()


@test
def a_disk_that_shrinks_gives_errors_and_is_not_made_larger():
    path = image()
    with Writer(path) as writer:
        os.truncate(path, 16 * SECTOR)
        assert "has shrunk" in writer.told("has shrunk")
        equal(writer.process.poll(), None)
        lines = writer.ends()
    equal((len(lines), os.path.getsize(path)), (1, 16 * SECTOR), lines)


@test
def a_disk_that_vanishes_is_told_of_and_works_on():
    path = image()
    with Writer(path) as writer:
        os.unlink(path)
        assert "was deleted" in writer.told("was deleted")
        equal(writer.process.poll(), None)
        lines = writer.ends()
    equal((len(lines), os.path.exists(path)), (1, False), lines)


FULL = 'mount -t tmpfs -o size=4k none "$0" && truncate -s 1M "$0/disk" && exec "$@" -hda "$0/disk"'


@test
def a_full_disk_of_the_host_gives_errors_to_the_guest():
    need_kvm()
    folder = os.path.join(FOLDER, "full")
    os.mkdir(folder)
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", folder], capture_output=True,
                      check=False).returncode:
        skip("needs the right to mount a file system")
    done = subprocess.run(["unshare", "-m", "sh", "-c", FULL, folder, *command()], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=patience(30), check=False)
    said, errors = done.stdout.decode(), done.stderr.decode()
    assert "ok identify" in said and "bad multiple" in said and "ok reset" in said, said + errors
    equal((done.returncode & 1, errors.count("\n")), (1, 1), errors)
    assert "cannot write to" in errors and "No space left" in errors, errors


@test
def a_killed_vitrine_leaves_whole_sectors():
    path = image()
    before = sectors(path)
    for n in range(10):
        killed_while_writing(path, 0.003 * n)
        after = sectors(path)
        for number, sector in enumerate(after[FIRST:FIRST + WRITTEN], FIRST):
            assert sector == sector[:1] * SECTOR and sector[0], f"sector {number} is in pieces: {sector!r}"
        equal(after[:FIRST] + after[FIRST + WRITTEN:], before[:FIRST] + before[FIRST + WRITTEN:])
    status, said, errors = ends("-hda", path)  # and nobody has it any more
    equal((status, said.count("ok ")), (1, 7), errors)


run()
