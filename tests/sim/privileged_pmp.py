"""Cases of PMP: what its entries permit, with and without page tables, and locks."""
from privileged_case import M, MPRV, S, U, pmp_byte
from privileged_pages import access, translated


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
