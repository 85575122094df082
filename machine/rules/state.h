/* What the rules of memory remember: a part of the hart's state, and of the machine's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { RECENT = 8 }; /* a power of two */

/* A fault that the kernel's own access has met, which is a mistake if nothing repairs it. */
struct unrepaired {
    enum fault_kind {
        FAULT_NONE,
        FAULT_USER_PAGE, /* the page is user mode's */
        FAULT_UNMARKED,  /* the leaf has no A, or no D for a store */
        FAULT_NO_STACK,  /* no stack is mapped where sp is */
        FAULT_MISALIGNED,
    } kind;
    uint64_t pc, va, sp;
    uint64_t when;         /* in nanoseconds: the fault, or the return from it */
    uint64_t entry, value; /* the leaf of va: where it is, and what */
    uint8_t access;        /* enum access */
    bool returned;         /* its handler has: the access is tried again */
    unsigned traps;        /* taken of S-mode since, less those that are over */
};

/* Of each hart. */
struct hart_rules {
    uint64_t fenced;             /* when it last made a fence that stores are before */
    uint64_t recent[RECENT];     /* addresses whose entries were kept once: see speculate.c */
    unsigned recent_count;       /* how many there have been */
    uint64_t satp_pc, satp_when; /* its last change; in nanoseconds */
    bool ran_user;               /* it has been in user mode: what it began with is behind it */
    bool has_no_stack;           /* it was told; its handler has none, either, and traps for ever */
    struct unrepaired fault;
};

/* The last stores to a disk's available ring. */
struct ring_store {
    uint64_t pc, when; /* 0: none */
    uint8_t hart;
};
struct ring_order {
    struct ring_store entry, index;
};

/* Of the machine. */
struct rules {
    /* The page that was not a table in use a moment ago, and until when nobody looks again. A page
     * that is filled with something is asked about at each store. */
    uint64_t no_table, no_table_until;
    struct ring_order rings[8]; /* of SIM_DISKS_MAX disks */
};
