#!/usr/bin/env python3
"""Makes a program of random cases of the privileged architecture.

    tests/sim/privileged.py SEED -o FILE.elf [--family NAME] [--count N] [--run]
    tests/sim/privileged.py SEED -o FILE.elf --only N [--steps K] --dump

It prints a line for each case, its number and a hash of what it met: traps, registers, entries
of page tables; with --dump the numbers themselves. `--only N` has one case of the same seed, and
`--steps K` ends its body after K lines. The families: registers (what they keep), returns (MRET,
SRET), delegation, guarded (TVM, TW, TSR, counters), walks and changed (page tables), as_other
(MPRV), protected and locked (PMP), interrupts, waited (timer), plic.
"""
import argparse
import os
import random
import sys
import tempfile

sys.dont_write_bytecode = True
import emulators  # noqa: E402
import privileged_cases as cases  # noqa: E402

EVENTS, WATCHED = 12, 16
# What a dump has, in the order of privileged.S.
NAMES = ([f"event {n} {what}" for n in range(EVENTS)
          for what in ("handler", "cause", "tval", "epc", "status")] + ["events"] +
         [f"a{n}" for n in range(6)] +
         "mstatus sstatus mie mip mideleg medeleg satp scause stval sepc mcounteren scounteren "
         "pmpcfg0 pmpcfg2".split() + [f"entry {n}" for n in range(WATCHED)])


def case(seed, number, family=None, count=300):
    """A case; the last ones of a program lock something until its end."""
    rng = random.Random(f"{seed}/{number}")
    made = cases.Case(rng, number)
    made.locks = number - (count - cases.LOCKS)
    if made.locks >= 0 and family in (None, "locked"):
        family = "locked"
    elif family is None:
        names = list(cases.WEIGHTS)
        family = rng.choices(names, [cases.WEIGHTS[name] for name in names])[0]
    made.family = family
    cases.FAMILIES[family](made)
    return made


def source(seed, numbers, family=None, count=300, steps=None, dump=False):
    code, table = ["    .text"], ["    .data", "    .balign 8", "cases:"]
    for number in numbers:
        made = case(seed, number, family, count)
        if steps is not None:
            made.cut(steps)
        code += made.text()
        table.append(f"    .dword {number}, case_{number}")
    return "\n".join(['    .include "privileged.S"'] + code + table +
                     ["cases_end:", f"dump: .dword {int(dump)}", "    .balign 256",
                      "lockable: .skip 256", ""])


def build(path, *what, **how):
    with tempfile.TemporaryDirectory() as folder:
        text = os.path.join(folder, "privileged.s")
        with open(text, "w", encoding="utf-8") as f:
            f.write(source(*what, **how))
        emulators.assemble([text], path)


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed")
    parser.add_argument("-o", dest="out", required=True)
    parser.add_argument("--family", choices=cases.FAMILIES)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--only", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--dump", action="store_true")
    parser.add_argument("--source", action="store_true", help="write the assembly instead")
    parser.add_argument("--run", action="store_true", help="on QEMU, too")
    return parser.parse_args(arguments)


def main(arguments):
    opts = options(arguments)
    numbers = range(opts.count) if opts.only is None else [opts.only]
    what = (opts.seed, numbers, opts.family, opts.count, opts.steps, opts.dump)
    try:
        if opts.source:
            with open(opts.out, "w", encoding="utf-8") as f:
                f.write(source(*what))
            return 0
        build(opts.out, *what)
        if opts.run:
            print("\n".join(emulators.run_qemu(opts.out)))
    except emulators.Failed as failed:
        return emulators.report(failed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
