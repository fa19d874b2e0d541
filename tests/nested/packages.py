# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages of a newer release, downloaded and unpacked into the user's cache folder.

The system's own apt does the work: it finds the packages, checks signatures and hashes, and goes on with a
download that was cut off. Its sources, lists and status are private ones in the cache folder, so
nothing of the system is touched and no rights are needed. The mirror is the one that the system uses.
"""
import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SUITE = os.environ.get("NESTED_SUITE", "trixie")  # the oldest with QEMU 10 and Bochs 3.0
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vitrine/nested")
APT = os.path.join(CACHE, "apt")
PATIENCE = 1200  # seconds for one download; the next try goes on where this one ended


class Unavailable(Exception):
    """What cannot be had, in one sentence."""


def tell(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked():
    """Beds may be fetched at the same time."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(name, packages, arrange, what):
    """CACHE/name, made once: the packages are unpacked into a folder, which arrange() puts in order.

    packages: a function that gives their names and whether their dependencies are wanted."""
    place = os.path.join(CACHE, name)
    with locked():
        if not os.path.isdir(place):
            work = tempfile.mkdtemp(prefix=name + ".", dir=CACHE)
            try:
                _fill(work, packages, what)
                arrange(work)
                os.chmod(work, 0o755)
                os.rename(work, place)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return place


def _fill(work, packages, what):
    _update()
    names, closure = packages()
    files = _download(names, closure, what)
    for file in files:
        _run(["dpkg-deb", "-x", file, work], f"cannot unpack {os.path.basename(file)}")
    for file in files:
        os.unlink(file)


# ---- apt, privately ------------------------------------------------------------------------------


def _fields(path):
    """The paragraphs of a .sources file."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = re.sub(r"(?m)^#.*\n", "", file.read())
    for paragraph in re.split(r"\n\s*\n", text):
        yield {k.lower(): v.split() for k, v in re.findall(r"(?m)^(\S+):((?:.*)(?:\n[ \t]+.*)*)", paragraph)}


def _sources():
    """(address, suite) of everything that apt takes packages from."""
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        for entry in _fields(path):
            if "deb" in entry.get("types", []) and entry.get("enabled", ["yes"]) != ["no"]:
                yield from ((uri, suite) for uri in entry.get("uris", []) for suite in entry.get("suites", []))
    for path in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*.list")]:
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            yield from re.findall(r"(?m)^\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", file.read())


def _codename():
    with contextlib.suppress(OSError), open("/etc/os-release", encoding="utf-8") as file:
        found = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)"?$', file.read()))
        if found.get("ID") == "debian":
            return found.get("VERSION_CODENAME", "sid")
    return None


def _mirror():
    """Where this system's own release comes from."""
    if os.environ.get("NESTED_MIRROR"):
        return os.environ["NESTED_MIRROR"]
    own = {_codename(), "stable", "oldstable", "testing", "unstable", "sid"}
    for address, suite in _sources():
        if suite in own and _codename():
            return address
    raise Unavailable("needs Debian's package sources in /etc/apt, or NESTED_MIRROR=<address of a mirror>")


def _options():
    values = {
        "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": APT + "/sources",
        "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": APT, "Dir::State::lists": APT + "/lists", "Dir::State::status": APT + "/status",
        "Dir::Cache": APT, "Dir::Cache::archives": APT + "/archives",
        "Debug::NoLocking": "1", "APT::Sandbox::User": "", "APT::Install-Recommends": "0",
        "Acquire::Languages": "none", "Acquire::Retries": "3", "Acquire::http::Timeout": "30",
        "APT::Architecture": "amd64", "APT::Architectures": "amd64",
    }
    return [word for key, value in values.items() for word in ("-o", f"{key}={value}")]


def _run(command, complaint, folder=None):
    """Its output."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True, check=False,
                              capture_output=True, cwd=folder, timeout=PATIENCE)
    except FileNotFoundError:
        raise Unavailable(f"{complaint}: there is no {command[0]} here") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{complaint}: not done after {PATIENCE // 60} minutes; try again, it goes on") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        why = re.sub(r"^E: (Failed to fetch \S+ +)?", ": ", lines[0]) if lines else ""
        raise Unavailable(complaint + why)
    return done.stdout


def _apt(tool, *words):
    """In the folder of archives, because apt-get download writes to where it is started."""
    complaint = f"needs packages of Debian {SUITE}, which are not in {CACHE} and cannot be had"
    return _run([tool, *_options(), *words], complaint, APT + "/archives")


def _update():
    """Once; the lists are kept, so that all beds are of one age. Remove the cache folder to renew them."""
    mirror = _mirror()
    for folder in ("sources", "lists/partial", "archives/partial"):
        os.makedirs(os.path.join(APT, folder), exist_ok=True)
    open(APT + "/status", "w", encoding="ascii").close()
    signed = f"Signed-By: {KEYRING}\n" if os.path.exists(KEYRING) else ""
    with open(APT + "/sources/suite.sources", "w", encoding="utf-8") as file:
        file.write(f"Types: deb\nURIs: {mirror}\nSuites: {SUITE}\nComponents: main\n{signed}")
    if not glob.glob(APT + "/lists/*_Packages*"):
        tell(f"nested: reading the package lists of Debian {SUITE} (10 MB)")
        _apt("apt-get", "-q", "update", "--error-on=any")


def dependency(package, pattern):
    """The first dependency of a package that matches."""
    _update()
    for line in _apt("apt-cache", "depends", "--important", package).splitlines():
        found = re.match(r"\s*\|?(?:Pre)?Depends: (\S+)", line)
        if found and re.match(pattern, found.group(1)):
            return found.group(1)
    raise Unavailable(f"Debian {SUITE}: {package} depends on nothing like {pattern}")


def _download(names, closure, what):
    """Paths of the packages. apt checks each against the signed list before it gets its name."""
    how = ["-q", "-y", "install", "--download-only"] if closure else ["-q", "download"]
    listing = re.findall(r"(?m)^'[^']*' (\S+) (\d+)", _apt("apt-get", *how, "--print-uris", *names))
    size = sum(int(size) for _, size in listing) / 1e6
    tell(f"nested: downloading {what}: {len(listing)} packages, {size:.0f} MB, once, into {CACHE}")
    _apt("apt-get", *how, *names)
    return [os.path.join(APT, "archives", name) for name, _ in listing]
