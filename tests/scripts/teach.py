#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The teaching kernel's disk. teach.py FILE makes one."""
import struct
import sys

MOTTO = b"Look before you leap.\n"
LINES = b"".join(b"line %d\n" % n for n in range(100))


def make_disk(path, files=(("motto", MOTTO), ("lines", LINES))):
    """guests/teach/program.c has the format."""
    directory, data, sector = b"teach disk".ljust(16, b"\0"), b"", 1
    for name, content in files:
        directory += name.encode().ljust(24, b"\0") + struct.pack("<II", sector, len(content))
        data += content + bytes(-len(content) % 512)
        sector = 1 + len(data) // 512
    with open(path, "wb") as file:
        file.write((directory.ljust(512, b"\0") + data).ljust(65536, b"\0"))
    return path


if __name__ == "__main__":
    make_disk(sys.argv[1])
