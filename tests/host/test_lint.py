"""cppcheck and clang-tidy find nothing in the kernel (make lint), but for clang's analyzer, which
takes minutes: that is run by hand."""
import os
import re
import shutil
import subprocess

import machine
import pytest

VERSIONS = {"cppcheck": r"2\.10\b", "clang-tidy": r"version 14\."}  # others find other things


@pytest.fixture(autouse=True)
def tools():
    for tool, version in VERSIONS.items():
        if not shutil.which(tool):
            pytest.skip(f"there is no {tool}")
        said = subprocess.run([tool, "--version"], check=True, capture_output=True,
                              encoding="utf-8").stdout
        if not re.search(version, said):
            pytest.skip(f"{tool} is another version than the one that the checks are chosen for")


def lint(folder):
    done = subprocess.run(["make", "-s", "lint", "LINT=quick"], check=False, cwd=folder,
                          encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = [line for line in done.stdout.splitlines() if re.search(r": (error|warning): ", line)]
    return done.returncode, found


def test_nothing_is_found():
    status, found = lint(machine.ROOT)
    assert status == 0, "\n".join(found)


@pytest.mark.parametrize("code, says", [
    ("int f(int n);\nint f(int n) {\n    int a[4] = {0};\n    return n ? a[4] : 0;\n}\n",
     "arrayIndexOutOfBounds"),  # cppcheck
    ("void g(int n);\nvoid g(int n) {\n    for (short i = 0; i < n; i++)\n        g(i);\n}\n",
     "bugprone-too-small-loop-variable")])
def test_a_mistake_is_found(tmp_path, code, says):
    for name in ("Makefile", ".clang-tidy"):
        shutil.copy(os.path.join(machine.ROOT, name), tmp_path)
    shutil.copytree(os.path.join(machine.ROOT, "tools"), tmp_path / "tools")
    (tmp_path / "user" / "include").mkdir(parents=True)
    (tmp_path / "kernel" / "mm").mkdir(parents=True)
    (tmp_path / "kernel" / "mm" / "design_share.c").write_text("")
    (tmp_path / "kernel" / "mm" / "bad.c").write_text(code)
    status, found = lint(tmp_path)
    assert status != 0 and says in "".join(found), found
