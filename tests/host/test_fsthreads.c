/* Many processes in the file system at once: the disk stays consistent, whoever
 * was told that something is done finds it after a power cut, nobody waits for ever. */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/filewrite.c */
/* sources: kernel/fs/inode.c kernel/fs/data.c kernel/fs/dir.c kernel/fs/path.c */
/* sources: kernel/fs/namecache.c kernel/fs/nameop.c kernel/fs/rename.c */
/* sources: kernel/fs/names.c kernel/fs/file.c kernel/fs/open.c kernel/fs/inodefile.c */
/* sources: kernel/fs/devfile.c kernel/fs/pipe.c kernel/fs/fs.c kernel/syscall/sysfile.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fs/cache.h"
#include "fs/filedata.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/namecache.h"
#include "fs/path.h"
#include "fsenv.h"
#include "fsimage.h"
#include "memdisk.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4

static int setup(void **state) {
    fsenv_ram = MIB(32);
    fsenv_commit_limit = 4096;
    fsenv_fresh(3000, 30, 300);
    return 0;
}

/* Each thread has random numbers of its own: host_random has one state for all. */
static uint64_t next(uint64_t *state) {
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

/* ---- all calls on a few shared names ---- */

static void churn(unsigned i) {
    static const char *const paths[] = {"/a",   "/b",   "/c",     "/d",  "/d/a",
                                        "/d/b", "/d/d", "/d/d/a", "/e/x"};
    uint64_t random = i + 1;
    uint8_t buf[9000];
    memset(buf, (int)i, sizeof buf);
    for (int step = 0; step < 80; step++) {
        const char *a = paths[next(&random) % ARRAY_LEN(paths)];
        const char *b = paths[next(&random) % ARRAY_LEN(paths)];
        int fd, fds[2];
        switch (next(&random) % 9) {
        case 0:
        case 1:
            fd = t_open(a, NEW | (next(&random) % 2 ? ABI_O_TRUNC : 0));
            if (fd >= 0) {
                t_write(fd, buf, (int)(next(&random) % sizeof buf));
                t_lseek(fd, 0, 0);
                t_read(fd, buf, sizeof buf);
                t_ftruncate(fd, next(&random) % 6000);
                t_close(fd);
            }
            break;
        case 2: t_mkdir(a); break;
        case 3:
        case 4: t_unlink(a); break;
        case 5: t_link(a, b); break;
        case 6: t_rename(a, b); break;
        case 7:
            if (t_chdir(a) == 0)
                t_close(t_open("x", NEW));
            break;
        default:
            if (t_pipe(fds) == 0) {
                t_write(fds[1], buf, 100);
                t_read(fds[0], buf, 100);
                t_close(fds[0]);
                t_close(fds[1]);
            }
        }
    }
    proc_files_drop(proc_self());
}

static void shared_names(void **state) { kstub_parallel(THREADS, churn); }

/* While one process waits for the disk the others go on. */
static void shared_names_and_a_slow_disk(void **state) {
    memdisk_service_time(5);
    kstub_parallel(THREADS, churn);
}

static void a_small_log_and_small_caches(void **state) {
    fsenv_fresh(3000, 10, 300);
    assert_int_equal(namecache_boot_init(8), 0); /* names */
    kstub_parallel(THREADS, churn);
}

/* ---- group commit, with sync=always: done means done ---- */

static int setup_durable(void **state) {
    log_sync_always = true;
    return setup(state);
}

static int teardown_durable(void **state) {
    log_sync_always = false;
    return fsenv_teardown(state);
}

#define FILES 20
static uint64_t made_at[THREADS][FILES]; /* events when the file was done */

static void make_files(unsigned i) {
    char name[16];
    for (int k = 0; k < FILES; k++) {
        snprintf(name, sizeof name, "/t%u-%d", i, k);
        t_make_file(name, 1000 + 100 * (unsigned)k, i * 100 + (unsigned)k);
        made_at[i][k] = memdisk_events();
    }
}

static void what_was_done_survives(void **state) {
    enum { CUTS = 40 };
    static uint64_t at[CUTS];
    memdisk_record();
    kstub_parallel(THREADS, make_files);
    uint64_t size = memdisk_bytes();
    uint8_t *images = malloc(CUTS * size);
    for (int c = 0; c < CUTS; c++) {
        at[c] = host_random_below(memdisk_events() + 1);
        memdisk_power_cut(at[c], NULL, images + (uint64_t)c * size, NULL);
    }
    for (int c = 0; c < CUTS; c++) {
        memdisk_load(images + (uint64_t)c * size, size);
        fsenv_mount_ok();
        fsenv_check();
        for (unsigned i = 0; i < THREADS; i++)
            for (int k = 0; k < FILES && made_at[i][k] <= at[c]; k++) {
                char name[16];
                snprintf(name, sizeof name, "/t%u-%d", i, k);
                assert_true(t_file_is(name, 1000 + 100 * (unsigned)k, i * 100 + (unsigned)k));
            }
    }
    free(images);
}

static uint64_t requests_together(void **state, uint32_t service_time) {
    setup(state);
    uint64_t before = memdisk_requests();
    memdisk_service_time(service_time);
    kstub_parallel(THREADS, make_files);
    return memdisk_requests() - before;
}

/* Operations that run at the same time share commits. Whether they do run at the same
 * time is up to the host: on a busy one the disk must be slower. */
static void commits_are_shared(void **state) {
    uint64_t before = memdisk_requests(), together = UINT64_MAX;
    make_files(0);
    uint64_t enough = (memdisk_requests() - before) * THREADS * 3 / 4;
    for (uint32_t us = 200; us <= 20000 && together >= enough; us *= 4)
        together = requests_together(state, us);
    assert_true(together < enough);
}

/* ---- one file, many writers ---- */

static void append_lines(unsigned i) {
    int fd = t_open("/log", ABI_O_WRONLY | ABI_O_APPEND);
    char line[8];
    memset(line, 'a' + (int)i, sizeof line);
    for (int k = 0; k < 200; k++)
        assert_int_equal(t_write(fd, line, sizeof line), sizeof line);
    t_close(fd);
}

static void appends_do_not_mix(void **state) {
    t_make_file("/log", 0, 0);
    kstub_parallel(THREADS, append_lines);
    static char all[THREADS * 200 * 8 + 1];
    int count[THREADS] = {0}, fd = t_open("/log", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, all, sizeof all), sizeof all - 1);
    for (size_t at = 0; at < sizeof all - 1; at += 8) {
        for (int k = 1; k < 8; k++)
            assert_int_equal(all[at], all[at + (size_t)k]);
        count[all[at] - 'a']++;
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(count[i], 200);
}

/* One makes the file longer than the disk has room for, again and again, which fails and takes
 * its zeros back; another appends, when there is room. What was appended stays. */
static unsigned appended;
static bool other_ended;

static void grow_too_far(void) {
    int fd = t_open("/log", ABI_O_WRONLY);
    while (!__atomic_load_n(&other_ended, __ATOMIC_RELAXED))
        assert_int_equal(t_ftruncate(fd, 268 * 1024), -K_ENOSPC);
    t_close(fd);
}

static void append_some(void) {
    int fd = t_open("/log", ABI_O_WRONLY | ABI_O_APPEND);
    for (unsigned i = 0; i < 300; i++)
        appended += t_write(fd, "appended", 8) == 8;
    t_close(fd);
    __atomic_store_n(&other_ended, true, __ATOMIC_RELAXED);
}

/* Into the zeros, when there are so many. */
static bool write_there(void) {
    int fd = t_open("/log", ABI_O_WRONLY);
    bool written = t_lseek(fd, 5000, 0) == 5000 && t_write(fd, "precious", 8) == 8;
    t_close(fd);
    return written;
}

static int store_in_frame(void *ctx, const paddr_t *frame, unsigned n) {
    memcpy((char *)pa_ptr(*frame) + 5000 % PAGE_SIZE, "precious", 8);
    return 0;
}

/* As a process that has mapped the file. */
static bool store_there(void) {
    struct inode *ip;
    assert_int_equal(path_lookup("/log", &ip), 0);
    int err = filedata_show_for_write(ip, 5000 / PAGE_SIZE, store_in_frame, NULL);
    inode_put(ip);
    return err == 0;
}

static bool (*put_there)(void);

static void grow_or_put(unsigned i) {
    if (i == 0) {
        grow_too_far();
        return;
    }
    while (!put_there())
        sched_yield();
    __atomic_store_n(&other_ended, true, __ATOMIC_RELAXED);
}

static void what_is_put_into_the_zeros_stays(void **state) {
    for (unsigned round = 0; round < 60; round++) {
        char back[8];
        fsenv_fresh(260, 30, 50);
        t_make_file("/log", 0, 0);
        other_ended = false;
        put_there = round % 2 == 0 ? write_there : store_there;
        kstub_parallel(2, grow_or_put);
        int fd = t_open("/log", ABI_O_RDONLY);
        assert_int_equal(t_lseek(fd, 5000, 0), 5000);
        assert_int_equal(t_read(fd, back, 8), 8);
        assert_memory_equal(back, "precious", 8);
        t_close(fd);
        fsenv_check();
    }
}

static void grow_or_append(unsigned i) {
    if (i == 0)
        grow_too_far();
    else
        append_some();
}

static void what_is_appended_is_not_cut_back(void **state) {
    static char all[268 * 1024];
    for (unsigned round = 0; round < 10; round++) {
        fsenv_fresh(260, 30, 50);
        other_ended = false;
        t_make_file("/log", 0, 0);
        appended = 0;
        kstub_parallel(2, grow_or_append);
        int fd = t_open("/log", ABI_O_RDONLY);
        int64_t n = t_read(fd, all, sizeof all);
        unsigned found = 0;
        for (int64_t at = 0; at < n; at += all[at] ? 8 : 1)
            found += all[at] == 'a';
        assert_int_equal(found, appended);
        t_close(fd);
        fsenv_check();
    }
}

/* Big writers through a log that only has room for one of them at a time, and
 * small operations between: nobody starves, nobody waits for himself. */
static void big_and_small(unsigned i) {
    static uint8_t bytes[200 * 1024];
    char name[16];
    snprintf(name, sizeof name, "/big%u", i);
    for (int k = 0; k < (i < 3 ? 1 : 15); k++) {
        int fd = t_open(name, NEW | ABI_O_TRUNC);
        assert_true(fd >= 0);
        int n = i < 3 ? (int)sizeof bytes : 10;
        assert_int_equal(t_write(fd, bytes, n), n);
        assert_int_equal(t_close(fd), 0);
        assert_int_equal(t_unlink(name), 0);
    }
}

static void big_writers_and_small_ones(void **state) {
    memdisk_service_time(100); /* so that all of them meet at the log */
    kstub_parallel(THREADS, big_and_small);
}

/* ---- all read what nobody has in memory yet */

static void read_files(unsigned i) {
    for (unsigned n = 0; n < FILES; n++) { /* each another one, but inodes share blocks */
        unsigned k = (n + i) % FILES;
        char name[16];
        snprintf(name, sizeof name, "/t0-%u", k);
        assert_true(t_file_is(name, 1000 + 100 * k, k));
    }
}

static void one_loads_and_all_read(void **state) {
    make_files(0);
    for (int round = 0; round < 3; round++) {
        fsenv_remount();
        memdisk_service_time(100);
        kstub_parallel(THREADS, read_files);
    }
    memdisk_service_time(0);
}

/* ---- room in the log: first come, first served */

static int order, began[3]; /* in which order the three operations began */

static void want_room(unsigned i) {
    static const uint32_t wants[] = {20, 15, 2}; /* of 29 */
    struct log_op op;
    if (i > 0)
        kstub_until_asleep(kstub_proc(i)); /* the one before waits; a thread's process is i + 1 */
    assert_int_equal(log_begin(&op, wants[i]), 0);
    began[i] = __atomic_add_fetch(&order, 1, __ATOMIC_RELAXED);
    assert_int_equal(log_end(&op), 0);
}

static struct log_op *the_first; /* the main thread's, which waits for the others */

static void end_the_first(void) {
    struct proc *self = proc_self();
    hart_self()->proc = kstub_proc(0);
    assert_int_equal(log_end(the_first), 0);
    hart_self()->proc = self;
}

static void want_room_or_release(unsigned i) {
    if (i < 3) {
        want_room(i);
    } else {
        kstub_until_asleep(kstub_proc(3));
        assert_int_equal(order, 0);
        end_the_first();
    }
}

static void operations_wait_for_room(void **state) {
    struct log_op first;
    order = 0;
    assert_int_equal(log_begin(&first, 10), 0);
    assert_true(log_extend(&first, 5));
    assert_false(log_extend(&first, 15));
    the_first = &first;
    kstub_parallel(4, want_room_or_release);
    /* The last would have fitted at once; it must not overtake the others. */
    assert_true(began[0] == 1 && began[1] == 2 && began[2] == 3);
}

/* ---- orphans are freed where there is room for it */

static void end_or_release(unsigned i) {
    if (i == 1) {
        kstub_until_asleep(kstub_proc(1)); /* in log_end, its orphans left alone */
        end_the_first();
        return;
    }
    struct log_op op;
    struct buf *b;
    assert_int_equal(log_begin(&op, 1), 0);
    assert_int_equal(cache_get(1, &b), 0); /* the superblock, as good as any */
    log_write(&op, b);
    cache_put(b);
    assert_int_equal(inode_end_op(&op), 0);
}

/* An operation ends whose room is used up, while the log has none to add: a file that
 * nobody needs any more is freed later, in an operation of its own. */
static void an_orphan_waits_for_room(void **state) {
    struct inode *ip;
    struct log_op first;
    struct fs_stats before, after;
    fs_stats(&before);
    t_make_file("/big", 100000, 1);
    assert_int_equal(inode_get(fsimage_find(fsenv_disk(), "/big"), &ip), 0);
    assert_int_equal(t_unlink("/big"), 0);
    inode_put(ip); /* the last reference */
    assert_int_equal(log_begin(&first, 10), 0);
    for (unsigned i = 0; i < 18; i++) /* one of 29 is left */
        assert_true(log_extend(&first, 1));
    the_first = &first;
    kstub_parallel(2, end_or_release);
    fs_stats(&after);
    assert_int_equal(after.blocks_free, before.blocks_free);
}

/* ---- hardly a buffer is free ---- */

#define FREE_BUFFERS 24

static void read_much(unsigned i) {
    static uint8_t all[THREADS][60000];
    for (int k = 0; k < 20; k++) {
        char name[16];
        snprintf(name, sizeof name, "/r%d", (int)(i + (unsigned)k) % THREADS);
        int fd = t_open(name, ABI_O_RDONLY);
        assert_int_equal(t_read(fd, all[i], sizeof all[i]), sizeof all[i]);
        t_close(fd);
        assert_true(t_file_is(name, sizeof all[i], (i + (unsigned)k) % THREADS));
    }
}

/* Readers that each want more blocks at once than there are buffers for all of them:
 * nobody keeps those that it has while it waits for another. */
static void long_reads_with_few_buffers(void **state) {
    for (unsigned i = 0; i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "/r%u", i);
        t_make_file(name, 60000, i);
    }
    fsenv_remount();
    memdisk_service_time(20);
    uint32_t n = cache_buffers() - FREE_BUFFERS;
    struct buf **taken = calloc(n, sizeof *taken);
    for (uint32_t i = 0; i < n; i++)
        taken[i] = cache_blank(100000 + i); /* no block of this disk */
    kstub_parallel(THREADS, read_much);
    while (n-- > 0)
        cache_put(taken[n]);
    free(taken);
}

/* ---- the disk dies under all of them ---- */

static void until_it_fails(unsigned i) {
    char name[16];
    int err = 0;
    for (int k = 0; err >= 0; k++) {
        snprintf(name, sizeof name, "/t%u-%d", i, k % 10);
        err = t_open(name, NEW | ABI_O_TRUNC);
        if (err >= 0) {
            int fd = err;
            err = (int)t_write(fd, name, sizeof name);
            t_close(fd);
        }
    }
    assert_true(err == -K_EIO || err == -K_EROFS);
}

static void an_error_reaches_everybody(void **state) {
    for (uint64_t n = 100; n < 120; n++) {
        setup(state);
        memdisk_fail(MEMDISK_OP(BLK_WRITE) | MEMDISK_OP(BLK_FLUSH), n, true);
        kstub_parallel(THREADS, until_it_fails);
        memdisk_fail(0, 0, false);
        fsenv_remount();
        fsenv_check();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fsenv_teardown)
#define DURABLE(name) cmocka_unit_test_setup_teardown(name, setup_durable, teardown_durable)
        T(shared_names),
        T(shared_names_and_a_slow_disk),
        T(a_small_log_and_small_caches),
        DURABLE(what_was_done_survives),
        DURABLE(commits_are_shared),
        T(appends_do_not_mix),
        T(what_is_appended_is_not_cut_back),
        T(what_is_put_into_the_zeros_stays),
        T(big_writers_and_small_ones),
        T(one_loads_and_all_read),
        T(operations_wait_for_room),
        DURABLE(an_orphan_waits_for_room),
        T(long_reads_with_few_buffers),
        T(an_error_reaches_everybody),
    };
    host_random_seed(99);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
