"""The disks that ./run --keep makes and comes back to: copies of the image that was built,
in a folder that `make clean` leaves alone."""
import hashlib
import os
import re
import shutil
import tempfile

import machine
from machine import Unusable

FOLDER = "kept"


def path(name):
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise Unusable(f"--keep {name}: no name for a disk; use letters, digits, `-`, `_` and `.`, "
                       "and --disk for a file elsewhere")
    return machine.build_path(FOLDER, name + ".img")


def digest(file):
    with open(file, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def origin_path(name):
    """Holds the digest of the image that the disk is a copy of."""
    return machine.build_path(FOLDER, name + ".from")


def make(name):
    """Makes the disk if it is not there. Both files appear at once or not at all."""
    disk = path(name)
    if os.path.exists(disk):
        return
    os.makedirs(os.path.dirname(disk), exist_ok=True)
    with open(origin_path(name), "w", encoding="utf-8") as f:
        f.write(digest(machine.default_image()))
    fd, temp = tempfile.mkstemp(dir=os.path.dirname(disk))
    os.close(fd)
    shutil.copyfile(machine.default_image(), temp)
    os.replace(temp, disk)


def is_outdated(name):
    """Whether the programs on it are those of another build."""
    try:
        with open(origin_path(name), encoding="utf-8") as f:
            return f.read() != digest(machine.default_image())
    except OSError:
        return False  # nobody can say
