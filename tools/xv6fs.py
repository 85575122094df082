#!/usr/bin/env python3
"""xv6's disk format on the host: a reader, a writer and a checker.

    tools/xv6fs.py check IMAGE        every inconsistency, one a line; status 1 if any
    tools/xv6fs.py ls IMAGE [PATH]    a directory, or one file
    tools/xv6fs.py cat IMAGE PATH     a file's bytes
    tools/xv6fs.py super IMAGE        the super block and the log

Blocks of 1024 bytes, little-endian: boot block, super block (block 1), log,
inodes, free-block bitmap, data. A log whose header says n > 0 was committed and
not yet installed: `check`, `ls` and `cat` look at the image as it is after
recovery. Written from the description of the format, apart from the kernel's
code, so that one can check the other.
"""
import os
import struct
import sys
import tempfile
from collections import namedtuple

BLOCK = 1024
MAGIC = 0x10203040
ROOT = 1
T_DIR, T_FILE, T_DEVICE = 1, 2, 3
TYPE_NAMES = {T_DIR: "directory", T_FILE: "file", T_DEVICE: "device"}
NDIRECT = 12
NINDIRECT = BLOCK // 4
MAX_FILE_BLOCKS = NDIRECT + NINDIRECT
MAX_FILE = MAX_FILE_BLOCKS * BLOCK
INODE = struct.Struct("<hhhhI13I")
INODES_PER_BLOCK = BLOCK // INODE.size
DIRENT = struct.Struct("<H14s")
NAME_MAX = 14
BITS_PER_BLOCK = BLOCK * 8
LOG_HEADER_MAX = BLOCK // 4 - 1
SUPER = struct.Struct("<8I")
SUPER_FIELDS = ("magic", "size", "nblocks", "ninodes", "nlog", "logstart", "inodestart",
                "bmapstart")


class FormatError(Exception):
    """The image is not one, or a request does not fit it: one sentence."""


Super = namedtuple("Super", SUPER_FIELDS)


class Inode:
    """One inode as its fields; addrs are 12 direct blocks and the indirect one."""

    def __init__(self, raw=bytes(INODE.size)):
        fields = INODE.unpack(raw)
        self.type, self.major, self.minor, self.nlink, self.size = fields[:5]
        self.addrs = list(fields[5:])

    def pack(self):
        return INODE.pack(self.type, self.major, self.minor, self.nlink, self.size, *self.addrs)


def inode_blocks(ninodes):
    return ninodes // INODES_PER_BLOCK + 1


def bitmap_blocks(size):
    return size // BITS_PER_BLOCK + 1


def super_problem(sb, nbytes):
    """Why a kernel must refuse this super block on a disk of nbytes, or None."""
    if sb.magic != MAGIC:
        return f"the magic number is 0x{sb.magic:08x}, not 0x{MAGIC:08x}"
    if sb.size > nbytes // BLOCK:
        return f"it says {sb.size} blocks, and there are {nbytes // BLOCK}"
    if sb.nlog < 2 or sb.logstart < 2 or sb.logstart + sb.nlog > sb.size:
        return f"the log, {sb.nlog} blocks from {sb.logstart}, does not fit"
    ninode_blocks = -(-sb.ninodes // INODES_PER_BLOCK)
    if sb.ninodes < 2 or sb.ninodes > 1 << 16 or sb.inodestart < sb.logstart + sb.nlog or \
            sb.inodestart + ninode_blocks > sb.size:
        return f"the inodes, {sb.ninodes} from block {sb.inodestart}, do not fit"
    nbitmap = -(-sb.size // BITS_PER_BLOCK)
    if sb.bmapstart < sb.inodestart + ninode_blocks or sb.bmapstart + nbitmap > sb.size:
        return f"the bitmap from block {sb.bmapstart} does not fit"
    if sb.nblocks < 1 or sb.nblocks > sb.size - (sb.bmapstart + nbitmap):
        return f"{sb.nblocks} data blocks do not fit"
    return None


class Image:
    """A disk image in memory. `sb` is read once; `data` is the truth."""

    def __init__(self, data):
        self.data = bytearray(data)
        if len(self.data) < 2 * BLOCK:
            raise FormatError("it is shorter than a super block")
        self.sb = Super(*SUPER.unpack_from(self.data, BLOCK))
        self.next_block = 0

    # ---- files on the host ----
    @classmethod
    def load(cls, path):
        try:
            with open(path, "rb") as f:
                return cls(f.read())
        except OSError as e:
            raise FormatError(f"{path}: {e.strerror}") from e

    def save(self, path):
        """Replaces path in one step, so that nobody sees half an image."""
        folder = os.path.dirname(os.path.abspath(path))
        fd, temp = tempfile.mkstemp(dir=folder, prefix=os.path.basename(path))
        try:
            with os.fdopen(fd, "wb") as f:
                f.write(self.data)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temp, 0o666 & ~umask)
            os.replace(temp, path)
        except BaseException:
            os.unlink(temp)
            raise

    # ---- raw access ----
    def block(self, n):
        if not 0 <= n < len(self.data) // BLOCK:
            raise FormatError(f"block {n} lies outside the image")
        return bytes(self.data[n * BLOCK:(n + 1) * BLOCK])

    def set_block(self, n, content):
        if not 0 <= n < len(self.data) // BLOCK:
            raise FormatError(f"block {n} lies outside the image")
        self.data[n * BLOCK:(n + 1) * BLOCK] = content.ljust(BLOCK, b"\0")[:BLOCK]

    def set_super(self, **fields):
        self.sb = self.sb._replace(**fields)
        SUPER.pack_into(self.data, BLOCK, *self.sb)

    def inode_offset(self, inum):
        if not 0 < inum < self.sb.ninodes:
            raise FormatError(f"inode {inum} lies outside the inode table")
        return self.sb.inodestart * BLOCK + inum * INODE.size

    def inode(self, inum):
        at = self.inode_offset(inum)
        return Inode(self.data[at:at + INODE.size])

    def set_inode(self, inum, inode):
        at = self.inode_offset(inum)
        self.data[at:at + INODE.size] = inode.pack()

    def bit(self, n):
        byte = self.data[self.sb.bmapstart * BLOCK + n // 8]
        return byte >> n % 8 & 1

    def set_bit(self, n, value):
        at = self.sb.bmapstart * BLOCK + n // 8
        self.data[at] = self.data[at] & ~(1 << n % 8) | value << n % 8

    @property
    def data_start(self):
        """The first data block: what follows the bitmap, however mkfs rounded it."""
        return self.sb.size - self.sb.nblocks

    # ---- log ----
    def log_blocks(self):
        """Home block numbers of a committed log, [] when there is none."""
        n, = struct.unpack_from("<i", self.data, self.sb.logstart * BLOCK)
        if n == 0:
            return []
        if not 0 < n <= min(self.sb.nlog - 1, LOG_HEADER_MAX):
            raise FormatError(f"the log header says {n} blocks")
        return list(struct.unpack_from(f"<{n}i", self.data, self.sb.logstart * BLOCK + 4))

    def set_log(self, writes):
        """A committed, not installed log of {home block: content}."""
        if len(writes) > min(self.sb.nlog - 1, LOG_HEADER_MAX):
            raise FormatError(f"{len(writes)} blocks are too many for the log")
        self.set_block(self.sb.logstart, struct.pack(f"<i{len(writes)}i", len(writes), *writes))
        for i, content in enumerate(writes.values()):
            self.set_block(self.sb.logstart + 1 + i, content)

    def recover(self):
        """What boot does with a committed log."""
        for i, home in enumerate(self.log_blocks()):
            self.set_block(home, self.block(self.sb.logstart + 1 + i))
        struct.pack_into("<i", self.data, self.sb.logstart * BLOCK, 0)

    # ---- reading ----
    def file_blocks(self, inode):
        """The numbers of the blocks that inode's size covers; 0 is a hole."""
        n = -(-inode.size // BLOCK)
        if n > MAX_FILE_BLOCKS:
            raise FormatError(f"a size of {inode.size} bytes is beyond the largest file")
        blocks = inode.addrs[:min(n, NDIRECT)]
        if n > NDIRECT:
            indirect = self.block(inode.addrs[NDIRECT])
            blocks += struct.unpack_from(f"<{n - NDIRECT}I", indirect)
        return blocks

    def read_inode(self, inode):
        return b"".join(self.block(b) if b else bytes(BLOCK)
                        for b in self.file_blocks(inode))[:inode.size]

    def entries(self, inode):
        """(name, inum) of a directory's used entries, names as bytes."""
        raw = self.read_inode(inode)
        raw = raw[:len(raw) - len(raw) % DIRENT.size]
        return [(name.split(b"\0")[0], inum) for inum, name in DIRENT.iter_unpack(raw) if inum]

    def lookup(self, path):
        inum = ROOT
        for part in path.encode().split(b"/"):
            if not part:
                continue
            inode = self.inode(inum)
            found = dict(self.entries(inode)) if inode.type == T_DIR else {}
            if part[:NAME_MAX] not in found:
                raise FormatError(f"{path}: no such file")
            inum = found[part[:NAME_MAX]]
        return inum

    def exists(self, path):
        try:
            self.lookup(path)
            return True
        except FormatError:
            return False

    def read(self, path):
        inode = self.inode(self.lookup(path))
        if inode.type == T_DEVICE:
            raise FormatError(f"{path}: is a device")
        return self.read_inode(inode)

    def listdir(self, path="/"):
        return {name.decode(errors="replace"): inum
                for name, inum in self.entries(self.inode(self.lookup(path)))}

    # ---- writing ----
    @classmethod
    def make(cls, size, ninodes, nlog):
        """An empty file system: a root directory with `.` and `..`."""
        inodestart = 2 + nlog
        bmapstart = inodestart + inode_blocks(ninodes)
        first = bmapstart + bitmap_blocks(size)
        if size <= first + 1:
            raise FormatError(f"{size} blocks are too few: {first + 2} are needed at least")
        if not 2 <= nlog <= LOG_HEADER_MAX + 1:
            raise FormatError(f"a log of {nlog} blocks: 2 to {LOG_HEADER_MAX + 1} are possible")
        if not 2 <= ninodes <= 1 << 16:
            raise FormatError(f"{ninodes} inodes: 2 to 65536 are possible")
        image = cls(bytes(size * BLOCK))
        image.set_super(magic=MAGIC, size=size, nblocks=size - first, ninodes=ninodes, nlog=nlog,
                        logstart=2, inodestart=inodestart, bmapstart=bmapstart)
        for n in range(first):
            image.set_bit(n, 1)
        root = Inode()
        root.type, root.nlink = T_DIR, 1
        image.set_inode(ROOT, root)
        image.add_entry(ROOT, b".", ROOT)
        image.add_entry(ROOT, b"..", ROOT)
        return image

    def alloc_block(self):
        for n in range(max(self.next_block, self.data_start), self.sb.size):
            if not self.bit(n):
                self.set_bit(n, 1)
                self.set_block(n, b"")
                self.next_block = n + 1
                return n
        raise FormatError(f"the image's {self.sb.size} blocks are full")

    def alloc_inode(self, kind):
        for inum in range(ROOT + 1, self.sb.ninodes):
            if self.inode(inum).type == 0:
                inode = Inode()
                inode.type = kind
                self.set_inode(inum, inode)
                return inum
        raise FormatError(f"the image's {self.sb.ninodes} inodes are used up")

    def append(self, inum, content):
        inode = self.inode(inum)
        if inode.size + len(content) > MAX_FILE:
            raise FormatError(f"{inode.size + len(content)} bytes are more than the {MAX_FILE} "
                              "that a file can have")
        at = 0
        while at < len(content):
            n = self.block_for_append(inode)
            offset = inode.size % BLOCK
            chunk = content[at:at + BLOCK - offset]
            start = n * BLOCK + offset
            self.data[start:start + len(chunk)] = chunk
            inode.size += len(chunk)
            at += len(chunk)
        self.set_inode(inum, inode)

    def block_for_append(self, inode):
        """The block that holds byte inode.size, allocated when it is a new one."""
        index = inode.size // BLOCK
        if index < NDIRECT:
            if not inode.addrs[index]:
                inode.addrs[index] = self.alloc_block()
            return inode.addrs[index]
        if not inode.addrs[NDIRECT]:
            inode.addrs[NDIRECT] = self.alloc_block()
        at = inode.addrs[NDIRECT] * BLOCK + 4 * (index - NDIRECT)
        n, = struct.unpack_from("<I", self.data, at)
        if not n:
            n = self.alloc_block()
            struct.pack_into("<I", self.data, at, n)
        return n

    def add_entry(self, folder, name, inum):
        if not 0 < len(name) <= NAME_MAX:
            raise FormatError(f"the name {name.decode(errors='replace')!r} is not of 1 to "
                              f"{NAME_MAX} bytes")
        self.append(folder, DIRENT.pack(inum, name))

    def make_folder(self, path):
        """The inode of a directory, made with those above it when it is not there."""
        inum = ROOT
        for part in [p for p in path.encode().split(b"/") if p]:
            found = dict(self.entries(self.inode(inum)))
            if part in found:
                inum = found[part]
                if self.inode(inum).type != T_DIR:
                    raise FormatError(f"{part.decode()} is there already and no directory")
                continue
            new = self.alloc_inode(T_DIR)
            self.add_entry(new, b".", new)
            self.add_entry(new, b"..", inum)
            self.add_entry(inum, part, new)
            self.count_links(new, 1)
            self.count_links(inum, 1)
            inum = new
        return inum

    def count_links(self, inum, by):
        inode = self.inode(inum)
        inode.nlink += by
        self.set_inode(inum, inode)

    def write_file(self, path, content):
        """A new file at path; the directories above are made. Returns its inode."""
        folder, _, name = path.strip("/").rpartition("/")
        parent = self.make_folder(folder)
        if name.encode() in dict(self.entries(self.inode(parent))):
            raise FormatError(f"/{path.strip('/')} would be there twice")
        inum = self.alloc_inode(T_FILE)
        self.append(inum, content)
        self.add_entry(parent, name.encode(), inum)
        self.count_links(inum, 1)
        return inum


# ---- the checker ----
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
            Checker.check_log(checker, image.log_blocks())
            if not checker.problems:
                image.recover()
        except FormatError as e:
            return [str(e)]
    checker.run()
    if not allow_orphans:
        checker.problems += [f"inode {i}: in use without a name or a link"
                             for i in checker.orphans]
    return checker.problems


# ---- command line ----
def show_ls(image, path):
    inum = image.lookup(path)
    inode = image.inode(inum)
    names = image.listdir(path) if inode.type == T_DIR else {path: inum}
    for name, child in names.items():
        ino = image.inode(child)
        kind = TYPE_NAMES.get(ino.type, f"type {ino.type}")
        print(f"{name:15} {kind:9} inode {child:4} links {ino.nlink:2} {ino.size:7}")


def main(args):
    usage = __doc__.split("\n\n")[1]
    if not args or args[0] in ("-h", "--help"):
        print(usage)
        return 0 if args else 2
    shapes = {"check": (2, 2), "ls": (2, 3), "cat": (3, 3), "super": (2, 2)}
    low, high = shapes.get(args[0], (0, 0))
    if not low <= len(args) <= high:
        print(usage, file=sys.stderr)
        return 2
    try:
        image = Image.load(args[1])
        if args[0] == "check":
            problems = check(image)
            for text in problems:
                print(text)
            return 1 if problems else 0
        why = super_problem(image.sb, len(image.data))
        if args[0] == "super":
            for name, value in zip(SUPER_FIELDS, image.sb):
                print(f"{name:10} {value:#x}" if name == "magic" else f"{name:10} {value}")
            print("refused:   " + why if why else f"log        {image.log_blocks()}")
            return 1 if why else 0
        if why:
            raise FormatError(f"{args[1]}: {why}")
        image.recover()
        if args[0] == "ls":
            show_ls(image, args[2] if len(args) == 3 else "/")
        else:
            sys.stdout.buffer.write(image.read(args[2]))
    except FormatError as e:
        print(f"xv6fs: {e}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
