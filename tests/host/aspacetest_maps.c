/* The memory core under one design: what mmap and its kin do, case by case; random use is
 * world_step's. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/shm.h"
#include "mm/uaccess.h"
#include "mm/zeros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define START ENV_MAPS_START
#define END (ENV_MAPS_START + ENV_MAPS)

static void map(struct env_proc *p, uint64_t start, uint64_t end, uint8_t perm, bool shared) {
    assert_int_equal(world_map(p, start, end, perm, PTE_RWX, shared, false), 0);
}

static void protect(struct env_proc *p, uint64_t start, uint64_t end, uint8_t perm) {
    assert_int_equal(world_protect(p, start, end, perm), 0);
}

static void unmap(struct env_proc *p, uint64_t start, uint64_t end) {
    assert_int_equal(world_unmap(p, start, end), 0);
}

static unsigned level_of(struct env_proc *p, uint64_t va) {
    unsigned level;
    assert_true(pte_valid(*pt_walk(&p->as->user, VA(va), &level)));
    return level;
}

static pte_t entry_of(struct env_proc *p, uint64_t va) {
    unsigned level;
    return *pt_walk(&p->as->user, VA(va), &level);
}

static void touch_each(struct env_proc *p, uint64_t start, uint64_t end) {
    static const enum walker_access all[] = {WALKER_LOAD, WALKER_STORE, WALKER_FETCH};
    for (uint64_t va = start; va < end; va += P)
        for (unsigned i = 0; i < ARRAY_LEN(all); i++)
            world_touch(p, va, all[i]);
}

/* A machine whose first process has one large leaf from START on, written here and there. */
static struct env_proc *with_a_large_leaf(void) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    map(p, START, END, RW, false);
    for (uint64_t va = START; va < END; va += 5 * P)
        world_touch(p, va, WALKER_STORE);
    assert_int_equal(level_of(p, START), 1);
    return p;
}

void test_large_leaves_are_cut(void **state) {
    enum { PROTECT, FORBID, UNMAP, DROP, REPLACE, CUTS };
    for (unsigned cut = 0; cut < CUTS; cut++) {
        struct env_proc *p = with_a_large_leaf(), *child;
        uint64_t start = START + 5 * P, end = START + 20 * P;
        bool forked = cut % 2 == 0; /* of the others the frames are shared as well */
        if (forked)
            assert_int_equal(world_fork(p, &child), 0);
        switch (cut) {
        case PROTECT: protect(p, start, end, PTE_R); break;
        case FORBID: protect(p, start, end, 0); break;
        case UNMAP: unmap(p, start, end); break;
        case DROP: world_drop(p, start, end); break;
        default: assert_int_equal(world_map(p, start, end, RW, PTE_RWX, true, true), 0);
        }
        assert_int_equal(level_of(p, START), 0);
        world_check();
        touch_each(p, start - 2 * P, end + 2 * P);
        world_check();
        if (forked) {
            assert_int_equal(level_of(child, START), 1);
            env_run(child, 1);
            touch_each(child, start - 2 * P, end + 2 * P);
        }
        world_check();
        world_end();
    }
}

/* All of it at once: a large leaf stays one, but where no access is left. */
void test_large_leaves_are_changed_whole(void **state) {
    struct env_proc *p = with_a_large_leaf();
    protect(p, START, END, PTE_R);
    assert_int_equal(level_of(p, START), 1);
    touch_each(p, START, START + P);
    protect(p, START, END, RW);
    world_touch(p, START + P, WALKER_STORE);
    assert_int_equal(level_of(p, START), 1);
    protect(p, START, END, 0);
    assert_int_equal(level_of(p, START), 0);
    assert_int_equal(entry_of(p, START + P) & PTE_FLAGS, PTE_V);
    world_check();
    unmap(p, START, END);
    world_check();
    world_end();
}

/* mprotect gives W back where no fault would have to look first: in pages of private memory that
 * nobody shares, in both views. */
void test_writes_come_back_at_once(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    map(p, START, START + 4 * P, RW, false);
    for (uint64_t va = START; va < START + 3 * P; va += P)
        world_touch(p, va, WALKER_STORE);
    protect(p, START, START + 4 * P, PTE_R);
    assert_int_equal(entry_of(p, START) & PTE_RWX, PTE_R);
    protect(p, START, START + 4 * P, RW);
    for (uint64_t va = START; va < START + 3 * P; va += P)
        assert_int_equal(entry_of(p, va) & PTE_RWX, RW);
    assert_int_equal(entry_of(p, START + 3 * P), 0);
    world_check();

    assert_int_equal(world_fork(p, &child), 0);
    world_touch(p, START, WALKER_STORE);
    protect(p, START, START + 4 * P, PTE_R);
    protect(p, START, START + 4 * P, RW);
    assert_int_equal(entry_of(p, START) & PTE_RWX, RW);
    assert_int_equal(entry_of(p, START + P) & PTE_RWX, PTE_R); /* the child has it, too */
    protect(p, START, START + 4 * P, 0);
    protect(p, START, START + 4 * P, RW);
    assert_int_equal(entry_of(p, START) & PTE_FLAGS, PTE_V); /* it is kept until it is touched */
    touch_each(p, START, START + 4 * P);
    world_check();
    world_end();
}

/* Pages that may not be touched keep what they have, through fork and back, also the program's
 * own; and nobody gets at it meanwhile. */
void test_kept_pages(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    map(p, START, START + 8 * P, RW, false);
    for (uint64_t va = START; va < START + 6 * P; va += P)
        world_touch(p, va, WALKER_STORE);
    uint64_t present = p->as->present;
    protect(p, START + P, START + 7 * P, 0);
    protect(p, 0, 4 * P, 0);
    assert_int_equal(p->as->present, present);
    for (uint64_t va = START; va < START + 8 * P; va += P) {
        world_copyin(p, va, 8);
        world_copyout(p, va, 8);
    }
    touch_each(p, START, START + 8 * P);
    assert_int_equal(world_fork(p, &child), 0);
    world_check();

    env_run(child, 1);
    world_copyin(child, START + P, 8);
    protect(child, START + P, START + 4 * P, PTE_R);
    touch_each(child, START, START + 8 * P);
    protect(child, START + P, START + 7 * P, RW);
    touch_each(child, START, START + 8 * P);
    protect(child, 0, 3 * P, PTE_R | PTE_X);
    touch_each(child, 0, 4 * P);
    world_check();
    world_exit(child);

    env_run(p, 0);
    protect(p, START + 2 * P, START + 3 * P, RW);
    touch_each(p, START, START + 4 * P);
    world_drop(p, START + 4 * P, START + 5 * P);
    assert_int_equal(entry_of(p, START + 4 * P), 0);
    protect(p, START + 4 * P, START + 5 * P, RW);
    touch_each(p, START + 4 * P, START + 5 * P);
    world_check();
    world_end();
}

/* It is there as long as one page of it is mapped by anybody. */
void test_shared_memory_goes_last(void **state) {
    struct frame_stats before, now;
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    frame_stats(&before);
    map(p, START, START + 40 * P, RW, true);
    world_touch(p, START, WALKER_STORE);
    assert_int_equal(world_fork(p, &child), 0);
    env_run(child, 1);
    world_touch(child, START, WALKER_STORE);
    world_touch(child, START + 30 * P, WALKER_STORE); /* that nobody had touched before fork */
    env_run(p, 0);
    world_touch(p, START + 30 * P, WALKER_LOAD);
    world_copyout(p, START + 30 * P, P);
    world_check();
    world_drop(p, START, START + 40 * P); /* changes nothing: it is not only its own */
    world_touch(p, START, WALKER_LOAD);
    protect(p, START, START + 31 * P, 0);
    unmap(p, START + 30 * P, START + 40 * P);
    world_check();
    env_run(child, 2);
    unmap(child, START, START + 29 * P);
    unmap(child, START + 31 * P, START + 40 * P);
    touch_each(child, START + 28 * P, START + 32 * P);
    world_check();
    world_exit(child);
    env_run(p, 0);
    protect(p, START, START + 30 * P, RW);
    touch_each(p, START, START + 2 * P);
    unmap(p, START, START + 10 * P);
    unmap(p, START + 11 * P, START + 30 * P);
    assert_int_equal(shm_frames(), 1);
    unmap(p, START + 10 * P, START + 11 * P);
    assert_int_equal(shm_frames(), 0);
    frame_stats(&now);
    assert_int_equal(now.committed, before.committed);
    world_check();
    world_end();
}

/* What the object has at hand comes with one fault, up to the next multiple of 16 and to what is
 * there already; what it has not, and what would be written, does not. */
void test_pages_at_hand_come_along(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    map(p, START, START + 40 * P, RW, true);
    assert_int_equal(world_fork(p, &child), 0);
    for (uint64_t i = 0; i < 40; i++)
        if (i != 12)
            world_touch(p, START + i * P, WALKER_STORE);
    env_run(child, 1);
    uint64_t present = child->as->present;
    world_touch(child, START + 2 * P, WALKER_LOAD);
    assert_int_equal(child->as->present - present, 10); /* 2 to 11 */
    world_touch(child, START + 12 * P, WALKER_LOAD);    /* that is made now, alone */
    assert_int_equal(child->as->present - present, 11);
    world_touch(child, START, WALKER_LOAD);
    assert_int_equal(child->as->present - present, 13); /* 0 and 1 */
    world_touch(child, START + 16 * P, WALKER_STORE);
    assert_int_equal(child->as->present - present, 14);
    protect(child, START + 20 * P, START + 30 * P, PTE_R);
    world_touch(child, START + 21 * P, WALKER_LOAD); /* up to the end of its mapping */
    assert_int_equal(child->as->present - present, 23);
    touch_each(child, START, START + 40 * P);
    world_check();
    world_end();
}

/* fork goes over neighbours in one walk, and each gets what it needs. */
void test_private_beside_shared(void **state) {
    for (unsigned first = 0; first < 2; first++) {
        world_fresh(MEMORY, 16);
        struct env_proc *p = world_first(), *child;
        for (unsigned i = 0; i < 6; i++)
            map(p, START + 3 * i * P, START + (3 * i + 3) * P, RW, i % 2 == first);
        touch_each(p, START, START + 18 * P);
        assert_int_equal(world_fork(p, &child), 0);
        env_run(child, 1);
        touch_each(child, START, START + 18 * P);
        env_run(p, 0);
        touch_each(p, START, START + 18 * P);
        world_check();
        world_end();
    }
}

static int map_anywhere(struct env_proc *p, uint64_t hint, uint64_t bytes, enum map_place place,
                        unsigned prot, uint64_t *at) {
    struct map_request r = {.start = hint,
                            .bytes = bytes,
                            .place = place,
                            .object = &zeros_mapped,
                            .prot = prot,
                            .limit = ABI_PROT_READ | ABI_PROT_WRITE | ABI_PROT_EXEC};
    env_kernel(p);
    return aspace_map(p->as, &r, at);
}

/* What there was is there still, to the last page and promise. */
void test_a_replacement_that_fails(void **state) {
    uint64_t at;
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    map(p, START, START + 4 * P, RW, false);
    map(p, START + 4 * P, START + 8 * P, RW, true);
    touch_each(p, START, START + 8 * P);
    uint64_t before = env_hash();
    assert_int_equal(map_anywhere(p, START + 2 * P, GIB(1), MAP_REPLACE, ABI_PROT_WRITE, &at),
                     -K_ENOMEM);
    assert_int_equal(env_hash(), before);
    assert_int_equal(map_anywhere(p, START + 2 * P, P, MAP_FREE, ABI_PROT_WRITE, &at), -K_EEXIST);
    assert_int_equal(env_hash(), before);
    touch_each(p, START, START + 8 * P);
    world_check();
    world_end();
}

static uint64_t place_for(struct env_proc *p, uint64_t hint, uint64_t bytes) {
    uint64_t at;
    assert_int_equal(map_anywhere(p, hint, bytes, MAP_HINT, ABI_PROT_READ, &at), 0);
    return at;
}

/* From the top downwards, or where there is room again. */
void test_places_from_the_top(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    uint64_t top = USER_MAX, large = USER_MAX - 2 * LARGE_SIZE, at;
    assert_int_equal(place_for(p, 0, P), top - P);
    assert_int_equal(place_for(p, 0, P), top - 2 * P);
    assert_int_equal(aspace_unmap(p->as, top - P, top), 0);
    assert_int_equal(place_for(p, 0, 2 * P), top - 4 * P); /* no room in the hole */
    assert_int_equal(place_for(p, 0, LARGE_SIZE + P), large);
    assert_int_equal(place_for(p, 0, P), large - P); /* goes on below */
    assert_int_equal(aspace_unmap(p->as, large - P, large), 0);
    assert_int_equal(place_for(p, 0, P), large - P); /* what was just freed */
    assert_int_equal(place_for(p, START, 2 * P), START);
    assert_int_equal(place_for(p, START + P, 2 * P), large - 3 * P); /* the wish is taken */
    assert_int_equal(place_for(p, USER_MAX - P, 2 * P), large - 5 * P);
    assert_int_equal(aspace_unmap(p->as, top - 3 * P, top - 2 * P), 0);
    assert_int_equal(place_for(p, 0, P), top - 3 * P); /* of a gap, the highest place */
    p->as->map_below = p->as->heap_end + P; /* too small a gap, as when all above is full */
    assert_int_equal(place_for(p, 0, 2 * P), top - 6 * P);
    uint64_t before = env_hash();
    assert_int_equal(map_anywhere(p, 0, USER_MAX, MAP_HINT, 0, &at), -K_ENOMEM);
    assert_int_equal(map_anywhere(p, 0, UINT64_MAX - P + 1, MAP_HINT, 0, &at), -K_ENOMEM);
    assert_int_equal(env_hash(), before);
    assert_int_equal(p->as->mappings.last->end, top - P); /* nobody wanted the hole above */
    assert_int_equal(aspace_unmap(p->as, START, USER_MAX), 0);
    world_check();
    world_end();
}

/* What was written is gone, and the file's bytes are there; one fault suffices to write anew. */
void test_dropped_pages_of_the_program(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    touch_each(p, 0, 8 * P);
    world_drop(p, 0, 8 * P);
    assert_int_equal(world_fork(p, &child), 0);
    world_touch(p, 3 * P, WALKER_STORE);
    world_touch(p, 4 * P, WALKER_LOAD);
    world_copyout(p, 4 * P - 8, 16);
    world_touch(p, 0, WALKER_FETCH);
    env_run(child, 1);
    touch_each(child, 0, 8 * P);
    world_check();
    world_end();
}

/* The break where something else was mapped. */
void test_the_break_meets_mappings(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    uint64_t end = p->as->brk;
    assert_int_equal(world_sbrk(p, -8), 0);
    assert_int_equal(world_map(p, end - P, end + P, RW, PTE_RWX, false, true), 0);
    assert_int_equal(world_sbrk(p, 8), 0); /* nothing need be granted for that */
    assert_int_equal(world_sbrk(p, 8), -K_EEXIST);
    assert_int_equal(world_sbrk(p, -(int64_t)P), 0);
    assert_int_equal(world_sbrk(p, 2 * P), -K_EEXIST);
    unmap(p, end - P, end + P);
    assert_int_equal(world_sbrk(p, 2 * P), 0);
    world_check();

    /* In the middle of a page of the program that was given back. */
    assert_int_equal(world_exec(p, 0, 0), 0);
    world_drop(p, 3 * P, 5 * P);
    assert_int_equal(world_sbrk(p, 3 * P + 8 - (int64_t)p->as->brk), 0);
    world_touch(p, 4 * P - 8, WALKER_LOAD);
    world_check();
    world_end();
}
