"""The commands of docs/page-tables.md, docs/gdb.md and docs/lab.md do what the pages say: each is
run as it stands there."""
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
    """(command, the GDB command that belongs to it or None) in the pages' order."""
    text = docpages.read(docpages.ENGLISH) + docpages.read(docpages.GDB)
    found = [c for c in docpages.commands(text) if not c.startswith("./test")]
    return [(c, after if "--gdb" in c else None)
            for c, after in zip(found, found[1:] + [None]) if c.startswith("./run")]


LAB = docpages.commands(docpages.read(docpages.LAB))
PLAIN = list(dict.fromkeys(
    [c for c, gdb in run_commands() if gdb is None] +
    [c for c in LAB if c.startswith(("./run", "grep", "make")) and "--gdb" not in c]))
WITH_GDB = [pair for pair in run_commands() if pair[1] is not None]
BREAKS = list(dict.fromkeys(c.removeprefix("break ") for c in LAB if c.startswith("break ")))


def test_the_pages_have_commands():
    assert len(PLAIN) >= 40 and len(WITH_GDB) >= 5 and len(BREAKS) >= 25
    assert all(gdb.startswith("gdb-multiarch ") for _, gdb in WITH_GDB)


def built(command):
    """The command with our build folder."""
    return re.sub(r"(?<!\S)build/", os.path.relpath(machine.build_path(), machine.ROOT) + "/",
                  command)


def words(command):
    if not command.startswith("./run"):
        return ["sh", "-c", built(command)]
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
    done = debug(command, with_gdb)
    stops = len(re.findall(r"^Breakpoint [\d.]+, ", done.stdout, re.M))
    assert stops == with_gdb.count("-ex continue"), done.stdout + done.stderr
    wrong = re.search(r"No symbol|Cannot access|[Ee]rror", done.stdout + done.stderr)
    assert not wrong, done.stdout + done.stderr


def debug(command, with_gdb, *more):
    """What GDB prints."""
    gdb = next(g for g in GDBS if shutil.which(g))
    args = shlex.split(built(with_gdb))[1:]
    with subprocess.Popen(words(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8", cwd=machine.ROOT) as waiting:
        try:
            assert any("gdb-multiarch -x " in line for line in waiting.stderr)
            return subprocess.run([gdb, "-batch", "-nx", *args, *more, "-ex", "kill"], check=False,
                                  capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
                                  timeout=guest.DEADLINE, cwd=machine.ROOT)
        finally:
            waiting.terminate()


def test_breakpoints_of_the_lab(turn):
    """Each function that lab.md says to stop in is reached by the session that it shows."""
    command, with_gdb = [c for c in LAB if "--gdb" in c or c.startswith("gdb-multiarch")]
    more = [word for name in BREAKS for word in ("-ex", f"tbreak {name}")]
    done = debug(command, with_gdb, *more, *["-ex", "continue"] * len(BREAKS))
    stops = re.findall(r"^Temporary breakpoint [\d.]+, (?:0x\w+ in )?(\w+)", done.stdout, re.M)
    assert sorted(stops) == sorted(BREAKS), done.stdout + done.stderr
