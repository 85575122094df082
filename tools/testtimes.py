"""How long each test took the last time, on the clock and of the processors: ./test --times
shows it, and begins with the longest, so that none comes late."""
import contextlib
import json

import machine

CMOCKA, ALONE, FILE, OTHER = 5, 60, 20, 1  # guesses, in seconds, for what has not run yet


def path():
    return machine.build_path("test-times.json")


def read():
    """{name: [seconds, processors' seconds]}"""
    try:
        with open(path(), encoding="utf-8") as f:
            return {name: times for name, times in json.load(f).items() if len(times) == 2}
    except (OSError, ValueError, TypeError, AttributeError):  # an older ./test's, for example
        return {}


def write(times):
    times = {**read(), **times}
    with contextlib.suppress(OSError):  # only hints
        with open(path(), "w", encoding="utf-8") as f:
            json.dump(times, f, indent=0)


def show(names):
    """What each takes of the processors, which is about the same whatever runs beside it."""
    times = read()
    measured = [name for name in names if name in times]
    for name in sorted(measured, key=lambda name: -times[name][1]):
        print(f"{times[name][1]:7.1f} s of processors in {times[name][0]:6.1f} s  {name}")
    total = sum(times[name][1] for name in measured)
    print(f"{total:7.1f} s of processors; {len(measured)} of {len(names)} tests have been measured")


def longest_first(units):
    times = read()

    def seconds(unit):
        guess = CMOCKA if unit.kind == "cmocka" else ALONE if unit.alone else \
            OTHER if "::" in unit.names[0] else FILE
        return sum(times.get(name, [guess])[0] for name in unit.names)
    return sorted(units, key=seconds, reverse=True)
