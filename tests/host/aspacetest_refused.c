/* Address spaces when memory is short: promises that are refused, and the last frame. */
#include "aspacetest.h"
#include "lib/errno.h"
#include "mm/reclaim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define MAPS MIB(16)

static int op_fork(struct env_proc *p) {
    struct env_proc *child;
    return world_fork(p, &child);
}
static int op_exec(struct env_proc *p) { return world_exec(p, 0, 1); }
static int op_exec_large(struct env_proc *p) { return world_exec(p, 3, 1); }
static int op_sbrk(struct env_proc *p) { return world_sbrk(p, MIB(5) + 8); }
static int op_sbrk_page(struct env_proc *p) { return world_sbrk(p, P); }
static int op_shrink(struct env_proc *p) { return world_sbrk(p, -(int64_t)MIB(1)); }
static int op_map(struct env_proc *p) {
    return world_map(p, MAPS + MIB(1), MAPS + MIB(1) + 20 * P, RW, PTE_RWX, false, false);
}
static int op_map_shared(struct env_proc *p) {
    return world_map(p, MAPS + MIB(1), MAPS + MIB(1) + 20 * P, RW, PTE_RWX, true, false);
}
static int op_replace(struct env_proc *p) {
    return world_map(p, MAPS + 3 * P, MAPS + 5 * P, RW, PTE_RWX, false, true);
}
static int op_replace_large(struct env_proc *p) {
    return world_map(p, MAPS + 3 * P, MAPS + 64 * P, RW, PTE_RWX, true, true);
}
static int op_unmap(struct env_proc *p) { return world_unmap(p, MAPS + 3 * P, MAPS + 5 * P); }
static int op_protect(struct env_proc *p) {
    return world_protect(p, MAPS + 3 * P, MAPS + 5 * P, RW);
}
static int op_forbid(struct env_proc *p) { return world_protect(p, MAPS + 3 * P, MAPS + 5 * P, 0); }
static int op_drop(struct env_proc *p) {
    world_drop(p, MAPS + 3 * P, MAPS + 5 * P);
    return 0;
}
static int op_grow(struct env_proc *p) {
    return world_remap(p, MAPS, MAPS + 8 * P, MAPS, 9 * P, false);
}
static int op_shorten(struct env_proc *p) {
    return world_remap(p, MAPS + 3 * P, MAPS + 5 * P, MAPS + 3 * P, P, false);
}
static int op_move(struct env_proc *p) {
    return world_remap(p, MAPS + 3 * P, MAPS + 5 * P, MAPS + MIB(1), 40 * P, false);
}
static int op_move_into(struct env_proc *p) {
    return world_remap(p, MAPS + 3 * P, MAPS + 5 * P, MAPS + 6 * P, P, false);
}
static int op_move_and_keep(struct env_proc *p) {
    return world_remap(p, MAPS + 3 * P, MAPS + 5 * P, MAPS + MIB(3), 2 * P, true);
}
static int op_create(struct env_proc *p) {
    struct env_proc *q;
    int err = env_create(&q);
    if (!err)
        world_exit(q);
    return err;
}

/* Something to cut; and so many more that the next record of a mapping needs a frame. */
static void prepare_mappings(struct env_proc *p) {
    assert_int_equal(world_map(p, MAPS, MAPS + 8 * P, PTE_R, PTE_RWX, false, false), 0);
    world_touch(p, MAPS + 4 * P, WALKER_LOAD);
    uint64_t frames = mapping_frames(), at = MAPS + 10 * P;
    for (; mapping_frames() == frames; at += 2 * P)
        assert_int_equal(world_map(p, at, at + P, PTE_R, PTE_RWX, false, false), 0);
    assert_int_equal(world_unmap(p, at - 2 * P, at - P), 0);
    assert_int_equal(mapping_frames(), frames);
}

/* The n-th promise is refused, for n = 1, 2, 3 ... until the operation succeeds:
 * after each failure everything is as it was, and goes on working. */
void test_every_promise_refused_once(void **state) {
    static const struct {
        int (*op)(struct env_proc *p);
        unsigned promises; /* that it makes */
    } ops[] = {{op_fork, 3},       {op_exec, 4},    {op_exec_large, 4},    {op_sbrk, 1},
               {op_sbrk_page, 1},  {op_shrink, 0},  {op_create, 2},        {op_map, 2},
               {op_map_shared, 3}, {op_replace, 2}, {op_replace_large, 3}, {op_unmap, 1},
               {op_protect, 2},    {op_forbid, 1},  {op_drop, 0},          {op_grow, 0},
               {op_shorten, 1},    {op_move, 2},    {op_move_into, 1},     {op_move_and_keep, 2}};
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        world_fresh(MEMORY, 16);
        struct env_proc *p = world_first();
        assert_int_equal(world_sbrk(p, MIB(5)), 0);
        world_touch(p, MIB(2), WALKER_STORE);
        world_touch(p, MIB(1), WALKER_STORE);
        prepare_mappings(p);
        unsigned n = 1;
        for (;; n++) {
            uint64_t before = env_hash();
            env_kernel(p);
            frame_fail_countdown = n;
            int err = ops[i].op(p);
            bool refused = frame_fail_countdown == 0;
            frame_fail_countdown = 0;
            assert_int_equal(err, refused ? -K_ENOMEM : 0);
            if (!refused)
                break;
            assert_int_equal(env_hash(), before);
            world_check();
            world_touch(p, 3 * P, WALKER_STORE);
            world_copyout(p, MIB(2) + P, 2 * P);
        }
        assert_true(n > ops[i].promises);
        world_check();
        world_end();
    }
}

/* What was granted can be touched, to the last frame of the machine. */
void test_the_last_frame(void **state) {
    world_fresh(24, 16);
    struct env_proc *p = world_first(), *child;
    assert_int_equal(world_sbrk(p, MIB(2)), 0);
    assert_int_equal(world_fork(p, &child), 0);
    assert_int_equal(world_exec(p, 1, 0), 0);
    for (int64_t step = MIB(4); step >= (int64_t)P; step /= 2)
        while (world_sbrk(p, step) == 0) {
        }
    struct frame_stats st;
    frame_stats(&st);
    assert_true(st.total - st.committed < 3);
    for (uint64_t va = 0; va < p->as->brk; va += P)
        world_touch(p, va, va / P % 2 ? WALKER_STORE : WALKER_LOAD);
    env_run(child, 1);
    for (uint64_t va = 0; va < child->as->brk; va += P)
        world_touch(child, va, WALKER_STORE);
    world_check();
    assert_int_equal(world_fork(child, &(struct env_proc *){0}), -K_ENOMEM);
    assert_int_equal(world_exec(child, 2, 0), -K_ENOMEM);
    world_check();
    world_end();
}

static struct env_proc *copies_meanwhile;
static void copy_meanwhile(void) {
    env_run(copies_meanwhile, 1);
    world_touch(copies_meanwhile, MIB(2), WALKER_STORE);
}

/* Two harts find a frame shared and copy it at once, when every other promise was called in. */
void test_two_copy_at_once(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    struct frame_stats st;
    assert_int_equal(world_sbrk(p, (int64_t)(MIB(2) + P - p->as->brk)), 0);
    world_touch(p, MIB(2), WALKER_STORE);
    assert_int_equal(world_fork(p, &copies_meanwhile), 0);
    reclaim_frames(UINT64_MAX);
    for (frame_stats(&st); st.free > world_spares() + 1; frame_stats(&st))
        frame_take();
    env_meanwhile = copy_meanwhile;
    world_touch(p, MIB(2), WALKER_STORE);
    assert_null(env_meanwhile);
    frame_stats(&st);
    assert_int_equal(st.free, world_spares()); /* the old frame is free */
    world_exit(copies_meanwhile);
    world_exit(p);
}
