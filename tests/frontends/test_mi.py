# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb driven through its machine interface: the commands that VS Code's C++ extension and Emacs send, against real
guests, comparing values."""
import contextlib
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mi import Mi

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from rsp import elf_symbols
from tap import equal, patience, run, skip, test
from vm import Vitrine, guest


class Session:
    """A paused guest and a gdb that is attached to it."""

    def __init__(self, name, *options):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            skip("needs /dev/kvm")
        self.image = guest(name + ".elf")
        self.vm = Vitrine("-S", "-kernel", self.image, *options)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            vm, mi = stack.enter_context(self.vm), stack.enter_context(Mi())
            vm.listening()
            mi.ask(f"-file-exec-and-symbols {self.image}")
            mi.ask(f"-target-select remote {vm.socket_path}", 60)
            self.stack = stack.pop_all()
        return vm, mi

    def __exit__(self, *error):
        self.stack.__exit__(*error)


def insert(mi, place, options=""):
    return mi.ask(f"-break-insert {options} {place}")["bkpt"]


@test
def the_target_is_selected_and_stands_at_its_start():
    with Session("long64") as (_, mi):
        symbols = elf_symbols(guest("long64.elf"))
        frame = mi.ask("-stack-info-frame")["frame"]
        equal(int(frame["addr"], 16), symbols["_start"][0])
        equal(frame["arch"], "i386:x86-64")


@test
def a_breakpoint_is_hit_where_it_was_set():
    with Session("long64") as (_, mi):
        point = insert(mi, "counter_add", "-f")
        equal((point["number"], point["func"], point["times"]), ("1", "counter_add", "0"))
        for hits in range(1, 4):
            stop = mi.go("-exec-continue")
            equal((stop["reason"], stop["bkptno"]), ("breakpoint-hit", "1"))
            equal((stop["frame"]["func"], stop["thread-id"]), ("counter_add", "1"))
            equal(mi.value("counter.value"), str(hits - 1))
            equal(mi.ask("-break-list")["BreakpointTable"]["body"][0]["bkpt"]["times"], str(hits))
        mi.ask("-break-delete 1")
        equal(mi.ask("-break-list")["BreakpointTable"]["body"], [])


@test
def a_condition_that_was_added_later():
    with Session("long64") as (_, mi):
        insert(mi, "counter_add", "-f")
        mi.ask('-break-condition 1 which->value == 5')
        equal(mi.go("-exec-continue")["bkptno"], "1")
        equal(mi.value("counter.value"), "5")


@test
def a_temporary_breakpoint_and_a_hardware_one():
    with Session("long64") as (_, mi):
        insert(mi, "counter_add", "-t")
        equal(mi.go("-exec-continue")["disp"], "del")
        point = insert(mi, "factorial", "-h")
        equal(point["type"], "hw breakpoint")
        equal(mi.go("-exec-continue")["frame"]["func"], "factorial")


@test
def steps():
    with Session("long64") as (_, mi):
        insert(mi, "counter_add", "-t")
        line = int(mi.go("-exec-continue")["frame"]["line"])
        stop = mi.go("-exec-next")
        equal((stop["reason"], int(stop["frame"]["line"])), ("end-stepping-range", line + 1))
        before = int(stop["frame"]["addr"], 16)
        stop = mi.go("-exec-step-instruction")
        assert before < int(stop["frame"]["addr"], 16) <= before + 15, stop
        stop = mi.go("-exec-finish")
        equal((stop["reason"], stop["frame"]["func"]), ("function-finished", "work"))
        equal(mi.value("counter.value"), "1")
        # It stops there, or where the present frame is left, whichever comes first.
        stop = mi.go("-exec-until print_line")
        equal((stop["reason"], stop["frame"]["func"]), ("location-reached", "run"))


@test
def the_stack_and_its_variables():
    with Session("long64") as (_, mi):
        insert(mi, "factorial", '-t -c "n == 1"')
        mi.go("-exec-continue")
        frames = mi.ask("-stack-list-frames")["stack"]
        depth = sum(f["frame"]["func"] == "factorial" for f in frames)
        equal(int(mi.ask("-stack-info-depth")["depth"]), len(frames))
        values = [int(mi.ask(f"-stack-list-arguments 1 {n} {n}")["stack-args"][0]["frame"]["args"][0]["value"])
                  for n in range(depth)]
        equal(values, list(range(1, depth + 1)))
        mi.ask(f"-stack-select-frame {depth}")
        names = {v["name"] for v in mi.ask("-stack-list-variables --simple-values")["variables"]}
        assert "line" in names and "sum" in names, names


@test
def watched_variables_of_an_editor():
    with Session("long64") as (_, mi):
        insert(mi, "counter_add")
        mi.go("-exec-continue")
        equal(mi.ask("-var-create it @ counter")["numchild"], "3")
        children = {c["child"]["exp"]: c["child"]["value"] for c in mi.ask("-var-list-children 1 it")["children"]}
        equal(children["value"], "0")
        mi.go("-exec-continue")
        changes = {c["name"]: c["value"] for c in mi.ask("-var-update 1 it")["changelist"]}
        equal(changes["it.value"], "1")
        mi.ask("-var-assign it.value 40")
        mi.go("-exec-continue")
        equal(mi.value("counter.value"), "41")


@test
def memory_is_read_and_written():
    with Session("long64") as (vm, mi):
        start, size = elf_symbols(guest("long64.elf"))["_start"]
        with open(guest("long64.elf"), "rb") as file:
            image = file.read()
        read = mi.ask(f"-data-read-memory-bytes {start:#x} {min(size or 16, 16)}")["memory"][0]
        assert bytes.fromhex(read["contents"]) in image, read
        mi.ask("-data-write-memory-bytes 0x300000 0123456789abcdef")
        equal(mi.ask("-data-read-memory-bytes -o 2 0x300000 4")["memory"][0]["contents"], "456789ab")
        answer, fields = mi.try_("-data-read-memory-bytes 0x10000000000 8")
        equal(answer, "error")
        assert "memory" in fields["msg"].lower(), fields


@test
def registers_are_listed_and_changes_found():
    with Session("long64") as (_, mi):
        names = mi.ask("-data-list-register-names")["register-names"]
        rip, cr3 = names.index("rip"), names.index("cr3_value")
        insert(mi, "counter_add", "-t")
        mi.go("-exec-continue")
        mi.ask("-data-list-changed-registers")
        values = {v["number"]: v["value"] for v in
                  mi.ask(f"-data-list-register-values x {rip} {cr3}")["register-values"]}
        equal(int(values[str(rip)], 16), int(mi.value("(unsigned long)$rip")))
        equal(int(values[str(cr3)], 16), int(mi.value("$cr3_value")))
        mi.go("-exec-step-instruction")
        assert str(rip) in mi.ask("-data-list-changed-registers")["changed-registers"]


@test
def code_is_disassembled():
    with Session("long64") as (_, mi):
        lines = mi.ask('-data-disassemble -s _start -e "_start + 16" -- 0')["asm_insns"]
        equal((lines[0]["func-name"], lines[0]["offset"]), ("_start", "0"))
        assert lines[0]["inst"].startswith("lea"), lines


@test
def threads_are_vcpus_and_say_what_they_do():
    with Session("smp", "-smp", "4") as (_, mi):
        insert(mi, "add_one", "-t")
        mi.go("-exec-continue")
        threads = {t["id"]: t for t in mi.ask("-thread-info")["threads"]}
        equal(sorted(threads), ["1", "2", "3", "4"])
        assert all("cr3" in t["details"] or "mode" in t["details"] for t in threads.values()), threads
        pcs = set()
        for number in threads:
            mi.ask(f"-thread-select {number}")
            pcs.add(mi.value("$rip"))
            equal(mi.ask("-stack-info-frame")["frame"]["level"], "0")
        assert pcs, "no pc"
        equal(len(mi.ask("-thread-list-ids")["thread-ids"]["thread-id"]), 4)


@test
def a_running_guest_is_interrupted():
    """As an editor does: resume, do other things meanwhile, press pause."""
    with Session("long64") as (vm, mi):
        for _ in range(3):
            mi.events.clear()
            mi.ask("-exec-continue")
            mi.wait("running")
            equal(mi.ask("-break-list")["BreakpointTable"]["nr_rows"], "0")
            answer, fields = mi.try_("-data-read-memory-bytes $rip 4")
            equal(answer, "error")
            assert "running" in fields["msg"], fields
            mi.ask("-exec-interrupt")
            stop = mi.wait("stopped")
            equal((stop["reason"], stop["signal-name"]), ("signal-received", "SIGINT"))
            assert int(mi.value("(unsigned long)$rip")), stop


@test
def a_watchpoint_tells_old_and_new():
    with Session("long64") as (_, mi):
        insert(mi, "counter_add", "-t")
        mi.go("-exec-continue")
        point = mi.ask("-break-watch counter.value")["wpt"]
        equal(point["exp"], "counter.value")
        stop = mi.go("-exec-continue")
        equal((stop["reason"], stop["value"]["old"], stop["value"]["new"]), ("watchpoint-trigger", "0", "1"))


@test
def the_console_is_there():
    with Session("long64") as (_, mi):
        mi.console = ""
        mi.ask('-interpreter-exec console "monitor info cpus"')
        assert "long mode" in mi.console or "ring 0" in mi.console, mi.console


@test
def detaching_lets_the_guest_go_on():
    with Session("long64") as (vm, mi):
        insert(mi, "counter_add")
        mi.go("-exec-continue")
        mi.ask("-target-detach")
        deadline = time.monotonic() + patience(20)
        seen = len(vm.serial())
        while len(vm.serial()) == seen:
            assert time.monotonic() < deadline, "the guest prints nothing"
            time.sleep(0.02)
        mi.ask(f"-target-select remote {vm.socket_path}")
        equal(len(mi.ask("-thread-info")["threads"]), 1)


run()
