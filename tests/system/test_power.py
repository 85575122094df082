"""Power cuts. QEMU writes down every write and flush that reaches the disk; each state
that a power cut may leave is made from that, recovered, and checked.

The control: with one of a commit's flushes left out of the record, broken states must show up,
else this test could not fail. Each call commits (sync=always), so that there are many; delayed
ones are test_delayed.c's and test_killed.py's.
"""
import random

import guest
import machine
import pytest
import xv6fs
from diskrecord import cut_states, logged_disk, put, read_record, sectors_of
from guest import Guest
from test_disk import make_image
from xv6check import check

STATES = 1200
SCRIPT = """mkdir a
mkdir a/b
echo one > a/b/f
ln a/b/f a/g
cat sh > big
rm a/b/f
mv a/g a/b/h
cat a/b/h big > big2
rm big
rm a/b/h
rmdir a/b
echo two > a/two
cat big2 > big3
rm big2
rm a/two
rmdir a
"""


def broken_states(before, record, states, seed):
    """How many of so many random power cuts leave an inconsistent disk, and one of them."""
    broken, example = 0, None
    for cut, state in cut_states(before, record, states, seed):
        problems = check(xv6fs.Image(state), allow_orphans=True)
        if problems:
            broken += 1
            example = example or f"after {cut} of {len(record)} entries: {problems[:3]}"
    return broken, example


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("power")
    disk, log = folder / "disk", folder / "log"
    made = make_image(disk, 900, 64, 31, "cat", "echo", "mkdir", "rm", "rmdir", "ln",
                      "mv", "poweroff")
    made.write_file("script", SCRIPT.encode())
    made.save(disk)
    log.touch()
    up = Guest(machine.default_design(), disks=[logged_disk(disk, log)],
               append="panic=exit sync=always -- sh script; poweroff")
    try:
        assert up.wait_end() == 0, up.text
    finally:
        up.end()
    record = read_record(log)
    assert record.count(None) >= 20 and len(record) > 100
    return bytes(made.data), record, disk.read_bytes()


def test_record_is_complete(recorded):
    """All writes of the record make the disk that was left."""
    before, record, after = recorded
    data = bytearray(before)
    put(data, [s for entry in record if entry for s in sectors_of(entry)])
    assert bytes(data) == after


def test_every_power_cut_recovers(recorded):
    before, record, _ = recorded
    broken, example = broken_states(before, record, STATES, seed=1)
    assert broken == 0, f"{broken} of {STATES} states are broken; {example}"


@pytest.mark.parametrize("left_out", range(4))
def test_without_a_flush_it_would_break(recorded, left_out):
    """The control: the same record without one of the four flushes of each commit."""
    before, record, _ = recorded
    flushes = [i for i, entry in enumerate(record) if entry is None]
    gone = set(flushes[left_out::4])
    broken, _ = broken_states(before, [e for i, e in enumerate(record) if i not in gone],
                              STATES, seed=2)
    assert broken > 0


@pytest.mark.parametrize("seed", range(3))
def test_kernel_recovers_what_a_cut_leaves(recorded, tmp_path, seed):
    """Some of the states are booted: recovery by the kernel itself."""
    before, record, _ = recorded
    rng = random.Random(seed)
    cut = rng.randrange(len(record))
    last = max((i for i in range(cut) if record[i] is None), default=0)
    state = bytearray(before)
    put(state, [s for entry in record[:last] if entry for s in sectors_of(entry)])
    put(state, [s for entry in record[last:cut] if entry for s in sectors_of(entry)
                if rng.random() < 0.5])
    path = tmp_path / "disk"
    path.write_bytes(state)
    assert guest.run("--disk", path, "-c", "echo up > up; cat up").stdout == "up\n"
    assert check(xv6fs.Image.load(path)) == []
