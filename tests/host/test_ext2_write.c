/* Writing ext2 and ext3: against what was written, and against e2fsck; and what a power cut leaves.
 */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c kernel/fs/inode.c kernel/fs/data.c */
/* sources: kernel/fs/dir.c kernel/vfs/path.c kernel/fs/namecache.c kernel/fs/nameop.c */
/* sources: kernel/fs/rename.c kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c */
/* sources: kernel/fs/inodefile.c kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c */
/* sources: kernel/syscall/sysfile.c kernel/vfs/descriptor.c kernel/syscall/sysfd.c */
/* sources: kernel/mm/slab.c kernel/mm/pieces.c kernel/vfs/filelock.c */
/* sources: kernel/vfs/listing.c kernel/ext2/ kernel/fs/filemap.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/ext2env.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ext2env.h"
#include "fs/log.h"
#include "fs/pagecache.h"
#include "mm/object.h"
#include "mm/pieces.h"
#include "vfs/file.h"
#include "vfs/names.h"
#include "vfs/open.h"
#include "vfs/path.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
    "-t ext3 -b 1024 -I 128 -J size=1",
    "-t ext3 -b 4096 -I 256",
    "-t ext2 -b 1024 -I 256",
    "-t ext2 -r 0 -b 2048",
};
#define DISK_KIB 8192

static void fresh(const char *options) { ext2env_fresh(options, DISK_KIB); }

/* ---- calls, one after the other ---- */

static void a_name_of_each_kind(void) {
    struct node *n;
    struct node_attr a;
    struct node_kind pipe = {.type = NODE_FIFO, .mode = 0600};
    char slow[500];
    memset(slow, 'x', sizeof slow - 1);
    slow[sizeof slow - 1] = '\0';
    assert_int_equal(t_mkdir("/d"), 0);
    t_make_file("/d/f", 5000, 1);
    assert_int_equal(t_symlink("d/f", "/fast"), 0);
    assert_int_equal(t_symlink(slow, "/slow"), 0);
    assert_int_equal(t_mknod("/device", 1, 7), 0);
    assert_int_equal(names_make(NULL, "/pipe", &pipe), 0);
    assert_int_equal(t_mkdir("/d"), -K_EEXIST);
    assert_true(t_file_is("/fast", 5000, 1));
    for (int again = 0; again < 2; again++) {
        assert_int_equal(path_lookup_from(NULL, "/slow", false, &n), 0);
        assert_string_equal(n->ops->target(n), slow);
        node_put(n);
        assert_int_equal(path_lookup("/device", &n), 0);
        assert_int_equal(n->ops->attr(n, &a), 0);
        assert_int_equal(a.type, NODE_DEVICE);
        assert_int_equal(a.major, 1);
        assert_int_equal(a.minor, 7);
        node_put(n);
        ext2env_remount();
    }
    assert_int_equal(t_unlink("/d"), -K_ENOTEMPTY);
    assert_int_equal(t_link("/d/f", "/g"), 0);
    assert_int_equal(t_link("/d", "/h"), -K_EPERM);
    assert_int_equal(t_rename("/g", "/d/g"), 0);
    assert_int_equal(t_rename("/d", "/d/g/x"), -K_ENOTDIR);
    assert_int_equal(t_mkdir("/d/e"), 0);
    assert_int_equal(t_rename("/d", "/d/e/x"), -K_EINVAL);
    assert_int_equal(t_rename("/e0", "/e"), -K_ENOENT);
    assert_int_equal(t_mkdir("/e"), 0);
    assert_int_equal(t_rename("/e", "/d"), -K_ENOTEMPTY);
    assert_int_equal(t_rename("/d/e", "/d"), -K_ENOTEMPTY);
    assert_int_equal(t_rename("/d/f", "/e"), -K_EISDIR);
    assert_int_equal(t_rename("/e", "/d/f"), -K_ENOTDIR);
    assert_int_equal(t_rename("/d/e", "/e"), 0); /* in the place of an empty one */
    assert_int_equal(t_unlink("/d/f"), 0);
    assert_true(t_file_is("/d/g", 5000, 1));
    assert_int_equal(t_unlink("/slow"), 0);
    assert_int_equal(t_unlink("/fast"), 0);
    ext2env_remount();
    assert_true(t_file_is("/d/g", 5000, 1));
}

static void known_of_a_file(void) {
    struct node *n;
    struct node_attr a, want = {.mode = 04711,
                                .uid = 100000,
                                .gid = 7,
                                .accessed = 5000000000ULL * 1000000000 + 5,
                                .modified = 1234567890ULL * 1000000000};
    t_make_file("/known", 10, 1);
    assert_int_equal(path_lookup("/known", &n), 0);
    unsigned all = NODE_SET_MODE | NODE_SET_OWNER | NODE_SET_ACCESSED | NODE_SET_MODIFIED;
    assert_int_equal(n->ops->set_attr(n, all, &want), 0);
    node_put(n);
    ext2env_remount();
    assert_int_equal(path_lookup("/known", &n), 0);
    assert_int_equal(n->ops->attr(n, &a), 0);
    node_put(n);
    assert_int_equal(a.mode, 04711);
    assert_int_equal(a.uid, 100000);
    assert_int_equal(a.gid, 7);
    assert_int_equal(a.modified, want.modified);
    assert_int_equal(t_unlink("/known"), 0);
}

static unsigned breaks;

static void count_break(void) {
    spin_expect_none("a break");
    breaks++;
}

/* Holes, a large file, and cutting it. */
static void long_files(void) {
    static uint8_t bytes[70000], read[70000];
    memset(bytes, 'b', sizeof bytes);
    int fd = t_open("/long", NEW);
    assert_true(fd >= 0);
    int64_t far[] = {0, 3000, 100000, 900000, 70 * MIB(1), 200 * MIB(1)};
    for (unsigned i = 0; i < ARRAY_LEN(far); i++) {
        assert_int_equal(t_lseek(fd, far[i], 0), far[i]);
        assert_int_equal(t_write(fd, bytes, 20000), 20000);
    }
    ext2env_check_disk();
    assert_int_equal(t_lseek(fd, 70 * MIB(1) - 10, 0), 70 * MIB(1) - 10);
    assert_int_equal(t_read(fd, read, 20), 20);
    assert_memory_equal(read, "\0\0\0\0\0\0\0\0\0\0bbbbbbbbbb", 20);
    int64_t cuts[] = {70 * MIB(1) + 5, 900100, 99999, 2500, 0};
    piece_break = count_break;
    breaks = 0;
    for (unsigned i = 0; i < ARRAY_LEN(cuts); i++) {
        assert_int_equal(t_ftruncate(fd, (uint64_t)cuts[i]), 0);
        assert_int_equal(t_lseek(fd, 0, 2), cuts[i]);
        if (i == 0) /* it has looked through all of the cache */
            assert_true(pagecache_pages() > PIECE && breaks >= pagecache_pages() / PIECE);
        ext2env_check_disk();
    }
    piece_break = NULL;
    assert_int_equal(t_ftruncate(fd, 10000), 0);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_read(fd, read, 20000), 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(read[i], 0);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_unlink("/long"), 0);
}

/* What is open goes on when it has no name, and its blocks come back when it is closed. */
static void a_file_without_a_name(void) {
    struct node_space before, after;
    ext2env_check_disk();
    node_root()->ops->space(node_root(), &before);
    t_make_file("/a", 30000, 1);
    t_make_file("/b", 30000, 2);
    t_make_file("/c", 30000, 3);
    int fd[] = {t_open("/a", ABI_O_RDWR), t_open("/b", ABI_O_RDWR), t_open("/c", ABI_O_RDWR)};
    assert_int_equal(t_unlink("/a"), 0);
    assert_int_equal(t_unlink("/b"), 0);
    assert_int_equal(t_unlink("/c"), 0);
    assert_int_equal(t_write(fd[1], "x", 1), 1);
    assert_int_equal(t_close(fd[1]), 0); /* from the middle of the list */
    assert_int_equal(t_close(fd[0]), 0);
    assert_int_equal(t_close(fd[2]), 0);
    node_root()->ops->space(node_root(), &after);
    assert_int_equal(after.blocks_free, before.blocks_free);
    assert_int_equal(after.nodes_free, before.nodes_free);
}

/* Until nothing fits any more, and all of it away again. */
static void a_full_disk(void) {
    static uint8_t bytes[100000];
    char name[40];
    int files = 0;
    int64_t n = 0;
    struct node_space before, after;
    node_root()->ops->space(node_root(), &before);
    for (int full = 0; !full; files++) {
        sprintf(name, "/full-%d", files);
        int fd = t_open(name, NEW);
        if (fd < 0) {
            assert_int_equal(fd, -K_ENOSPC);
            break;
        }
        n = t_write(fd, bytes, sizeof bytes);
        if (n >= 0 && n < (int64_t)sizeof bytes)
            n = t_write(fd, bytes, sizeof bytes);
        full = n < 0;
        t_close(fd);
    }
    assert_int_equal(n, -K_ENOSPC);
    int more = t_mkdir("/one-more");
    assert_true(more == 0 || more == -K_ENOSPC);
    ext2env_check_disk();
    if (!more)
        assert_int_equal(t_unlink("/one-more"), 0);
    while (files-- > 0) {
        sprintf(name, "/full-%d", files);
        int err = t_unlink(name);
        assert_true(err == 0 || err == -K_ENOENT);
    }
    node_root()->ops->space(node_root(), &after);
    assert_int_equal(after.nodes_free, before.nodes_free);
}

static void calls(void **state) {
    if (!ext2env_can())
        return;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        fresh(kinds[i]);
        a_name_of_each_kind();
        known_of_a_file();
        long_files();
        a_file_without_a_name();
        a_full_disk();
        proc_files_drop(proc_self());
        ext2env_check_disk();
    }
}

/* ---- anything, in any order ---- */

#define NAMES 12

static void random_name(char *to) {
    uint64_t dir = host_random_below(4), n = host_random_below(NAMES);
    if (dir == 0)
        sprintf(to, "/n%u", (unsigned)n);
    else
        sprintf(to, "/d%u/%.*s%u", (unsigned)dir, (int)host_random_below(90),
                "a-long-name-so-that-entries-are-of-many-sizes-and-directories-get-more-blocks-than"
                "-one----",
                (unsigned)n);
}

static void random_call(void) {
    char a[128], b[128];
    static uint8_t bytes[60000];
    random_name(a);
    random_name(b);
    switch (host_random_below(9)) {
    case 0: t_make_file(a[1] == 'd' ? "/x" : "/y", host_random_below(60000), 1); break;
    case 1: (void)!t_mkdir(a); break;
    case 2: (void)!t_unlink(a); break;
    case 3: (void)!t_link(a, b); break;
    case 4: (void)!t_rename(a, b); break;
    case 5: (void)!t_symlink(b, a); break;
    default: {
        int fd = t_open(a, NEW);
        if (fd < 0)
            break;
        uint64_t at = host_random_below(host_random_below(8) ? 100000 : 30000000);
        t_lseek(fd, (int64_t)at, 0);
        (void)!t_write(fd, bytes + host_random_below(100), (int)host_random_below(40000));
        if (host_random_below(3) == 0)
            (void)!t_ftruncate(fd, host_random_below(50000));
        t_close(fd);
    }
    }
}

static void begin_random(const char *options) {
    fresh(options);
    for (int i = 1; i < 4; i++) {
        char name[8];
        sprintf(name, "/d%d", i);
        assert_int_equal(t_mkdir(name), 0);
    }
}

static void any_calls(void **state) {
    if (!ext2env_can())
        return;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        begin_random(kinds[i]);
        for (int round = 0; round < 2; round++) {
            for (int k = 0; k < 100; k++)
                random_call();
            uint64_t before = ext2env_digest();
            ext2env_check_disk();
            ext2env_remount();
            assert_int_equal(ext2env_digest(), before);
        }
    }
}

/* ---- power cuts ---- */

#define STEPS 60
#define CUTS 24

static struct cut {
    uint8_t *image;
    uint64_t digest; /* that it must have; 0: the cut was in the middle of a call */
} cuts[CUTS];

/* Each call is durable when it returns: done_at has the events then. */
static uint64_t done_at[STEPS + 1], digests[STEPS + 1];

static void record_steps(const char *options) {
    begin_random(options);
    ext2env_check_disk();
    log_sync_always = true;
    ext2env_mount_ok();
    memdisk_record();
    for (int i = 0; i <= STEPS; i++) {
        if (i > 0)
            random_call();
        done_at[i] = memdisk_events();
        digests[i] = ext2env_digest();
    }
}

/* Half of them are right after a call. */
static void choose_cut(struct cut *c) {
    uint64_t at = host_random_below(memdisk_events() + 1), step = host_random_below(STEPS + 1);
    c->digest = 0;
    if (host_random_below(2)) {
        at = done_at[step];
        c->digest = digests[step];
    }
    c->image = malloc(memdisk_bytes());
    memdisk_power_cut(at, NULL, c->image, NULL);
}

/* e2fsck recovers it, and has nothing to say then; and so does the kernel, which finds what was
 * done before the cut. */
static void check_cut(struct cut *c, int worst) {
    uint64_t bytes = memdisk_bytes();
    uint8_t *copy = malloc(bytes);
    memcpy(copy, c->image, bytes);
    int status = ext2env_recover(copy, worst ? "-fy" : "-fp");
    if (status != 0 && status != 1)
        fail_msg("e2fsck ends with %d", status);
    ext2env_check(copy);
    for (int by_kernel = worst ? 0 : 1; by_kernel >= 0; by_kernel--) {
        memdisk_load(by_kernel ? c->image : copy, bytes);
        ext2env_mount_ok();
        uint64_t digest = ext2env_digest();
        if (c->digest)
            assert_int_equal(digest, c->digest);
        random_call();
        proc_files_drop(proc_self());
        ext2env_check_disk();
    }
    free(copy);
    free(c->image);
}

static void power_cuts(const char *options, unsigned n, bool journal) {
    record_steps(options);
    for (unsigned i = 0; i < n; i++)
        choose_cut(&cuts[i]);
    for (unsigned i = 0; i < n; i++)
        check_cut(&cuts[i], !journal);
    log_sync_always = false;
}

/* EXT2_CUTS=N in the environment: so many times as many. */
static unsigned rounds(void) {
    const char *n = getenv("EXT2_CUTS");
    return n ? (unsigned)atoi(n) : 1;
}

static void cuts_with_a_journal(void **state) {
    for (unsigned i = 0; ext2env_can() && i < rounds(); i++) {
        power_cuts(kinds[0], rounds() > 1 ? CUTS : 6, true);
        power_cuts(kinds[1], rounds() > 1 ? CUTS : 4, true);
    }
}

static void cuts_without(void **state) {
    for (unsigned i = 0; ext2env_can() && i < rounds(); i++)
        power_cuts(kinds[2], rounds() > 1 ? CUTS : 4, false);
}

/* ---- errors of the disk ---- */

/* A write that fails ends all changes; what is on the disk can be recovered. */
static void write_errors(void **state) {
    if (!ext2env_can())
        return;
    begin_random(kinds[0]);
    ext2env_check_disk();
    uint8_t *image = malloc(memdisk_bytes());
    memcpy(image, memdisk_image(), memdisk_bytes());
    for (uint64_t n = 1; n < 16; n++) {
        memdisk_load(image, memdisk_bytes());
        ext2env_mount_ok();
        t_make_file("/x", 20000, 7);
        memdisk_fail(MEMDISK_OP(BLK_WRITE) | MEMDISK_OP(BLK_FLUSH), n, true);
        assert_int_equal(t_sync(), -K_EIO);
        assert_non_null(strstr(kstub_printed, "the file system takes no more changes"));
        assert_int_equal(t_mkdir("/more"), -K_EROFS);
        assert_true(t_file_is("/x", 20000, 7)); /* what memory shows stays */
        proc_files_drop(proc_self());
        memdisk_load(memdisk_image(), memdisk_bytes());
        ext2env_mount_ok();
        ext2env_check_disk();
    }
    free(image);
}

/* ---- stores through mappings ---- */

static int keep_frame(void *ctx, const paddr_t *frame, unsigned n) {
    *(paddr_t *)ctx = *frame;
    return n == 1 ? 0 : -K_EIO;
}

static void stores(void **state) {
    if (!ext2env_can())
        return;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        static uint8_t bytes[PAGE_SIZE];
        struct object *o;
        struct file *f;
        paddr_t frame;
        fresh(kinds[i]);
        int fd = t_open("/mapped", NEW);
        assert_int_equal(t_ftruncate(fd, 3 * PAGE_SIZE + 100), 0); /* holes */
        struct node *n;
        assert_int_equal(path_lookup("/mapped", &n), 0);
        assert_int_equal(file_open_node(n, ABI_O_RDWR, &f), 0);
        node_put(n);
        assert_int_equal(file_map(f, 4, &o), 0);
        for (uint64_t page = 1; page < 4; page++) {
            assert_int_equal(o->ops->page(o, page, 1, true, keep_frame, &frame), 0);
            memset(pa_ptr(frame), 's', PAGE_SIZE);
        }
        assert_int_equal(o->ops->page(o, 4, 1, false, keep_frame, &frame), -K_ENXIO);
        assert_int_equal(o->ops->sync(o), 0);
        ext2env_check(memdisk_image()); /* it is in use */
        ext2env_taken_away = 0;
        assert_int_equal(t_ftruncate(fd, 2 * PAGE_SIZE + 50), 0);
        assert_int_not_equal(ext2env_taken_away, 0);
        assert_int_equal(t_ftruncate(fd, 3 * PAGE_SIZE), 0);
        object_put(o);
        file_put(f);
        ext2env_remount();
        fd = t_open("/mapped", ABI_O_RDONLY);
        for (unsigned page = 0; page < 3; page++) {
            assert_int_equal(t_read(fd, bytes, PAGE_SIZE), PAGE_SIZE);
            assert_int_equal(bytes[0], page ? 's' : 0);
            assert_int_equal(bytes[49], page ? 's' : 0);
            assert_int_equal(bytes[50], page == 1 ? 's' : 0);
        }
        proc_files_drop(proc_self());
        ext2env_check_disk();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(calls, ext2env_teardown),
        cmocka_unit_test_teardown(any_calls, ext2env_teardown),
        cmocka_unit_test_teardown(cuts_with_a_journal, ext2env_teardown),
        cmocka_unit_test_teardown(cuts_without, ext2env_teardown),
        cmocka_unit_test_teardown(write_errors, ext2env_teardown),
        cmocka_unit_test_teardown(stores, ext2env_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
