# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes initramfs archives, for the beds' outer machines and for Linux guests."""
import os
import stat


class Archive:
    """A cpio archive of the kind that Linux unpacks at boot ("newc")."""

    def __init__(self, file):
        self.file, self.seen, self.size = file, {"", "/"}, 0

    def _entry(self, path, mode, data=b"", device=(0, 0)):
        path = path.lstrip("/")
        name = path.encode() + b"\0"
        fields = (len(self.seen), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        self._write(header)
        self._write(data)
        self.seen.add(path)

    def _write(self, data):
        self.file.write(data + bytes(-len(data) % 4))
        self.size += len(data) + -len(data) % 4

    def _new(self, path):
        """Makes the folders above it; false when it is there already."""
        path = path.lstrip("/")
        if path in self.seen:
            return False
        self.folder(os.path.dirname(path))
        return True

    def folder(self, path):
        if self._new(path):
            self._entry(path, stat.S_IFDIR | 0o755)

    def data(self, path, data, mode=0o644):
        if self._new(path):
            self._entry(path, stat.S_IFREG | mode, data)

    def link(self, path, target):
        if self._new(path):
            self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def node(self, path, major, minor):
        if self._new(path):
            self._entry(path, stat.S_IFCHR | 0o666, device=(major, minor))

    def copy(self, source, path=None):
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        with open(source, "rb") as file:
            self.data(path or source, file.read(), mode)

    def tree(self, folder, wanted=lambda path: True):
        for above, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for path in sorted(os.path.join(above, name) for name in files):
                if os.path.isfile(path) and wanted(path):
                    self.copy(path)

    def end(self):
        self._entry("TRAILER!!!", 0)
