/* Frames by number, as an object keeps its pages: a tree of page tables which no hart ever walks.
 * It has a reference to each frame. Frames and tables are promised by the caller, who also keeps
 * others out meanwhile: with a spinlock, but for what says that it may take long. */
#pragma once
#include "mm/pt.h"

struct pagetree {
    struct pt pt; /* page i at i * PAGE_SIZE */
};

/* How many pages a tree can have. */
uint64_t pagetree_end(void);
/* Tables that one page more may need. */
unsigned pagetree_tables_for_one(void);
/* Tables that a tree of the pages [0, pages) can have, the root among them. */
uint64_t pagetree_tables(uint64_t pages);

/* An empty tree, and its root, which is promised. */
void pagetree_init(struct pagetree *t);
/* The frame, which is the tree's, or PA(0). */
paddr_t pagetree_find(const struct pagetree *t, uint64_t index);
/* The lowest number of a frame, from `from` on, as far as some tables go. False: there is none
 * below *index, from where the search goes on; that is pagetree_end() when it is over. */
bool pagetree_next(const struct pagetree *t, uint64_t from, uint64_t *index);
/* Adds one that is not there; its reference is the tree's now. Returns how many tables were made.
 */
unsigned pagetree_add(struct pagetree *t, uint64_t index, paddr_t frame);
/* Takes one out that is there, with its reference; the tables stay. */
paddr_t pagetree_take(struct pagetree *t, uint64_t index);
/* Puts all frames, and all tables. Nobody else knows the tree. In pieces (pieces.h): no spinlock
 * is held. Returns how many tables there were. */
uint64_t pagetree_destroy(struct pagetree *t);
