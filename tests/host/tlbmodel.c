/* The harts of tlbmodel.h. */
#include "tlbmodel.h"
#include "arch/csr.h"
#include "arch/pte.h"
#include "arch/sbi.h"
#include "hostarch.h"
#include "lib/panic.h"
#include <stdio.h>
#include <string.h>

#define SETS 256
#define WAYS 8
#define HARTS 4 /* that take part */

struct entry {
    bool used;
    uint8_t level;
    uint16_t asid;
    uint64_t prefix; /* the address from the level's index on */
    uint64_t root;   /* of the table that it was read in */
    pte_t pte;
};

static struct {
    uint64_t satp;
    struct entry cache[SETS][WAYS];
} model[HARTS];
static uint64_t asid_mask;

uint64_t (*tlbmodel_interest)(void);
bool (*tlbmodel_is_table)(uint64_t pa);
uint64_t tlbmodel_fences[3], tlbmodel_remote_fences;
void (*tlbmodel_meanwhile)(void);

static unsigned self(void) { return hart_self()->index; }

static uint16_t asid_of(uint64_t satp) { return satp >> SATP_ASID_SHIFT; }
static uint64_t root_of(uint64_t satp) { return (satp & ((1ULL << SATP_ASID_SHIFT) - 1)) << 12; }

static uint64_t prefix_of(uint64_t va, unsigned level) {
    return (va & ((1ULL << VA_BITS(paging.levels)) - 1)) >> (12 + 9 * level);
}

static pte_t *at(uint64_t table, uint64_t va, unsigned level) {
    return (pte_t *)pa_ptr(PA(table)) + va_index(VA(va), level);
}

static struct entry *set_of(unsigned hart, uint64_t prefix, unsigned level) {
    return model[hart].cache[(prefix * 31 + level * 101) % SETS];
}

static bool matches(const struct entry *e, uint64_t prefix, unsigned level, uint16_t asid) {
    return e->used && e->level == level && e->prefix == prefix &&
           (e->asid == asid || (pte_is_leaf(e->pte) && (e->pte & PTE_G)));
}

void tlbmodel_reset(unsigned asid_bits) {
    memset(model, 0, sizeof model);
    asid_mask = (1ULL << asid_bits) - 1;
}

/* ---- walks ------------------------------------------------------------------ */

static void keep(unsigned hart, uint64_t prefix, unsigned level, pte_t pte) {
    struct entry *set = set_of(hart, prefix, level), *victim = &set[host_random_below(WAYS)];
    uint16_t asid = asid_of(model[hart].satp);
    for (unsigned w = 0; w < WAYS; w++) {
        if (matches(&set[w], prefix, level, asid) && set[w].pte == pte)
            return;
        if (!set[w].used)
            victim = &set[w];
    }
    *victim = (struct entry){true, level, asid, prefix, root_of(model[hart].satp), pte};
}

/* One walk that takes at each level memory or what it has kept, and keeps all. */
static void walk_some_way(unsigned hart, uint64_t va) {
    uint64_t satp = model[hart].satp, table = root_of(satp);
    for (int level = (int)paging.levels - 1; level >= 0; level--) {
        if (!tlbmodel_is_table(table))
            panic("hart %u walks for %#llx through %#llx, which is no table any more", hart,
                  (unsigned long long)va, (unsigned long long)table);
        uint64_t prefix = prefix_of(va, level);
        pte_t pte = *at(table, va, level);
        keep(hart, prefix, level, pte);
        const struct entry *other = &set_of(hart, prefix, level)[host_random_below(WAYS)];
        if (matches(other, prefix, level, asid_of(satp)))
            pte = other->pte;
        if (!pte_is_table(pte) || level == 0)
            return;
        table = pte_pa(pte).v;
    }
}

void tlbmodel_speculate(unsigned n) {
    for (unsigned hart = 0; hart < HARTS; hart++)
        for (unsigned i = 0; i < n && model[hart].satp; i++)
            walk_some_way(hart, tlbmodel_interest());
}

static bool permitted(pte_t leaf, enum walker_access access, enum walker_mode mode) {
    if (mode == WALKER_USER
            ? !(leaf & PTE_U)
            : (leaf & PTE_U) && (mode == WALKER_SUPERVISOR || access == WALKER_FETCH))
        return false;
    switch (access) {
    case WALKER_LOAD: return leaf & PTE_R;
    case WALKER_STORE: return leaf & PTE_W;
    default: return leaf & PTE_X;
    }
}

struct attempt {
    uint64_t va;
    enum walker_access access;
    enum walker_mode mode;
    struct tlbmodel_access result;
};

static void try_all(struct attempt *a, uint64_t table, unsigned level);

static void try_entry(struct attempt *a, pte_t pte, unsigned level) {
    if (pte_is_table(pte) && level > 0) {
        try_all(a, pte_pa(pte).v, level - 1);
        return;
    }
    if (!pte_is_leaf(pte) || !permitted(pte, a->access, a->mode)) {
        a->result.may_fault = true;
        return;
    }
    uint64_t pa = pte_pa(pte).v | (a->va & (level_size(level) - 1));
    a->result.ambiguous |= a->result.may_succeed && a->result.pa != pa;
    a->result.may_succeed = true;
    a->result.pa = pa;
}

static void try_all(struct attempt *a, uint64_t table, unsigned level) {
    uint64_t prefix = prefix_of(a->va, level);
    const struct entry *set = set_of(self(), prefix, level);
    for (unsigned w = 0; w < WAYS; w++)
        if (matches(&set[w], prefix, level, asid_of(model[self()].satp)))
            try_entry(a, set[w].pte, level);
    try_entry(a, *at(table, a->va, level), level);
}

struct tlbmodel_access tlbmodel_access(uint64_t va, enum walker_access access,
                                       enum walker_mode mode) {
    struct attempt a = {.va = va, .access = access, .mode = mode};
    if (va_canonical(VA(va), paging.levels))
        try_all(&a, root_of(model[self()].satp), paging.levels - 1);
    else
        a.result.may_fault = true;
    return a.result;
}

/* ---- satp and sfence.vma ------------------------------------------------------ */

uint64_t host_csr_read(const char *name) {
    if (strcmp(name, "satp") != 0)
        panic("the model has no %s", name);
    return model[self()].satp;
}

void host_csr_write(const char *name, uint64_t value) {
    if (strcmp(name, "satp") != 0)
        panic("the model has no %s", name);
    model[self()].satp = value & ~((SATP_ASID_MASK & ~asid_mask) << SATP_ASID_SHIFT);
    if (tlbmodel_interest)
        tlbmodel_speculate(2); /* the fence, if there is one, comes too late for these */
}

uint64_t tlbmodel_satp(void) { return model[self()].satp; }

static void forget(bool (*covers)(const struct entry *e, uint64_t va, uint64_t asid), uint64_t va,
                   uint64_t asid) {
    struct entry *e = &model[self()].cache[0][0];
    for (unsigned i = 0; i < SETS * WAYS; i++)
        if (e[i].used && (!covers || covers(&e[i], va, asid)))
            e[i].used = false;
}

static bool is_global(const struct entry *e) { return pte_is_leaf(e->pte) && (e->pte & PTE_G); }

static bool in_asid(const struct entry *e, uint64_t va, uint64_t asid) {
    return e->asid == asid && !is_global(e);
}

/* What stands now where the entry was read, in the tree under root: also the
 * level, which is higher where the tree does not reach down. */
static pte_t now_at(uint64_t root, const struct entry *e, unsigned *level) {
    uint64_t va = e->prefix << (12 + 9 * e->level);
    unsigned l = paging.levels - 1;
    pte_t pte = *at(root, va, l);
    while (l > e->level && pte_is_table(pte))
        pte = *at(pte_pa(pte).v, va, --l);
    *level = l;
    return pte;
}

/* "Leaf page-table entries corresponding to the virtual address": one that is a
 * leaf, or that can be nothing else at its level, or one that has become a leaf. */
static bool is_leaf_of(const struct entry *e, uint64_t va, uint64_t asid) {
    if (!in_asid(e, va, asid) || e->prefix != prefix_of(va, e->level))
        return false;
    unsigned level;
    pte_t now = now_at(e->root, e, &level);
    return pte_is_leaf(e->pte) || e->level == 0 ||
           (!pte_valid(e->pte) && level == e->level && pte_is_leaf(now));
}

/* The same in all ASIDs, but for the last case: the entry's tree may be gone. */
static bool is_leaf_anywhere(const struct entry *e, uint64_t va, uint64_t any_asid) {
    return e->prefix == prefix_of(va, e->level) && (pte_is_leaf(e->pte) || e->level == 0);
}

static void fence(unsigned kind, bool (*covers)(const struct entry *, uint64_t, uint64_t),
                  uint64_t va, uint64_t asid) {
    tlbmodel_fences[kind]++;
    if (tlbmodel_interest)
        tlbmodel_speculate(2); /* the last moment at which it may be done */
    forget(covers, va, asid);
    if (tlbmodel_interest)
        tlbmodel_speculate(2);
}

void sfence_page(uint64_t va, uint64_t asid) { fence(0, is_leaf_of, va, asid & asid_mask); }
void sfence_asid(uint64_t asid) { fence(1, in_asid, 0, asid & asid_mask); }
void sfence_all(void) { fence(2, NULL, 0, 0); }

/* The firmware, on that hart. */
static void fence_of_firmware(uint64_t start, uint64_t bytes) {
    if (bytes == UINT64_MAX)
        fence(2, NULL, 0, 0);
    for (uint64_t at = start; bytes != UINT64_MAX && at < start + bytes; at += PAGE_SIZE)
        fence(0, is_leaf_anywhere, at, 0);
}

void sbi_fence(struct sbi_harts who, uint64_t start, uint64_t bytes) {
    uint32_t caller = self();
    void (*others)(void) = tlbmodel_meanwhile;
    tlbmodel_remote_fences++;
    tlbmodel_meanwhile = NULL;
    if (others)
        others();
    for (uint32_t i = 0; i < NHART; i++) {
        if (harts[i].hartid < who.base || !(who.mask >> (harts[i].hartid - who.base) & 1))
            continue;
        host_hart_be(i);
        fence_of_firmware(start, bytes);
    }
    host_hart_be(caller);
}

/* There is no model of caches of instructions. */
void sbi_fence_code(struct sbi_harts who) {}

/* swtch.S */
void tlbmodel_swtch(uint64_t satp) {
    uint64_t left = model[self()].satp;
    if (left == satp)
        return;
    csr_write(satp, satp);
    if (asid_of(left) == 0)
        sfence_asid(0);
}

/* trampoline.S */
void tlbmodel_trampoline_in(uint64_t satp) {
    uint64_t left = model[self()].satp;
    if (left == satp)
        return;
    csr_write(satp, satp);
    if (asid_of(left) == 0)
        sfence_all();
}

void tlbmodel_trampoline_out(uint64_t satp) {
    if (model[self()].satp == satp)
        return;
    csr_write(satp, satp);
    if (asid_of(satp) == 0)
        sfence_all();
}

/* ---- what must not be --------------------------------------------------------- */

/* Whether a walk that uses it gets anywhere: at level 0 an entry with V alone is a fault. */
static bool leads_on(const struct entry *e) {
    return pte_valid(e->pte) && !(e->level == 0 && pte_is_table(e->pte));
}

/* Whether each page that the kept leaf maps is mapped so by the tree, and no less
 * permitted. */
static bool leaf_holds(uint64_t root, const struct entry *e) {
    uint64_t base = e->prefix << (12 + 9 * e->level);
    for (uint64_t off = 0; off < level_size(e->level); off += PAGE_SIZE) {
        struct entry page = {.level = 0, .prefix = prefix_of(base + off, 0)};
        unsigned level;
        pte_t now = now_at(root, &page, &level);
        uint64_t inside = (base + off) & (level_size(level) - 1);
        if (!pte_is_leaf(now) || pte_pa(now).v + inside != pte_pa(e->pte).v + off ||
            (e->pte & ~now & PTE_RWX) || ((e->pte ^ now) & PTE_U))
            return false;
        if (inside == 0 && level >= e->level)
            return true; /* the same large leaf */
    }
    return true;
}

static const char *blame(unsigned hart, const struct entry *e, pte_t now) {
    static char text[160];
    snprintf(text, sizeof text,
             "hart %u, ASID %u, may use for %#llx at level %u the stale entry %#llx; now %#llx",
             hart, e->asid, (unsigned long long)(e->prefix << (12 + 9 * e->level)), e->level,
             (unsigned long long)e->pte, (unsigned long long)now);
    return text;
}

const char *tlbmodel_stale(void) {
    for (unsigned hart = 0; hart < HARTS; hart++) {
        uint64_t satp = model[hart].satp;
        const struct entry *e = &model[hart].cache[0][0];
        for (unsigned i = 0; i < SETS * WAYS; i++, e++) {
            if (!e->used || !satp || !leads_on(e) || (e->asid != asid_of(satp) && !is_global(e)))
                continue;
            unsigned level;
            pte_t now = now_at(root_of(satp), e, &level);
            if (level == e->level && now == e->pte)
                continue;
            /* The kernel's half is global, though the user's table may lack it: user
             * mode faults either way. */
            if (is_global(e) && !(e->pte & PTE_U) && !pte_valid(now))
                continue;
            if (pte_is_table(e->pte) || !leaf_holds(root_of(satp), e))
                return blame(hart, e, now);
        }
    }
    return NULL;
}

bool tlbmodel_reaches(uint64_t pa, uint64_t bytes) {
    for (unsigned hart = 0; hart < HARTS; hart++) {
        const struct entry *e = &model[hart].cache[0][0];
        for (unsigned i = 0; i < SETS * WAYS; i++, e++) {
            if (!e->used || !leads_on(e) || is_global(e) || e->asid != asid_of(model[hart].satp))
                continue;
            uint64_t from = pte_pa(e->pte).v;
            uint64_t size = pte_is_table(e->pte) ? PAGE_SIZE : level_size(e->level);
            if (from < pa + bytes && pa < from + size)
                return true;
        }
    }
    return false;
}
