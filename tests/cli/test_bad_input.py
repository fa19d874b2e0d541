# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one sentence that says what to do, the right exit status, and nothing left behind.

time limit: 120 s
"""
import os
import socket
import stat
import sys

sys.path[:0] = [os.path.join(os.environ["SOURCE"], "tests", folder) for folder in ("scripts", "cli")]
from attempts import FAILURE, Folder, QUIET, USAGE, as_nobody, attempt, need_kvm, readable_vitrine, refused
from tap import run, skip, test

# ---- the command line -----------------------------------------------------------------------------


@test
def unknown_option():
    attempt(["-frobnicate"], USAGE, "-frobnicate", "-help")


@test
def misspelt_option():
    attempt(["-serail", "stdio"], USAGE, "unknown option -serail", "did you mean -serial?")
    attempt(["--no-rebot"], USAGE, "did you mean -no-reboot?")
    attempt(["-kernal=x"], USAGE, "did you mean -kernel?")


@test
def options_of_qemu():
    """Each is refused by a sentence that says what does it here."""
    for given, instead in (
        (["-M", "q35"], "no -M here; there is one machine"),
        (["-machine", "pc,accel=kvm"], "no -machine here; there is one machine"),
        (["-d", "int"], "catch -l exception pf"),
        (["-D", "qemu.log"], "2>FILE"),
        (["-cdrom", "os.iso"], "give that as IMAGE"),
        (["-boot", "d"], "give that as IMAGE"),
        (["-no-shutdown"], "catch shutdown"),
        (["-qmp", "stdio"], "-monitor unix:PATH -json"),
        (["--vnc=:0"], "no -vnc here; there is no display"),
    ):
        attempt(given, USAGE, instead)


@test
def fifos_are_not_waited_for():
    folder = Folder()
    os.mkfifo(os.path.join(folder.path, "fifo"))
    for option in ("-kernel", "-symbols"):
        refused(folder, ["-S", option, "fifo"], FAILURE, ["fifo:? is not a (regular )?file"])


@test
def missing_argument():
    for option in ("-m", "-smp", "-kernel", "-gdb"):
        attempt([option], USAGE, option, "-help")


@test
def two_images():
    attempt(["one.elf", "two.elf"], USAGE, "two.elf")


@test
def image_named_twice():
    attempt(["-kernel", "one.elf", "two.elf"], USAGE, "two.elf")


@test
def memory_sizes():
    for size in ("0", "-5", "banana", "", "12Q", "64T", "99999999G", "0x", "1e3"):
        attempt(["-m", size], USAGE, "-m")


@test
def numbers_of_vcpus():
    for count in ("0", "9999", "-1", "two", "", "1x"):
        attempt(["-smp", count], USAGE, "-smp")


@test
def names_that_do_not_exist():
    attempt(["-accel", "tcg"], USAGE, "tcg", "kvm")
    attempt(["-irqchip=sometimes"], USAGE, "sometimes", "user")
    attempt(["-serial", "teletype"], USAGE, "teletype")
    attempt(["-monitor", "teletype"], USAGE, "teletype")


@test
def devices():
    attempt(["-device", "virtio-net"], USAGE, "no -device 'virtio-net': isa-debug-exit and pc-testdev can be added")
    attempt(["-device", "isa-debug-exit,port=1"], USAGE, "no property 'port'")
    attempt(["-accel", "dummy", "-device", "isa-debug-exit,iobase=0x3f8"], FAILURE, "overlaps")


@test
def files_for_fw_cfg():
    for option in ("", "opt/a", "opt/a,file=x,string=y", "file=x", "opt/a,size=3"):
        attempt(["-fw_cfg", option], USAGE, "name=NAME,file=FILE")
    attempt(["-fw_cfg", "opt/" + 52 * "x" + ",string="], USAGE, "55 bytes")
    attempt([word for i in range(33) for word in ("-fw_cfg", f"opt/{i},string=")], USAGE, "more than 32")
    attempt(["-accel", "dummy", "-fw_cfg", "opt/a,file=/tmp/no/such/file"], FAILURE, "-fw_cfg.*/tmp/no/such/file")
    attempt(["-accel", "dummy", "-fw_cfg", "etc/e820,string=x"], FAILURE, '"etc/e820" already')


@test
def load_and_entry_addresses():
    attempt(["-load", "zz"], USAGE, "-load")
    attempt(["-entry", ""], USAGE, "-entry")


@test
def addresses_for_gdb():
    for address in ("1234", ":", ":99999", ":-1", "unix:", "ftp:x", "tcp:a:b:c"):
        attempt(["-gdb", address], USAGE, "address|port|-gdb")
    attempt(["-gdb", "unix:" + "x" * 200], USAGE, "longer|shorter")


# ---- the host ------------------------------------------------------------------------------------


@test
def no_kvm_device():
    attempt(["-kvm-device", "/nonexistent/kvm", *QUIET], FAILURE, "/nonexistent/kvm", "modprobe|module|load")


@test
def a_device_that_is_not_kvm():
    attempt(["-kvm-device", "/dev/null", *QUIET], FAILURE, "/dev/null", "not the KVM device")


@test
def no_permission_for_kvm():
    before = as_nobody()
    need_kvm()
    if os.stat("/dev/kvm").st_mode & stat.S_IWOTH:
        skip("needs a /dev/kvm that not everybody may open")
    refused(Folder(), QUIET, FAILURE, ("/dev/kvm", "ermission", "group"), before)


@test
def port_in_use():
    need_kvm()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempt([*QUIET, "-gdb", f":{port}"], FAILURE, str(port), "in use", "-gdb")


@test
def socket_in_use():
    need_kvm()
    folder = Folder()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(folder.path + "/gdb")
        server.listen()
        refused(folder, [*QUIET, "-gdb", "unix:gdb"], FAILURE, ("in use", "another"))


@test
def socket_over_a_file():
    need_kvm()
    folder = Folder()
    folder.file("precious", b"do not remove")
    refused(folder, [*QUIET, "-gdb", "unix:precious"], FAILURE, ("precious", "not a socket"))


@test
def socket_in_a_missing_folder():
    need_kvm()
    attempt([*QUIET, "-gdb", "unix:missing/gdb"], FAILURE, "missing/gdb", "No such file")


@test
def host_of_somebody_else():
    need_kvm()
    attempt([*QUIET, "-gdb", "192.0.2.1:4321"], FAILURE, "192.0.2.1")


@test
def serial_file_that_cannot_be_made():
    need_kvm()
    attempt([*QUIET, "-serial", "file:missing/log"], FAILURE, "missing/log", "No such file")


@test
def unknown_cpu_feature():
    need_kvm()
    attempt([*QUIET, "-cpu", "max,-frobnication"], FAILURE, "frobnication")


@test
def more_memory_than_the_host_can_give():
    need_kvm()
    refused(Folder(), [*QUIET, "-m", "8G"], FAILURE, ("-m",), ("prlimit", f"--as={2 << 30}"))


readable_vitrine()
run()
