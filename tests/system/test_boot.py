"""Trellis comes up, under every design, on machines of every shape."""
import re

import machine
import pytest
from guest import PYTEST_DESIGNS, host_mib


SHAPES = [(1, 128), (2, 128), (3, 128), (8, 128), (3, 32), (1, 32), (3, 2048), (8, 8192)]


@pytest.mark.parametrize("harts, mib", SHAPES)
def test_boots(boot, design, harts, mib):
    # The guest's memory costs the host only what is touched.
    if mib > host_mib():
        pytest.skip(f"the host has less than {mib} MiB")
    guest = boot(design=design, harts=harts, mib=mib)
    guest.expect(rf"Trellis {design}: ")
    guest.prompt()
    assert guest.run("echo one two") == "one two\n"
    assert "welcome" in guest.run("ls") or "init" in guest.text
    guest.type("poweroff\n")
    assert guest.wait_end() == 0


@pytest.mark.parametrize("mib", [128, 8192])
def test_boot_is_short(boot, design, mib):
    """With -icount shift=0 a millisecond is a million guest instructions, or waiting for
    the host's disk. Emulation does several hundred million in half a second."""
    if mib > host_mib():
        pytest.skip(f"the host has less than {mib} MiB")
    guest = boot(design=design, harts=1, mib=mib, extra=("-icount", "shift=0"))
    m = guest.expect(r"/init runs, (\d+) ms after the kernel began \(idle harts: (\d+) ms\)")
    guest.prompt()
    # Both are rounded down, so that the difference may be one more than what it took.
    assert int(m[1]) - int(m[2]) <= 10


def test_debug_kernel_boots(boot):
    guest = boot(debug=True, harts=2)
    guest.prompt()
    assert guest.run("echo hello | wc").split() == ["1", "1", "6"]


def parse_vmprint(text):
    """(root, [(indices, pte, pa)]) of the first page table that text shows."""
    m = re.search(r"page table 0x([0-9a-f]{16})\n((?: ?\.\..*\n)+)", text)
    assert m, f"no page table in:\n{text}"
    entries = []
    path = []
    for line in m[2].splitlines():
        e = re.fullmatch(r" ?(\.\.(?: \.\.)*)(\d+): pte 0x([0-9a-f]{16}) pa 0x([0-9a-f]{16})", line)
        assert e, f"not an entry: {line!r}"
        depth = e[1].count("..")
        assert 1 <= depth <= 3 and depth <= len(path) + 1, line
        path = path[:depth - 1] + [int(e[2])]
        entries.append((tuple(path), int(e[3], 16), int(e[4], 16)))
    return int(m[1], 16), entries


def test_vmprint_at_boot(boot, design):
    """The first process's page table: a tree whose numbers agree with each other."""
    guest = boot(design=design)
    guest.prompt()
    root, entries = parse_vmprint(guest.text)
    assert root % 4096 == 0
    ram = range(0x80000000, 0x80000000 + (128 << 20))
    leaves = {}
    last = ()
    for path, pte, pa in entries:
        assert pte & 1, "only valid entries are shown"
        assert pa == (pte >> 10 & (1 << 44) - 1) << 12
        assert all(0 <= i < 512 for i in path)
        assert path > last, "indices ascend"
        last = path
        if pte & 0xe:
            va = sum(i << (30 - 9 * level) for level, i in enumerate(path))
            leaves[va] = pte
            assert pte & 0x40, "A is set"
            assert not pte & 4 or pte & 0x82 == 0x82 & pte | 0x80, "W has D"
            assert not (pte & 4 and pte & 8), "never writable and executable"
        else:
            assert len(path) < 3 and not pte & 0xd0, "a table has no A, D or U"
        if pte & 0x10 or not pte & 0xe:
            assert pa in ram
    users = [va for va, pte in leaves.items() if pte & 0x10]
    assert users and max(users) < 0x3fc0000000
    program = leaves[0x810000]
    assert program & 8 and not program & 4, "text is R-X"


def test_all_designs_are_tested():
    assert {"walk", "mirror"} <= set(PYTEST_DESIGNS) == set(machine.designs())
