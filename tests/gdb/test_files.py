# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb that was given no file finds the guest's symbols by itself, and reads nothing else. time limit: 120 s"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from rsp import elf_symbols  # noqa: E402


def program():
    return gdb.current_progspace().filename


@test
def with_no_file_there_are_symbols_lines_and_breakpoints():
    with Debugged("long64", file=False) as vm:
        vm.needs_a_breakpoint("long mode")
        equal(program(), "target:" + os.path.realpath(guest("long64.elf")))
        equal(where(), "_start")
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal((where(), value("line")), ("print_line", 1))
        here = gdb.newest_frame().find_sal()
        assert here.symtab.filename.endswith("long64/main.c"), here.symtab.filename
        assert backtrace()[-2:] == ["guest_main", "_start"], backtrace()
        if vm.can("long mode", "step"):
            vm.go("next")
            equal((where(), gdb.newest_frame().find_sal().line > here.line), ("print_line", True))
        start = value("(long)counter_add")
        with open(guest("long64.elf"), "rb") as file:
            assert memory(start, 40) in file.read()


@test
def with_no_image_named_the_guest_has_symbols_too():
    with Debugged(None, file=False) as vm:
        vm.needs_a_breakpoint("long mode")
        equal(program(), "target:/vitrine/long64.elf")
        gdb.Breakpoint("guest_main")
        vm.go("continue")
        equal(where(), "guest_main")
        equal(value("ram_size"), 128 << 20)


@test
def a_32_bit_guest():
    with Debugged("prot32", file=False) as vm:
        vm.needs_a_breakpoint("protected mode")
        equal(program(), "target:" + os.path.realpath(guest("prot32.elf")))
        gdb.Breakpoint("guest_main")
        vm.go("continue")
        equal((where(), value("ram_size")), ("guest_main", 128 << 20))
        equal(gdb.newest_frame().architecture().name(), "i386")


@test
def symbols_that_are_elsewhere():
    with Debugged("real16.bin", "-symbols", guest("real16.elf"), file=False) as vm:
        equal(program(), "target:" + os.path.realpath(guest("real16.elf")))
        equal(pc(), 0x7c00)
        equal(text("(long)&real_start"), str(0x7c00))
        vm.needs_a_breakpoint("long mode")
        gdb.Breakpoint("long_start")
        vm.go("continue")
        equal(pc(), value("(long)&long_start"))


@test
def a_boot_sector_without_symbols():
    with Debugged("real16.bin", file=False):
        equal(program(), None)
        equal(pc(), 0x7c00)


@test
def a_file_that_gdb_was_given_is_not_replaced():
    with Debugged("long64"):
        equal(program(), guest("long64.elf"))


@test
def files_are_read_whole_and_only_those():
    with Debugged("long64", "-symbols", guest("smp.elf"), file=False) as vm:
        image, symbols = (os.path.realpath(guest(name)) for name in ("long64.elf", "smp.elf"))
        equal(program(), "target:" + symbols)
        for path in (image, symbols):
            do(f"remote get {path} {vm.folder}/got")
            with open(path, "rb") as there, open(vm.folder + "/got", "rb") as here:
                equal(here.read(), there.read())
        secret = vm.folder + "/secret"
        with open(secret, "w", encoding="utf-8") as file:
            file.write("not for gdb")
        for path in ("/etc/passwd", secret, "/proc/self/mem", os.path.dirname(image), "/", "long64.elf",
                     os.path.dirname(image) + "/../guests/long64.elf"):
            refused(f"remote get {path} {vm.folder}/stolen")
            assert not os.path.exists(vm.folder + "/stolen"), path
        for path in (secret, image):
            refused(f"remote put {guest('smp.elf')} {path}")
            refused(f"remote delete {path}")
        with open(secret, encoding="utf-8") as file:
            equal(file.read(), "not for gdb")


@test
def the_file_is_the_one_that_was_started():
    """Somebody builds the next kernel while this one is looked at."""
    with Debugged("long64", attach=False, file=False) as vm:
        vm.listening()
    copy = vm.folder + "/kernel.elf"
    with open(guest("long64.elf"), "rb") as file, open(copy, "wb") as other:
        other.write(file.read())
    with Debugged(copy, attach=False, file=False) as vm:
        vm.listening()
        with open(copy, "wb") as other:
            other.write(b"no ELF file")
        vm.attach()
        equal(program(), "target:" + copy)
        equal(where(), "_start")


SLIDE = 0x3000000  # how far the guest `moved` goes


def linked(name):
    """A symbol's address in the file."""
    return elf_symbols(guest("moved.elf"))[name][0]


def stop_in_the_copy(vm):
    vm.needs("long mode", "slot")
    stop = gdb.Breakpoint(f"*{linked('book') + SLIDE:#x}", gdb.BP_HARDWARE_BREAKPOINT)
    vm.go("continue")
    equal(pc(), linked("book") + SLIDE)
    stop.delete()


@test
def pain_20_symbols_follow_a_kernel_that_has_moved():
    with Debugged("moved", "-append", "rounds=0", file=False) as vm:
        equal(value("(long)&book"), linked("book"))
        stop_in_the_copy(vm)
        vm.drop()
        vm.attach()
        equal(where(), "book")
        equal(value("(long)&book"), linked("book") + SLIDE)
        equal(backtrace()[:2], ["book", "keep_books"])
        assert gdb.newest_frame().find_sal().symtab.filename.endswith("moved/main.c")
        gdb.Breakpoint("book")
        for rounds in range(2):
            vm.go("continue")
            equal((where(), value("in->rounds"), value("ledger.rounds")), ("book", rounds, rounds))
            equal(value("(long)&ledger"), linked("ledger") + SLIDE)
        equal(value("ledger.sum"), 100 + 1)


@test
def pain_20_with_symbols_that_gdb_was_given():
    with Debugged("moved", "-append", "rounds=0") as vm:
        stop_in_the_copy(vm)
        vm.drop()
        vm.attach()
        equal((where(), value("(long)&book")), ("book", linked("book") + SLIDE))
        gdb.Breakpoint("handle_nothing")
        out = do("info symbol handle_nothing")
        assert out.startswith("handle_nothing"), out


@test
def pain_20_and_come_back_when_it_starts_again():
    with Debugged("moved", "-append", "rounds=0", attach=False, file=False) as vm:
        vm.attach(extended=True)
        stop_in_the_copy(vm)
        vm.drop()
        vm.attach(extended=True)
        equal(value("(long)&book"), linked("book") + SLIDE)
        gdb.Breakpoint("guest_main")
        # The guest is where it was linked again, and so are the symbols.
        vm.go("run")
        equal((where(), pc() < SLIDE), ("guest_main", True))
        equal(value("(long)&book"), linked("book"))


run()
