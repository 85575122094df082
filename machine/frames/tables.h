/* Whether a page is a page table that some hart may walk through. */
#pragma once
#include "machine/machine.h"

struct table_use {
    const struct hart *hart;
    enum { TABLE_ROOT, TABLE_LINKED, TABLE_KEPT } how;
    uint64_t entry; /* where the entry is, or was read, that leads to it */
    uint64_t va;    /* the first address that the entry is for */
    unsigned level; /* of the table: 0 is the lowest */
};

/* false: none may. */
bool table_in_use(const struct sim *sim, uint64_t pa, struct table_use *use);
