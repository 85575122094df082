"""Threads of one process change its memory at random (user/bin/threadstress.c): on as many harts as
one, a few and many, and on the strict machine, where an interleaving is a seed. tools/seeds.py runs
more of them."""
import os
import subprocess

import guest
import machine
import pytest

ROUNDS = 60


def commands(designs):
    return [f"design {name} threadstress {seed} {ROUNDS}" for seed, name in enumerate(designs, 1)]


@pytest.mark.parametrize("harts", [1, 3, 8])
def test_each_design_in_one_boot(harts):
    run = commands(machine.designs())
    done = guest.run("--harts", harts, "-c", " && ".join(run))
    assert done.returncode == 0 and done.stdout.count(": OK\n") == len(run), \
        done.stdout[-guest.TAIL:] + done.stderr


def finds_nothing(design, line):
    """Not even two accesses of the kernel that nothing orders."""
    machine.build(targets=("sim",))
    done = subprocess.run(
        [os.path.join(machine.ROOT, "sim"), "--kernel",
         os.path.join(machine.kernel_folder(), "kernel.elf"), "--disk", machine.default_image(),
         "--harts", "3", "--races", "--append",
         f"design={design} panic=exit quiet trace=poweroff -- {line}"],
        capture_output=True, encoding="utf-8", errors="replace", timeout=guest.DEADLINE,
        check=False)
    assert done.returncode == 0 and ", 0 findings" in done.stderr, done.stdout + done.stderr
    return done.stdout


def test_the_machine_finds_nothing(design):
    assert ": OK\n" in finds_nothing(design, f"threadstress 1 {ROUNDS}")


def test_nor_where_processes_stop(design):
    assert "ALL TESTS PASSED" in finds_nothing(design, "signaltests stop stops_threads")
