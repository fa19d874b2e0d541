#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pseudo-terminals that are joined: what goes in at one comes out at the other. Prints both paths, the second one
in raw mode already; ends with its standard input. Neither end notices who opens or closes the other.

A program of its own, because Python inside gdb stands still whenever gdb waits."""
import os
import pty
import select
import tty


def main():
    (near, near_end), (far, far_end) = pty.openpty(), pty.openpty()
    tty.setraw(far_end)
    print(os.ttyname(near_end), os.ttyname(far_end), flush=True)
    other = {near: far, far: near}
    while True:
        for end in select.select([*other, 0], [], [])[0]:
            if end == 0:
                return
            os.write(other[end], os.read(end, 4096))


if __name__ == "__main__":
    main()
