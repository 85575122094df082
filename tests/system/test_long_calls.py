"""Calls whose work grows with the memory of a process let others run in between."""
import re

import pytest
from guest import LONG_DEADLINE, host_mib

MIB = 512


def test_others_run(boot, design):
    """One hart that takes a microsecond for each instruction: a call on 128 MiB, a page at a time,
    is many slices. What the spinning process counts is checked in the guest; here, that the calls
    are long enough there."""
    if host_mib() < 2 * MIB:
        pytest.skip(f"the host has less than {2 * MIB} MiB")
    guest = boot(design=design, harts=1, mib=MIB, extra=("-icount", "shift=10"))
    guest.prompt()
    said = guest.run("usertests long_calls_let_others_run", LONG_DEADLINE)
    calls = re.findall(r"(\w+)\([^)]*\): (\d+) slices, (\d+) turns", said)
    assert [call for call, _, _ in calls] == ["sys_vmregions", "fork_once", "sys_wait", "mprotect",
                                              "munmap"], said
    assert all(int(slices) >= 30 for _, slices, _ in calls), said
    assert "FAILED" not in said, said
