"""No operation has become slower: instructions against docs/benchmarks.csv."""
import os
import subprocess
import sys

import machine
import pytest
from guest import DEADLINE


def test_no_slower_than_recorded():
    """Under every design: one boot measures them all."""
    command = [sys.executable, os.path.join(machine.ROOT, "tools", "bench.py"), "--no-build",
               "--check"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, timeout=DEADLINE)
    if done.returncode == 3:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
