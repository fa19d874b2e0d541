# SPDX-License-Identifier: GPL-3.0-or-later
"""Every register that gdb is told of: described, read, written, put back. time limit: 180 s"""
import os
import re
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/gdb"))
from harness import *
from target_xml import complaints

# The guest's, or the clock's: gdb gets an error.
CLOCKS = {"tsc", "tsc_deadline"}
READ_ONLY = {"tr", "ldtr"} | CLOCKS | {
    f"{segment}_attr{twin}" for segment in "es cs ss ds fs gs tr ldtr".split() for twin in ("", "_value")}

# Taken from the guest's GDT, but in real mode.
SELECTORS = set("cs ss ds es fs gs".split())

LANE = (1 << 64) - 1
INTEGERS = {16: "unsigned short", 32: "unsigned int", 64: "unsigned long long"}

# gdb has other names for them: parts of ymm0-31 and zmm0-31.
PARTS = re.compile(r"[yz]mm\d+h")


def described():
    """{name: bits} of the registers in gdb's own copy of the description."""
    root = xml.etree.ElementTree.fromstring(do("maintenance print xml-tdesc"))
    return {reg.get("name"): int(reg.get("bitsize")) for reg in root.iter("reg")}


def flush_registers():
    do("maintenance flush register-cache")


def bits_of(name):
    """A register as one number, read from the stub anew."""
    flush_registers()
    raw = gdb.parse_and_eval("$" + name)
    if raw.type.code == gdb.TYPE_CODE_UNION:
        return sum((int(raw["v2_int64"][lane]) & LANE) << 64 * lane for lane in range(2))
    return int(raw) & ((1 << 8 * raw.type.sizeof) - 1)


def has_value(name):
    return "<unavailable>" not in text("$" + name)


def write(name, bits, width):
    """False when the stub refuses. To registers with named bits gdb takes only what is as wide as they are."""
    try:
        if width == 128:
            for lane in range(2):
                do(f"set ${name}.v2_int64[{lane}] = {bits >> 64 * lane & LANE:#x}")
        else:
            do(f"set ${name} = ({INTEGERS[width]}){bits:#x}")
    except gdb.error as error:
        assert "Could not write register" in str(error), f"{name}: {error}"
        return False
    return True


def change(name, old, width):
    """Another value that the stub takes, and gives back: one bit is different. None: there is none."""
    for bit in range(width):
        new = old ^ 1 << bit
        if write(name, new, width) and bits_of(name) == new:
            return new
        write(name, old, width)
    return None


def round_trip(name, width):
    """Whether the register can be written. As it was, afterwards."""
    old = bits_of(name)
    if change(name, old, width) is None:
        return False
    assert write(name, old, width), name
    equal(bits_of(name), old, name)
    return True


def all_round_trips(skipped):
    """Names of the registers that made none."""
    return {name for name, width in described().items()
            if name not in skipped and not PARTS.fullmatch(name) and not name.startswith("st")
            and has_value(name) and not round_trip(name, width)}


@test
def every_register_makes_a_round_trip():
    with Debugged("long64") as vm:
        there = {name for name in described() if has_value(name)}
        assert len(there) > 120, there
        equal(all_round_trips(SELECTORS | CLOCKS), (READ_ONLY - CLOCKS) & there)
        # Nothing is left of all that: the guest does what it always does.
        gdb.Breakpoint("print_line")
        vm.go("continue")
        vm.go("continue")
        equal((where(), value("line")), ("print_line", 2))
        assert "tick 1" in vm.serial(), vm.serial()


@test
def every_register_makes_a_round_trip_in_real_mode():
    with Debugged("real16.bin", file=False):
        equal(do("show architecture").split('"')[3], "i8086")
        there = {name for name in described() if has_value(name)}
        assert SELECTORS | {"eax", "rax", "eip", "r15"} <= there, there
        equal(all_round_trips(CLOCKS), (READ_ONLY - CLOCKS) & there)


def ten_bytes(n):
    flush_registers()
    return do(f"info registers st{n}").split("raw ")[1]


@test
def the_fpu_stack_makes_a_round_trip():
    with Debugged("long64"):
        old = {n: ten_bytes(n) for n in range(8)}
        for n in range(8):
            do(f"set $st{n} = {n + 1}.5")
        for n in range(8):
            equal(float(gdb.parse_and_eval(f"$st{n}")), n + 1.5, f"st{n}")
            assert ten_bytes(n) != old[n]
        for n in range(8):
            do(f"set $st{n} = 0")
        equal({n: ten_bytes(n) for n in range(8)}, old)


@test
def gdb_takes_the_description_without_a_word():
    for image in ("long64", "prot32", "real16.bin"):
        do("set complaints 1000")
        with Debugged(image, attach=False, file=False) as vm:
            out = vm.attach()
            do("set complaints 0")
            # That gdb was given no file, and may read it from here, is no complaint.
            words = [line for line in out.splitlines() if re.search("warning|rchitecture|escription|too long", line)
                     and "No executable has been" not in line and "File transfers" not in line]
            equal(words, [], image)
            equal(complaints(do("maintenance print xml-tdesc")), [], image)


@test
def pain_15_registers_of_the_machine():
    with Debugged("long64") as vm:
        gdb.Breakpoint("print_line")
        vm.go("continue")
        # Control registers, by name and as numbers.
        equal(text("$cr0").split()[1], "PE")
        assert text("$cr0").endswith(" PG ]"), text("$cr0")
        equal(value("$cr0_value") & 0x80000001, 0x80000001)
        assert "LME LMA" in text("$efer"), text("$efer")
        assert f"PDBR={value('$cr3_value') >> 12} " in text("$cr3"), text("$cr3")
        # Segments, and the tables that they come from.
        assert "DPL=0 P L" in text("$cs_attr"), text("$cs_attr")
        equal(value("$cs_attr_value") >> 13 & 1, 1)
        equal(value("$gdtr_base"), value("(long)&gdt"))
        equal(value("$gdtr_limit") + 1, value("sizeof gdt"))
        equal(value("$idtr_base"), value("(long)&idt"))
        selector = value("$cs")
        descriptor = int.from_bytes(memory(value("$gdtr_base") + selector, 8), "little")
        equal(descriptor >> 40 & 0xf0ff, value("$cs_attr_value") & 0xf0ff)
        # Bases, model-specific registers, debug registers; written, and written again.
        for name, new in (("fs_base", 0x123456789000), ("gs_base", 0x7000), ("k_gs_base", 0xffff800000000000),
                          ("lstar", 0xffffffff80001000), ("star", 0x23001000000000), ("fmask", 0x40700),
                          ("sysenter_eip", 0x1234), ("dr3", 0xdead), ("cr2", 0xfee1dead), ("mxcsr_value", 0x1fa0)):
            old = bits_of(name)
            do(f"set ${name} = {new:#x}")
            equal(bits_of(name), new, name)
            do(f"set ${name} = {old:#x}")
            equal(bits_of(name), old, name)
        # Vectors.
        do("set $xmm9.v4_float[3] = 2.5")
        flush_registers()
        equal(float(gdb.parse_and_eval("$xmm9.v4_float[3]")), 2.5)
        vm.go("continue")
        equal(value("line"), 2)


@test
def what_is_written_by_one_name_is_read_by_the_other():
    with Debugged("long64"):
        before = "MP" in text("$cr0")
        do("set $cr0_value = $cr0_value ^ 2")
        equal("MP" in text("$cr0"), not before)
        do("set $eflags_value = 0x246")
        equal(text("$eflags").replace(" IOPL=0", ""), "[ PF ZF IF ]")
        do("set $eax = 0x1234")
        equal(value("$rax"), 0x1234)
    with Debugged("real16.bin", file=False):
        do("set $rbx = 0x1122334455667788")
        equal((value("$ebx"), value("$bx"), value("$bl")), (0x55667788, 0x7788, -0x78))
        do("set $ebx = -1")
        equal(value("$rbx"), 0xffffffff)
        do("set $bx = 0x12")
        equal(value("$rbx"), 0xffff0012)


@test
def registers_that_can_only_be_read():
    with Debugged("long64"):
        for name in sorted(READ_ONLY - {"tsc_deadline"}):
            assert "Could not write register" in refused(f"set ${name} = 1"), name
        assert "Could not write register" in refused("set $cr4_value = 0"), "the guest is in long mode"
        assert "Could not write register" in refused("set $cs = 0x10")


def needs_feature(feature, name):
    if feature not in do("maintenance print xml-tdesc"):
        skip(f"this host's KVM: {name}")


@test
def avx_registers():
    with Debugged("long64") as vm:
        needs_feature("org.gnu.gdb.i386.avx", "AVX")
        # The guest has not switched them on: the lower halves are SSE's.
        equal(text("$ymm5.v4_int64"), "{0, 0, <unavailable>, <unavailable>}")
        assert "Could not write register" in refused("set $ymm5.v4_int64[2] = 1")
        do("set $cr4_value = $cr4_value | (1 << 18)")
        do("set $xcr0_value = 7")
        equal(text("$ymm5.v4_int64"), "{0, 0, 0, 0}")
        for n in range(16):
            for lane in range(4):
                do(f"set $ymm{n}.v4_int64[{lane}] = {n * 1000 + lane + 1}")
        flush_registers()
        for n in range(16):
            equal(text(f"$ymm{n}.v4_int64"), "{%d, %d, %d, %d}" % tuple(n * 1000 + lane + 1 for lane in range(4)))
            equal(value(f"$xmm{n}.v2_int64[1]"), n * 1000 + 2)
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(text("$ymm15.v4_int64"), "{15001, 15002, 15003, 15004}")


@test
def avx512_registers():
    with Debugged("long64") as vm:
        needs_feature("org.gnu.gdb.i386.avx512", "AVX-512")
        do("set $cr4_value = $cr4_value | (1 << 18)")
        do("set $xcr0_value = 0xe7")
        for n in range(8):
            do(f"set $k{n} = {0x1111 * (n + 1)}")
        for n in range(32):
            for lane in range(8):
                do(f"set $zmm{n}.v8_int64[{lane}] = {n * 1000 + lane + 1}")
        flush_registers()
        for n in range(8):
            equal(value(f"$k{n}"), 0x1111 * (n + 1))
        for n in range(32):
            equal(text(f"$zmm{n}.v8_int64"),
                  "{%d, %d, %d, %d, %d, %d, %d, %d}" % tuple(n * 1000 + lane + 1 for lane in range(8)))
        equal(value("$ymm31.v4_int64[3]"), 31004)
        equal(value("$xmm31.v2_int64[1]"), 31002)
        gdb.Breakpoint("print_line")
        vm.go("continue")
        equal(value("$zmm31.v8_int64[7]"), 31008)


@test
def protection_keys():
    with Debugged("long64"):
        needs_feature("org.gnu.gdb.i386.pkeys", "protection keys")
        do("set $pkru = 0x55555554")
        flush_registers()
        equal(value("$pkru"), 0x55555554)


@test
def what_cpuid_lacks_is_not_described():
    with Debugged("long64", "-cpu", "max,-avx,-pku"):
        names = described()
        assert not {"ymm0h", "k0", "zmm0h", "pkru"} & set(names), names
        equal(text("$ymm0"), "void")


run()
