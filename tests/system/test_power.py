"""Power cuts. QEMU writes down every write and flush that reaches the disk; each state
that a power cut may leave is made from that, recovered, and checked.

A finished write lies in the disk's cache until a flush: at a cut, what was flushed is
there, and of the rest any sectors. The control: with one of a commit's flushes left out
of the record, broken states must show up, else this test could not fail. Each call commits
(sync=always), so that there are many; delayed ones are test_delayed.c's and test_pulled_plug's.
"""
import random
import struct

import guest
import machine
import pytest
import xv6fs
from xv6check import check
from guest import Guest
from test_disk import make_image

SECTOR = 512
FLUSH, DISCARD, MARK = 1, 4, 8
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


def logged_disk(path, log):
    return ["-blockdev", f"driver=file,filename={path},node-name=file0",
            "-blockdev", f"driver=file,filename={log},node-name=log0",
            "-blockdev", "driver=blklogwrites,file=file0,log=log0,node-name=disk0",
            "-device", "virtio-blk-device,drive=disk0,bus=virtio-mmio-bus.0"]


def read_record(path):
    """[(sector, bytes)] for a write, None for a flush, in order."""
    data = path.read_bytes()
    magic, version, count, size = struct.unpack_from("<QQQI", data)
    assert magic == 0x6a736677736872 and version == 1 and size == SECTOR
    record = []
    at = SECTOR
    for _ in range(count):
        sector, sectors, flags, _ = struct.unpack_from("<4Q", data, at)
        at += SECTOR
        if flags & (DISCARD | MARK):
            continue
        if sectors:
            record.append((sector, data[at:at + sectors * SECTOR]))
            at += sectors * SECTOR
        if flags & FLUSH:
            record.append(None)
    return record


def sectors_of(write):
    start, data = write
    return [(start + i, data[i * SECTOR:(i + 1) * SECTOR]) for i in range(len(data) // SECTOR)]


def put(data, sectors):
    for sector, content in sectors:
        data[sector * SECTOR:(sector + 1) * SECTOR] = content


def broken_states(before, record, states, seed):
    """How many of so many random power cuts leave an inconsistent disk, and one of them."""
    rng = random.Random(seed)
    cuts = sorted(rng.randrange(len(record) + 1) for _ in range(states))
    durable = bytearray(before)
    pending = []
    at, broken, example = 0, 0, None
    for cut in cuts:
        for entry in record[at:cut]:
            if entry is None:
                put(durable, [s for write in pending for s in sectors_of(write)])
                pending = []
            else:
                pending.append(entry)
        at = cut
        state = bytearray(durable)
        chance = rng.choice([0.1, 0.5, 0.9])
        put(state, [s for write in pending for s in sectors_of(write) if rng.random() < chance])
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
