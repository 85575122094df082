"""Suites of trials (suites.d): each is what the shell is to do with some packages, and what that
has to print. A trial is a part.
"""
import os
import re

import machine
from suite import Result, Suite, status_of


def trials(file):
    """{name: (packages, command, pattern for what it prints)}"""
    with open(os.path.join(machine.ROOT, "tools", "suites.d", file), encoding="utf-8") as f:
        text = "".join(line for line in f if not line.startswith("#"))
    found = {}
    for head, body in re.findall(r"^= (.*)\n((?:(?!= ).*\n)*)", text, re.M):
        name, _, names = head.partition(": ")
        command, _, wanted = body.partition("\n-\n")
        found[name] = (names, command, wanted.rstrip("\n") + r"(?![0-9A-Za-z])")
    return found


class Trials(Suite):
    shell = "sh"

    def __init__(self):
        self.trials = trials(self.name)

    def parts(self):
        return list(self.trials)

    def packages_of(self, part):
        return [*self.trials[part][0].split(), *self.packages]

    def add(self, tree):
        for name, (_, command, _) in self.trials.items():
            tree.add_file(f"suite/{self.name}/{name}", (command + "\n").encode())

    def command(self, part):
        return f"rm -rf /tmp/*; {self.shell} /suite/{self.name}/{part}"

    def read(self, part, said):
        text = "\n".join(line for line in said if not line.startswith("== status")) + "\n"
        wanted = self.trials[part][2]
        if re.match(wanted, text.strip("\n") + "\n") and status_of(said) != 137:
            return Result(1, 0, [])
        return Result(0, 0, [f"printed {text.strip()[:100]!r}"])


class Vi(Trials):
    name = "vi"
    title = "vi, vim, nano and less, by keys"
    limit = 60


class Packages(Trials):
    """busybox's shell, as Debian has it, takes its own commands before those of packages; dash,
    which brings its link `sh`, does not."""
    name = "packages"
    title = "packages, each by one command"
    packages = ("dash",)
    shell = "dash"
    alone = True
    limit = 150
    mib = 700
