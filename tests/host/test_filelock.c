/* Locks on files: who waits for whom and hears of what, how many there may be, and memory that is
 * refused. What programs see of them is tests/linux/locks.c's. */
/* sources: kernel/vfs/filelock.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "kstub.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "vfs/filelock.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

const char *ksym_lookup(uint64_t addr, uint64_t *offset) { return NULL; }

/* ---- records, some of which are refused ---- */

static int records;            /* that are out; atomic */
static int refused_after = -1; /* so many more are given; -1: all */

void *slab_take(struct slab *s) {
    if (refused_after == 0)
        return NULL;
    refused_after -= refused_after > 0;
    __atomic_fetch_add(&records, 1, __ATOMIC_RELAXED);
    return malloc(s->size);
}

void slab_give(struct slab *s, void *record) {
    __atomic_fetch_sub(&records, 1, __ATOMIC_RELAXED);
    free(record);
}

/* ---- open files of one node, or of several ---- */

#define FILES 300
static const struct file_ops ops;
static struct file file[FILES];
static int nodes[FILES];

static int begin(void **state) {
    kstub_reset();
    filelock_boot_init();
    refused_after = -1;
    for (unsigned i = 0; i < FILES; i++)
        file[i] = (struct file){.ops = &ops, .object = &nodes[0]};
    return 0;
}

static int end(void **state) {
    for (unsigned i = 0; i < FILES; i++)
        filelock_file_ended(&file[i]);
    for (unsigned i = 0; i < KSTUB_PROCS; i++)
        filelock_process_ended(kstub_proc(i));
    assert_int_equal(records, 0);
    return 0;
}

/* Of the running process. */
static int range(enum lock_sort sort, uint64_t start, uint64_t end, bool waits) {
    struct lock_request r = {LOCK_RANGES, sort, true, waits, start, end};
    return filelock_set(&file[0], &r);
}

/* Of an open file. */
static int whole(struct file *f, enum lock_sort sort, bool waits) {
    struct lock_request r = {LOCK_WHOLE, sort, false, waits, 0, UINT64_MAX};
    return filelock_set(f, &r);
}

static int part(struct file *f, enum lock_sort sort, uint64_t start, uint64_t end) {
    struct lock_request r = {LOCK_RANGES, sort, false, false, start, end};
    return filelock_set(f, &r);
}

static enum lock_sort found_at(uint64_t at) {
    struct lock_request r = {LOCK_RANGES, LOCK_ALONE, false, false, at, at};
    struct lock_found found;
    filelock_find(&file[FILES - 1], &r, &found);
    return found.sort;
}

/* ---- who waits ---- */

static struct proc *waiter(unsigned i) { return kstub_proc(i + 1); }

/* The first has 0 and the second 1, which the first wants. The second gives it back, and asks for
 * 0 at once: the first waits for nobody then, also if it has not run yet. */
static void gives_back_and_waits(unsigned i) {
    assert_int_equal(range(LOCK_ALONE, i, i, false), 0);
    if (i == 0) {
        kstub_until_asleep(waiter(1));
        assert_int_equal(range(LOCK_NONE, 0, 0, false), 0);
        assert_int_equal(range(LOCK_ALONE, 1, 1, true), 0);
    } else {
        while (found_at(0) == LOCK_NONE)
            sched_yield();
        assert_int_equal(range(LOCK_ALONE, 0, 0, true), 0);
        assert_int_equal(range(LOCK_NONE, 1, 1, false), 0);
    }
    assert_int_equal(range(LOCK_NONE, 0, 9, false), 0);
}

static void no_circle_is_seen_that_there_is_not(void **state) {
    for (unsigned round = 0; round < 100; round++)
        kstub_parallel(2, gives_back_and_waits);
}

/* Each of them has the one of its number, and waits for the next one's; the first closes the
 * circle, and is told so if it is short enough. */
static unsigned circle;

static void waits_for_the_next(unsigned i) {
    assert_int_equal(range(LOCK_ALONE, i, i, false), 0);
    if (i == 0) {
        for (unsigned other = 1; other < circle; other++)
            kstub_until_asleep(waiter(other));
        assert_int_equal(range(LOCK_ALONE, 1, 1, true), -K_EDEADLK);
    } else {
        while (found_at((i + 1) % circle) == LOCK_NONE)
            sched_yield();
        assert_int_equal(range(LOCK_ALONE, (i + 1) % circle, (i + 1) % circle, true), 0);
    }
    assert_int_equal(range(LOCK_NONE, 0, UINT64_MAX, false), 0);
}

static void circles_are_seen(void **state) {
    for (circle = 2; circle < KSTUB_PROCS; circle++)
        kstub_parallel(circle, waits_for_the_next);
}

/* Two wait for all of a file, and sleep: what one of them looks at is no news for the other. */
static void wait_for_all(unsigned i) {
    if (i > 0) {
        assert_int_equal(whole(&file[i], LOCK_ALONE, true), 0);
        assert_int_equal(whole(&file[i], LOCK_NONE, false), 0);
        return;
    }
    kstub_until_asleep(waiter(1));
    kstub_until_asleep(waiter(2));
    for (unsigned look = 0; look < 2000; look++) {
        assert_true(kstub_sleeps(waiter(1)) && kstub_sleeps(waiter(2)));
        sched_yield();
    }
    assert_int_equal(whole(&file[0], LOCK_NONE, false), 0);
}

static void who_waits_sleeps(void **state) {
    assert_int_equal(whole(&file[0], LOCK_ALONE, false), 0);
    kstub_parallel(3, wait_for_all);
}

/* Two share it, and both want it alone: each gives back its part, and hears of the other's. */
static void share_then_alone(unsigned i) {
    static unsigned shared; /* atomic */
    assert_int_equal(whole(&file[i], LOCK_SHARED, false), 0);
    unsigned all = __atomic_add_fetch(&shared, 1, __ATOMIC_RELAXED);
    for (all += all % 2; __atomic_load_n(&shared, __ATOMIC_RELAXED) < all;)
        sched_yield();
    assert_int_equal(whole(&file[i], LOCK_ALONE, true), 0);
    assert_int_equal(whole(&file[i], LOCK_NONE, false), 0);
}

static void two_who_share(void **state) {
    for (unsigned round = 0; round < 100; round++)
        kstub_parallel(2, share_then_alone);
}

/* ---- how many ---- */

static void no_more_on_one_file(void **state) {
    struct file *f = &file[0], *other = &file[1];
    for (uint64_t i = 0; i < FILELOCKS_ON_FILE; i++)
        assert_int_equal(part(f, LOCK_ALONE, 10 * i, 10 * i + 5), 0);
    int full = records;
    assert_int_equal(full, FILELOCKS_ON_FILE);
    assert_int_equal(part(f, LOCK_ALONE, 100000, 100000), -K_ENOLCK);
    assert_int_equal(part(other, LOCK_ALONE, 100000, 100000), -K_ENOLCK);
    assert_int_equal(part(f, LOCK_NONE, 2, 3), -K_ENOLCK); /* two would be left */
    assert_int_equal(part(f, LOCK_SHARED, 2, 3), -K_ENOLCK);
    assert_int_equal(found_at(2), LOCK_ALONE);
    assert_int_equal(found_at(100000), LOCK_NONE);
    assert_int_equal(records, full);
    assert_int_equal(part(f, LOCK_SHARED, 0, 5), 0); /* instead of one */
    assert_int_equal(found_at(3), LOCK_SHARED);
    assert_int_equal(part(f, LOCK_NONE, 4, 12), 0); /* the end of one, the start of another */
    assert_int_equal(records, full);
    assert_int_equal(part(f, LOCK_SHARED, 4, 12), 0); /* joins one */
    assert_int_equal(part(f, LOCK_ALONE, 26, 29), 0); /* joins two */
    assert_int_equal(records, full - 1);
    assert_int_equal(part(other, LOCK_ALONE, 100000, 100000), 0);
    assert_int_equal(part(other, LOCK_ALONE, 100002, 100002), -K_ENOLCK);
    file[2].object = &nodes[2]; /* another file has its own */
    assert_int_equal(part(&file[2], LOCK_ALONE, 0, 0), 0);
    assert_int_equal(part(f, LOCK_NONE, 0, UINT64_MAX), 0);
    assert_int_equal(records, 2);
}

/* On many files: as many as all lists have, and none has more than it may. */
static void no_more_together(void **state) {
    unsigned refused = 0;
    for (unsigned i = 0; i < FILES; i++) {
        file[i].object = &nodes[i];
        for (uint64_t at = 0; at < FILELOCKS_ON_FILE; at++) {
            int err = part(&file[i], LOCK_ALONE, 2 * at, 2 * at);
            assert_true(err == 0 || err == -K_ENOLCK);
            refused += err != 0;
        }
    }
    assert_true(refused > 0);
    assert_true(records <= 64 * FILELOCKS_TOGETHER);
    assert_int_equal(records, FILES * FILELOCKS_ON_FILE - refused);
}

/* ---- memory ---- */

static void memory_is_refused(void **state) {
    assert_int_equal(range(LOCK_ALONE, 0, 9, false), 0);
    for (int after = 0; after < 3; after++) {
        refused_after = after;
        assert_int_equal(range(LOCK_SHARED, 3, 5, true), -K_ENOLCK); /* as it was */
        assert_int_equal(records, 1);
        assert_int_equal(found_at(4), LOCK_ALONE);
    }
    for (int after = 0; after < 2; after++) {
        refused_after = after;
        assert_int_equal(whole(&file[1], LOCK_SHARED, true), -K_ENOLCK);
        assert_int_equal(range(LOCK_NONE, 0, 9, false), -K_ENOLCK);
        assert_int_equal(records, 1);
    }
    refused_after = 3;
    assert_int_equal(range(LOCK_SHARED, 3, 5, true), 0);
    assert_int_equal(records, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
        T(no_circle_is_seen_that_there_is_not),
        T(circles_are_seen),
        T(who_waits_sleeps),
        T(two_who_share),
        T(no_more_on_one_file),
        T(no_more_together),
        T(memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
