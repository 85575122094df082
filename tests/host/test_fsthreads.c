/* Many processes in the file system at once: the disk stays consistent, all read what was written,
 * nobody waits for ever. (The log: test_fsthreads_log.c; one file: test_fsthreads_writers.c.) */
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
#include "fs/dir.h"
#include "fs/namecache.h"
#include "fsthreads.h"
#include <stdlib.h>
#include <string.h>

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
    namecache_mount(DIR_NAME_WORDS);
    kstub_parallel(THREADS, churn);
}

/* ---- all read what nobody has in memory yet ---- */

static void read_files(unsigned i) {
    for (unsigned n = 0; n < FILES; n++) /* each another one, but inodes share blocks */
        assert_true(file_is_there(0, (n + i) % FILES));
}

static void one_loads_and_all_read(void **state) {
    for (unsigned n = 0; n < FILES; n++)
        make_file(0, n);
    for (int round = 0; round < 3; round++) {
        fsenv_remount();
        memdisk_service_time(100);
        kstub_parallel(THREADS, read_files);
    }
    memdisk_service_time(0);
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
        WITH_FILES(shared_names),
        WITH_FILES(shared_names_and_a_slow_disk),
        WITH_FILES(a_small_log_and_small_caches),
        WITH_FILES(one_loads_and_all_read),
        WITH_FILES(long_reads_with_few_buffers),
        WITH_FILES(an_error_reaches_everybody),
    };
    host_random_seed(99);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
