# SPDX-License-Identifier: GPL-3.0-or-later
"""LLDB against gdb's stub: what docs/gdb-frontends.md says of it. Nothing else needs LLDB, so it is not installed for
this."""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from rsp import elf_symbols
from tap import equal, patience, run, skip, test
from vm import Vitrine, guest


def lldb():
    names = [shutil.which("lldb")] + sorted(glob.glob("/usr/bin/lldb-[0-9]*"))
    found = [name for name in names if name and os.access(name, os.X_OK)]
    if not found:
        skip("needs lldb")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")
    return found[-1]


def session(*commands, symbols=True):
    """Attaches to a paused guest; what LLDB says to each command."""
    program = lldb()
    with Vitrine("-S", "-kernel", guest("long64.elf"), tcp=True) as vm:
        vm.listening()
        lines = [f"target create {guest('long64.elf')}"] if symbols else []
        lines += ["gdb-remote 127.0.0.1:%d" % vm.address[1], *commands, "detach"]
        words = [word for line in lines for word in ("-o", line)]
        done = subprocess.run([program, "-b", "--no-lldbinit", "--no-use-colors", *words], capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, timeout=patience(50), check=False)
        answers = dict.fromkeys(lines, "")
        pieces = re.split(r"^\(lldb\) (.*)\n", done.stdout, flags=re.M)
        answers.update(zip(pieces[1::2], pieces[2::2]))
        assert "detached" in answers["detach"], done.stdout + done.stderr
        return answers


@test
def without_a_file_it_shows_code_and_registers():
    said = session("register read rip rsp", "disassemble -c 2", "memory read -s8 -fx -c1 $rip", symbols=False)
    start = elf_symbols(guest("long64.elf"))["_start"][0]
    equal(int(re.search(r"rip = (0x\w+)", said["register read rip rsp"]).group(1), 16), start)
    assert re.search(rf"->\s+0x{start:x}: leaq", said["disassemble -c 2"]), said["disassemble -c 2"]
    assert f"{start:08x}: 0x" in said["memory read -s8 -fx -c1 $rip"], said


@test
def breakpoints_expressions_and_steps():
    said = session("breakpoint set -n counter_add", "continue", "bt", "expression counter.step + amount",
                   "expression counter.value = 77", "next", "expression old", "finish", "expression counter.value")
    assert "stop reason = breakpoint 1.1" in said["continue"], said["continue"]
    equal(re.findall(r"frame #\d+: \S+ \S+`(\w+)", said["bt"])[:3], ["counter_add", "work", "run"])
    assert said["expression counter.step + amount"].endswith("= 2\n"), said
    assert said["expression old"].endswith("= 77\n"), said
    assert "stop reason = step out" in said["finish"] and "`work" in said["finish"], said["finish"]
    assert said["expression counter.value"].endswith("= 78\n"), said


@test
def watchpoints_and_registers_of_the_system():
    said = session("breakpoint set -n counter_add", "continue",
                   "watchpoint set expression -s 4 -- &counter.value", "continue ", "register read cr3_value cr0",
                   "register write rbx 0x1234", "register read rbx")
    assert "stop reason = watchpoint 1" in said["continue "], said["continue "]
    assert re.search(r"cr3_value = 0x0*[1-9a-f]", said["register read cr3_value cr0"]), said
    assert "rbx = 0x0000000000001234" in said["register read rbx"], said


@test
def the_console():
    said = session("process plugin packet monitor info cpus")
    assert "long mode, ring 0" in said["process plugin packet monitor info cpus"], said


run()
