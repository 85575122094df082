/* Memory as a hart sees it: translation, protection, and what is not RAM.
 *
 * These are the long ways. What a hart uses again and again is in its tlb and executed in
 * execute.c without a call. */
#pragma once
#include "machine/machine.h"

/* Loads and stores of 1, 2, 4 or 8 bytes at a virtual address. false: a trap is to be taken,
 * nothing was stored. A load's value is extended by the caller. */
bool memory_load(struct sim *sim, struct hart *hart, uint64_t va, unsigned size, uint64_t *value);
bool memory_store(struct sim *sim, struct hart *hart, uint64_t va, unsigned size, uint64_t value);

/* The RAM that an atomic instruction works on; what it does not change, it has still written.
 * It is told afterwards by memory_written. NULL: a trap is to be taken. */
uint8_t *memory_atomic(struct sim *sim, struct hart *hart, uint64_t va, unsigned size,
                       enum access access, uint64_t *pa);

/* The code page that the hart fetches from at va. NULL: a trap is to be taken. Where PMP divides
 * the page, that holds for this instruction only. */
struct code_page *memory_fetch(struct sim *sim, struct hart *hart, uint64_t va);

/* `bytes` bytes of RAM at pa have another value, written by the running hart or by a device. */
void memory_written(struct sim *sim, uint64_t pa, uint64_t bytes);

/* The page of pa is about to be stored to. */
static inline void store_begins(struct sim *sim, uint64_t pa) {
    if (sim->page_flags[(pa - RAM_BASE) >> 12] & PAGE_SHOWN)
        events_before(sim, pa);
}

/* The translation of va for an access of the hart (translate.c): privileged specification 4.3.2.
 * false: a page fault, or an access fault at a table, is to be taken. Whether PMP allows the access
 * itself is another question. */
bool translate(struct sim *sim, struct hart *hart, uint64_t va, enum access access, uint64_t *pa);
/* The privilege that loads and stores have: mstatus.MPRV, 3.1.6.3. */
enum privilege data_privilege(const struct hart *hart);

/* Forgets the tlb and fetch entries, for all addresses or for the page of one; code pages and
 * kept entries stay. */
void hart_forget(struct hart *hart);
void hart_forget_at_first(struct hart *hart); /* when nothing is known of them */
void hart_forget_page(struct hart *hart, uint64_t va);
/* Where `priv` finds va by memory's tables alone; the hart keeps nothing of that. */
bool translate_quietly(struct sim *sim, struct hart *hart, uint64_t va, enum privilege priv,
                       uint64_t *pa);

/* Reads the entries for va before the hart is asked for them, and keeps those in whose place it has
 * none; by_kept: those above may be kept ones. Nothing traps. */
void translate_ahead(struct sim *sim, struct hart *hart, uint64_t va, bool by_kept);
/* The last entry of memory's for va, valid or not. false: there is no paging, or no table. */
struct table_entry {
    uint64_t pa, value;
    unsigned level;
};
bool translate_look(struct sim *sim, struct hart *hart, uint64_t va, struct table_entry *entry);

/* No hart stores into the page of pa any more without memory_written being told. */
void watch_page(struct sim *sim, uint64_t pa, unsigned flag);
/* The page of pa is PAGE_FREED from now on: no hart's tlb has it. */
void hide_page(struct sim *sim, uint64_t pa);
