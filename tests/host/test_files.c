/* Files: contents, sizes, offsets, limits. */
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
#include "vfs/path.h"
#include "fsenv.h"
#include <stdio.h>
#include <string.h>

#define MAX_SIZE (FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE)

static uint8_t big[MAX_SIZE + 4096], back[MAX_SIZE + 4096];

/* ---- contents ---- */

static void write_and_read_back(void **state) {
    static const size_t sizes[] = {0, 1, 1023, 1024, 1025, 12288, 12289, 100000, MAX_SIZE};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        t_make_file("/f", sizes[i], i);
        assert_true(t_file_is("/f", sizes[i], i));
        fsenv_check();
        fsenv_remount(); /* it is on the disk, and found after a boot */
        assert_true(t_file_is("/f", sizes[i], i));
        assert_int_equal(t_unlink("/f"), 0);
        fsenv_check();
    }
}

/* Random writes, sizes and offsets, against an array. */
static void random_writes_match_an_array(void **state) {
    static uint8_t model[MAX_SIZE], bytes[8192];
    size_t size = 0;
    int fd = t_open("/f", NEW);
    memset(model, 0, sizeof model);
    for (int step = 0; step < 600; step++) {
        size_t n = host_random_below(sizeof bytes) + 1;
        size_t at = host_random_below(size + 1);
        switch (host_random_below(8)) {
        case 0:
            at = host_random_below(MIN(size + 5000, sizeof model) + 1);
            assert_int_equal(t_ftruncate(fd, at), 0);
            if (at > size)
                memset(model + size, 0, at - size);
            size = at;
            break;
        case 1:
        case 2:
        case 3:
            for (size_t i = 0; i < n; i++)
                bytes[i] = (uint8_t)host_random();
            assert_int_equal(t_lseek(fd, (int64_t)at, 0), at);
            int64_t expect = (int64_t)MIN(n, sizeof model - at);
            int64_t wrote = t_write(fd, bytes, (int)n);
            assert_int_equal(wrote, expect == 0 ? -K_EFBIG : expect);
            memcpy(model + at, bytes, (size_t)expect);
            size = MAX(size, at + (size_t)expect);
            break;
        default:
            assert_int_equal(t_lseek(fd, (int64_t)at, 0), at);
            assert_int_equal(t_read(fd, bytes, (int)n), MIN(n, size - at));
            assert_memory_equal(bytes, model + at, MIN(n, size - at));
        }
        if (step % 50 == 0)
            fsenv_check();
    }
    struct abi_stat st;
    assert_int_equal(t_fstat(fd, &st), 0);
    assert_int_equal(st.size, size);
}

static void append_goes_to_the_end(void **state) {
    int a = t_open("/f", NEW), b = t_open("/f", ABI_O_WRONLY | ABI_O_APPEND);
    assert_int_equal(t_write(a, "one", 3), 3);
    assert_int_equal(t_write(b, "two", 3), 3);
    assert_int_equal(t_write(b, "three", 5), 5);
    assert_int_equal(t_lseek(a, 0, 0), 0);
    assert_int_equal(t_read(a, back, 100), 11);
    assert_memory_equal(back, "onetwothree", 11);
}

static void append_the_other(void) {
    int fd = t_open("/f", ABI_O_WRONLY | ABI_O_APPEND);
    assert_int_equal(t_write(fd, "two", 3), 3);
    assert_int_equal(t_close(fd), 0);
}

/* A part of what is appended has to be asked for, and meanwhile somebody else appends. */
static void an_append_stays_whole(void **state) {
    int a = t_open("/f", NEW | ABI_O_APPEND);
    memset(fsenv_bad - PAGE_SIZE, '1', PAGE_SIZE + 5);
    fsenv_asked = append_the_other;
    assert_int_equal(t_write(a, fsenv_bad - PAGE_SIZE, PAGE_SIZE + 5), PAGE_SIZE + 5);
    assert_null(fsenv_asked);
    int fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, back, 3 * PAGE_SIZE), PAGE_SIZE + 8);
    assert_memory_equal(back, "two1", 4);
    for (unsigned i = 0; i < PAGE_SIZE + 5; i++)
        assert_int_equal(back[3 + i], '1');
}

/* A page that is taken away each time before the copy comes there: it is not asked for for ever,
 * but anew when the copy got further. */
static void a_page_that_never_stays(void **state) {
    int fd = t_open("/f", NEW);
    fsenv_never_there = true;
    fsenv_asks = 0;
    assert_int_equal(t_write(fd, fsenv_bad, 10), -K_EFAULT);
    assert_int_equal(fsenv_asks, 64);
    assert_int_equal(t_write(fd, fsenv_bad - PAGE_SIZE, PAGE_SIZE + 5), PAGE_SIZE);
    assert_int_equal(fsenv_asks, 2 * 64);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_read(fd, fsenv_bad, 10), -K_EFAULT);
    assert_int_equal(fsenv_asks, 3 * 64);
}

static void dup_shares_the_offset(void **state) {
    int a = t_open("/f", NEW), b = t_dup(a);
    assert_int_equal(b, a + 1);
    assert_int_equal(t_write(a, "ab", 2), 2);
    assert_int_equal(t_write(b, "cd", 2), 2);
    assert_int_equal(t_close(a), 0);
    assert_int_equal(t_lseek(b, -2, 1), 2);
    assert_int_equal(t_read(b, back, 9), 2);
    assert_memory_equal(back, "cd", 2);
    assert_int_equal(t_dup(a), -K_EBADF);
}

static void stat_says_what_is_there(void **state) {
    struct abi_stat st;
    memset(&st, 0xff, sizeof st);
    t_make_file("/f", 1234, 1);
    assert_int_equal(t_link("/f", "/g"), 0);
    int fd = t_open("/g", ABI_O_RDONLY);
    assert_int_equal(t_fstat(fd, &st), 0);
    struct abi_stat expect;
    memset(&expect, 0, sizeof expect); /* the padding too: it is kernel memory otherwise */
    expect.dev = 1;
    expect.ino = fsimage_find(fsenv_disk(), "/f");
    expect.type = ABI_T_FILE;
    expect.nlink = 2;
    expect.size = 1234;
    assert_memory_equal(&st, &expect, sizeof st);
    assert_int_equal(t_fstat(fd, (void *)fsenv_bad), -K_EFAULT);
    assert_int_equal(t_fstat(9, &st), -K_EBADF);
}

/* ---- offsets and limits (pitfall 24) ---- */

static void offsets_beyond_the_end(void **state) {
    t_make_file("/f", 100, 1);
    int fd = t_open("/f", ABI_O_RDWR);
    static const int64_t far[] = {101,       MAX_SIZE,         MAX_SIZE + 1, 1LL << 31,
                                  1LL << 32, (1LL << 32) + 50, INT64_MAX};
    for (unsigned i = 0; i < ARRAY_LEN(far); i++) {
        assert_int_equal(t_lseek(fd, far[i], 0), far[i]);
        assert_int_equal(t_read(fd, back, 10), 0);
        assert_int_equal(t_write(fd, "x", 1), -K_EINVAL);
    }
    assert_int_equal(t_lseek(fd, 1, 1), -K_EINVAL); /* INT64_MAX + 1 */
    assert_int_equal(t_lseek(fd, -101, 2), -K_EINVAL);
    assert_int_equal(t_lseek(fd, 0, 3), -K_EINVAL);
    assert_int_equal(t_lseek(fd, 0, -1), -K_EINVAL);
    assert_int_equal(t_lseek(fd, -100, 2), 0);
    assert_true(t_file_is("/f", 100, 1));
}

static void the_largest_file(void **state) {
    int fd = t_open("/f", NEW);
    memset(big, 'x', sizeof big);
    assert_int_equal(t_write(fd, big, MAX_SIZE + 2000), MAX_SIZE);
    assert_int_equal(t_write(fd, big, 1), -K_EFBIG);
    assert_int_equal(t_ftruncate(fd, MAX_SIZE + 1), -K_EFBIG);
    assert_int_equal(t_ftruncate(fd, UINT64_MAX), -K_EFBIG);
    assert_int_equal(t_ftruncate(fd, 1ULL << 32), -K_EFBIG);
    assert_int_equal(t_lseek(fd, -10, 2), MAX_SIZE - 10);
    assert_int_equal(t_write(fd, "0123456789abc", 13), 10);
}

static void negative_and_zero_counts(void **state) {
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, "abc", 3), 3);
    assert_int_equal(t_write(fd, "abc", -1), -K_EINVAL);
    assert_int_equal(t_read(fd, back, INT32_MIN), -K_EINVAL);
    assert_int_equal(t_write(fd, NULL, 0), 0);
    assert_int_equal(t_read(fd, NULL, 0), 0);
}

static void ftruncate_fills_with_zeros(void **state) {
    static uint8_t zeros[40000];
    t_make_file("/f", 3000, 3);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_ftruncate(fd, 1500), 0);
    assert_int_equal(t_ftruncate(fd, 40000), 0);
    assert_int_equal(t_lseek(fd, 1500, 0), 1500);
    assert_int_equal(t_read(fd, back, 50000), 38500);
    assert_memory_equal(back, zeros, 38500);
    int ro = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_ftruncate(ro, 0), -K_EBADF);
    int dir = t_open("/", ABI_O_RDONLY);
    assert_int_equal(t_ftruncate(dir, 0), -K_EBADF);
}

/* A file that another truncates: xv6's truncate1 to truncate3. */
static void truncated_by_another(void **state) {
    int a = t_open("/f", NEW);
    assert_int_equal(t_write(a, "abcd", 4), 4);
    int b = t_open("/f", ABI_O_TRUNC | ABI_O_WRONLY), c = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_write(a, "x", 1), -K_EINVAL);
    assert_int_equal(t_read(a, back, 4), 0);
    assert_int_equal(t_write(b, "abcdef", 6), 6);
    assert_int_equal(t_read(c, back, 32), 6);
    assert_int_equal(t_read(a, back, 32), 2);
    assert_memory_equal(back, "ef", 2);
}

/* ---- opening ---- */

static void open_modes(void **state) {
    assert_int_equal(t_open("/none", ABI_O_RDONLY), -K_ENOENT);
    int fd = t_open("/f", ABI_O_CREATE | ABI_O_WRONLY);
    assert_int_equal(fd, 0);
    assert_int_equal(t_read(fd, back, 1), -K_EBADF);
    assert_int_equal(t_write(fd, "abc", 3), 3);
    int ro = t_open("/f", ABI_O_CREATE);
    assert_int_equal(t_read(ro, back, 10), 3);
    assert_int_equal(t_write(ro, "abc", 3), -K_EBADF);
    int rw = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_read(rw, back, 1), 1);
    assert_int_equal(t_write(rw, "abc", 3), 3);
    assert_int_equal(t_open("/", ABI_O_RDWR), -K_EISDIR);
    assert_int_equal(t_open("/", ABI_O_WRONLY), -K_EISDIR);
    assert_int_equal(t_open("/", ABI_O_TRUNC), -K_EISDIR);
    assert_int_equal(t_open("/", ABI_O_CREATE), -K_EISDIR);
    assert_int_equal(t_open("/.", ABI_O_CREATE), -K_EEXIST);
    int dir = t_open("/", ABI_O_RDONLY);
    struct fs_dirent e[4];
    assert_int_equal(t_read(dir, e, sizeof e[0] * 2), 32);
    assert_string_equal(e[1].name, "..");
    assert_int_equal(t_write(dir, "x", 1), -K_EBADF);
    assert_int_equal(t_open((char *)fsenv_bad, 0), -K_EFAULT);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_close(fd), -K_EBADF);
    assert_int_equal(t_close(-1), -K_EBADF);
    assert_int_equal(t_close(ABI_NOFILE), -K_EBADF);
}

static void devices(void **state) {
    assert_int_equal(t_mknod("/console", 1, 0), 0);
    assert_int_equal(t_mknod("/console", 1, 0), -K_EEXIST);
    int fd = t_open("/console", ABI_O_RDWR | ABI_O_CREATE | ABI_O_TRUNC);
    assert_int_equal(t_write(fd, "abc", 3), 3);
    assert_int_equal(t_read(fd, back, 2), 2);
    assert_memory_equal(back, "cc", 2);
    assert_int_equal(t_lseek(fd, 0, 0), -K_ESPIPE);
    assert_int_equal(t_ftruncate(fd, 0), -K_EINVAL);
    struct abi_stat st;
    assert_int_equal(t_fstat(fd, &st), 0);
    assert_int_equal(st.type, ABI_T_DEVICE);
    assert_int_equal(t_mknod("/nodriver", 2, 0), 0);
    int none = t_open("/nodriver", ABI_O_RDWR);
    assert_true(none >= 0);
    assert_int_equal(t_read(none, back, 2), -K_ENODEV);
    assert_int_equal(t_mknod("/big", 30000, 0), 0);
    assert_int_equal(t_open("/big", ABI_O_RDWR), -K_ENODEV);
    assert_int_equal(t_mknod("/negative", -1, 0), 0);
    assert_int_equal(t_open("/negative", ABI_O_RDONLY), -K_ENODEV);
}

static void descriptors_run_out(void **state) {
    t_make_file("/f", 5000, 1);
    for (int i = 0; i < ABI_NOFILE; i++)
        assert_int_equal(t_open("/f", ABI_O_RDONLY), i);
    assert_int_equal(t_open("/f", ABI_O_RDWR | ABI_O_TRUNC), -K_EMFILE);
    assert_int_equal(t_open("/new", NEW), -K_EMFILE);
    assert_int_equal(t_dup(3), -K_EMFILE);
    int fd[2];
    assert_int_equal(t_pipe(fd), -K_EMFILE);
    assert_int_equal(t_close(7), 0);
    assert_int_equal(t_pipe(fd), -K_EMFILE); /* one is not enough */
    assert_int_equal(t_open("/new", ABI_O_RDONLY), -K_ENOENT);
    assert_int_equal(t_open("/f", ABI_O_RDONLY), 7);
    assert_int_equal(t_close(0), 0);
    assert_true(t_file_is("/f", 5000, 1));
}

/* ---- files without a name ---- */

static void unlinked_while_open(void **state) {
    uint32_t before = fsimage_free_blocks(fsenv_disk());
    t_make_file("/f", 50000, 9);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_unlink("/f"), 0);
    assert_int_equal(t_open("/f", ABI_O_RDONLY), -K_ENOENT);
    assert_int_equal(t_read(fd, back, 60000), 50000);
    assert_int_equal(t_write(fd, big, 1000), 1000);
    assert_true(fsimage_free_blocks(fsenv_disk()) < before);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), before);
    fsenv_check();
}

/* Pitfall 22: the machine stops while such a file is open. */
static void orphans_are_reaped_at_mount(void **state) {
    uint32_t blocks = fsimage_free_blocks(fsenv_disk());
    uint32_t inodes = fsimage_free_inodes(fsenv_disk());
    for (unsigned i = 0; i < 10; i++) {
        t_make_file("/f", i * 20000, i);
        assert_true(t_open("/f", ABI_O_RDWR) >= 0);
        assert_int_equal(t_unlink("/f"), 0);
    }
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_chdir("/d"), 0);
    assert_int_equal(t_unlink("/d"), 0);
    assert_non_null(fsimage_complaint(fsenv_disk(), memdisk_bytes()));
    fsenv_remount();
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), blocks);
    assert_int_equal(fsimage_free_inodes(fsenv_disk()), inodes);
}

/* ---- large disks with small logs: truncation takes several transactions ---- */

static void shrinking_over_many_bitmap_blocks(void **state) {
    fsenv_fresh(200000, 10, 50); /* 25 bitmap blocks, room for 9 in a transaction */
    uint8_t *image = fsenv_disk();
    /* By hand: the bitmap is full but for two blocks in each part. */
    struct fs_superblock *sb = (struct fs_superblock *)(image + 1024);
    uint8_t *bitmap = image + (uint64_t)sb->bmapstart * 1024;
    memset(bitmap, 0xff, 25 * 1024);
    for (uint32_t part = 0; part < 24; part++)
        for (uint32_t k = 0; k < 2; k++)
            bitmap[part * 1024 + 700 + k] = 0xfe;
    fsenv_remount();
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, big, 47 * 1024), 47 * 1024);
    assert_int_equal(t_write(fd, big, 1024), -K_ENOSPC);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(fsimage_free_blocks(image), 0);
    assert_int_equal(t_unlink("/f"), 0);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), 48);
    memset(fsenv_disk() + (uint64_t)sb->bmapstart * 1024, 0, 25 * 1024);
    for (uint32_t block = 0; block <= 2 + 10 + 4 + 25; block++)
        (fsenv_disk() + (uint64_t)sb->bmapstart * 1024)[block / 8] |= 1 << block % 8;
    fsenv_remount(); /* so that teardown's check sees a whole bitmap */
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fsenv_setup, fsenv_teardown)
        T(write_and_read_back),
        T(random_writes_match_an_array),
        T(append_goes_to_the_end),
        T(an_append_stays_whole),
        T(a_page_that_never_stays),
        T(dup_shares_the_offset),
        T(stat_says_what_is_there),
        T(offsets_beyond_the_end),
        T(the_largest_file),
        T(negative_and_zero_counts),
        T(ftruncate_fills_with_zeros),
        T(truncated_by_another),
        T(open_modes),
        T(devices),
        T(descriptors_run_out),
        T(unlinked_while_open),
        T(orphans_are_reaped_at_mount),
        T(shrinking_over_many_bitmap_blocks),
    };
    host_random_seed(20240607);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
