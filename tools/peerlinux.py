"""Linux itself, to run the same programs: Debian's kernel for RISC-V, downloaded as the packages of
./run --linux are, booted by QEMU with -icount on one hart.
"""
import os
import re
import sys

import bench
import machine
import packages

META = "linux-image-riscv64"  # depends on the kernel that is the newest
FILES = re.compile(r"linux-image-[\d.]+.*\.deb")
MIB = 768  # it needs more for itself
DEADLINE = 1200  # seconds; it takes some minutes
# Tests of its own ciphers would go on beside what is measured.
ARGUMENTS = "console=ttyS0 rdinit=/{folder}/init quiet cryptomgr.notests=1"
# What the kernel still does after the boot is over when it has slept once.
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
ifconfig lo 127.0.0.1 up
echo "= version $(uname -r)"
sleep 3
sh /{folder}/all
busybox poweroff -f
"""


def kernel():
    """The path of the image."""
    name = next((file.split("_")[0] for file in packages.find([META]) if FILES.match(file)), None)
    if not name:
        raise machine.Unusable(f"{META} names no kernel")
    boot = os.path.join(packages.unpacked(packages.get_alone([name])[0]), "boot")
    found = [file for file in os.listdir(boot) if file.startswith(("vmlinuz-", "vmlinux-"))]
    if not found:
        raise machine.Unusable(f"{name} has no kernel")
    return os.path.join(boot, found[0])


def add_init(made, folder):
    """To a tree of linuxroot's, what Linux begins with: it runs /folder/all."""
    made.add_file(f"{folder}/init", INIT.format(folder=folder).encode(), 0o755)


def run(archive, folder):
    """(its version, what the console says from then on)"""
    image = kernel()
    print(f"Running them on {os.path.basename(image)}", file=sys.stderr, flush=True)
    command = ["qemu-system-riscv64", "-machine", "virt", "-smp", "1", "-m", str(MIB),
               "-kernel", image, "-initrd", archive, *bench.CONSOLE, *bench.COUNTING,
               "-append", ARGUMENTS.format(folder=folder)]
    _, said = machine.console_of(command, DEADLINE, "Linux")
    said = said.replace("\r", "")
    version = re.search(r"^= version (\S+)\n", said, re.M)
    if not version:
        raise machine.Unusable(f"Linux does not come to its init:\n{said[-2000:]}")
    return version[1], said[version.end():]
