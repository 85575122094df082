#!/usr/bin/env python3
"""What the specification says and QEMU 7.2 does otherwise or leaves out: programs for our
machine alone, with what they must leave.

    tests/sim/strict.py [--sim PATH]

Each is a case of privileged.S; it runs without --svadu and --misaligned. The sections are those
of the privileged specification 1.12, where no other is named.
"""
import argparse
import os
import random
import sys
import tempfile

sys.dont_write_bytecode = True
import emulators  # noqa: E402
import privileged  # noqa: E402
import program  # noqa: E402
from privileged_case import A, Case, D, M, MPRV, NOWHERE, R, S, SUM, U, USER, V, W, X  # noqa: E402

CALL = {U: 8, S: 9, M: 11}
# The target is seen at VA by the entry `leaf`, in Sv39; the table is u1, u0.
VA = 0x1040201000
LEAF = "u0_table + 8"


class Strict:
    """A case and what is expected of it: for each trap before the last cause and tval, and values
    by the names of privileged.py."""

    def __init__(self, name, mode, body, traps=(), status=0, setup=(), page=None, **values):
        self.name, self.mode, self.body, self.traps = name, mode, body, list(traps)
        self.status, self.setup, self.page, self.values = status, setup, page, values

    def case(self, number):
        case = Case(random.Random(0), number)
        case.mode, case.status = self.mode, self.status | self.mode << 11
        if self.page is not None:
            case.translated = True
            self.map_page(case)
        case.prepare(*self.setup)
        case.do(*self.body)
        return case

    def map_page(self, case):
        for entry, value, bits in (
                (f"t2_table + {8 * (VA >> 30)}", "lla a1, u1_table", V),
                (f"u1_table + {8 * (VA >> 21 & 511)}", "lla a1, u0_table", V),
                (LEAF, "lla a1, target", self.page)):
            case.poke(entry, value, "srli a1, a1, 2", f"ori a1, a1, {bits}")
        case.prepare("lla t0, t2_table", "srli t0, t0, 12", f"li t1, {8 << 60:#x}",
                     "or t0, t0, t1", "csrw satp, t0")

    def wrong(self, state):
        """What is not as expected, in words."""
        traps = [(int(state[f"event {n} cause"], 16), int(state[f"event {n} tval"], 16))
                 for n in range(min(int(state["events"], 16), privileged.EVENTS))]
        wanted = self.traps + [(CALL[self.values.get("ends", self.mode)], 0)]
        found = [] if traps == wanted else [f"traps {shown(traps)}, not {shown(wanted)}"]
        return found + [f"{name} is {state[name]}, not {value:x}"
                        for name, value in self.values.items()
                        if name != "ends" and int(state[name], 16) != value]


def shown(traps):
    return [f"{cause}: {tval:#x}" for cause, tval in traps]


def fetch(address, there):
    return [f"lla s11, {there}", f"li t0, {address:#x}", "jalr ra, 0(t0)", f"{there}:"]


def written(register, value):
    """What a register keeps of a value: in a0."""
    return [f"li t0, {value:#x}", f"csrw {register}, t0", f"csrr a0, {register}"]


ONES = (1 << 64) - 1
CASES = [
    # 3.1.6.3
    Strict("MRET to U clears MPRV", M, ["li t0, 0x1800", "csrc mstatus, t0", "lla t0, 1f",
                                        "csrw mepc, t0", "mret", "1:"],
           status=MPRV, ends=U, mstatus=0xa00000080),
    Strict("MRET to M leaves MPRV", M, ["lla t0, 1f", "csrw mepc, t0", "li t0, 0x1800",
                                        "csrs mstatus, t0", "mret", "1:", "csrr a0, mstatus",
                                        f"li t0, {MPRV:#x}", "and a0, a0, t0", "csrc mstatus, t0"],
           status=MPRV, a0=MPRV),
    Strict("SRET to S clears MPRV", M, ["lla t0, 1f", "csrw sepc, t0", "sret", "1:"],
           status=MPRV | 1 << 8, ends=S, mstatus=0xa00000820),
    # 3.1.6
    Strict("MPP keeps no mode that is not there", M,
           ["li t0, 0x1800", "csrc mstatus, t0", "li t0, 0x1000", "csrs mstatus, t0",
            "csrr a0, mstatus", "srli a0, a0, 11", "andi a0, a0, 3", "addi a0, a0, -2",
            "snez a0, a0"], a0=1),
    Strict("UXL and SXL stay", M, written("mstatus", 0x500001800) + ["srli a0, a0, 32"], a0=10),
    Strict("VS and XS are nought", M, written("mstatus", 0x19e00) + [
        "li t0, 0x18600", "and a0, a0, t0"], a0=0),
    # 3.1.14, 4.1.7
    Strict("bit 0 of mepc is nought", M, written("mepc", 0x1235), a0=0x1234),
    Strict("bit 0 of sepc is nought", M, written("sepc", 0x1235), a0=0x1234),
    # 3.1.7
    Strict("the vectors have no mode 2 or 3", M, ["csrr a5, mtvec", "li t0, 0x80000002",
                                                  "csrw mtvec, t0", "csrr a0, mtvec",
                                                  "andi a0, a0, 2", "li t0, 0x80000003",
                                                  "csrw stvec, t0", "csrr a1, stvec",
                                                  "andi a1, a1, 2", "csrw mtvec, a5",
                                                  "li a5, 0"], a0=0, a1=0),
    # 3.1.8
    Strict("calls of M are not delegated", M, written("medeleg", ONES) + ["srli a0, a0, 11",
                                                                         "andi a0, a0, 1"], a0=0),
    Strict("interrupts of M are not delegated", M, written("mideleg", ONES), a0=0x222),
    # 3.1.11, 4.1.5
    Strict("mcounteren has 32 bits", M, written("mcounteren", ONES << 32 & ONES), a0=0),
    Strict("scounteren has 32 bits", M, written("scounteren", ONES << 32 & ONES), a0=0),
    # 3.1.10
    Strict("counters that count nothing read as nought", M,
           ["csrr a0, mhpmcounter3", "csrr a1, mhpmevent31", "csrr a2, hpmcounter7"],
           a0=0, a1=0, a2=0),
    # 3.7.1
    Strict("pmpaddr has 54 bits", M, written("pmpaddr3", ONES), a0=(1 << 54) - 1),
    Strict("no PMP entry may be written and not read", M,
           written("pmpcfg0", 2) + ["addi a0, a0, -2", "snez a0, a0", "csrw pmpcfg0, zero"], a0=1),
    # 3.1.15; unprivileged specification 8.2 and 8.4
    Strict("an AMO without memory is a store", M, [f"li t0, {NOWHERE:#x}",
                                                   "amoadd.w t1, t1, (t0)"], [(7, NOWHERE)]),
    Strict("LR without memory is a load", M, [f"li t0, {NOWHERE:#x}", "lr.w t1, (t0)"],
           [(5, NOWHERE)]),
    Strict("a misaligned SC traps without a reservation", M,
           [f"li t0, {0x80000002:#x}", "sc.w t1, t1, (t0)"], [(6, 0x80000002)]),
    # Without --misaligned.
    Strict("misaligned accesses trap", M,
           ["li t0, 0x80000001", "lh t1, (t0)", "lw t1, (t0)", "lwu t1, 1(t0)", "ld t1, 3(t0)",
            "lhu t1, 2(t0)", "lb t1, (t0)", "sh t1, 2(t0)", "sw t1, 1(t0)", "sd t1, 3(t0)",
            "amoadd.w t1, t1, (t0)", "lr.d t1, (t0)"],
           [(4, 0x80000001), (4, 0x80000001), (4, 0x80000002), (4, 0x80000004), (4, 0x80000003),
            (6, 0x80000003), (6, 0x80000002), (6, 0x80000004), (6, 0x80000001),
            (4, 0x80000001)]),
    # 4.3.1, without --svadu: A and D are not set but asked for.
    Strict("a page without A is not there", S, [f"li t0, {VA:#x}", "lw t1, (t0)", "sw t1, (t0)",
                                                "amoadd.w t1, t1, (t0)", f"lla t2, {LEAF}",
                                                "ld a0, (t2)", "andi a0, a0, 255"] +
           fetch(VA, "strict_a"), [(13, VA), (15, VA), (15, VA), (12, VA)],
           page=V | R | W | X | D, a0=V | R | W | X | D),
    Strict("a page without D is not for stores", S, [f"li t0, {VA:#x}", "lw t1, (t0)",
                                                     "lr.w t1, (t0)", "sc.w t1, t1, (t0)",
                                                     "sw t1, 4(t0)", "amoadd.w t1, t1, (t0)",
                                                     f"lla t2, {LEAF}", "ld a0, (t2)",
                                                     "andi a0, a0, 255"] + fetch(VA, "strict_d"),
           [(15, VA), (15, VA + 4), (15, VA)], page=V | R | W | X | A, a0=V | R | W | X | A),
    Strict("S does not execute a page of U that it may read", S,
           [f"li t0, {VA:#x}", "lw t1, (t0)", "lw t1, (t0)"] + fetch(VA, "strict_u"),
           [(12, VA)], status=SUM, page=V | R | W | X | A | D | USER),
    # 4.3.2, step 2
    Strict("a table without memory is an access fault", S,
           [f"li t0, {VA:#x}", "lw t1, (t0)", "sw t1, (t0)", "amoadd.w t1, t1, (t0)"] +
           fetch(VA, "strict_t"), [(5, VA), (7, VA), (7, VA), (1, VA)], page=0,
           setup=[f"li t1, {NOWHERE >> 2 | V:#x}", f"lla t0, u1_table + {8 * (VA >> 21 & 511)}",
                  "sd t1, (t0)"]),
    # The PLIC's specification, 8: the threshold masks the interrupt, not the claim. The UART's
    # transmitter (source 10) asks.
    Strict("a claim knows no threshold", M,
           ["li t0, 0xc000028", "li t1, 2", "sw t1, (t0)", "li t0, 0xc002000", "li t1, 0x400",
            "sw t1, (t0)", "li t0, 0xc200000", "li t1, 5", "sw t1, (t0)", "li t0, 0x10000000",
            "li t1, 2", "sb t1, 1(t0)", "csrr a1, mip", "li t0, 0xc200004", "lw a0, (t0)",
            "li t1, 0x10000000", "sb zero, 1(t1)", "lbu t2, 2(t1)", "sw a0, (t0)",
            "sw zero, -4(t0)"], a0=10, a1=0),
    # 2.1: a CSR's number says whether it may be written.
    Strict("writing what is read-only traps, reading by a set of nothing does not", M,
           ["csrrs t0, mhartid, zero", "csrrci t0, mhartid, 0", "csrrsi t0, mvendorid, 0",
            ".4byte 0xf1401073"], [(2, 0xf1401073)]),
]


def build(path):
    made = [strict.case(number) for number, strict in enumerate(CASES)]
    program.build(privileged.text(made, dump=True), path)


def on_sim(path, sim=emulators.SIM):
    return emulators.run_sim(path, sim=sim, like=())


def check(run=on_sim):
    """The cases that leave something else, in lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "strict.elf")
        build(path)
        lines = run(path)
    found = []
    for number, strict in enumerate(CASES):
        parts = lines[number].split() if number < len(lines) else []
        if len(parts) != 1 + len(privileged.NAMES):
            return found + [f"{strict.name}: the machine says {' '.join(lines[number:])[-300:]}"]
        found += [f"{strict.name}: {what}"
                  for what in strict.wrong(dict(zip(privileged.NAMES, parts[1:])))]
    return found


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", default=emulators.SIM)
    opts = parser.parse_args(arguments)
    try:
        found = check(lambda path: on_sim(path, opts.sim))
    except emulators.Failed as failed:
        return emulators.report(failed)
    print("\n".join(found) if found else f"{len(CASES)} cases, all as specified")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
