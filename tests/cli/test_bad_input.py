# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one sentence that says what to do, the right exit status, and nothing left behind.

time limit: 120 s
"""
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, run, skip, test

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


# ---- the command line -----------------------------------------------------------------------------


@test
def unknown_option():
    attempt(["-frobnicate"], USAGE, "-frobnicate", "-help")


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


# ---- images --------------------------------------------------------------------------------------


def image(data, *words, options=(), name="image"):
    need_kvm()
    folder = Folder()
    path = folder.file(name, data)
    refused(folder, [*QUIET, *options, "-kernel", path], FAILURE, (re.escape(path), *words))


def long64():
    with open(LONG64, "rb") as file:
        return bytearray(file.read())


def patched(offset, fmt, value):
    data = long64()
    struct.pack_into(fmt, data, offset, value)
    return bytes(data)


def first_load_segment(data):
    """File offset of the first PT_LOAD program header."""
    phoff, = struct.unpack_from("<Q", data, 0x20)
    count, = struct.unpack_from("<H", data, 0x38)
    return next(at for at in range(phoff, phoff + 56 * count, 56)
                if struct.unpack_from("<I", data, at)[0] == 1)


@test
def image_that_does_not_exist():
    need_kvm()
    attempt([*QUIET, "-kernel", "missing.elf"], FAILURE, "missing.elf", "No such file")


@test
def image_that_is_a_folder():
    need_kvm()
    folder = Folder()
    refused(folder, [*QUIET, "-kernel", folder.path], FAILURE, ("directory",))


@test
def image_that_is_a_device():
    need_kvm()
    attempt([*QUIET, "-kernel", "/dev/zero"], FAILURE, "/dev/zero", "regular file")


@test
def image_that_may_not_be_read():
    need_kvm()
    folder = Folder()
    path = folder.file("secret.elf", long64(), mode=0)
    before = as_nobody(os.stat("/dev/kvm").st_gid)
    refused(folder, [*QUIET, "-kernel", path], FAILURE, (path, "ermission"), before)


@test
def empty_image():
    image(b"", "empty")


@test
def images_cut_off():
    data = bytes(long64())
    for size in (5, 17, 40, 63, 64, 100):
        image(data[:size], "truncated|beyond")
    image(data[:len(data) // 8], "truncated|beyond")


@test
def image_for_another_machine():
    image(patched(18, "<H", 40), "e_machine", "arm")
    image(patched(18, "<H", 183), "e_machine", "aarch64")


@test
def image_that_is_no_program():
    image(patched(16, "<H", 1), "e_type")


@test
def image_with_wrong_byte_order():
    image(patched(5, "<B", 2), "EI_DATA")


@test
def image_without_segments():
    image(patched(0x38, "<H", 0), "e_phnum")


@test
def image_with_an_entry_outside():
    image(patched(0x18, "<Q", 0x7fff_ffff_0000), "e_entry|entry")


@test
def image_with_segments_outside():
    at = first_load_segment(long64())
    image(patched(at + 24, "<Q", 0xffff_ffff_ffff_0000), "p_paddr|segment|memory")
    image(patched(at + 40, "<Q", 1 << 62), "p_memsz|segment|memory")
    image(patched(at + 8, "<Q", 1 << 62), "p_offset|truncated|beyond")
    image(patched(at + 32, "<Q", 1 << 62), "p_filesz|truncated|beyond")


@test
def image_larger_than_memory():
    need_kvm()
    folder = Folder()
    path = folder.file("large.bin")
    os.truncate(path, 64 << 20)
    refused(folder, [*QUIET, "-m", "16", "-load", "0x100000", "-entry", "0x100000", "-kernel", path],
            FAILURE, (path, "-m|memory"))


@test
def boot_sector_larger_than_low_memory():
    need_kvm()
    folder = Folder()
    path = folder.file("large.bin")
    os.truncate(path, 2 << 20)
    refused(folder, [*QUIET, "-m", "16", "-kernel", path], FAILURE, (path,))


@test
def multiboot_headers():
    magic, flags = 0x1badb002, 1 << 16
    checksum = -(magic + flags) & 0xffffffff
    fields = {
        "loads below its file": (0x100000, 0x200000, 0, 0, 0x100000),
        "ends before it starts": (0x100000, 0x100000, 0x90000, 0, 0x100000),
        "beyond memory": (0xf0000000, 0xf0000000, 0, 0, 0xf0000000),
        "into the hole": (0xa0000, 0xa0000, 0, 0, 0xa0000),
    }
    for name, values in fields.items():
        image(struct.pack("<3I5I", magic, flags, checksum, *values).ljust(8192, b"\x90"), "multiboot|addr|memory",
              name=name.replace(" ", "-"))
    unknown = 1 << 15 | 0x8
    image(struct.pack("<3I", magic, unknown, -(magic + unknown) & 0xffffffff).ljust(8192, b"\x90"), "flag")


@test
def disks():
    folder = Folder()
    folder.file("odd", b"x" * 700)
    folder.file("qcow2", b"QFI\xfb" + bytes(508))
    folder.file("good", bytes(1024))
    for options, status, words in (
            (["-hda", "missing"], FAILURE, ("missing", "No such file")),
            (["-hdb", folder.path], FAILURE, ("directory",)),
            (["-drive", "/dev/null"], FAILURE, ("neither a file nor a block device",)),
            (["-drive", "odd"], FAILURE, ("700 bytes", "truncate")),
            (["-drive", "file=qcow2"], FAILURE, ("qcow2", "convert -O raw")),
            (["-hda", "good", "-hdb", "good"], FAILURE, ("in use", "readonly")),
            (["-drive", "good,format=vmdk"], USAGE, ("raw",)),
            (["-drive", "good,colour=red"], USAGE, ("colour=red", "file, format=raw")),
            (["-hda", "good", "-drive", "good,index=0"], USAGE, ("drive 0",)),
            (["-hda", "good", "-hdb", "good", "-drive", "good"], USAGE, ("both are taken",))):
        refused(folder, [*QUIET, *options, LONG64], status, words)


@test
def missing_initrd():
    need_kvm()
    data = struct.pack("<3I5I", 0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16)) & 0xffffffff, 0x100000, 0x100000, 0, 0,
                       0x100020).ljust(8192, b"\xf4")
    folder = Folder()
    path = folder.file("kernel", data)
    refused(folder, [*QUIET, "-kernel", path, "-initrd", "missing"], FAILURE, ("missing", "No such file"))


readable_vitrine()
run()
