"""The names that the guest's usertests takes: tests, and subjects."""
import os
import re

import machine


def names_that_match(*patterns, folder="tests"):
    """What the first groups of regular expressions match in the lines of a folder of user."""
    folder = os.path.join(machine.ROOT, "user", folder)
    text = ""
    for name in os.listdir(folder):
        if name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text += f.read()
    return {name for pattern in patterns for name in re.findall(pattern, text, re.M)}


def guest_tests(folder="tests"):
    return names_that_match(r'\{"(\w+)", \w+, ', r'\{"(\w+)", +\w+_tests\}', folder=folder)
