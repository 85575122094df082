"""All C is as clang-format prints it."""
import os
import re
import shutil
import subprocess

import machine
import pytest

VERSION = 14  # others break lines in other places


def formatter():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(name):
            said = subprocess.run([name, "--version"], check=True, capture_output=True,
                                  encoding="utf-8").stdout
            if re.search(rf"version {VERSION}\.", said):
                return name
    return pytest.skip(f"there is no clang-format {VERSION}")


def sources():
    for top in ("kernel", "machine", "user", "tests"):
        for folder, _, names in os.walk(os.path.join(machine.ROOT, top)):
            yield from (os.path.join(folder, n) for n in names if n.endswith((".c", ".h")))


def complaints(paths):
    done = subprocess.run([formatter(), "--dry-run", "--ferror-limit=1", *paths], check=True,
                          cwd=machine.ROOT, capture_output=True, encoding="utf-8")
    return done.stderr


def test_all_c_is_formatted():
    said = complaints(sorted(sources()))
    assert not said, f"{said}\nput in order by: clang-format -i FILE"


def test_a_line_out_of_order_is_found(tmp_path):
    shutil.copy(os.path.join(machine.ROOT, ".clang-format"), tmp_path)
    (tmp_path / "a.c").write_text("int f(int x)\n{\n    return x ;\n}\n")
    assert "a.c:1:13" in complaints([str(tmp_path / "a.c")])
