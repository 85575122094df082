#!/usr/bin/env python3
"""Archives of files for an initramfs: cpio in the format newc, as Linux and Trellis unpack them.

    tools/cpio.py FOLDER ARCHIVE    all that is in the folder, owned by root
"""
import os
import stat
import sys

FIELDS = ("ino", "mode", "uid", "gid", "nlink", "mtime", "size", "dev_major", "dev_minor",
          "major", "minor", "name", "sum")


class Archive:
    """Members, one after the other; a directory comes before what is in it."""

    def __init__(self):
        self.parts = []
        self.last_ino = 0

    def add(self, name, mode, data=b"", device=(0, 0), mtime=0):
        """name: without a slash in front; mode: type and permissions, as stat has them."""
        self.last_ino += 1
        encoded = os.fsencode(name) + b"\0"
        values = dict.fromkeys(FIELDS, 0)
        values.update(ino=self.last_ino, mode=mode, nlink=1, mtime=mtime, size=len(data),
                      major=device[0], minor=device[1], name=len(encoded))
        header = b"070701" + b"".join(b"%08X" % values[field] for field in FIELDS)
        self.parts += [padded(header + encoded), padded(data)]

    def add_folder(self, name, mode=0o755):
        self.add(name, stat.S_IFDIR | mode)

    def add_link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def add_device(self, name, major, minor, mode=0o666):
        self.add(name, stat.S_IFCHR | mode, device=(major, minor))

    def add_file(self, name, data, mode=0o644, mtime=0):
        self.add(name, stat.S_IFREG | mode, data, mtime=mtime)

    def add_tree(self, folder):
        """What is in a folder of the host, but for what is no file, folder or link."""
        for at, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(folders + files):
                path = os.path.join(at, name)
                inside = os.path.relpath(path, folder)
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode):
                    self.add_link(inside, os.readlink(path))
                elif stat.S_ISDIR(status.st_mode):
                    self.add_folder(inside, stat.S_IMODE(status.st_mode))
                elif stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as f:
                        self.add_file(inside, f.read(), stat.S_IMODE(status.st_mode),
                                      int(status.st_mtime))

    def bytes(self):
        end = Archive()
        end.add("TRAILER!!!", 0)
        return b"".join(self.parts + end.parts)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    archive = Archive()
    try:
        archive.add_tree(sys.argv[1])
        with open(sys.argv[2], "wb") as f:
            f.write(archive.bytes())
    except OSError as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
