"""Items of the F and D extensions."""

ROUNDINGS = ("rne", "rtz", "rdn", "rup", "rmm", "dyn")


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
