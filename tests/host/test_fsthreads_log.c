/* Many processes that want the log: they share commits and wait for room in their order, and
 * whoever was told that something is done finds it after a power cut. */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c */
/* sources: kernel/fs/inode.c kernel/fs/data.c kernel/fs/dir.c kernel/vfs/path.c */
/* sources: kernel/fs/namecache.c kernel/fs/nameop.c kernel/fs/rename.c */
/* sources: kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c kernel/fs/inodefile.c */
/* sources: kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c kernel/syscall/sysfile.c */
/* sources: kernel/vfs/descriptor.c kernel/syscall/sysfd.c kernel/mm/slab.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c */
#include "fs/cache.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fsthreads.h"
#include <stdlib.h>
#include <string.h>

/* ---- group commit, with sync=always: done means done ---- */

static int setup_durable(void **state) {
    log_sync_always = true;
    return setup(state);
}

static int teardown_durable(void **state) {
    log_sync_always = false;
    return fsenv_teardown(state);
}

static uint64_t made_at[THREADS][FILES]; /* events when the file was done */

static void make_files(unsigned i) {
    for (unsigned k = 0; k < FILES; k++) {
        make_file(i, k);
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
            for (unsigned k = 0; k < FILES && made_at[i][k] <= at[c]; k++)
                assert_true(file_is_there(i, k));
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

/* ---- room in the log: first come, first served ---- */

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
    unsigned self = proc_self()->slot;
    kstub_run(0);
    assert_int_equal(log_end(the_first), 0);
    kstub_run(self);
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

/* ---- orphans are freed where there is room for it ---- */

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

int main(void) {
    const struct CMUnitTest tests[] = {
#define DURABLE(name) cmocka_unit_test_setup_teardown(name, setup_durable, teardown_durable)
        DURABLE(what_was_done_survives),        DURABLE(commits_are_shared),
        WITH_FILES(operations_wait_for_room),   DURABLE(an_orphan_waits_for_room),
        WITH_FILES(big_writers_and_small_ones),
    };
    host_random_seed(99);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
