/* The memory core under one design: threads of one space on several harts. What is random about
 * them is in world_step. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/pieces.h"
#include "mm/turn.h"
#include "mm/vmstat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define START MIB(64)
#define FAR MIB(128) /* in another table */
#define PAGES 4096
#define ALL (ABI_PROT_READ | ABI_PROT_WRITE)

static struct env_proc *p;

/* Two threads, on harts 0 and 1; hart 0 is the caller. */
static void begin(unsigned asid_bits) {
    env_fresh(64, asid_bits);
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    map_zeros(p, START, PAGES);
    map_zeros(p, FAR, 2);
    env_join(p, 1);
    env_join(p, 0);
}

static uint64_t far_page(void) { return FAR; }

static void touch(uint64_t va) {
    uint64_t pa;
    assert_true(env_touch(p, va, WALKER_STORE, &pa));
    env_kernel(p);
}

/* Hart 1 keeps that there is no table, and hart 0 adds it; then hart 1 makes a generation of its
 * own, with a fence for one page, and touches what is there. */
static void catch_up(unsigned asid_bits, bool alone) {
    begin(asid_bits);
    touch(START);
    uint64_t (*interest)(void) = tlbmodel_interest;
    tlbmodel_interest = far_page;
    env_join(p, 1);
    env_user(p);
    tlbmodel_speculate(4);
    env_kernel(p);
    tlbmodel_speculate(4);
    env_join(p, 0);
    touch(FAR);
    touch(FAR + P);
    if (alone)
        env_end_threads(p, 1);
    env_join(p, 1);
    assert_int_equal(aspace_unmap(p->as, FAR + P, FAR + 2 * P), 0);
    touch(FAR);
    tlbmodel_interest = interest;
    env_exit(p);
}

void test_a_hart_catches_up_with_what_it_missed(void **state) {
    catch_up(16, false);
    catch_up(16, true);
    catch_up(0, false);
}

/* What mprotect takes away is asked of the other hart, and what it adds of nobody: that hart faults
 * on what it has kept, and then may store. */
void test_more_is_asked_of_nobody(void **state) {
    begin(16);
    touch(START);
    touch(START + P);
    for (uint64_t pages = 1; pages <= 2; pages++) {
        uint64_t asked = tlbmodel_remote_fences, *counted = &harts[0].counted[0];
        uint64_t requests = counted[VM_EVENT(fence_requests)];
        uint64_t fenced = counted[VM_EVENT(fenced_harts)];
        assert_int_equal(aspace_protect(p->as, START, START + pages * P, ABI_PROT_READ), 0);
        assert_int_equal(tlbmodel_remote_fences, asked + 1);
        tlbmodel_speculate(4);
        assert_int_equal(aspace_protect(p->as, START, START + pages * P, ALL), 0);
        assert_int_equal(aspace_protect(p->as, START, START + pages * P, ALL), 0);
        assert_int_equal(tlbmodel_remote_fences, asked + 1);
        assert_int_equal(counted[VM_EVENT(fence_requests)], requests + 1);
        assert_int_equal(counted[VM_EVENT(fenced_harts)], fenced + 1);
        assert_null(tlbmodel_stale());
        env_join(p, 1);
        touch(START);
        env_join(p, 0);
    }
    env_exit(p);
}

/* ---- turns ---- */

static jmp_buf waiting;
static const uint32_t *waits_for;
static uint32_t waits_while;
static unsigned waits, wakes, faults_elsewhere;

static void may_wait(void) {}

/* A hart of this test cannot sleep: it comes again when the turn is over. */
static void wait_for(const uint32_t *word, uint32_t value) {
    waits_for = word;
    waits_while = value;
    waits++;
    longjmp(waiting, 1);
}

static void wake(const uint32_t *word) {
    assert_ptr_equal(word, waits_for);
    assert_int_not_equal(*word, waits_while);
    wakes++;
}

static const struct turn_ops ops = {may_wait, wait_for, wake};

/* The other thread, in a break: it touches what is being changed, and something else. */
static void fault_meanwhile(void) {
    struct hart *self = hart_self();
    piece_break = NULL;
    host_hart_be(1);
    hart_self()->faults_held = true;
    assert_int_equal(aspace_fault(p->as, START + 9 * P, PTE_W), -K_EFAULT);
    hart_self()->faults_held = false;
    if (setjmp(waiting) == 0)
        assert_int_equal(aspace_fault(p->as, START + 9 * P, PTE_W), 0);
    if (faults_elsewhere)
        assert_int_equal(aspace_fault(p->as, FAR, PTE_W), 0);
    host_hart = self;
}

/* Before something that has breaks. */
static void prepare(unsigned elsewhere) {
    begin(16);
    for (uint64_t at = 0; at < PAGES; at++)
        assert_int_equal(aspace_fault(p->as, START + at * P, PTE_W), 0);
    memset(piece_used, 0, sizeof piece_used);
    waits = wakes = 0;
    faults_elsewhere = elsewhere;
    turn_ops = &ops;
    piece_break = fault_meanwhile;
}

static void finish(void) {
    assert_null(piece_break); /* there was one */
    assert_int_equal(waits, 1);
    assert_int_equal(wakes, 1);
    turn_ops = NULL;
    assert_null(tlbmodel_stale());
    env_exit(p);
}

void test_a_fault_waits_for_a_change(void **state) {
    struct env_proc *child;
    uint64_t at;
    prepare(1);
    assert_int_equal(aspace_unmap(p->as, START, START + PAGES * P), 0);
    assert_int_equal(aspace_fault(p->as, START + 9 * P, PTE_W), -K_EFAULT);
    finish();
    prepare(1);
    assert_int_equal(aspace_protect(p->as, START, START + PAGES * P, 0), 0);
    finish();
    prepare(1);
    assert_int_equal(aspace_drop(p->as, START, START + PAGES * P), 0);
    finish();
    prepare(1);
    const struct remap_request r = {START, PAGES * P, PAGES * P, REMAP_THERE, MIB(96) + P, false};
    assert_int_equal(aspace_remap(p->as, &r, &at), 0);
    finish();
    prepare(0); /* fork closes all */
    for (uint64_t i = 0; i < 1200; i += 2)
        map_zeros(p, MIB(256) + i * P, 1); /* small mappings, which take long to copy */
    piece_break = fault_meanwhile;
    assert_int_equal(env_fork(p, &child), 0);
    env_exit(child);
    finish();
}

static uint64_t first_page(void) { return START; }

static unsigned breaks;
static void look_at_harts(void) {
    breaks++;
    assert_null(tlbmodel_stale());
    piece_used[hart_self()->index] = PIECE; /* the next one as soon as possible */
}

/* A thread on another hart has kept that it may write; when fork gives the lock back, it may not.
 */
void test_fork_flushes_before_a_break(void **state) {
    struct env_proc *child;
    begin(16);
    touch(START);
    env_join(p, 1);
    env_user(p);
    tlbmodel_interest = first_page;
    tlbmodel_speculate(4);
    host_hart_be(0);
    breaks = 0;
    piece_used[0] = PIECE;
    piece_break = look_at_harts;
    assert_int_equal(env_fork(p, &child), 0);
    piece_break = NULL;
    assert_true(breaks > 2);
    env_exit(child);
    env_exit(p);
}
