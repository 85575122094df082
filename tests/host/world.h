/* The machine of aspaceenv.h beside a flat model of it: for every process the
 * pages that it was granted, their permissions, and the words at both ends of each.
 * What a space really is, is read by walker.c from raw entries of both views.
 * Whatever differs ends the program with a sentence (env_fail). */
#pragma once
#include "aspaceprograms.h"
#include "mm/design.h"

/* How the kernel sees a process's memory, as the operations of the program's one design have it,
 * whatever that is called. */
enum world_view { NOT_AT_ALL, IN_USERS_TABLE, IN_USERS_LOWER_TABLES, IN_COPIES };
static inline enum world_view world_view(void) {
    const struct design *d = design_at(0);
    return d->on_kernel_pt     ? NOT_AT_ALL
           : !d->sync          ? IN_USERS_TABLE
           : !d->copies_tables ? IN_USERS_LOWER_TABLES
                               : IN_COPIES;
}

/* A number below n, for every decision that world_step takes. */
extern uint64_t (*world_choose)(uint64_t n);

/* One process that runs program 0. Every space keeps below 32 MiB. */
void world_fresh(uint64_t mib, unsigned asid_bits);

/* One operation of some process on some hart, checked. */
void world_step(void);

/* Everything of every process, and the machine's account. */
void world_check(void);
/* One process: both views, permissions, contents, present, committed. */
void world_check_process(const struct env_proc *p);

/* All processes exit; what is left must be what a fresh machine has. */
void world_end(void);

/* The operations, for tests that choose themselves. The process runs; each keeps
 * the model in step and checks the result. Those that need memory return 0 or
 * -K_ENOMEM, which is a finding when the machine had what it needed and
 * frame_fail_countdown was not set. */
struct env_proc *world_first(void);
/* How many spare frames boot has committed. */
uint64_t world_spares(void);
void world_touch(struct env_proc *p, uint64_t va, enum walker_access access);
void world_copyin(struct env_proc *p, uint64_t va, uint64_t n);
void world_copyout(struct env_proc *p, uint64_t va, uint64_t n);
int world_sbrk(struct env_proc *p, int64_t delta);
int world_fork(struct env_proc *p, struct env_proc **child);
int world_exec(struct env_proc *p, unsigned program, uint64_t version);
void world_exit(struct env_proc *p);
/* perm and limit are PTE_R | PTE_W | PTE_X; all but mmap's place is as in mm/mmap.h. */
int world_map(struct env_proc *p, uint64_t start, uint64_t end, uint8_t perm, uint8_t limit,
              bool shared, bool replace);
int world_unmap(struct env_proc *p, uint64_t start, uint64_t end);
int world_protect(struct env_proc *p, uint64_t start, uint64_t end, uint8_t perm);
void world_drop(struct env_proc *p, uint64_t start, uint64_t end);
/* [start, end) gets so many bytes, where it is (to = start), or at `to`. Program files and shared
 * memory are not mapped beyond their ends. */
int world_remap(struct env_proc *p, uint64_t start, uint64_t end, uint64_t to, uint64_t bytes,
                bool keep);
