"""What QEMU writes down of a disk: every write and flush that reached it, and the states that a
power cut may leave. A finished write lies in the disk's cache until a flush: at a cut, what was
flushed is there, and of the rest any sectors."""
import random
import struct

SECTOR = 512
FLUSH, DISCARD, MARK = 1, 4, 8
MAGIC = 0x6a736677736872
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<4Q")


def logged_disk(path, log):
    """Options for a disk with a record. The host's own disk is not waited for: the host does not
    lose its power."""
    return ["-blockdev", f"driver=file,filename={path},node-name=file0,cache.no-flush=on",
            "-blockdev", f"driver=file,filename={log},node-name=log0,cache.no-flush=on",
            "-blockdev", "driver=blklogwrites,file=file0,log=log0,node-name=disk0",
            "-device", "virtio-blk-device,drive=disk0,bus=virtio-mmio-bus.0"]


def read_count(data):
    """How many entries there are. QEMU says so with every flush, before the guest knows of it."""
    magic, version, count, size = SUPER.unpack(data[:SUPER.size].ljust(SUPER.size, b"\0"))
    assert (magic, version, size) in ((MAGIC, 1, SECTOR), (0, 0, 0))  # 0: there was no flush yet
    return count


def read_record(path):
    """[(sector, bytes)] for a write, None for a flush, in order; up to the last flush that was
    counted, or to what a QEMU that was killed has written no more."""
    data = path.read_bytes()
    record = []
    at = SECTOR
    for _ in range(read_count(data)):
        sector, sectors, flags, _ = ENTRY.unpack(data[at:at + ENTRY.size].ljust(ENTRY.size, b"\0"))
        at += SECTOR
        if not sectors and not flags:
            break
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


def cut_states(before, record, states, seed):
    """So many random power cuts, in order: each is (before which entry, the disk's contents)."""
    rng = random.Random(seed)
    cuts = sorted(rng.randrange(len(record) + 1) for _ in range(states))
    durable = bytearray(before)
    pending = []
    at = 0
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
        yield cut, state
