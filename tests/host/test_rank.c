/* The order of locks is checked: sync/rank.c, and spinlocks and sleeplocks by it. */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "kstub.h"
#include "lib/ksyms.h"
#include "proc/sleeplock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct spinlock family = SPINLOCK_INIT(RANK_FAMILY), process = SPINLOCK_INIT(RANK_PROCESS),
                       space = SPINLOCK_INIT(RANK_SPACE), other = SPINLOCK_INIT(RANK_SPACE), zeroed;
static struct sleeplock names, inode[3], balloc;
static int op; /* stands for an operation of the log */

__attribute__((noinline)) static void first_taker(struct spinlock *lk) {
    spin_lock(lk);
    __asm__ volatile(""); /* two functions, though they do the same */
}

__attribute__((noinline)) static void second_taker(struct spinlock *lk) {
    spin_lock(lk);
    __asm__ volatile("");
}

/* Knows these two: the nearer one begins at most so far before the address. */
#define LONGEST 1000
const char *ksym_lookup(uint64_t addr, uint64_t *offset) {
    uint64_t first = addr - (uint64_t)first_taker, second = addr - (uint64_t)second_taker;
    if (MIN(first, second) > LONGEST)
        return NULL;
    return first < second ? "first_taker" : "second_taker";
}

static int begin(void **state) {
    kstub_reset();
    memset(spin_holders, 0, sizeof spin_holders);
    spin_init(&family, RANK_FAMILY);
    spin_init(&process, RANK_PROCESS);
    spin_init(&space, RANK_SPACE);
    spin_init(&other, RANK_SPACE);
    sleeplock_init(&names, RANK_NAMES);
    sleeplock_init(&balloc, RANK_BALLOC);
    for (int i = 0; i < 3; i++)
        sleeplock_init(&inode[i], RANK_INODE);
    return 0;
}

/* A panic with these words. */
#define REFUSED(stmt, says) \
    do { \
        assert_true(HOST_PANICS(stmt)); \
        if (!strstr(host_panic_text, says)) \
            fail_msg("it says: %s", host_panic_text); \
    } while (0)

static void in_order(void **state) {
    spin_lock(&family);
    spin_lock(&process);
    spin_lock(&space);
    spin_unlock(&process); /* as who looks at a space from outside does */
    spin_unlock(&space);
    spin_lock(&process); /* after a space's lock, but not inside */
    spin_unlock(&process);
    spin_unlock(&family);
    assert_int_equal(spin_holders[0].n, 0);
}

static void wrong_order(void **state) {
    first_taker(&space);
    REFUSED(second_taker(&process), "process, taken in second_taker, while address space is held, "
                                    "taken in first_taker");
}

/* Found before it waits: here the other one's holder would never come. */
static void wrong_order_of_a_lock_that_is_held(void **state) {
    host_hart_be(1);
    spin_lock(&process);
    host_hart_be(0);
    spin_lock(&space);
    REFUSED(spin_lock(&process), "lock order: process");
}

static void equal_ranks(void **state) {
    spin_lock(&space);
    REFUSED(spin_lock(&other), "address space is held");
}

static void out_of_order_beyond_the_last(void **state) {
    spin_lock(&process);
    spin_lock(&space);
    spin_unlock(&space);
    REFUSED(spin_lock(&family), "while process is held");
}

/* Nobody waits, so any order will do; what is taken next is in order again. */
static void a_lock_that_is_free_by_chance(void **state) {
    spin_lock(&space);
    assert_true(spin_try(&process));
    assert_true(spin_held(&process));
    assert_false(spin_try(&process));
    spin_unlock(&space);
    REFUSED(spin_lock(&family), "family, taken in");
    spin_unlock(&process);
    spin_lock(&family);
    spin_unlock(&family);
}

static void rising_addresses(void **state) {
    static const char caches[3];
    spin_entered(&caches[0], RANK_FRAME_CACHE);
    spin_entered(&caches[1], RANK_FRAME_CACHE);
    spin_left(&caches[0]);
    spin_entered(&caches[2], RANK_FRAME_CACHE);
    REFUSED(spin_entered(&caches[0], RANK_FRAME_CACHE), "while hart's frames is held");
}

static void a_lock_that_was_never_set_up(void **state) {
    REFUSED(first_taker(&zeroed), "without a rank, taken in first_taker");
}

static void twice_by_one_hart(void **state) {
    spin_lock(&family);
    REFUSED(spin_lock(&family), "family: taken twice");
}

static void harts_hold_their_own(void **state) {
    spin_lock(&space);
    host_hart_be(1);
    spin_lock(&process);
    spin_unlock(&process);
    host_hart_be(0);
    spin_unlock(&space);
}

static void sleep_with_a_spinlock(void **state) {
    struct wait_channel channel;
    wait_channel_init(&channel);
    first_taker(&family);
    spin_lock(&process);
    REFUSED(sleep_on(&channel, &process), "a sleep while family is held, taken in first_taker");
}

static void sleeplock_with_a_spinlock(void **state) {
    spin_lock(&family);
    REFUSED(sleeplock_acquire(&names), "while family is held");
}

static void sleeplocks_in_order(void **state) {
    sleep_enter(&op, RANK_LOG_OP);
    sleeplock_acquire(&names);
    sleeplock_acquire(&inode[1]);
    sleeplock_acquire(&inode[0]); /* whose holder has the name lock */
    sleeplock_acquire(&balloc);
    spin_lock(&family);
    spin_unlock(&family);
    sleeplock_release(&balloc);
    sleeplock_release(&inode[1]);
    sleeplock_acquire(&inode[2]);
    sleeplock_release(&inode[0]);
    sleeplock_release(&inode[2]);
    sleeplock_release(&names);
    sleep_leave(&op);
    sleep_expect_none("the test's end");
}

static void two_inodes_without_the_name_lock(void **state) {
    sleeplock_acquire(&inode[0]);
    REFUSED(sleeplock_acquire(&inode[1]), "lock order: inode, taken in ?, while inode is held");
}

/* What is waited for, and not held afterwards. */
static void waits_in_order(void **state) {
    sleep_may_wait(RANK_COMMIT);
    sleeplock_acquire(&names);
    sleeplock_acquire(&inode[0]);
    sleep_may_wait(RANK_BUFFER);
    sleep_may_wait(RANK_PAGE);
    sleep_may_wait(RANK_BUFFER);
    sleeplock_acquire(&balloc);
    sleeplock_release(&balloc);
    sleeplock_release(&inode[0]);
    sleeplock_release(&names);
    sleep_expect_none("the test's end");
}

static void a_commit_inside_an_inode(void **state) {
    sleeplock_acquire(&inode[0]);
    REFUSED(sleep_may_wait(RANK_COMMIT), "lock order: commit, taken in ?, while inode is held");
}

static void operation_inside_an_inode(void **state) {
    sleeplock_acquire(&inode[0]);
    REFUSED(sleep_enter(&op, RANK_LOG_OP), "operation, taken in ?, while inode is held");
}

static void operation_ends_with_an_inode(void **state) {
    sleep_enter(&op, RANK_LOG_OP);
    sleeplock_acquire(&inode[0]);
    REFUSED(sleep_leave(&op), "operation ends while inode is held");
}

static void to_user_mode_with_an_inode(void **state) {
    sleeplock_acquire(&inode[0]);
    REFUSED(sleep_expect_none("a return to user mode"),
            "a return to user mode while inode is held");
}

static void held_is_asserted(void **state) {
    REFUSED(ASSERT_LOCKED(&family), "spin_held(&family)");
    spin_lock(&family);
    ASSERT_LOCKED(&family);
    spin_unlock(&family);
    REFUSED(ASSERT_SLEEPLOCKED(&names), "sleeplock_held(&names)");
    sleeplock_acquire(&names);
    ASSERT_SLEEPLOCKED(&names);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(in_order),
        TEST(wrong_order),
        TEST(wrong_order_of_a_lock_that_is_held),
        TEST(equal_ranks),
        TEST(out_of_order_beyond_the_last),
        TEST(a_lock_that_is_free_by_chance),
        TEST(rising_addresses),
        TEST(a_lock_that_was_never_set_up),
        TEST(twice_by_one_hart),
        TEST(harts_hold_their_own),
        TEST(sleep_with_a_spinlock),
        TEST(sleeplock_with_a_spinlock),
        TEST(sleeplocks_in_order),
        TEST(two_inodes_without_the_name_lock),
        TEST(waits_in_order),
        TEST(a_commit_inside_an_inode),
        TEST(operation_inside_an_inode),
        TEST(operation_ends_with_an_inode),
        TEST(to_user_mode_with_an_inode),
        TEST(held_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
