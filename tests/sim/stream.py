#!/usr/bin/env python3
"""Makes a program of random instruction sequences for the bare machine.

    tests/sim/stream.py SEED -o FILE.elf [--mix imafdczxu] [--count N] [--run]
    tests/sim/stream.py SEED -o FILE.elf --only N [--steps K] --dump

It prints a line for each sequence, its number and a hash of what it left: registers, traps,
memory; with --dump the numbers themselves. `--only N` has one sequence of the same seed, and
`--steps K` ends that after K items. The mix is of letters: the extensions (i with loads, stores
and jumps, m, a, f, d, c), z: control registers, x: illegal words, calls and accesses that fail,
u: misaligned accesses.
"""
import random
import sys

sys.dont_write_bytecode = True
import program  # noqa: E402
import values  # noqa: E402
from instructions import KINDS, LETTERS  # noqa: E402
from sequence import M, S, SCRATCH, Sequence, U  # noqa: E402

POOL = 1024  # numbers of 8 bytes
FS_OFF, FS_DIRTY = 0, 3 << 13
LOG_ENTRIES = 48
# What a dump has, in the order of stream.S.
NAMES = ([f"x{n}" for n in range(32)] + [f"f{n}" for n in range(32)] +
         ["mstatus", "fcsr", "sscratch", "sepc", "stval", "traps"] +
         [f"trap {n} {what}" for n in range(LOG_ENTRIES)
          for what in ("mcause", "mtval", "mepc", "mstatus")] +
         [f"scratch+{8 * n:#x}" for n in range(SCRATCH // 8)])


def sequence(seed, number, mix):
    """The sequence and the lines of its record."""
    rng = random.Random(f"{seed}/{number}")
    mode = rng.choice((M, M, S, U))
    status = mode << 11 | (FS_OFF if rng.randrange(16) == 0 else FS_DIRTY)
    made = Sequence(rng, f"sequence_{number}", KINDS, mix, mode, rng.randrange(20, 61))
    modes = (0, 1, 2, 3, 4) if rng.randrange(6) else (5, 6, 7)
    fcsr = rng.choice(modes) << 5 | rng.choice((0, rng.getrandbits(5)))
    numbers = [number, made.name, status, fcsr, rng.randrange(POOL - SCRATCH // 8) * 8]
    numbers += [values.integer(rng) for _ in range(31)]
    numbers += values.registers(rng)
    return made, [f"    .dword {n}" for n in numbers]


def source(seed, numbers, mix, steps=None, dump=False):
    """The part of the program that the seed makes."""
    code, records = ["    .option norvc", "    .text"], ["    .data", "    .balign 8", "sequences:"]
    for number in numbers:
        made, record = sequence(seed, number, mix)
        code += made.text(steps)
        records += record
    rng = random.Random(f"{seed}/pool")
    pool = ["pool:"] + [f"    .dword {rng.choice((values.integer, values.floating))(rng)}"
                        for _ in range(POOL)]
    return "\n".join(['    .include "stream.S"'] + code + records + ["sequences_end:"] + pool +
                     [f"dump: .dword {int(dump)}", ""])


def main(arguments):
    parser = program.parser(__doc__)
    parser.add_argument("--mix", default=LETTERS)
    opts = parser.parse_args(arguments)
    return program.make(
        source(opts.seed, program.numbers(opts), opts.mix, opts.steps, opts.dump), opts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
