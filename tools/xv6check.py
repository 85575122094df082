#!/usr/bin/env python3
"""Whether an image in xv6's disk format is consistent.

    tools/xv6check.py IMAGE    every inconsistency, one a line; status 1 if any,
                               2 if it cannot be looked at

A log that was committed and not yet installed is installed first: that is what the
image means.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from xv6fs import (BLOCK, DIRENT, MAX_FILE, NDIRECT, NINDIRECT, ROOT, T_DIR,  # noqa: E402
                   TYPE_NAMES, FormatError, Image, super_problem)


class Checker:
    """Looks at everything that a consistent image promises. `problems` are
    sentences; `orphans` are inodes with a type and no links, which a crash may
    leave and the next boot gives back."""

    def __init__(self, image):
        self.image = image
        self.problems = []
        self.orphans = []
        self.owner = {}   # block: inode
        self.links = {}   # inode: entries that name it, without . and ..
        self.parent = {}  # directory: the directory whose entry names it
        self.subdirs = {}  # directory: how many directories it names

    def say(self, text):
        self.problems.append(text)

    def run(self):
        image = self.image
        why = super_problem(image.sb, len(image.data))
        if why:
            self.say(f"super block: {why}")
            return self
        try:
            homes = image.log_blocks()
        except FormatError as e:
            self.say(str(e))
            return self
        self.check_log(homes)
        inodes = {i: image.inode(i) for i in range(1, image.sb.ninodes)}
        used = {i: ino for i, ino in inodes.items() if ino.type != 0}
        for inum, inode in used.items():
            self.check_inode(inum, inode)
        if ROOT not in used or used[ROOT].type != T_DIR:
            self.say("the root inode is no directory")
            return self
        for inum, inode in used.items():
            if inode.type == T_DIR:
                self.check_entries(inum, inode, used)
        for inum, inode in used.items():
            self.check_links(inum, inode)
        self.check_tree(used)
        self.check_bitmap()
        return self

    def check_log(self, homes):
        for home in homes:
            if not self.image.sb.logstart + self.image.sb.nlog <= home < self.image.sb.size:
                self.say(f"the log would write block {home}")
        if len(set(homes)) != len(homes):
            self.say("the log has a block twice")

    def check_inode(self, inum, inode):
        if inode.type not in TYPE_NAMES:
            self.say(f"inode {inum}: type {inode.type}")
            return
        if inode.size > MAX_FILE:
            self.say(f"inode {inum}: {inode.size} bytes are beyond the largest file")
            return
        if inode.nlink < 0:
            self.say(f"inode {inum}: {inode.nlink} links")
        blocks = list(inode.addrs)
        if inode.addrs[NDIRECT] and self.owns(inum, inode.addrs[NDIRECT]):
            blocks += struct.unpack(f"<{NINDIRECT}I", self.image.block(inode.addrs[NDIRECT]))
        index = [b for i, b in enumerate(blocks) if i != NDIRECT]
        needed = -(-inode.size // BLOCK)
        holes = [i for i in range(needed) if i >= len(index) or not index[i]]
        if holes:
            self.say(f"inode {inum}: block {holes[0]} of {needed} is missing")
        for b in index:
            if b:
                self.owns(inum, b)

    def owns(self, inum, block):
        """Notes an owner; False when the block cannot be anybody's."""
        if not self.image.data_start <= block < self.image.sb.size:
            self.say(f"inode {inum}: block {block} is no data block")
            return False
        if block in self.owner:
            self.say(f"block {block} belongs to inode {self.owner[block]} and to inode {inum}")
            return False
        self.owner[block] = inum
        return True

    def check_entries(self, inum, inode, used):
        if inode.size % DIRENT.size:
            self.say(f"directory {inum}: {inode.size} bytes are no whole number of entries")
        try:
            raw = self.image.read_inode(inode)
        except FormatError:
            return  # said already
        raw = raw[:len(raw) - len(raw) % DIRENT.size]
        names = {}
        for child, padded in DIRENT.iter_unpack(raw):
            if child == 0:
                continue
            name = padded.rstrip(b"\0")
            shown = name.decode(errors="replace")
            if not name or b"/" in name or b"\0" in name:
                self.say(f"directory {inum}: the name {padded!r}")
            if name in names:
                self.say(f"directory {inum}: {shown!r} is there twice")
            names[name] = child
            if child not in used:
                self.say(f"directory {inum}: {shown!r} names the free inode {child}")
            elif name not in (b".", b".."):
                self.enter(inum, shown, child, used[child])
        if inode.nlink > 0 or inum == ROOT:
            for dots in (b".", b".."):
                if dots not in names:
                    self.say(f"directory {inum}: no {dots.decode()!r}")
        if names.get(b".", inum) != inum:
            self.say(f"directory {inum}: '.' is {names[b'.']}")
        self.subdirs.setdefault(inum, 0)
        inode.dotdot = names.get(b"..")

    def enter(self, folder, name, child, inode):
        self.links[child] = self.links.get(child, 0) + 1
        if inode.nlink == 0:
            self.say(f"directory {folder}: {name!r} names inode {child}, which has no links")
        if inode.type == T_DIR:
            if child in self.parent or child == ROOT:
                self.say(f"directory {child} has two names")
            self.parent[child] = folder
            self.subdirs[folder] = self.subdirs.get(folder, 0) + 1

    def check_links(self, inum, inode):
        named = self.links.get(inum, 0) + (inum == ROOT)
        if inode.nlink == 0 and named == 0:
            self.orphans.append(inum)
            return
        expected = named + (self.subdirs.get(inum, 0) if inode.type == T_DIR else 0)
        if inode.nlink != expected:
            self.say(f"inode {inum}: nlink is {inode.nlink} and should be {expected}")

    def check_tree(self, used):
        for inum, inode in used.items():
            if inode.type != T_DIR or inum in self.orphans:
                continue
            parent = ROOT if inum == ROOT else self.parent.get(inum)
            dotdot = getattr(inode, "dotdot", None)
            if parent and dotdot is not None and dotdot != parent:
                self.say(f"directory {inum}: '..' is {dotdot} and should be {parent}")
            seen = set()
            at = inum
            while at != ROOT and at in self.parent and at not in seen:
                seen.add(at)
                at = self.parent[at]
            if at != ROOT:
                self.say(f"directory {inum} cannot be reached from the root")

    def check_bitmap(self):
        image = self.image
        for n in range(image.sb.size):
            taken = n < image.data_start or n in self.owner
            if taken and not image.bit(n):
                self.say(f"block {n} is in use (inode {self.owner.get(n, '-')}) and marked free")
            if image.bit(n) and not taken:
                self.say(f"block {n} is marked used and belongs to nobody")


def check(image, after_recovery=True, allow_orphans=False):
    """The problems of an image, [] when it is consistent."""
    image = Image(image.data)
    checker = Checker(image)
    if after_recovery and not super_problem(image.sb, len(image.data)):
        try:
            checker.check_log(image.log_blocks())
            if not checker.problems:
                image.recover()
        except FormatError as e:
            return [str(e)]
    checker.run()
    if not allow_orphans:
        checker.problems += [f"inode {i}: in use without a name or a link"
                             for i in checker.orphans]
    return checker.problems


def main(args):
    usage = __doc__.split("\n\n")[1]
    if len(args) != 1 or args[0] in ("-h", "--help"):
        asked = args and args[0] in ("-h", "--help")
        print(usage, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        problems = check(Image.load(args[0]))
        for text in problems:
            print(text)
        sys.stdout.flush()
        return 1 if problems else 0
    except FormatError as e:
        print(f"xv6check: {e}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
