/* What a process has open, and where its paths begin: the record alone, since it is part of the
 * process. It is vfs's (vfs/descriptor.h), and all zeros when nothing is open.
 *
 * Descriptors come in blocks: the first is here, others are made when they are needed. */
#pragma once
#include "lib/abi.h"
#include "sync/spinlock.h"

struct file;
struct node;

#define FD_BLOCK 64 /* descriptors of a block: the bits of a word */
#define FD_BLOCKS (ABI_NOFILE / FD_BLOCK)
_Static_assert(ABI_NOFILE % FD_BLOCK == 0, "whole blocks");

struct fd_block {
    uint64_t used;               /* bit i: descriptor i of the block is open or reserved */
    uint64_t on_exec;            /* bit i: exec closes it */
    struct file *file[FD_BLOCK]; /* NULL: not open */
};

/* Directories of a process: the current one, and where paths with a slash begin. */
enum proc_place { PLACE_CURRENT, PLACE_ROOT, PLACES };

struct fdtable {
    struct spinlock lock;
    bool shared;       /* several threads use it: calls lock it, and hold what they use */
    bool locks;        /* the process has, or had, locks on files */
    uint32_t withheld; /* so many of the highest numbers are not given out (limits.h); atomic */
    struct node *place[PLACES]; /* NULL: the root of all */
    struct fd_block first;
    uint32_t blocks;                      /* beside the first: none is made from more[blocks] on */
    struct fd_block *more[FD_BLOCKS - 1]; /* NULL: not made; else it stays until the end */
};
