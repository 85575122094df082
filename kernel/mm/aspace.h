/* A process's memory: what it may use (mappings), and both its page tables. Leaves of mappings are
 * written by aspace.c, load.c, change.c and fault.c alone, what threads need by kernel_view.c, and
 * the kernel's view by the design.
 *
 * Two views show the same memory: the user's table, and the kernel's view of it,
 * which depends on the design. They change together, under the space's lock, or
 * not at all. Everything that can fail is done before the first change. Threads of the process may
 * run on several harts, and fault at once; its mappings are changed by one at a time (turn.h).
 *
 * A mapping (mapping.h) grants a range of addresses; its pages come from an object
 * (object.h) when they are touched. A private page is the object's until it is written, and
 * the space's own copy from then on; of zeros it is the space's own from the first write.
 * fork shares all frames and copies on write: a leaf without W in a private mapping that may
 * be written is copied by the next write, or taken over by its last owner. What a mapping may
 * come to need, page tables included, is committed when it is made, so a touch never
 * fails; but for lazy ones, for which nothing is committed (commit.h), and for pages that the
 * object has not or cannot read.
 *
 *     0 .. plan->end     the program's segments
 *     one page           the stack's guard: nothing
 *     one page           the stack
 *     a gap              nothing
 *     .. brk             the heap: one page below a multiple of 2 MiB, where the break is at
 *                        first; it may be moved below that, down to 0. Several mappings
 *                        when parts of it were granted lazily
 *
 * A program that asks for a larger stack (plan->stack) has it right below itself if there is
 * room, else above the guard, in two mappings: the upper 64 KiB, which are used first, are
 * promised, and the rest is lazy. The page below is the guard. One that says where its stack ends
 * (plan->stack_end) has its heap right behind itself, and a guard that nothing else is mapped in.
 *
 * The heap starts where large leaves start, so that all of a large heap has them: one
 * entry of the TLB, one fault, and one step of fork and exit for 2 MiB.
 *
 * lock: set up once, at boot, it outlives every use of the space: somebody may always wait
 * for it.
 * Others than the process itself may look at a space that is live, under its lock
 * (proc_lock_space); they see it from the end of aspace_create to the beginning of
 * aspace_destroy, and never half made or half gone. */
#pragma once
#include "arch/pte.h"
#include "mm/elf.h"
#include "mm/mapping.h"
#include "mm/pt.h"
#include "mm/tlb.h"
#include "sync/spinlock.h"

struct design;

struct aspace {
    struct spinlock lock; /* stays as it is when the space is created again */
    bool live;            /* others may look; written under the lock */
    struct pt user;
    struct pt kernel;   /* the design's, where it has one a process */
    uint64_t user_satp; /* with their ASIDs */
    uint64_t kernel_satp;
    struct tlb_tag tlb;
    const struct design *design;
    uint32_t slot;     /* the kernel stack of the thread that it was made for */
    paddr_t trapframe; /* that thread's */
    bool many_threads; /* it had others, too */
    struct mappings mappings;
    uint64_t brk;           /* bytes; also the size that the xv6 interface knows */
    uint64_t first_brk;     /* where the break was at first */
    uint64_t heap_end;      /* where sbrk grants the next page */
    bool changing;          /* some thread has its turn to change mappings: turn.h */
    uint32_t turn, waiting; /* turns that somebody has waited for; who waits now, atomic */
    uint64_t closed_start, closed_bytes; /* where faults wait for the end of that turn */
    uint64_t claim[NHART];               /* 2 MiB each, from here on, that faults make ready */
    uint32_t claims;                     /* so many: turn.h */
    uint64_t map_below;     /* where mmap looks for room first: below this; 0: below USER_MAX */
    uint64_t granted;       /* the sum of all mappings, in bytes */
    uint64_t needed;        /* frames that promised mappings may come to need: commit.h */
    uint64_t committed;     /* frames promised to this space */
    uint64_t present;       /* pages of 4 KiB that user leaves have */
    uint64_t peak;          /* so many they were before some were taken away, at most */
    uint64_t faults;        /* that were repaired */
    uint64_t lazy_tables;   /* of the committed ones: for tables of lazy mappings */
    uint64_t thread_tables; /* and for those of further threads' stacks and trapframes */
    uint64_t lazy_made;     /* how many such tables faults have made so far */
    uint32_t fenced_tables; /* of both views, that the generation tells harts of (tlb.h) */
};

/* The running process's space. */
static inline struct aspace *aspace_self(void) { return hart_self()->space; }

/* Boot: sets up the lock. */
void aspace_init(struct aspace *as);

/* An empty space for a process whose only thread has this kernel stack, and this trapframe, which
 * is mapped at TRAPFRAME. id is its identity for the TLB. -K_ENOMEM: nothing was taken. */
int aspace_create(struct aspace *as, const struct design *design, uint32_t id, uint32_t slot,
                  paddr_t trapframe) must_check;

/* Gives back everything but trapframes. No hart runs on it any more. Waits for
 * those who look at it; nobody finds it afterwards. */
void aspace_destroy(struct aspace *as);

/* Grants a program's segments, a stack above a guard page, and an empty
 * heap; the frame given is the stack's highest page, which the space takes over, with its
 * commitment, only when this succeeds. program: what the segments show of the file (elf_pages);
 * NULL if that is nothing. What they have copied is zeros yet (aspace_copied_page). For a space
 * that is empty and that nobody runs. -K_ENOMEM, or -K_ENOEXEC when there is no room below
 * USER_MAX: the space is as it was. stack_page PA(0): there is none, and aspace_copied_page makes
 * what is to be in plan->stack_filled. */
int aspace_load(struct aspace *as, const struct elf_plan *plan, struct object *program,
                paddr_t stack_page) must_check;

/* Grants the segments of another program beside those of the first: of its interpreter. As above;
 * its stack and heap stay. -K_EEXIST: something is there, or it ends beyond USER_MAX; -K_ENOMEM:
 * there may be a part of it, and the space is to be destroyed. */
int aspace_load_more(struct aspace *as, const struct elf_plan *plan,
                     struct object *program) must_check;

/* A page at va that a loaded segment has copied, or that is the stack's, zero at first, to be
 * filled before the space runs, and asked for once. -K_ENOMEM: nothing is promised in it
 * (commit_lazy), and there is no memory. */
int aspace_copied_page(struct aspace *as, uint64_t va, void **page) must_check;

/* Where aspace_load puts the frame that it is given: the address of the stack's highest page. */
uaddr_t aspace_stack(const struct elf_plan *plan);

/* Makes child, freshly created, a copy of parent, which is the running space;
 * pages are copied when one of them writes. -K_ENOMEM: child is empty, and
 * parent as before. */
int aspace_clone(struct aspace *child, struct aspace *parent) must_check;

/* Moves the running space's break by delta bytes; *old is where it was. -K_ENOMEM
 * (below 0, beyond USER_MAX, not to be promised, or the page that the break lies in is lazy and
 * there is no memory to have it alone), -K_EEXIST (something is mapped in the way): nothing
 * changed. */
int aspace_sbrk(struct aspace *as, int64_t delta, uint64_t *old) must_check;
/* The same to an address, whatever other threads do with the break; also -K_ENOMEM: it lies below
 * where the break was at first. */
int aspace_set_break(struct aspace *as, uint64_t brk) must_check;
/* As aspace_sbrk, delta > 0, with nothing promised: the pages come when they are touched, if there
 * is memory then. */
int aspace_grow_lazily(struct aspace *as, int64_t delta, uint64_t *old) must_check;

/* Repairs a fault of the running space: a touch at va that needs access (one of
 * PTE_R, PTE_W, PTE_X). 0: the touch will succeed now, in both views.
 * -K_EFAULT: the process may not do this. -K_ENOMEM: it may, but the page is lazy and there
 * is no memory for it; -K_ENXIO, -K_EIO, -K_ENOSPC, -K_EROFS: as object.h's page has it. Nothing
 * of the space changed. May sleep, unless the hart's faults are held: then -K_EFAULT instead. */
int aspace_fault(struct aspace *as, uint64_t va, uint64_t access) must_check;

/* What was stored in the running space's memory is what its threads fetch as code from now on. */
void aspace_new_code(struct aspace *as);

/* The byte of kernel memory behind a user address of the running space that may be
 * accessed so, and with it the rest of its page, filled if need be. The address is in the low
 * half, as user_range_ok sees to. It stays so until aspace_page_end: whoever takes pages away on
 * another hart waits for that, so until then who has it does not sleep, fault or take the space's
 * lock. Errors as above, but that behind the end of an object is -K_EFAULT, as in designs that copy
 * by user addresses; nothing changed. */
int aspace_page(struct aspace *as, uint64_t va, uint64_t access, void **byte) must_check;
static inline void aspace_page_end(void) {
    __atomic_store_n(&hart_self()->page_of, NULL, __ATOMIC_RELEASE);
}

/* The end of the last mapping: nothing is mapped from there to USER_MAX, and no table
 * of the user's lies there. */
uint64_t aspace_end(const struct aspace *as);
