/* A machine for mm/aspace on the host: frames, the kernel's half, processes with
 * their spaces, and harts (tlbmodel.h) that run them. What proc and trap do around
 * the memory core is done here in the same order. (exec: aspaceprograms.h.) */
#pragma once
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/reclaim.h"
#include "tlbmodel.h"
#include "walker.h"

#define ENV_HARTS 3
#define ENV_PROCS 6
/* Where random tests map memory; their heaps end there at most. */
#define ENV_MAPS_START MIB(12)
#define ENV_MAPS MIB(2) /* one large leaf */

struct env_proc {
    bool used;
    int hart; /* where it runs, or one of its threads does; or -1 */
    uint32_t slot;
    paddr_t trapframe;
    struct aspace spaces[2];
    struct aspace *as; /* the one in use */
};
extern struct env_proc env_procs[ENV_PROCS];

/* A fresh machine with so much RAM. */
void env_fresh(uint64_t mib, unsigned asid_bits);
/* Called by it while frames can be had for good; NULL: nothing. */
extern void (*env_at_boot)(void);
/* Which of the designs that are linked new spaces have (design_at); 0. */
extern unsigned env_design;

/* A process with an empty space; -K_ENOMEM: nothing was taken. */
int env_create(struct env_proc **out);
/* Makes as, one of p's two, an empty one for it; -K_ENOMEM: nothing was taken. */
int env_create_space(struct env_proc *p, struct aspace *as);
/* As proc_replace_space: p's other space is its space from now on, and the one before is gone. */
void env_replace_space(struct env_proc *p);
void env_exit(struct env_proc *p);
/* As fork: -K_ENOMEM: nothing was taken. The parent runs. */
int env_fork(struct env_proc *parent, struct env_proc **child);

/* p runs on this hart from now on, in the kernel; who ran there waits. */
void env_run(struct env_proc *p, uint32_t hart);
/* The same in one more thread: on other harts it goes on running. */
void env_join(struct env_proc *p, uint32_t hart);
bool env_runs(const struct env_proc *p, uint32_t hart);
/* Its threads on all harts but this one, or on all (ENV_HARTS), have ended. */
void env_end_threads(struct env_proc *p, uint32_t hart);
/* The hart of the running process p, in user mode or in the kernel. */
void env_user(struct env_proc *p);
void env_kernel(struct env_proc *p);

/* A touch in user mode by the running process: the fault is repaired as the trap
 * layer does it. True: it succeeds, at *pa. Fails the test when a repaired touch
 * could fault once more, or when the hart could reach two frames. */
bool env_touch(struct env_proc *p, uint64_t va, enum walker_access access, uint64_t *pa);

/* Where threads do things at once: how often an access may have to be repaired, since others take
 * back what a fault has repaired (1: they do not); and whether a hart uses an entry that it has
 * kept where by memory it would fault (NULL: never). */
extern unsigned env_repairs;
extern bool (*env_trusts_kept)(void);
/* As what the copy routines access memory: the running thread's, which keeps it where it is held
 * up. */
extern enum walker_mode env_copy_mode;

/* Called before a frame falls free, whose bytes are [pa, pa + size); NULL: nothing. */
extern void (*env_at_release)(uint64_t pa, uint64_t size);

/* Called once, before the next frame is taken: what other harts do meanwhile. */
extern void (*env_meanwhile)(void);
/* The same when a fault has made a frame ready (mm/ready.h), and not yet looked again. */
extern void (*env_when_ready)(void);

/* What a page of zeros that may not be written shows (mm/zeros.c). */
paddr_t env_frame_of_zeros(void);

/* Everything that a failed operation must leave as it was, as one number: the spaces, and how many
 * frames are in use and promised. */
uint64_t env_hash(void);

/* References to the 4 KiB at pa, which is in use. */
uint32_t env_refs(uint64_t pa);

/* Ends the program with a sentence. */
void env_fail(const char *fmt, ...) printf_like(1, 2) never_returns;

/* Else the program ends with what was wanted. */
static inline void env_must(bool ok, const char *what) {
    if (!ok)
        env_fail("%s", what);
}
