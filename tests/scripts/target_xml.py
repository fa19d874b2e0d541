# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a target description against the gdb manual, appendix G: its grammar ("Target Description Format"), its
types ("Predefined Target Types"), and the registers that gdb wants to find ("i386 Features").

    complaints(text) -> a list of sentences, empty when all is well
"""
import re
import xml.etree.ElementTree

# ---- the grammar ---------------------------------------------------------------------------------

# element: (attributes it must have, attributes it may have, children in their order)
GRAMMAR = {
    "target": ([], ["version"], "architecture? osabi? compatible* feature*"),
    "architecture": ([], [], None),
    "osabi": ([], [], None),
    "compatible": ([], [], None),
    "feature": (["name"], [], "(vector|flags|struct|union|enum)* reg*"),
    "vector": (["id", "type", "count"], [], ""),
    "flags": (["id", "size"], [], "field+"),
    "struct": (["id"], ["size"], "field+"),
    "union": (["id"], [], "field+"),
    "enum": (["id", "size"], [], "evalue+"),
    "evalue": (["name", "value"], [], ""),
    "field": (["name"], ["type", "start", "end"], ""),
    "reg": (["name", "bitsize"], ["regnum", "save-restore", "type", "group"], ""),
}
NUMBERS = ("count", "size", "start", "end", "bitsize", "regnum", "value")


def content_pattern(model):
    """A model of children as a regular expression over `<name>`s."""
    return re.sub(r"\w+", lambda word: f"(<{word.group()}>)", model).replace(" ", "")


def grammar_complaints(element):
    if element.tag not in GRAMMAR:
        yield f"there is no element <{element.tag}>"
        return
    required, optional, model = GRAMMAR[element.tag]
    name = f"<{element.tag} {element.get('name') or element.get('id') or ''}>"
    for attribute in required:
        if element.get(attribute) is None:
            yield f"{name} lacks {attribute}"
    for attribute, value in element.attrib.items():
        if attribute not in required + optional:
            yield f"{name} has an attribute {attribute}"
        if attribute in NUMBERS and not re.fullmatch(r"\d+", value):
            yield f"{name}: {attribute}={value} is no number"
    if element.get("save-restore", "yes") not in ("yes", "no"):
        yield f"{name}: save-restore is yes or no"
    children = "".join(f"<{child.tag}>" for child in element)
    if model is not None and not re.fullmatch(content_pattern(model), children):
        yield f"{name} holds {children[:80]}, not {model}"
    if model is None and (children or not (element.text or "").strip()):
        yield f"{name} holds a word, and nothing else"
    if model is not None and (element.text or "").strip():
        yield f"{name} holds text"
    for child in element:
        yield from grammar_complaints(child)


# ---- types ---------------------------------------------------------------------------------------

PREDEFINED = {f"{sign}int{bits}": bits for sign in ("", "u") for bits in (8, 16, 32, 64, 128)}
PREDEFINED |= {"bool": 8, "ieee_half": 16, "ieee_single": 32, "ieee_double": 64, "i387_ext": 80,
               "bfloat16": 16}
POINTERS = ("code_ptr", "data_ptr")


def flag_complaints(flags):
    """Fields of one flags type: inside it, one behind the other, single bits or typed ones."""
    following = 0
    for field in flags:
        name = f"{flags.get('id')}.{field.get('name')}"
        start = int(field.get("start", -1))
        end = int(field.get("end", start))
        if start < following or end < start:
            yield f"{name} begins at bit {start}, ends at {end}, behind {following - 1}"
        following = end + 1
        if end > start and not field.get("type"):
            yield f"{name} has several bits and no type"
    if following > 8 * int(flags.get("size")):
        yield f"{flags.get('id')} has {following} bits in {flags.get('size')} bytes"
    names = [field.get("name") for field in flags if field.get("name")]
    if len(set(names)) != len(names):
        yield f"{flags.get('id')} has two fields of one name"


def type_of(element, known):
    """Bits of a type that is defined here; complaints are sentences."""
    unknown = [name for name in [element.get("type")] + [field.get("type") for field in element]
               if name and name not in known]
    if unknown:
        return 0, [f"{element.get('id')}: there is no type {unknown[0]} yet"]
    if element.tag == "vector":
        return known[element.get("type")] * int(element.get("count")), []
    if element.tag == "union":
        return max(known[field.get("type")] for field in element), []
    return 8 * int(element.get("size", 0)), list(flag_complaints(element)) if element.tag == "flags" else []


def feature_complaints(feature, pointer):
    """A feature's types, which are its own, and that every register is as wide as its type."""
    known = PREDEFINED | {name: pointer for name in POINTERS}
    used = set()
    for element in feature:
        name = element.get("id") or element.get("name")
        if element.tag == "reg":
            kind, bits = element.get("type", "int"), int(element.get("bitsize"))
            used.add(kind)
            if kind == "int" and bits in (8, 16, 32, 64):
                continue
            if kind not in known:
                yield f"{name}: there is no type {kind} in {feature.get('name')}"
            elif known[kind] != bits:
                yield f"{name} has {bits} bits, and its type {kind} has {known[kind]}"
            continue
        if name in known:
            yield f"{name} is defined twice in {feature.get('name')}"
        known[name], complaints = type_of(element, known)
        used |= {element.get("type")} | {field.get("type") for field in element}
        yield from complaints
    for element in feature:
        if element.get("id") and element.get("id") not in used:
            yield f"nothing in {feature.get('name')} is of type {element.get('id')}"


# ---- registers -----------------------------------------------------------------------------------


def numbered(pattern, first, count):
    return [pattern % n for n in range(first, first + count)]


GENERAL = "ax bx cx dx si di bp sp ip".split()
CORE = ("eflags cs ss ds es fs gs fctrl fstat ftag fiseg fioff foseg fooff fop".split() + numbered("st%d", 0, 8))


def wanted_registers(wide):
    """feature: registers that gdb wants of it, for x86-64 or for the others."""
    count = 16 if wide else 8
    general = (["r" + name for name in GENERAL] + numbered("r%d", 8, 8) if wide
               else ["e" + name for name in GENERAL])
    avx512 = numbered("k%d", 0, 8) + numbered("zmm%dh", 0, 32 if wide else 8)
    if wide:
        avx512 += numbered("xmm%d", 16, 16) + numbered("ymm%dh", 16, 16)
    return {
        "org.gnu.gdb.i386.core": general + CORE,
        "org.gnu.gdb.i386.sse": numbered("xmm%d", 0, count) + ["mxcsr"],
        "org.gnu.gdb.i386.avx": numbered("ymm%dh", 0, count),
        "org.gnu.gdb.i386.avx512": avx512,
        "org.gnu.gdb.i386.pkeys": ["pkru"],
        "org.gnu.gdb.i386.segments": ["fs_base", "gs_base"],
    }


REQUIRED = ("org.gnu.gdb.i386.core",)
NEEDS = {"org.gnu.gdb.i386.avx": "org.gnu.gdb.i386.sse", "org.gnu.gdb.i386.avx512": "org.gnu.gdb.i386.avx"}


def serves(features, wide):
    """What keeps an architecture of gdb's from using these features: {name: set of registers}."""
    for name in REQUIRED:
        if name not in features:
            yield f"there is no {name}"
    for name, registers in features.items():
        if name.startswith("org.gnu."):
            wanted = wanted_registers(wide).get(name)
            if wanted is None:
                yield f"gdb knows no {name}"
            elif set(wanted) - registers:
                yield f"{name} lacks {sorted(set(wanted) - registers)[:4]}"
        if name in NEEDS and NEEDS[name] not in features:
            yield f"{name} is there and {NEEDS[name]} is not"
    if not wide and "org.gnu.gdb.i386.segments" in features:
        yield "gdb's i386 stumbles over org.gnu.gdb.i386.segments"


def register_complaints(root):
    registers = [reg for feature in root.iter("feature") for reg in feature.iter("reg")]
    for attribute in ("name", "regnum"):
        values = [reg.get(attribute) for reg in registers]
        for value in sorted({value for value in values if values.count(value) > 1}, key=str):
            yield f"two registers have the {attribute} {value}"


def architectures(root):
    """Of gdb's architectures, those that it may choose with this description: whether each is x86-64."""
    own = root.findtext("architecture") == "i386:x86-64"
    return {own} if root.find("compatible") is not None else {False, True}


def complaints(text):
    try:
        root = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError as error:
        return [f"it is no XML: {error}"]
    if root.tag != "target":
        return [f"the root is <{root.tag}>, not <target>"]
    found = list(grammar_complaints(root))
    if found:
        return found
    features = {feature.get("name"): {reg.get("name") for reg in feature.iter("reg")}
                for feature in root.iter("feature")}
    if len(features) != len(root.findall("feature")):
        found.append("two features have one name")
    if root.findtext("architecture") not in ("i8086", "i386", "i386:x86-64"):
        found.append(f"the architecture is {root.findtext('architecture')}")
    for wide in sorted(architectures(root)):
        for feature in root.iter("feature"):
            found += feature_complaints(feature, 64 if wide else 32)
        found += serves(features, wide)
    return found + list(register_complaints(root))
