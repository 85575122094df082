"""Cases of the control registers: what each keeps."""
import values
from privileged_case import INTERRUPTS, M, MIE, S, STATUS_BITS, SXL, U, UXL, pmp_byte

CAUSES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 1 << 63 | 1, 1 << 63 | 3, 1 << 63 | 5,
          1 << 63 | 7, 1 << 63 | 9, 1 << 63 | 11)


def legal_status(rng):
    """A value of mstatus that every bit of stays: no MPP of 2, UXL and SXL as they are; and no
    interrupt in M."""
    return rng.getrandbits(64) & STATUS_BITS & ~MIE | rng.choice((M, S, U)) << 11 | UXL | SXL


def legal_satp(rng):
    return rng.choice((0, 8, 9, 10, 8, 9, 10, 1, 7, 11, 15)) << 60 | rng.getrandbits(60)


REGISTERS = {  # what may be written, and of what is read, what is compared
    "mstatus": (legal_status, -1), "sstatus": (legal_status, -1),
    "mie": (values.integer, INTERRUPTS), "mip": (values.integer, INTERRUPTS),
    "sie": (values.integer, -1), "sip": (values.integer, -1),
    "medeleg": (values.integer, 0xb3ff), "mideleg": (lambda r: r.getrandbits(12) & 0x222, -1),
    "mtvec": (lambda r: values.integer(r) & ~2, -1),
    "stvec": (lambda r: values.integer(r) & ~2, -1),
    "mepc": (lambda r: values.integer(r) & ~1, -1), "sepc": (lambda r: values.integer(r) & ~1, -1),
    "mcause": (lambda r: r.choice(CAUSES), -1), "scause": (lambda r: r.choice(CAUSES), -1),
    "mtval": (values.integer, -1), "stval": (values.integer, -1),
    "sscratch": (values.integer, -1), "mscratch": (values.integer, -1),
    "mcounteren": (lambda r: values.integer(r) & 0xffffffff, -1),
    "scounteren": (lambda r: values.integer(r) & 0xffffffff, -1),
    "satp": (legal_satp, -1), "menvcfg": (lambda r: r.getrandbits(1), -1),
    "senvcfg": (lambda r: r.getrandbits(1), -1),
    "pmpcfg0": (lambda r: sum(pmp_byte(r) << 8 * n for n in range(8)), -1),
    "pmpaddr0": (lambda r: values.integer(r) & (1 << 54) - 1, -1),
    "pmpaddr9": (lambda r: values.integer(r) & (1 << 54) - 1, -1),
}
FIXED = ("misa", "mhartid", "mvendorid", "marchid", "mimpid", "mconfigptr")


def registers(case):
    """What a register keeps of what is written, and what others show of it."""
    rng = case.rng
    case.modes(M)
    case.do("csrr t2, mscratch", "mv a5, t2", "csrr t2, mtvec", "mv a4, t2")
    for _ in range(rng.randrange(2, 7)):
        name = rng.choice(list(REGISTERS))
        make, compared = REGISTERS[name]
        # With set and clear too every bit stays one that may be written.
        case.do(f"li t0, {make(rng):#x}")
        bits = name in ("mie", "mip", "sie", "sip", "medeleg", "mideleg", "mcounteren",
                        "scounteren", "mtval", "stval", "sscratch", "mscratch")
        op = rng.choice(("csrrw", "csrrs", "csrrc") if bits else ("csrrw",))
        case.do(f"{op} t1, {name}, t0", f"li t2, {compared}", "and t1, t1, t2", "mix t1")
        for shown in dict.fromkeys((name, rng.choice(list(REGISTERS)))):
            case.do(f"csrr t1, {shown}", f"li t2, {REGISTERS[shown][1]}", "and t1, t1, t2",
                    "mix t1")
    fixed = rng.choice(FIXED)
    case.do("csrw mscratch, a5", "csrw mtvec, a4", "csrw mstatus, zero", "csrw satp, zero",
            "li a4, 0", "li a5, 0", "lla t0, svector", "csrw stvec, t0",
            "lla t0, ssaved", "csrw sscratch, t0", "csrw pmpcfg0, zero", "csrw mie, zero",
            # The write traps, but for misa's.
            f"csrr t1, {fixed}", "mix t1", f"csrw {fixed}, t1")
