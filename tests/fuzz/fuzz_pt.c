/* Page tables: each five bytes are a call with an address from a few windows at the
 * borders that matter, a length, a level and permissions; tables run out when the input
 * says so. A failed call changes nothing; what is mapped and unmapped is read by
 * walker.c. */
/* sources: kernel/mm/pt.c tests/host/pttables.c tests/host/walker.c tests/host/hostarch.c */
#include "arch/pte.h"
#include "lib/errno.h"
#include "levels.h"
#include "ptborder.h"
#include "pttables.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds)
        abort();
}

static struct walker_survey survey(const struct pt *pt) {
    struct walker_survey s = walker_survey(pt->root.v, 0, 512, NULL, NULL);
    must(!s.fault && s.tables == pt->tables && s.tables == pttables_out && s.empty == 0);
    return s;
}

static uint64_t window(unsigned i) {
    const uint64_t windows[] = {0,
                                MIB(2) - 8 * PAGE_SIZE,
                                level_size(paging.levels - 1) - 16 * PAGE_SIZE,
                                USER_HALF_END - MIB(4),
                                high_half(),
                                0 - MIB(4),
                                GIB(3),
                                USER_HALF_END + MIB(1)};
    return windows[i];
}

struct call {
    uint64_t va, bytes, flags;
    unsigned level;
};

static struct call decode(const uint8_t *in) {
    static const uint64_t units[] = {PAGE_SIZE, PAGE_SIZE, MIB(2), GIB(1)};
    struct call c = {.level = in[3] & 3, .flags = (in[4] & 0x1f) << 1};
    c.va = window(in[1] & 7) + (uint64_t)(in[1] >> 3) * units[in[3] >> 2 & 3];
    /* Not so many entries that one input takes long. */
    unsigned unit = in[2] >> 6;
    c.bytes = (1 + (uint64_t)(in[2] & (unit < 2 ? 63 : 3))) * units[unit];
    if (unit == 3 && c.level == 0)
        c.level = 1;
    if (in[4] & 0x20)
        c.va += 8;
    return c;
}

static bool leaf_at(const struct pt *pt, uint64_t va, uint64_t *pa) {
    enum walker_mode modes[] = {WALKER_SUPERVISOR, WALKER_SUPERVISOR_SUM};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned access = WALKER_LOAD; access <= WALKER_FETCH; access++)
            if (walker_access(pt->root.v, va, access, modes[i], pa))
                return true;
    return walker_access(pt->root.v, va, WALKER_FETCH, WALKER_USER, pa);
}

static void map(struct pt *pt, const struct call *c) {
    uint64_t before = survey(pt).hash, physical = GIB(4) + c->va % GIB(4), pa;
    int err = pt_map(pt, VA(c->va), PA(physical & ~7ULL), c->bytes, c->flags, c->level);
    uint64_t after = survey(pt).hash;
    if (err) {
        must(err == -K_EINVAL || err == -K_EEXIST || err == -K_ENOMEM);
        must(before == after);
        return;
    }
    must(leaf_at(pt, c->va, &pa) && pa == physical);
    must(leaf_at(pt, c->va + c->bytes - 1, &pa) && pa == physical + c->bytes - 1);
}

static bool range_is_good(const struct call *c) {
    return c->va % PAGE_SIZE == 0 && va_canonical(VA(c->va), paging.levels) &&
           va_canonical(VA(c->va + c->bytes - 1), paging.levels) && c->va + c->bytes > c->va &&
           (c->va < USER_HALF_END) == (c->va + c->bytes <= USER_HALF_END);
}

static void nothing(void *ctx, pte_t e, unsigned level) {}

static void unmap(struct pt *pt, const struct call *c) {
    static struct pt_gather gather;
    uint64_t pa, end = c->va + c->bytes;
    if (!range_is_good(c) || borders_at(pt, c->va, end))
        return;
    for (uint64_t at = c->va; at < end;) {
        uint64_t stop = pt_unmap(pt, VA(at), VA(end), &gather).v;
        must(stop > at && stop <= end);
        pt_gather_finish(pt, &gather, nothing, NULL);
        at = stop;
    }
    must(!leaf_at(pt, c->va, &pa) && !leaf_at(pt, end - 1, &pa));
}

static void set_leaf(struct pt *pt, const struct call *c) {
    uint64_t before = survey(pt).hash;
    pte_t old = 0;
    /* Of bits that no leaf has none: so it is as pt_map would make it. */
    pte_t leaf = pte_leaf(PA(GIB(4)), c->flags);
    if (pt_set_leaf(pt, VA(c->va), c->level, leaf, &old))
        must(survey(pt).hash == before);
    else
        must(c->level < paging.levels && !pte_is_table(old));
}

static void protect(struct pt *pt, const struct call *c) {
    if (!range_is_good(c) || borders_at(pt, c->va, c->va + c->bytes))
        return;
    for (uint64_t at = c->va, end = at + c->bytes, stop; at != end; at = stop) {
        stop = pt_protect(pt, VA(at), VA(end), PTE_R, c->flags & (PTE_W | PTE_U)).v;
        must(stop > at && stop <= end);
    }
}

static void run(struct pt *pt, const uint8_t *in) {
    struct call c = decode(in);
    pttables_fail = in[0] >> 3;
    switch (in[0] & 7) {
    case 0 ... 2: map(pt, &c); break;
    case 3 ... 4: unmap(pt, &c); break;
    case 5: set_leaf(pt, &c); break;
    case 6: protect(pt, &c); break;
    default: (void)!pt_split(pt, VA(c.va)); break;
    }
    pttables_fail = 0;
    survey(pt);
}

/* The bytes left of whole calls say how many levels there are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt pt;
    use_levels(LEVELS_MIN + size % 5 % 3);
    pttables_reset();
    must(pt_init(&pt, paging.levels, &pttables) == 0);
    for (size_t i = 0; i + 5 <= size && i < 200; i += 5)
        run(&pt, data + i);
    return 0;
}
