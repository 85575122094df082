#!/usr/bin/env python3
"""Makes a program of random cases of the privileged architecture.

    tests/sim/privileged.py SEED -o FILE.elf [--family NAME] [--count N] [--run]
    tests/sim/privileged.py SEED -o FILE.elf --only N [--steps K] --dump

It prints a line for each case, its number and a hash of what it met: traps, registers, entries
of page tables; with --dump the numbers themselves. `--only N` has one case of the same seed, and
`--steps K` ends its body after K lines. The families: registers (what they keep), returns (MRET,
SRET), delegation, guarded (TVM, TW, TSR, counters), walks and changed (page tables), as_other
(MPRV), protected and locked (PMP; locked are the last 7 of a program, after protected ones),
interrupts, waited (timer), plic.
"""
import random
import sys

sys.dont_write_bytecode = True
import privileged_interrupts as interrupts  # noqa: E402
import privileged_pages as pages  # noqa: E402
import privileged_pmp as pmp  # noqa: E402
import privileged_registers as registers  # noqa: E402
import privileged_traps as traps  # noqa: E402
import program  # noqa: E402
from privileged_case import Case  # noqa: E402

# What makes a case of each, and how often it does.
FAMILIES = {"walks": (pages.walks, 30), "changed": (pages.changed, 10),
            "as_other": (pages.as_other, 8), "registers": (registers.registers, 10),
            "returns": (traps.returns, 8), "delegation": (traps.delegation, 12),
            "guarded": (traps.guarded, 8), "protected": (pmp.protected, 10),
            "interrupts": (interrupts.interrupts, 10), "waited": (interrupts.waited, 1),
            "plic": (interrupts.plic, 3), "locked": (pmp.locked, 0)}
LOCKS = 7  # the last cases of a program

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
    made = Case(rng, number)
    made.locks = number - (count - LOCKS)
    if made.locks >= 0 and family in (None, "locked"):
        family = "locked"
    elif family == "locked":
        family = "protected"
    elif family is None:
        family = rng.choices(list(FAMILIES), [weight for _, weight in FAMILIES.values()])[0]
    made.family = family
    FAMILIES[family][0](made)
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


def main(arguments):
    parser = program.parser(__doc__)
    parser.add_argument("--family", choices=FAMILIES)
    opts = parser.parse_args(arguments)
    return program.make(source(opts.seed, program.numbers(opts), opts.family, opts.count,
                               opts.steps, opts.dump), opts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
