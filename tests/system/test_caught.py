"""A few of the defects of tests/defects are put back, and are noticed. All of them, which
takes longer: tools/defects.py. In each run ./test puts two back on the machine of ./sim."""
import os
import subprocess
import sys

import guest
import machine
import pytest


@pytest.mark.hand
def test_a_few_defects_are_caught():
    done = subprocess.run([sys.executable, os.path.join(machine.ROOT, "tools", "defects.py"),
                           "--quick"], check=False, capture_output=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, timeout=guest.LONG_DEADLINE)
    assert done.returncode == 0 and " 0 not" in done.stdout, done.stdout + done.stderr
