# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: the scripted session without a terminal, the console and the printed gdb line with one."""
import os
import re
import socket
import subprocess
import sys

import pexpect

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, run, skip, test

DEMO = [os.path.join(os.environ["SOURCE"], "tests/scripts/demo"), os.environ["BUILD"]]


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


@test
def without_a_terminal_it_plays_a_session():
    need_kvm()
    done = subprocess.run(DEMO, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    output = done.stdout.decode()
    equal(done.returncode, 0, output + done.stderr.decode())
    assert re.search(r"factorial \(n=1\) at .*main\.c:\d+", output), output
    assert re.search(r"tick \d+: counter\.value = 400\d", output), output
    # That folder is the home as well, where what the host can do is kept.
    equal(set(os.listdir(os.environ["TMPDIR"])) - {".cache"}, set(), "left behind")


@test
def it_fails_when_the_guest_does_not_play_along():
    need_kvm()
    folder = os.environ["TMPDIR"] + "/build"
    os.makedirs(folder + "/guests")
    os.symlink(os.environ["VITRINE"], folder + "/vitrine")
    os.symlink(os.path.join(os.environ["GUESTS"], "smp.elf"), folder + "/guests/long64.elf")
    done = subprocess.run([DEMO[0], folder], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode != 0, done.stdout.decode()


@test
def on_a_terminal_it_leaves_the_user_at_the_console():
    need_kvm()
    terminal = pexpect.spawn(DEMO[0], DEMO[1:], timeout=30, encoding="utf-8", dimensions=(40, 120))
    terminal.expect(r"\n\s+(gdb [^\r\n]*target remote [^\r\n]*)\r")
    pasted = terminal.match.group(1)
    terminal.expect(r"\(vitrine\) ")
    done = subprocess.run(pasted + " -nx -batch -ex 'break factorial' -ex continue -ex 'print n' -ex detach", shell=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    output = done.stdout.decode()
    assert re.search(r"^Breakpoint 1, factorial", output, re.M) and "$1 = 1" in output, output + done.stderr.decode()
    terminal.sendline("quit")
    terminal.expect(pexpect.EOF)
    terminal.close()
    equal((terminal.exitstatus, terminal.signalstatus), (0, None), "how it ended")


@test
def a_taken_port_makes_it_choose_a_socket():
    need_kvm()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", 1234))
            server.listen()
        except OSError:
            pass  # somebody else has it: as good
        terminal = pexpect.spawn(DEMO[0], DEMO[1:], timeout=30, encoding="utf-8", dimensions=(40, 120))
        terminal.expect(r"target remote (/[^\r\n']*)'")
        path = terminal.match.group(1)
        terminal.expect(r"\(vitrine\) ")
        assert os.path.exists(path), path
        terminal.sendline("quit")
        terminal.expect(pexpect.EOF)
        terminal.close()
    equal(terminal.exitstatus, 0)
    assert not os.path.exists(path), f"{path} is still there"


run()
