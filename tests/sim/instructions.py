"""Random sequences of instructions, as assembly.

A Sequence is a list of items; an item is some lines: most often one instruction, with what it
needs before it (an address in a register). Every address that is used lies in the scratch
memory, but where a fault is wanted, so that no sequence can harm the frame around it (stream.S).
"""
import values

SCRATCH = 512
M, S, U = 3, 1, 0

R_R = ("add sub sll slt sltu xor srl sra or and addw subw sllw srlw sraw").split()
R_I = ("addi slti sltiu xori ori andi addiw").split()
MUL = ("mul mulh mulhsu mulhu div divu rem remu mulw divw divuw remw remuw").split()
LOADS = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4, "lwu": 4, "ld": 8}
STORES = {"sb": 1, "sh": 2, "sw": 4, "sd": 8}
AMOS = ("swap add xor and or min max minu maxu").split()
ORDERS = ("", ".aq", ".rl", ".aqrl")
BRANCHES = ("beq bne blt bge bltu bgeu").split()
ROUNDINGS = ("rne", "rtz", "rdn", "rup", "rmm", "dyn")
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


class Sequence:
    def __init__(self, rng, name, mix, mode, length):
        self.rng, self.name, self.mode, self.mix = rng, name, mode, mix
        self.items, self.lines = [], []
        self.pointers = {}    # registers that point into the scratch memory: with what offset
        self.kept = set()     # registers that may not be written
        self.labels = 0       # how many there are
        self.pending = []     # labels to come: before which item, name, pointers at the branch
        self.marks = {}       # the labels that stand before an item
        kinds = [(kind, weight) for letter, kind, weight in KINDS if letter in mix]
        makers, weights = [k for k, _ in kinds], [w for _, w in kinds]
        while len(self.items) < length or self.pending:
            self.place_labels()
            self.lines = []
            rng.choices(makers, weights)[0](self)
            self.items.append(self.lines)

    def place_labels(self):
        """The labels that stand before the next item; after them a register is a pointer only
        when it was one on both ways."""
        at = len(self.items)
        for label in [p for p in self.pending if p[0] <= at]:
            self.pending.remove(label)
            self.marks.setdefault(at, []).append(label[1])
            self.pointers = {r: o for r, o in self.pointers.items() if label[2].get(r) == o}

    def text(self, steps=None):
        """The assembly, of the first `steps` items; labels behind them stand at the end."""
        out = [f"{self.name}:"]
        steps = len(self.items) if steps is None else steps
        for at, lines in enumerate(self.items[:steps]):
            out += [f"{label}:" for label in self.marks.get(at, ())] + lines
        rest = [label for at, labels in self.marks.items() if at >= steps for label in labels]
        return out + [f"{label}:" for label in rest] + ["    j finish"]

    # ---- parts -------------------------------------------------------------
    def emit(self, line, *written):
        self.lines.append("    " + line)
        for register in written:
            self.pointers.pop(register, None)

    def emit_c(self, line, *written):
        self.lines.append("    .option rvc")
        self.emit(line, *written)
        self.lines.append("    .option norvc")

    def x(self):
        return self.rng.randrange(32)

    def rd(self, among=range(32)):
        """A register to be written."""
        return self.rng.choice([r for r in among if r not in self.kept])

    def label(self):
        self.labels += 1
        return f"{self.name}_{self.labels}"

    def immediate(self, bits):
        if self.rng.randrange(3) == 0:
            return self.rng.choice((0, 1, -1, (1 << bits - 1) - 1, -(1 << bits - 1)))
        return self.rng.randrange(-(1 << bits - 1), 1 << bits - 1)

    def target(self, size):
        """An offset in the scratch memory for so many bytes."""
        at = self.rng.randrange(SCRATCH // size) * size
        if "u" in self.mix and size > 1 and self.rng.randrange(8) == 0:
            at += self.rng.randrange(1, size)
        return min(at, SCRATCH - size) if at > SCRATCH - size else at

    def pointer(self, target, low, high, step=1, among=range(1, 32)):
        """A register and an immediate of [low, high] in steps that make the target's address."""
        fits = [(r, target - o) for r, o in self.pointers.items()
                if r in among and low <= target - o <= high and (target - o) % step == 0]
        if fits and self.rng.randrange(4):
            return self.rng.choice(fits)
        register = self.rd(among)
        immediate = self.rng.randrange(low, high + 1, step)
        self.emit(f"lla x{register}, scratch + {target - immediate}")
        self.pointers[register] = target - immediate
        return register, immediate


def integer_op(s):
    rd, a, b = s.rd(), s.x(), s.x()
    kind = s.rng.randrange(8)
    if kind < 4:
        s.emit(f"{s.rng.choice(R_R)} x{rd}, x{a}, x{b}", rd)
    elif kind < 6:
        s.emit(f"{s.rng.choice(R_I)} x{rd}, x{a}, {s.immediate(12)}", rd)
    elif kind < 7:
        op, bits = s.rng.choice([("slli", 64), ("srli", 64), ("srai", 64), ("slliw", 32),
                                 ("srliw", 32), ("sraiw", 32)])
        s.emit(f"{op} x{rd}, x{a}, {s.rng.choice((0, 1, bits // 2, bits - 1, s.x()))}", rd)
    else:
        s.emit(f"{s.rng.choice(('lui', 'auipc'))} x{rd}, {s.rng.getrandbits(20):#x}", rd)


def constant(s):
    rd = s.rd(range(1, 32))
    s.emit(f"li x{rd}, {values.integer(s.rng):#x}", rd)


def multiply(s):
    rd = s.rd()
    s.emit(f"{s.rng.choice(MUL)} x{rd}, x{s.x()}, x{s.x()}", rd)


def load(s):
    op, size = s.rng.choice(list(LOADS.items()))
    base, offset = s.pointer(s.target(size), -2048, 2047)
    rd = s.rd()
    s.emit(f"{op} x{rd}, {offset}(x{base})", rd)


def store(s):
    op, size = s.rng.choice(list(STORES.items()))
    base, offset = s.pointer(s.target(size), -2048, 2047)
    s.emit(f"{op} x{s.x()}, {offset}(x{base})")


def fence(s):
    sets = ("r", "w", "rw", "iorw", "i", "o")
    s.emit(s.rng.choice((f"fence {s.rng.choice(sets)}, {s.rng.choice(sets)}", "fence.i")))


def branch(s):
    """Over the next items."""
    label = s.label()
    s.emit(f"{s.rng.choice(BRANCHES)} x{s.x()}, x{s.x()}, {label}")
    over(s, label)


def over(s, label):
    s.pending.append((len(s.items) + s.rng.randrange(1, 5), label, dict(s.pointers)))


def jump(s):
    label, kind = s.label(), s.rng.randrange(3)
    if kind == 0:
        rd = s.rd()
        s.emit(f"jal x{rd}, {label}", rd)
    else:
        base, offset = s.rd(range(1, 32)), s.rng.choice((0, 1, s.rng.randrange(-2048, 2048)))
        rd = s.rd() if kind == 1 else base
        if offset % 2 == 1 and offset != 1:
            offset -= 1
        # Bit 0 of the sum is dropped: with 1, the label is meant.
        s.emit(f"lla x{base}, {label} - ({offset & ~1})", base)
        s.emit(f"jalr x{rd}, {offset}(x{base})", rd)
    over(s, label)


def loop(s):
    """A few items, a few times."""
    counter, label, rest = s.rd(range(1, 32)), s.label(), s.kept
    s.emit(f"li x{counter}, {s.rng.randrange(1, 6)}", counter)
    s.lines.append(f"{label}:")
    s.pointers, s.kept = {}, rest | {counter}
    straight = [(k, w) for letter, k, w in KINDS if letter in s.mix and k in STRAIGHT]
    for _ in range(s.rng.randrange(1, 6)):
        s.rng.choices([k for k, _ in straight], [w for _, w in straight])[0](s)
        # What the second round would not find.
        s.pointers = {}
    s.emit(f"addi x{counter}, x{counter}, -1")
    s.emit(f"bnez x{counter}, {label}")
    s.kept = rest


def patch(s):
    """An instruction is written before it is executed; FENCE.I makes it seen."""
    label, a, b = s.label(), s.rd(range(1, 32)), s.rd(range(1, 32))
    if a == b:
        return
    rd = s.rd()
    word = s.rng.getrandbits(12) << 20 | a << 15 | rd << 7 | 0x13  # addi
    s.emit(f"lla x{a}, {label}", a)
    s.emit(f"li x{b}, {word:#x}", b)
    for half in (0, 2):  # it need not be aligned to words
        s.emit(f"sh x{b}, {half}(x{a})")
        s.emit(f"srli x{b}, x{b}, 16")
    s.emit("fence.i")
    s.lines.append(f"{label}:")
    s.emit(f"xor x{rd}, x{rd}, x{a}", rd)


def amo(s):
    size = s.rng.choice((4, 8))
    base, _ = s.pointer(s.target(size), 0, 0)
    rd = s.rd()
    s.emit(f"amo{s.rng.choice(AMOS)}.{'wd'[size // 8]}{s.rng.choice(ORDERS)} "
           f"x{rd}, x{s.x()}, (x{base})", rd)


def reserve(s):
    """LR, something short, SC that succeeds; or SC elsewhere; or SC twice."""
    size = s.rng.choice((4, 8))
    letter, at = "wd"[size // 8], s.rng.randrange(SCRATCH // size) * size
    base, _ = s.pointer(at, 0, 0)
    kept, s.kept = s.kept, s.kept | {base}
    other = s.rd(range(1, 32))
    kind = s.rng.randrange(6)
    if kind == 0:  # before LR, since code between the two should be short
        s.emit(f"lla x{other}, scratch + {(at + 128 + size) % (SCRATCH - 8) // 8 * 8}", other)
        s.kept = s.kept | {other}
    rd = s.rd()
    s.emit(f"lr.{letter}{s.rng.choice(ORDERS)} x{rd}, (x{base})", rd)
    for _ in range(s.rng.randrange(3)):
        integer_op(s)
    for where in {0: (other,), 1: (base, base)}.get(kind, (base,)):
        rd = s.rd()
        s.emit(f"sc.{letter}{s.rng.choice(ORDERS)} x{rd}, x{s.x()}, (x{where})", rd)
    s.kept = kept


def compressed(s):
    kind = s.rng.choice((c_arithmetic, c_arithmetic, c_prime, c_memory, c_jump))
    kind(s)


def c_arithmetic(s):
    rd, imm = s.rd(range(1, 32)), s.rng.choice((-32, 31, 1, -1, s.rng.randrange(1, 32)))
    other = s.rng.randrange(1, 32)
    lui = s.rng.choice((s.rng.randrange(1, 32), s.rng.randrange(0xfffe0, 0x100000)))
    line = s.rng.choice((
        f"c.addi x{rd}, {imm}", f"c.addiw x{rd}, {imm}", f"c.addiw x{rd}, 0",
        f"c.li x{rd}, {imm}", f"c.slli x{rd}, {s.rng.randrange(1, 64)}", f"c.mv x{rd}, x{other}",
        f"c.add x{rd}, x{other}", f"c.lui x{rd}, {lui:#x}", "c.nop", "sp"))
    if line == "sp":
        if 2 in s.kept:
            return
        rd, line = 2, f"c.addi16sp x2, {s.rng.choice((-512, 496, 16, -16, 112))}"
    if rd == 2 and "c.lui" in line:
        return
    s.emit_c(line, rd)


def c_prime(s):
    """Those that know eight registers."""
    rd, other = s.rd(range(8, 16)), s.rng.randrange(8, 16)
    s.emit_c(s.rng.choice((
        f"c.srli x{rd}, {s.rng.randrange(1, 64)}", f"c.srai x{rd}, {s.rng.randrange(1, 64)}",
        f"c.andi x{rd}, {s.rng.randrange(-32, 32)}", f"c.sub x{rd}, x{other}",
        f"c.xor x{rd}, x{other}", f"c.or x{rd}, x{other}", f"c.and x{rd}, x{other}",
        f"c.subw x{rd}, x{other}", f"c.addw x{rd}, x{other}",
        f"c.addi4spn x{rd}, x2, {s.rng.randrange(4, 1024, 4)}")), rd)


def c_memory(s):
    size, high = s.rng.choice((4, 8)), s.rng.randrange(2)
    # Doubles of D are moved by instructions of their own.
    f = "f" if size == 8 and s.rng.randrange(3) == 0 and "d" in s.mix else ""
    letter, at = "wd"[size // 8], s.target(size)
    if high and 2 in s.kept:
        return
    if high:
        base, offset = s.pointer(at, 0, 63 * size, size, (2,))
    else:
        base, offset = s.pointer(at, 0, 31 * size, size, range(8, 16))
    sp, registers = "sp" if high else "", range(1, 32) if high else range(8, 16)
    if s.rng.randrange(2):
        source = s.rng.choice(range(32) if high else range(8, 16))
        s.emit_c(f"c.{f}s{letter}{sp} {f or 'x'}{source}, {offset}(x{base})")
    elif f:
        s.emit_c(f"c.fl{letter}{sp} f{s.rng.choice(registers)}, {offset}(x{base})")
    else:
        rd = s.rd(registers)
        s.emit_c(f"c.l{letter}{sp} x{rd}, {offset}(x{base})", rd)


def c_jump(s):
    label, kind = s.label(), s.rng.randrange(5)
    if kind < 2:
        s.emit_c(f"c.{('beqz', 'bnez')[kind]} x{s.rng.randrange(8, 16)}, {label}")
        s.pending.append((len(s.items) + 1, label, dict(s.pointers)))  # they do not reach far
        return
    if kind == 2:
        s.emit_c(f"c.j {label}")
    else:
        base = s.rd(range(1, 32))
        s.emit(f"lla x{base}, {label}", base)
        if kind == 4 and 1 in s.kept:
            return s.lines.append(f"{label}:")
        s.emit_c(f"c.{('jr', 'jalr')[kind - 3]} x{base}", *((1,) if kind == 4 else ()))
    return over(s, label)


def fp_memory(s, letter, size):
    base, offset = s.pointer(s.target(size), -2048, 2047)
    s.emit(f"f{s.rng.choice('ls')}{letter} f{s.x()}, {offset}(x{base})")


def fp_op(s, letter):
    """An instruction on singles (s) or doubles (d)."""
    rm, kind = s.rng.choice(ROUNDINGS), s.rng.randrange(16)
    a, b, c, d = (f"f{s.x()}" for _ in range(4))
    if kind < 5:
        op = s.rng.choice(("fadd", "fsub", "fmul", "fdiv"))
        s.emit(f"{op}.{letter} {a}, {b}, {c}, {rm}")
    elif kind < 6:
        s.emit(f"fsqrt.{letter} {a}, {b}, {rm}")
    elif kind < 9:
        op = s.rng.choice(("fmadd", "fmsub", "fnmadd", "fnmsub"))
        s.emit(f"{op}.{letter} {a}, {b}, {c}, {d}, {rm}")
    elif kind < 11:
        op = s.rng.choice(("fsgnj", "fsgnjn", "fsgnjx", "fmin", "fmax", "fmin", "fmax"))
        s.emit(f"{op}.{letter} {a}, {b}, {c}")
    elif kind < 13:
        rd = s.rd()
        op = s.rng.choice(("feq", "flt", "fle"))
        s.emit(f"{op}.{letter} x{rd}, {b}, {c}", rd)
    elif kind < 14:
        rd = s.rd()
        s.emit(f"fcvt.{s.rng.choice(('w', 'wu', 'l', 'lu'))}.{letter} x{rd}, {a}, {rm}", rd)
    elif kind < 15:
        integer = s.rng.choice(("w", "wu", "l", "lu"))
        exact = letter == "d" and integer[0] == "w"  # takes no mode from the assembler
        s.emit(f"fcvt.{letter}.{integer} {a}, x{s.x()}" + ("" if exact else f", {rm}"))
    else:
        bits, rd = "w" if letter == "s" else "d", s.rd()
        line = s.rng.choice((f"fclass.{letter} x{rd}, {a}", f"fmv.x.{bits} x{rd}, {a}", "in"))
        if line == "in":
            s.emit(f"fmv.{bits}.x {a}, x{s.x()}")
        else:
            s.emit(line, rd)


def single(s):
    if s.rng.randrange(5) == 0:
        fp_memory(s, "w", 4)
    else:
        fp_op(s, "s")


def double(s):
    kind = s.rng.randrange(10)
    if kind < 2:
        fp_memory(s, "d", 8)
    elif kind < 3:
        s.emit(f"fcvt.s.d f{s.x()}, f{s.x()}, {s.rng.choice(ROUNDINGS)}")
    elif kind < 4:
        s.emit(f"fcvt.d.s f{s.x()}, f{s.x()}")
    else:
        fp_op(s, "d")


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


# The letter of --mix, what makes an item, how often.
KINDS = (("i", integer_op, 20), ("i", constant, 5), ("i", load, 8), ("i", store, 8),
         ("i", fence, 1), ("i", branch, 5), ("i", jump, 2), ("i", loop, 2), ("i", patch, 1),
         ("m", multiply, 10), ("a", amo, 5), ("a", reserve, 3), ("f", single, 16),
         ("d", double, 16), ("c", compressed, 24), ("z", csr, 5),
         ("x", word, 4), ("x", half, 2), ("x", call, 1), ("x", nowhere, 1))
# Those that leave no label behind.
STRAIGHT = (integer_op, constant, load, store, multiply, amo, single, double, csr)
LETTERS = "imafdczxu"
