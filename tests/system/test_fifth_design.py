"""A fifth design by a file alone: a copy of share under another name, in a copy of the tree."""
import os
import shutil
import subprocess

import guest
import machine
import pytest

TESTS = "usertests design views bounds protect fork exec"


@pytest.fixture(scope="module")
def fifth(tmp_path_factory):
    """Runs a command in a tree whose kernel has the fifth design."""
    folder = tmp_path_factory.mktemp("fifth") / "trellis"
    shutil.copytree(machine.ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(
        machine.BUILD, ".git", "tests", "docs", "__pycache__"))
    mm = folder / "kernel" / "mm"
    text = (mm / "design_share.c").read_text(encoding="utf-8")
    assert text.count('"share"') == 1
    (mm / "design_fifth.c").write_text(text.replace('"share"', '"fifth"'), encoding="utf-8")
    (folder / "build").mkdir()
    shutil.copy(machine.default_image(), folder / "build")

    def run(*words):
        done = subprocess.run(words, cwd=folder, check=False, encoding="utf-8", errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=guest.LONG_DEADLINE,
                              env={**os.environ, "BUILD": "build"})
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-6000:]}"
        return done.stdout
    run("make", "-s", "-j2", "kernel")
    return run


def test_it_is_one_of_them(fifth):
    assert "fifth" in fifth("./run", "--help")
    said = fifth("./run", "--no-build", "-c", "design; design fifth ps -l; sysinfo")
    assert "\nfifth\n" in "\n" + said
    assert [line.split()[8] for line in said.splitlines() if line.endswith((" init", " ps"))] == \
        [machine.default_design(), "fifth"]
    assert f"design     {machine.default_design()}\n" in said


def test_tools_and_tests_run_under_it(fifth):
    said = fifth("./run", "--no-build", "--design", "fifth", "-c",
                 f"sysinfo; vmmap; vmprint -k; vmwalk -k 0; {TESTS}")
    assert "design     fifth\n" in said and "(vmmap), fifth:\n" in said
    assert "kernel view of process" in said and "(vmprint), fifth" in said
    assert "ALL TESTS PASSED" in said


def test_it_can_be_measured(fifth):
    said = fifth("./run", "--no-build", "--design", "fifth", "--harts", "1", "-c",
                 "bench getpid fork")
    assert "bench: done" in said


def test_ptview_checks_its_views(fifth, tmp_path):
    """What the kernel's view must have is seen from the dumps: no tool has a list of designs."""
    said = fifth("./run", "--no-build", "--design", "fifth", "-c", "vmprint")
    log = tmp_path / "log"
    log.write_text(said)
    healthy = fifth("tools/ptview", log, "--check")
    assert "user view of process" in said and "disagrees" not in healthy
    user, kernel = said.split("kernel view")
    leaf = next(line for line in kernel.splitlines() if line.startswith(".. .. ..1: "))
    log.write_text(user + "kernel view" + kernel.replace(leaf + "\n", "", 1))
    done = subprocess.run([os.path.join(machine.ROOT, "tools", "ptview"), log, "--check"],
                          check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and "The kernel's view disagrees with the user's" in done.stdout
