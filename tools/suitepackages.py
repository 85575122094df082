"""Packages as a stranger would try them (suites.d/packages): each is one command, and what it has
to print. tools/suites.py runs them like a suite, a package a part.
"""
import os
import re

import machine
from suite import Result, Suite, status_of

FILE = os.path.join(machine.ROOT, "tools", "suites.d", "packages")


def trials():
    """{name: (packages, command, pattern for what it prints)}"""
    with open(FILE, encoding="utf-8") as f:
        text = "".join(line for line in f if not line.startswith("#"))
    found = {}
    for head, body in re.findall(r"^= (.*)\n((?:(?!= ).*\n)*)", text, re.M):
        name, _, names = head.partition(": ")
        command, _, wanted = body.partition("\n-\n")
        found[name] = (names, command, wanted.rstrip("\n") + r"(?![0-9A-Za-z])")
    return found


TRIALS = trials()


class Packages(Suite):
    name = "packages"
    title = "packages, each by one command"
    alone = True
    limit = 150
    mib = 700

    def parts(self):
        return list(TRIALS)

    def packages_of(self, part):
        return TRIALS[part][0].split()

    def add(self, tree):
        for name, (_, command, _) in TRIALS.items():
            tree.add_file(f"suite/trials/{name}", (command + "\n").encode())

    def command(self, part):
        return f"sh /suite/trials/{part}"

    def read(self, part, said):
        text = "\n".join(line for line in said if not line.startswith("== status")) + "\n"
        wanted = TRIALS[part][2]
        if re.match(wanted, text.strip("\n") + "\n") and status_of(said) != 137:
            return Result(1, 0, [])
        return Result(0, 0, [f"printed {text.strip()[:100]!r}"])
