#!/usr/bin/env python3
"""Runs random programs on QEMU and on our machine, and compares what they leave.

    tests/sim/lockstep.py SEED [--seeds N] [--count N] [--mix LETTERS] [--sim PATH]

For the first sequence that differs it finds the first instruction after which the two do, and
prints it with the numbers on both sides. With `--against qemu-singlestep` or `qemu-icount` QEMU
is compared with itself, one instruction at a time or counted. The status is 1 for a difference.
"""
import argparse
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import emulators  # noqa: E402
import stream  # noqa: E402
from instructions import LETTERS  # noqa: E402

ITSELF = {"qemu-singlestep": ("-singlestep",), "qemu-icount": ("-icount", "shift=3")}


class Comparison:
    """A seed and a mix, on QEMU and on another."""

    def __init__(self, seed, mix=LETTERS, other=emulators.run_sim, folder="."):
        self.seed, self.mix, self.other = seed, mix, other
        self.path = os.path.join(folder, "stream.elf")

    def outcomes(self, numbers, **how):
        stream.build(self.path, self.seed, numbers, self.mix, **how)
        return emulators.run_qemu(self.path), self.other(self.path)

    def sequences(self, numbers):
        """The number of the first sequence that differs; or None."""
        return first_difference(*self.outcomes(numbers), numbers)

    def states(self, number, steps):
        """Two dictionaries, of what a sequence leaves after so many items."""
        return [state(lines) for lines in self.outcomes([number], steps=steps, dump=True)]

    def explain(self, number):
        """Which item makes the difference, in lines."""
        made, _ = stream.sequence(self.seed, number, self.mix)
        same, differs = 0, len(made.items)
        if not differ(*self.states(number, differs)):
            return [f"sequence {number} differs among others only: state is left over"]
        if differ(*self.states(number, 0)):
            return [f"sequence {number} differs before its first instruction"] + \
                differ(*self.states(number, 0))
        while differs - same > 1:
            middle = (same + differs) // 2
            if differ(*self.states(number, middle)):
                differs = middle
            else:
                same = middle
        before, after = self.states(number, same)[0], self.states(number, differs)
        item = made.items[differs - 1]
        used = [name for name in before if any(name in words(line) for line in item)]
        mode = "U S ? M".split()[int(before.get("mstatus", "1800"), 16) >> 11 & 3]
        return [f"sequence {number}, item {differs} of {len(made.items)}:"] + item + \
            [f"before: mode {mode}, fcsr {before.get('fcsr')}"] + \
            [f"    {name} {before[name]}" for name in used] + \
            ["after:", "    what  QEMU  other"] + differ(*after) + \
            [f"by hand: tests/sim/stream.py {self.seed} --mix {self.mix} --only {number} "
             f"--steps {differs} --dump -o FILE.elf"]


def words(line):
    return line.replace(",", " ").replace("(", " ").replace(")", " ").split()


def first_difference(qemu, other, numbers):
    for at, number in enumerate(numbers):
        line = qemu[at] if at < len(qemu) else ""
        if not line.startswith(f"{number:x} "):
            raise emulators.Failed(f"QEMU ended at sequence {number}: {qemu[-1]}")
        if at >= len(other) or other[at] != line:
            return number
    if qemu != other:
        raise emulators.Failed(f"all sequences are the same, the ends are not: {other[-1]}")
    return None


def state(lines):
    """A dump, by name; what it said when there is none."""
    parts = lines[0].split() if lines else []
    if len(parts) != 1 + len(stream.NAMES):
        return {"no dump": " ".join(lines)[-400:]}
    return dict(zip(stream.NAMES, parts[1:]))


def differ(one, two):
    return [f"    {name}  {one.get(name)}  {two.get(name)}" for name in {**one, **two}
            if one.get(name) != two.get(name)]


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed")
    parser.add_argument("--seeds", type=int, default=1, help="so many, from SEED on")
    parser.add_argument("--count", type=int, default=300, help="sequences of a seed")
    parser.add_argument("--mix", default=LETTERS)
    parser.add_argument("--sim", default=emulators.SIM)
    parser.add_argument("--against", choices=ITSELF)
    return parser.parse_args(arguments)


def other_of(opts):
    if opts.against:
        return lambda path: emulators.run_qemu(path, extra=ITSELF[opts.against])
    return lambda path: emulators.run_sim(path, sim=opts.sim)


def main(arguments):
    opts = options(arguments)
    seeds = [opts.seed]
    if opts.seeds > 1:
        seeds = [str(int(opts.seed) + n) for n in range(opts.seeds)]
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            comparison = Comparison(seed, opts.mix, other_of(opts), folder)
            try:
                number = comparison.sequences(range(opts.count))
                if number is not None:
                    print(f"seed {seed}: they differ")
                    print("\n".join(comparison.explain(number)))
                    return 1
            except emulators.Failed as failed:
                return emulators.report(failed)
            print(f"seed {seed}: {opts.count} sequences, no difference", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
