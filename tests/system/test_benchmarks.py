"""No operation has become slower: instructions against docs/benchmarks.csv, and against
docs/benchmarks-harts.csv. And by Linux's interface some take less than on Linux."""
import os
import re
import shutil
import subprocess
import sys

import bench_linux
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


FEW = ("null_getppid", "mmap_touch_munmap_4K", "fault_anon_write", "fault_cow_copy",
       "mprotect_1p_ro_rw", "futex_ping_pong_round_trip", "pipe_round_trip_processes",
       "vfork_exec_wait_static")


def test_less_than_linux():
    """A few operations by Linux's interface, under every design, beside Linux's own counts."""
    if not shutil.which(bench_linux.COMPILER):
        pytest.skip(f"there is no {bench_linux.COMPILER}")
    done = subprocess.run([sys.executable, os.path.join(machine.ROOT, "tools", "bench_linux.py"),
                           "--no-build", *FEW], check=False, capture_output=True,
                          encoding="utf-8", stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [re.split(r"  +", line.strip()) for line in done.stdout.splitlines()[1:]]
    counts = [[int(n.replace(" ", "")) for n in row[1:]] for row in rows if len(row) > 2]
    assert len(counts) == len(FEW)
    for own in counts:
        assert all(0 < n < own[-1] for n in own[:-1]), done.stdout
