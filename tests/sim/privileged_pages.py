"""Cases of page tables: walks over entries with any bits, changes and fences, MPRV."""
from privileged_case import (A, D, DELEGABLE, G, M, MPIE, MPRV, MXR, R, S, SPIE, SPP, SUM, U, USER,
                             V, W, X)


def flips(rng, value, bits, one_in):
    """With each of the bits changed, once in so often."""
    for n in range(64):
        if bits >> n & 1 and rng.randrange(one_in) == 0:
            value ^= 1 << n
    return value


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
