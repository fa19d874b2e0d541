# SPDX-License-Identifier: GPL-3.0-or-later
"""The target description against the gdb manual: every one that vitrine gives, and some that are wrong."""
import functools
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "tests/scripts"))
from tap import equal, run, test
from target_xml import complaints
from vm import Vitrine, guest

IMAGES = ("real16.bin", "prot32.elf", "long64.elf")
CHOICES = ("auto", "i8086", "i386", "x86-64")


def document(client, name):
    text = ""
    while True:
        piece = client.ask(f"qXfer:{name}:{len(text):x},3000")
        assert piece[:1] in ("m", "l"), piece
        text += piece[1:]
        if piece[0] == "l":
            return text


@functools.lru_cache
def description(image, arch="auto"):
    with Vitrine("-accel", "dummy", "-S", "-kernel", guest(image), "-gdb-arch", arch) as vm:
        client = vm.gdb()
        text = document(client, "features:read:target.xml")
        client.close()
        return text


@test
def descriptions_of_every_mode_are_what_gdb_wants():
    for image in IMAGES:
        for arch in CHOICES:
            equal(complaints(description(image, arch)), [], f"{image}, -gdb-arch={arch}")


@test
def the_guests_mode_is_the_architecture():
    names = [description(image).split("<architecture>")[1].split("<")[0] for image in IMAGES]
    equal(names, ["i8086", "i386", "i386:x86-64"])


def spoilt(old, new, count=1, image="long64.elf"):
    text = description(image)
    assert text.count(old) >= 1, old
    return complaints(text.replace(old, new, count))


def notices(words, *change, **more):
    found = spoilt(*change, **more)
    assert any(words in one for one in found), f"{change}: {found[:3]}"


@test
def the_check_notices_what_is_wrong():
    notices("no XML", "</target>", "")
    notices("lacks name", '<feature name="org.gnu.gdb.i386.sse">', "<feature>")
    notices("attribute", "<osabi>", '<osabi since="8">')
    notices("is no number", 'regnum="16"', 'regnum="0x10"')
    notices("holds", "<osabi>none</osabi>\n<compatible>i386</compatible>",
            "<compatible>i386</compatible>\n<osabi>none</osabi>")
    notices("no element", "<osabi>none</osabi>", "<abi>none</abi>")
    notices("there is no type", '<vector id="v4f"', '<vector id="v4g"')
    notices("has 64 bits", 'name="rip" bitsize="64" type="code_ptr"', 'name="rip" bitsize="64" type="uint32"')
    notices("ends at 29", '<field name="NW" start="29" end="29"/>', '<field name="NW" start="31" end="29"/>')
    notices("behind 30", '<field name="PG" start="31" end="31"/>', '<field name="PG" start="30" end="31"/>')
    notices("several bits and no type", 'name="PG" start="31" end="31"', 'name="PG" start="31" end="32"')
    notices("two fields", '<field name="PG"', '<field name="PE"')
    notices("65 bits in 8 bytes", '<field name="PG" start="31" end="31"/>', '<field name="PG" start="64" end="64"/>')
    notices("two registers have the regnum", 'regnum="16"', 'regnum="17"')
    notices("two registers have the name", '<reg name="cr2"', '<reg name="dr2"')
    notices("lacks ['rbx']", '<reg name="rbx"', '<reg name="rbx2"')
    notices("i386.sse is not", '"org.gnu.gdb.i386.sse"', '"org.vitrine.sse"')
    notices("knows no", '"org.vitrine.x86.debug"', '"org.gnu.gdb.i386.debug"')
    notices("nothing in", 'type="vitrine_cr4"', 'type="uint64"')
    notices("the architecture", "<architecture>i386:x86-64", "<architecture>x86-64")
    notices("save-restore", 'save-restore="no"', 'save-restore="never"')


@test
def what_two_architectures_read_is_held_against_both():
    notices("has 32 bits", 'name="esp" bitsize="32" type="uint32"', 'name="esp" bitsize="32" type="data_ptr"',
            image="prot32.elf")
    notices("lacks ['ebx']", '<reg name="ebx"', '<reg name="ebx2"', image="prot32.elf")
    notices("lacks ['r9']", '<reg name="r9"', '<reg name="r9x"', image="prot32.elf")
    notices("stumbles", '"org.vitrine.x86.segments"', '"org.gnu.gdb.i386.segments"', image="real16.bin")


run()
