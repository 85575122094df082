"""Whose a page table is, of a kernel such as xv6: with what DWARF says of its structs, and without.
Of Trellis's own test_live_travel.py has it."""
import ctypes
import os
import sys

import machine
import pytest
import stories

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
import emulators  # noqa: E402

SOURCE = os.path.join(emulators.HERE, "processes.c")


def owners(folder, *options):
    """{root: (pid, name) or None}, in the order of their use."""
    path = str(folder / "processes.elf")
    emulators.assemble([*options, "-O1", "-ffreestanding", "-mcmodel=medany", SOURCE], path)
    with open(path, "rb") as f:
        player = stories.Player(machine.build_path("live", "machine.so"), f.read(), b"",
                                {"settings": {}, "patches": []})
    player.run(100000)
    lib = player.lib
    lib.live_words.restype = ctypes.POINTER(ctypes.c_uint64)
    lib.live_owner.restype = ctypes.c_char_p
    roots = [lib.live_words()[8 * i] for i in range(lib.live_roots())]
    names = [lib.live_owner(ctypes.c_uint64(root)) for root in roots]
    pids = [lib.live_owner(ctypes.c_uint64(root)) and lib.live_words()[0] for root in roots]
    return [name and (pid, name.decode()) for pid, name in zip(pids, names)]


@pytest.fixture(scope="module", autouse=True)
def library():
    machine.build(targets=("live",))


@pytest.mark.parametrize("dwarf", ["-gdwarf-4", "-gdwarf-5"])
def test_of_a_process(dwarf, tmp_path):
    """A table of nobody has no owner, nor that of a slot that is free."""
    assert owners(tmp_path, dwarf) == [None, None, (7, "seven")]


def test_without_dwarf(tmp_path):
    assert owners(tmp_path) == [None, None, None]
