"""Items of the A extension."""
from instructions_integer import integer_op
from sequence import SCRATCH

AMOS = ("swap add xor and or min max minu maxu").split()
ORDERS = ("", ".aq", ".rl", ".aqrl")


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
