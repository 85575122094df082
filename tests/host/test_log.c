/* The log: atomic and durable operations, whatever a power cut or a disk error
 * leaves. Each recovered disk is checked by code that is not the kernel's. */
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
#include "fs/fs.h"
#include "fs/log.h"
#include "fsenv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE];

/* Every call is durable when it returns; what a delayed one is, is tested further down. */
static int setup(void **state) {
    log_sync_always = true;
    fsenv_ram = MIB(32);
    fsenv_fresh(600, 30, 100);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 1024);
    return 0;
}

static int teardown(void **state) {
    memdisk_fail(0, 0, false);
    return 0;
}

/* ---- a workload of which every step is one transaction ---- */

#define STEPS 40

static void step(int i) {
    static int fd;
    char a[16], b[16];
    snprintf(a, sizeof a, "/f%d", i / 8);
    snprintf(b, sizeof b, "/d%d/g", i / 8);
    switch (i % 8) {
    case 0:
        fd = t_open(a, NEW);
        assert_true(fd >= 0);
        break;
    case 1: assert_int_equal(t_write(fd, bytes + i, 15000), 15000); break;
    case 2:
        snprintf(b, sizeof b, "/d%d", i / 8);
        assert_int_equal(t_mkdir(b), 0);
        break;
    case 3: assert_int_equal(t_link(a, b), 0); break;
    case 4:
        assert_int_equal(t_lseek(fd, 500, 0), 500);
        assert_int_equal(t_write(fd, bytes + i, 3000), 3000);
        break;
    case 5: assert_int_equal(t_rename(a, i % 16 < 8 ? "/moved" : b), 0); break;
    case 6: assert_int_equal(t_ftruncate(fd, i % 16 < 8 ? 0 : 12000), 0); break;
    case 7:
        assert_int_equal(t_close(fd), 0);
        if (i > 8)
            assert_int_equal(t_unlink(b), 0);
    }
}

static uint64_t done_at[STEPS + 1]; /* events when i steps were done */
static uint64_t tree[STEPS + 1];    /* the digest then */
static uint8_t *crashed;

static uint64_t digest_now(void) {
    const char *complaint = fsimage_complaint(memdisk_image(), memdisk_bytes());
    if (complaint)
        fail_msg("the disk: %s", complaint);
    return fsimage_digest(memdisk_image());
}

static void run_workload(void) {
    memdisk_record();
    for (int i = 0; i <= STEPS; i++) {
        done_at[i] = memdisk_events();
        tree[i] = digest_now();
        if (i < STEPS)
            step(i);
    }
    crashed = realloc(crashed, memdisk_bytes());
}

/* What the disk in `crashed` shows after recovery: NULL if it is consistent and
 * has all that the first done steps did, and no more than one more. */
static const char *judge_crash(int done) {
    const char *why;
    memdisk_load(crashed, memdisk_bytes());
    if (fsenv_mount(&why))
        return why;
    const char *complaint = fsimage_complaint(memdisk_image(), memdisk_bytes());
    if (complaint)
        return complaint;
    uint64_t found = fsimage_digest(memdisk_image());
    if (found != tree[done] && (done == STEPS || found != tree[done + 1]))
        return "not the tree before or after the step";
    return NULL;
}

/* A disk's life so far; power cuts are taken from it while others are tried. */
struct life {
    uint64_t events;
    uint32_t ncuts;
    struct cut {
        uint8_t *image;
        int done;
    } * cuts;
};

/* Power cuts at n random moments, all collected before any is tried, for trying
 * uses the disk. */
static struct life collect(uint32_t n, bool (*drop)(uint64_t event)) {
    struct life l = {.events = memdisk_events(), .ncuts = n, .cuts = calloc(n, sizeof(struct cut))};
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = host_random_below(l.events + 1);
        struct cut *c = &l.cuts[i];
        while (c->done < STEPS && done_at[c->done + 1] <= at)
            c->done++;
        c->image = malloc(memdisk_bytes());
        memdisk_power_cut(at, drop, c->image, NULL);
    }
    return l;
}

static uint32_t count_bad(struct life *l, const char **example) {
    uint32_t bad = 0;
    for (uint32_t i = 0; i < l->ncuts; i++) {
        memcpy(crashed, l->cuts[i].image, memdisk_bytes());
        free(l->cuts[i].image);
        const char *wrong = judge_crash(l->cuts[i].done);
        if (wrong) {
            bad++;
            *example = wrong;
        }
    }
    free(l->cuts);
    return bad;
}

static void power_cuts_lose_nothing(void **state) {
    const char *example = NULL;
    run_workload();
    struct life l = collect(800, NULL);
    uint32_t bad = count_bad(&l, &example);
    if (bad)
        fail_msg("%u of 800 disks were broken: %s", bad, example);
}

/* ---- every barrier is needed (pitfall 31) ---- */

/* A commit has four flushes; which of them is a flush event? */
static uint32_t dropped;
static uint32_t *flush_number; /* of each event, counted from 0 */

static bool drop_one_of_four(uint64_t event) { return flush_number[event] % 4 == dropped; }

static void number_flushes(void) {
    uint32_t n = 0;
    flush_number = realloc(flush_number, memdisk_events() * sizeof *flush_number);
    for (uint64_t e = 0; e < memdisk_events(); e++)
        flush_number[e] = memdisk_is_flush(e) ? n++ : 0;
    assert_true(n > 0 && n % 4 == 0);
}

static void without_a_flush_disks_break(void **state) {
    for (dropped = 0; dropped < 4; dropped++) {
        const char *example = NULL;
        uint32_t bad = 0, tried = 0;
        for (; bad == 0 && tried < 4000; tried += 100) {
            setup(state);
            run_workload();
            number_flushes();
            struct life l = collect(100, drop_one_of_four);
            bad = count_bad(&l, &example);
        }
        print_message("without flush %u of 4: %u of %u disks broken\n", dropped + 1, bad, tried);
        assert_true(bad > 0);
    }
}

/* ---- recovery itself may be cut ---- */

/* Finds a power cut that leaves a committed transaction in the log. */
static int make_crash_with_full_log(void) {
    const struct fs_superblock *sb = (const struct fs_superblock *)(memdisk_image() + 1024);
    for (;;) {
        uint64_t at = host_random_below(memdisk_events() + 1);
        memdisk_power_cut(at, NULL, crashed, NULL);
        if (*(int32_t *)(crashed + (uint64_t)sb->logstart * 1024) > 2) {
            int done = 0;
            while (done < STEPS && done_at[done + 1] <= at)
                done++;
            return done;
        }
    }
}

static bool drop_nth(uint64_t event) {
    return memdisk_is_flush(event) && flush_number[event] == dropped;
}

/* Mounts the crashed disk, makes a file, and cuts the power somewhere in that;
 * returns whether the disk that this leaves is broken. */
static bool second_crash_breaks(const uint8_t *first, int done, bool (*drop)(uint64_t)) {
    uint8_t *second = malloc(memdisk_bytes());
    memdisk_load(first, memdisk_bytes());
    memdisk_record();
    fsenv_mount_ok();
    uint64_t mounted = memdisk_events();
    t_make_file("/after", 9000, 1);
    flush_number = realloc(flush_number, memdisk_events() * sizeof *flush_number);
    uint32_t n = 0;
    for (uint64_t e = 0; e < memdisk_events(); e++)
        flush_number[e] = memdisk_is_flush(e) ? n++ : 0;
    uint64_t at = host_random_below(memdisk_events() + 1);
    memdisk_power_cut(at, drop, second, NULL);
    memdisk_load(second, memdisk_bytes());
    free(second);
    const char *why;
    bool bad = fsenv_mount(&why) || fsimage_complaint(memdisk_image(), memdisk_bytes());
    if (!bad && at < mounted) {
        uint64_t found = fsimage_digest(memdisk_image());
        bad = found != tree[done] && found != tree[done + 1];
    }
    return bad;
}

static uint32_t second_crashes(uint32_t n, bool (*drop)(uint64_t)) {
    uint32_t bad = 0;
    for (uint32_t i = 0; i < n; i++) {
        setup(NULL);
        run_workload();
        int done = make_crash_with_full_log();
        uint8_t *first = malloc(memdisk_bytes());
        memcpy(first, crashed, memdisk_bytes());
        for (int k = 0; k < 40; k++)
            bad += second_crash_breaks(first, done, drop);
        free(first);
    }
    return bad;
}

static void recovery_can_be_cut(void **state) { assert_int_equal(second_crashes(12, NULL), 0); }

static void without_recoverys_flushes_disks_break(void **state) {
    for (dropped = 0; dropped < 2; dropped++) {
        uint32_t bad = 0, tried = 0;
        for (; bad == 0 && tried < 4800; tried += 160)
            bad = second_crashes(4, drop_nth);
        print_message("without flush %u of 2 in recovery: %u of %u disks broken\n", dropped + 1,
                      bad, tried);
        assert_true(bad > 0);
    }
}

/* ---- long operations: consistent wherever they are cut ---- */

static void long_operations_are_consistent(void **state) {
    fsenv_fresh(600, 12, 60);
    memdisk_record();
    int fd = t_open("/long", NEW);
    assert_int_equal(t_write(fd, bytes, 260 * 1024), 260 * 1024);
    assert_int_equal(t_ftruncate(fd, 100 * 1024), 0);
    assert_int_equal(t_ftruncate(fd, 200 * 1024), 0);
    assert_int_equal(t_unlink("/long"), 0);
    assert_int_equal(t_close(fd), 0);
    uint64_t size = memdisk_bytes(), events = memdisk_events();
    enum { CUTS = 300 };
    uint8_t *images = malloc(CUTS * size);
    for (int i = 0; i < CUTS; i++)
        memdisk_power_cut(host_random_below(events + 1), NULL, images + (uint64_t)i * size, NULL);
    for (int i = 0; i < CUTS; i++) {
        memdisk_load(images + (uint64_t)i * size, size);
        fsenv_mount_ok();
        fsenv_check();
    }
    free(images);
}

/* ---- disk errors (pitfall 32) ---- */

static bool said(const char *text) { return strstr(kstub_printed, text) != NULL; }

/* Every request of a create and a write fails in turn: the calls say so, nothing
 * panics, what is readable stays readable, and a mount repairs the disk. */
/* What a program finds then. */
static bool log_aborted(void) {
    struct log_op op;
    int err = log_begin(&op, 1);
    assert_int_equal(err, err ? -K_EROFS : log_end(&op));
    return err;
}

static void errors_in_a_commit(void **state) {
    static const uint32_t sets[] = {MEMDISK_OP(BLK_WRITE), MEMDISK_OP(BLK_FLUSH), MEMDISK_ANY};
    int aborted = 0, whole = 0;
    for (unsigned s = 0; s < ARRAY_LEN(sets); s++)
        for (uint64_t n = 1; n < 40; n++) {
            setup(NULL);
            t_make_file("/old", 5000, 1);
            fsenv_mount_ok(); /* with an empty cache */
            memdisk_fail(sets[s], n, host_random_below(2));
            int fd = t_open("/new", NEW);
            int64_t wrote = fd < 0 ? fd : t_write(fd, bytes, 20000);
            bool failed = memdisk_failed() > 0;
            memdisk_fail(0, 0, false);
            if (!failed) {
                whole++;
                assert_int_equal(wrote, 20000);
                continue;
            }
            /* A commit alone writes and flushes, and a commit cannot be undone. */
            assert_true(log_aborted() || sets[s] == MEMDISK_ANY);
            if (log_aborted()) {
                aborted++;
                assert_true(wrote == -K_EIO || wrote == -K_EROFS);
                assert_true(said("takes no more changes"));
                assert_ptr_equal(strstr(kstub_printed, "fs:"), kstub_printed);
                assert_null(strstr(kstub_printed + 3, "fs:")); /* once */
                assert_int_equal(t_mkdir("/d"), -K_EROFS);
                assert_int_equal(t_unlink("/old"), -K_EROFS);
                assert_int_equal(t_open("/new2", NEW), -K_EROFS);
            }
            assert_true(t_file_is("/old", 5000, 1));
            fsenv_mount_ok();
            fsenv_check();
            assert_true(t_file_is("/old", 5000, 1));
        }
    assert_true(aborted > 20 && whole > 10);
}

/* Reads that fail: an error of the call, the next try works. */
static void errors_in_reading(void **state) {
    t_make_file("/f", 100 * 1024, 1);
    assert_int_equal(t_mkdir("/d"), 0);
    for (uint64_t n = 1; n < 30; n++) { /* a request for each page */
        fsenv_mount_ok();
        memdisk_fail(MEMDISK_OP(BLK_READ), n, false);
        bool ok = t_file_is("/f", 100 * 1024, 1);
        assert_true(ok || memdisk_failed() > 0);
        memdisk_fail(0, 0, false);
        assert_true(t_file_is("/f", 100 * 1024, 1));
        assert_false(log_aborted());
    }
    for (uint64_t n = 1; n < 10; n++) {
        fsenv_mount_ok();
        memdisk_fail(MEMDISK_OP(BLK_READ), n, false);
        int err = t_rename("/f", "/d/f");
        memdisk_fail(0, 0, false);
        assert_true(err == 0 || err == -K_EIO);
        fsenv_check();
        assert_int_equal(t_rename("/d/f", "/f"), err ? -K_ENOENT : 0);
        memdisk_fail(MEMDISK_OP(BLK_READ), n, false);
        int fd = t_open("/g", NEW); /* the bitmap's and the inode's blocks */
        err = fd < 0 ? fd : (int)t_write(fd, bytes, 20000);
        memdisk_fail(0, 0, false);
        assert_true(err == 20000 || err == -K_EIO || (err > 0 && err < 20000));
        if (fd >= 0)
            t_close(fd);
        fsenv_check();
        if (fd >= 0)
            assert_int_equal(t_unlink("/g"), 0);
        fsenv_check();
    }
}

/* The data (three pages), the log and the header are on the disk, but what follows the commit
 * fails: the header must stay, for it is the only whole copy. */
static void a_committed_transaction_survives(void **state) {
    int recovered = 0;
    for (uint64_t n = 6; n < 12; n++) {
        setup(NULL);
        int fd = t_open("/f", NEW);
        memdisk_fail(MEMDISK_OP(BLK_WRITE), n, true);
        int64_t wrote = t_write(fd, bytes, 9000);
        memdisk_fail(0, 0, false);
        if (wrote == 9000)
            continue;
        assert_true(log_aborted());
        fsenv_mount_ok();
        fsenv_check();
        fd = t_open("/f", ABI_O_RDONLY);
        uint8_t back[9001];
        assert_int_equal(t_read(fd, back, 9001), 9000);
        assert_memory_equal(back, bytes, 9000);
        recovered++;
    }
    assert_true(recovered > 0);
}

static void errors_at_mount(void **state) {
    run_workload();
    make_crash_with_full_log();
    for (uint64_t n = 1; n < 60; n++) {
        const char *why;
        memdisk_load(crashed, memdisk_bytes());
        memdisk_fail(MEMDISK_ANY, n, true);
        int err = fsenv_mount(&why);
        bool failed = memdisk_failed() > 0;
        memdisk_fail(0, 0, false);
        assert_true(err == 0 || err == -K_EIO);
        assert_true(err == 0 || failed);
        fsenv_mount_ok(); /* nothing was lost by trying */
        fsenv_check();
    }
}

/* ---- the smallest log ---- */

static void small_logs(void **state) {
    const char *why;
    for (uint32_t nlog = 2; nlog < 40; nlog++) {
        struct fsimage im = fsimage_make(300, nlog, 50);
        memdisk_load(im.data, im.bytes);
        fsimage_free(&im);
        int err = fsenv_mount(&why);
        if (nlog >= 10)
            assert_int_equal(err, 0);
        if (err) {
            assert_string_equal(why, "the log is too small for one operation");
            continue;
        }
        for (int i = 0; i < STEPS; i++)
            step(i);
        fsenv_check();
    }
}

/* A log of a foreign kernel: header and blocks in any order. */
static void replays_a_foreign_log(void **state) {
    uint8_t *image = memdisk_image();
    const struct fs_superblock *sb = (const struct fs_superblock *)(image + 1024);
    int32_t *header = (int32_t *)(image + (uint64_t)sb->logstart * 1024);
    uint32_t home[] = {500, 90, 91, 300};
    header[0] = 4;
    for (int i = 0; i < 4; i++) {
        header[1 + i] = (int32_t)home[i];
        memset(image + (uint64_t)(sb->logstart + 1 + i) * 1024, 'A' + i, 1024);
    }
    fsenv_mount_ok();
    fsenv_check();
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 1024; k++)
            assert_int_equal(memdisk_image()[home[i] * 1024 + k], 'A' + i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(power_cuts_lose_nothing),
        T(without_a_flush_disks_break),
        T(recovery_can_be_cut),
        T(without_recoverys_flushes_disks_break),
        T(long_operations_are_consistent),
        T(errors_in_a_commit),
        T(errors_in_reading),
        T(a_committed_transaction_survives),
        T(errors_at_mount),
        T(small_logs),
        T(replays_a_foreign_log),
    };
    host_random_seed(31);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
