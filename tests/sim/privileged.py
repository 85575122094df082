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
import random
import sys

sys.dont_write_bytecode = True
import privileged_cases as cases  # noqa: E402
import program  # noqa: E402

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


def text(made, dump):
    """A program of cases in the frame."""
    code, table = ["    .text"], ["    .data", "    .balign 8", "cases:"]
    for each in made:
        code += each.text()
        table.append(f"    .dword {each.number}, case_{each.number}")
    return "\n".join(['    .include "privileged.S"'] + code + table +
                     ["cases_end:", f"dump: .dword {int(dump)}", "    .balign 256",
                      "lockable: .skip 256", ""])


def source(seed, numbers, family=None, count=300, steps=None, dump=False):
    made = [case(seed, number, family, count) for number in numbers]
    if steps is not None:
        for each in made:
            each.cut(steps)
    return text(made, dump)


def build(path, *what, **how):
    program.build(source(*what, **how), path)


def main(arguments):
    parser = program.parser(__doc__)
    parser.add_argument("--family", choices=cases.FAMILIES)
    opts = parser.parse_args(arguments)
    return program.make(source(opts.seed, program.numbers(opts), opts.family, opts.count,
                               opts.steps, opts.dump), opts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
