/* One file and many writers: what was written stays, whatever another does to the file's size. */
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
#include "fs/filedata.h"
#include "fs/inode.h"
#include "fsthreads.h"
#include "inodeof.h"
#include <sched.h>
#include <string.h>

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
    struct inode *ip = inode_of("/log");
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

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILES(appends_do_not_mix),
        WITH_FILES(what_is_appended_is_not_cut_back),
        WITH_FILES(what_is_put_into_the_zeros_stays),
    };
    host_random_seed(99);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
