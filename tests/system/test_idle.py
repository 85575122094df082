"""An idle guest costs the host next to nothing."""
import time

from guest import PYTEST_DESIGNS
from machine import default_design

SECONDS = 4


def test_idle_takes_no_time(boot):
    """Machines of one hart and of eight under each design, which wait for input, and one whose
    processes sleep: all at once, since they leave the processors to each other."""
    shapes = [(design, harts, ":") for design in PYTEST_DESIGNS for harts in (1, 8)]
    shapes.append((default_design(), 3, "sleep 1000 & sleep 1000 & sleep 1000 &"))
    guests = []
    for design, harts, command in shapes:
        guests.append(boot(design=design, harts=harts))
        guests[-1].prompt()
        guests[-1].run(command)
        guests[-1].run("echo warm")
    before = [guest.cpu_seconds() for guest in guests]
    start = time.monotonic()
    # Nothing is waited for here: these seconds are what is measured.
    time.sleep(SECONDS)
    used = [guest.cpu_seconds() - old for guest, old in zip(guests, before)]
    passed = time.monotonic() - start
    for shape, seconds, guest in zip(shapes, used, guests):
        assert seconds < 0.05 * passed, f"{seconds / passed:.1%} of a processor: {shape}"
        assert guest.run("echo alive") == "alive\n"
