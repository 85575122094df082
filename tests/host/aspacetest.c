/* The memory core under one design: units; random operations of several processes on
 * several harts against a flat model; the n-th commitment fails. The files
 * test_aspace_NAME.c say which design. */
#include "aspacetest.h"
#include "mm/mmap.h"
#include "mm/zeros.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- one space --------------------------------------------------------------------- */

static void test_an_empty_space(void **state) {
    struct env_proc *p;
    world_fresh(MEMORY, 16);
    assert_int_equal(env_create(&p), 0);
    bool own_table = world_view() >= IN_USERS_LOWER_TABLES;
    assert_int_equal(p->as->user.tables, walker_levels);
    assert_int_equal(p->as->kernel.tables, own_table ? walker_levels : 0);
    assert_int_equal(p->as->committed, (own_table ? 2 : 1) * walker_levels);
    assert_int_equal(p->as->user_satp >> 60, 8 + walker_levels - 3); /* Sv39 is 8 */
    assert_int_equal(p->as->user_satp & ((1ULL << 44) - 1), p->as->user.root.v >> 12);
    if (world_view() == IN_USERS_TABLE)
        assert_int_equal(p->as->user_satp, p->as->kernel_satp);
    else
        assert_int_not_equal(p->as->user_satp >> 44, p->as->kernel_satp >> 44);
    env_run(p, 1);
    world_touch(p, 0, WALKER_LOAD);
    world_touch(p, TRAPFRAME, WALKER_STORE);
    world_check();
    world_end();
}

static uint64_t stack_of(const struct env_proc *p) {
    const struct mapping *m = p->as->mappings.first;
    while (!m->object->guarded)
        m = m->next;
    return m->start;
}

/* Who may do what with each page of each program; the guard page nobody. */
static void test_programs_permissions(void **state) {
    static const enum walker_access all[] = {WALKER_LOAD, WALKER_STORE, WALKER_FETCH};
    for (unsigned program = 0; program < ENV_PROGRAMS; program++) {
        world_fresh(MEMORY, 16);
        struct env_proc *p = world_first();
        assert_int_equal(world_exec(p, program, 0), 0);
        for (uint64_t va = 0; va < p->as->brk + 2 * P; va += P)
            for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
                uint64_t pa;
                world_touch(p, va, all[i]);
                assert_false(walker_access(p->as->kernel_satp << 20 >> 8, va, WALKER_FETCH,
                                           WALKER_SUPERVISOR_SUM, &pa));
            }
        assert_true(IS_ALIGNED(p->as->brk, LARGE_SIZE)); /* where the heap begins */
        uint64_t guard = stack_of(p) - P;
        world_copyin(p, guard, 1);
        world_copyin(p, guard + P - 1, 1);
        world_copyout(p, guard, 1);
        world_copyout(p, 0, 8); /* read-only text, in most */
        world_copyout(p, guard + P, P);
        world_copyout(p, guard + P, P + 1);
        world_check();
        world_end();
    }
}

/* A program of one page of zeros. */
static struct elf_plan one_page(uint64_t start, uint64_t stack) {
    return (struct elf_plan){.segments = 1,
                             .segment = {{.vaddr = start, .memsz = P, .perm = PTE_R | PTE_X}},
                             .end = start + P,
                             .stack = stack};
}

static void test_no_room_below_the_limit(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *q;
    assert_int_equal(env_create(&q), 0);
    paddr_t stack;
    assert_int_equal(frame_alloc(&stack), 0);
    struct elf_plan plan = one_page(USER_MAX - 2 * P, 0);
    uint64_t before = env_hash();
    assert_int_equal(aspace_load(q->as, &plan, NULL, stack), -K_ENOEXEC);
    assert_int_equal(env_hash(), before);
    plan = one_page(USER_MAX - 3 * P, 0);
    assert_int_equal(aspace_load(q->as, &plan, NULL, stack), 0);
    assert_int_equal(q->as->brk, USER_MAX);
    env_run(q, 1);
    uint64_t pa, old;
    char byte;
    assert_true(env_touch(q, USER_MAX - 1, WALKER_STORE, &pa));
    assert_false(env_touch(q, USER_MAX, WALKER_LOAD, &pa));
    env_kernel(q);
    assert_int_equal(copyin(&byte, UA(USER_MAX - 1), 1), 0);
    uint8_t bytes[4] = {0};
    struct kpiece piece[] = {{bytes, 1}, {bytes, 1}, {bytes, 4}, {bytes, 1}};
    size_t done;
    assert_int_equal(copyout_gather(UA(USER_MAX - 3), piece, 4, &done), -K_EFAULT);
    assert_int_equal(done, 2);
    assert_int_equal(copyin_scatter(piece, 3, UA(USER_MAX + 1), &done), -K_EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(aspace_sbrk(q->as, 1, &old), -K_ENOMEM);
    assert_int_equal(aspace_sbrk(q->as, -1, &old), 0);
    assert_int_equal(aspace_sbrk(q->as, 1, &old), 0);
    world_exit(q);
    env_run(p, 0);
    world_end();
}

/* A program of one page at start with so much stack: where that is, what of it is promised,
 * and that all of it can be touched and nothing around it. */
static void check_stack(uint64_t start, uint64_t bytes, uint64_t stack_start) {
    struct env_proc *q;
    struct elf_plan plan = one_page(start, bytes);
    paddr_t stack;
    uint64_t pa, end = stack_start + bytes, lazy = bytes > 16 * P ? bytes - 16 * P : 0;
    assert_int_equal(env_create(&q), 0);
    assert_int_equal(frame_alloc(&stack), 0);
    assert_int_equal(aspace_stack(&plan).v, end - P);
    assert_int_equal(aspace_load(q->as, &plan, NULL, stack), 0);
    assert_int_equal(q->as->brk, ROUND_UP(MAX(end, start + P), LARGE_SIZE));
    assert_int_equal(q->as->granted, bytes + P);
    for (uint64_t va = stack_start; va < end; va += P)
        assert_int_equal(mapping_at(&q->as->mappings, va)->lazy, va < stack_start + lazy);
    assert_true(q->as->committed <= 16 + 6 * walker_levels); /* nothing for what is lazy */
    env_run(q, 1);
    assert_false(env_touch(q, stack_start - 1, WALKER_STORE, &pa));
    assert_true(env_touch(q, stack_start, WALKER_STORE, &pa));
    assert_true(env_touch(q, end - P, WALKER_STORE, &pa));
    assert_int_equal(pa, stack.v);
    assert_int_equal(env_touch(q, end, WALKER_LOAD, &pa), end == start);
    env_kernel(q);
    world_exit(q);
}

static void test_stacks_with_a_size(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    check_stack(0, P, 2 * P); /* above the program: there is no room below */
    check_stack(0, 16 * P, 2 * P);
    check_stack(0, 17 * P, 2 * P);
    check_stack(0, MIB(8), 2 * P);
    check_stack(MIB(8), MIB(8), MIB(8) + 2 * P);
    check_stack(MIB(8) + P, MIB(8), P); /* below it, and one page below that */
    check_stack(MIB(8) + 16 * P, MIB(8), 16 * P);
    check_stack(MIB(8), P, MIB(8) - P);
    check_stack(0, GIB(3), 2 * P);
    env_run(p, 0);
    world_end();
}

/* ---- the heap ------------------------------------------------------------------------ */

static void test_the_break(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    const int64_t delta[] = {1,
                             -1,
                             4095,
                             -4095,
                             4096,
                             -4096,
                             4097,
                             -8,
                             8,
                             -4097,
                             0,
                             (int64_t)MIB(4),
                             -(int64_t)MIB(3),
                             (int64_t)USER_MAX,
                             INT64_MAX,
                             INT64_MIN,
                             -(int64_t)GIB(1),
                             (int64_t)MIB(64),
                             INT32_MAX,
                             INT32_MIN,
                             (int64_t)MIB(8),
                             -(int64_t)MIB(2) + 24};
    for (unsigned i = 0; i < ARRAY_LEN(delta); i++) {
        uint64_t before = p->as->brk;
        (void)!world_sbrk(p, delta[i]);
        world_touch(p, ROUND_DOWN(before, P), WALKER_STORE);
        world_touch(p, ROUND_DOWN(p->as->brk, P) - 8, WALKER_STORE);
        world_touch(p, ROUND_UP(p->as->brk, P), WALKER_LOAD);
        world_check();
    }
    /* Down to nothing, program and all, and up again: all of it is heap. */
    assert_int_equal(world_sbrk(p, -(int64_t)p->as->brk), 0);
    assert_int_equal(p->as->present, 0);
    world_touch(p, 0, WALKER_FETCH);
    world_check();
    assert_int_equal(world_sbrk(p, 7 * P), 0);
    world_touch(p, 0, WALKER_STORE);
    world_touch(p, 0, WALKER_FETCH);
    world_check();
    world_end();
}

/* What is given back and granted again is zero, also in the middle of a page. */
static void test_heap_comes_back_zeroed(void **state) {
    static char text[3 * P];
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    uint64_t base = ROUND_UP(p->as->brk, P), old, word;
    assert_int_equal(aspace_sbrk(p->as, (int64_t)(base + 2 * P - p->as->brk), &old), 0);
    memset(text, 0x77, sizeof text);
    for (uint64_t keep = 0; keep <= P; keep += 1 + host_random_below(500)) {
        assert_int_equal(copyout(UA(base), text, 2 * P), 0);
        assert_int_equal(aspace_sbrk(p->as, -(int64_t)(2 * P - keep), &old), 0);
        assert_int_equal(aspace_sbrk(p->as, (int64_t)(2 * P - keep), &old), 0);
        static char now[2 * P], expected[2 * P];
        memset(expected, 0x77, keep);
        memset(expected + keep, 0, 2 * P - keep);
        assert_int_equal(copyin(now, UA(base), 2 * P), 0);
        assert_memory_equal(now, expected, 2 * P);
    }
    assert_int_equal(copyin(&word, UA(base + 2 * P), 8), -K_EFAULT);
    env_exit(p);
}

/* Where machines have their devices there is heap as everywhere else. */
static void test_heap_over_device_addresses(void **state) {
    static const uint64_t devices[] = {0x100000,  0x2000000,  0x2004000, 0xc000000,
                                       0xc201008, 0x10000000, 0x10001000};
    world_fresh(320, 16);
    struct env_proc *p = world_first();
    uint64_t old, pa, word = 0x1234567;
    /* From below the lowest one: the heap begins above it. */
    assert_int_equal(aspace_sbrk(p->as, 0x80000 - (int64_t)p->as->brk, &old), 0);
    assert_int_equal(aspace_sbrk(p->as, 0x10002000 - (int64_t)p->as->brk, &old), 0);
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++) {
        assert_int_equal(copyout(UA(devices[i]), &word, 8), 0);
        assert_true(env_touch(p, devices[i], WALKER_LOAD, &pa));
        assert_int_equal(*(uint64_t *)pa_ptr(PA(pa)), word);
        env_kernel(p);
    }
    assert_int_equal(aspace_sbrk(p->as, -(int64_t)MIB(250), &old), 0);
    for (unsigned i = 1; i < ARRAY_LEN(devices); i++)
        assert_int_equal(copyout(UA(devices[i]), &word, 8), -K_EFAULT);
    assert_null(tlbmodel_stale());
    env_exit(p);
}

/* ---- fork and large leaves ------------------------------------------------------------ */

static unsigned level_at(struct env_proc *p, uint64_t va) {
    unsigned level;
    assert_true(pte_is_leaf(*pt_walk(&p->as->user, VA(va), &level)));
    return level;
}

static void test_large_leaves_shared_and_split(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child, *grandchild;
    assert_int_equal(world_sbrk(p, (int64_t)(MIB(6) - p->as->brk)), 0);
    world_touch(p, MIB(2), WALKER_STORE);
    world_touch(p, MIB(4) + 5 * P, WALKER_STORE);
    assert_int_equal(level_at(p, MIB(2)), 1);
    assert_int_equal(level_at(p, MIB(4)), 1);
    assert_int_equal(world_fork(p, &child), 0);
    world_check();

    env_run(child, 1); /* copies a page of the 2 MiB, and the parent still has them whole */
    world_touch(child, MIB(2) + 3 * P, WALKER_STORE);
    assert_int_equal(level_at(child, MIB(2)), 0);
    assert_int_equal(level_at(p, MIB(2)), 1);
    world_touch(child, MIB(2) + 4 * P, WALKER_LOAD);
    world_check();

    env_run(p, 0); /* cut by the break */
    assert_int_equal(world_sbrk(p, -(int64_t)(MIB(1) + 3 * P)), 0);
    assert_int_equal(level_at(p, MIB(4)), 0);
    world_check();

    env_run(child, 2);
    assert_int_equal(world_fork(child, &grandchild), 0);
    world_exit(child);
    world_check();
    env_run(grandchild, 1);
    world_touch(grandchild, MIB(4), WALKER_STORE);
    world_check();
    world_exit(grandchild);
    world_check();

    env_run(p, 2); /* alone again: it takes its frames over, copies none */
    uint64_t before, after;
    assert_true(env_touch(p, MIB(2) + 9 * P, WALKER_LOAD, &before));
    world_touch(p, MIB(2) + 9 * P, WALKER_STORE);
    assert_true(env_touch(p, MIB(2) + 9 * P, WALKER_LOAD, &after));
    assert_int_equal(before, after);
    world_check();
    world_end();
}

/* Each page of memory is private after a fork, whoever writes first, in user mode or
 * through the kernel. */
static void test_fork_isolates(void **state) {
    for (unsigned who = 0; who < 4; who++) {
        world_fresh(MEMORY, who * 3);
        struct env_proc *p = world_first(), *child;
        assert_int_equal(world_sbrk(p, 20 * P), 0);
        for (uint64_t va = 0; va < p->as->brk; va += 2 * P)
            world_touch(p, va, WALKER_STORE);
        assert_int_equal(world_fork(p, &child), 0);
        struct env_proc *first = who & 1 ? child : p, *second = who & 1 ? p : child;
        env_run(first, 1);
        for (uint64_t va = 0; va < p->as->brk; va += P)
            who & 2 ? world_copyout(first, va, 8) : world_touch(first, va, WALKER_STORE);
        world_check();
        env_run(second, 2);
        for (uint64_t va = 0; va < p->as->brk; va += P)
            who & 2 ? world_touch(second, va, WALKER_STORE) : world_copyout(second, va, 8);
        world_check();
        world_end();
    }
}

/* ---- all at once ------------------------------------------------------------------------- */

static void test_random_use(void **state) {
    bool deep = walker_levels > 3;
    for (unsigned bits = deep ? 5 : 0; bits <= 16; bits += bits < 5 ? 1 : 11) {
        world_fresh(MEMORY, bits);
        for (unsigned i = 0; i < 1500; i++) {
            world_step();
            if (i % 8 == 0)
                world_check();
        }
        world_check();
        world_end();
    }
}

void map_zeros(struct env_proc *p, uint64_t start, uint64_t pages) {
    const struct map_request r = {.start = start,
                                  .bytes = pages * P,
                                  .place = MAP_FREE,
                                  .object = &zeros_mapped,
                                  .prot = ABI_PROT_READ | ABI_PROT_WRITE,
                                  .limit = ABI_PROT_READ | ABI_PROT_WRITE};
    uint64_t at;
    assert_int_equal(aspace_map(p->as, &r, &at), 0);
}

int main(void) {
    host_random_seed(20240611);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_space),
        cmocka_unit_test(test_programs_permissions),
        cmocka_unit_test(test_no_room_below_the_limit),
        cmocka_unit_test(test_stacks_with_a_size),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_bytes_at_borders),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_the_break),
        cmocka_unit_test(test_heap_comes_back_zeroed),
        cmocka_unit_test(test_heap_over_device_addresses),
        cmocka_unit_test(test_large_leaves_shared_and_split),
        cmocka_unit_test(test_fork_isolates),
        cmocka_unit_test(test_every_promise_refused_once),
        cmocka_unit_test(test_the_last_frame),
        cmocka_unit_test(test_two_copy_at_once),
        cmocka_unit_test(test_large_leaves_are_cut),
        cmocka_unit_test(test_large_leaves_are_changed_whole),
        cmocka_unit_test(test_writes_come_back_at_once),
        cmocka_unit_test(test_kept_pages),
        cmocka_unit_test(test_shared_memory_goes_last),
        cmocka_unit_test(test_pages_at_hand_come_along),
        cmocka_unit_test(test_private_beside_shared),
        cmocka_unit_test(test_a_replacement_that_fails),
        cmocka_unit_test(test_places_from_the_top),
        cmocka_unit_test(test_dropped_pages_of_the_program),
        cmocka_unit_test(test_the_break_meets_mappings),
        cmocka_unit_test(test_dropped_lazy_pages_give_their_promises_back),
        cmocka_unit_test(test_a_childs_tables_of_lazy_memory),
        cmocka_unit_test(test_lazy_and_promised),
        cmocka_unit_test(test_all_lazy),
        cmocka_unit_test(test_pages_of_a_file_are_taken_away),
        cmocka_unit_test(test_who_may_write_a_file),
        cmocka_unit_test(test_mapped_while_it_is_asked),
        cmocka_unit_test(test_a_copy_is_waited_for),
        cmocka_unit_test(test_a_copy_that_writes_is_waited_for),
        cmocka_unit_test(test_a_joined_mapping_is_not_passed_over),
        cmocka_unit_test(test_mappings_join_around_a_hart),
        cmocka_unit_test(test_pages_of_a_file_at_random),
        cmocka_unit_test(test_pages_are_taken_away_in_breaks),
        cmocka_unit_test(test_long_work_has_breaks),
        cmocka_unit_test(test_many_mappings_have_breaks),
        cmocka_unit_test(test_more_is_asked_of_nobody),
        cmocka_unit_test(test_a_hart_catches_up_with_what_it_missed),
        cmocka_unit_test(test_a_fault_waits_for_a_change),
        cmocka_unit_test(test_two_threads_fill_one_page),
        cmocka_unit_test(test_two_threads_copy_one_page),
        cmocka_unit_test(test_a_copy_of_what_is_not_there_any_more),
        cmocka_unit_test(test_a_range_is_claimed),
        cmocka_unit_test(test_fork_flushes_before_a_break),
        cmocka_unit_test(test_pages_are_counted_in_pieces),
        cmocka_unit_test(test_pages_change_while_they_are_counted),
        cmocka_unit_test(test_large_leaves_are_counted),
        cmocka_unit_test(test_a_large_leaf_is_split_in_a_break),
        cmocka_unit_test(test_as_many_mappings_as_there_may_be),
        cmocka_unit_test(test_a_large_file_is_taken_away_with_breaks),
        cmocka_unit_test(test_a_file_learns_of_mappings_with_breaks),
        cmocka_unit_test(test_many_mappings_of_a_file_have_breaks),
        cmocka_unit_test(test_large_leaves_move),
        cmocka_unit_test(test_where_a_mapping_may_grow),
        cmocka_unit_test(test_shared_memory_is_mapped_again),
        cmocka_unit_test(test_what_moves_is_promised_once),
        cmocka_unit_test(test_lazy_pages_move),
        cmocka_unit_test(test_other_harts_are_asked_once),
        cmocka_unit_test(test_a_threads_stack_is_found),
        cmocka_unit_test(test_a_child_has_one_thread),
        cmocka_unit_test(test_the_checker_finds),
        cmocka_unit_test(test_the_checker_compares_the_roots),
        cmocka_unit_test(test_random_use),
    };
    int failed = 0;
    /* Not with four: what the kernel copies from a user's address and what from its own memory
     * could not be told apart, since the host's addresses lie below the user's limit. */
    for (unsigned levels = LEVELS_MIN; levels <= LEVELS_MAX; levels += 2) {
        use_levels(levels);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
