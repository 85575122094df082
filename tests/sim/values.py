"""Numbers that make arithmetic go wrong, and others."""

ONES = (1 << 64) - 1
BOX = 0xffffffff << 32  # what stands above a single in a register of doubles

INTEGERS = [0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
            0x80000001, 0xffffffff, 1 << 32, (1 << 32) + 1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1,
            (1 << 63) - 1, 1 << 63, (1 << 63) + 1, ONES, ONES - 1, ONES - 0x7f, ONES - 0x7fff,
            ONES - 0x7fffffff, ONES - 0x80000000, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa]
# Zero, the least and the greatest subnormal, the least normal, near one, the greatest, infinity,
# NaNs that are quiet and signaling, and the borders of the integers.
SINGLES = [0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000,
           0x40000000, 0x40490fdb, 0x34000000, 0x33800000, 0x7f7fffff, 0x7f800000, 0x7f800001,
           0x7fbfffff, 0x7fc00000, 0x7fc00001, 0x7fffffff, 0x4b7fffff, 0x4b800000, 0x4effffff,
           0x4f000000, 0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0x5f7fffff, 0x5f800000,
           0x3f000000, 0x3effffff, 0x3f000001, 0x40200000, 0x0c000000, 0x20000000]
DOUBLES = [0, 1, 2, (1 << 52) - 1, 1 << 52, (1 << 52) + 1, 0x3fefffffffffffff, 0x3ff0000000000000,
           0x3ff0000000000001, 0x3ff8000000000000, 0x4000000000000000, 0x400921fb54442d18,
           0x3cb0000000000000, 0x3ca0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
           0x7ff0000000000001, 0x7ff7ffffffffffff, 0x7ff8000000000000, 0x7ff8000000000001,
           0x7fffffffffffffff, 0x433fffffffffffff, 0x4340000000000000, 0x41dfffffffc00000,
           0x41dfffffffe00000, 0x41e0000000000000, 0x41efffffffe00000, 0x41effffffff00000,
           0x41f0000000000000, 0x43dfffffffffffff, 0x43e0000000000000, 0x43efffffffffffff,
           0x43f0000000000000, 0x3fe0000000000000, 0x3fdfffffffffffff, 0x3fe0000000000001,
           0x4004000000000000, 0x36a0000000000000, 0x3690000000000000, 0x3690000000000001,
           0x380fffffffffffff, 0x3810000000000000, 0x47efffffe0000000, 0x47efffffefffffff,
           0x47effffff0000000, 0x1ff0000000000000, 0x2000000000000000]


def integer(rng):
    """64 bits: a border, something near a power of two, or anything."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(INTEGERS)
    if kind == 1:
        return ((1 << rng.randrange(64)) + rng.randrange(-2, 3)) & ONES
    if kind == 2:
        return (rng.getrandbits(64) >> rng.randrange(64)) * rng.choice((1, -1)) & ONES
    return rng.getrandbits(64)


def number(rng, special, bits, fraction, exponents):
    """Of so many bits, of which so many are the fraction: a special one, one with an exponent
    that meets the others', or anything."""
    kind = rng.randrange(3)
    sign = rng.getrandbits(1) << bits - 1
    if kind == 0:
        return sign | rng.choice(special)
    if kind == 1:
        low = rng.getrandbits(fraction) << rng.randrange(fraction + 1) & (1 << fraction) - 1
        return sign | rng.choice(exponents) << fraction | low
    return rng.getrandbits(bits)


def single(rng):
    return number(rng, SINGLES, 32, 23, range(120, 136))


def double(rng):
    return number(rng, DOUBLES, 64, 52, range(1015, 1035))


# Few numbers that meet often: at the border of the subnormals (with products that are far below
# it), and those whose order is not that of their bits.
MIN_S, MIN_D = 0x800000, 1 << 52
THEMES = ([BOX | n for n in (MIN_S, MIN_S | 1 << 31, MIN_S + 1, MIN_S - 1, 1, 0x1a000000,
                             0x9a000000, 0x0d000000, 0x3f800000, 0x3f7fffff, 0x3f800001,
                             0xbf800000, 0x3f000000, 0x40000000)] +
          [0x3810000000000000, 0x380fffffffffffff, 0xb80fffffefffffff, 0x380ffffff0000000,
           0x380fffffe0000000, 0x380fffffd0000001],
          [MIN_D, MIN_D | 1 << 63, MIN_D + 1, MIN_D - 1, 1, 0x1a70000000000000,
           0x9a70000000000000, 0x0ff0000000000000, 0x3ff0000000000000, 0x3fefffffffffffff,
           0x3ff0000000000001, 0xbff0000000000000, 0x3fe0000000000000, 0x4000000000000000],
          [BOX | n for n in (0, 1 << 31, 0, 1 << 31, 0x3f800000, 0xbf800000, 0x7f800000,
                             0xff800000, 0x7fc00000, 0x7f800001, 0xffbfffff, 0xffffffff)],
          [0, 1 << 63, 0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
           0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff7ffffffffffff])


def registers(rng):
    """All f registers."""
    theme = rng.choice(THEMES) if rng.randrange(4) == 0 else None
    return [rng.choice(theme) if theme and rng.randrange(8) else floating(rng) for _ in range(32)]


def floating(rng):
    """64 bits of an f register: a boxed single, a double, rarely a single without its box."""
    kind = rng.randrange(20)
    if kind < 9:
        return BOX | single(rng)
    if kind < 18:
        return double(rng)
    return rng.getrandbits(32) << 32 | single(rng)
