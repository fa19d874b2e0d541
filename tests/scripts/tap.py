# SPDX-License-Identifier: GPL-3.0-or-later
"""A few lines of TAP for Python tests, inside gdb or outside.

    import os, sys
    sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
    from tap import test, skip, run

    @test
    def adds():
        if not os.path.exists("/dev/kvm"):
            skip("needs /dev/kvm")
        assert 1 + 1 == 2

    run()    # prints TAP; ends with status 1 when something failed

A test's name is its function's, with blanks for underscores. A failed assertion prints where and
why; skip() takes the capability that is missing, because the runner groups skips by it.
"""
import os
import sys
import traceback

_tests = []


def patience(seconds):
    """A time limit, where everything may be some times slower (in an emulated machine)."""
    return seconds * int(os.environ.get("SLOWER", "1"))


class Skip(Exception):
    pass


def skip(missing):
    raise Skip(missing)


def test(function):
    _tests.append((function.__name__.replace("_", " "), function))
    return function


def equal(got, wanted, what=""):
    """assert got == wanted, and show both when not."""
    if got != wanted:
        raise AssertionError(f"{what + ': ' if what else ''}got {got!r}, wanted {wanted!r}")


def _one(number, name, function):
    try:
        function()
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
    except BaseException:  # gdb.error and KeyboardInterrupt too
        print(f"not ok {number} - {name}")
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        sys.stdout.flush()
        return False
    else:
        print(f"ok {number} - {name}", flush=True)
    return True


def run():
    print(f"1..{len(_tests)}", flush=True)
    failed = [name for n, (name, function) in enumerate(_tests, 1) if not _one(n, name, function)]
    sys.stdout.flush()
    if "gdb" in sys.modules:  # inside gdb, sys.exit() would only end the script
        import gdb
        gdb.execute("set confirm off")
        gdb.execute(f"quit {1 if failed else 0}")
    os._exit(1) if failed else sys.exit(0)
