"""Cases of traps: returns, exceptions and their delegation, and what S and U may be refused."""
from privileged_case import (DELEGABLE, FS, M, MIE, MPIE, MPRV, MXR, NOWHERE, S, SIE, SPIE, SPP,
                             STATUS_BITS, SUM, TSR, TVM, TW, U)


def returns(case):
    """MRET or SRET from M or S, with any status; the trap at the end tells the mode."""
    rng = case.rng
    op = rng.choice(("mret", "sret"))
    case.modes(M, M, S)
    case.status |= rng.getrandbits(64) & (STATUS_BITS & ~(MIE | SIE | MPRV))
    there = case.label()
    epc = {"mret": "mepc", "sret": "sepc"}[op]
    case.do(f"lla s11, {there}", f"lla t0, {there}")
    if case.mode == M:
        # MRET makes MPP U's; here it is what it may be again.
        case.do(f"li t1, {3 << 11:#x}", "csrc mstatus, t1",
                f"li t1, {rng.choice((M, S, U)) << 11:#x}", "csrs mstatus, t1")
    case.do(f"csrw {epc}, t0", op, "li a1, 1")
    case.body.append(f"{there}:")
    case.do("csrr a2, sstatus", "csrr a3, mstatus")


def delegation(case):
    """Exceptions of all kinds, from each mode, delegated or not."""
    rng = case.rng
    case.modes(M, S, U, S, U)
    case.status |= rng.getrandbits(64) & (SPIE | MPIE | SPP | FS | SUM | MXR | TVM | TW | TSR)
    deleg = rng.getrandbits(16) & DELEGABLE
    if rng.randrange(8) == 0:
        deleg = deleg & ~(1 << 2) | 1 << 9
    if deleg >> 2 & 1:  # the handler's SRET would trap, again and again
        case.status &= ~TSR
    case.prepare(f"li t0, {deleg:#x}", "csrw medeleg, t0", f"li t0, {rng.getrandbits(1)}",
                 "csrs stvec, t0", f"li t0, {rng.getrandbits(1)}", "csrs mtvec, t0")
    for _ in range(rng.randrange(1, 7)):
        case.do(*exception(case))


def exception(case):
    rng = case.rng
    kind = rng.randrange(8)
    if kind == 0:
        # A call at its own place, not the end's; not from S when S gets it.
        return ["ecall"]
    if kind == 1:
        return ["ebreak"]
    if kind == 2:
        return [rng.choice((".4byte 0", ".4byte 0xffffffff", ".4byte 0x0000707f", "csrr t0, 0x800",
                            "csrw mhartid, t0", "csrr t0, mscratch", "csrr t0, sscratch"))]
    if kind < 5:
        address = rng.choice((0, 8, NOWHERE, 0x88000000))
        return [f"li t0, {address:#x}", rng.choice((
            "ld t1, (t0)", "lb t1, 7(t0)", "sw t1, 4(t0)", "sb t1, 1(t0)",
            "lr.d t1, (t0)"))]
    if kind == 5:
        return ["lla t0, target + 2049", rng.choice((
            "lr.w t1, (t0)", "amoadd.d t1, t1, (t0)", "amoswap.w t1, t1, (t0)"))]
    if kind == 6:
        there = case.label()
        return [f"lla s11, {there}", f"li t0, {rng.choice((0, NOWHERE, 0x88000000)):#x}",
                "jalr t1, 0(t0)", "li a2, 1"] + [f"{there}:"]
    return [rng.choice(("mret", "sret", "sfence.vma", "csrr t0, satp"))
            if case.mode == U else "csrr t0, 0x5c0"]


def guarded(case):
    """What TVM, TW, TSR and the counters' enables let pass, and the rest of S."""
    rng = case.rng
    case.modes(M, S, S, U)
    case.status |= rng.getrandbits(64) & (TVM | TW | TSR | SPIE | SPP | FS | SUM | MXR)
    case.prepare(f"li t0, {rng.getrandbits(3)}", "csrw mcounteren, t0",
                 f"li t0, {rng.getrandbits(3)}", "csrw scounteren, t0",
                 # WFI ends at once: one is pending and enabled for it, if not taken.
                 "li t0, 2", "csrs mip, t0", "csrs mie, t0", "csrw mideleg, t0")
    for _ in range(rng.randrange(2, 7)):
        there = case.label()
        returned = [f"lla t0, {there}", "csrw sepc, t0", "sret", f"{there}:"]
        wait = {M: ["wfi"], S: ["csrci sstatus, 2", "csrsi sie, 2", "wfi"], U: ["nop"]}
        case.do(*rng.choice((
            ["csrr t1, satp", "mix t1"], ["csrw satp, zero"], ["sfence.vma"],
            ["lla t0, target", "sfence.vma t0, zero"], ["sfence.vma t0, t0"],
            ["csrr t2, cycle"], ["csrr t2, time"], ["csrr t2, instret"], ["csrw time, t1"],
            ["csrr t1, stvec", "mix t1"], returned if case.mode == S else ["sret"][:case.mode == U],
            wait[case.mode], wait[case.mode], ["csrr t2, mip"], ["csrr t1, sip", "mix t1"],
            ["csrr t1, sie", "mix t1"], ["csrr t1, sstatus", "mix t1"], ["csrw scounteren, t0"])))
    case.do("li t0, 0")
