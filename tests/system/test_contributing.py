"""CONTRIBUTING.md, followed to the letter in a copy of the tree: what it adds builds, passes the
tests that it adds, and is what the documentation's tests want."""
import os
import re
import shutil
import subprocess

import guest
import machine
import pytest
import trees

STEP = re.compile(r"^(?:New file `(\S+)`|In `(\S+)`, (?:at the (end)|(above|below) `(.*)`)):\n\n"
                  r"((?:    .*\n|\n(?=    ))+)", re.M)


def steps():
    """(file, (end, above, below or new), the line that it refers to, the text)."""
    with open(os.path.join(machine.ROOT, "CONTRIBUTING.md"), encoding="utf-8") as f:
        found = STEP.findall(f.read())
    return [(new or old, end or where or "new", line, re.sub("^    ", "", text, flags=re.M))
            for new, old, end, where, line, text in found]


def follow(folder, name, where, line, text):
    path = folder / name
    assert path.exists() != (where == "new"), name
    old = "" if where == "new" else path.read_text(encoding="utf-8")
    if where in ("new", "end"):
        path.write_text(old + "\n" * bool(old) + text, encoding="utf-8")
        return
    lines = old.splitlines(keepends=True)
    at, = [i for i, l in enumerate(lines) if l.startswith(line)]
    if where == "above":
        lines.insert(at, text + "\n")
    else:
        lines.insert(at + 1, text)
    path.write_text("".join(lines), encoding="utf-8")


def done_in(folder, *words):
    env = {**os.environ, "BUILD": "build", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=folder, check=False, encoding="utf-8", errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=guest.LONG_DEADLINE, env=env)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.mark.hand  # a minute of a processor
def test_the_recipes(tmp_path):
    folder = tmp_path / "trellis"
    trees.copy(folder, without=("defects",))
    files = [follow(folder, *step) or step[0] for step in steps()]
    assert len(files) >= 12 and "user/bin/hart.c" in files and "kernel/dev/null.c" in files
    done_in(folder, "make", "-s", "-j2", "all")
    said = done_in(folder, "./run", "--no-build", "-c",
                   "hart; usertests hart_is_told; usertests null_device")
    assert re.match(r"hart [0-2]\n", said), said
    assert said.count("ALL TESTS PASSED") == 2, said
    done_in(folder, "tools/rules.py")
    if shutil.which("clang-format"):
        done_in(folder, "clang-format", "--dry-run", "-Werror",
                *(f for f in files if f.endswith((".c", ".h"))))
    done_in(folder, shutil.which("python3", path="/usr/bin:" + os.environ["PATH"]), "-m", "pytest",
            "-q", "-p", "no:cacheprovider", "tests/host/test_system_calls.py")
