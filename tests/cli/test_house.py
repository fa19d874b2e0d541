# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests' own tools can say no: the runner counts every way of failing, the import check finds
every kind of forbidden import."""
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile

SCRIPTS = os.path.join(os.environ["SOURCE"], "tests/scripts")
sys.path.insert(0, SCRIPTS)
from tap import equal, run, test


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(SCRIPTS, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


runner, imports = load("run-tests"), load("imports")


# ---- the runner ----------------------------------------------------------------------------------


def shell(script, limit=None):
    """What the runner makes of a program: (passed, failures, skips)."""
    program = runner.Program("made-up", ["/bin/sh", "-c", script], "", 1)
    program.limit = limit or program.limit
    runner.execute(program, os.environ["BUILD"])
    return program.passed, program.failures, program.skips


def one_failure(script, words, limit=None):
    _, failures, _ = shell(script, limit)
    assert len(failures) == 1 and words in failures[0], f"{script}: {failures}"


@test
def good_programs_pass():
    equal(shell("echo 1..2; echo ok 1 - a; echo ok 2 - b"), (2, [], []))
    equal(shell("printf '\\t1..1\\nok 1 - a\\n1..1\\nok 1 - b\\n'"), (2, [], []), "two groups")


@test
def skips_keep_their_reason():
    equal(shell("echo 1..1; echo 'ok 1 - a # SKIP needs a moon'"), (0, [], [("a", "needs a moon")]))
    equal(shell("echo 1..1; echo '# SKIP needs a moon'; echo 'not ok 1 # SKIP a'"),
          (0, [], [("a", "needs a moon")]), "as cmocka says it")


@test
def failures_are_counted():
    one_failure("echo 1..1; echo 'not ok 1 - broken'; exit 1", "broken")
    one_failure("echo 1..1; echo 'not ok 1 - broken'", "broken")
    one_failure("echo 1..1; echo ok 1; exit 3", "status 3")
    one_failure("echo 1..2; echo ok 1", "planned 2")
    one_failure("echo 1..1; echo ok 1; echo ok 2", "planned 1")
    one_failure("echo ok 1", "planned no test")
    one_failure("true", "planned no test")
    one_failure("echo 1..1; echo ok 1; kill -SEGV $$", "SIGSEGV")
    one_failure("echo 1..1; echo ok 1; echo 'Bail out! no more'", "no more")


@test
def hanging_programs_are_ended():
    one_failure("echo 1..1; echo ok 1; sleep 1000", "still running", limit=1)
    one_failure("echo 1..1; echo ok 1; yes", "wrote more than", limit=30)


@test
def processes_left_behind_are_found():
    one_failure("echo 1..1; echo ok 1; setsid sleep 1000 >/dev/null 2>&1 &", "left a process behind: ")


@test
def programs_that_cannot_be_started_fail():
    program = runner.Program("made-up", ["/nonexistent/program"], "", 1)
    runner.execute(program, os.environ["BUILD"])
    assert "cannot be started" in program.failures[0], program.failures


# ---- the import check ----------------------------------------------------------------------------


def complaints(files):
    """What the check says of a made-up source tree."""
    with tempfile.TemporaryDirectory() as top:
        for name, text in files.items():
            path = os.path.join(top, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        house = imports.House(top)
        house.check_rooms()
        house.check_front_ends()
        house.check_kvm()
        return [line for lines in house.complaints.values() for line in lines]


HEADERS = {"src/debug/debug.h": '#include "x86/mode.h"\n', "src/debug/core.h": "", "src/x86/mode.h": "",
           "src/machine/machine.h": '#include "accel/accel.h"\n', "src/accel/accel.h": '#include "error.h"\n',
           "src/error.h": "", "src/log.h": "", "src/devices/bus.h": "", "src/options.h": "",
           "gdbstub/session.h": '#include "debug/debug.h"\n', "monitor/monitor.h": '#include "debug/debug.h"\n'}


def verdict(path, text, **more):
    return complaints({**HEADERS, **more, path: text})


@test
def allowed_imports_pass():
    equal(complaints(HEADERS), [])
    equal(verdict("src/main.c", '#include "machine/machine.h"\n#include "gdbstub/session.h"\n'), [])
    equal(verdict("src/accel/kvm_vm.c", "#include <linux/kvm.h>\n"), [])
    equal(verdict("monitor/show.c", '/* as KVM_EXIT_IO */\nconst char *s = "KVM_EXIT_IO";\n'), [])


@test
def forbidden_imports_are_found():
    for path, text in {
            "gdbstub/a.c": '#include "monitor/monitor.h"\n',
            "monitor/a.c": '#include "gdbstub/session.h"\n',
            "monitor/b.c": '#include "machine/machine.h"\n',
            "monitor/c.c": '#include "debug/core.h"\n',
            "monitor/d.c": "int x = KVM_EXIT_IO;\n",
            "gdbstub/b.c": '#include "options.h"\n',
            "src/x86/a.c": '#include "error.h"\n',
            "src/devices/a.c": '#include "accel/accel.h"\n',
            "src/accel/a.c": '#include "machine/machine.h"\n',
            "src/machine/a.c": '#include "debug/debug.h"\n',
            "src/debug/a.c": '#include "monitor/monitor.h"\n',
            "src/machine/b.c": "#include <linux/kvm.h>\n",
            "src/cellar/a.c": "int x;\n",
            "src/log.c": '#include "missing.h"\n'}.items():
        assert verdict(path, text), f"{path} may do this: {text}"


@test
def front_ends_see_nothing_through_other_headers():
    found = complaints({**HEADERS, "src/debug/debug.h": '#include "machine/machine.h"\n'})
    assert any("monitor/monitor.h sees src/machine/machine.h through src/debug/debug.h" in line
               for line in found), found


# ---- the log -------------------------------------------------------------------------------------


@test
def who_logs_can_be_asked_to_say_more():
    top = os.environ["SOURCE"]
    text = {path: open(os.path.join(top, path), encoding="utf-8").read() for path in imports.sources(top)}
    listed = re.search(r"areas\[\] = \{(.*?)\};", text["src/log.c"], re.S).group(1)
    said = {area for one in text.values() for area in re.findall(r'\blog_(?:error|warn|info|debug)\(\s*"(\w+)"', one)}
    assert len(said) > 5, said
    equal(said - set(re.findall(r'"(\w+)"', listed)), set())


run()
