/* Delayed commits: what is done is in memory, and on the disk when somebody asks or later. A
 * power cut leaves what the tree was after some operation, no earlier than the last fsync. (Commits
 * that fail: test_lateerrors.c. Blocks that are written before a commit: test_freshblocks.c.) */
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
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "delayedenv.h"
#include "fs/fs.h"
#include "fs/log.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a random workload, each step of it one operation of the log ---- */

#define STEPS 220
#define NAMES 6
#define FILES 3 /* open at a time */

struct plan {
    int what, a, b;
    int64_t size, at;
} plan[STEPS];

static int fds[FILES];
static int64_t result[STEPS];

static void make_plan(void) {
    for (int i = 0; i < STEPS; i++)
        plan[i] = (struct plan){.what = (int)host_random_below(20),
                                .a = (int)host_random_below(NAMES),
                                .b = (int)host_random_below(NAMES),
                                .size = 1 + (int64_t)host_random_below(12000),
                                .at = (int64_t)host_random_below(9000)};
}

static const char *path(char text[16], int n) {
    snprintf(text, 16, n % 3 ? "/n%d" : "/d/n%d", n);
    return text;
}

static int64_t reopen(int slot, const char *name, int mode) {
    if (fds[slot] >= 0)
        assert_int_equal(t_close(fds[slot]), 0);
    fds[slot] = t_open(name, mode);
    return fds[slot] < 0 ? fds[slot] : 0;
}

/* Writing a part of what is there, or behind it. */
static int64_t write_at(int fd, const struct plan *p) {
    struct abi_stat st;
    if (fd < 0 || t_fstat(fd, &st) < 0)
        return -1;
    t_lseek(fd, p->what % 2 ? (int64_t)st.size : MIN(p->at, (int64_t)st.size), 0);
    return t_write(fd, bytes + p->at, (int)p->size);
}

/* It is on the disk with the next commit; for the run where each step is one, at once. */
static int64_t store(const char *name, const struct plan *p) {
    int err = t_store(name, (uint64_t)p->at, bytes + p->size, (size_t)p->size);
    return err || !log_sync_always ? err : t_sync();
}

static bool is_sync(const struct plan *p) { return p->what == 14 || p->what == 15; }

static int64_t step(const struct plan *p) {
    char a[16], b[16];
    int slot = p->b % FILES;
    path(a, p->a);
    path(b, p->b);
    switch (p->what) {
    case 0: return t_mkdir("/d");
    case 1:
    case 2: return reopen(slot, a, NEW);
    case 3: return t_link(a, b);
    case 4: return t_rename(a, b);
    case 5: return t_unlink(a);
    case 6: return fds[slot] < 0 ? -1 : t_ftruncate(fds[slot], (uint64_t)p->at);
    case 14: return fds[slot] < 0 ? t_sync() : t_fsync(fds[slot]);
    case 15: return t_sync();
    case 16:
    case 17: return store(a, p);
    default: return write_at(fds[slot], p);
    }
}

/* A small disk is full at times, and gives out blocks again that have just been given back. */
static uint32_t disk_blocks;

static void begin_run(void) {
    fsenv_fresh(disk_blocks, 60, 100);
    for (int i = 0; i < FILES; i++)
        fds[i] = -1;
}

/* Every step durable at once: what the tree is after each. */
static uint64_t tree[STEPS + 1];

static uint64_t digest_now(void) {
    char *problem = (char *)fsimage_complaint(memdisk_image(), memdisk_bytes());
    /* A file without a name that is still open is no part of the tree. */
    if (problem && !strstr(problem, "has no name"))
        fail_msg("the disk: %s", problem);
    return fsimage_digest(memdisk_image());
}

static void run_durably(void) {
    log_sync_always = true;
    begin_run();
    for (int i = 0; i <= STEPS; i++) {
        tree[i] = digest_now();
        if (i < STEPS)
            result[i] = step(&plan[i]);
    }
    log_sync_always = false;
}

/* The same steps delayed: when each began, and since when what is durable at least. */
static uint64_t begun_at[STEPS + 1];
static struct {
    uint64_t event;
    int steps;
} synced[STEPS + 1];
static int nsynced;

static void run_delayed(void) {
    begin_run();
    memdisk_record();
    nsynced = 0;
    for (int i = 0; i < STEPS; i++) {
        begun_at[i] = memdisk_events();
        assert_int_equal(step(&plan[i]), result[i]);
        if (is_sync(&plan[i])) {
            synced[nsynced].event = memdisk_events();
            synced[nsynced++].steps = i + 1;
        }
    }
    begun_at[STEPS] = memdisk_events();
}

/* NULL, or what is wrong with the disk after a cut before event number at. */
static const char *judge(uint64_t at) {
    const char *why;
    int low = 0, high = 0;
    if (fsenv_mount(&why))
        return why;
    const char *complaint = fsimage_complaint(fsenv_disk(), memdisk_bytes());
    if (complaint)
        return strdup(complaint); /* only a test that fails comes here */
    for (int i = 0; i < nsynced && synced[i].event <= at; i++)
        low = synced[i].steps;
    while (high < STEPS && begun_at[high] <= at)
        high++;
    uint64_t found = fsimage_digest(memdisk_image());
    for (int i = low; i <= high; i++)
        if (tree[i] == found)
            return NULL;
    return "it is no tree that there was since the last fsync";
}

#define SAMPLE 200

/* Cuts the power of the run that was recorded, at every event or at some; how many disks are wrong
 * of how many, and one reason. */
static int wrong_after_cuts(bool every, uint64_t *cuts, const char **example) {
    uint64_t size = memdisk_bytes(), events = memdisk_events();
    int wrong = 0;
    *cuts = every ? events + 1 : SAMPLE;
    uint8_t *images = malloc(*cuts * size);
    uint64_t *at = calloc(*cuts, sizeof(*at));
    for (uint64_t i = 0; i < *cuts; i++) {
        at[i] = every ? i : host_random_below(events + 1);
        memdisk_power_cut(at[i], NULL, images + i * size, NULL);
    }
    for (uint64_t i = 0; i < *cuts; i++) {
        memdisk_load(images + i * size, size);
        const char *why = judge(at[i]);
        wrong += why != NULL;
        *example = why ? why : *example;
    }
    free(at);
    free(images);
    return wrong;
}

/* The first round, on a small disk, is cut at every point. */
static void a_cut_leaves_a_tree_since_the_last_fsync(void **state) {
    for (int round = 0; round < 5; round++) {
        const char *example = NULL;
        uint64_t cuts;
        disk_blocks = round % 2 ? 1200 : 150;
        make_plan();
        run_durably();
        run_delayed();
        assert_true(nsynced > 5);
        int wrong = wrong_after_cuts(round == 0, &cuts, &example);
        if (wrong)
            fail_msg("round %d: %d of %lu disks are wrong: %s", round, wrong, (unsigned long)cuts,
                     example);
    }
}

/* ---- when a commit happens ---- */

static void only_who_asks_waits_for_the_disk(void **state) {
    memdisk_record();
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, bytes, 5000), 5000);
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(writes(), 0);
    assert_int_equal(t_fsync(fd), 0);
    uint64_t after = writes();
    assert_true(after > 0);
    assert_int_not_equal(fsimage_find(memdisk_image(), "/f"), 0);
    assert_int_not_equal(fsimage_find(memdisk_image(), "/d"), 0); /* it came before */
    assert_int_equal(t_fsync(fd), 0);
    assert_int_equal(t_sync(), 0);
    assert_int_equal(writes(), after); /* nothing had changed */
    assert_int_equal(t_unlink("/d"), 0);
    assert_int_equal(writes(), after);
    assert_int_equal(t_close(fd), 0);
    fs_quiesce(); /* the end of the machine */
    assert_int_equal(fsimage_find(memdisk_image(), "/d"), 0);
}

static void half_a_log_is_committed(void **state) {
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, bytes, 40 * 1024), 40 * 1024);
    assert_int_equal(t_sync(), 0);
    memdisk_record();
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(writes() > 0, i > 29); /* a log of 59 blocks */
        assert_int_equal(t_write(fd, bytes, 1024), 1024);
    }
    assert_true(writes() > 0);
}

static void o_sync_is_durable(void **state) {
    int fd = t_open("/f", NEW | ABI_O_SYNC);
    assert_int_equal(t_write(fd, bytes, 3000), 3000);
    const struct fs_dinode *d = fsimage_inode(memdisk_image(), fsimage_find(memdisk_image(), "/f"));
    assert_int_equal(d->size, 3000);
    assert_memory_equal(fsimage_block(memdisk_image(), d, 1), bytes + 1024, 1024);
    assert_int_equal(t_ftruncate(fd, 1000), 0);
    assert_int_equal(d->size, 1000);
}

static void what_cannot_be_synced(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(t_fsync(fd[1]), -K_EINVAL);
    assert_int_equal(t_fsync(9), -K_EBADF);
    assert_int_equal(t_mknod("/c", 1, 0), 0);
    assert_int_equal(t_fsync(t_open("/c", ABI_O_RDWR)), -K_EINVAL);
    assert_int_equal(t_fsync(t_open("/", ABI_O_RDONLY)), 0);
}

/* ---- a commit and the next transaction at once ---- */

static uint8_t *committed; /* the disk when the first one's sync has returned */

static void overwrite_it(int fd) {
    memset(back, 'b', 4096);
    assert_int_equal(t_write(fd, back, 4096), 4096);
}

static void cut_it(int fd) { assert_int_equal(t_ftruncate(fd, 100), 0); }
static void store_to_it(int fd) { assert_int_equal(t_store("/f", 0, "stored", 6), 0); }

static void (*change)(int fd);

static void sync_or_change(unsigned i) {
    if (i == 0) {
        assert_int_equal(t_sync(), 0);
        memcpy(committed, memdisk_image(), memdisk_bytes());
        return;
    }
    while (memdisk_in_flight() == 0)
        sched_yield();
    int fd = t_open("/f", ABI_O_WRONLY);
    change(fd);
    assert_int_equal(t_close(fd), 0);
}

/* The slow disk reads what it writes late; what it gets must be the first writer's, and what is to
 * be read must be the other's. */
static void change_while_written(void (*how)(int fd), const void *then, int n) {
    uint8_t found[4096];
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, bytes, 4096), 4096);
    change = how;
    committed = malloc(memdisk_bytes());
    memdisk_service_time(50000);
    kstub_parallel(2, sync_or_change);
    memdisk_service_time(0);
    const struct fs_dinode *d = fsimage_inode(committed, fsimage_find(committed, "/f"));
    for (uint32_t b = 0; b < 4; b++)
        assert_memory_equal(fsimage_block(committed, d, b), bytes + b * 1024, 1024);
    free(committed);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_read(fd, found, 4096), how == cut_it ? n : 4096);
    assert_memory_equal(found, then, n);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_unlink("/f"), 0);
}

static void a_page_that_is_written_does_not_change(void **state) {
    change_while_written(overwrite_it, back, 4096);
    change_while_written(cut_it, bytes, 100);
    change_while_written(store_to_it, "stored", 6);
}

/* ---- who begins while a transaction is taken over, waits for the next one ---- */

static bool taken_over, began_meanwhile, began; /* atomic */

static void wait_for_the_other(void) {
    __atomic_store_n(&taken_over, true, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&began, __ATOMIC_SEQ_CST) && !kstub_sleeps(kstub_proc(2)))
        sched_yield();
    began_meanwhile = __atomic_load_n(&began, __ATOMIC_SEQ_CST);
}

static void commit_or_begin(unsigned i) {
    struct log_op op;
    if (i == 0) {
        assert_int_equal(t_store("/f", 0, "x", 1), 0);
        assert_int_equal(t_sync(), 0);
        return;
    }
    while (!__atomic_load_n(&taken_over, __ATOMIC_SEQ_CST))
        sched_yield();
    assert_int_equal(log_begin(&op, 1), 0);
    __atomic_store_n(&began, true, __ATOMIC_SEQ_CST);
    assert_int_equal(log_end(&op), 0);
}

static void nobody_joins_what_is_taken_over(void **state) {
    t_make_file("/f", 4096, 1);
    assert_int_equal(t_sync(), 0);
    fsenv_forbidding = wait_for_the_other;
    kstub_parallel(2, commit_or_begin);
    fsenv_forbidding = NULL;
    assert_true(taken_over);
    assert_false(began_meanwhile);
    assert_true(began);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(a_cut_leaves_a_tree_since_the_last_fsync),
        T(only_who_asks_waits_for_the_disk),
        T(half_a_log_is_committed),
        T(o_sync_is_durable),
        T(what_cannot_be_synced),
        T(a_page_that_is_written_does_not_change),
        T(nobody_joins_what_is_taken_over),
    };
    host_random_seed(20261126);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
