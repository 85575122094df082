"""Cases of interrupts: which are taken, in which order; the timer; the PLIC."""
from privileged_case import M, MIE, MPIE, S, SIE, SPIE, SPP, S_INTERRUPTS, U

PLIC, UART, IRQ = 0xc000000, 0x10000000, 10
CONTEXT_M, CONTEXT_S = 0, 1


def interrupts(case):
    """Some are pending, some enabled, some delegated: which are taken, in which order."""
    rng = case.rng
    case.modes(M, S, U)
    case.status |= rng.getrandbits(64) & (SIE | MIE | SPIE | MPIE | SPP)
    case.prepare(f"li t0, {rng.getrandbits(12) & S_INTERRUPTS:#x}", "csrw mideleg, t0",
                 f"li t0, {rng.getrandbits(12) & S_INTERRUPTS:#x}", "csrw mip, t0",
                 f"li t0, {rng.getrandbits(1)}", "csrs stvec, t0",
                 f"li t0, {rng.getrandbits(1)}", "csrs mtvec, t0")
    # MIE of M is set by MRET alone.
    if case.status & MIE and case.mode == M:
        case.status |= MPIE
    case.status &= ~MIE
    for bit, lines in ((3, ("li t0, CLINT_MSIP", "li t1, 1", "sw t1, (t0)")),
                       (7, ("li t0, CLINT_MTIMECMP", "sd zero, (t0)"))):
        if rng.randrange(2):
            wait = case.label()
            case.prepare(*lines, f"{wait}:", "csrr t1, mip", f"andi t1, t1, {1 << bit}",
                         f"beqz t1, {wait}")
    case.prepare(f"li t0, {rng.choice((-1, rng.getrandbits(12))) & 0xfff:#x}", "csrw mie, t0")
    case.do("nop", "csrr a2, sstatus")
    if case.mode == S:
        case.do(*rng.choice((["csrsi sstatus, 2"], ["csrsi sip, 2"], ["csrci sip, 2"],
                             ["li t0, 0x222", "csrs sie, t0"], ["nop"])))
    if case.mode == M:
        case.do(*rng.choice((["csrsi mstatus, 8"], ["csrsi mip, 2"], ["csrci mip, 2"],
                             ["li t0, 0xaaa", "csrs mie, t0"], ["csrw mideleg, zero"])))
    case.do("nop", "nop")


def waited(case):
    """An interrupt that comes later: of the timer or of software, in M or through M to S."""
    rng = case.rng
    case.modes(M, S, U)
    case.status |= MPIE
    bit, lines = rng.choice((
        (7, ("li t0, CLINT_MTIME", "ld t1, (t0)", "li t0, 20000", "add t1, t1, t0",
             "li t0, CLINT_MTIMECMP", "sd t1, (t0)")),
        (3, ("li t0, CLINT_MSIP", "li t1, 1", "sw t1, (t0)"))))
    if bit == 3 and case.mode != M:
        bit, lines = 7, ("li t0, CLINT_MTIMECMP", "sd zero, (t0)")
    case.prepare("lla t0, loose", "li t1, 1", "sd t1, (t0)", f"li t0, {1 << bit}", "csrw mie, t0")
    if case.mode == M:
        case.do(*lines)
    else:
        case.prepare(*lines)
    again = case.label()
    case.do("lla t0, count", f"{again}:", "ld t1, (t0)", f"beqz t1, {again}", "li t1, 0",
            "lla t0, loose", "sd zero, (t0)")


def plic(case):
    """The UART's transmitter asks for an interrupt; the PLIC, for M and S, is asked for it."""
    rng = case.rng
    case.modes(M)
    context = rng.choice((CONTEXT_M, CONTEXT_S))
    enable, base = PLIC + 0x2000 + 0x80 * context, PLIC + 0x200000 + 0x1000 * context
    priority, threshold = rng.randrange(8), rng.choice((0, 0, 1, 3, 7))

    def write(at, value, op="sw"):
        case.do(f"li t0, {at:#x}", f"li t1, {value:#x}", f"{op} t1, (t0)")

    def read(at, op="lw"):
        case.do(f"li t0, {at:#x}", f"{op} t1, (t0)", "mix t1")

    def pending():
        case.do("csrr t1, mip", "li t2, 0xa00", "and t1, t1, t2", "mix t1")
        read(PLIC + 0x1000)
    write(PLIC + 4 * IRQ, priority)
    write(enable, rng.choice((1 << IRQ, 1 << IRQ, 0)))
    write(base, threshold)
    for at in (PLIC + 4 * IRQ, enable, base):
        read(at)
    pending()
    write(UART + 1, 2, "sb")
    pending()
    if rng.randrange(2):
        write(base, 7 - threshold)
        pending()
    write(base, 0)
    read(base + 4)
    pending()
    read(base + 4)
    case.do(f"li t0, {UART:#x}", "lbu t1, 2(t0)", "andi t1, t1, 15", "mix t1")
    pending()
    write(base + 4, rng.choice((IRQ, IRQ, 0, 11)))
    pending()
    # All as it was: nothing is pending, nothing claimed.
    write(UART + 1, 0, "sb")
    write(base, 0)
    write(PLIC + 4 * IRQ, 1)
    write(enable, 1 << IRQ)
    read(base + 4)
    write(base + 4, IRQ)
    write(enable, 0)
    write(PLIC + 4 * IRQ, 0)
    pending()
    case.do("li t1, 0")
