# SPDX-License-Identifier: GPL-3.0-or-later
"""A raw client of the gdb remote serial protocol, for tests that must not wait for gdb."""
import os
import socket
import struct
import time

from tap import patience


class Timeout(Exception):
    pass


class Client:
    """Speaks no-ack mode after connecting. Collects console output ('O' packets) in .console."""

    def __init__(self, address, timeout=patience(20.0), no_ack=True):
        self.socket, self.timeout, self.buffer, self.console = connect(address, timeout), timeout, b"", ""
        self.acks = True
        if no_ack:
            assert self.ask("QStartNoAckMode") == "OK"
            self.acks = False

    def close(self, abruptly=False):
        """abruptly: a reset instead of a goodbye, as when a gdb is killed with data in flight."""
        if abruptly and self.socket.family == socket.AF_INET:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, text):
        payload = text.encode("latin-1")
        self.raw(b"$" + payload + b"#%02x" % (sum(payload) & 0xff))

    def interrupt(self):
        self.raw(b"\x03")

    def _fill(self, deadline):
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self.socket.recv(65536)
        except (socket.timeout, BlockingIOError) as late:
            raise Timeout(f"no answer; received so far: {self.buffer!r}") from late
        if not data:
            raise ConnectionError("the stub closed the connection")
        self.buffer += data

    def packet(self, timeout=None):
        """The next packet's text, run-length encoding and escapes undone."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            self.buffer = self.buffer.lstrip(b"+")
            end = self.buffer.find(b"#")
            if end >= 0 and len(self.buffer) >= end + 3:
                break
            self._fill(deadline)
        if self.buffer[:1] != b"$":
            raise ValueError(f"not a packet: {self.buffer[:80]!r}")
        body, check = self.buffer[1:end], int(self.buffer[end + 1:end + 3], 16)
        if sum(body) & 0xff != check:
            raise ValueError(f"bad checksum: {self.buffer[:80]!r}")
        self.buffer = self.buffer[end + 3:]
        if self.acks:
            self.raw(b"+")
        return expand(body)

    def reply(self, timeout=None):
        """The next packet that is not console output."""
        while True:
            text = self.packet(timeout)
            if text.startswith("O") and text != "OK":
                self.console += bytes.fromhex(text[1:]).decode(errors="replace")
                continue
            return text

    def ask(self, text, timeout=None):
        self.send(text)
        return self.reply(timeout)

    def quiet(self, seconds):
        """Whether nothing arrives for so long."""
        try:
            self.packet(seconds)
        except Timeout:
            return True
        return False

    def read(self, address, size):
        reply = self.ask(f"m{address:x},{size:x}")
        data = bytes.fromhex(reply) if not reply.startswith("E") else b""
        if len(data) != size:
            raise ValueError(f"reading {size} bytes at {address:#x}: {reply}")
        return data

    def monitor(self, line):
        self.console = ""
        reply = self.ask("qRcmd," + line.encode().hex())
        if reply not in ("OK", "") and not reply.startswith("E"):
            self.console += bytes.fromhex(reply).decode(errors="replace")
        return self.console


def expand(body):
    out = bytearray()
    i = 0
    while i < len(body):
        if body[i] == 0x7d:
            out.append(body[i + 1] ^ 0x20)
            i += 2
        elif body[i] == 0x2a:
            out += bytes([out[-1]]) * (body[i + 1] - 29)
            i += 2
        else:
            out.append(body[i])
            i += 1
    return out.decode("latin-1")


def connect(address, timeout=patience(20.0)):
    """address: a unix socket's path, or (host, port). Waits until somebody listens."""
    deadline = time.monotonic() + timeout
    while True:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        client = socket.socket(family, socket.SOCK_STREAM)
        try:
            client.settimeout(timeout)
            client.connect(address)
            if family == socket.AF_INET:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return client
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            client.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def elf_symbols(path):
    """{name: (address, size)} of a 32- or 64-bit little-endian ELF file."""
    with open(path, "rb") as file:
        data = file.read()
    wide = data[4] == 2
    shoff, = struct.unpack_from("<Q" if wide else "<I", data, 0x28 if wide else 0x20)
    entsize, count = struct.unpack_from("<HH", data, 0x3a if wide else 0x2e)
    sections = []
    for i in range(count):
        at = shoff + i * entsize
        kind, = struct.unpack_from("<I", data, at + 4)
        offset, size, link = (struct.unpack_from("<QQI", data, at + 24) if wide
                              else struct.unpack_from("<III", data, at + 16))
        sections.append((kind, offset, size, link))
    symbols = {}
    for kind, offset, size, link in sections:
        if kind != 2:  # SHT_SYMTAB
            continue
        for at in range(offset, offset + size, 24 if wide else 16):
            name, = struct.unpack_from("<I", data, at)
            value, length = struct.unpack_from("<QQ" if wide else "<II", data, at + (8 if wide else 4))
            start = sections[link][1] + name
            symbols[data[start:data.index(b"\0", start)].decode()] = (value, length)
    return symbols


def process_facts(pid):
    """What must not grow: descriptors, threads, KiB of memory of its own. What of that is resident is the host's
    business: it may put huge pages under a stack of which little is used."""
    facts = {"fds": len(os.listdir(f"/proc/{pid}/fd"))}
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("Threads", "VmData"):
                facts[key] = int(value.split()[0])
    return facts
