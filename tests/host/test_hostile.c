/* Disk images that lie (pitfall 25): mounting and using them gives errors, never a
 * panic, a stray access (the sanitizers watch) or a wait without end. */
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
#include "fs/balloc.h"
#include "fs/fs.h"
#include "fs/log.h"
#include "fsenv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fsimage im; /* a good one, to be damaged in a copy */
static uint8_t *copy;
static uint8_t bytes[300 * 1024];

/* A tree with one of everything. */
static int setup_all(void **state) {
    fsenv_ram = MIB(32);
    fsenv_fresh(600, 30, 100);
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_mkdir("/d/e"), 0);
    t_make_file("/d/small", 3000, 1);
    t_make_file("/large", 100 * 1024, 2);
    assert_int_equal(t_link("/large", "/d/e/link"), 0);
    assert_int_equal(t_mknod("/console", 1, 0), 0);
    im.bytes = memdisk_bytes();
    im.data = malloc(im.bytes);
    copy = malloc(im.bytes);
    memcpy(im.data, fsenv_disk(), im.bytes);
    return 0;
}

static int teardown_all(void **state) {
    free(im.data);
    free(copy);
    return 0;
}

static int setup(void **state) {
    memcpy(copy, im.data, im.bytes);
    return 0;
}

static struct fs_superblock *super_of(uint8_t *data) {
    return (struct fs_superblock *)(data + FS_BLOCK_SIZE);
}

static struct fs_dinode *inode_of(const char *path) {
    return fsimage_inode(copy, fsimage_find(copy, path));
}

static int mount_copy(const char **why) {
    memdisk_load(copy, im.bytes);
    return fsenv_mount(why);
}

/* ---- the super block ---- */

static void damaged_super_blocks_are_refused(void **state) {
    static const struct {
        unsigned field;
        uint32_t value;
        const char *why;
    } bad[] = {
        {0, 0x10203041, "magic"},
        {1, 601, "longer than the disk"},
        {1, UINT32_MAX, "longer"},
        {2, 0, "data blocks"},
        {2, 601, "data blocks"},
        {2, UINT32_MAX, "data blocks"},
        {2, 599, "bitmap and data"},
        {3, 0, "root"},
        {3, 1, "root"},
        {3, 100000, "inodes and bitmap"},
        {3, UINT32_MAX, "inodes and"},
        {4, 0, "log"},
        {4, 1, "log"},
        {4, 400, "log and inodes"},
        {4, UINT32_MAX, "log and inodes"},
        {5, 1, "log"},
        {5, 0, "log"},
        {5, 40, "log and inodes"},
        {5, UINT32_MAX, "log and inodes"},
        {6, 10, "log and inodes"},
        {6, 500, "inodes and bitmap"},
        {6, UINT32_MAX, "inodes and bitmap"},
        {7, 20, "inodes and bitmap"},
        {7, 599, "bitmap and data"},
        {7, UINT32_MAX, "bitmap and"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        const char *why;
        setup(state);
        ((uint32_t *)(void *)super_of(copy))[bad[i].field] = bad[i].value;
        assert_int_equal(mount_copy(&why), -K_EINVAL);
        if (!strstr(why, bad[i].why))
            fail_msg("field %u = %u: %s", bad[i].field, bad[i].value, why);
    }
}

static void disks_that_are_too_short(void **state) {
    const char *why;
    for (uint64_t sectors = 1; sectors < 1200; sectors += 57) {
        memdisk_load(copy, sectors * SECTOR_SIZE);
        assert_int_equal(fsenv_mount(&why), -K_EINVAL);
    }
}

static void damaged_log_headers_are_refused(void **state) {
    static const struct {
        int32_t n, block;
    } bad[] = {{-1, 0}, {30, 500}, {INT32_MAX, 500}, {INT32_MIN, 500}, {1, 0},   {1, 1},
               {1, 2},  {1, 31},   {1, 600},         {1, -1},          {2, 500}, {1, INT32_MIN}};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        const char *why;
        setup(state);
        int32_t *header = (int32_t *)(copy + super_of(copy)->logstart * 1024);
        header[0] = bad[i].n;
        header[1] = header[2] = bad[i].block; /* named twice where n is 2 */
        assert_int_equal(mount_copy(&why), -K_EINVAL);
        assert_string_equal(why, "the log's header is damaged");
        assert_memory_equal(copy, fsenv_disk(), im.bytes); /* nothing was installed */
    }
    /* One block more than the log has: the last copy would be an inode block. */
    for (uint32_t n = super_of(copy)->nlog - 1; n <= super_of(copy)->nlog; n++) {
        const char *why;
        setup(state);
        int32_t *header = (int32_t *)(copy + super_of(copy)->logstart * 1024);
        header[0] = (int32_t)n;
        for (uint32_t i = 0; i < n; i++)
            header[1 + i] = (int32_t)(500 + i);
        int err = mount_copy(&why);
        assert_int_equal(err == -K_EINVAL, n == super_of(copy)->nlog);
        if (err == -K_EINVAL)
            assert_memory_equal(copy, fsenv_disk(), im.bytes);
    }
}

static void damaged_roots_are_refused(void **state) {
    const char *why;
    fsimage_inode(copy, FS_ROOT_INODE)->type = ABI_T_FILE;
    assert_int_equal(mount_copy(&why), -K_EINVAL);
    setup(state);
    fsimage_inode(copy, FS_ROOT_INODE)->type = 0;
    assert_int_equal(mount_copy(&why), -K_EIO);
    setup(state);
    fsimage_inode(copy, FS_ROOT_INODE)->addrs[0] = 600;
    assert_int_equal(mount_copy(&why), -K_EIO);
    setup(state);
    fsimage_inode(copy, FS_ROOT_INODE)->nlink = 0; /* reaped, as an orphan */
    assert_int_not_equal(mount_copy(&why), 0);
}

/* ---- inodes ---- */

static void damaged_inodes_are_errors(void **state) {
    static const struct {
        unsigned field; /* in 16-bit units */
        uint16_t value;
    } bad[] = {
        {0, 0},      {0, 4},      {0, 0xffff}, /* type */
        {3, 0xffff}, {3, 0x8000},              /* links */
        {5, 5},      {5, 0xffff},              /* size, upper half */
        {6, 1},      {6, 2},      {6, 39},
        {6, 600},                          /* first block: super, log, inodes, beyond */
        {7, 0x8000}, {30, 600},   {31, 1}, /* ... and the indirect block */
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        const char *why;
        setup(state);
        struct fs_dinode *d = inode_of("/large");
        ((uint16_t *)(void *)d)[bad[i].field] = bad[i].value;
        if (bad[i].field == 6)
            d->addrs[0] = bad[i].value;
        assert_int_equal(mount_copy(&why), 0);
        assert_int_equal(t_open("/large", ABI_O_RDONLY), -K_EIO);
        assert_int_equal(t_open("/large", NEW | ABI_O_TRUNC), -K_EIO);
        assert_int_equal(t_unlink("/large"), -K_EIO);
        assert_int_equal(t_rename("/d/small", "/large"), -K_EIO);
        assert_true(t_file_is("/d/small", 3000, 1));
    }
}

static void bad_addresses_in_the_indirect_block(void **state) {
    const char *why;
    struct fs_dinode *d = inode_of("/large");
    uint32_t *entry = (uint32_t *)(void *)(copy + d->addrs[FS_NDIRECT] * 1024);
    entry[20] = 3;
    entry[40] = UINT32_MAX;
    assert_int_equal(mount_copy(&why), 0);
    int fd = t_open("/large", ABI_O_RDWR);
    assert_int_equal(t_read(fd, bytes, 100 * 1024), 32 * 1024);
    assert_int_equal(t_read(fd, bytes, 1), -K_EIO);
    assert_int_equal(t_write(fd, bytes, 1), -K_EIO);
    assert_int_equal(t_ftruncate(fd, 0), -K_EIO);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_unlink("/large"), 0);
    assert_int_equal(t_unlink("/d/e/link"), 0); /* cannot be freed; no more than that */
    assert_true(t_file_is("/d/small", 3000, 1));
}

/* A block that two files have: the second to be freed finds it free. */
static void blocks_with_two_owners(void **state) {
    const char *why;
    inode_of("/d/small")->addrs[1] = inode_of("/large")->addrs[3];
    assert_int_equal(mount_copy(&why), 0);
    assert_int_equal(t_unlink("/d/small"), 0);
    assert_int_equal(t_open("/large", ABI_O_RDWR | ABI_O_TRUNC), -K_EIO);
    assert_int_equal(t_unlink("/large"), 0);
    t_make_file("/new", 3000, 5);
    assert_true(t_file_is("/new", 3000, 5));
}

/* A block that was free by the bitmap and is another file's: that file is freed between
 * block_alloc and block_unalloc. */
static void unalloc_finds_it_free(void **state) {
    struct log_op op;
    uint32_t block, left, before = fsimage_free_blocks(fsenv_disk());
    assert_int_equal(log_begin(&op, 10), 0);
    assert_int_equal(block_alloc(&op, &block), 0);
    uint32_t owned = block;
    assert_int_equal(block_free_list(&op, &owned, 1, &left), 0);
    block_unalloc(&op, block);
    assert_int_equal(log_end(&op), 0);
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), before);
}

/* The bitmap says that blocks are free which hold the file system itself. */
static void a_bitmap_of_zeros(void **state) {
    const char *why;
    memset(copy + super_of(copy)->bmapstart * 1024, 0, 1024);
    assert_int_equal(mount_copy(&why), 0);
    uint8_t meta[44 * 1024];
    memcpy(meta, fsenv_disk(), 2 * 1024);
    int fd = t_open("/new", NEW);
    assert_true(t_write(fd, bytes, sizeof bytes) > 0);
    assert_memory_equal(meta, fsenv_disk(), 2 * 1024);
    assert_int_equal(t_ftruncate(fd, 0), 0);
    assert_int_equal(t_mkdir("/x"), 0);
}

/* ---- directories ---- */

static struct fs_dirent *entry_of(const char *dir, const char *name) {
    struct fs_dirent *e = (struct fs_dirent *)(void *)fsimage_block(copy, inode_of(dir), 0);
    while (strcmp(e->name, name) != 0)
        e++;
    return e;
}

static void entries_that_name_nothing(void **state) {
    static const uint16_t bad[] = {90, 100, 101, 0xffff};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        const char *why;
        setup(state);
        entry_of("/", "large")->inum = bad[i];
        assert_int_equal(mount_copy(&why), 0);
        assert_int_equal(t_open("/large", NEW), -K_EIO);
        assert_int_equal(t_unlink("/large"), -K_EIO);
        assert_int_equal(t_link("/large", "/x"), -K_EIO);
        assert_int_equal(t_rename("/large", "/x"), -K_EIO);
        assert_int_equal(t_rename("/d/small", "/large"), -K_EIO);
    }
}

/* Directories that contain themselves, their parents, or each other. */
static void rings_of_directories(void **state) {
    const char *why;
    uint16_t d = (uint16_t)fsimage_find(copy, "/d"), e = (uint16_t)fsimage_find(copy, "/d/e");
    static const char *const inside[] = {"/d/e/link", "/d/e/link/small", "/d/e/link/e/link"};
    for (unsigned what = 0; what < 4; what++) {
        setup(state);
        entry_of("/d/e", "link")->inum = (uint16_t[]){FS_ROOT_INODE, d, e, d}[what];
        if (what == 3) {
            entry_of("/d", "..")->inum = e; /* no way up to the root */
            inode_of("/d/e")->nlink = 5;
        }
        assert_int_equal(mount_copy(&why), 0);
        if (what == 3)
            assert_int_equal(t_rename("/console", "/d/e/new"), -K_EIO);
        for (unsigned i = 0; i < ARRAY_LEN(inside); i++) {
            t_close(t_open(inside[i], 0));
            t_rename("/d", inside[i]);
            t_rename(inside[i], "/new");
            t_link(inside[i], "/d/e/new");
            t_mkdir("/d/e/link/dir");
            t_unlink(inside[i]);
            t_rename("/d/e/link", "/d/e/link/e/link");
            t_rename("/d/e", "/d/e/link/e");
        }
        proc_files_drop(proc_self());
    }
}

static void link_counts_that_are_too_small(void **state) {
    const char *why;
    inode_of("/large")->nlink = 1;
    inode_of("/d")->nlink = 1;
    fsimage_inode(copy, FS_ROOT_INODE)->nlink = 1;
    assert_int_equal(mount_copy(&why), 0);
    int fd = t_open("/d/e/link", ABI_O_RDWR);
    assert_int_equal(t_unlink("/large"), 0);
    assert_int_equal(t_write(fd, bytes, 5000), 5000);
    assert_int_equal(t_close(fd), 0); /* freed, though it has a name */
    assert_int_equal(t_open("/d/e/link", 0), -K_EIO);
    assert_int_equal(t_unlink("/d/e"), -K_EIO); /* /d would have no links */
    t_make_file("/new", 100, 1);                /* its number, so that name is a file again */
    assert_true(t_file_is("/new", 100, 1));
    assert_int_equal(t_unlink("/d/e/link"), 0);
    assert_int_equal(t_open("/new", 0), -K_EIO);
}

static void orphans_that_are_damaged(void **state) {
    const char *why;
    struct fs_dinode *d = inode_of("/large");
    d->nlink = 0;
    ((uint32_t *)(void *)(copy + d->addrs[FS_NDIRECT] * 1024))[50] = 5;
    struct fs_dinode *s = inode_of("/d/small");
    s->nlink = 0;
    s->addrs[2] = 7;
    assert_int_equal(mount_copy(&why), 0);
    assert_int_equal(t_open("/d/small", 0), -K_EIO);
    assert_true(t_open("/new", NEW) >= 0);
}

/* ---- anything ---- */

static void use_everything(void) {
    static const char *const paths[] = {"/large", "/d/small", "/d/e/link", "/d/e", "/d",
                                        "/new",   "/console", "/d/..",     "/",    "/d/e/../e/x"};
    for (int i = 0; i < 40; i++) {
        const char *a = paths[host_random_below(ARRAY_LEN(paths))];
        const char *b = paths[host_random_below(ARRAY_LEN(paths))];
        int fd;
        switch (host_random_below(7)) {
        case 0:
            fd = t_open(a, (int)host_random_below(2) * ABI_O_RDWR);
            t_read(fd, bytes, (int)host_random_below(sizeof bytes));
            t_write(fd, bytes, (int)host_random_below(20000));
            t_close(fd);
            break;
        case 1:
            fd = t_open(a, ABI_O_CREATE | ABI_O_RDWR | ABI_O_TRUNC);
            t_write(fd, bytes, (int)host_random_below(20000));
            t_ftruncate(fd, host_random_below(30000));
            t_close(fd);
            break;
        case 2: t_mkdir(a); break;
        case 3: t_unlink(a); break;
        case 4: t_link(a, b); break;
        case 5: t_rename(a, b); break;
        default: t_chdir(a);
        }
    }
    proc_files_drop(proc_self());
}

/* Metadata with random bytes, words that are nearly right, and swapped blocks. */
static void damage(void) {
    const struct fs_superblock *sb = super_of(im.data);
    for (uint64_t n = 1 + host_random_below(12); n > 0; n--) {
        uint64_t inodes = sb->inodestart * 1024ULL + 64;
        uint64_t root = fsimage_inode(im.data, 1)->addrs[0] * 1024ULL;
        uint64_t area[] = {inodes,
                           inodes,
                           inodes,
                           sb->bmapstart * 1024ULL,
                           root,
                           root,
                           sb->logstart * 1024ULL,
                           1024,
                           host_random_below(600) * 1024};
        uint64_t at = area[host_random_below(ARRAY_LEN(area))] + host_random_below(160) * 4;
        uint32_t value = (uint32_t[]){(uint32_t)host_random(), (uint32_t)host_random_below(700),
                                      (uint32_t)host_random_below(20), 0,
                                      UINT32_MAX}[host_random_below(5)];
        if (at + 4 <= im.bytes && (at / 1024 != 1 || host_random_below(20) == 0))
            memcpy(copy + at, &value, host_random_below(2) ? 4 : 2);
    }
}

static void random_damage(void **state) {
    int mounted = 0;
    for (int round = 0; round < 1500; round++) {
        const char *why;
        setup(state);
        damage();
        if (mount_copy(&why) == 0) {
            mounted++;
            use_everything();
        }
    }
    assert_true(mounted > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(damaged_super_blocks_are_refused),
        T(disks_that_are_too_short),
        T(damaged_log_headers_are_refused),
        T(damaged_roots_are_refused),
        T(damaged_inodes_are_errors),
        T(bad_addresses_in_the_indirect_block),
        T(blocks_with_two_owners),
        T(unalloc_finds_it_free),
        T(a_bitmap_of_zeros),
        T(entries_that_name_nothing),
        T(rings_of_directories),
        T(link_counts_that_are_too_small),
        T(orphans_that_are_damaged),
        T(random_damage),
    };
    host_random_seed(13);
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
