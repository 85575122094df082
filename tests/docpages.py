"""Reads the documentation: the functions, commands and links in its pages.

docs/page-tables*.md name functions as `mm/pt.c:pt_walk`, a path below kernel/ (or below the
root, when it begins with user/); so does docs/lab*.md. What a reader can type stands in
indented blocks, and in lab.md in the last column.
"""
import glob
import os
import re

import machine

ENGLISH, CHINESE = "docs/page-tables.md", "docs/page-tables.zh-CN.md"
GDB = "docs/gdb.md"
LAB, LAB_CHINESE = "docs/lab.md", "docs/lab.zh-CN.md"
REFERENCE = re.compile(r"`([\w/.-]+\.[chS]):(\w+)`")
# Of the text between two `: something that has a colon and should have been a reference.
ALMOST = re.compile(r"`([\w/.-]+\.\w+:[^`\s]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
TYPED = r"(?:\./|tools/|make |gdb-multiarch |grep |break )"
COMMAND = re.compile(rf"^ {{4}}({TYPED}.*)$|\| `({TYPED}[^`]*)` \|$", re.M)
# What the name may be: a function, label, macro, structure.
DEFINITION = (r"^[a-z_][^;{{}}=#]*?\b{0}\([^;{{}}]*\)\s*\{{", r"^{0}:", r"^#define {0}\b",
              r"^(?:struct|enum) {0} \{{")


def read(path):
    with open(os.path.join(machine.ROOT, path), encoding="utf-8") as f:
        return f.read()


def references(text):
    return [(name if name.startswith("user/") else "kernel/" + name, symbol)
            for name, symbol in REFERENCE.findall(text)]


def missing_references(text):
    """The references of a text that name nothing, as texts."""
    missing = [r for r in ALMOST.findall(text) if not REFERENCE.fullmatch(f"`{r}`")]
    for path, symbol in references(text):
        if not os.path.exists(os.path.join(machine.ROOT, path)):
            missing.append(f"{path}: no such file")
        elif not any(re.search(d.format(symbol), read(path), re.M) for d in DEFINITION):
            missing.append(f"{path}: {symbol} is not defined there")
    return missing


def commands(text):
    """What can be typed: continued lines are joined, and what stands apart explains."""
    found = COMMAND.finditer(re.sub(r"\s*\\\n\s*", " ", text))
    return [re.split(r" {2,}", m[1] or m[2])[0] for m in found]


def lab_rows(text):
    """(names of the course, cell that says what is here, command) of each row of lab.md."""
    cells = [line.split(" | ") for line in text.splitlines() if re.match(r"\| .*` \|$", line)]
    return [(set(re.findall(r"`([^`]+)`", names)), here, command.strip("`| "))
            for names, here, command in cells]


def shape(text):
    """What a translation has in common with its original."""
    return {"headings": [len(h) for h in re.findall(r"^(#+) ", text, re.M)],
            "references": sorted(references(text)), "commands": commands(text),
            "rows of tables": len(re.findall(r"^\|", text, re.M)),
            "numbers": sorted(re.findall(r"\b0x[0-9a-f]+\b", text))}


def unknown_in_commands(text):
    """Tests and designs that a command names and that there are not."""
    tests = set(re.findall(r"\w+", "".join(read(p) for p in user_tests())))
    unknown = []
    for command in commands(text):
        for name in re.findall(r"usertests (\w+)", command):
            unknown += [] if name in tests else [name]
        for name in re.findall(r"\./test (\S+)", command):
            path = os.path.join(machine.ROOT, "tests", name)
            unknown += [] if os.path.exists(path) or os.path.exists(path + ".c") else [name]
        for name in re.findall(r"--design (\w+)", command):
            unknown += [] if name in machine.designs() else [name]
        for name in re.findall(r"build/([\w-]+)/gdbinit", command):
            unknown += [] if name in ("kernel", "kernel-debug") else [name]
    return unknown


def user_tests():
    found = glob.glob(os.path.join(machine.ROOT, "user", "tests", "*.c"))
    return [os.path.relpath(p, machine.ROOT) for p in found]


def broken_links(path, text):
    """Relative links of a file to files that do not exist."""
    folder = os.path.join(machine.ROOT, os.path.dirname(path))
    targets = [t.split("#")[0] for t in LINK.findall(text) if not re.match(r"\w+:", t)]
    return [t for t in targets if t and not os.path.exists(os.path.join(folder, t))]


def pages():
    found = sorted(glob.glob(os.path.join(machine.ROOT, "docs", "*.md")))
    return ["README.md", "README.zh-CN.md"] + [os.path.relpath(p, machine.ROOT) for p in found]
