/* A process's memory: what it may use (regions), and the only writer of both its
 * page tables.
 *
 * Two views show the same memory: the user's table, and the kernel's view of it,
 * which depends on the design. They change together, under the space's lock, or
 * not at all. Everything that can fail is done before the first change.
 *
 * A region grants a range of addresses; its pages are filled when touched: with
 * zeros, or from a program image, whose frames are shared until written. fork
 * shares all frames and copies on write. What a region may come to need, page
 * tables included, is committed when the region is made, so a touch never fails; but for
 * lazy regions, for which nothing is committed and a touch may fail (commit.h).
 *
 *     0 .. image->end    the program's segments
 *     one page           the stack's guard: no region
 *     one page           the stack
 *     a gap              no region
 *     .. brk             the heap: one page below a multiple of 2 MiB, where the break is at
 *                        first; it may be moved below that, down to 0. Several regions
 *                        when parts of it were granted lazily
 *
 * The heap starts where large leaves start, so that all of a large heap has them: one
 * entry of the TLB, one fault, and one step of fork and exit for 2 MiB.
 *
 * lock: inner to a process's lock, outer to image_lock and the frame locks. It is set up
 * once, at boot, and outlives every use of the space: somebody may always wait for it.
 * Others than the process itself may look at a space that is live, under its lock
 * (proc_space_locked); they see it from the end of aspace_create to the beginning of
 * aspace_destroy, and never half made or half gone. */
#pragma once
#include "arch/pte.h"
#include "mm/image.h"
#include "mm/pt.h"
#include "mm/tlb.h"
#include "sync/spinlock.h"

enum region_kind { REGION_IMAGE, REGION_BSS, REGION_STACK, REGION_HEAP };

struct design;

struct region {
    uint64_t start, end; /* page-aligned */
    uint8_t kind;
    uint8_t perm;        /* PTE_R | PTE_W | PTE_X */
    uint32_t first_page; /* REGION_IMAGE: index of start's page in the image */
    bool lazy;           /* nothing is promised for it: see commit.h */
};

#define ASPACE_HEAP_REGIONS 12
#define ASPACE_REGIONS (2 * IMAGE_SEGMENTS + 1 + ASPACE_HEAP_REGIONS)

struct aspace {
    struct spinlock lock; /* stays as it is when the space is created anew */
    bool live;            /* others may look; written under the lock */
    struct pt user;
    struct pt kernel;   /* the design's, where it has one a process */
    uint64_t user_satp; /* with their ASIDs */
    uint64_t kernel_satp;
    struct tlb_tag tlb;
    const struct design *design;
    uint32_t slot; /* whose kernel stack the kernel's view maps */
    paddr_t trapframe;
    struct image *image; /* NULL before exec */
    uint64_t brk;        /* bytes; also the size that the xv6 interface knows */
    uint64_t committed;  /* frames promised to this space */
    uint64_t present;    /* pages of 4 KiB that user leaves map */
    uint32_t
        fenced_tables;    /* tables of both views at the last fence that covers non-leaf entries */
    uint64_t lazy_tables; /* of the committed ones: for tables of lazy heap */
    uint32_t regions;
    uint32_t heap; /* the heap's first region, when there are regions; the last one is its */
    struct region region[ASPACE_REGIONS];
};

/* The running process's space. */
static inline struct aspace *aspace_self(void) { return hart_self()->space; }

/* Boot: sets up the lock. */
void aspace_init(struct aspace *as);

/* An empty space for the process in slot, whose trapframe is mapped at
 * TRAPFRAME. id is its identity for the TLB. -K_ENOMEM: nothing was taken. */
int aspace_create(struct aspace *as, const struct design *design, uint32_t id, uint32_t slot,
                  paddr_t trapframe) must_check;

/* Gives back everything but the trapframe. No hart runs on it any more. Waits for
 * those who look at it; nobody finds it afterwards. */
void aspace_destroy(struct aspace *as);

/* Grants a program's segments, a stack page above a guard page, and an empty
 * heap; the stack page is the frame given, which the space takes over, with its
 * commitment, only when this succeeds. For a space that is empty and that nobody
 * runs. -K_ENOMEM, or -K_ENOEXEC when there is no room below USER_MAX: the space
 * is as it was. On success the space has one user of the image of its own. */
int aspace_load(struct aspace *as, struct image *image, paddr_t stack) must_check;

/* Where aspace_load puts the stack page of an image: its address. */
uaddr_t aspace_stack(const struct image *image);

/* Makes child, freshly created, a copy of parent, which is the running space;
 * pages are copied when one of them writes. -K_ENOMEM: child is empty, and
 * parent as before. */
int aspace_clone(struct aspace *child, struct aspace *parent) must_check;

/* Moves the running space's break by delta bytes; *old is where it was. -K_ENOMEM
 * (below 0, beyond USER_MAX, or not to be promised): nothing changed. */
int aspace_sbrk(struct aspace *as, int64_t delta, uint64_t *old) must_check;
/* The same, delta > 0, with nothing promised: the pages come when they are touched, if there
 * is memory then. Promised all the same, or refused, when the heap has changed between the two
 * ways so often that ASPACE_HEAP_REGIONS are not enough. */
int aspace_grow_lazily(struct aspace *as, int64_t delta, uint64_t *old) must_check;

/* Repairs a fault of the running space: a touch at va that needs access (one of
 * PTE_R, PTE_W, PTE_X). 0: the touch will succeed now, in both views.
 * -K_EFAULT: the process may not do this. -K_ENOMEM: it may, but the page is lazy and there
 * is no memory for it; nothing changed. Does not sleep. */
int aspace_fault(struct aspace *as, uint64_t va, uint64_t access) must_check;

/* The page of kernel memory behind a user page of the running space that may be
 * accessed so, filled if need be. Valid until the process changes its space.
 * -K_EFAULT: the process may not do this; nothing changed. */
int aspace_page(struct aspace *as, uint64_t va, uint64_t access, void **page) must_check;

/* The end of the last region: nothing is mapped from there to USER_MAX, and no table
 * of the user's lies there. */
uint64_t aspace_end(const struct aspace *as);

/* The sum of all regions, in bytes. The lock is held, or the value may be off while the
 * process changes it. */
uint64_t aspace_granted(const struct aspace *as);

/* The region at va, or NULL; the lock is held, or the space is the running process's. */
const struct region *aspace_region_locked(const struct aspace *as, uint64_t va);
