/* The memory core under one design: what a space has for a thread more. */
#include "mm/kernel_view.h"
#include "aspacetest.h"
#include "hostarch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define SLOT (ENV_PROCS - 1) /* of no process here */

static uint64_t near_its_stack(void) {
    return host_random_below(2) ? KSTACK(SLOT) : TRAPFRAME_OF(SLOT);
}

static void stores_without_a_fault(uint64_t va) {
    struct tlbmodel_access a = tlbmodel_access(va, WALKER_STORE, WALKER_SUPERVISOR);
    assert_true(a.may_succeed);
    assert_false(a.may_fault);
    assert_false(a.ambiguous);
}

/* A hart that has run the space, and keeps that there was nothing at the addresses of the new
 * thread's kernel stack and trapframe, begins to run that thread: it cannot repair a fault there.
 */
void test_a_threads_stack_is_found(void **state) {
    static const unsigned bits[] = {16, 0};
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        paddr_t trapframe;
        world_fresh(MEMORY, bits[i]);
        struct env_proc *p = world_first();
        tlbmodel_interest = near_its_stack;
        for (uint32_t hart = 0; hart < 2; hart++) {
            env_run(p, hart);
            env_user(p);
            tlbmodel_speculate(20);
            env_kernel(p);
            tlbmodel_speculate(20);
        }
        env_run(p, 0);
        assert_int_equal(frame_alloc(&trapframe), 0);
        assert_int_equal(kernel_view_add_thread(p->as, SLOT, trapframe), 0);
        env_run(p, 1);
        stores_without_a_fault(KSTACK(SLOT));
        env_user(p);
        stores_without_a_fault(TRAPFRAME_OF(SLOT));
        env_kernel(p);
        env_run(p, 0);
        kernel_view_remove_thread(p->as, SLOT, TRAPFRAME_OF(SLOT));
        env_exit(p);
        frame_free(trapframe); /* hart 0 has left the table that showed it */
    }
}

/* A child of fork has one thread: no page of another one's kernel stack or trapframe, no table for
 * them, and no promise. */
void test_a_child_has_one_thread(void **state) {
    paddr_t trapframe;
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    assert_int_equal(frame_alloc(&trapframe), 0);
    assert_int_equal(kernel_view_add_thread(p->as, SLOT, trapframe), 0);
    assert_int_equal(world_fork(p, &child), 0);
    world_check_process(child);
    world_exit(child);
    kernel_view_remove_thread(p->as, SLOT, TRAPFRAME_OF(SLOT));
    frame_free(trapframe);
    world_end();
}
