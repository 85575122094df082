/* Images of ext2 and ext3 that are damaged anywhere: no call ends the kernel, whatever it says. */
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
#include "fs/fs.h"
#include "fs/log.h"
#include "vfs/listing.h"
#include "vfs/open.h"
#include "vfs/path.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_KIB 4096

/* ---- what is done with each ---- */

static bool take_any(void *ctx, const struct listed *l) {
    unsigned *left = ctx;
    return l->length > 0 && l->length <= 255 && (*left)-- > 0;
}

static void list(const char *path) {
    struct file *f;
    unsigned left = 2000;
    if (file_open(path, ABI_O_RDONLY, &f))
        return;
    if (f->ops->list)
        (void)!f->ops->list(f, take_any, &left);
    file_put(f);
}

static void use(const char *path) {
    static uint8_t bytes[20000];
    struct node *n;
    if (!path_lookup(path, &n)) {
        struct node_attr a;
        (void)!n->ops->attr(n, &a);
        node_put(n);
    }
    int fd = t_open(path, ABI_O_RDWR);
    if (fd < 0)
        return;
    (void)!t_read(fd, bytes, sizeof bytes);
    t_lseek(fd, 60000, 0);
    (void)!t_read(fd, bytes, sizeof bytes);
    (void)!t_write(fd, bytes, sizeof bytes);
    (void)!t_ftruncate(fd, 3000);
    t_close(fd);
}

static void use_all(void) {
    static const char *const paths[] = {"/f", "/d/g", "/d/e/h", "/link", "/d/../f", "/sparse"};
    list("/");
    list("/d");
    for (unsigned i = 0; i < ARRAY_LEN(paths); i++)
        use(paths[i]);
    (void)!t_mkdir("/d/new");
    (void)!t_open("/d/new/file", NEW);
    (void)!t_rename("/d/e", "/d/new/e");
    (void)!t_rename("/f", "/d/g");
    (void)!t_link("/d/g", "/again");
    for (unsigned i = 0; i < ARRAY_LEN(paths); i++)
        (void)!t_unlink(paths[i]);
    (void)!t_unlink("/d/new");
    (void)!t_sync();
    proc_files_drop(proc_self());
    fs_quiesce();
}

/* ---- what is damaged ---- */

static void make_image(const char *options) {
    static uint8_t bytes[200000];
    ext2env_fresh(options, DISK_KIB);
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_mkdir("/d/e"), 0);
    t_make_file("/f", 100000, 1);
    t_make_file("/d/g", 5000, 2);
    t_make_file("/d/e/h", 15000, 3);
    assert_int_equal(t_symlink("d/e/../g", "/link"), 0);
    int fd = t_open("/sparse", NEW);
    t_lseek(fd, 20000000, 0);
    assert_int_equal(t_write(fd, bytes, 10000), 10000);
    assert_int_equal(t_close(fd), 0);
    fs_quiesce();
}

/* Blocks that are not all zeros, most often the first ones, where metadata is. */
static uint64_t any_place(const uint8_t *image, uint64_t bytes) {
    for (;;) {
        uint64_t at = host_random_below(host_random_below(3) ? bytes / 8 : bytes);
        for (uint64_t i = at & ~1023ULL; i < (at | 1023); i++)
            if (image[i])
                return at;
    }
}

static void damage(uint8_t *image, uint64_t bytes) {
    static const uint32_t values[] = {0, 1, 2, 7, 8, 11, 0x7fffffff, 0x80000000, 0xffffffff, 1024};
    for (uint64_t n = 1 + host_random_below(6); n > 0; n--) {
        uint64_t at = any_place(image, bytes) & ~3ULL;
        if (host_random_below(4) == 0) /* of the super block or a descriptor */
            at = 1024 + (host_random_below(1100) & ~3ULL);
        uint32_t value = values[host_random_below(ARRAY_LEN(values))];
        switch (host_random_below(4)) {
        case 0: memcpy(image + at, &value, 4); break;
        case 1: image[at + host_random_below(4)] ^= (uint8_t)(1 << host_random_below(8)); break;
        case 2:
            value = (uint32_t)host_random_below(DISK_KIB);
            memcpy(image + at, &value, 4);
            break;
        case 3: memcpy(image + at, image + (any_place(image, bytes) & ~3ULL), 4); break;
        }
    }
}

/* EXT2_IMAGES=N in the environment: so many. */
static unsigned count(void) {
    const char *n = getenv("EXT2_IMAGES");
    return n ? (unsigned)atoi(n) : 150;
}

static void damaged_images(void **state) {
    static const char *const kinds[] = {"-t ext3 -b 1024 -I 128 -J size=1",
                                        "-t ext2 -b 1024 -I 256", "-t ext2 -b 4096 -I 256"};
    if (!ext2env_can())
        return;
    unsigned mounted = 0;
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        make_image(kinds[k]);
        uint64_t bytes = memdisk_bytes();
        uint8_t *good = malloc(bytes), *bad = malloc(bytes);
        memcpy(good, memdisk_image(), bytes);
        for (unsigned i = 0; i < count() / ARRAY_LEN(kinds); i++) {
            const char *why = NULL;
            memcpy(bad, good, bytes);
            damage(bad, bytes);
            memdisk_load(bad, bytes);
            int err = ext2env_mount(&why);
            if (err)
                assert_non_null(why);
            mounted += !err;
            if (!err)
                use_all();
        }
        free(good);
        free(bad);
    }
    assert_true(mounted > count() / 4); /* else nothing was tried */
}

/* ---- journals ---- */

static void damaged_journals(void **state) {
    if (!ext2env_can())
        return;
    make_image("-t ext3 -b 1024 -I 128 -J size=1");
    log_sync_always = true;
    ext2env_mount_ok();
    memdisk_record();
    assert_int_equal(t_mkdir("/d/more"), 0);
    t_make_file("/d/more/f", 5000, 1);
    uint64_t bytes = memdisk_bytes();
    uint8_t *cut = malloc(bytes), *bad = malloc(bytes);
    uint64_t commits = 0;
    memdisk_power_cut(memdisk_events() - 3, NULL, cut, NULL);
    log_sync_always = false;
    for (unsigned i = 0; i < count() / 3; i++) {
        const char *why = NULL;
        memcpy(bad, cut, bytes);
        for (uint64_t at = 0, n = 0; at < bytes && n < 3; at += 1024)
            if (!memcmp(bad + at, "\xc0\x3b\x39\x98", 4) && host_random_below(2)) {
                uint64_t word = host_random_below(20);
                uint32_t value = (uint32_t)host_random_below(3000);
                value = host_random_below(3) ? __builtin_bswap32(value) : UINT32_MAX;
                memcpy(bad + at + 4 * word, &value, 4);
                n++;
            }
        memdisk_load(bad, bytes);
        int err = ext2env_mount(&why);
        commits += !err;
        if (!err)
            use_all();
        else
            assert_non_null(why);
    }
    assert_int_not_equal(commits, 0);
    free(cut);
    free(bad);
}

/* ---- blocks that are used twice ---- */

#define LONG_NAME 116 /* eight of them fill a block of 1 KiB, and a ninth does not fit */

static const char *long_path(const char *folder, unsigned i) {
    static char path[LONG_NAME + 20];
    snprintf(path, sizeof path, "/%s/%0*u", folder, LONG_NAME, i);
    return path;
}

/* The block that has this name in it. */
static uint64_t block_with(const char *name) {
    const uint8_t *image = memdisk_image();
    size_t n = strlen(name);
    for (uint64_t at = 0; at + n <= memdisk_bytes(); at++)
        if (!memcmp(image + at, name, n))
            return at / 1024;
    fail();
    return 0;
}

/* The blocks of the directories /first and /second have no owner, if the disk's map is asked; /full
 * has as many blocks as an inode names itself, and no room. */
static void make_shared(void) {
    char commands[200];
    ext2env_fresh("-t ext2 -b 1024 -I 128", DISK_KIB);
    assert_int_equal(t_mkdir("/first"), 0);
    assert_int_equal(t_mkdir("/second"), 0);
    assert_int_equal(t_mkdir("/full"), 0);
    t_make_file("/first/marker-of-first", 0, 0);
    t_make_file("/second/marker-of-second", 0, 0);
    for (unsigned i = 0; i < 12 * 8; i++)
        t_make_file(long_path("full", i), 0, 0);
    fs_quiesce();
    snprintf(commands, sizeof commands, "freeb %ju\nfreeb %ju\n",
             (uintmax_t)block_with("marker-of-first"), (uintmax_t)block_with("marker-of-second"));
    ext2env_debugfs(commands);
    ext2env_mount_ok();
}

/* While a directory gets a block, the one from which an entry is to go becomes that, or a block of
 * addresses. */
static void the_old_directory_is_overwritten(void **state) {
    static const char *const from[] = {"/first/marker-of-first", "/second/marker-of-second"};
    if (!ext2env_can())
        return;
    for (unsigned i = 0; i < 2; i++) {
        make_shared();
        (void)!t_rename(from[i], long_path("full", 99));
        (void)!t_sync();
        fs_quiesce();
    }
}

/* The directory that is to have a new one gives its own block to that. */
static void a_new_directory_is_its_parent(void **state) {
    if (!ext2env_can())
        return;
    make_shared();
    (void)!t_mkdir("/first/new");
    (void)!t_unlink("/first/new");
    (void)!t_sync();
    fs_quiesce();
}

/* Two directories are one block, so a change of the one makes wrong what is known of the other. */
static void a_known_place_is_anothers(void **state) {
    char commands[100];
    if (!ext2env_can())
        return;
    ext2env_fresh("-t ext2 -b 1024 -I 128", DISK_KIB);
    assert_int_equal(t_mkdir("/p"), 0);
    assert_int_equal(t_mkdir("/q"), 0);
    t_make_file("/p/marker-of-p", 100, 1);
    t_make_file("/p/behind", 200, 2);
    fs_quiesce();
    snprintf(commands, sizeof commands, "sif /q block[0] %ju\n",
             (uintmax_t)block_with("marker-of-p"));
    ext2env_debugfs(commands);
    ext2env_mount_ok();
    assert_true(t_file_is("/q/marker-of-p", 100, 1) && t_file_is("/q/behind", 200, 2));
    assert_int_equal(t_rename("/p/marker-of-p", "/p/longer-than-marker-of-p"), 0);
    t_make_file("/p/marker-of-r", 300, 3); /* where the other one was */
    assert_int_equal(t_unlink("/q/marker-of-p"), -K_ENOENT);
    assert_true(t_file_is("/p/marker-of-r", 300, 3) && t_file_is("/q/marker-of-r", 300, 3));
    fs_quiesce();
}

/* ---- inodes that no name may have ---- */

static void reserved_inodes(void **state) {
    if (!ext2env_can())
        return;
    make_image("-t ext3 -b 1024 -I 128 -J size=1");
    ext2env_debugfs("ln <8> journal\n");
    ext2env_mount_ok();
    assert_int_equal(t_open("/journal", ABI_O_RDWR), -K_EIO);
    assert_int_equal(t_unlink("/journal"), -K_EIO);
    assert_int_equal(t_rename("/journal", "/d/journal"), -K_EIO);
    assert_int_equal(t_unlink("/f"), 0);
    fs_quiesce();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(damaged_images, ext2env_teardown),
        cmocka_unit_test_teardown(damaged_journals, ext2env_teardown),
        cmocka_unit_test_teardown(the_old_directory_is_overwritten, ext2env_teardown),
        cmocka_unit_test_teardown(a_new_directory_is_its_parent, ext2env_teardown),
        cmocka_unit_test_teardown(a_known_place_is_anothers, ext2env_teardown),
        cmocka_unit_test_teardown(reserved_inodes, ext2env_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
