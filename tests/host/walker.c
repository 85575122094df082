/* A second reader of page tables: tests/host/walker.h. */
#include "walker.h"
#include "hostarch.h"
#include <string.h>

unsigned walker_levels = 3;

/* Bits of an entry: V R W X U G A D at 0 to 7, RSW 9:8, PPN 53:10, reserved 60:54,
 * PBMT 62:61, N 63. */
static bool bit(uint64_t entry, unsigned n) { return entry >> n & 1; }
enum { V, R, W, X, U, G, A, D };

static uint64_t ppn(uint64_t entry) { return entry << 10 >> 20; }

static uint64_t read_entry(uint64_t table, uint64_t index) {
    uint64_t entry;
    memcpy(&entry, (const void *)(host_ram_base + table + index * 8), sizeof entry);
    return entry;
}

/* VPN[level] of an address: nine bits each above the page offset of twelve. */
static uint64_t vpn(uint64_t va, unsigned level) { return va >> (12 + 9 * level) & 0777; }

/* Bits that only extensions use, which this hart lacks. */
static bool reserved_set(uint64_t entry) { return entry >> 54 != 0; }

static bool permitted(uint64_t leaf, enum walker_access access, enum walker_mode mode) {
    if (mode == WALKER_USER && !bit(leaf, U))
        return false;
    if (mode != WALKER_USER && bit(leaf, U) &&
        (mode != WALKER_SUPERVISOR_SUM || access == WALKER_FETCH))
        return false;
    switch (access) {
    case WALKER_LOAD: return bit(leaf, R);
    case WALKER_STORE: return bit(leaf, W);
    default: return bit(leaf, X);
    }
}

bool walker_access(uint64_t root, uint64_t va, enum walker_access access, enum walker_mode mode,
                   uint64_t *pa) {
    int64_t sign = (int64_t)va >> (9 * walker_levels + 11); /* e.g. bits 63..38 are all equal */
    if (sign != 0 && sign != -1)
        return false;
    uint64_t table = root;
    for (int level = (int)walker_levels - 1; level >= 0; level--) {
        uint64_t entry = read_entry(table, vpn(va, level));
        if (!bit(entry, V) || (!bit(entry, R) && bit(entry, W)) || reserved_set(entry))
            return false;
        if (!bit(entry, R) && !bit(entry, X)) {
            if (bit(entry, A) || bit(entry, D) || bit(entry, U))
                return false; /* reserved in entries that point on */
            table = ppn(entry) << 12;
            continue;
        }
        uint64_t inside = (1ULL << (12 + 9 * level)) - 1;
        if (ppn(entry) << 12 & inside)
            return false; /* misaligned superpage */
        if (!permitted(entry, access, mode))
            return false;
        if (!bit(entry, A) || (access == WALKER_STORE && !bit(entry, D)))
            return false;
        *pa = ppn(entry) << 12 | (va & inside);
        return true;
    }
    return false; /* an entry at level 0 that points on */
}

struct survey {
    struct walker_survey sum;
    void (*leaf)(void *, uint64_t, uint64_t, unsigned);
    void *ctx;
};

static void blame(struct survey *s, const char *fault) {
    if (!s->sum.fault)
        s->sum.fault = fault;
}

static void mix(struct survey *s, uint64_t value) {
    s->sum.hash = (s->sum.hash ^ value) * 0x100000001b3ULL;
    s->sum.hash ^= s->sum.hash >> 29;
}

static void survey_leaf(struct survey *s, uint64_t va, uint64_t entry, unsigned level) {
    s->sum.leaves++;
    if (bit(entry, W) && !bit(entry, R))
        blame(s, "a leaf with W and without R");
    if (ppn(entry) & ((1ULL << 9 * level) - 1))
        blame(s, "a misaligned superpage");
    if (s->leaf)
        s->leaf(s->ctx, va, entry, level);
}

/* An entry at level 0 that points on: every access faults (4.3.2, step 3). */
static void survey_kept(struct survey *s, uint64_t va, uint64_t entry) {
    s->sum.kept++;
    if (s->leaf)
        s->leaf(s->ctx, va, entry, 0);
}

static void survey_table(struct survey *s, uint64_t table, unsigned level, uint64_t base,
                         unsigned first, unsigned end) {
    bool empty = true;
    s->sum.tables++;
    for (unsigned i = first; i < end; i++) {
        uint64_t entry = read_entry(table, i);
        uint64_t va = base + ((uint64_t)i << (12 + 9 * level));
        if (level == walker_levels - 1 && i >= 256)
            va |= UINT64_MAX << (9 * walker_levels + 11); /* the sign */
        if (!bit(entry, V)) {
            if (entry)
                blame(s, "an invalid entry that is not 0");
            continue;
        }
        empty = false;
        mix(s, va ^ level);
        mix(s, entry);
        if (reserved_set(entry))
            blame(s, "reserved bits are set");
        if (bit(entry, R) || bit(entry, W) || bit(entry, X))
            survey_leaf(s, va, entry, level);
        else if (bit(entry, A) || bit(entry, D) || bit(entry, U))
            blame(s, "A, D or U in an entry that points on");
        else if (level == 0)
            survey_kept(s, va, entry);
        else
            survey_table(s, ppn(entry) << 12, level - 1, va, 0, 512);
    }
    if (empty && level < walker_levels - 1)
        s->sum.empty++;
}

struct walker_survey walker_survey(uint64_t root, unsigned first, unsigned end,
                                   void (*leaf)(void *, uint64_t, uint64_t, unsigned), void *ctx) {
    struct survey s = {.sum = {.hash = 0xcbf29ce484222325ULL}, .leaf = leaf, .ctx = ctx};
    survey_table(&s, root, walker_levels - 1, 0, first, end);
    return s.sum;
}
