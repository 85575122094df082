/* Page tables as text, in the format of the page-table lab: the low half of the tree, a
 * line for the root, then one for every valid entry, indented by its depth; a large leaf
 * is a leaf at its level.
 *
 * A tree that others may change is printed in pieces, so that nobody waits for the console:
 * under the tree's lock vmprint_gather notes the next few entries, and without it
 * vmprint_say prints them. Each piece is found from the root again, so that no table is read
 * that was given back; it was so at one moment, and later pieces are from later moments. */
#pragma once
#include "mm/pt.h"

#define VMPRINT_PIECE 16

struct vmprint {
    paddr_t root; /* 0: nothing was gathered yet */
    unsigned levels;
    bool titled;
    vaddr_t last; /* the entry that was noted last, by the start of its span and its level */
    unsigned last_level;
    unsigned n;
    struct vmprint_entry {
        vaddr_t va;
        unsigned level;
        pte_t e;
    } entry[VMPRINT_PIECE];
};

/* Notes the next entries: v->n of them. 0 when all have been noted, or when the tree has
 * another root than at first, since the process runs another program. *v begins as zeros. */
void vmprint_gather(struct vmprint *v, const struct pt *pt);
void vmprint_say(struct vmprint *v);

/* Both, for a tree that nobody changes meanwhile. */
void vmprint(const struct pt *pt);
