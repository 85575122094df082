"""docs/designs.md, followed to the letter in a copy of the tree: a fifth design by a file alone,
a copy of share under another name, with which everything works that works with the four."""
import os
import shutil
import subprocess

import guest
import machine
import pytest
import trees
from printouts import DESIGNS, agree, draws, entries, read

COMMANDS = entries(read(DESIGNS))


class Tree:
    """The copy; what its page's commands print goes to files there."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, command):
        """In a shell, with what has been built by then."""
        words = ["sh", "-c", command.replace("./run ", "./run --no-build ")]
        done = subprocess.run(words, cwd=self.folder, check=False, encoding="utf-8",
                              errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=guest.LONG_DEADLINE,
                              env={**os.environ, "BUILD": "build"})
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}"
        return done.stdout

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def fifth(tmp_path_factory):
    """The tree when all has been done that needs no browser."""
    folder = tmp_path_factory.mktemp("fifth") / "trellis"
    trees.copy(folder, without=("tests", "docs"))
    (folder / "tests" / "host").mkdir(parents=True)
    shutil.copy(os.path.join(machine.ROOT, "tests", "host", "test_aspace_share.c"),
                folder / "tests" / "host")
    tree = Tree(folder)
    for command, shown in COMMANDS:
        if not draws(command):
            printed = tree.run(command).splitlines()
            assert not shown or agree(shown, printed), f"{command}\n{printed}"
    return tree


def test_the_page_shows_what_is_printed():
    shown = {command: lines for command, lines in COMMANDS if lines}
    assert len(COMMANDS) >= 10 and len(shown) == 2
    assert "fifth" in shown["./run -c design"]


def test_it_is_one_of_them(fifth):
    assert "fifth" in fifth.run("./run --help")
    said = fifth.read("beside.log")
    assert [line.split()[9] for line in said.splitlines() if line.endswith((" init", " ps"))] == \
        [machine.default_design(), "fifth"]
    assert f"design     {machine.default_design()}\n" in said


def test_tools_and_tests_run_under_it(fifth):
    said = fifth.read("tools.log")
    assert "design     fifth\n" in said and "(vmmap), fifth:\n" in said
    assert "kernel view of process" in said and "(vmprint), fifth" in said
    assert "bench: done" in fifth.read("bench.log")
    source = fifth.read("tests/host/test_aspace_fifth.c")
    assert "/* sources: kernel/mm/design_fifth.c " in source and "share" not in source


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_ptview_checks_its_views(fifth):
    """What the kernel's view must have is seen from the dumps: no tool has a list of designs."""
    check, = [command for command, _ in COMMANDS if draws(command)]
    fifth.run(check)
    said, healthy = fifth.read("views.log"), fifth.read("check.log")
    assert "user view of process" in said and "disagrees" not in healthy
    user, kernel = said.split("kernel view")
    leaf = next(line for line in kernel.splitlines() if line.startswith(".. .. ..17: "))
    broken = fifth.folder / "broken.log"
    broken.write_text(user + "kernel view" + kernel.replace(leaf + "\n", "", 1))
    done = subprocess.run([os.path.join(machine.ROOT, "tools", "ptview"), broken, "--check"],
                          check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and "The kernel's view disagrees with the user's" in done.stdout
