"""No operation has become slower: instructions against docs/benchmarks.csv, and against
docs/benchmarks-harts.csv."""
import os
import subprocess
import sys

import machine
import pytest
from guest import DEADLINE


def check(tool):
    command = [sys.executable, os.path.join(machine.ROOT, "tools", tool), "--no-build", "--check"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, timeout=DEADLINE)
    if done.returncode == 3:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_slower_than_recorded():
    """Under every design: one boot measures them all."""
    check("bench.py")


def test_no_slower_on_several_harts():
    """Under one design, on 1 and 8 harts."""
    if not machine.firmware():
        pytest.skip("OpenSBI is not installed")
    machine.build(targets=("sim",))
    check("bench_harts.py")
