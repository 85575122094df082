"""Random plans for `usertests --role plan` (user/tests/plan.c), and the tree that each step leaves.

A tree is all names below a folder, what is in the files, and which names are one file's. Two are
compared by a fingerprint.
"""
import hashlib
import random
import struct

from xv6fs import T_DIR

FOLDER = "w"
FOLDERS = [f"{FOLDER}/{name}" for name in ("d", "e", "d/g", "e/g")]
FILES = [f"{parent}/{name}" for parent in (FOLDER, *FOLDERS) for name in ("f", "h")]
SLOTS = 3
MOST = 24000  # bytes of a file: MAPPED of plan.c is no less
STEP = struct.Struct("<5I20s20s")
# How often each kind of step (plan.c: do_step) is tried; what the tree does not permit just then
# is passed over.
WEIGHTS = {"m": 3, "u": 4, "l": 3, "r": 4, "o": 3, "n": 6, "t": 3, "w": 16, "W": 1, "s": 6, "M": 1,
           "f": 2, "d": 1, "S": 2}


def pattern(n, seed):
    """As fill of user/tests/util.c."""
    first = seed * 40503
    words = ((first + i * 2654435761) & 0xffffffff for i in range(1, n + 1))
    return bytes((x >> 15 ^ x >> 7) & 255 for x in words)


def fingerprint(names):
    """names: {path: (what tells files apart, contents or None for a folder)}"""
    found = hashlib.sha256()
    first = {}
    for path in sorted(names):
        which, content = names[path]
        same = first.setdefault(which, path)
        found.update(f"{path} {same} {'folder' if content is None else len(content)}\n".encode())
        found.update(content or b"")
    return found.digest()


def fingerprint_of_image(image):
    """Of what is below the folder in an image without a committed log."""
    names = {}

    def look(path, inum):
        inode = image.inode(inum)
        if inode.type != T_DIR:
            names[path] = (inum, image.read_inode(inode))
            return
        names[path] = (inum, None)
        for name, child in image.entries(inode):
            if name not in (b".", b".."):
                look(f"{path}/{name.decode()}", child)
    look(FOLDER, image.lookup(FOLDER))
    return fingerprint(names)


class Model:
    """The files while a plan runs."""

    def __init__(self, rng):
        self.rng = rng
        self.names = {FOLDER: None}  # None: a folder; else a file's bytearray
        self.slots = [None] * SLOTS

    def fingerprint(self):
        return fingerprint({path: (id(path if file is None else file), file)
                            for path, file in self.names.items()})

    def is_free(self, path):
        return path not in self.names and path.rpartition("/")[0] in self.names

    def is_file(self, path):
        return self.names.get(path) is not None

    def inside(self, path):
        return [name for name in self.names if name.startswith(path + "/")]

    def step(self, what):
        """Does a random step of this kind: its record. None: it cannot be done, and nothing has
        changed."""
        rng = self.rng
        slot, seed, at, n = rng.randrange(SLOTS), rng.getrandbits(32), 0, 0
        from_, to = "", ""
        if what in "ul":
            from_, to = rng.choice(FILES + FOLDERS), rng.choice(FILES)
            done = self.unlink(from_) if what == "u" else self.link(from_, to)
        elif what == "m":
            from_ = rng.choice(FOLDERS)
            done = self.make_folder(from_)
        elif what == "r":
            kind = FOLDERS if rng.randrange(4) == 0 else FILES
            from_, to = rng.choice(kind), rng.choice(kind)
            done = self.rename(from_, to)
        elif what in "no":
            from_ = rng.choice(FILES)
            done = self.open(slot, from_, what == "n")
        elif what == "S":
            done = True
        else:
            from_ = rng.choice(FILES) if what == "W" else ""
            file = self.names.get(from_) if from_ else self.slots[slot]
            at, n = self.place(what, len(file or b""))
            done = file is not None and self.change(what, file, at, n, seed)
        if not done:
            return None
        return STEP.pack(ord(what), slot, at, n, seed, from_.encode(), to.encode())

    def make_folder(self, path):
        free = self.is_free(path)
        if free:
            self.names[path] = None
        return free

    def unlink(self, path):
        there = path in self.names and not self.inside(path)
        if there:
            del self.names[path]
        return there

    def link(self, old, new):
        fine = self.is_file(old) and self.is_free(new)
        if fine:
            self.names[new] = self.names[old]
        return fine

    def rename(self, old, new):
        """A folder to a name that is free, a file also over another one."""
        replaced = self.is_file(old) and self.is_file(new) and \
            self.names[old] is not self.names[new]
        if old not in self.names or not (replaced or self.is_free(new)) or \
                new.startswith(old + "/"):
            return False
        for path in [old, *self.inside(old)]:
            self.names[new + path[len(old):]] = self.names.pop(path)
        return True

    def open(self, slot, path, new):
        if new and self.is_free(path):
            self.names[path] = bytearray()
        if not self.is_file(path):
            return False
        self.slots[slot] = self.names[path]
        if new:
            self.slots[slot].clear()
        return True

    def place(self, what, size):
        """Where a file of this size is changed, and how much of it."""
        rng = self.rng
        if what in "sM":
            return rng.randrange(max(size, 8)) // 8 * 8, 8
        if what == "t":
            return 0, rng.randrange(min(size + 6000, MOST))
        n = 1 + rng.randrange(rng.choice([20, 2000, 12000]))
        return size if rng.randrange(2) else rng.randrange(size + 1), n

    def change(self, what, file, at, n, seed):
        if what == "t":
            file[n:] = bytes(max(0, n - len(file)))
        elif what in "fd":
            pass
        elif at + n > (MOST if what in "wW" else len(file)):
            return False
        else:
            file[at:at + n] = pattern(n, seed)
        return True


class Plan:
    """Steps that can all be done, one after the other: their records."""

    def __init__(self, seed, steps):
        model = Model(random.Random(seed))
        self.records = []
        trees = [model.fingerprint()]  # when so many steps are done
        while len(self.records) < steps:
            record = model.step(model.rng.choices(list(WEIGHTS), WEIGHTS.values())[0])
            if record:
                self.records.append(record)
                trees.append(model.fingerprint())
        self.last = {tree: i for i, tree in enumerate(trees)}

    def last_step(self, image):
        """After how many steps at most the tree was what it is in the image; -1: never."""
        return self.last.get(fingerprint_of_image(image), -1)
