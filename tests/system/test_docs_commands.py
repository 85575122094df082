"""The commands of docs/page-tables.md do what the page says: each is run as it stands there."""
import os
import re
import shlex
import shutil
import subprocess

import docpages
import guest
import machine
import pytest
from test_gdb import GDBS


def expected_status(command):
    """A program that is killed, and a kernel that panics, are what some commands show."""
    if "crash " in command:
        return 255
    if "selftest=" in command and "mirror" not in command:
        return 134
    return 0


def run_commands():
    """(command, the GDB command that belongs to it or None) in the page's order."""
    found = [c for c in docpages.commands(docpages.read(docpages.ENGLISH))
             if not c.startswith("./test")]
    return [(c, after if "--gdb" in c else None)
            for c, after in zip(found, found[1:] + [None]) if c.startswith("./run")]


PLAIN = [c for c, gdb in run_commands() if gdb is None]
WITH_GDB = [pair for pair in run_commands() if pair[1] is not None]


def test_the_page_has_commands():
    assert len(PLAIN) >= 15 and len(WITH_GDB) >= 5
    assert all(gdb.startswith("gdb-multiarch ") for _, gdb in WITH_GDB)


def words(command):
    return [*shlex.split(command), "--no-build"]


def test_plain_commands():
    wrong = []
    for command in PLAIN:
        done = subprocess.run(words(command), check=False, capture_output=True,
                              encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL,
                              timeout=guest.DEADLINE, cwd=machine.ROOT)
        if done.returncode != expected_status(command) or "usage:" in done.stdout:
            wrong.append(f"{command}: {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-500:]}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def turn():
    with guest.gdb_turn():
        yield


@pytest.mark.parametrize("command, with_gdb", WITH_GDB, ids=range(len(WITH_GDB)))
def test_command_with_gdb(turn, command, with_gdb):
    gdb = next(g for g in GDBS if shutil.which(g))
    args = [os.path.relpath(machine.build_path(a[len("build/"):]), machine.ROOT)
            if a.startswith("build/") else a for a in shlex.split(with_gdb)[1:]]
    with subprocess.Popen(words(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8", cwd=machine.ROOT) as waiting:
        try:
            assert any("gdb-multiarch -x " in line for line in waiting.stderr)
            done = subprocess.run([gdb, "-batch", "-nx", *args, "-ex", "kill"], check=False,
                                  capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
                                  timeout=guest.DEADLINE, cwd=machine.ROOT)
        finally:
            waiting.terminate()
    stops = len(re.findall(r"^Breakpoint \d+, ", done.stdout, re.M))
    assert stops == with_gdb.count("-ex continue"), done.stdout + done.stderr
    wrong = re.search(r"No symbol|Cannot access|[Ee]rror", done.stdout + done.stderr)
    assert not wrong, done.stdout + done.stderr
