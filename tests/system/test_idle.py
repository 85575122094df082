"""An idle guest costs the host next to nothing."""
import time

import pytest

SECONDS = 4


@pytest.mark.parametrize("harts", [1, 8])
def test_idle_takes_no_time(boot, design, harts):
    guest = boot(design=design, harts=harts)
    guest.prompt()
    guest.run("echo warm")
    used, start = guest.cpu_seconds(), time.monotonic()
    # Nothing is waited for here: these seconds are what is measured.
    time.sleep(SECONDS)
    share = (guest.cpu_seconds() - used) / (time.monotonic() - start)
    assert share < 0.05, f"{share:.1%} of a processor while nothing runs"
    assert guest.run("echo alive") == "alive\n"


def test_sleeping_processes_cost_nothing(boot):
    guest = boot(harts=3)
    guest.prompt()
    guest.run("sleep 1000 & sleep 1000 & sleep 1000 &")
    guest.run("echo warm")
    used, start = guest.cpu_seconds(), time.monotonic()
    time.sleep(SECONDS)
    share = (guest.cpu_seconds() - used) / (time.monotonic() - start)
    assert share < 0.05, f"{share:.1%} of a processor while all sleep"
