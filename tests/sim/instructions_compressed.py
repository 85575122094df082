"""Items of the C extension."""


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
    return s.over(label)
