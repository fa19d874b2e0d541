# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad images, and bad disks: one sentence that says what to do, and nothing left behind.

time limit: 240 s
"""
import os
import re
import struct
import subprocess
import sys

sys.path[:0] = [os.path.join(os.environ["SOURCE"], "tests", folder) for folder in ("scripts", "cli")]
from attempts import (FAILURE, Folder, QUIET, USAGE, LONG64, VITRINE, as_nobody,
                      attempt, need_kvm, readable_vitrine, refused)
from linux import kernel
from tap import equal, run, test
from vm import guest


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


def starts_with(*pieces):
    """Bytes at their offsets."""
    data = bytearray(8192)
    for offset, piece in pieces:
        data[offset:offset + len(piece)] = piece
    return bytes(data)


@test
def kernels_that_are_not_elf_for_another_machine():
    image(starts_with((0x38, b"ARM\x64")), "ARM64", "x86")
    image(starts_with((0, b"MZ"), (0x38, b"ARM\x64")), "ARM64", "x86")
    image(starts_with((0x30, b"RISCV"), (0x38, b"RSC\x05")), "RISC-V", "x86")
    image(starts_with((0x24, b"\x18\x28\x6f\x01")), "for ARM", "x86")
    image(starts_with((0, b"MZ")), "EFI")


@test
def compressed_images():
    image(starts_with((0, b"\x1f\x8b\x08")), "gzip", "unpack")
    image(starts_with((0, b"\x28\xb5\x2f\xfd")), "zstd", "unpack")
    image(starts_with((0, b"\xfd7zXZ\0")), "xz", "unpack")


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
def multiboot2_headers():
    def header(*tags, length=None):
        body = b"".join(tag.ljust((len(tag) + 7) & ~7, b"\0") for tag in tags) + struct.pack("<HHI", 0, 0, 8)
        length = len(body) + 16 if length is None else length
        return (struct.pack("<4I", 0xe85250d6, 0, length, -(0xe85250d6 + length) & 0xffffffff) + body).ljust(8192, b"\x90")

    def address(*values):
        return struct.pack("<HHI4I", 2, 0, 24, *values) + struct.pack("<HHII", 3, 0, 12, values[1])

    image(header(struct.pack("<HHI", 77, 0, 8)), "77|tag")  # required, and in no specification
    image(header(address(0x100000, 0x200000, 0, 0)), "multiboot|address")
    image(header(address(0xf0000000, 0xf0000000, 0, 0)), "memory|RAM")
    image(header(address(0xa0000, 0xa0000, 0, 0)), "memory|RAM|address")
    image(header(length=1 << 20), "multiboot|length|beyond")


def linux_image(data, *words, options=()):
    image(bytes(data), *words, options=("-m", "256", *options), name="vmlinuz")


def linux_with(offset, data):
    with open(kernel(), "rb") as file:
        whole = bytearray(file.read())
    whole[offset:offset + len(data)] = data
    return whole


def console_says(path, *lines):
    """With the kernel before its first instruction."""
    commands = Folder().file("commands", "".join(line + "\n" for line in lines).encode())
    done = subprocess.run([VITRINE, "-S", "-m", "256", "-gdb", "none", "-serial", "null", "-batch", commands,
                           "-protocol", "linux64", "-kernel", path],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@test
def a_kernel_for_its_own_unpacker_whose_names_cannot_be_had():
    """Whether it is damaged is looked at when somebody asks for a name, and told once."""
    need_kvm()
    whole = linux_with(0, b"")
    path = Folder().file("vmlinuz", bytes(linux_with(len(whole) // 2, bytes(1000))))
    told = f"there are no symbols: {path} is a corrupted bzImage: the kernel in it cannot be unpacked"
    equal(console_says(path, "help break").count(told), 0)
    said = console_says(path, "break panic", "break schedule")
    equal(said.count(told), 1)
    equal(said.count("there is no symbol"), 2)


@test
def linux_kernels_cut_off_or_damaged():
    need_kvm()
    whole = linux_with(0, b"")
    for size in (1000, 20000, len(whole) // 2):
        linux_image(whole[:size], "truncated bzImage")
    linux_image(linux_with(len(whole) // 2, bytes(1000)), "corrupted bzImage", "cannot be unpacked")
    linux_image(linux_with(0x1f1, b"\xff"), "truncated bzImage")
    linux_image(linux_with(0x206, b"\0\1"), "boot protocol 1.00")
    linux_image(linux_with(0x230, b"\3\0\0\0"), "corrupted bzImage", "kernel_alignment")
    linux_image(linux_with(0x24c, b"\xff" * 4), "corrupted bzImage", "payload_length")
    linux_image(linux_with(0x260, b"\xff" * 4), "RAM ends at", "-m", options=("-protocol", "linux32"))


@test
def initrd_larger_than_memory():
    need_kvm()
    folder = Folder()
    large = folder.file("large")
    os.truncate(large, 300 << 20)
    for options in ([kernel()], [kernel(), "-protocol", "linux32"], [guest("mboot.elf")], [guest("mboot2.elf")]):
        refused(folder, [*QUIET, "-m", "256", "-initrd", large, "-kernel", *options], FAILURE,
                ("large", "free bytes", "-m"))


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
