/* See walk.h. */
#include "machine/doctor/walk.h"
#include "machine/cpu/privileged.h"
#include "machine/cpu/pte.h"

enum { PAGE = 4096, INDEX_BITS = 9, MODE_SV39 = 8, MODE_SV57 = 10 };

const char *why_name(enum why why) {
    static const char *const names[] = {
        [WHY_GRANTED] = "granted",
        [WHY_NOT_CANONICAL] = "not-canonical",
        [WHY_TABLE_NO_RAM] = "table-no-ram",
        [WHY_NO_TABLE] = "no-table",
        [WHY_NOT_MAPPED] = "not-mapped",
        [WHY_FILLED] = "filled",
        [WHY_RESERVED] = "reserved",
        [WHY_MISALIGNED_LEAF] = "misaligned-leaf",
        [WHY_NO_R] = "no-r",
        [WHY_NO_W] = "no-w",
        [WHY_NO_X] = "no-x",
        [WHY_USER_PAGE] = "user-page",
        [WHY_KERNEL_PAGE] = "kernel-page",
        [WHY_NO_A] = "no-a",
        [WHY_NO_D] = "no-d",
        [WHY_NOTHING_THERE] = "nothing-there",
    };
    return names[why];
}

/* What QEMU's virt has besides RAM, as far as the machine has it. */
static bool is_device(uint64_t pa) {
    static const struct {
        uint64_t from, to;
    } devices[] = {{0x100000, 0x101000},    {0x101000, 0x102000},     {0x2000000, 0x2010000},
                   {0xc000000, 0x10000000}, {0x10000000, 0x10000100}, {0x10001000, 0x10009000}};
    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (pa >= devices[i].from && pa < devices[i].to)
            return true;
    return false;
}

static bool is_there(const struct sim *sim, uint64_t pa) {
    uint8_t byte;
    return sim_memory(sim, pa, &byte, 1) || is_device(pa);
}

static uint64_t frame_of(uint64_t entry) { return (entry >> 10 & ((1ull << 44) - 1)) << 12; }

/* As kfree of xv6 fills a page with 1, kalloc with 5. */
static bool is_filled(uint64_t entry) {
    uint64_t byte = entry & 0xff;
    return byte != 0 && entry == byte * 0x0101010101010101ull;
}

static enum why leaf_refuses(uint64_t entry, unsigned privilege, uint64_t status, enum use use) {
    static const uint64_t bits[] = {PTE_X, PTE_R, PTE_W};
    static const enum why whys[] = {WHY_NO_X, WHY_NO_R, WHY_NO_W};
    bool readable = use == USE_TO_LOAD && (status & MSTATUS_MXR) && (entry & PTE_X);
    if (!(entry & bits[use]) && !readable)
        return whys[use];
    if (privilege == PRIV_U && !(entry & PTE_U))
        return WHY_KERNEL_PAGE;
    if (privilege == PRIV_S && (entry & PTE_U) && (use == USE_TO_FETCH || !(status & MSTATUS_SUM)))
        return WHY_USER_PAGE;
    if (!(entry & PTE_A))
        return WHY_NO_A;
    if (use == USE_TO_STORE && !(entry & PTE_D))
        return WHY_NO_D;
    return WHY_GRANTED;
}

/* Of an entry that is no pointer to a table. */
static enum why entry_refuses(const struct walked *w, unsigned privilege, uint64_t status,
                              enum use use) {
    uint64_t entry = w->entry;
    if (is_filled(entry))
        return WHY_FILLED;
    if (!(entry & PTE_V))
        return w->level > 0 ? WHY_NO_TABLE : WHY_NOT_MAPPED;
    if (!(entry & PTE_LEAF) || (entry & PTE_RESERVED) || (entry & (PTE_R | PTE_W)) == PTE_W)
        return WHY_RESERVED;
    if (frame_of(entry) & (((uint64_t)PAGE << INDEX_BITS * w->level) - 1))
        return WHY_MISALIGNED_LEAF;
    return leaf_refuses(entry, privilege, status, use);
}

/* The last entry of the walk. false: there is none, and `why` says why. */
static bool last_entry(const struct sim *sim, uint64_t satp, uint64_t va, struct walked *to) {
    unsigned levels = (unsigned)(satp >> 60) - MODE_SV39 + 3, shift = 64 - 12 - 9 * levels;
    uint64_t table = frame_of(satp << 10);
    to->why = WHY_NOT_CANONICAL;
    if ((uint64_t)((int64_t)(va << shift) >> shift) != va)
        return false;
    for (unsigned level = levels; level-- > 0;) {
        uint64_t index = va >> (12 + INDEX_BITS * level) & 511;
        to->why = WHY_TABLE_NO_RAM;
        to->level = level;
        if (!sim_memory(sim, table + 8 * index, &to->entry, 8))
            return false;
        to->entry_at = table + 8 * index;
        if ((to->entry & (PTE_V | PTE_LEAF)) != PTE_V || (to->entry & PTE_RESERVED))
            return true;
        table = frame_of(to->entry);
    }
    return true;
}

void walk(const struct sim *sim, uint64_t satp, unsigned privilege, uint64_t status, uint64_t va,
          enum use use, struct walked *to) {
    unsigned mode = (unsigned)(satp >> 60);
    *to = (struct walked){.why = WHY_GRANTED, .pa = va};
    to->paged = privilege != PRIV_M && mode >= MODE_SV39 && mode <= MODE_SV57;
    if (to->paged) {
        to->pa = 0;
        if (!last_entry(sim, satp, va, to))
            return;
        to->why = entry_refuses(to, privilege, status, use);
        uint64_t span = ((uint64_t)PAGE << INDEX_BITS * to->level) - 1;
        if ((to->entry & PTE_V) && (to->entry & PTE_LEAF))
            to->pa = (frame_of(to->entry) & ~span) | (va & span);
    }
    if (to->why == WHY_GRANTED && !is_there(sim, to->pa))
        to->why = WHY_NOTHING_THERE;
}

bool walk_to(const struct sim *sim, uint64_t satp, unsigned privilege, uint64_t va, uint64_t *pa) {
    struct walked w;
    walk(sim, satp, privilege, MSTATUS_SUM | MSTATUS_MXR, va, USE_TO_LOAD, &w);
    *pa = w.pa;
    return w.why == WHY_GRANTED || w.why == WHY_NO_A;
}

bool walk_read(const struct sim *sim, uint64_t satp, unsigned privilege, uint64_t va, void *to,
               size_t bytes) {
    uint64_t pa;
    return (va & (PAGE - 1)) + bytes <= PAGE && walk_to(sim, satp, privilege, va, &pa) &&
           sim_memory(sim, pa, to, bytes);
}
