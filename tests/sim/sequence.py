"""Random sequences of instructions, as assembly.

A Sequence is a list of items; an item is some lines: most often one instruction, with what it
needs before it (an address in a register). Every address that is used lies in the scratch
memory, but where a fault is wanted, so that no sequence can harm the frame around it (stream.S).
"""
from collections import namedtuple

SCRATCH = 512
M, S, U = 3, 1, 0
# The letter of --mix, what makes an item, how often, whether that leaves no label behind.
Kind = namedtuple("Kind", "letter make weight straight", defaults=(False,))


class Sequence:
    def __init__(self, rng, name, kinds, mix, mode, length):
        self.rng, self.name, self.mode, self.mix = rng, name, mode, mix
        self.kinds = [kind for kind in kinds if kind.letter in mix]
        self.items, self.lines = [], []
        self.pointers = {}    # registers that point into the scratch memory: with what offset
        self.kept = set()     # registers that may not be written
        self.labels = 0       # how many there are
        self.pending = []     # labels to come: before which item, name, pointers at the branch
        self.marks = {}       # the labels that stand before an item
        while len(self.items) < length or self.pending:
            self.place_labels()
            self.lines = []
            self.add(self.kinds)
            self.items.append(self.lines)

    def add(self, kinds):
        """Lines of one of these kinds."""
        chosen = self.rng.choices(kinds, [kind.weight for kind in kinds])[0]
        chosen.make(self)

    def over(self, label):
        """The label comes behind the next items."""
        self.pending.append((len(self.items) + self.rng.randrange(1, 5), label,
                             dict(self.pointers)))

    def place_labels(self):
        """The labels that stand before the next item; after them a register is a pointer only
        when it was one on both ways."""
        at = len(self.items)
        for label in [p for p in self.pending if p[0] <= at]:
            self.pending.remove(label)
            self.marks.setdefault(at, []).append(label[1])
            self.pointers = {r: o for r, o in self.pointers.items() if label[2].get(r) == o}

    def text(self, steps=None):
        """The assembly, of the first `steps` items; labels behind them stand at the end."""
        out = [f"{self.name}:"]
        steps = len(self.items) if steps is None else steps
        for at, lines in enumerate(self.items[:steps]):
            out += [f"{label}:" for label in self.marks.get(at, ())] + lines
        rest = [label for at, labels in self.marks.items() if at >= steps for label in labels]
        return out + [f"{label}:" for label in rest] + ["    j finish"]

    # ---- parts -------------------------------------------------------------
    def emit(self, line, *written):
        self.lines.append("    " + line)
        for register in written:
            self.pointers.pop(register, None)

    def emit_c(self, line, *written):
        self.lines.append("    .option rvc")
        self.emit(line, *written)
        self.lines.append("    .option norvc")

    def x(self):
        return self.rng.randrange(32)

    def rd(self, among=range(32)):
        """A register to be written."""
        return self.rng.choice([r for r in among if r not in self.kept])

    def label(self):
        self.labels += 1
        return f"{self.name}_{self.labels}"

    def immediate(self, bits):
        if self.rng.randrange(3) == 0:
            return self.rng.choice((0, 1, -1, (1 << bits - 1) - 1, -(1 << bits - 1)))
        return self.rng.randrange(-(1 << bits - 1), 1 << bits - 1)

    def target(self, size):
        """An offset in the scratch memory for so many bytes."""
        at = self.rng.randrange(SCRATCH // size) * size
        if "u" in self.mix and size > 1 and self.rng.randrange(8) == 0:
            at += self.rng.randrange(1, size)
        return min(at, SCRATCH - size) if at > SCRATCH - size else at

    def pointer(self, target, low, high, step=1, among=range(1, 32)):
        """A register and an immediate of [low, high] in steps that make the target's address."""
        fits = [(r, target - o) for r, o in self.pointers.items()
                if r in among and low <= target - o <= high and (target - o) % step == 0]
        if fits and self.rng.randrange(4):
            return self.rng.choice(fits)
        register = self.rd(among)
        immediate = self.rng.randrange(low, high + 1, step)
        self.emit(f"lla x{register}, scratch + {target - immediate}")
        self.pointers[register] = target - immediate
        return register, immediate
