#!/usr/bin/env python3
"""Writes the tables of docs/locking.md anew, from the list of locks in kernel/sync/ranks.def.

    tools/ranks.py             make printouts does it, too
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
LIST = os.path.join(ROOT, "kernel", "sync", "ranks.def")
PAGE = os.path.join(ROOT, "docs", "locking.md")
SORTS = {"SLEEP": "sleeplocks", "SPIN": "spinlocks"}
STRING = r'("(?:\\.|[^"\\])*"(?:\s*"(?:\\.|[^"\\])*")*)'  # neighbours are one, as in C
RANK = re.compile(r"^RANK\((\w+), (\w+), (\w+(?:\(\w+\))?),\s*" + r",\s*".join([STRING] * 3) +
                  r"\)$", re.M)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def ranks(text):
    """[(id, sort, rule, name, what it guards, what is taken inside)], the outermost first."""
    found = [(*r[:3], *(re.sub(r'"\s*"', "", s)[1:-1] for s in r[3:]))
             for r in RANK.findall(text)]
    if len(found) != len(re.findall(r"^RANK\(", text, re.M)):
        raise ValueError("ranks.def: a line that is no RANK(...)")
    return found


def two_of_them(rule, names):
    """When one holder has two locks of a rank."""
    if rule == "NEVER":
        return ""
    if rule == "RISING":
        return "by rising address"
    return f"by the holder of `{names[re.fullmatch(r'UNDER.(.*).', rule)[1]]}`"


def table(found, sort):
    names = {rank: name for rank, _, _, name, _, _ in found}
    rows = [("lock", "guards", "taken inside", "two of them"), ("--",) * 4]
    rows += [(name, guards, inside, two_of_them(rule, names))
             for _, its_sort, rule, name, guards, inside in found if its_sort == sort]
    return "".join("|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|\n"
                   for row in rows)


def with_tables(page, found):
    for sort, mark in SORTS.items():
        page, n = re.subn(rf"(<!-- {mark} -->\n).*?(<!-- end -->)",
                          lambda m, t=table(found, sort): m[1] + t + m[2], page, flags=re.S)
        if n != 1:
            raise ValueError(f"docs/locking.md has no place for {mark}")
    return page


def main(args):
    if args:
        print(__doc__.strip())
        return 0 if set(args) & {"-h", "--help"} else 2
    page = with_tables(read(PAGE), ranks(read(LIST)))
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
