"""QEMU's machines that Trellis runs on: docs/machines.md.

A board says what is particular to it; machine.py makes QEMU's command line of it.
"""
import os
from typing import NamedTuple

import icicle


class Board(NamedTuple):
    harts: int = 3         # when nothing else is asked for
    harts_max: int = 8
    helpers: int = 0       # harts besides those, which Trellis cannot use
    mib: int = 128
    mib_min: int = 32
    virtio: bool = False   # else the disk is an initrd: writes to it are not kept
    status: bool = False   # the emulator ends with the kernel's status; else the console has it
    dtb: bool = False      # QEMU makes no device tree
    one_key: bool = False  # what is typed before the kernel has taken the last key is lost


BOARDS = {
    "virt": Board(virtio=True, status=True),
    "sifive_u": Board(harts_max=4, helpers=1),
    "microchip-icicle-kit": Board(harts_max=4, helpers=1, mib=1537, mib_min=1537, dtb=True),
    "spike": Board(one_key=True),
}


def tree_path(name, harts, mib, folder):
    return os.path.join(folder, f"{name}-{harts}-{mib}.dtb")


def prepare(name, harts, mib, folder):
    """Puts a device tree that the machine needs into the folder."""
    if BOARDS[name].dtb:
        write(tree_path(name, harts, mib, folder), icicle.tree(harts + BOARDS[name].helpers, mib))


def options(name, harts, mib, folder):
    """QEMU's options for the machine."""
    board = BOARDS[name]
    words = ["-machine", name]
    if board.dtb:
        words += ["-dtb", tree_path(name, harts, mib, folder)]
    else:  # with a tree of its own, QEMU takes the firmware for granted
        words += ["-bios", "default"]
    return words + ["-m", f"{mib}M", "-smp", str(harts + board.helpers)]


def write(path, data):
    """At once, since somebody else may just be reading what was there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as f:
        f.write(data)
    os.replace(temporary, path)
