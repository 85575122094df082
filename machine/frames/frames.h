/* Who has which page of memory, as the kernel's own allocator gives and takes them, and what is
 * wrong with that: a page used after it was freed, freed twice, handed out twice, freed while it
 * is a page table of some hart.
 *
 * A profile (profile.h) names the allocator's functions. An op at the entry of each, and at the
 * addresses they return to, calls frames_hook before it is executed; nothing else costs anything
 * while no page is touched that is free. Those are PAGE_FREED, which keeps them out of the tlbs,
 * so that each access comes to frames_touched.
 *
 * Inside an allocator's function, from its entry until it returns, free pages may be touched. By
 * the stack it is known who is inside, since a thread may be interrupted there and go on on
 * another hart. A page that is touched there is watched no more until the function returns: it is
 * about to be filled, or handed out. */
#pragma once
#include "machine/frames/profile.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;
struct hart;

/* Where a page was taken or given back. */
struct frame_place {
    uint64_t function; /* of the allocator */
    uint64_t from;     /* where it returns to */
    uint64_t when;
};

struct frame {
    struct frame_place by; /* the last change */
    uint8_t hart;          /* that made it */
    enum { FRAME_UNKNOWN, FRAME_TAKEN, FRAME_FREE } is;
};

enum { LIFTED_MAX = 8, CALLS_MAX = 64, HOOKS = 4096, HOOKS_MOST = 3000 };

/* A call of a function that the profile names, which has not returned. */
struct frame_call {
    uint64_t ra, sp; /* at its entry: when sp is this at ra, it has returned */
    uint64_t argument, when;
    uint64_t pages;              /* of argument, for a free */
    uint64_t lifted[LIFTED_MAX]; /* pages that it has touched */
    uint8_t lifted_count, line, hart;
    bool written; /* it has written to the page that it gives back */
};

struct frames {
    bool on;
    struct profile profile;
    struct frame *pages;                /* one for each of RAM */
    uint64_t entries[PROFILE_LINES];    /* physical addresses of the functions */
    struct frame_call calls[CALLS_MAX]; /* the oldest first */
    unsigned calls_count;
    uint64_t hooks[HOOKS]; /* physical addresses, by their hash; 0: none */
    unsigned hooks_count;
};

/* Begins; false: error says what is wrong with the profile. A kernel that no profile fits has no
 * checks. */
bool frames_init(struct sim *sim, char *error, size_t error_size);
void frames_free(struct sim *sim);

/* Before the op at this physical address, where a hook is. */
void frames_hook(struct sim *sim, struct hart *hart, uint64_t pa);
/* The hooks in the page of pa: calls set(context, slot) for each. */
void frames_each_hook(const struct sim *sim, uint64_t pa, void *context,
                      void (*set)(void *context, unsigned slot));

/* ---- of pages that are PAGE_FREED ---- */
enum frames_use { USE_FETCH, USE_LOAD, USE_STORE, USE_WALK, USE_DEVICE_READ, USE_DEVICE_WRITE };
/* Somebody uses pa, which the hart has as va; of a walk, va is what is translated. hart is NULL
 * for a device. */
void frames_touched(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa,
                    enum frames_use use);
/* ---- of any page of RAM, when frames.on ---- */
bool frames_is_free(const struct sim *sim, uint64_t pa);
/* Where the call returns to that has changed that last. */
uint64_t frames_from(const struct sim *sim, uint64_t pa);
/* "given back at vm.c:300 (uvmunmap) by kfree, hart 0, 1200 instructions ago" */
void frames_since(struct sim *sim, uint64_t pa, char *buffer, size_t size);

/* The hart's satp is about to get another value. */
void frames_satp(struct sim *sim, struct hart *hart, uint64_t value);
