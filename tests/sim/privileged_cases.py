"""Cases of the privileged architecture, as assembly for the frame privileged.S.

A family is a function that fills a Case: lines of M-mode that prepare, and the body's lines.
"""
import values

M, S, U = 3, 1, 0
ALIAS = 0x40000000
V, R, W, X, USER, G, A, D = (1 << n for n in range(8))
SIE, MIE, SPIE, MPIE, SPP = 1 << 1, 1 << 3, 1 << 5, 1 << 7, 1 << 8
FS, MPRV, SUM, MXR, TVM, TW, TSR = 3 << 13, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22
UXL, SXL = 2 << 32, 2 << 34
STATUS_BITS = SIE | MIE | SPIE | MPIE | SPP | FS | MPRV | SUM | MXR | TVM | TW | TSR
# What may be delegated; without the call of S, which ends a case.
DELEGABLE = 0xb1ff
S_INTERRUPTS, INTERRUPTS = 0x222, 0xaaa
NOWHERE = 0x18000000
CAUSES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 1 << 63 | 1, 1 << 63 | 3, 1 << 63 | 5,
          1 << 63 | 7, 1 << 63 | 9, 1 << 63 | 11)


class Case:
    def __init__(self, rng, number):
        self.rng, self.number = rng, number
        self.setup, self.body, self.labels = [], [], 0
        self.status, self.mode, self.translated = 0, M, False
        self.nowhere = False  # nothing is at the target
        self.is_global = self.loaded = False

    def prepare(self, *lines):
        self.setup += [indent(line) for line in lines]

    def do(self, *lines):
        self.body += [indent(line) for line in lines]

    def label(self):
        self.labels += 1
        return f"case_{self.number}_{self.labels}"

    def poke(self, entry, *value):
        """A table's entry: lines that bring it to a1."""
        self.prepare(f"lla a0, {entry}", *value, "call poke")

    def modes(self, *modes):
        self.mode = self.rng.choice(modes)
        self.status |= self.mode << 11
        return self.mode

    def cut(self, steps):
        """The body ends after so many lines; labels stay."""
        self.body = self.body[:steps] + [line for line in self.body[steps:] if line[0] != " "]

    def text(self):
        alias = ALIAS if self.translated and self.mode == U else 0
        name = f"case_{self.number}"
        clear = [f"    li {register}, 0" for register in ("a0", "a1")]
        return [f"{name}:"] + self.setup + clear + [
            f"    enter {name}_body, {self.status:#x}, {alias:#x}", f"{name}_body:"] + \
            self.body + ["    j finish"]


def indent(line):
    return line if line.endswith(":") else "    " + line


def flips(rng, value, bits, one_in):
    """With each of the bits changed, once in so often."""
    for n in range(64):
        if bits >> n & 1 and rng.randrange(one_in) == 0:
            value ^= 1 << n
    return value


# ---- registers --------------------------------------------------------------
def legal_status(rng):
    """A value of mstatus that every bit of stays: no MPP of 2, UXL and SXL as they are; and no
    interrupt in M."""
    return rng.getrandbits(64) & STATUS_BITS & ~MIE | rng.choice((M, S, U)) << 11 | UXL | SXL


def pmp_byte(rng):
    permissions = rng.choice((0, R >> 1, (R | W) >> 1, X >> 1, (R | X) >> 1, (R | W | X) >> 1))
    return permissions | rng.randrange(4) << 3


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


# ---- page tables ------------------------------------------------------------
def address(rng, levels):
    """An index for each level, the root's first: none that the frame uses, or that QEMU's PCI
    would answer to without translation."""
    root = rng.choice(list(range(4, 16)) + list(range(32, 512))) if levels == 3 else \
        rng.randrange(1, 512)
    # A second page follows at the lowest level.
    return [root] + [rng.randrange(511) for _ in range(levels - 1)]


def leaf_bits(rng, mode):
    if rng.randrange(3) == 0:
        bits = rng.getrandbits(8)
    else:
        bits = flips(rng, V | R | W | X | A | D | (USER if mode == U else 0), 0xff, 10)
    bits |= rng.getrandbits(2) << 8 if rng.randrange(2) else 0
    if rng.randrange(25) == 0:
        bits |= 1 << rng.randrange(54, 64)
    return bits


def pointer_bits(rng):
    bits = V | (rng.getrandbits(2) << 8 if rng.randrange(4) == 0 else 0)
    if rng.randrange(10) == 0:
        bits ^= rng.choice((V, R, X, W, USER, A, D, G, G, 1 << rng.randrange(54, 64)))
    return bits


def translated(case, exact=False, stays=True):
    """A walk that ends at `target`, at some level, good or not; s10 is its address. No table is
    where no memory is, also when a bit of the leaf is changed, unless it stays."""
    rng, levels = case.rng, case.rng.choice((3, 3, 4, 5))
    leaf = rng.choice((0, 0, 0, 1, 1, 2, levels - 1 if stays else 2))
    indices = address(rng, levels)
    table, va = f"t{levels - 1}_table", 0
    for level in range(levels - 1, leaf - 1, -1):
        index = indices[levels - 1 - level]
        va |= index << 12 + 9 * level
        entry = f"{table} + {8 * index}"
        if level > leaf:
            table = f"u{level - 1}_table"
            bits = V if exact else pointer_bits(rng)
            case.is_global |= bits & G != 0
            case.poke(entry, f"lla a1, {table}", "srli a1, a1, 2", f"li t0, {bits:#x}",
                      "or a1, a1, t0")
    bits = leaf_bits(rng, case.mode)
    if exact:
        bits |= A | D
    if leaf > 2 and not bits & (R | W | X):
        bits |= R
    case.leaf, case.leaf_bits, case.level = entry, bits, leaf
    case.is_global |= bits & G != 0
    size = 12 + 9 * leaf
    place = [f"srli a1, a1, {size}", f"slli a1, a1, {size - 2}"]
    if rng.randrange(20) == 0 and leaf and not exact:
        place += [f"li t0, {1 << 10 + rng.randrange(size - 12):#x}", "or a1, a1, t0"]
    if rng.randrange(30) == 0 and bits & (R | W | X) and stays:
        # Nothing is there: an access fault, whatever A and D become.
        bits |= A | D
        case.nowhere = True
        place += [f"li t0, {1 << rng.randrange(45, 54):#x}", "or a1, a1, t0"]
    case.poke(entry, "lla a1, target", *place, f"li t0, {bits:#x}", "or a1, a1, t0")
    case.second = None
    if leaf == 0:
        case.second = bits if exact or rng.randrange(2) else leaf_bits(rng, case.mode)
        case.poke(f"{entry} + 8", "lla a1, target + 4096", "srli a1, a1, 2",
                  f"li t0, {case.second:#x}", "or a1, a1, t0")
    if va >> 11 + 9 * levels & 1:
        va |= -1 << 12 + 9 * levels
    if rng.randrange(25) == 0:  # not canonical
        va ^= 1 << rng.randrange(12 + 9 * levels - 1, 64)
    asid = rng.getrandbits(16) if rng.randrange(2) else 0
    case.prepare(f"lla t0, t{levels - 1}_table", "srli t0, t0, 12",
                 f"li t1, {(5 + levels) << 60 | asid << 44:#x}", "or t0, t0, t1", "csrw satp, t0",
                 "lla s10, target", f"slli s10, s10, {64 - size}", f"srli s10, s10, {64 - size}",
                 f"li t0, {va & (1 << 64) - 1:#x}", "add s10, s10, t0")
    case.translated = True


def access(case, fetch=True):
    """One access to the target's first page."""
    rng, kind = case.rng, case.rng.randrange(11)
    if case.mode == S and case.status & SUM and case.loaded:
        fetch = False
    case.loaded = True
    at = rng.randrange(0, 2048, 8)
    if kind < 3:
        case.do(f"{rng.choice(('lb', 'lhu', 'lw', 'ld'))} t1, {at - 2048}(t0)", "mix t1")
    elif kind < 5:
        # Into the upper half, which is not executed.
        case.do(f"{rng.choice(('sb', 'sh', 'sw', 'sd'))} t1, {at & ~15}(t0)")
    elif kind < 6 and not case.nowhere:
        case.do("addi t2, t0, 16", "amoadd.w t1, t0, (t2)", "mix t1")
    elif kind < 7:
        case.do("lr.w t1, (t0)", "mix t1")
    elif kind < 8:
        # Only where LR was good: what SC does without a reservation is open.
        there = case.label()
        case.do("li t1, 0", "lr.d t1, (t0)", f"beqz t1, {there}", "sc.d t2, t1, (t0)", "mix t2",
                f"{there}:")
    elif kind < 9 and fetch:
        there = case.label()
        case.do(f"lla s11, {there}", "addi t2, t0, -1024", "li t1, 0", "jalr ra, 0(t2)", "mix s10",
                f"{there}:")
    elif kind < 10 and not case.nowhere and case.second is not None and (case.second | ~A & ~D) & \
            (case.leaf_bits | ~A & ~D) == -1:
        # Over the end of the page: what a failing half leaves of A and D is open.
        if rng.randrange(2) or not fetch:
            case.do("addi t2, t0, 2047", *rng.choice((
                ("ld t1, -3(t2)", "mix t1"), ("sd zero, -4(t2)",), ("lh t1, (t2)", "mix t1"),
                ("sw zero, -1(t2)",))))
        else:
            there = case.label()
            case.do("fence.i", f"lla s11, {there}", "addi t2, t0, 2046", "jalr ra, 0(t2)",
                    "mix s10", f"{there}:")
    else:
        case.do("lwu t1, (t0)", "mix t1")


def crossing(case):
    """At the target's page end a return of 4 bytes, so that a fetch needs both pages."""
    case.prepare("li t1, 0x8067", "lla t0, target + 4094", "sh t1, (t0)", "sh zero, 2(t0)")


def walks(case):
    """Accesses through an entry with any bits, from U and S."""
    rng = case.rng
    case.modes(U, S)
    case.status |= rng.getrandbits(64) & (SUM | MXR | SPIE | SPP | MPIE)
    crossing(case)
    translated(case)
    case.prepare(f"li t0, {rng.choice((0, 0xb1ff, rng.getrandbits(16) & DELEGABLE)):#x}",
                 "csrw medeleg, t0")
    case.do("li t0, 2048", "add t0, s10, t0")
    for _ in range(rng.randrange(1, 6)):
        access(case)


def fences(case, bits):
    """Those that make a change of the leaf to `bits` seen: with an address when it is a leaf
    before and after, with an ASID when it is not global."""
    leaves = all(b & V and b & (R | W | X) or case.level == 0 and not b & V
                 for b in (bits, case.leaf_bits))
    return (["sfence.vma"] + ["sfence.vma s10, zero"] * leaves +
            ["sfence.vma zero, t1"] * (not case.is_global) +
            ["sfence.vma s10, t1"] * (leaves and not case.is_global))


def changed(case):
    """An entry is changed, and a fence makes it seen."""
    rng = case.rng
    case.modes(S)
    case.status |= rng.getrandbits(64) & (SUM | MXR)
    crossing(case)
    translated(case, stays=False)
    case.do("li t0, 2048", "add t0, s10, t0")
    for _ in range(rng.randrange(1, 4)):
        access(case)
        access(case)
        bits = case.leaf_bits ^ rng.choice((V, R, W, X, USER, A, D, R | X, A | D))
        case.do(f"lla t2, {case.leaf}", "ld t1, (t2)", f"xori t1, t1, {bits ^ case.leaf_bits:#x}",
                "sd t1, (t2)", "csrr t1, satp", "slli t1, t1, 4", "srli t1, t1, 48",
                rng.choice(fences(case, bits)))
        case.leaf_bits = bits
    access(case)
    access(case)


def as_other(case):
    """MPRV: M's loads and stores with the rights of MPP."""
    rng = case.rng
    case.modes(M)
    translated(case)
    nowhere = case.nowhere
    case.do("li t0, 2048", "add t0, s10, t0")
    for _ in range(rng.randrange(1, 5)):
        mode = rng.choice((U, S, U, S, M))
        case.nowhere = nowhere or mode == M
        status = MPRV | mode << 11 | rng.getrandbits(64) & (SUM | MXR)
        case.do(f"li t1, {MPRV | SUM | MXR | 3 << 11:#x}", "csrc mstatus, t1",
                f"li t1, {status:#x}", "csrs mstatus, t1")
        access(case, fetch=False)
    case.do("csrw mstatus, zero")


# ---- PMP --------------------------------------------------------------------
def region(case, entry, whole_pages):
    """An entry over a part of the target, or its end for the next; the byte of pmpcfg."""
    rng = case.rng
    if whole_pages:
        kind, offset, size = rng.choice((0, 1, 3)), rng.randrange(0, 8193, 4096), 4096
    else:
        kind, offset = rng.randrange(4), rng.randrange(2016, 2080, 4)
        size = 8 << rng.randrange(4)
    if kind == 3:
        offset &= ~(size - 1)
    case.prepare(f"lla t0, target + {offset}", "srli t0, t0, 2",
                 *((f"ori t0, t0, {size // 8 - 1}",) if kind == 3 else ()),
                 f"csrw pmpaddr{entry}, t0")
    return pmp_byte(rng) & 7 | kind << 3


def protected(case):
    """Accesses to what PMP entries cover, from S and U, and from M with MPRV."""
    rng = case.rng
    pages = rng.randrange(2)
    case.modes(*(U, S, M)[:2 if pages else 3])
    case.second = None
    config = 0
    for entry in range(4):
        config |= region(case, entry, pages) << 8 * entry
    case.prepare(f"li t0, {config:#x}", "csrw pmpcfg0, t0")
    if pages and rng.randrange(2):
        translated(case, exact=True)
        case.second = None  # nothing goes over the page's end
        if rng.randrange(3) == 0:  # and a table that may not be read
            case.prepare("lla t0, u0_table", "srli t0, t0, 2", "ori t0, t0, 511",
                         "csrw pmpaddr0, t0", "li t0, 0xff", "csrc pmpcfg0, t0",
                         f"li t0, {0x18 | rng.choice((0, 1, 3)):#x}", "csrs pmpcfg0, t0")
    case.do("li t0, 2048", "add t0, s10, t0")
    for _ in range(rng.randrange(2, 7)):
        if case.mode == M and rng.randrange(2):
            case.do(f"li t1, {3 << 11:#x}", "csrc mstatus, t1",
                    f"li t1, {MPRV | rng.choice((U, S, M)) << 11:#x}", "csrs mstatus, t1")
        if pages:
            access(case)
        else:
            size = rng.choice((1, 4, 8))
            case.do(f"{rng.choice(('l', 's'))}{' bh w   d'[size]} t1, "
                    f"{rng.randrange(-64, 64, size)}(t0)", "mix t1")
    case.do("li t1, 0")


def locked(case):
    """A locked entry holds for M too, and till the reset; each program may do it 7 times."""
    rng, entry = case.rng, 8 + case.locks
    case.modes(M, S)
    size, top = 8 << rng.randrange(3), rng.randrange(3) == 0
    byte = pmp_byte(rng) & 7 | (0x88 if top else 0x98)
    where = f"lockable + {rng.randrange(0, 256, size)}"
    if top:  # from the address of the entry before, which it locks too
        case.prepare(f"lla t0, {where}", "srli t0, t0, 2", f"csrw pmpaddr{entry - 1}, t0",
                     f"addi t0, t0, {size // 4}", f"csrw pmpaddr{entry}, t0")
    else:
        case.prepare(f"lla t0, {where}", "srli t0, t0, 2", f"ori t0, t0, {size // 8 - 1}",
                     f"csrw pmpaddr{entry}, t0")
    case.prepare(f"li t0, {byte << 8 * (entry - 8):#x}", "csrs pmpcfg2, t0")
    if case.mode == M:
        # They stay as they are.
        case.do(f"csrw pmpaddr{entry}, zero", f"csrr t1, pmpaddr{entry}", "mix t1",
                f"csrw pmpaddr{entry - 1}, zero", f"csrr t1, pmpaddr{entry - 1}", "mix t1",
                f"li t0, {0x7f << 8 * (entry - 8):#x}", "csrrc t1, pmpcfg2, t0", "mix t1",
                "csrr t1, pmpcfg2", "mix t1")
    case.do("lla t0, lockable")
    for _ in range(8):
        case.do(f"{rng.choice(('ld', 'sd'))} t1, {rng.randrange(0, 256, 8)}(t0)", "mix t1")


# ---- interrupts -------------------------------------------------------------
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


PLIC, UART, IRQ = 0xc000000, 0x10000000, 10
CONTEXT_M, CONTEXT_S = 0, 1


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


FAMILIES = {"registers": registers, "returns": returns, "delegation": delegation,
            "guarded": guarded, "walks": walks, "changed": changed, "as_other": as_other,
            "protected": protected, "interrupts": interrupts, "waited": waited, "plic": plic,
            "locked": locked}
WEIGHTS = {"walks": 30, "changed": 10, "as_other": 8, "registers": 10, "returns": 8,
           "delegation": 12, "guarded": 8, "protected": 10, "interrupts": 10, "waited": 1,
           "plic": 3}
LOCKS = 7  # the last cases of a program
