"""What the cases of the privileged architecture are made of, for the frame privileged.S.

A family (privileged.py) is a function that fills a Case: lines of M-mode that prepare, and the
body's lines.
"""

M, S, U = 3, 1, 0
ALIAS = 0x40000000
V, R, W, X, USER, G, A, D = (1 << n for n in range(8))
SIE, MIE, SPIE, MPIE, SPP = 1 << 1, 1 << 3, 1 << 5, 1 << 7, 1 << 8
FS, MPRV, SUM, MXR, TVM, TW, TSR = 3 << 13, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22
UXL, SXL = 2 << 32, 2 << 34
STATUS_BITS = SIE | MIE | SPIE | MPIE | SPP | FS | MPRV | SUM | MXR | TVM | TW | TSR
# What may be delegated; without the call of S, which ends a case.
DELEGABLE = 0xb1ff
S_INTERRUPTS, INTERRUPTS = 0x222, 0xaaa
NOWHERE = 0x18000000


class Case:
    def __init__(self, rng, number):
        self.rng, self.number = rng, number
        self.setup, self.body, self.labels = [], [], 0
        self.status, self.mode, self.translated = 0, M, False
        self.nowhere = False  # nothing is at the target
        self.is_global = self.loaded = False

    def prepare(self, *lines):
        self.setup += [indent(line) for line in lines]

    def do(self, *lines):
        self.body += [indent(line) for line in lines]

    def label(self):
        self.labels += 1
        return f"case_{self.number}_{self.labels}"

    def poke(self, entry, *value):
        """A table's entry: lines that bring it to a1."""
        self.prepare(f"lla a0, {entry}", *value, "call poke")

    def modes(self, *modes):
        self.mode = self.rng.choice(modes)
        self.status |= self.mode << 11
        return self.mode

    def cut(self, steps):
        """The body ends after so many lines; labels stay."""
        self.body = self.body[:steps] + [line for line in self.body[steps:] if line[0] != " "]

    def text(self):
        alias = ALIAS if self.translated and self.mode == U else 0
        name = f"case_{self.number}"
        clear = [f"    li {register}, 0" for register in ("a0", "a1")]
        return [f"{name}:"] + self.setup + clear + [
            f"    enter {name}_body, {self.status:#x}, {alias:#x}", f"{name}_body:"] + \
            self.body + ["    j finish"]


def indent(line):
    return line if line.endswith(":") else "    " + line


def pmp_byte(rng):
    permissions = rng.choice((0, R >> 1, (R | W) >> 1, X >> 1, (R | X) >> 1, (R | W | X) >> 1))
    return permissions | rng.randrange(4) << 3
