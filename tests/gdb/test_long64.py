# SPDX-License-Identifier: GPL-3.0-or-later
"""The everyday of kernel debugging, in long mode: the demonstration guest. time limit: 180 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *


@test
def attach_at_the_first_instruction():
    with Debugged("long64") as vm:
        equal(where(), "_start")
        equal(pc(), value("(long)_start"))
        equal(thread_count(), 1)
        equal(vm.serial(), "")


@test
def break_in_a_C_function():
    with Debugged("long64") as vm:
        point = gdb.Breakpoint("print_line")
        out = vm.go("continue")
        equal(stops.breakpoints(), [point.number])
        assert "Breakpoint" in out and "print_line (line=1)" in out, out
        vm.go("continue")
        equal(value("line"), 2)
        equal(point.hit_count, 2)


@test
def hbreak_in_a_C_function():
    with Debugged("long64") as vm:
        vm.needs("long mode", "slot")
        point = gdb.Breakpoint("counter_add", type=gdb.BP_HARDWARE_BREAKPOINT)
        for n in range(3):
            vm.go("continue")
            equal(stops.breakpoints(), [point.number])
            equal((where(), value("which->value"), value("amount")), ("counter_add", n, 1))


@test
def more_hbreaks_than_the_processor_has():
    with Debugged("long64") as vm:
        vm.needs("long mode", "slot")
        vm.needs("long mode", "int3")  # the next rung
        names = ["work", "factorial", "fibonacci", "sum_of_squares", "counter_add", "print_line",
                 "message_text"]
        for name in names:
            gdb.Breakpoint(name, type=gdb.BP_HARDWARE_BREAKPOINT, temporary=True)
        seen = []
        for _ in names:
            vm.go("continue")
            seen.append(where())
        equal(seen, names)


@test
def backtrace_with_arguments():
    with Debugged("long64") as vm:
        gdb.Breakpoint("factorial").condition = "n == 1"
        vm.go("continue")
        equal(backtrace(), ["factorial", "work", "run", "guest_main", "_start"])
        vm.go("continue")
        equal(backtrace()[:3], ["factorial", "factorial", "work"])
        vm.go("continue")
        equal(backtrace(), ["factorial"] * 3 + ["work", "run", "guest_main", "_start"])
        equal([int(caller(i).read_var("n")) for i in range(3)], [1, 2, 3])
        equal(int(caller(3).read_var("line")), 3)
        equal(int(caller(4).read_var("interrupts_per_line")), 10)
        equal(int(caller(5).read_var("ram_size")), 128 << 20)


@test
def next_step_finish_and_until():
    with Debugged("long64") as vm:
        gdb.Breakpoint("work")
        vm.go("continue")
        first = gdb.newest_frame().find_sal().line
        vm.go("next")
        equal(where(), "work")
        assert gdb.newest_frame().find_sal().line > first
        gdb.Breakpoint("sum_of_squares", temporary=True)
        vm.go("continue")
        vm.go("finish")
        equal(where(), "work")
        equal(int(gdb.history(0)), 1 + 4 + 9 + 1)
        vm.go("next")
        equal(value("sum"), 15)
        vm.go("step")
        equal(where(), "counter_add")
        vm.go("next 3")
        equal((value("old"), value("new")), (0, 1))
        vm.go("finish")
        equal(where(), "work")
        vm.go("advance print")
        equal(where(), "print")


@test
def a_step_is_one_instruction():
    with Debugged("long64") as vm:
        at_print_line(vm)
        straight = 0
        for _ in range(60):
            here = instruction()
            vm.go("stepi")
            if here["asm"].split()[0] in ("call", "jmp", "ret", "leave") or here["asm"].startswith("j"):
                continue
            equal(pc(), here["addr"] + here["length"], here["asm"])
            straight += 1
        assert straight > 30, straight
        vm.go("stepi 25")
        equal(stops.signal(), None)


@test
def changed_variables_are_seen_by_the_guest():
    with Debugged("long64") as vm:
        at_print_line(vm)
        do("set var message_number = 3")
        do("set var counter.value = 1000")
        do("set var counter.step = 5")
        vm.go("continue")
        assert "counter.value = 1000, message 3: hello, debugger" in vm.serial(), vm.serial()
        vm.go("next")
        do("set var number = 4")
        vm.go("continue")
        assert "counter.value = 1005, message 4: the display case is open" in vm.serial(), vm.serial()
        equal(value("counter.value"), 1010)
        equal(value("counter.updates"), 3)


@test
def changed_registers_are_seen_by_the_guest():
    with Debugged("long64") as vm:
        gdb.Breakpoint("*message_text")
        vm.go("continue")
        equal(value("$rdi"), 1)
        do("set $rdi = 4")
        do("delete")
        at_print_line(vm)
        assert "message 1: the display case is open" in vm.serial(), vm.serial()


@test
def every_general_register_takes_a_value():
    with Debugged("long64"):
        names = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()
        for n, name in enumerate(names):
            do(f"set ${name} = {0x1122334455667700 + n}")
        do("maintenance flush register-cache")
        for n, name in enumerate(names):
            equal(value("$" + name), 0x1122334455667700 + n, name)
        do("set $eflags = 0x246")
        equal(value("$eflags_value"), 0x246)
        equal(text("$eflags").replace(" IOPL=0", ""), "[ PF ZF IF ]")


@test
def vector_registers_take_a_value():
    with Debugged("long64"):
        do("set $xmm3.v2_int64[0] = 0x1122334455667788")
        do("set $xmm3.v2_int64[1] = -1")
        do("set $xmm15.v4_float[2] = 1.5")
        do("maintenance flush register-cache")
        equal(value("$xmm3.v2_int64[0]"), 0x1122334455667788)
        equal(value("$xmm3.v16_int8[15]"), -1)
        equal(float(gdb.parse_and_eval("$xmm15.v4_float[2]")), 1.5)
        equal(value("$mxcsr_value"), 0x1f80)


@test
def system_registers():
    with Debugged("long64") as vm:
        at_print_line(vm)
        equal(value("$cr0_value") & 0x80000001, 0x80000001)
        assert text("$cr0").startswith("[ PE") and text("$cr0").endswith("PG ]"), text("$cr0")
        assert "PAE" in text("$cr4"), text("$cr4")
        assert "LME LMA" in text("$efer"), text("$efer")
        equal(value("$cr3_value") & 0xfff, 0)
        assert value("$cr3_value") > 0x100000, hex(value("$cr3_value"))
        assert "DPL=0 P L" in text("$cs_attr"), text("$cs_attr")
        equal(value("$gdtr_base"), value("(long)&gdt"))
        assert value("$idtr_limit") >= 0x20 * 16 - 1


@test
def memory_is_the_image():
    with Debugged("long64") as vm:
        start = value("(long)work") & ~0xfff
        equal(memory(start, 3000), file_bytes(start, 3000))
        at_print_line(vm)
        equal(gdb.parse_and_eval("messages[1]").string(), "all is well")
        equal(do("x/s messages[3]").split('"')[1], "hello, debugger")
        gdb.selected_inferior().write_memory(value("(long)&counter"), b"\x39\x30\0\0\x07\0\0\0")
        equal((value("counter.value"), value("counter.step")), (12345, 7))


@test
def memory_that_is_not_there():
    with Debugged("long64") as vm:
        at_print_line(vm)
        # The guest has taken its page 0 away.
        for address in (0, 0xfff, 0x8000000000, 0x8000000000000000, 0xfffffffffffff000):
            assert "Cannot access memory" in refused(f"x/x {address}"), hex(address)
        assert "Cannot access memory" in refused("set *(char *)0 = 1")
        # What lies in front of a hole can be read.
        end = 128 << 20
        equal(len(memory(end - 16, 16)), 16)
        assert "Cannot access memory" in refused(f"x/32xb {end - 16}")


@test
def int3_bytes_are_never_seen():
    with Debugged("long64") as vm:
        do("set breakpoint always-inserted on")
        try:
            at_print_line(vm)
            gdb.Breakpoint("counter_add")
            for name in ("print_line", "counter_add"):
                start = value("(long)" + name)
                equal(memory(start, 64), file_bytes(start, 64), name)
                dump = do(f"monitor x/16xb {start:#x}")
                assert "0xcc" not in dump.lower() and "cc cc" not in dump.lower(), dump
        finally:
            do("set breakpoint always-inserted off")


@test
def conditions_ignore_counts_and_commands():
    with Debugged("long64", "-append", "every=2") as vm:
        point = gdb.Breakpoint("print_line")
        point.condition = "line == 4"
        vm.go("continue")
        equal(value("line"), 4)
        point.condition = None
        point.ignore_count = 2
        vm.go("continue")
        equal(value("line"), 7)
        point.enabled = False
        gdb.Breakpoint("message_text", temporary=True)
        vm.go("continue")
        equal(where(), "message_text")


@test
def ctrl_c_and_continue():
    with Debugged("long64") as vm:
        for _ in range(5):
            vm.go_and_interrupt()
            equal(stops.signal(), "SIGINT")
        assert "tick 1" in vm.serial(), vm.serial()
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(where(), "print_line")


@test
def ctrl_c_while_the_guest_sleeps_without_interrupts_to_come():
    with Debugged("long64", "-append", "every=1000000") as vm:
        vm.go_and_interrupt(0.5)
        equal(stops.signal(), "SIGINT")
        assert "wait_for_interrupt" in backtrace()[:2] or "sleep_until" in backtrace()[:3], backtrace()


@test
def a_backtrace_through_an_interrupt():
    with Debugged("long64") as vm:
        gdb.Breakpoint("timer_interrupt")
        vm.go("continue")
        names = backtrace()
        equal(names[0], "timer_interrupt")
        assert "guest_main" in names and names[-1] == "_start", names


@test
def a_step_does_not_wander_into_an_interrupt():
    with Debugged("long64") as vm:
        gdb.Breakpoint("work", temporary=True)
        vm.go("continue")
        gdb.execute("shell sleep 0.3")  # an interrupt is due by now
        for _ in range(20):
            vm.go("next")
            if where() != "work":
                break
        equal(value("shared.lines"), 1)
        assert backtrace()[-1] == "_start", backtrace()
        assert where() in ("work", "run"), where()


@test
def jump_and_return():
    with Debugged("long64") as vm:
        at_print_line(vm)
        do("return")
        equal(where(), "run")
        vm.go("continue")
        equal(value("line"), 2)
        assert "tick 1" not in vm.serial(), vm.serial()
        do("delete")
        gdb.Breakpoint("message_text")
        vm.go("jump message_text")
        equal(where(), "message_text")


@test
def monitor_and_gdb_see_the_same():
    with Debugged("long64") as vm:
        at_print_line(vm)
        assert f"{pc():x}" in do("monitor info registers").lower()
        assert "rip" in do("monitor info registers").lower()
        assert "help" in do("monitor help")
        do("set $r13 = 0xfeedface")
        assert "feedface" in do("monitor info registers").lower()
        assert do("monitor nonsense").strip(), "an unknown command says nothing"


@test
def a_breakpoint_of_the_monitor_stops_gdb_with_words():
    with Debugged("long64") as vm:
        do("monitor break counter_add")
        out = vm.go("continue")
        equal((where(), stops.breakpoints()), ("counter_add", []))
        assert "vCPU 0: " in out and "breakpoint 1" in out and "SIGTRAP" in out, out
        vm.go("continue")
        equal(where(), "counter_add")
        do("monitor delete")
        at_print_line(vm)


@test
def breakpoints_survive_a_reset():
    with Debugged("long64") as vm:
        point = gdb.Breakpoint("print_line")
        vm.go("continue")
        vm.go("continue")
        equal(value("line"), 2)
        do("monitor reset")
        do("maintenance flush register-cache")
        equal(where(), "_start")
        vm.go("continue")
        equal((where(), value("line"), point.hit_count), ("print_line", 1, 3))


@test
def write_watchpoints():
    with Debugged("long64") as vm:
        gdb.Breakpoint("work", temporary=True)
        vm.go("continue")
        gdb.Breakpoint("counter.value", type=gdb.BP_WATCHPOINT, wp_class=gdb.WP_WRITE)
        out = vm.go("continue")
        equal(where(), "counter_add")
        assert "Old value = 0" in out and "New value = 1" in out, out


run()
