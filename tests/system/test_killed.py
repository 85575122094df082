"""QEMU is killed while files change at random. What it leaves is a tree that there was after some
step, no earlier than the last that was durable.

What QEMU has given to the host is not lost with it. So the record of the disk is cut, too: each
state that a power cut may leave (diskrecord.py) is recovered here, and one of them by the kernel.
By hand, for other seeds: KILLED_SEEDS=1-200 ./test test_killed
"""
import random
import re
import time

import guest
import machine
import pexpect
import pytest
from diskrecord import SECTOR, cut_states, logged_disk, read_count, read_record
from fileplan import FOLDER, Plan
from guest import seeds
from test_disk import make_image
from xv6check import check
from xv6fs import Image

STEPS = 400
STATES = 60
MOST_RECORDED = 2 << 20  # bytes: about what a whole plan takes
DURABLE = r"durable (\d+)\r?\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A disk with the programs, and the folder where plans work."""
    path = tmp_path_factory.mktemp("killed") / "disk"
    made = make_image(path, 2400, 200, 60, "echo")
    ours = Image.load(machine.default_image())
    for name in ("usertests", "stressfs"):
        made.write_file(name, ours.read(f"/tests/{name}"))
    made.make_folder(FOLDER)
    return made


def work_and_kill(up, log, size):
    """Goes on until the record has so many bytes, or all is done: [(entries, steps)], so many steps
    are durable with so many entries. The guest waits for an answer while they are counted."""
    promised = []
    deadline = time.monotonic() + guest.DEADLINE
    while log.stat().st_size < size:
        found = up.child.expect([pexpect.TIMEOUT, "the plan is done", DURABLE, "FAILED",
                                 guest.PANIC, pexpect.EOF], timeout=0.001)
        if found > 2 or time.monotonic() > deadline:
            up.fail("the plan does not go on")
        if found == 1:
            break
        if found == 2:
            with open(log, "rb") as f:
                promised.append((read_count(f.read(SECTOR)), int(up.child.match[1])))
            up.type("\n")
    up.kill()
    up.child.expect(pexpect.EOF)  # it may have said more
    return promised


def recovered(data):
    image = Image(data)
    image.recover()
    return image


def problem_of(data, plan, durable):
    """What is wrong with a disk where so many steps were durable, or None."""
    problems = check(Image(data), allow_orphans=True)
    if problems:
        return str(problems[:3])
    found = plan.last_step(recovered(data))
    return None if found >= durable else \
        f"the tree is that after {found} steps, and {durable} were durable"


def problems_of_cuts(states, plan, promised):
    for cut, data in states:
        durable = max((steps for entries, steps in promised if entries <= cut), default=0)
        problem = problem_of(data, plan, durable)
        if problem:
            yield f"a cut after {cut} entries: {problem}"


def assert_kernel_recovers(path, data, plan):
    path.write_bytes(data)
    assert guest.run("--disk", path, "-c", "echo up").stdout == "up\n"
    after = Image.load(path)
    assert check(after) == []
    assert plan.last_step(after) == plan.last_step(recovered(data))


@pytest.mark.parametrize("seed", seeds("KILLED_SEEDS", "1-4"))
def test_killed(boot, programs, tmp_path, seed):
    plan = Plan(seed, STEPS)
    disk, log = tmp_path / "disk", tmp_path / "log"
    made = Image(programs.data)
    made.write_file("plan", b"".join(plan.records))
    made.save(disk)
    log.touch()
    up = boot(harts=2, disks=[logged_disk(disk, log)])
    up.prompt()
    others = "./stressfs 2 1000 & " if seed % 2 else ""
    up.type(f"{others}./usertests --role plan plan\n")
    promised = work_and_kill(up, log, random.Random(seed).randrange(MOST_RECORDED))
    durable = max((int(n) for n in re.findall(DURABLE, up.text)), default=0)

    left = disk.read_bytes()
    assert problem_of(left, plan, durable) is None
    states = list(cut_states(made.data, read_record(log), STATES, seed))
    problems = list(problems_of_cuts(states, plan, promised))
    assert not problems, f"{len(problems)} of {STATES} states are wrong; {problems[0]}"
    assert_kernel_recovers(disk, left, plan)
    assert_kernel_recovers(disk, states[-1][1], plan)
