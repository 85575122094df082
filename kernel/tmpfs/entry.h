/* The entries of directories in memory, and the lock of all of them. */
#pragma once
#include "tmpfs/tmpnode.h"

/* A name, or the place of somebody who lists the directory: then node is NULL. */
struct entry {
    struct list order;
    struct entry *hash_next;
    struct tmpnode *dir;
    struct tmpnode *node; /* with a reference */
    uint8_t length;
    char name[];
};

/* The lock guards all entries, and of directories the lists, the counts of names, and parents. */
extern struct tmptree {
    struct spinlock lock;
    struct entry **buckets;
    uint64_t mask;
} tmptree;

/* Links that are followed in one hold of the lock, where there may be many. */
#define TMPTREE_AT_ONCE 64
