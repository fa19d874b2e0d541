# SPDX-License-Identifier: GPL-3.0-or-later
"""The console without a terminal: lines from a pipe, each waiting for the stop that the one before it
causes."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from console import VITRINE, guest, need_kvm
from tap import equal, run, test

LONG64 = guest("long64.elf")
OPTIONS = ["-S", "-gdb", "none", "-monitor", "stdio", "-serial", "none", "-kernel", LONG64]


def piped(text, *options):
    need_kvm()
    with tempfile.TemporaryDirectory() as state:
        answer = subprocess.run([VITRINE, *OPTIONS, *options], input=text.encode(), timeout=40, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=dict(os.environ, XDG_STATE_HOME=state))
        assert not os.path.exists(state + "/vitrine"), "a script's lines are no history"
    return answer.returncode, answer.stdout.decode()


@test
def a_script_reads_like_a_session():
    status, text = piped("break counter_add\ncontinue\nprint $edi\ncontinue\nx/wx &counter\nquit\n")
    equal(status, 0)
    assert "\x1b" not in text
    shown = [line for line in text.splitlines() if line.startswith("(vitrine) ")]
    equal(shown, ["(vitrine) " + line for line in
                  ("break counter_add", "continue", "print $edi", "continue", "x/wx &counter", "quit")])
    equal(text.count("■ vCPU 0: breakpoint 1\n"), 2)
    assert text.endswith(" <counter>: 0x00000001\n(vitrine) quit\n"), text


@test
def the_end_of_input_ends_vitrine():
    equal(piped("")[0], 0)
    equal(piped("info cpus\n")[0], 0)
    status, text = piped("print 1 + 1")  # no newline
    equal(status, 0)
    assert "0x2 = 2\n" in text


def batch(path, stdin=subprocess.DEVNULL):
    return subprocess.run([VITRINE, "-nx", "-S", "-gdb", "none", "-serial", "none", "-batch", path, LONG64], stdin=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=40, check=False)


@test
def a_command_that_fails_shows_in_the_status_of_batch():
    need_kvm()
    for text, status in (("print 1\n", 0), ("", 0), ("print nonsense\nprint 1\n", 1), ("print 1\nx/wx 1 +", 1),
                         ("print nonsense\nquit\n", 0), ("source /\n", 1)):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            done = batch(file.name)
        equal(done.returncode, status, text)


@test
def batch_reads_what_is_no_plain_file():
    need_kvm()
    fifo = os.path.join(os.environ["TMPDIR"], "commands")
    os.mkfifo(fifo)
    for place, writes in (("-", ""), (fifo, f"exec 3>{fifo}; "), ("/dev/null", "")):
        # What is written in two pieces is waited for.
        script = f"{{ {writes}(echo print 6; sleep .2; echo print 7) {'>&3' if writes else ''}; }}"
        pieces = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        done = batch(place, pieces.stdout)
        pieces.stdout.close()
        pieces.wait()
        equal(re.findall(r"0x\w = \d", done.stdout.decode()),
              [] if place == "/dev/null" else ["0x6 = 6", "0x7 = 7"], place)
        equal(done.returncode, 0)


@test
def a_batch_without_end():
    done = batch("/dev/zero")
    equal((done.returncode, done.stderr), (1, b"vitrine: cannot read /dev/zero: File too large\n"))


@test
def steps_are_waited_for():
    status, text = piped("step\n" * 3 + "step 100\nstep\n")
    equal(status, 0)
    equal(text.count("■ vCPU 0: step\n"), 5)


@test
def the_guests_end_ends_a_script():
    status, text = piped("continue\necho not reached\n", "-append", "ticks=1 every=1 exit=3")
    equal(status, 7)
    assert "the guest has ended" in text and "not reached" not in text, text


@test
def odd_lines_do_no_harm():
    status, text = piped("\0\0\n\xff\xfe\n" + "a" * 5000 + "\n\n\r\n   \nprint\n" + "(" * 3000 + "\necho fine\n")
    equal(status, 0)
    assert text.endswith("echo fine\nfine\n"), text[-300:]
    assert "\0" not in text


@test
def ctrl_c_pauses_what_a_script_lets_run():
    need_kvm()
    child = subprocess.Popen([VITRINE, *OPTIONS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdin.write("continue\ninfo status\nquit\n")
    child.stdin.flush()
    assert child.stdout.readline().endswith("continue\n")
    assert child.stdout.readline().startswith("running")
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    text, _ = child.communicate(timeout=20)
    equal(child.returncode, 0)
    assert "paused from the console" in text and "VM status: paused" in text, text


run()
