"""Items of integers: arithmetic, memory, jumps, code that is written."""
import values

R_R = ("add sub sll slt sltu xor srl sra or and addw subw sllw srlw sraw").split()
R_I = ("addi slti sltiu xori ori andi addiw").split()
MUL = ("mul mulh mulhsu mulhu div divu rem remu mulw divw divuw remw remuw").split()
LOADS = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4, "lwu": 4, "ld": 8}
STORES = {"sb": 1, "sh": 2, "sw": 4, "sd": 8}
BRANCHES = ("beq bne blt bge bltu bgeu").split()


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
    s.over(label)


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
    s.over(label)


def loop(s):
    """A few items, a few times."""
    counter, label, rest = s.rd(range(1, 32)), s.label(), s.kept
    s.emit(f"li x{counter}, {s.rng.randrange(1, 6)}", counter)
    s.lines.append(f"{label}:")
    s.pointers, s.kept = {}, rest | {counter}
    straight = [kind for kind in s.kinds if kind.straight]
    for _ in range(s.rng.randrange(1, 6)):
        s.add(straight)
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
