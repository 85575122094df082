/* The memory core under one design: mappings that get another size or another place, case by case.
 * At random they do so in world_step; with pages of a file in aspacetest_files.c. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/mmap.h"
#include "mm/pieces.h"
#include "mm/shm.h"
#include "mm/zeros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define START ENV_MAPS_START
#define ELSEWHERE MIB(16)

static pte_t entry_of(struct env_proc *p, uint64_t va, unsigned *level) {
    return *pt_walk(&p->as->user, VA(va), level);
}

static struct env_proc *with_pages(uint64_t pages, uint8_t perm, bool shared) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    assert_int_equal(world_map(p, START, START + pages * P, perm, PTE_RWX, shared, false), 0);
    for (uint64_t i = 0; i < pages; i += 3)
        world_touch(p, START + i * P, perm & PTE_W ? WALKER_STORE : WALKER_LOAD);
    return p;
}

static void touch_each(struct env_proc *p, uint64_t start, uint64_t end) {
    for (uint64_t va = start; va < end; va += P) {
        world_touch(p, va, WALKER_LOAD);
        world_touch(p, va, WALKER_STORE);
        world_copyin(p, va, 16);
    }
}

/* What is aligned alike stays large; else, and where it is cut, it becomes small, and no frame is
 * copied either way. */
void test_large_leaves_move(void **state) {
    static const uint64_t targets[] = {ELSEWHERE, ELSEWHERE + 3 * P};
    for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
        struct env_proc *p = with_pages(PT_ENTRIES, RW, false), *child;
        unsigned level;
        uint64_t pa = pte_pa(entry_of(p, START, &level)).v, present = p->as->present;
        assert_int_equal(level, 1);
        if (i > 0)
            assert_int_equal(world_fork(p, &child), 0);
        uint64_t to = targets[i];
        assert_int_equal(world_remap(p, START, START + LARGE_SIZE, to, LARGE_SIZE + P, false), 0);
        assert_int_equal(pte_pa(entry_of(p, to, &level)).v, pa);
        assert_int_equal(level, i == 0 ? 1 : 0);
        assert_int_equal(p->as->present, present);
        world_check();
        touch_each(p, to, to + 8 * P);
        touch_each(p, to + LARGE_SIZE - P, to + LARGE_SIZE + P);
        world_touch(p, START, WALKER_LOAD); /* nothing is there any more */
        assert_int_equal(world_remap(p, to + 5 * P, to + 9 * P, START, 4 * P, false), 0);
        touch_each(p, START, START + 5 * P);
        touch_each(p, to, to + 12 * P);
        world_check();
        world_end();
    }
}

static int remap(struct env_proc *p, struct remap_request r, uint64_t *at) {
    env_kernel(p);
    return aspace_remap(p->as, &r, at);
}

/* In front of what is mapped there is no room, and across two mappings none moves. */
void test_where_a_mapping_may_grow(void **state) {
    struct env_proc *p = with_pages(4, RW, false);
    uint64_t at, top = USER_MAX - P;
    assert_int_equal(world_map(p, START + 6 * P, START + 8 * P, PTE_R, PTE_RWX, false, false), 0);
    assert_int_equal(world_remap(p, START, START + 4 * P, START, 6 * P, false), 0);
    assert_int_equal(world_remap(p, START, START + 6 * P, START, 7 * P, false), -K_ENOMEM);
    assert_int_equal(world_remap(p, START, START + 5 * P, START, 6 * P, false), -K_ENOMEM);
    assert_int_equal(world_remap(p, START, START + 7 * P, ELSEWHERE, 7 * P, false), -K_EFAULT);
    assert_int_equal(world_remap(p, START + 9 * P, START + 10 * P, ELSEWHERE, P, false), -K_EFAULT);
    uint64_t before = env_hash();
    struct remap_request r = {.start = START + 6 * P, .old_bytes = 2 * P, .bytes = USER_MAX};
    assert_int_equal(remap(p, r, &at), -K_ENOMEM);
    r.place = REMAP_ANYWHERE;
    assert_int_equal(remap(p, r, &at), -K_ENOMEM);
    r.bytes = GIB(100);
    r.start = START;
    assert_int_equal(remap(p, r, &at), -K_ENOMEM); /* there is room, and no memory */
    r.old_bytes = 0;
    r.bytes = P;
    assert_int_equal(remap(p, r, &at), -K_EINVAL);
    assert_int_equal(env_hash(), before);
    touch_each(p, START, START + 6 * P);
    world_check();
    r = (struct remap_request){START, 6 * P, 9 * P, REMAP_ANYWHERE, 0, false};
    assert_int_equal(remap(p, r, &at), 0);
    assert_int_equal(at, USER_MAX - 9 * P);
    r = (struct remap_request){at, 9 * P, P, REMAP_THERE, top, false};
    assert_int_equal(remap(p, r, &at), 0); /* to the last page that there is */
    assert_int_equal(p->as->mappings.last->start, top);
    assert_int_equal(aspace_unmap(p->as, top, USER_MAX), 0);
    env_exit(p);
}

/* Behind the end of shared memory is nothing, and a part of it may be mapped more than once. */
void test_shared_memory_is_mapped_again(void **state) {
    struct env_proc *p = with_pages(4, RW, true);
    uint64_t at, pa, again = ELSEWHERE;
    unsigned level;
    struct remap_request r = {START + P, 0, 6 * P, REMAP_HERE, 0, false};
    assert_int_equal(remap(p, r, &at), -K_ENOMEM);
    r.place = REMAP_THERE;
    r.to = again;
    assert_int_equal(remap(p, r, &at), 0);
    assert_true(env_touch(p, again + 2 * P, WALKER_LOAD, &pa));
    assert_int_equal(pa, pte_pa(entry_of(p, START + 3 * P, &level)).v);
    assert_false(env_touch(p, again + 3 * P, WALKER_STORE, &pa)); /* the fifth page of four */
    env_kernel(p);
    check_space(p->as);
    assert_int_equal(aspace_unmap(p->as, again, again + 6 * P), 0);
    world_check();
    world_end();
}

/* A page that moves needs no second promise: so much memory there is not. */
void test_what_moves_is_promised_once(void **state) {
    struct env_proc *p = with_pages(1, RW, false);
    struct frame_stats st;
    frame_stats(&st);
    uint64_t pages = (st.total - st.committed) * 2 / 3, at;
    const struct map_request all = {.bytes = pages * P,
                                    .object = &zeros_mapped,
                                    .prot = ABI_PROT_READ | ABI_PROT_WRITE,
                                    .limit = ABI_PROT_READ | ABI_PROT_WRITE};
    assert_int_equal(aspace_map(p->as, &all, &at), 0);
    for (uint64_t i = 0; i < pages; i += 100)
        assert_int_equal(aspace_fault(p->as, at + i * P, PTE_W), 0);
    uint64_t committed = p->as->committed;
    struct remap_request r = {at, pages * P, (pages + 1) * P, REMAP_THERE, GIB(1) + P, false};
    assert_int_equal(remap(p, r, &at), 0);
    assert_true(p->as->committed <= committed + 4 * walker_levels);
    r = (struct remap_request){at, pages * P, pages * P, REMAP_THERE, GIB(2), true};
    assert_int_equal(remap(p, r, &at), -K_ENOMEM);
    check_space(p->as);
    assert_int_equal(aspace_unmap(p->as, GIB(1), GIB(2)), 0);
    world_check();
    world_end();
}

static uint64_t tables_in_use(struct aspace *as) {
    spin_lock(&as->lock);
    uint64_t tables = commit_tables_in_use(as);
    spin_unlock(&as->lock);
    return tables;
}

/* Promises of lazy pages go with their frames, and those of their tables with the tables: of these
 * there are twice as many where each has one of two pages. */
void test_lazy_pages_move(void **state) {
    struct frame_stats before, now;
    uint64_t old, pa;
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    frame_stats(&before);
    uint64_t records = mapping_frames(), start = ROUND_UP(p->as->brk, LARGE_SIZE);
    assert_int_equal(aspace_grow_lazily(p->as, (int64_t)MIB(64), &old), 0);
    for (uint64_t at = start; at < start + MIB(32); at += 2 * LARGE_SIZE) {
        assert_true(env_touch(p, at, WALKER_STORE, &pa));
        assert_true(env_touch(p, at + LARGE_SIZE - P, WALKER_STORE, &pa));
    }
    env_kernel(p);
    uint64_t present = p->as->present, tables = p->as->user.tables;
    struct remap_request r = {start, MIB(32), MIB(40), REMAP_THERE, GIB(1) + MIB(1), false};
    for (unsigned n = 0; n < 3; n++) {
        uint64_t at;
        assert_int_equal(remap(p, r, &at), 0);
        assert_int_equal(p->as->present, present);
        assert_true(n % 2 ? p->as->user.tables < tables + 4 : p->as->user.tables > tables + 6);
        assert_int_equal(p->as->lazy_tables, tables_in_use(p->as));
        check_space(p->as);
        r.start = at;
        r.old_bytes = r.bytes;
        r.to = at + GIB(1) + MIB(1);
    }
    assert_true(env_touch(p, r.start + MIB(39), WALKER_STORE, &pa));
    env_kernel(p);
    assert_int_equal(aspace_unmap(p->as, r.start, r.start + r.bytes), 0);
    assert_int_equal(aspace_sbrk(p->as, -(int64_t)MIB(64), &old), 0);
    frame_stats(&now);
    assert_int_equal(now.committed - mapping_frames(), before.committed - records);
    world_check();
    world_end();
}

static uint64_t first_page(void) { return START; }

/* The other hart has kept where the pages were; one request is made for all of them. */
void test_other_harts_are_asked_once(void **state) {
    struct env_proc *p = with_pages(500, RW, true);
    uint64_t (*interest)(void) = tlbmodel_interest, pa;
    tlbmodel_interest = first_page;
    env_join(p, 1);
    env_user(p);
    tlbmodel_speculate(4);
    env_join(p, 0);
    memset(piece_used, 0, sizeof piece_used);
    uint64_t asked = tlbmodel_remote_fences;
    assert_int_equal(world_remap(p, START, START + 500 * P, ELSEWHERE, 500 * P, false), 0);
    assert_int_equal(tlbmodel_remote_fences, asked + 1);
    assert_null(tlbmodel_stale());
    env_join(p, 1);
    assert_false(env_touch(p, START, WALKER_LOAD, &pa));
    env_kernel(p);
    world_touch(p, ELSEWHERE, WALKER_STORE);
    tlbmodel_interest = interest;
    world_check();
    world_end();
}
