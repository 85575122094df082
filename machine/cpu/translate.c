/* Address translation: privileged specification 4.3.2 to 4.5. */
#include "machine/cpu/bits.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"
#include "machine/cpu/pmp.h"
#include "machine/cpu/pte.h"
#include "machine/rules/rules.h"
#include <string.h>

enum { LEVELS_MAX = 5 };

/* One step of a walk: the entry that was read. */
struct step {
    uint64_t pa, value;
    unsigned level;
    struct kept *kept; /* it came from there, not from memory */
};
struct path {
    struct step steps[LEVELS_MAX];
    unsigned count;
    bool no_memory; /* a table is where no RAM is */
    bool known;     /* the last entry is kept as it is */
};

static const struct step *last(const struct path *path) { return &path->steps[path->count - 1]; }

static uint64_t table_of(uint64_t pte) { return field(pte, 10, 44) << 12; }

static bool is_pointer(uint64_t pte) { return (pte & PTE_V) && !(pte & PTE_LEAF); }

enum privilege data_privilege(const struct hart *hart) {
    if (hart->priv == PRIV_M && (hart->mstatus & MSTATUS_MPRV))
        return (enum privilege)((hart->mstatus & MSTATUS_MPP) >> 11);
    return hart->priv;
}

/* Follows the tables; an entry that the hart keeps goes before memory's, if it may. */
static void follow(struct sim *sim, struct hart *hart, uint64_t va, unsigned levels, bool use_kept,
                   struct path *path) {
    uint64_t table = table_of(hart->satp << 10);
    uint16_t asid = (uint16_t)field(hart->satp, 44, 16);
    *path = (struct path){.count = 0};
    for (unsigned level = levels; level-- > 0;) {
        struct step *step = &path->steps[path->count];
        step->level = level;
        step->pa = table + 8 * field(va, 12 + 9 * level, 9);
        step->kept = use_kept ? keep_find(hart, asid, level, va) : NULL;
        if (step->kept != NULL) {
            step->value = step->kept->value;
        } else if (!ram_has(sim, step->pa, 8) ||
                   !pmp_allows(sim, hart, step->pa, 8, ACCESS_LOAD, PRIV_S)) {
            path->no_memory = true;
            return;
        } else {
            memcpy(&step->value, sim->ram + (step->pa - RAM_BASE), 8);
        }
        path->count++;
        if (!is_pointer(step->value) || (step->value & (PTE_U | PTE_A | PTE_D | PTE_RESERVED)))
            return;
        table = table_of(step->value);
    }
}

/* A leaf that is kept needs no table above it. */
static bool kept_leaf(struct hart *hart, uint64_t va, unsigned levels, struct path *path) {
    uint16_t asid = (uint16_t)field(hart->satp, 44, 16);
    for (unsigned level = 0; level < levels; level++) {
        struct kept *kept = keep_find(hart, asid, level, va);
        if (kept != NULL && (kept->value & PTE_V) && (kept->value & PTE_LEAF)) {
            *path = (struct path){.steps = {{kept->pa, kept->value, level, kept}}, .count = 1};
            return true;
        }
    }
    return false;
}

/* Steps 3 to 8 of 4.3.2: whether the entry that a path ends with grants the access. */
static bool grants(const struct sim *sim, const struct hart *hart, const struct path *path,
                   enum access access, enum privilege priv) {
    if (path->no_memory)
        return false;
    uint64_t pte = last(path)->value;
    unsigned level = last(path)->level;
    if (!(pte & PTE_V) || !(pte & PTE_LEAF) || (pte & PTE_RESERVED) ||
        (!(pte & PTE_R) && (pte & PTE_W)))
        return false;
    if (field(pte, 10, 9 * level) != 0) /* a misaligned large page */
        return false;
    if ((pte & PTE_U) ? priv == PRIV_S && (access == ACCESS_FETCH || !(hart->mstatus & MSTATUS_SUM))
                      : priv == PRIV_U)
        return false;
    uint64_t readable = PTE_R | (hart->mstatus & MSTATUS_MXR ? PTE_X : 0);
    if (!(pte & (access == ACCESS_FETCH ? PTE_X : access == ACCESS_LOAD ? readable : PTE_W)))
        return false;
    if (sim->options.svadu)
        return true;
    return (pte & PTE_A) && (access != ACCESS_STORE || (pte & PTE_D));
}

static uint64_t physical(const struct step *step, uint64_t va) {
    uint64_t offset = level_bytes(step->level) - 1;
    return (table_of(step->value) & ~offset) | (va & offset);
}

static uint64_t in_memory(const struct sim *sim, const struct step *step) {
    uint64_t now;
    memcpy(&now, sim->ram + (step->pa - RAM_BASE), 8);
    return now;
}

/* Svadu: what a leaf becomes when it is used. */
static uint64_t marked(const struct sim *sim, uint64_t pte, enum access access) {
    if (!sim->options.svadu)
        return pte;
    return pte | PTE_A | (access == ACCESS_STORE ? PTE_D : 0);
}

/* The first entry of a path that is not what memory has in that place. */
static const struct kept *differing(const struct sim *sim, const struct path *path) {
    for (unsigned i = 0; i < path->count; i++) {
        const struct step *step = &path->steps[i];
        if (step->kept != NULL && in_memory(sim, step) != step->value)
            return step->kept;
    }
    for (unsigned i = 0; i < path->count; i++) /* or a table above it is another */
        if (path->steps[i].kept != NULL)
            return path->steps[i].kept;
    return NULL;
}

static bool is_step(const struct kept *entry, const struct step *step) {
    return entry != NULL && entry->value == step->value && entry->pa == step->pa;
}

/* Of an address that nobody has asked for nothing is replaced: the hart still has the old one. */
static void keep_path(struct sim *sim, struct hart *hart, uint64_t va, const struct path *path,
                      bool ahead) {
    bool global = false;
    for (unsigned i = 0; i < path->count; i++) {
        const struct step *step = &path->steps[i];
        global |= (step->value & PTE_G) && (step->value & PTE_V);
        const struct kept *same = keep_find(hart, (uint16_t)field(hart->satp, 44, 16), step->level,
                                            va);
        if (step->kept != NULL || is_step(same, step) || (ahead && same != NULL))
            continue;
        struct kept entry = {.va = va & ~(level_bytes(step->level) - 1),
                             .pa = step->pa,
                             .value = step->value,
                             .when = sim_now(sim),
                             .asid = (uint16_t)field(hart->satp, 44, 16),
                             .level = (uint8_t)step->level,
                             .global = global};
        keep_add(sim, hart, &entry);
    }
}

/* Three times in four the hart believes what it has kept. */
static bool believes_kept(struct hart *hart) { return choose(&hart->random) >> 62 != 0; }

/* Chooses between what is kept and what memory says, where they differ in what they grant. */
static void settle(struct sim *sim, struct hart *hart, uint64_t va, enum access access,
                   enum privilege priv, const struct path *kept, struct path *path) {
    const struct step *old = last(kept), *new = path->count ? last(path) : NULL;
    bool kept_grants = grants(sim, hart, kept, access, priv);
    bool memory_grants = grants(sim, hart, path, access, priv);
    bool same = kept_grants && memory_grants && physical(old, va) == physical(new, va);
    if ((!kept_grants && !memory_grants) || !believes_kept(hart))
        return;
    if (kept_grants && marked(sim, old->value, access) != old->value &&
        in_memory(sim, old) != old->value)
        return; /* A and D are set only where memory has the same: step 7 */
    if (same) {
        if (old->pa == new->pa) /* else the hart would not learn when the new one changes */
            *path = *kept;
        return;
    }
    const struct kept *by = differing(sim, kept);
    if (by == NULL)
        return;
    if (kept_grants)
        keep_contradicted(sim, hart, by, va, access, new ? new->value : 0);
    else
        keep_refused(hart, by, va);
    *path = *kept;
}

/* Tables that were given back are no tables. */
static void check_tables(struct sim *sim, struct hart *hart, uint64_t va, const struct path *path) {
    for (unsigned i = 0; i < path->count; i++)
        if (sim->page_flags[(path->steps[i].pa - RAM_BASE) >> 12] & PAGE_FREED)
            frames_touched(sim, hart, va, path->steps[i].pa, USE_WALK);
}

static void walk(struct sim *sim, struct hart *hart, uint64_t va, unsigned levels,
                 enum access access, enum privilege priv, struct path *path) {
    struct path kept;
    follow(sim, hart, va, levels, false, path);
    check_tables(sim, hart, va, path);
    if (!sim->options.keep)
        return;
    if (path->count > 0) {
        const struct step *end = last(path);
        const struct kept *same = keep_find(hart, (uint16_t)field(hart->satp, 44, 16), end->level,
                                            va);
        path->known = is_step(same, end);
        if (path->known)
            return;
    }
    if (!kept_leaf(hart, va, levels, &kept))
        follow(sim, hart, va, levels, true, &kept);
    if (!kept.no_memory && kept.count > 0)
        settle(sim, hart, va, access, priv, &kept, path);
}

static bool fault(struct hart *hart, uint64_t va, enum access access, bool page) {
    static const uint8_t causes[2][3] = {
        {CAUSE_FETCH_ACCESS, CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS},
        {CAUSE_FETCH_PAGE, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE}};
    return trap_is(hart, causes[page][access], va);
}

static void set_used(struct sim *sim, struct path *path, enum access access) {
    struct step *step = &path->steps[path->count - 1];
    uint64_t used = marked(sim, step->value, access);
    if (used == step->value)
        return;
    step->value = used;
    step->kept = NULL;
    path->known = false;
    store_begins(sim, step->pa);
    memcpy(sim->ram + (step->pa - RAM_BASE), &used, 8);
    page_changed(sim, step->pa);
    memory_written(sim, step->pa, 8);
}

/* What the walk has ended with, if memory has that. */
static void check_last(struct sim *sim, struct hart *hart, uint64_t va, const struct path *path,
                       bool ahead) {
    if (sim->options.checks == 0 || path->count == 0 || last(path)->kept != NULL)
        return;
    const struct walked walked = {va, last(path)->pa, last(path)->value, last(path)->level, ahead};
    rules_walked(sim, hart, &walked);
}

bool translate(struct sim *sim, struct hart *hart, uint64_t va, enum access access, uint64_t *pa) {
    enum privilege priv = access == ACCESS_FETCH ? hart->priv : data_privilege(hart);
    unsigned mode = (unsigned)(hart->satp >> 60);
    struct path path;
    if (priv == PRIV_M || mode == 0) {
        *pa = va;
        return true;
    }
    unsigned levels = mode - 8 + 3, bits = 12 + 9 * levels;
    if (sext(va, bits) != (int64_t)va)
        return fault(hart, va, access, true);
    walk(sim, hart, va, levels, access, priv, &path);
    if (path.no_memory)
        return fault(hart, va, access, false);
    bool granted = grants(sim, hart, &path, access, priv);
    if (granted)
        set_used(sim, &path, access);
    if (!path.known) {
        keep_path(sim, hart, va, &path, false);
        check_last(sim, hart, va, &path, false);
        speculate(sim, hart, va);
    }
    if (!granted)
        return fault(hart, va, access, true);
    *pa = physical(last(&path), va);
    return true;
}

bool translate_quietly(struct sim *sim, struct hart *hart, uint64_t va, enum privilege priv,
                       uint64_t *pa) {
    unsigned mode = (unsigned)(hart->satp >> 60);
    struct path path;
    *pa = va;
    if (priv == PRIV_M || mode == 0)
        return true;
    follow(sim, hart, va, mode - 8 + 3, false, &path);
    if (path.no_memory || path.count == 0 || !(last(&path)->value & PTE_LEAF))
        return false;
    *pa = physical(last(&path), va);
    return true;
}

/* Whether va is an address of the hart's tables, and how many levels they have. */
static bool is_paged(const struct hart *hart, uint64_t va, unsigned *levels) {
    unsigned mode = (unsigned)(hart->satp >> 60);
    *levels = mode - 8 + 3;
    return mode != 0 && sext(va, 12 + 9 * *levels) == (int64_t)va;
}

void translate_ahead(struct sim *sim, struct hart *hart, uint64_t va, bool by_kept) {
    unsigned levels;
    struct path path;
    if (data_privilege(hart) == PRIV_M || !is_paged(hart, va, &levels))
        return;
    follow(sim, hart, va, levels, by_kept, &path);
    keep_path(sim, hart, va, &path, true);
    if (!by_kept)
        check_last(sim, hart, va, &path, true);
}

bool translate_look(struct sim *sim, struct hart *hart, uint64_t va, struct table_entry *entry) {
    unsigned levels;
    struct path path;
    if (!is_paged(hart, va, &levels))
        return false;
    follow(sim, hart, va, levels, false, &path);
    if (path.no_memory || path.count == 0)
        return false;
    *entry = (struct table_entry){last(&path)->pa, last(&path)->value, last(&path)->level};
    return true;
}
