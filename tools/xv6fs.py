#!/usr/bin/env python3
"""xv6's disk format on the host: a reader and a writer.

    tools/xv6fs.py ls IMAGE [PATH]    a directory, or one file
    tools/xv6fs.py cat IMAGE PATH     a file's bytes
    tools/xv6fs.py super IMAGE        the super block and the log

Blocks of 1024 bytes, little-endian: boot block, super block (block 1), log,
inodes, free-block bitmap, data. A log whose header says n > 0 was committed and
not yet installed: `ls` and `cat` look at the image as it is after recovery.
Written from the description of the format, apart from the kernel's code, so that
one can check the other (xv6check.py).
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

    def free_place(self, path):
        """The directory, made when it is not there, and the name of a file to be."""
        folder, _, name = path.strip("/").rpartition("/")
        parent = self.make_folder(folder)
        if name.encode() in dict(self.entries(self.inode(parent))):
            raise FormatError(f"/{path.strip('/')} would be there twice")
        return parent, name.encode()

    def write_file(self, path, content):
        """A new file at path; the directories above are made. Returns its inode."""
        parent, name = self.free_place(path)
        inum = self.alloc_inode(T_FILE)
        self.append(inum, content)
        self.add_entry(parent, name, inum)
        self.count_links(inum, 1)
        return inum

    def link(self, old, new):
        """A second name for a file."""
        inum = self.lookup(old)
        if self.inode(inum).type != T_FILE:
            raise FormatError(f"{old}: not a file")
        self.add_entry(*self.free_place(new), inum)
        self.count_links(inum, 1)


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
    shapes = {"ls": (2, 3), "cat": (3, 3), "super": (2, 2)}
    low, high = shapes.get(args[0], (0, 0))
    if not low <= len(args) <= high:
        print(usage, file=sys.stderr)
        return 2
    try:
        image = Image.load(args[1])
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
