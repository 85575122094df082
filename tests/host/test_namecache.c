/* The name cache: with it every call gives what it gives without, and it saves the look at the
 * disk. (Threads: test_namecache_threads.c.) */
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
/* sources: kernel/vfs/listing.c kernel/ext2/ kernel/fs/filemap.c kernel/mm/pieces.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/ext2env.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fs/cache.h"
#include "fs/fs.h"
#include "fs/namecache.h"
#include "fsenv.h"
#include "namecacheenv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the same calls with a cache and without */

#define STEPS 4000

/* What a call gave: its result, and what then is under the two names. */
struct outcome {
    int64_t result;
    struct abi_stat first, second;
};

static void random_path(char *path) {
    static const char *const names[] = {"a", "b", "c", "d", "..", "a-longer-name", "a-longer-nama"};
    /* What the cache has room for, and what it has not. */
    static const char *const long_names[] = {"a-name-of-forty-eight-bytes-that-the-cache-takes",
                                             "no.ame-of-forty-nine-bytes-that-it-does-not-take:",
                                             "Xo.ame-of-forty-nine-bytes-that-it-does-not-take:"};
    uint64_t depth = (uint64_t[]){1, 1, 2, 2, 3}[host_random_below(5)];
    strcpy(path, host_random_below(3) ? "/" : "");
    for (; depth > 0; depth--) {
        if (tested == &on_ext2 && host_random_below(4) == 0)
            strcat(path, long_names[host_random_below(ARRAY_LEN(long_names))]);
        else
            strcat(path, names[host_random_below(ARRAY_LEN(names))]);
        strcat(path, depth > 1 ? "/" : "");
    }
}

static int64_t random_call(const char *from, const char *to) {
    int fd;
    switch (host_random_below(9)) {
    case 0: return t_mkdir(from);
    case 1: fd = t_open(from, NEW); return fd < 0 ? fd : t_close(fd);
    case 2: return t_link(from, to);
    case 3: return t_unlink(from);
    case 4:
    case 5: return t_rename(from, to);
    case 6: return t_chdir(from);
    default: return open_close(from);
    }
}

/* `names` is the cache's size; 0: it is emptied before each look. */
static void run(uint32_t names, struct outcome *out) {
    tested->fresh();
    host_random_seed(5);
    if (names > 0)
        new_cache(names);
    for (int step = 0; step < STEPS; step++, out++) {
        char from[200], to[200];
        random_path(from);
        random_path(to);
        for (int look = 0; look < 3; look++) {
            if (names == 0)
                new_cache(ONE_SET);
            if (look == 0)
                out->result = random_call(from, to);
            else if (look == 1)
                stat_of(from, &out->first);
            else
                stat_of(to, &out->second);
        }
    }
    proc_files_drop(proc_self());
    tested->check();
}

static void the_same_as_without(void **state) {
    if (!can_test())
        return;
    static const uint32_t sizes[] = {ONE_SET, 4 * ONE_SET, 4096};
    size_t bytes = STEPS * sizeof(struct outcome);
    struct outcome *without = malloc(bytes), *with = malloc(bytes);
    memset(without, 0, bytes);
    run(0, without);
    int done = 0;
    for (int step = 0; step < STEPS; step++)
        done += without[step].result == 0;
    assert_true(done > STEPS / 5); /* else the test tests little */
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        memset(with, 0, bytes);
        run(sizes[i], with);
        for (int step = 0; step < STEPS; step++)
            if (memcmp(&with[step], &without[step], sizeof *with) != 0)
                fail_msg("%u names, step %d: %ld (%u, %u), without a cache %ld (%u, %u)", sizes[i],
                         step, (long)with[step].result, with[step].first.ino, with[step].second.ino,
                         (long)without[step].result, without[step].first.ino,
                         without[step].second.ino);
    }
    free(without);
    free(with);
}

/* A directory grows only when it has no free entry: it is as long as it ever was full. */
static void free_entries_are_found(void **state) {
    enum { NAMES = 300 };
    static bool there[NAMES];
    unsigned count = 1, most = 1;
    if (!can_test())
        return;
    memset(there, 0, sizeof there);
    assert_int_equal(t_mkdir("/d"), 0);
    t_make_file("/d/f", 1, 1);
    for (int step = 0; step < 4000; step++) {
        struct abi_stat st;
        char name[32];
        unsigned k = (unsigned)host_random_below(NAMES);
        snprintf(name, sizeof name, "/d/%u", k);
        assert_int_equal(there[k] ? t_unlink(name) : t_link("/d/f", name), 0);
        there[k] = !there[k];
        count += there[k] ? 1 : -1u;
        most = MAX(most, count);
        assert_int_equal(stat_of("/d", &st), 0);
        assert_int_equal(st.size, tested->dir_size(most));
        if (step % 500 == 499)
            tested->remount(); /* forgets where it was */
    }
}

/* ---- what the cache is for */

/* Drives all of a directory's blocks out of the block cache. */
static void use_the_block_cache(void) {
    fs_quiesce(); /* what is not on the disk stays */
    for (uint32_t i = 0; i < cache_buffers(); i++)
        cache_put(cache_blank(100000 + i)); /* no block of this disk */
}

static void known_names_need_no_disk(void **state) {
    struct abi_stat dir, file;
    if (!can_test())
        return;
    tested->fresh();
    new_cache(4096);
    assert_int_equal(t_mkdir("/d"), 0);
    t_make_file("/d/f", 1, 1);
    for (int k = 0; k < 800; k++) {
        char name[16];
        snprintf(name, sizeof name, "/d/%d", k);
        assert_int_equal(t_link("/d/f", name), 0);
    }
    use_the_block_cache();
    use_the_block_cache();
    assert_int_equal(open_close("/d/missing"), -K_ENOENT);
    assert_int_equal(open_close("/d/799"), 0);
    assert_int_equal(stat_of("/d", &dir), 0);
    use_the_block_cache();
    uint64_t before = memdisk_requests();
    assert_int_equal(open_close("/d/missing"), -K_ENOENT);
    assert_int_equal(stat_of("/d/799", &file), 0);
    assert_int_equal(memdisk_requests(), before);
    assert_int_equal(file.nlink, 801);
    assert_int_equal(stat_of("/d/798", &file), 0); /* was never looked up, only made */
    assert_int_equal(memdisk_requests(), before);
    new_cache(4096);
    assert_int_equal(open_close("/d/missing"), -K_ENOENT);
    assert_true(memdisk_requests() > before); /* so the blocks were not in memory */
}

/* ---- what must not be known */

static void an_error_is_not_kept(void **state) {
    if (!can_test())
        return;
    assert_int_equal(t_mkdir("/d"), 0);
    t_make_file("/d/f", 100, 1);
    static const char *const paths[] = {"/d/f", "/d/none"};
    for (unsigned i = 0; i < ARRAY_LEN(paths); i++) {
        tested->remount();
        assert_int_equal(open_close("/d"), 0);
        memdisk_fail(MEMDISK_OP(BLK_READ), 1, true);
        assert_int_equal(open_close(paths[i]), -K_EIO);
        memdisk_fail(0, 0, false);
        assert_int_equal(open_close(paths[i]), i == 0 ? 0 : -K_ENOENT);
    }
}

/* An inode's number that a directory had is a file's, and another directory's. */
static void a_number_used_again(void **state) {
    struct abi_stat was, is;
    if (!can_test())
        return;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(t_mkdir("/d"), 0);
        assert_int_equal(open_close("/d/x"), -K_ENOENT);
        t_make_file("/d/y", 1, 1);
        assert_int_equal(stat_of("/d", &was), 0);
        assert_int_equal(t_unlink("/d/y"), 0);
        assert_int_equal(t_unlink("/d"), 0);
        t_make_file("/f", 1, 1);
        assert_int_equal(stat_of("/f", &is), 0);
        assert_int_equal(is.ino, was.ino);
        assert_int_equal(open_close("/f/x"), -K_ENOTDIR);
        assert_int_equal(open_close("/f/y"), -K_ENOTDIR);
        assert_int_equal(open_close("/f/.."), -K_ENOTDIR);
        assert_int_equal(t_unlink("/f"), 0);
        assert_int_equal(t_mkdir("/e"), 0);
        assert_int_equal(t_mkdir("/e/e"), 0);
        assert_int_equal(stat_of("/e/e/..", &is), 0);
        assert_int_equal(is.ino, was.ino);
        assert_int_equal(t_unlink("/e/e"), 0);
        assert_int_equal(t_unlink("/e"), 0);
    }
}

/* Not even to who is in it; what was looked up there before is forgotten. */
static void a_removed_directory_has_no_names(void **state) {
    if (!can_test())
        return;
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_chdir("/d"), 0);
    assert_int_equal(open_close(".."), 0);
    assert_int_equal(open_close("x"), -K_ENOENT);
    assert_int_equal(t_unlink("/d"), 0);
    assert_int_equal(open_close(".."), -K_ENOENT);
    assert_int_equal(t_mkdir("/e"), 0);
    t_make_file("/e/x", 1, 1);
    assert_int_equal(open_close("x"), -K_ENOENT);
    assert_int_equal(open_close("/e/x"), 0);
    assert_int_equal(t_chdir("/"), 0);
}

/* Files that leave one block free. None has an indirect block, so a kilobyte takes one. */
static void fill_the_disk(void) {
    static const char kilobyte[FS_BLOCK_SIZE];
    struct fs_stats stats;
    fs_stats(&stats);
    for (unsigned i = 0; stats.blocks_free > 1; i++) {
        char name[16];
        snprintf(name, sizeof name, "/fill%u", i);
        int fd = t_open(name, NEW);
        for (fs_stats(&stats); stats.blocks_free > 1; fs_stats(&stats)) {
            if (t_lseek(fd, 0, SEEK_CUR) == FS_NDIRECT * FS_BLOCK_SIZE)
                break;
            assert_int_equal(t_write(fd, kilobyte, sizeof kilobyte), sizeof kilobyte);
        }
        assert_int_equal(t_close(fd), 0);
    }
}

/* A directory cannot be made: there is a block for it, and none for its name. Then a file
 * gets its number. */
static void a_failed_mkdir_leaves_nothing(void **state) {
    fsenv_fresh(400, 30, 200);
    assert_int_equal(t_mkdir("/a"), 0);
    assert_int_equal(t_mkdir("/b"), 0);
    for (int k = 2; k < 64; k++) { /* to the end of its block */
        char name[16];
        snprintf(name, sizeof name, "/a/%d", k);
        t_make_file(name, 0, 0);
    }
    fill_the_disk();
    assert_int_equal(t_mkdir("/a/new"), -K_ENOSPC);
    t_make_file("/b/new", 0, 0);
    assert_int_equal(open_close("/b/new/.."), -K_ENOTDIR);
    assert_int_equal(open_close("/a/new"), -K_ENOENT);
    t_make_file("/b/new", FS_BLOCK_SIZE, 7); /* has the block that it had */
    fsenv_remount();
    assert_true(t_file_is("/b/new", FS_BLOCK_SIZE, 7));
}

/* A directory's place in memory becomes another inode's. */
static void a_place_used_again(void **state) {
    enum { FILES = 1700 };
    char name[16];
    fsenv_fresh(3000, 30, 2000);
    assert_int_equal(t_mkdir("/d"), 0);
    t_make_file("/d/x", 0, 0);
    assert_int_equal(t_mkdir("/e"), 0); /* so that the root's is not the only one */
    for (int k = 0; k < FILES; k++) {
        snprintf(name, sizeof name, "/e/%d", k);
        t_make_file(name, 0, 0);
    }
    for (int k = 0; k < FILES; k++) {
        snprintf(name, sizeof name, "/e/%d/x", k);
        assert_int_equal(open_close(name), -K_ENOTDIR);
    }
    assert_int_equal(open_close("/d/x"), 0);
}

static bool knows(const uint64_t *dir, const struct dir_name *name, struct known_name *out) {
    return namecache_get(dir, name->word, out);
}

/* In a set that is full the name goes that was not used for the longest time. */
static void the_least_used_name_goes(void **state) {
    uint64_t dir = 0, other = 0;
    struct dir_name names[ONE_SET + 2];
    struct known_name known;
    new_cache(ONE_SET);
    for (uint32_t k = 0; k < ONE_SET + 2; k++) {
        names[k] = dir_name((char[]){(char)('a' + k)}, 1);
        assert_false(knows(&dir, &names[k], &known));
    }
    for (uint32_t k = 0; k < ONE_SET; k++)
        namecache_put(&dir, names[k].word, (struct known_name){k, 100 + k});
    assert_true(knows(&dir, &names[0], &known));
    namecache_put(&dir, names[2].word, (struct known_name){7, 107});
    namecache_put(&dir, names[ONE_SET].word, (struct known_name){8, 108});     /* for 1 */
    namecache_put(&dir, names[ONE_SET + 1].word, (struct known_name){9, 109}); /* for 3 */
    for (uint32_t k = 0; k < ONE_SET + 2; k++) {
        bool is = knows(&dir, &names[k], &known);
        assert_int_equal(is, k != 1 && k != 3);
        assert_true(!is || known.where == (k == 2 ? 107 : 100 + k));
        assert_true(!is || known.inum == known.where - 100);
    }
    namecache_forget(&dir, names[0].word);
    assert_false(knows(&dir, &names[0], &known));
    namecache_put(&other, names[0].word, (struct known_name){5, 5});
    assert_false(knows(&dir, &names[0], &known));
    namecache_forget_all(&dir);
    assert_false(knows(&dir, &names[4], &known));
    namecache_put(&dir, names[0].word, (struct known_name){6, 6});
    assert_false(knows(&dir, &names[4], &known));
    assert_true(knows(&other, &names[0], &known) && known.inum == 5);
}

/* ---- damaged images */

/* Changes an entry of the root on the disk, and mounts that. */
static struct fs_dirent *entry_on_disk(const char *name) {
    struct fs_dinode *root = fsimage_inode(fsenv_disk(), FS_ROOT_INODE);
    struct fs_dirent *e = (struct fs_dirent *)(void *)fsimage_block(fsenv_disk(), root, 0);
    while (strcmp(e->name, name) != 0)
        e++;
    return e;
}

/* The second shows after the first was removed, at once or when that is forgotten. */
static void a_name_that_is_there_twice(void **state) {
    t_make_file("/a", 100, 1);
    t_make_file("/b", 200, 2);
    strcpy(entry_on_disk("b")->name, "a");
    fsenv_remount();
    assert_true(t_file_is("/a", 100, 1));
    assert_int_equal(t_unlink("/a"), 0);
    new_cache(4096);
    assert_true(t_file_is("/a", 200, 2));
    assert_int_equal(t_unlink("/a"), 0);
    new_cache(4096);
    assert_int_equal(open_close("/a"), -K_ENOENT);
}

/* Two directories are one block, so a change of the one makes wrong what is known of the
 * other: its name is at no place any more, or at another. */
static void two_directories_in_one_block(void **state) {
    assert_int_equal(t_mkdir("/p"), 0);
    assert_int_equal(t_mkdir("/q"), 0);
    t_make_file("/p/a", 100, 1);
    t_make_file("/p/b", 200, 2);
    uint8_t *image = fsenv_disk();
    struct fs_dinode *p = fsimage_inode(image, fsimage_find(image, "/p"));
    struct fs_dinode *q = fsimage_inode(image, fsimage_find(image, "/q"));
    uint8_t *spoiled = malloc(memdisk_bytes()), *whole = malloc(memdisk_bytes());
    memcpy(whole, image, memdisk_bytes());
    q->addrs[0] = p->addrs[0];
    q->size = p->size;
    memcpy(spoiled, image, memdisk_bytes());
    memdisk_load(spoiled, memdisk_bytes());
    fsenv_mount_ok();
    assert_true(t_file_is("/p/a", 100, 1) && t_file_is("/q/a", 100, 1));
    assert_true(t_file_is("/q/b", 200, 2));
    assert_int_equal(t_rename("/p/a", "/p/c"), 0);
    t_make_file("/p/d", 300, 3); /* where "a" was */
    assert_int_equal(t_unlink("/q/a"), -K_ENOENT);
    assert_int_equal(t_unlink("/p/b"), 0);
    assert_int_equal(t_rename("/p/c", "/p/b"), 0); /* where "b" was, before "c" */
    assert_int_equal(t_rename("/q/d", "/q/b"), 0);
    assert_true(t_file_is("/q/b", 300, 3));
    memdisk_load(whole, memdisk_bytes());
    fsenv_mount_ok();
    free(spoiled);
    free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) FOR_XV6(name)
        T(the_same_as_without),
        T(free_entries_are_found),
        T(known_names_need_no_disk),
        T(an_error_is_not_kept),
        T(a_number_used_again),
        T(a_failed_mkdir_leaves_nothing),
        T(a_place_used_again),
        T(the_least_used_name_goes),
        T(a_name_that_is_there_twice),
        T(two_directories_in_one_block),
        FOR_EXT2(the_same_as_without_of_ext2, the_same_as_without),
        FOR_EXT2(free_entries_are_found_of_ext2, free_entries_are_found),
        FOR_EXT2(known_names_need_no_disk_of_ext2, known_names_need_no_disk),
        FOR_EXT2(an_error_is_not_kept_of_ext2, an_error_is_not_kept),
        FOR_EXT2(a_number_used_again_of_ext2, a_number_used_again),
        T(a_removed_directory_has_no_names),
        FOR_EXT2(a_removed_directory_has_no_names_of_ext2, a_removed_directory_has_no_names),
    };
    host_random_seed(31);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
