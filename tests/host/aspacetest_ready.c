/* The memory core under one design: what other threads do between the two looks of a fault that
 * makes a frame ready (mm/ready.h). With memory that is promised, and with lazy memory. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/mmap.h"
#include "mm/pieces.h"
#include "mm/ready.h"
#include "mm/turn.h"
#include "mm/uaccess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define START MIB(64)
#define OTHER MIB(128)

static struct env_proc *p, *child;
static struct frame_stats before;

/* Threads on harts 0 and 1; hart 0 goes on. */
static void begin(bool lazy, uint64_t pages) {
    commit_lazy = lazy;
    env_fresh(64, 16);
    frame_stats(&before);
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    map_zeros(p, START, pages);
    map_zeros(p, OTHER, 1);
    env_join(p, 1);
    env_join(p, 0);
}

/* What was in hand, and its promise, is nobody's any more. */
static void end(void) {
    struct frame_stats st;
    assert_null(env_when_ready); /* a frame was made ready */
    check_space(p->as);
    env_exit(p);
    frame_stats(&st);
    assert_int_equal(st.committed, before.committed);
    assert_int_equal(st.free, before.free);
    commit_lazy = false;
}

static void write_as(uint32_t hart, uint64_t va, uint64_t value) {
    host_hart_be(hart);
    assert_int_equal(copyout(UA(va), &value, sizeof value), 0);
}

static uint64_t word_at(uint64_t va) {
    uint64_t value;
    assert_int_equal(copyin(&value, UA(va), sizeof value), 0);
    return value;
}

static void fault(uint64_t va) { assert_int_equal(aspace_fault(p->as, va, PTE_W), 0); }

/* ---- a page of zeros, and a copy ---- */

static uint64_t promised_then;

static void write_first(void) {
    struct frame_stats st;
    write_as(1, START + P, 1);
    frame_stats(&st);
    promised_then = st.committed;
}

static void fill_twice(bool lazy) {
    struct frame_stats st;
    begin(lazy, 4);
    write_as(0, START, 7); /* the table is there */
    env_when_ready = write_first;
    fault(START + P);
    assert_int_equal(word_at(START + P), 1);
    frame_stats(&st);
    assert_int_equal(st.committed, promised_then - lazy); /* that of the frame in hand has gone */
    end();
}

void test_two_threads_fill_one_page(void **state) {
    fill_twice(false);
    fill_twice(true);
}

static void copy_first(void) { write_as(1, START, 2); }

static void exit_and_copy_first(void) {
    env_exit(child);
    write_as(1, START, 2);
}

static void copy_twice(bool lazy, void (*meanwhile)(void), uint64_t left) {
    begin(lazy, 4);
    write_as(0, START, 1);
    assert_int_equal(env_fork(p, &child), 0);
    env_when_ready = meanwhile;
    fault(START);
    assert_int_equal(word_at(START), left);
    if (meanwhile == copy_first)
        env_exit(child);
    end();
}

void test_two_threads_copy_one_page(void **state) {
    copy_twice(false, copy_first, 2);
    copy_twice(true, copy_first, 2);
    copy_twice(false, exit_and_copy_first, 2);
    copy_twice(true, exit_and_copy_first, 2);
}

/* Nobody else had the frame any more; it was written, and is shared again. */
static void share_again(void) {
    exit_and_copy_first();
    assert_int_equal(env_fork(p, &child), 0);
}

/* It was given back, and is the same page again. */
static void drop_and_share_again(void) {
    env_exit(child);
    host_hart_be(1);
    assert_int_equal(aspace_drop(p->as, START, START + P), 0);
    write_as(1, START, 2);
    assert_int_equal(env_fork(p, &child), 0);
}

static void unmap_it(void) {
    env_exit(child);
    host_hart_be(1);
    assert_int_equal(aspace_unmap(p->as, START, START + P), 0);
}

static void copy_of_something_else(bool lazy, void (*meanwhile)(void)) {
    begin(lazy, 4);
    write_as(0, START, 1);
    assert_int_equal(env_fork(p, &child), 0);
    env_when_ready = meanwhile;
    fault(START);
    assert_int_equal(word_at(START), 2);
    env_exit(child);
    end();
}

void test_a_copy_of_what_is_not_there_any_more(void **state) {
    for (unsigned lazy = 0; lazy < 2; lazy++) {
        copy_of_something_else(lazy, share_again);
        copy_of_something_else(lazy, drop_and_share_again);
        begin(lazy, 4);
        write_as(0, START, 1);
        assert_int_equal(env_fork(p, &child), 0);
        env_when_ready = unmap_it;
        assert_int_equal(aspace_fault(p->as, START, PTE_W), -K_EFAULT);
        end();
    }
}

/* ---- 2 MiB ---- */

static jmp_buf waiting[2]; /* each hart */
static unsigned waits, wakes;

static void may_wait(void) {}

/* A hart of this test cannot sleep: who would wait leaves. */
static void wait_for(const uint32_t *word, uint32_t value) {
    waits++;
    longjmp(waiting[hart_self()->index], 1);
}

static void wake(const uint32_t *word) { wakes++; }

static const struct turn_ops ops = {may_wait, wait_for, wake};

static void in_a_break(void (*fn)(void), uint64_t pages) {
    begin(false, pages);
    memset(piece_used, 0, sizeof piece_used);
    waits = wakes = 0;
    turn_ops = &ops;
    piece_break = fn;
}

static void be_the_other(void) {
    piece_break = NULL;
    host_hart_be(1);
}

static void others_fault(void) {
    struct hart *self = hart_self();
    be_the_other();
    assert_int_equal(p->as->claims, 1);
    hart_self()->faults_held = true;
    assert_int_equal(aspace_fault(p->as, START + 9 * P, PTE_W), -K_EFAULT);
    hart_self()->faults_held = false;
    if (setjmp(waiting[hart_self()->index]) == 0)
        fault(START + 9 * P);
    fault(START + MIB(2)); /* beside it, nobody waits */
    fault(OTHER);
    assert_int_equal(waits, 1);
    assert_int_equal(wakes, 1); /* that was a claim, too */
    host_hart = self;
}

static void others_fork(void) {
    struct hart *self = hart_self();
    be_the_other();
    assert_int_equal(env_fork(p, &child), 0);
    host_hart = self;
}

static void others_protect(void) {
    struct hart *self = hart_self();
    be_the_other();
    assert_int_equal(aspace_protect(p->as, START, START + P, ABI_PROT_READ), 0);
    if (setjmp(waiting[hart_self()->index]) == 0)
        fault(START + 9 * P); /* the claim is for all of them still */
    assert_int_equal(waits, 1);
    host_hart = self;
}

static void others_unmap(void) {
    struct hart *self = hart_self();
    uint64_t committed = p->as->committed;
    be_the_other();
    if (setjmp(waiting[hart_self()->index]) == 0)
        assert_int_equal(aspace_unmap(p->as, START, START + 2 * P), 0);
    assert_int_equal(waits, 1);
    assert_int_equal(p->as->committed, committed); /* it pays for what is in hand */
    host_hart = self;
}

static unsigned level_at(uint64_t va) {
    unsigned level;
    assert_true(pte_valid(*pt_walk(&p->as->user, VA(va), &level)));
    return level;
}

static void finish(void) {
    assert_null(piece_break); /* there was a break */
    assert_int_equal(p->as->claims, 0);
    turn_ops = NULL;
    assert_null(tlbmodel_stale());
    end();
}

void test_a_range_is_claimed(void **state) {
    in_a_break(others_fault, 1024);
    fault(START + P);
    assert_int_equal(wakes, 2);
    assert_int_equal(level_at(START + P), 1);
    finish();
    in_a_break(others_fork, 512);
    fault(START + P);
    assert_int_equal(level_at(START), 1);
    env_run(child, 2);
    assert_int_equal(word_at(START + P), 0);
    env_exit(child);
    host_hart_be(0);
    finish();
    in_a_break(others_protect, 512);
    fault(START + 2 * P);
    assert_int_equal(level_at(START + 2 * P), 0);
    finish();
    /* Who finds it closed gives up, and waits: neither goes on here. */
    in_a_break(others_unmap, 512);
    struct frame_stats now, then;
    frame_stats(&then);
    if (setjmp(waiting[hart_self()->index]) == 0)
        fault(START + P);
    assert_int_equal(waits, 2);
    assert_int_equal(wakes, 1);
    assert_int_equal(p->as->claims, 0);
    frame_stats(&now);
    assert_int_equal(now.free, then.free);
    turn_ops = NULL;
}
