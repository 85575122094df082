"""The names that the guest's usertests takes: tests, and subjects."""
import os
import re

import machine


def guest_tests():
    folder = os.path.join(machine.ROOT, "user", "tests")
    text = ""
    for name in os.listdir(folder):
        if name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text += f.read()
    return set(re.findall(r'^    \{"(\w+)",', text, re.M)) | \
        set(re.findall(r'\{"(\w+)", +\w+_tests\}', text))
