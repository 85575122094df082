/* A process's page tables, read table by table while the process may be running: each
 * table is as it was at one moment, and a table that was taken out between two of them is
 * said to be gone. */
#pragma once
#include "vmtext.h"

struct vm_entry {
    const uint64_t *entry; /* one of a whole table's 512; NULL: see below */
    unsigned left;         /* entries from this one on that the visit is to see */
    unsigned index;        /* of this one */
    unsigned level;        /* of their table */
    uint64_t va;           /* where the first one's span begins */
    uint64_t table;        /* physical address of their table */
};

/* Sees an entry, valid or not, a table's before those of the table. Returns how many
 * entries it has dealt with, 1 at least; 0 ends the visit. When a table that was seen is
 * gone, entry is NULL, and level and va are those of the table that is missing. */
typedef unsigned (*vm_entry_fn)(void *ctx, const struct vm_entry *e);

/* Gives fn the entries whose spans have addresses from first to last, both canonical and
 * included. False when there is no such process any more. Not to be called by fn. */
bool vm_visit(pid_t pid, enum abi_vmview view, uint64_t first, uint64_t last, vm_entry_fn fn,
              void *ctx);
