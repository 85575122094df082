"""vmprint against QEMU's own walk: the machine is stopped, and what `info mem` says for the
same satp is compared with the printed tree, page by page and flag by flag."""
import os
import re
import shutil
import subprocess

import guest
import machine
import pytest
from test_gdb import GDBS

PAGE = 4096
LOW_HALF_END = 1 << 38
# A line of vmprint; a title and a root begin a tree.
LINE = re.compile(r"(?:(?P<title>\w[\w ]*)view of (?P<who>[^\n]*):\n)?page table 0x(?P<root>\w+)\n"
                  r"(?P<lines>(?:\.\.[^\n]*\n)+)")
ATTRIBUTES = "rwxugad"


def leaf(line):
    return int(re.search(r"pte 0x(\w+)", line)[1], 16) & 0xe


def pages_of_tree(lines):
    """{virtual address: (physical address, attributes)} of each page that the lines map."""
    found, path = {}, []
    for line in lines.splitlines():
        m = re.fullmatch(r"((?:\.\. )*)\.\.(\d+): pte 0x(\w{16}) pa 0x(\w{16})", line)
        assert m, line
        depth = len(m[1]) // 3
        path = path[:depth] + [int(m[2])]
        pte, pa, level = int(m[3], 16), int(m[4], 16), 2 - depth
        if not pte & 0xe:
            continue
        va = sum(index << 30 - 9 * i for i, index in enumerate(path))
        attributes = "".join(c if pte >> i + 1 & 1 else "-" for i, c in enumerate(ATTRIBUTES))
        for offset in range(0, PAGE << 9 * level, PAGE):
            found[va + offset] = (pa + offset, attributes)
    return found


def pages_of_info_mem(text):
    found = {}
    for m in re.finditer(r"^(\w{16}) (\w{16}) (\w{16}) ([rwxugad-]{7})\r?$", text, re.M):
        va, pa, size = (int(n, 16) for n in m.groups()[:3])
        for offset in range(0, size, PAGE):
            found[(va + offset) & (1 << 39) - 1] = (pa + offset, m[4])
    return found


class Debugger:
    def __init__(self, socket):
        self.command = [next(g for g in GDBS if shutil.which(g)), "-batch", "-nx",
                        "-ex", "set pagination off"]
        self.socket = socket

    def run(self, kernel, *commands):
        whole = [*self.command, kernel, "-ex", f"target remote {self.socket}"]
        for command in commands:
            whole += ["-ex", command]
        done = subprocess.run(whole + ["-ex", "detach"], check=False, capture_output=True,
                              encoding="utf-8", stdin=subprocess.DEVNULL, timeout=guest.DEADLINE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr  # the monitor speaks on the latter

    def info_mem(self, kernel, root, *first):
        """What QEMU finds in the tree with this root: an address, or GDB's words for it."""
        text = self.run(kernel, *first, "set $before = $satp",
                        f"set $satp = (8ULL << 60) | (({root}) >> 12)", "monitor info mem",
                        "set $satp = $before")
        return pages_of_info_mem(text)


@pytest.fixture
def stopped(boot, design, tmp_path):
    """A machine that waits for a debugger before its first instruction."""
    socket = tmp_path / "gdb"
    trellis = boot(design=design, harts=1,
                   extra=("-S", "-gdb", f"unix:{socket},server=on,wait=off"))
    while not socket.exists():  # QEMU has just been started
        assert trellis.child.isalive(), trellis.text
    return trellis, Debugger(socket)


def differences(tree, mem):
    return {hex(va): (tree.get(va), mem.get(va)) for va in tree.keys() | mem.keys()
            if tree.get(va) != mem.get(va)}


@pytest.mark.designs("mirror", "unify")
def test_trees_are_those_of_the_hardware(stopped, design):
    trellis, debugger = stopped
    kernel = os.path.join(machine.kernel_folder(), "kernel.elf")
    # At the kernel's own vmprint, which prints what stands there when it is continued.
    at_boot = debugger.info_mem(kernel, "pt->root.v", "break vmprint", "continue", "delete")
    trellis.prompt()
    tree = next(LINE.finditer(trellis.text))
    low = {va: page for va, page in at_boot.items() if va < LOW_HALF_END}  # what it prints
    assert low and differences(pages_of_tree(tree["lines"]), low) == {}

    # Both views of processes that sleep: init, and two that share large leaves.
    large = trellis.run("usertests --role split").split()
    for pid in ["1", *large]:
        compare_views(trellis, debugger, kernel, design, pid)
    assert trellis.run("echo went on") == "went on\n"


def compare_views(trellis, debugger, kernel, design, pid):
    trees = list(LINE.finditer(trellis.run(f"vmprint {pid}")))
    titles = [t["title"].strip() for t in trees]
    assert titles == (["user and kernel"] if design == "unify" else ["user", "kernel"])
    levels = {line.count("..") for line in trees[0]["lines"].splitlines() if leaf(line)}
    assert levels == ({3} if pid == "1" else {2, 3}) or design == "unify"
    for tree in trees:
        pages = pages_of_tree(tree["lines"])
        mem = debugger.info_mem(kernel, "0x" + tree["root"])
        assert differences(pages, mem) == {}, tree["title"]
        wants_kernel = "kernel" in tree["title"]
        assert any(va >= LOW_HALF_END for va in pages) == wants_kernel
