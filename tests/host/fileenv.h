/* A file for tests of the memory core, and processes that map it: object.h's operations over an
 * array of frames. What processes show is compared with what the file permits. */
#pragma once
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/check.h"
#include "mm/mmap.h"
#include "mm/rmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define PAGES 8
#define SHARED ENV_MAPS_START
#define PRIVATE (SHARED + PAGES * P)
#define ELSEWHERE (PRIVATE + PAGES * P) /* where something is for a moment */

static struct {
    struct object object;
    struct rmap rmap;
    int refs;
    uint64_t end;         /* pages that it has now */
    paddr_t frame[PAGES]; /* a reference; 0: not in memory */
    bool writable[PAGES]; /* since it was asked; nobody may write else */
    unsigned asked;
    void (*between)(void); /* what others do while it is asked; all that follows is shown, too */
} file;

static bool own[ENV_PROCS][PAGES]; /* private pages that were written */

/* ---- the file -------------------------------------------------------------------- */

static void get(struct object *o) { file.refs++; }
static void put(struct object *o) { file.refs--; }

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    file.asked++;
    if (index >= file.end)
        return -K_ENXIO;
    if (!file.frame[index].v)
        assert_int_equal(frame_alloc(&file.frame[index]), 0);
    file.writable[index] |= write;
    unsigned n = 1; /* with some that follow it and are there */
    while (!write && n < most && index + n < file.end && file.frame[index + n].v &&
           (file.between || host_random_below(4)))
        n++;
    if (file.between)
        file.between();
    return show(ctx, &file.frame[index], n);
}

static const struct object_ops ops = {.get = get, .put = put, .page = page};

static void new_file(void) {
    memset(&file, 0, sizeof file);
    memset(own, 0, sizeof own);
    file.object = (struct object){
        .ops = &ops, .name = "file", .tracks_writes = true, .rmap = &file.rmap};
    file.end = PAGES;
    rmap_init(&file.rmap);
}

static void cut(uint64_t end) {
    rmap_take_away(&file.rmap, end, PAGES - end);
    for (uint64_t i = end; i < PAGES; i++) {
        if (file.frame[i].v)
            frame_free(file.frame[i]); /* nobody has it any more, no hart either */
        file.frame[i] = PA(0);
        file.writable[i] = false;
        for (unsigned slot = 0; slot < ENV_PROCS; slot++)
            own[slot][i] = false;
    }
    file.end = end;
}

static void forbid(uint64_t i) {
    rmap_forbid_writes(&file.rmap, i, 1);
    file.writable[i] = false;
}

/* ---- processes --------------------------------------------------------------------- */

#define ALL (ABI_PROT_READ | ABI_PROT_WRITE | ABI_PROT_EXEC)

static void map_part(struct env_proc *p, uint64_t start, uint64_t first, uint64_t pages,
                     unsigned prot, bool shared) {
    const struct map_request r = {.start = start + first * P,
                                  .bytes = pages * P,
                                  .place = MAP_REPLACE,
                                  .object = &file.object,
                                  .first = first,
                                  .prot = prot,
                                  .limit = ALL,
                                  .shared = shared};
    uint64_t at;
    assert_int_equal(aspace_map(p->as, &r, &at), 0);
}

static void map(struct env_proc *p, uint64_t start, bool shared) {
    map_part(p, start, 0, PAGES, ABI_PROT_READ | ABI_PROT_WRITE, shared);
    for (unsigned i = 0; !shared && i < PAGES; i++)
        own[p->slot][i] = false;
}

static struct env_proc *first_with_both(void) {
    struct env_proc *p;
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    map(p, SHARED, true);
    map(p, PRIVATE, false);
    return p;
}

static void touch(struct env_proc *p, bool shared, uint64_t i, bool store) {
    uint64_t pa;
    bool done = env_touch(p, (shared ? SHARED : PRIVATE) + i * P,
                          store ? WALKER_STORE : WALKER_LOAD, &pa);
    assert_int_equal(done, i < file.end);
    if (!done)
        return;
    own[p->slot][i] |= store && !shared;
    assert_int_equal(pa == file.frame[i].v, shared || !own[p->slot][i]);
    if (store && shared)
        assert_true(file.writable[i]);
    env_kernel(p);
}

/* What shows the file's page i, if it is shared, or nothing. */
static void check_shown(struct env_proc *p, uint64_t va, uint64_t i) {
    const struct mapping *m = mapping_at(&p->as->mappings, va);
    unsigned level;
    pte_t e = *pt_walk(&p->as->user, VA(va), &level);
    if (!m || i >= file.end)
        assert_int_equal(e, 0);
    if ((e & PTE_W) && m->shared)
        assert_true(file.writable[i]);
}

/* Of all spaces but those that nobody can find: that are not copied yet, or about to end. */
static void check_all(void) {
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        for (uint64_t i = 0; p->used && p->as->live && p->as->granted && i < PAGES; i++) {
            check_shown(p, SHARED + i * P, i);
            check_shown(p, ELSEWHERE + i * P, i);
            if (i == 0)
                check_space(p->as);
        }
}

static void check_harts(void) {
    tlbmodel_speculate(2);
    assert_null(tlbmodel_stale());
}

static struct env_proc *anybody(void) {
    struct env_proc *p;
    do
        p = &env_procs[host_random_below(ENV_PROCS)];
    while (!p->used);
    return p;
}

static void end(void) {
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        if (p->used)
            env_exit(p);
    assert_int_equal(file.refs, 0);
    assert_true(list_empty(&file.rmap.mappings));
    cut(0);
}
