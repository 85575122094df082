/* Shared memory of System V: segments that have a number and stay without a process (ipc.h). What
 * maps one has a reference to its object; one that was removed goes with the last of them. */
#pragma once
#include "proc/ipc.h"

struct segment_about {
    struct ipc_thing common;
    uint64_t bytes, attached; /* mappings, those of zombies too */
    int64_t attached_at, detached_at;
    int32_t maker, last; /* processes */
};

/* Finds or makes one of so many bytes. -K_EINVAL: none, or more than there are; -K_ENOENT,
 * -K_EEXIST; -K_ENOSPC: there are as many as there can be; -K_ENOMEM: it cannot be promised. */
int segment_get(const struct ipc_wish *w, uint64_t bytes, int32_t *id) must_check;

/* What is known of one; by its place, where id is the place's number. -K_EINVAL: there is none. */
int segment_look(int32_t id, bool by_place, struct segment_about *out) must_check;
/* Of all: how many, and their pages; the highest place in use. */
struct segment_sums {
    uint32_t used, places;
    uint64_t pages;
};
struct segment_sums segment_sums(void);
/* -K_EINVAL: there is none. */
int segment_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode) must_check;
int segment_remove(int32_t id) must_check;

struct segment_attach {
    uint64_t start; /* 0: anywhere */
    bool replace;   /* what is there; else it has to be free */
    unsigned prot;  /* ABI_PROT_... */
    bool read_only; /* for ever */
};
/* Maps it. -K_EINVAL: there is none, or something else is there; -K_ENOMEM. */
int segment_attach(int32_t id, const struct segment_attach *a, uint64_t *start) must_check;
/* Unmaps what is left of the one that was attached at start. -K_EINVAL: nothing is. */
int segment_detach(uint64_t start) must_check;
