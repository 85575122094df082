#!/usr/bin/env python3
"""Runs random programs on QEMU and on our machine, and compares what they leave.

    tests/sim/lockstep.py SEED [--seeds N] [--count N] [--mix LETTERS] [--sim PATH]
    tests/sim/lockstep.py SEED --privileged [--family NAME] ...

Of the first sequence (stream.py) that differs it finds the first instruction after which the two
do, and prints it with the numbers on both sides; of the first case (privileged.py) all of it.
With `--against qemu-singlestep` or `qemu-icount` QEMU is compared with itself, one instruction
at a time or counted (with other causes for AMOs: see emulators.py). The status is 1 for a
difference.
"""
import argparse
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import emulators  # noqa: E402
import privileged  # noqa: E402
import program  # noqa: E402
import stream  # noqa: E402
from instructions import LETTERS  # noqa: E402

ITSELF = {"qemu-singlestep": ("-singlestep",), "qemu-icount": ("-icount", "shift=3")}


class Streams:
    """The sequences of a seed and a mix, on QEMU and on another."""
    NAMES = stream.NAMES

    def __init__(self, seed, opts, other, folder):
        self.seed, self.mix, self.other = seed, opts.mix, other
        self.count, self.path = opts.count, os.path.join(folder, "program.elf")

    def source(self, numbers, steps=None, dump=False):
        return stream.source(self.seed, numbers, self.mix, steps, dump)

    def outcomes(self, numbers, **how):
        program.build(self.source(numbers, **how), self.path)
        return emulators.run_qemu(self.path), self.other(self.path)

    def compare(self):
        """The number of the first that differs; or None."""
        numbers = range(self.count)
        return first_difference(*self.outcomes(numbers), numbers)

    def states(self, number, steps=None):
        """Two dictionaries, of what one leaves after so many items."""
        return [state(lines, self.NAMES)
                for lines in self.outcomes([number], steps=steps, dump=True)]

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


class Cases(Streams):
    """The privileged cases of a seed."""
    NAMES = privileged.NAMES

    def __init__(self, seed, opts, other, folder):
        super().__init__(seed, opts, other, folder)
        self.family = opts.family

    def source(self, numbers, steps=None, dump=False):
        return privileged.source(self.seed, numbers, self.family, self.count, steps, dump)

    def explain(self, number):
        made = privileged.case(self.seed, number, self.family, self.count)
        found = differ(*self.states(number))
        family = f"--family {self.family} " if self.family else ""
        return [f"case {number}, of {made.family}:"] + made.text() + \
            ["    what  QEMU  other"] + (found or ["it differs among others only"]) + \
            [f"by hand: tests/sim/privileged.py {self.seed} {family}--count {self.count} "
             f"--only {number} --dump -o FILE.elf"]


def words(line):
    return line.replace(",", " ").replace("(", " ").replace(")", " ").split()


def first_difference(qemu, other, numbers):
    for at, number in enumerate(numbers):
        line = qemu[at] if at < len(qemu) else ""
        if not line.startswith(f"{number:x} "):
            raise emulators.Failed(f"QEMU ended at {number}: {qemu[-1]}")
        if at >= len(other) or other[at] != line:
            return number
    if qemu != other:
        raise emulators.Failed(f"all are the same, the ends are not: {other[-1]}")
    return None


def state(lines, names):
    """A dump, by name; what it said when there is none."""
    parts = lines[0].split() if lines else []
    if len(parts) != 1 + len(names):
        return {"no dump": " ".join(lines)[-400:]}
    return dict(zip(names, parts[1:]))


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
    parser.add_argument("--privileged", action="store_true")
    parser.add_argument("--family", choices=privileged.FAMILIES)
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
            kind = Cases if opts.privileged or opts.family else Streams
            comparison = kind(seed, opts, other_of(opts), folder)
            try:
                number = comparison.compare()
                if number is not None:
                    print(f"seed {seed}: they differ")
                    print("\n".join(comparison.explain(number)))
                    return 1
            except emulators.Failed as failed:
                return emulators.report(failed)
            print(f"seed {seed}: {opts.count}, no difference", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
