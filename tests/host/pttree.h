/* Trees for tests of mm/pt: made from pttables, read by the walker and never by the code
 * under test. What is not as it must be fails the test. */
#pragma once
#include "levels.h"
#include "pttables.h"
#include "walker.h"

#define PTE_SPARE (1ULL << 8) /* the first of two bits that hardware leaves to software */

#define RW (PTE_R | PTE_W)

/* A tree of one table, of as many levels as are in use; earlier trees are gone. */
struct pt pttree_fresh(void);
/* Gives back all leaves and tables: leaf(ctx, ...) sees the leaves first, if it is given. */
void pttree_clear_all(struct pt *pt, pt_leaves_fn leaf, void *ctx);
/* The same; it was the last tree. */
void pttree_destroy(struct pt *pt);

/* The tree is sound, and has as many tables as it says. */
struct walker_survey pttree_survey(const struct pt *pt);
/* Also: no table is empty, none is taken but for this tree. */
struct walker_survey pttree_tidy(const struct pt *pt);
/* The kernel reads pa at va. */
void pttree_expect_at(const struct pt *pt, uint64_t va, uint64_t pa);

/* pt_protect and pt_copy as often as they take. */
void pttree_protect(struct pt *pt, uint64_t start, uint64_t end, uint64_t set, uint64_t clear);
int pttree_copy(struct pt *dst, struct pt *src, uint64_t start, uint64_t end, uint64_t clear,
                pt_leaves_fn leaves, void *ctx) must_check;
/* pt_unmap as often as it takes. */
void pttree_unmap(struct pt *pt, uint64_t start, uint64_t end);

/* Callbacks: one does nothing, the other adds up the bytes of leaves in a uint64_t. */
void pttree_ignore_leaf(void *ctx, pte_t e, unsigned level);
void pttree_sum_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level);
