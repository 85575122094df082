"""Items of control registers, and those that trap: words that are no instruction, calls, accesses
without memory."""
from sequence import M, U

# Of S, which a sequence may write as it likes; M has others for the frame.
S_CSRS = ("sscratch", "stval")
FP_CSRS = ("fflags", "frm", "fcsr")
# Read by a sequence; and numbers that no standard register has.
READ_ONLY = ("mhartid", "mstatus", "sstatus", "mepc", "mcause", "mtval", "mtvec", "medeleg",
             "mideleg", "mie", "sie", "satp", "pmpcfg0", "pmpaddr0", "pmpaddr5", "scause", "sepc")
NO_CSRS = (0x000, 0x800, 0xcff, 0x5c0, 0x9ff, 0xdbf, 0x7c0, 0xbff, 0xfc0, 0x15a, 0x3ff, 0x6ff)
REGISTER_OPCODES = (0x33, 0x3b, 0x13, 0x1b, 0x53, 0x43, 0x47, 0x4b, 0x4f, 0x37, 0x17)
NO_OPCODES = (0x0b, 0x2b, 0x5b, 0x7b, 0x57, 0x6b, 0x77)
RESERVED_16 = (0x0000, 0x8000, 0x8004, 0x9c41, 0x9c61, 0x9fe1, 0x2001, 0x6001, 0x6081, 0x6101,
               0x4002, 0x4012, 0x6002, 0x8002, 0x8402 & ~0xf80)
HINTS_16 = (0x0005, 0x1001, 0x0281, 0x4005, 0x6005, 0x8006, 0x9006, 0x0006, 0x0282, 0x8101,
            0x8501, 0x0002)
# What has no memory behind it, in M-mode and without translation.
NOWHERE = (0x0, 0x8, 0x50, 0xff8, 0x18000000, 0x88000000, 0x88000ff8,
           0xfffffffffffffff8, 0x7ff8 << 45)


def csr(s):
    kind, rd = s.rng.randrange(12), s.rd()
    if kind < 5:
        number = s.rng.choice(FP_CSRS)
    elif kind < 8:
        number = s.rng.choice(S_CSRS)
    elif kind < 11:
        s.emit(f"csrr x{rd}, {s.rng.choice(READ_ONLY)}", rd)
        return
    else:
        number = s.rng.choice(NO_CSRS)
    op = s.rng.choice(("csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"))
    source = f"{s.x()}" if op.endswith("i") else f"x{s.x()}"
    s.emit(f"{op} x{rd}, {number}, {source}", rd)


def word(s):
    """A word that is no instruction, or one on registers with rare fields."""
    rng, value = s.rng, s.rng.getrandbits(32)
    kind = rng.randrange(8)
    rd = s.rd()
    value = value & ~0xfff | rd << 7
    if kind < 3:
        value |= rng.choice(REGISTER_OPCODES)
    elif kind < 4:
        value |= rng.choice(NO_OPCODES)
    elif kind < 7:
        opcode, bad = rng.choice(((0x03, (7,)), (0x23, (4, 5, 6, 7)), (0x63, (2, 3)),
                                  (0x67, (1, 2, 3, 4, 5, 6, 7)), (0x2f, (0, 1, 4, 5, 6, 7)),
                                  (0x07, (0, 1, 4, 5, 6, 7)), (0x27, (0, 1, 4, 5, 6, 7)),
                                  (0x0f, (2, 3, 4, 5, 6, 7)), (0x73, (4,))))
        value = value & ~0x7000 | rng.choice(bad) << 12 | opcode
    elif rng.randrange(2):
        value = value & ~0xf8007000 | rng.choice((5, 6, 7, 9, 10, 11, 13, 19, 31)) << 27 | 0x202f
    else:  # LR has no second register
        value = value & ~0xf9f07000 | rng.randrange(1, 32) << 20 | 2 << 27 | 0x202f
    s.emit(f".4byte {value:#x}", rd)


def half(s):
    s.emit(f".2byte {s.rng.choice(RESERVED_16 + HINTS_16):#x}")


def call(s):
    lines = ["ecall", "ebreak", "c"]
    if s.mode != M:
        lines += ["mret"]
    if s.mode == U:
        lines += ["sret", "sfence.vma"]
    line = s.rng.choice(lines)
    if line == "c":
        s.emit_c("c.ebreak")
    else:
        s.emit(line)


def nowhere(s):
    """An access to, or a jump to, an address without memory."""
    base, rd, address = s.rd(range(1, 32)), s.rd(), s.rng.choice(NOWHERE)
    if s.rng.randrange(3) == 0:
        other = s.rd(range(1, 32))
        if other == base:
            return
        label = s.label()
        s.emit(f"lla x{base}, {label}", base)
        s.emit(f"lla x{other}, recover", other)
        s.emit(f"sd x{base}, (x{other})")
        s.emit(f"li x{base}, {address:#x}")
        s.emit(f"jalr x{rd}, 0(x{base})", rd)
        s.lines.append(f"{label}:")
        return
    s.emit(f"li x{base}, {address:#x}", base)
    s.emit(s.rng.choice((f"ld x{rd}, (x{base})", f"lb x{rd}, 7(x{base})", f"sw x{rd}, 4(x{base})",
                         f"lr.w x{rd}, (x{base})",
                         f"fld f{rd}, (x{base})", f"fsw f{rd}, (x{base})")), rd)
