/* Page tables and nothing else: no policy, no locks, no TLB.
 *
 * A table is a tree of frames with 512 entries each, of three levels (Sv39), four (Sv48)
 * or five (Sv57). A leaf may stand at each: 0 (4 KiB), 1 (2 MiB), 2 (1 GiB) and on up to
 * the root's. Addresses are those that so many levels translate. Ranges are
 * half-open [start, end), page-aligned; they may not cross from the low half of
 * the address space into the high one. Calls on one tree must not overlap in
 * time: the caller has a lock.
 *
 * No call flushes the TLB. A removed leaf, and a table that fell empty, may
 * still be in use by hardware: they are gathered, and the caller gives them
 * back after it has flushed. (Privileged specification 4.3 to 4.6.) */
#pragma once
#include "mm/cursor.h"

/* Where a tree's tables come from. take gives a zeroed frame or fails. give gets it back; zeroed:
 * all its entries are 0. */
struct pt_memory {
    int (*take)(paddr_t *table);
    void (*give)(paddr_t table, bool zeroed);
};

/* What pt_unmap has taken out: leaves, and a chain of tables that fell empty. */
#define PT_GATHER_LEAVES 256 /* at once, */
#define PT_GATHER_MANY 1024  /* or so many: where a flush costs more than to give them back */
struct pt_gather {
    uint32_t count;
    bool many;
    pte_t leaf[PT_GATHER_MANY];
    uint8_t level[PT_GATHER_MANY];
    uint64_t tables; /* chained through their first entries, which stay invalid; 0: none */
};

/* Stores an entry of a tree that harts may be walking: they find there what was written before. */
static inline void pt_store(pte_t *e, pte_t value) { __atomic_store_n(e, value, __ATOMIC_RELEASE); }

/* An empty tree of 3, 4 or 5 levels. -K_ENOMEM: nothing was taken. */
int pt_init(struct pt *pt, unsigned levels, const struct pt_memory *memory) must_check;

/* What satp is written with for the tree to translate. */
static inline uint64_t pt_satp(const struct pt *pt, uint32_t asid) {
    return satp_make(pt->levels, pt->root, asid);
}

/* Is given count entries of one table; those that are valid are leaves of this level.
 * pt_take_leaves and pt_copy call it once for each table and not once for each leaf, since fork
 * and exit do it for every page. */
typedef void (*pt_leaves_fn)(void *ctx, const pte_t *entry, unsigned count, unsigned level);

/* Takes a tree down that nobody uses any more: pt_take_leaves for each range that has leaves, then
 * pt_clear for each that has tables, then pt_free_root.
 *
 * pt_take_leaves tells leaves(), if it is not NULL, of the leaves in [start, end), which none may
 * cross, and then takes them out; tables stay.
 * pt_clear frees every table below the root entries of [start, end), in which there is no leaf any
 * more; nothing else may share them. freed is called after each table, NULL: nothing is.
 * pt_free_root panics when a table of the tree is left; leaves in the root do not matter. */
void pt_take_leaves(struct pt *pt, vaddr_t start, vaddr_t end, pt_leaves_fn leaves, void *ctx);
void pt_clear(struct pt *pt, vaddr_t start, vaddr_t end, void (*freed)(void));
void pt_free_root(struct pt *pt);

/* A cursor on the root's entry for start, over [start, end): not empty. Panics for a range that
 * is misaligned, not canonical, or in both halves. */
struct pt_cursor pt_cursor(const struct pt *pt, vaddr_t start, vaddr_t end);

/* The entry where the walk for va ends: a leaf, or an invalid entry; *level says
 * at which level. NULL when va is not canonical. Entries may be cleared meanwhile, but not the
 * tables given back. */
pte_t *pt_walk(const struct pt *pt, vaddr_t va, unsigned *level);

/* Maps [va, va + bytes) to physical memory from pa on with the largest leaves
 * that alignment permits, up to level max_level. flags: PTE_R/W/X/U/G; V, A and
 * D are added. -K_EINVAL: misaligned, not canonical, wrapping, beyond physical
 * addresses of 56 bits, W without R, or no R/W/X; -K_EEXIST: something in the range is
 * mapped; -K_ENOMEM. After an error the tree is as it was, tables included: for a tree
 * that no hart uses, since one could have seen tables that were given back. */
int pt_map(struct pt *pt, vaddr_t va, paddr_t pa, uint64_t bytes, uint64_t flags,
           unsigned max_level) must_check;

/* Maps count frames, whichever they are, one page after the other from va on, where nothing is
 * mapped. flags as for pt_map, and right. -K_ENOMEM: the first ones are mapped. */
int pt_map_frames(struct pt *pt, vaddr_t va, const paddr_t *frame, unsigned count,
                  uint64_t flags) must_check;

/* Stores one leaf at a level, in place of an invalid entry or of a leaf at that
 * level. *old gets the entry that stood there, which the repair of a fault needs.
 * -K_EEXIST: a larger leaf or a table is in the way; -K_EINVAL: not a valid leaf for
 * this address and level; -K_ENOMEM: the tree is as it was. */
int pt_set_leaf(struct pt *pt, vaddr_t va, unsigned level, pte_t leaf, pte_t *old) must_check;

/* Replaces the large leaf that covers va, if there is one, by a table of 512
 * leaves of the next lower level with the same flags. -K_ENOMEM: unchanged. */
int pt_split(struct pt *pt, vaddr_t va) must_check;

/* How many tables below the root's touch [start, end). */
uint64_t pt_tables(const struct pt *pt, vaddr_t start, vaddr_t end);

/* So many entries are passed at once by the two that stop early for it: a few more, or less. */
#define PT_AT_ONCE 1024

/* Takes out the leaves in [start, end), none of which may cross its borders
 * (pt_split first), and the tables that fall empty. Stops early when the
 * gather is full, or some tables were entered; returns where it stopped, end when all is done. */
vaddr_t pt_unmap(struct pt *pt, vaddr_t start, vaddr_t end, struct pt_gather *gather);

/* Moves the leaves in [*at, end), none of which may cross its borders, upwards by so many bytes, or
 * downwards if that wraps; to where nothing is but perhaps tables of others. Large ones need a
 * multiple of their size. Gathers tables and stops early as pt_unmap does; *at: where it stopped,
 * end when all is done. -K_ENOMEM: the leaves from *at on are where they were. */
int pt_move(struct pt *pt, vaddr_t *at, vaddr_t end, uint64_t by,
            struct pt_gather *gather) must_check;

/* Changes the flags of the leaves in [start, end), none of which may cross its
 * borders: clear, then set. All permissions cleared: the entry, which must be of level 0,
 * keeps the frame (pte_is_kept). Stops early after PT_AT_ONCE entries; returns where it stopped,
 * end when all is done. */
vaddr_t pt_protect(struct pt *pt, vaddr_t start, vaddr_t end, uint64_t set,
                   uint64_t clear) must_check;

/* Gives every valid entry that overlaps [start, end), tables before what is below
 * them, to fn with the address where its span starts. fn may change a leaf in
 * place through *e. Stops when fn returns false. */
void pt_visit(const struct pt *pt, vaddr_t start, vaddr_t end,
              bool (*fn)(void *ctx, vaddr_t va, unsigned level, pte_t *e), void *ctx);

/* For a design that keeps a tree of its own in step with another. Makes the entry point to
 * an empty table of pt's; -K_ENOMEM: it is as it was. */
int pt_make_table(struct pt *pt, pte_t *e) must_check;
/* The entry for va, which is canonical, at a level, with the tables above it made where they are
 * missing. -K_EEXIST: a larger leaf, or a table in its place, is in the way; -K_ENOMEM: the tree
 * is as it was. */
int pt_entry(struct pt *pt, vaddr_t va, unsigned level, pte_t **out) must_check;
/* Gathers the table that the cursor's entry points to, and every table below it: those are in the
 * cursor's range. The caller replaces the entry before the flush. */
void pt_gather_below(const struct pt_cursor *at, struct pt_gather *gather);

/* Gives back what was gathered, after the flush only. put is called for every leaf. Then the
 * gather is empty, as one that is all zero is at first. */
void pt_gather_finish(struct pt *pt, struct pt_gather *gather,
                      void (*put)(void *ctx, pte_t e, unsigned level), void *ctx);

/* Copies the leaves of src from *at to end, which must not be crossed by one, to
 * dst, which has nothing there but perhaps empty tables; first the flags in clear are cleared in
 * src, so that both have the same. leaves() is told of the copied ones. Stops early after
 * PT_AT_ONCE entries; *at: where it stopped, end when all is done. -K_ENOMEM: dst has some of them,
 * and all that it has can be destroyed as usual; some of src's flags may have been cleared. */
int pt_copy(struct pt *dst, struct pt *src, vaddr_t *at, vaddr_t end, uint64_t clear,
            pt_leaves_fn leaves, void *ctx) must_check;
