/* What a call leaves behind that cannot do all of its work: a full disk, no inodes, bad
 * pointers, blocks that are missing or cannot be read. */
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
#include "between.h"
#include "fs/data.h"
#include "fs/fs.h"
#include "vfs/path.h"
#include "fsenv.h"
#include <stdio.h>
#include <string.h>

#define MAX_SIZE (FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE)

static uint8_t big[MAX_SIZE + 4096], back[MAX_SIZE + 4096];

/* ---- a full disk (pitfall 24) ---- */

static void the_disk_is_full(void **state) {
    fsenv_fresh(400, 30, 50);
    uint32_t blocks = fsimage_free_blocks(fsenv_disk());
    int64_t total = 0, n;
    int fd = t_open("/a", NEW);
    n = t_write(fd, big, 200 * 1024);
    assert_int_equal(n, 200 * 1024);
    int fd2 = t_open("/b", NEW);
    n = t_write(fd2, big, MAX_SIZE); /* written in part, then not at all */
    assert_between(n, 100 * 1024, 160 * 1024);
    assert_int_equal(n % 1024, 0);
    total = n;
    assert_int_equal(t_write(fd2, big, 1), -K_ENOSPC);
    assert_int_equal(t_ftruncate(fd2, (uint64_t)total + 5000), -K_ENOSPC);
    struct abi_stat st;
    assert_int_equal(t_fstat(fd2, &st), 0);
    assert_int_equal(st.size, total);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), 0);
    fsenv_check();
    /* A name needs no block while the directory has room; a directory does. */
    assert_int_equal(t_mkdir("/d"), -K_ENOSPC);
    fsenv_check();
    assert_true(t_open("/empty", NEW) >= 0);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_close(fd2), 0);
    assert_int_equal(t_unlink("/a"), 0);
    assert_int_equal(t_unlink("/b"), 0);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), blocks);
}

/* The directory cannot grow: creating fails and takes nothing. */
static void no_block_for_a_directory(void **state) {
    fsenv_fresh(120, 30, 100);
    char name[16];
    for (int i = 2; i < 64; i++) { /* fills the root's block, with "." and ".." */
        snprintf(name, sizeof name, "/z%d", i);
        assert_int_equal(t_close(t_open(name, NEW)), 0);
    }
    int fd = t_open("/z2", ABI_O_RDWR);
    assert_true(t_write(fd, big, MAX_SIZE) > 0);
    uint32_t inodes = fsimage_free_inodes(fsenv_disk());
    assert_int_equal(t_open("/new", NEW), -K_ENOSPC);
    assert_int_equal(t_mkdir("/new"), -K_ENOSPC);
    assert_int_equal(t_link("/z3", "/new"), -K_ENOSPC);
    assert_int_equal(t_mknod("/new", 1, 1), -K_ENOSPC);
    assert_int_equal(fsimage_free_inodes(fsenv_disk()), inodes);
    fsenv_check();
    assert_int_equal(t_rename("/z3", "/new"), -K_ENOSPC);
    assert_true(fsimage_find(fsenv_disk(), "/z3"));
}

static void inodes_run_out(void **state) {
    char name[16];
    int n = 0, err = 0;
    while (err == 0) {
        snprintf(name, sizeof name, "/z%d", n++);
        err = t_open(name, NEW);
        if (err >= 0)
            err = t_close(err);
    }
    assert_int_equal(err, -K_ENOSPC);
    assert_int_equal(n, 200 - 2 + 1); /* but 0 and the root */
    assert_int_equal(t_mkdir("/d"), -K_ENOSPC);
    fsenv_check();
    assert_int_equal(t_unlink("/z7"), 0);
    assert_int_equal(t_mkdir("/d"), 0);
}

static void a_directory_as_large_as_can_be(void **state) {
    fsenv_fresh(4000, 200, 70);
    t_make_file("/f", 10, 1);
    assert_int_equal(t_mkdir("/d"), 0);
    uint32_t inum = fsimage_find(fsenv_disk(), "/d"), file = fsimage_find(fsenv_disk(), "/f");
    /* 17150 names by hand: calls would take long, and links are only 15 bits. */
    struct inode *ip;
    struct log_op op;
    assert_int_equal(inode_get(inum, &ip), 0);
    assert_int_equal(data_set_size(ip, MAX_SIZE), 0);
    for (uint32_t i = 0; i < FS_MAX_FILE_BLOCKS; i++) {
        struct buf *b;
        assert_int_equal(log_begin(&op, 10), 0);
        assert_int_equal(inode_lock(ip), 0);
        assert_int_equal(inode_edit(ip), 0);
        assert_int_equal(data_block_for_write(&op, ip, i, &b), 0);
        struct fs_dirent *e = (struct fs_dirent *)(void *)b->data;
        for (unsigned k = i == 0 ? 2 : 0; k < 64; k++) {
            e[k].inum = (uint16_t)file;
            snprintf(e[k].name, sizeof e[k].name, "n%u", i * 64 + k);
        }
        log_write(&op, b);
        cache_put(b);
        inode_unlock(ip);
        assert_int_equal(log_end(&op), 0);
    }
    assert_int_equal(log_begin(&op, 10), 0);
    assert_int_equal(inode_get(file, &ip), 0);
    assert_int_equal(inode_lock(ip), 0);
    assert_int_equal(inode_edit(ip), 0);
    ip->d.nlink = 268 * 64 - 2 + 1;
    inode_save(&op, ip);
    inode_unlock(ip);
    inode_put(ip);
    assert_int_equal(log_end(&op), 0);
    fsenv_check();
    assert_int_equal(t_open("/d/new", NEW), -K_ENOSPC);
    assert_int_equal(t_mkdir("/d/new"), -K_ENOSPC);
    assert_int_equal(t_unlink("/d/n17000"), 0);
    assert_int_equal(t_mkdir("/d/new"), 0);
    assert_int_equal(t_unlink("/d/new"), 0);
}

/* A file that cannot become so long, which shows after some operations, whatever the log has room
 * for, is as before. It was longer once: what was written there and cut off does not count. */
static void no_block_to_grow(void **state) {
    for (unsigned log = 20; log <= 250; log += 46) {
        fsenv_fresh(250 + log, log, 50);
        t_make_file("/f", 150000, 1);
        int fd = t_open("/f", ABI_O_RDWR);
        struct abi_stat st;
        assert_int_equal(t_ftruncate(fd, 1500), 0);
        uint32_t before = fsimage_free_blocks(fsenv_disk());
        assert_int_equal(t_ftruncate(fd, MAX_SIZE), -K_ENOSPC);
        assert_int_equal(t_fstat(fd, &st), 0);
        assert_int_equal(st.size, 1500);
        assert_int_equal(fsimage_free_blocks(fsenv_disk()), before);
        assert_int_equal(t_close(fd), 0);
        fsenv_check();
    }
}

/* ---- where what is written lies ---- */

/* The rest of a file's last block, in a frame that was somebody's before. */
static void zeros_behind_the_end(void **state) {
    int fd = t_open("/a", NEW);
    assert_int_equal(t_write(fd, "x", 1), 1);
    assert_int_equal(t_sync(), 0);
    const struct fs_dinode *d = fsimage_inode(fsenv_disk(), fsimage_find(fsenv_disk(), "/a"));
    const uint8_t *b = fsimage_block(fsenv_disk(), d, 0);
    for (int i = 1; i < 1024; i++)
        assert_int_equal(b[i], 0);
    assert_int_equal(t_close(fd), 0);
}

/* The size stays, and yet the inode is another. The blocks of the first write of a transaction are
 * searched for, those of the next one stand right behind them. */
static void writing_into_holes(void **state) {
    memset(big, 'h', 8192);
    for (int writes = 1; writes <= 2; writes++) {
        fsenv_fresh(400, 30, 50);
        t_make_file("/f", 12288, 5);
        struct fs_dinode *d = fsimage_inode(fsenv_disk(), fsimage_find(fsenv_disk(), "/f"));
        memset(d->addrs, 0, FS_NDIRECT * sizeof(d->addrs[0]));
        fsenv_mount_ok();
        int fd = t_open("/f", ABI_O_RDWR);
        for (int i = 0; i < writes; i++)
            assert_int_equal(t_write(fd, big, 4096), 4096);
        fsenv_remount();
        fd = t_open("/f", ABI_O_RDONLY);
        assert_int_equal(t_read(fd, back, writes * 4096), writes * 4096);
        assert_memory_equal(back, big, writes * 4096);
    }
    fsenv_fresh(400, 30, 50); /* the image has lost blocks */
}

/* Wherever the end has gone meanwhile, and whatever the offset is. */
static void an_append_goes_to_the_end(void **state) {
    struct abi_stat st;
    int fd = t_open("/a", NEW | ABI_O_APPEND), other = t_open("/a", ABI_O_RDWR);
    assert_int_equal(t_write(fd, big, 3000), 3000);
    assert_int_equal(t_ftruncate(other, 10), 0);
    assert_int_equal(t_write(fd, big, 5), 5);
    assert_int_equal(t_fstat(fd, &st), 0);
    assert_int_equal(st.size, 15);
    assert_int_equal(t_lseek(fd, 100000, 0), 100000);
    assert_int_equal(t_write(fd, big, 5), 5);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_write(fd, big, 5), 5);
    assert_int_equal(t_fstat(fd, &st), 0);
    assert_int_equal(st.size, 25);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_close(other), 0);
}

/* What is opened for reading and emptied was open for writing for that long alone. */
static void emptied_by_a_reader(void **state) {
    t_make_file("/f", 3000, 1);
    int fd = t_open("/f", ABI_O_RDONLY | ABI_O_TRUNC);
    assert_true(t_file_is("/f", 0, 1));
    assert_int_equal(t_close(fd), 0);
}

/* ---- bad pointers ---- */

static void bad_pointers_leak_nothing(void **state) {
    uint32_t before = fsimage_free_blocks(fsenv_disk());
    int fd = t_open("/f", NEW);
    for (int i = 0; i < 300; i++)
        assert_int_equal(t_write(fd, fsenv_bad, 1), -K_EFAULT);
    assert_int_equal(t_write(fd, (void *)1, 5000), -K_EFAULT);
    assert_int_equal(t_write(fd, (void *)UINT64_MAX, 5000), -K_EFAULT);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), before);
    fsenv_check();
    assert_int_equal(t_write(fd, big, 2500), 2500);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_read(fd, fsenv_bad, 10), -K_EFAULT);
    assert_int_equal(t_read(fd, fsenv_bad - 2000, 2500), -K_EFAULT); /* whole pages count */
    assert_int_equal(t_read(fd, back, 3000), 2500);
}

/* Nor does a file get an indirect block that it has nothing for: when the copy fails, at
 * the first block behind the direct ones or before it, and when the disk has no more. */
static void no_empty_indirect_block(void **state) {
    fsenv_fresh(400, 30, 50);
    t_make_file("/f", FS_NDIRECT * 1024, 1);
    t_make_file("/one", 1024, 2);
    int fd = t_open("/f", ABI_O_RDWR);
    uint32_t before = fsimage_free_blocks(fsenv_disk());
    assert_int_equal(t_lseek(fd, 0, 2), FS_NDIRECT * 1024);
    assert_int_equal(t_write(fd, fsenv_bad, 1), -K_EFAULT);
    assert_int_equal(t_lseek(fd, 3000, 0), 3000);
    assert_int_equal(t_write(fd, fsenv_bad - 2000, 20000), 72 + 1024); /* to a block's end */
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), before);
    static const char *const others[] = {"/a", "/b"};
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        assert_true(t_write(t_open(others[i], NEW), big, MAX_SIZE) > 0);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), 0);
    assert_int_equal(t_unlink("/one"), 0);
    assert_int_equal(t_lseek(fd, 0, 2), FS_NDIRECT * 1024);
    assert_int_equal(t_write(fd, big, 1), -K_ENOSPC);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), 1);
    fsenv_check();
}

/* Pitfall 21: a copy that stops in the middle of a block leaves memory and disk
 * the same. */
static void half_a_copy(void **state) {
    t_make_file("/f", 4096, 1);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/f", ABI_O_RDWR);
    memset(big, 'q', sizeof big);
    assert_int_equal(t_write(fd, fsenv_bad - 100, 1024), -K_EFAULT);
    assert_int_equal(t_read(fd, back, 4096), 4096);
    const struct fs_dinode *d = fsimage_inode(fsenv_disk(), fsimage_find(fsenv_disk(), "/f"));
    for (uint32_t i = 0; i < 4; i++)
        assert_memory_equal(fsimage_block(fsenv_disk(), d, i), back + i * 1024, 1024);
    /* At the end: nothing is added. */
    assert_int_equal(t_write(fd, fsenv_bad - 100, 1024), -K_EFAULT);
    fsenv_check();
    /* Across blocks: whole blocks count. */
    assert_int_equal(t_lseek(fd, 0, 2), 4096);
    assert_int_equal(t_write(fd, fsenv_bad - 1500, 3000), 1024);
    struct abi_stat st;
    assert_int_equal(t_fstat(fd, &st), 0);
    assert_int_equal(st.size, 5120);
}

/* The page that stopped the copy is there when it is looked for by blocks: its page of the file
 * counts, and of those behind it, which were not copied, nothing is left. */
static void a_copy_that_works_the_second_time(void **state) {
    for (int64_t size = 500; size <= 3500; size += 1500) {
        int64_t first = 4096 - size, wrote = first + 4096; /* one page more was copied */
        t_make_file("/f", (size_t)size, 1);
        int fd = t_open("/f", ABI_O_RDWR);
        for (int i = -4096; i < 8192; i++)
            fsenv_bad[i] = (uint8_t)host_random();
        uint8_t *from = fsenv_bad - first - 100;
        assert_int_equal(t_lseek(fd, 0, 2), size);
        fsenv_bad_left = 1;
        assert_int_equal(t_write(fd, from, (int)wrote + 4096), wrote);
        fsenv_bad_left = 0;
        assert_int_equal(t_write(fd, from + wrote, 3000), 3000);
        assert_int_equal(t_lseek(fd, size, 0), size);
        assert_int_equal(t_read(fd, back, sizeof back), wrote + 3000);
        assert_memory_equal(back, from, wrote + 3000);
        fsenv_bad_left = UINT64_MAX;
        assert_int_equal(t_close(fd), 0);
    }
}

/* Writing, anywhere and over the end, with a bad page or a full disk somewhere in it: what is
 * counted is there, of the block behind it a part may have changed, and nothing else has. */
static void half_a_write(void **state) {
    fsenv_fresh(320, 30, 50);
    static uint8_t good[80 * 1024];
    int filled = 0;
    for (int round = 0; round < 150; round++) {
        int64_t size = (int64_t)host_random_below(30000), at = (int64_t)host_random_below(size + 1);
        int64_t n = 1 + (int64_t)host_random_below(40000), ok = (int64_t)host_random_below(4096);
        bool full = round % 3 == 0;
        t_make_file("/f", size, 1);
        t_make_file("/rest", full ? 250 * 1024 : 0, 2);
        int fd = t_open("/f", ABI_O_RDWR);
        assert_int_equal(t_read(fd, good, sizeof good), size);
        memset(fsenv_bad - 4096, 'w', 4096);
        memset(big, 'w', sizeof big);
        assert_int_equal(t_lseek(fd, at, 0), at);
        int64_t wrote = full ? t_write(fd, big, n) : t_write(fd, fsenv_bad - ok, n);
        if (wrote < 0) {
            assert_int_equal(wrote, full ? -K_ENOSPC : -K_EFAULT);
            wrote = 0;
        }
        assert_true(wrote <= n && (full || wrote <= ok));
        memset(good + at, 'w', (size_t)wrote);
        filled += full && wrote < n;
        int64_t from = at + wrote, end = MAX(size, from), to = MIN(end, from - from % 1024 + 1024);
        assert_int_equal(t_lseek(fd, 0, 0), 0);
        assert_int_equal(t_read(fd, back, sizeof back), end);
        assert_memory_equal(back, good, from);
        if (to < end)
            assert_memory_equal(back + to, good + to, end - to);
        assert_int_equal(t_close(fd), 0);
        fsenv_check();
    }
    assert_between(filled, 5, 45); /* some writes met the end */
}

/* Reading: the pages of the file that were copied in full count, wherever the bad page begins,
 * whether the blocks come from the disk or from memory. */
static void half_a_read(void **state) {
    t_make_file("/f", 40000, 3);
    int fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, big, 40000), 40000);
    for (int i = 0; i < 400; i++) {
        if (i % 40 == 0) { /* nothing of it is in memory */
            fsenv_remount();
            fd = t_open("/f", ABI_O_RDONLY);
        }
        int64_t at = (int64_t)host_random_below(30000), good = (int64_t)host_random_below(4096);
        int64_t first = 4096 - at % 4096, whole = good < first ? 0 : good - (good - first) % 4096;
        memset(fsenv_bad - 4096, 0, 4096);
        assert_int_equal(t_lseek(fd, at, 0), at);
        assert_int_equal(t_read(fd, fsenv_bad - good, 30000), whole > 0 ? whole : -K_EFAULT);
        assert_memory_equal(fsenv_bad - good, big + at, whole);
        assert_int_equal(t_lseek(fd, 0, 1), at + whole);
    }
}

/* Holes, in the direct blocks and in the indirect one, and the blocks around them. */
static void reading_over_holes(void **state) {
    t_make_file("/f", 60000, 5);
    int fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, big, 60000), 60000);
    struct fs_dinode *d = fsimage_inode(fsenv_disk(), fsimage_find(fsenv_disk(), "/f")), all = *d;
    static const uint32_t direct[] = {0, 3, 4, 11};
    for (unsigned i = 0; i < ARRAY_LEN(direct); i++) {
        d->addrs[direct[i]] = 0;
        memset(big + direct[i] * 1024, 0, 1024);
    }
    fsenv_mount_ok();
    fd = t_open("/f", ABI_O_RDONLY);
    for (int i = 0; i < 300; i++) {
        int64_t at = (int64_t)host_random_below(60000);
        int n = (int)host_random_below(40000), expect = (int)MIN(n, 60000 - at);
        assert_int_equal(t_lseek(fd, at, 0), at);
        assert_int_equal(t_read(fd, back, n), expect);
        assert_memory_equal(back, big + at, (size_t)expect);
    }
    d->addrs[FS_NDIRECT] = 0;
    fsenv_mount_ok();
    fd = t_open("/f", ABI_O_RDONLY);
    memset(big + FS_NDIRECT * 1024, 0, 60000 - FS_NDIRECT * 1024);
    assert_int_equal(t_lseek(fd, 1000, 0), 1000);
    assert_int_equal(t_read(fd, back, 60000), 59000);
    assert_memory_equal(back, big + 1000, 59000);
    *d = all;
    fsenv_mount_ok();
}

/* A block that cannot be read, behind others of the same copy: those count. */
static void a_read_error_in_the_middle(void **state) {
    t_make_file("/f", 60000, 7);
    fsenv_remount();
    int fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, back, 5000), 5000);
    uint32_t in_memory = 32 * 1024; /* what the first read has fetched ahead */
    memdisk_fail(MEMDISK_OP(BLK_READ), 1, true);
    assert_int_equal(t_read(fd, back + 5000, 55000), in_memory - 5000);
    assert_int_equal(t_read(fd, back + in_memory, 1000), -K_EIO);
    memdisk_fail(0, 0, false);
    assert_int_equal(t_read(fd, back + in_memory, 60000), 60000 - in_memory);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_read(fd, big, 60000), 60000);
    assert_memory_equal(back, big, 60000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fsenv_setup, fsenv_teardown)
        T(the_disk_is_full),
        T(no_block_for_a_directory),
        T(inodes_run_out),
        T(a_directory_as_large_as_can_be),
        T(no_block_to_grow),
        T(zeros_behind_the_end),
        T(writing_into_holes),
        T(an_append_goes_to_the_end),
        T(emptied_by_a_reader),
        T(bad_pointers_leak_nothing),
        T(no_empty_indirect_block),
        T(half_a_copy),
        T(a_copy_that_works_the_second_time),
        T(half_a_write),
        T(half_a_read),
        T(reading_over_holes),
        T(a_read_error_in_the_middle),
    };
    host_random_seed(20240607);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
