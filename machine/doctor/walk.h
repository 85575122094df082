/* A walk through page tables as memory has them, and why an access would not be granted:
 * privileged specification 4.3.2. */
#pragma once
#include "machine/sim.h"

enum use { USE_TO_FETCH, USE_TO_LOAD, USE_TO_STORE };

enum why {
    WHY_GRANTED,
    WHY_NOT_CANONICAL,   /* the upper bits are not all as the highest that is translated */
    WHY_TABLE_NO_RAM,    /* a table is where no RAM is */
    WHY_NO_TABLE,        /* an entry above level 0 is not valid */
    WHY_NOT_MAPPED,      /* the one of level 0 is not valid */
    WHY_FILLED,          /* the entry is one byte eight times: a page that was freed */
    WHY_RESERVED,        /* the entry has an encoding or bits that are reserved */
    WHY_MISALIGNED_LEAF, /* of 2 MiB or more */
    WHY_NO_R,
    WHY_NO_W,
    WHY_NO_X,
    WHY_USER_PAGE,   /* U, and the supervisor may not */
    WHY_KERNEL_PAGE, /* no U, and it is the user */
    WHY_NO_A,
    WHY_NO_D,
    WHY_NOTHING_THERE, /* the physical address is neither RAM nor a device */
};
/* "no-table" and the like: how the words call it. */
const char *why_name(enum why why);

struct walked {
    enum why why;
    bool paged;        /* tables were walked; else pa is va */
    unsigned level;    /* of the last entry, whose place and value follow */
    uint64_t entry_at; /* 0: no entry was read */
    uint64_t entry;
    uint64_t pa; /* when the entry is a leaf, or without paging */
};
void walk(const struct sim *sim, uint64_t satp, unsigned privilege, uint64_t status, uint64_t va,
          enum use use, struct walked *to);
/* The same, when only where va leads is asked: false when it leads nowhere. */
bool walk_to(const struct sim *sim, uint64_t satp, unsigned privilege, uint64_t va, uint64_t *pa);

/* Bytes at a virtual address, within one page. false: they cannot be read. */
bool walk_read(const struct sim *sim, uint64_t satp, unsigned privilege, uint64_t va, void *to,
               size_t bytes);
