/* The long ways to memory: see memory.h. */
#include "machine/cpu/memory.h"
#include "machine/bus.h"
#include "machine/cpu/bits.h"
#include "machine/cpu/code.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/pmp.h"
#include "machine/rules/rules.h"
#include <string.h>

void hart_forget(struct hart *hart) {
    for (unsigned c = 0; c < CONTEXTS; c++) {
        for (unsigned word = 0; word < TLB_SETS / 64; word++) {
            uint64_t *filled = &hart->caches.tlb_filled[c][word];
            for (; *filled != 0; *filled &= *filled - 1) {
                struct tlb_entry
                    *entry = &hart->caches.tlb[c][64 * word + (unsigned)__builtin_ctzll(*filled)];
                entry->load = entry->store = TLB_NONE;
            }
        }
        for (uint64_t *filled = &hart->caches.fetch_filled[c]; *filled != 0; *filled &= *filled - 1)
            hart->caches.fetch[c][__builtin_ctzll(*filled)].tag = TLB_NONE;
    }
}

void hart_forget_at_first(struct hart *hart) {
    memset(hart->caches.tlb_filled, 0xff, sizeof(hart->caches.tlb_filled));
    memset(hart->caches.fetch_filled, 0xff, sizeof(hart->caches.fetch_filled));
    hart_forget(hart);
}

void hart_forget_page(struct hart *hart, uint64_t va) {
    for (unsigned c = 0; c < CONTEXTS; c++) {
        struct tlb_entry *entry = &hart->caches.tlb[c][va >> 12 & (TLB_SETS - 1)];
        entry->load = entry->store = TLB_NONE;
        hart->caches.fetch[c][va >> 12 & (FETCH_SETS - 1)].tag = TLB_NONE;
    }
}

static uintptr_t leads_to(uint64_t va, const struct tlb_entry *entry) {
    return (uintptr_t)((va & ~4095ull) + entry->delta);
}

/* The tlbs of all harts have the page at this address of the host no more: for stores, and for
 * loads when told so. */
static void shoot_down(struct sim *sim, uintptr_t host, bool loads) {
    for (unsigned h = 0; h < sim->options.harts; h++)
        for (unsigned c = 0; c < CONTEXTS; c++)
            for (unsigned word = 0; word < TLB_SETS / 64; word++) {
                uint64_t filled = sim->harts[h].caches.tlb_filled[c][word];
                for (; filled != 0; filled &= filled - 1) {
                    unsigned i = 64 * word + (unsigned)__builtin_ctzll(filled);
                    struct tlb_entry *entry = &sim->harts[h].caches.tlb[c][i];
                    if (entry->store != TLB_NONE && leads_to(entry->store, entry) == host)
                        entry->store = TLB_NONE;
                    if (loads && entry->load != TLB_NONE && leads_to(entry->load, entry) == host)
                        entry->load = TLB_NONE;
                }
            }
}

static uintptr_t host_page(const struct sim *sim, uint64_t pa) {
    return (uintptr_t)sim->ram + ((pa - RAM_BASE) & ~4095ull);
}

void watch_page(struct sim *sim, uint64_t pa, unsigned flag) {
    uint8_t *flags = &sim->page_flags[(pa - RAM_BASE) >> 12];
    *flags |= (uint8_t)flag;
    if (!(*flags & PAGE_MAY_STORE))
        return;
    *flags &= (uint8_t)~PAGE_MAY_STORE;
    shoot_down(sim, host_page(sim, pa), false);
}

void hide_page(struct sim *sim, uint64_t pa) {
    uint8_t *flags = &sim->page_flags[(pa - RAM_BASE) >> 12];
    *flags |= PAGE_FREED;
    if (*flags & (PAGE_MAY_STORE | PAGE_MAY_LOAD))
        shoot_down(sim, host_page(sim, pa), true);
    if (*flags & PAGE_CODE)
        for (unsigned h = 0; h < sim->options.harts; h++)
            hart_forget(&sim->harts[h]);
    *flags &= (uint8_t) ~(PAGE_MAY_STORE | PAGE_MAY_LOAD);
}

void memory_written(struct sim *sim, uint64_t pa, uint64_t bytes) {
    uint64_t end = pa + bytes;
    while (pa < end) {
        uint64_t until = (pa | 4095) + 1;
        uint8_t flags = sim->page_flags[(pa - RAM_BASE) >> 12];
        if (until > end)
            until = end;
        if (flags & PAGE_TABLE)
            keep_written(sim, pa, until - pa);
        if (flags & PAGE_SHOWN)
            events_written(sim, pa);
        if (flags & PAGE_CODE)
            code_written(sim, pa, until - pa);
        if (flags & PAGE_RING)
            rules_ring_written(sim, pa, until - pa);
        pa = until;
    }
}

static bool access_fault(struct hart *hart, uint64_t va, enum access access) {
    return trap_is(hart,
                   access == ACCESS_FETCH  ? CAUSE_FETCH_ACCESS
                   : access == ACCESS_LOAD ? CAUSE_LOAD_ACCESS
                                           : CAUSE_STORE_ACCESS,
                   va);
}

static bool find(struct sim *sim, struct hart *hart, uint64_t va, unsigned size, enum access access,
                 uint64_t *pa) {
    if (!translate(sim, hart, va, access, pa))
        return false;
    if (!pmp_allows(sim, hart, *pa, size, access, data_privilege(hart)))
        return access_fault(hart, va, access);
    return true;
}

static void remember(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa,
                     enum access access) {
    if (!ram_has(sim, pa, 1))
        return;
    struct tlb_entry *entry = &hart->caches.tlb[hart_context(hart)][va >> 12 & (TLB_SETS - 1)];
    uint8_t *flags = &sim->page_flags[(pa - RAM_BASE) >> 12];
    uint64_t tag = (va & ~4095ull) | (sim->watching && hart->priv != PRIV_U ? TLB_WATCHED : 0);
    uintptr_t delta = (uintptr_t)(sim->ram + (pa - RAM_BASE)) - (uintptr_t)va;
    if (!pmp_uniform(sim, hart, pa))
        return;
    if (*flags & (access == ACCESS_STORE ? PAGE_WATCHED : PAGE_FREED))
        return;
    if ((entry->load != tag && entry->store != tag) || entry->delta != delta)
        entry->load = entry->store = TLB_NONE;
    entry->delta = delta;
    hart->caches.tlb_filled[hart_context(hart)][(va >> 12) % TLB_SETS / 64] |= 1ull
                                                                               << (va >> 12) % 64;
    if (access == ACCESS_LOAD) {
        entry->load = tag;
        *flags |= PAGE_MAY_LOAD;
    } else {
        entry->store = tag;
        *flags |= PAGE_MAY_STORE;
    }
}

/* Before an access to RAM: whether the page is free. */
static void check_freed(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa,
                        enum frames_use use) {
    if (sim->page_flags[(pa - RAM_BASE) >> 12] & PAGE_FREED)
        frames_touched(sim, hart, va, pa, use);
}

/* Before an access to RAM: who wants to know of it. The page may be one that the tlb has. */
static void watched(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa, unsigned size,
                    bool store) {
    if (sim->races.on)
        races_access(sim, hart, va, pa, size, store);
    if (sim->preempt.on && hart->priv != PRIV_U)
        preempt_step(sim, hart, va);
}

/* The byte of RAM that the tlb has for an aligned access of the kernel that is watched; NULL: it
 * has none. */
static uint8_t *find_watched(struct sim *sim, struct hart *hart, uint64_t va, unsigned size,
                             bool store) {
    const struct tlb_entry *entry = &hart->caches
                                         .tlb[hart_context(hart)][va >> 12 & (TLB_SETS - 1)];
    if ((store ? entry->store : entry->load) != ((va & (~4095ull | (size - 1))) | TLB_WATCHED))
        return NULL;
    uint8_t *at = (uint8_t *)(uintptr_t)(va + entry->delta);
    watched(sim, hart, va, RAM_BASE + (uint64_t)(at - sim->ram), size, store);
    return at;
}

static bool load_from(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa, unsigned size,
                      uint64_t *value) {
    if (!ram_has(sim, pa, size))
        return bus_read(sim, hart, pa, size, value) || access_fault(hart, va, ACCESS_LOAD);
    check_freed(sim, hart, va, pa, USE_LOAD);
    if (sim->watching)
        watched(sim, hart, va, pa, size, false);
    *value = get_bytes(sim->ram + (pa - RAM_BASE), size);
    return true;
}

static bool store_to(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa, unsigned size,
                     uint64_t value) {
    if (!ram_has(sim, pa, size))
        return bus_write(sim, hart, pa, size, value) || access_fault(hart, va, ACCESS_STORE);
    check_freed(sim, hart, va, pa, USE_STORE);
    store_begins(sim, pa);
    if (sim->watching)
        watched(sim, hart, va, pa, size, true);
    put_bytes(sim->ram + (pa - RAM_BASE), size, value);
    page_changed(sim, pa);
    memory_written(sim, pa, size);
    return true;
}

/* The addresses of all bytes of an access, which may be in two pages. */
static bool find_bytes(struct sim *sim, struct hart *hart, uint64_t va, unsigned size,
                       enum access access, uint64_t *pa) {
    for (unsigned i = 0; i < size; i++) {
        if (i == 0 || ((va + i) & 4095) == 0) {
            if (!find(sim, hart, va + i, 1, access, &pa[i]))
                return false;
            continue;
        }
        pa[i] = pa[i - 1] + 1;
        if (!pmp_allows(sim, hart, pa[i], 1, access, data_privilege(hart)))
            return access_fault(hart, va + i, access);
    }
    return true;
}

/* Misaligned accesses, where they are permitted, go byte by byte. All are translated first, and
 * once, so that a trap leaves everything as it was. */
static bool split(struct sim *sim, struct hart *hart, uint64_t va, unsigned size,
                  enum access access, uint64_t *value) {
    uint64_t pa[8], got = 0;
    if (!sim->options.misaligned)
        return trap_is(hart, access == ACCESS_LOAD ? CAUSE_MISALIGNED_LOAD : CAUSE_MISALIGNED_STORE,
                       va);
    if (!find_bytes(sim, hart, va, size, access, pa))
        return false;
    for (unsigned i = 0; i < size; i++) {
        uint64_t byte = *value >> 8 * i & 0xff;
        if (access == ACCESS_LOAD ? !load_from(sim, hart, va + i, pa[i], 1, &byte)
                                  : !store_to(sim, hart, va + i, pa[i], 1, byte))
            return false;
        got |= byte << 8 * i;
    }
    *value = got;
    return true;
}

bool memory_load(struct sim *sim, struct hart *hart, uint64_t va, unsigned size, uint64_t *value) {
    uint64_t pa;
    const uint8_t *at = sim->watching ? find_watched(sim, hart, va, size, false) : NULL;
    if (at != NULL) {
        *value = get_bytes(at, size);
        return true;
    }
    if (va & (size - 1))
        return split(sim, hart, va, size, ACCESS_LOAD, value);
    if (!find(sim, hart, va, size, ACCESS_LOAD, &pa) || !load_from(sim, hart, va, pa, size, value))
        return false;
    remember(sim, hart, va, pa, ACCESS_LOAD);
    return true;
}

bool memory_store(struct sim *sim, struct hart *hart, uint64_t va, unsigned size, uint64_t value) {
    uint64_t pa;
    uint8_t *at = sim->watching ? find_watched(sim, hart, va, size, true) : NULL;
    if (at != NULL) {
        put_bytes(at, size, value);
        return true;
    }
    if (va & (size - 1))
        return split(sim, hart, va, size, ACCESS_STORE, &value);
    if (!find(sim, hart, va, size, ACCESS_STORE, &pa) || !store_to(sim, hart, va, pa, size, value))
        return false;
    remember(sim, hart, va, pa, ACCESS_STORE);
    return true;
}

uint8_t *memory_atomic(struct sim *sim, struct hart *hart, uint64_t va, unsigned size,
                       enum access access, uint64_t *pa) {
    if (va & (size - 1)) {
        trap_is(hart, access == ACCESS_LOAD ? CAUSE_MISALIGNED_LOAD : CAUSE_MISALIGNED_STORE, va);
        return NULL;
    }
    const struct tlb_entry *entry = &hart->caches
                                         .tlb[hart_context(hart)][va >> 12 & (TLB_SETS - 1)];
    if (((access == ACCESS_LOAD ? entry->load : entry->store) & ~TLB_WATCHED) == (va & ~4095ull)) {
        uint8_t *at = (uint8_t *)(uintptr_t)(va + entry->delta);
        *pa = RAM_BASE + (uint64_t)(at - sim->ram);
        return at;
    }
    if (!find(sim, hart, va, size, access, pa))
        return NULL;
    if (!ram_has(sim, *pa, size)) {
        access_fault(hart, va, access);
        return NULL;
    }
    check_freed(sim, hart, va, *pa, access == ACCESS_LOAD ? USE_LOAD : USE_STORE);
    if (access == ACCESS_STORE) {
        page_changed(sim, *pa);
        store_begins(sim, *pa);
    }
    remember(sim, hart, va, *pa, access);
    return sim->ram + (*pa - RAM_BASE);
}

struct code_page *memory_fetch(struct sim *sim, struct hart *hart, uint64_t va) {
    uint64_t pa;
    if (!translate(sim, hart, va, ACCESS_FETCH, &pa))
        return NULL;
    if (!ram_has(sim, pa, 2) || !pmp_allows(sim, hart, pa, 2, ACCESS_FETCH, hart->priv)) {
        access_fault(hart, va, ACCESS_FETCH);
        return NULL;
    }
    check_freed(sim, hart, va, pa, USE_FETCH);
    struct code_page *page = code_fetch(sim, hart, pa);
    bool two_halves = instruction_is_long(page->bytes[pa & 4095]) && (pa & 4095) < 4094;
    if (two_halves && !pmp_allows(sim, hart, pa + 2, 2, ACCESS_FETCH, hart->priv)) {
        access_fault(hart, va + 2, ACCESS_FETCH);
        return NULL;
    }
    return page;
}
