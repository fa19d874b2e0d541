# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs without anybody looking on: each guest to its end, exit statuses, help and version."""
import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, run, skip, test
from vm import GUESTS, VITRINE, Vitrine, guest

SOURCE = os.environ["SOURCE"]


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


def vitrine(*options):
    """(status, standard output, standard error) of a run to its end."""
    done = subprocess.run([VITRINE, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def runs(image, *lines, options=(), status=1):
    need_kvm()
    got, output, errors = vitrine("-serial", "stdio", "-kernel", guest(image), *options)
    for line in lines:
        assert re.search(line, output), f"{image} printed {output!r}, without {line!r}; {errors!r}"
    equal(got, status, f"{image}, which printed {output!r} and {errors!r}")


@test
def a_full_disk_shows_in_the_status():
    for options in (["-help"], ["-version"], ["-S", "-nx", "-serial", "none", "-ex", "print 1", "-ex", "quit"]):
        if "-S" in options:
            need_kvm()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([VITRINE, *options], stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
        equal(done.returncode, 1, str(options))
        equal(done.stderr, b"vitrine: standard output takes no more; some of what was said is lost\n", str(options))


def no_large_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


@test
def a_trace_that_found_no_room_says_so():
    need_kvm()
    done = subprocess.run([VITRINE, "-S", "-nx", "-serial", "none", "-ex", "trace instructions 500 steps",
                           "-ex", "quit"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                          preexec_fn=no_large_files)
    equal(os.path.getsize("steps"), 8192)
    os.unlink("steps")
    assert b"steps is not whole: the disk took no more" in done.stdout, (done.stdout, done.stderr)


@test
def a_reader_who_has_enough_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([VITRINE, "-help"], stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE,
                          timeout=60, check=False, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
    os.close(write)
    equal((done.returncode, done.stderr), (0, b""))


@test
def nobody_can_start_what_is_held():
    need_kvm()
    child = subprocess.Popen([VITRINE, "-S"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    said = child.stderr.readline()
    child.terminate()
    child.wait()
    assert b"nobody can let it run: give -s or -gdb" in said, said


@test
def the_demonstration_guest_is_built_in():
    need_kvm()
    status, output, _ = vitrine("-serial", "stdio", "-append", "ticks=2 every=1")
    assert "tick 2: counter.value = 2" in output, output
    equal(status, 1)


@test
def long64_runs():
    runs("long64.elf", r"64 MiB of memory", r"tick 1: .*all is well", "done",
         options=("-append", "ticks=1 every=1", "-m", "64"))


@test
def real16_runs():
    runs("real16.bin", "long mode")


@test
def prot32_runs():
    runs("prot32.elf", r"gcd\(1071, 462\) = 21", "prot32: done")


@test
def multiboot_gives_memory_map_and_command_line():
    runs("mboot.elf", "magic 0x2badb002", 'command line ".*mboot.elf one two"', "mboot: done", options=("-append", "one two"))


@test
def multiboot_2_gives_tags():
    path = os.environ["TMPDIR"] + "/module"
    with open(path, "wb") as file:
        file.write(bytes(range(16)))
    runs("mboot2.elf", "magic 0x36d76289", 'command line "one two"', r"memory 0x000100000-0x004000000 type 1",
         rf'sum 0x78, "{path} a b"', "rsdp revision 2", r"guest_main is at (0x\w+), its symbol says \1", "mboot2: done",
         options=("-m", "64", "-append", "one two", "-initrd", path + " a b"))


def checks(*more, **changes):
    """Options for the test kernel, as they are written for QEMU; and what it finds in its environment."""
    environment = {"CPUS": 2, "MEMORY": 64, "WORDS": 3, "GREETING": "hello, guest", "TESTDEV": 1, **changes}
    path = os.environ["TMPDIR"] + "/environment"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{key}={value}\n" for key, value in environment.items())
    return ("-smp", "2", "-m", "64", "-append", "two exit=5", "-initrd", path, "-device", "pc-testdev", "-device",
            "isa-debug-exit,iobase=0xf4,iosize=4", "-fw_cfg", "name=opt/checks/greeting,string=hello,, guest", *more)


@test
def a_test_kernel_finds_what_it_expects():
    runs("checks.flat", "ok interrupts by the IOAPIC", "ok opt/checks/greeting", "checks: 0 wrong",
         options=checks(), status=5 << 1 | 1)
    runs("checks.elf", "checks: 0 wrong")


@test
def a_test_kernel_tells_what_is_wrong():
    runs("checks.flat", "bad RAM in MiB: 0x40, not 0x41", "bad opt/checks/greeting", "checks: 2 wrong",
         options=checks(MEMORY=65, GREETING="hello, host."), status=2 << 1 | 1)


@test
def qemu_runs_the_same_test_kernel():
    """So that what it checks is what QEMU is like."""
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        skip("needs qemu-system-x86_64")
    done = subprocess.run([qemu, "-accel", "tcg", "-cpu", "max", "-nodefaults", "-display", "none", "-serial", "stdio",
                           "-kernel", guest("checks.flat"), *checks(MPCPUS=1)],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert b"checks: 0 wrong" in done.stdout, (done.stdout, done.stderr)
    equal(done.returncode, 5 << 1 | 1)


@test
def smp_counts_on_four_vcpus():
    runs("smp.elf", "4 of 4 CPUs", "total = 4000, as it must be", options=("-smp", "4", "-append", "rounds=1000"))


@test
def user_mode_runs():
    runs("user.elf", "entering ring 3", options=("-append", "rounds=3"))


@test
def the_guest_resets_the_machine():
    """By each way that there is: RAM is as it was loaded, and the guest runs on from its start."""
    for how in ("i8042", "port92", "cf9", "triple"):
        runs("io.elf", "io: back after a reset, RAM as loaded", "io: 0 wrong",
             options=("-append", "reset=" + how, "-on-triple-fault", "reset"))
    runs("io.elf", options=("-append", "reset=i8042", "-no-reboot"), status=0)


@test
def four_vcpus_survive_a_reset():
    """The other CPUs were started by the guest: they wait for it again."""
    need_kvm()
    status, output, errors = vitrine("-smp", "4", "-kernel", guest("smp.elf"), "-append", "rounds=50", "-batch",
                                     os.path.join(SOURCE, "tests/cli/reset.commands"))
    equal(status, 1, errors)
    assert re.search("breakpoint 1.*reset.*4 of 4 CPUs run", output, re.S), output
    assert "total = 200, as it must be" in output, output


@test
def io_runs():
    runs("io.elf", "ok outb, inb", "ok rep insb")


@test
def the_user_irqchip_carries_a_timer():
    runs("long64.elf", "tick 3", options=("-irqchip", "user", "-append", "ticks=3 every=2"))


@test
def the_guest_chooses_the_exit_status():
    for value in (0, 1, 5, 127):
        runs("long64.elf", options=("-append", f"ticks=1 every=1 exit={value}"), status=(value << 1 | 1) & 0xff)


@test
def port_e9_is_standard_error():
    need_kvm()
    code = b"".join(b"\xb0%c\xe6\xe9" % byte for byte in b"hi\n")  # mov al, byte; out 0xe9, al
    path = os.environ["TMPDIR"] + "/sector"
    with open(path, "wb") as file:
        file.write(code + b"\xb0\x02\xe6\xf4\xf4")  # mov al, 2; out 0xf4, al; hlt
    equal(vitrine("-serial", "stdio", "-load", "0x7c00", path), (5, "", "hi\n"))


@test
def signals_end_it_and_leave_nothing():
    need_kvm()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        vm = Vitrine()
        assert vm.serial_has("tick 1"), vm.words()
        vm.process.send_signal(number)
        equal(vm.process.wait(10), 128 + number, "status")
        assert not os.path.exists(vm.socket_path), "the socket is still there"


@test
def a_paused_machine_uses_no_cpu():
    need_kvm()
    with Vitrine("-S", "-smp", "4") as vm:
        vm.listening()
        time.sleep(0.2)
        ticks = cpu_ticks(vm.process.pid)
        time.sleep(1)
        used = cpu_ticks(vm.process.pid) - ticks
        assert used <= 2, f"{used} clock ticks in a second of doing nothing"


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


@test
def one_dash_or_two():
    equal(vitrine("-version"), vitrine("--version"))
    status, output, errors = vitrine("--version")
    assert re.fullmatch(r"vitrine \d+\.\d+\S*\n", output), output
    equal((status, errors), (0, ""))


@test
def help_fits_a_screen():
    status, output, errors = vitrine("-help")
    equal((status, errors), (0, ""))
    lines = output.splitlines()
    assert len(lines) <= 24, f"{len(lines)} lines"
    assert max(map(len, lines)) <= 80, max(lines, key=len)


@test
def documents_name_every_option():
    _, output, _ = vitrine("-help")
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        assert output in file.read(), "README.md shows another text than `vitrine -help`"
    with open(os.path.join(SOURCE, "docs/vitrine.1"), encoding="utf-8") as file:
        manual = file.read().replace("\\-", "-")
    options = set(re.findall(r"(?<![\w|-])-([A-Za-z][A-Za-z_-]*)", output))
    assert len(options) > 20, options
    for option in options:
        assert re.search(rf"^\.BI? ?.*-{option}\b", manual, re.M), f"the manual page does not explain -{option}"


@test
def every_guest_is_tested():
    """By a test, or by a lesson that is one (test_tour.py)."""
    tests = ""
    for pattern in ("tests/*/*.py", "docs/tour*.md"):
        for path in glob.glob(os.path.join(SOURCE, pattern)):
            with open(path, encoding="utf-8") as file:
                tests += file.read()
    for name in os.listdir(GUESTS):
        if name.endswith(".elf"):
            name = name.removesuffix(".elf")
            assert re.search(rf'["/]{name}(\.elf|\.bin)?["\n]', tests), f"nobody runs {name}"


run()
