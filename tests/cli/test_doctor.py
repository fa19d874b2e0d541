# SPDX-License-Identifier: GPL-3.0-or-later
"""vitrine -doctor: what it prints for people and for programs, on hosts with and without KVM, and what it keeps."""
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, run, skip, test

VITRINE = os.environ["VITRINE"]
DOCUMENT = os.path.join(os.environ["SOURCE"], "docs/doctor.md")
MODES = ["real", "protected", "long", "ring3"]
WISHES = ["break", "hbreak", "watch", "access", "step"]
NOBODY = 65534
MISSING = ["-kvm-device", "/nonexistent/kvm"]


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("needs /dev/kvm")


def vitrine(*options, before=(), status=0, cache=None, program=None):
    """What it prints."""
    environment = dict(os.environ, **({"XDG_CACHE_HOME": cache} if cache else {}))
    done = subprocess.run([*before, program or VITRINE, *options], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False, env=environment)
    said = done.stdout.decode() + done.stderr.decode()
    equal(done.returncode, status, f"{' '.join(options)} said {said}, status")
    equal(done.stderr, b"", "on standard error")
    return done.stdout.decode()


def doctor(*options, **how):
    return json.loads(vitrine("-doctor", "-json", *options, **how))


def as_nobody():
    if os.geteuid() != 0:
        skip("needs root, to become somebody else")
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def readable_vitrine():
    folder = tempfile.mkdtemp(prefix="bin-")
    os.chmod(folder, 0o755)
    os.chmod(os.environ["TMPDIR"], 0o755)
    return shutil.copy(VITRINE, folder)


def new_cache():
    folder = tempfile.mkdtemp(prefix="cache-")
    return folder, os.path.join(folder, "vitrine", "capabilities")


# ---- for people -----------------------------------------------------------------------------------


@test
def report_for_people():
    need_kvm()
    report = vitrine("--doctor")
    for title in ("host", "/dev/kvm", "promised", "found", "so on this host"):
        assert re.search(rf"^{title}\b", report, re.M), f"no '{title}' in\n{report}"
    for line in report.splitlines():
        assert len(line) <= 80 and line == line.rstrip(), repr(line)
    for wish in ("breakpoint", "hardware breakpoint", "write watch", "read or access watch", "single step"):
        assert re.search(rf"^  {wish}\s+\S", report, re.M), f"no '{wish}' in\n{report}"


@test
def one_dash_or_two():
    need_kvm()
    first, second = (re.sub(r"asking took [\d.]+ ms", "", vitrine(option)) for option in ("-doctor", "--doctor"))
    equal(first, second)


@test
def the_console_says_the_same():
    need_kvm()
    with tempfile.NamedTemporaryFile("w", suffix=".commands") as file:
        file.write("doctor\ndoctor -j\n")
        file.flush()
        said = vitrine("-S", "-gdb", "none", "-serial", "none", "-batch", file.name)
    report = re.sub(r"  \(asking took .*\n", "", vitrine("-doctor"))
    assert report in said, said
    here = json.loads(said[said.index("\n{") + 1:].splitlines()[0])
    afresh = doctor()
    equal(here.pop("probe_us"), 0)
    assert afresh.pop("probe_us") > 0
    equal(here, afresh)


# ---- for programs ---------------------------------------------------------------------------------


@test
def every_field_is_documented():
    need_kvm()
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    report = doctor()
    names = list(report) + list(report["host"]) + list(report["device"]) + list(report["module"])
    names += list(report["found"]) + list(report["ladder"]["break"]) + list(report["ladder"]["break"]["rungs"][0])
    for name in names:
        assert f"`{name}`" in document, f"docs/doctor.md does not explain {name}"
    equal(list(report["ladder"]), WISHES)
    equal(report["format"], 1)


@test
def the_ladder_follows_from_what_was_found():
    need_kvm()
    report = doctor()
    found, ladder = report["found"], report["ladder"]
    for wish in WISHES:
        rungs = ladder[wish]["rungs"]
        equal(ladder[wish]["forced"], None)
        for mode in MODES:
            chosen = ladder[wish]["chosen"][mode]
            works = [rung["name"] for rung in rungs if rung["works"][mode]]
            assert chosen is None or chosen in works, (wish, mode, chosen, works)
    for mode in MODES:
        equal(ladder["break"]["chosen"][mode] == "int3", found["int3"][mode] == "traps", f"int3 in {mode}")
        equal(ladder["break"]["chosen"][mode] == "emulation", found["int3"][mode] == "emulation-failure")
        equal(ladder["hbreak"]["chosen"][mode] == "slot", found["execution_slot"][mode] == "yes")
        equal(ladder["watch"]["chosen"][mode] == "slot", found["watch_write_slot"][mode] == "yes")
        equal(ladder["step"]["chosen"][mode] == "tf", found["single_step"][mode] == "yes")
    usable = any(ladder[wish]["chosen"][mode] for wish in ("break", "step") for mode in MODES)
    equal(report["debuggable"], usable)


@test
def a_forced_rung_is_taken_or_refused():
    need_kvm()
    report = doctor("-debug-strategy=break=slot,watch=page")
    for wish, name in (("break", "slot"), ("watch", "page")):
        equal(report["ladder"][wish]["forced"], name)
        for mode in MODES:
            works = next(rung for rung in report["ladder"][wish]["rungs"] if rung["name"] == name)["works"][mode]
            equal(report["ladder"][wish]["chosen"][mode], name if works else None)
    equal(report["ladder"]["hbreak"]["forced"], None)


# ---- no KVM ---------------------------------------------------------------------------------------


@test
def no_device():
    report = vitrine("-doctor", *MISSING, status=1)
    for words in ("/nonexistent/kvm", "NO: No such file", "modprobe", "cannot be debugged", "host "):
        assert words in report, f"no '{words}' in\n{report}"
    report = doctor(*MISSING, status=1)
    equal((report["debuggable"], report["found"], report["ladder"], report["device"]["ok"]), (False, None, None, False))
    assert report["trouble"] and report["remedies"] and report["host"]["kernel"], report


@test
def a_device_that_is_not_kvm():
    report = doctor("-kvm-device", "/dev/null", status=1)
    equal((report["debuggable"], report["device"]["ok"], report["device"]["api_version"]), (False, False, 0))
    assert "not the KVM device" in report["remedies"][0], report


@test
def no_permission():
    before = as_nobody()
    need_kvm()
    if os.stat("/dev/kvm").st_mode & stat.S_IWOTH:
        skip("needs a /dev/kvm that not everybody may open")
    program = readable_vitrine()
    report = vitrine("-doctor", before=before, status=1, program=program)
    for words in ("NO: Permission denied", "mode 0", "group kvm", "usermod"):
        assert words in report, f"no '{words}' in\n{report}"
    equal(doctor(before=before, status=1, program=program)["device"]["error"], "Permission denied")


@test
def the_dummy():
    folder, path = new_cache()
    report = doctor("-accel", "dummy", cache=folder)
    equal((report["accelerator"], report["device"]["path"], report["module"]["name"]), ("dummy", None, None))
    equal(report["ladder"]["break"]["chosen"]["real"], "int3")
    assert not os.path.exists(path), "what the dummy said was kept"


# ---- what is kept ---------------------------------------------------------------------------------


def start(cache, *options):
    """An ordinary start."""
    vitrine("-S", "-gdb", "none", "-serial", "none", "-ex", "quit", *options, cache=cache)


def identity(path):
    about = os.stat(path)
    return about.st_ino, about.st_mtime_ns


@test
def an_ordinary_start_asks_once():
    need_kvm()
    folder, path = new_cache()
    start(folder)
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    before = identity(path)
    start(folder)
    equal(identity(path), before, "written again:")
    start(folder, "-debug-strategy=probe")
    assert identity(path) != before, "not asked again"


@test
def the_doctor_always_asks():
    need_kvm()
    folder, path = new_cache()
    first = doctor(cache=folder)
    with open(path, encoding="ascii") as file:
        kept = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(kept.replace("yes", "no"))
    equal(doctor(cache=folder)["found"], first["found"])
    with open(path, encoding="ascii") as file:
        equal(file.read(), kept, "kept")


@test
def damage_costs_a_probe_and_nothing_else():
    need_kvm()
    folder, path = new_cache()
    start(folder)
    with open(path, "rb") as file:
        kept = file.read()
    for damaged in (b"", b"\0" * 5000, kept[:100], kept + b"x", kept.replace(b"single_step", b"single_stop"), os.urandom(60000)):
        with open(path, "wb") as file:
            file.write(damaged)
        start(folder)
        with open(path, "rb") as file:
            equal(file.read(), kept, "kept")


@test
def nowhere_to_keep_it():
    need_kvm()
    start("/proc/nowhere")
    start("/dev/null")


# ---- the command line -----------------------------------------------------------------------------


@test
def strategies_that_are_none():
    for strategy, word in (("break=magic", "emulation"), ("fly=slot", "hbreak"), ("", "WISH"), ("break", "WISH")):
        done = subprocess.run([VITRINE, "-debug-strategy", strategy], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False)
        equal((done.returncode, done.stdout), (2, b""))
        assert word in done.stderr.decode(), done.stderr


run()
