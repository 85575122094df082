/* Paths, directories and the calls that change them. */
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

static uint32_t find(const char *path) { return fsimage_find(fsenv_disk(), path); }

static void touch(const char *path) {
    int fd = t_open(path, NEW);
    assert_true(fd >= 0);
    assert_int_equal(t_close(fd), 0);
}

static bool exists(const char *path) {
    int fd = t_open(path, ABI_O_RDONLY);
    if (fd >= 0)
        t_close(fd);
    return fd >= 0;
}

/* ---- paths ---- */

static void all_kinds_of_paths(void **state) {
    assert_int_equal(t_mkdir("/a"), 0);
    assert_int_equal(t_mkdir("/a/b"), 0);
    touch("/a/b/c");
    static const char *const same[] = {
        "/a/b/c",       "a/b/c",       "//a//b//c", "/a/b/../b/c", "/./a/./b/./c",
        "/../../a/b/c", "a/../a/b/c/", "a/b/c///",  "/a/b/c/.",
    };
    for (unsigned i = 0; i < ARRAY_LEN(same) - 1; i++)
        assert_true(exists(same[i]));
    assert_int_equal(t_open("/a/b/c/.", 0), -K_ENOTDIR);
    assert_int_equal(t_open("/a/b/c/d", 0), -K_ENOTDIR);
    assert_int_equal(t_open("/a/b/c/d", NEW), -K_ENOTDIR);
    assert_int_equal(t_open("/a/x/c", NEW), -K_ENOENT);
    assert_int_equal(t_chdir("/a/b"), 0);
    assert_true(exists("c") && exists("../b/c") && exists("../../a/b/c") && exists("/a/b/c"));
    assert_true(exists("")); /* as in xv6: where the path begins */
    assert_int_equal(t_open("", NEW), -K_ENOENT);
    assert_int_equal(t_chdir("c"), -K_ENOTDIR);
    assert_int_equal(t_chdir("nowhere"), -K_ENOENT);
    assert_int_equal(t_chdir(".."), 0);
    assert_true(exists("b/c"));
}

static void long_paths(void **state) {
    char path[ABI_MAXPATH + 10];
    memset(path, '/', sizeof path);
    path[ABI_MAXPATH - 2] = '.';
    path[ABI_MAXPATH - 1] = '\0'; /* 127 bytes */
    assert_true(exists(path));
    path[ABI_MAXPATH - 1] = '.';
    path[ABI_MAXPATH] = '\0';
    assert_int_equal(t_open(path, 0), -K_ENAMETOOLONG);
    assert_int_equal(t_mkdir(path), -K_ENAMETOOLONG);
    assert_int_equal(t_link("/", path), -K_ENAMETOOLONG);
    assert_int_equal(t_rename(path, "/x"), -K_ENAMETOOLONG);
}

/* xv6's test "fourteen". */
static void names_are_cut_to_14_bytes(void **state) {
    assert_int_equal(t_mkdir("12345678901234"), 0);
    assert_int_equal(t_mkdir("12345678901234/123456789012345"), 0);
    touch("123456789012345/123456789012345/123456789012345");
    assert_true(exists("12345678901234/12345678901234/12345678901234"));
    assert_int_equal(t_mkdir("12345678901234/12345678901234"), -K_EEXIST);
    assert_int_equal(t_mkdir("123456789012345/12345678901234"), -K_EEXIST);
    assert_true(find("/12345678901234/12345678901234/12345678901234"));
    touch("1234567890123"); /* a prefix is another name */
    assert_true(exists("1234567890123"));
    assert_false(exists("123456789012"));
}

/* ---- unlink ---- */

static void unlink_refuses(void **state) {
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_chdir("/d"), 0);
    assert_int_equal(t_unlink("."), -K_EINVAL);
    assert_int_equal(t_unlink(".."), -K_EINVAL);
    assert_int_equal(t_unlink("/d/."), -K_EINVAL);
    assert_int_equal(t_unlink("/d/.."), -K_EINVAL);
    assert_int_equal(t_unlink("/"), -K_EBUSY);
    assert_int_equal(t_unlink(""), -K_ENOENT);
    assert_int_equal(t_unlink("none"), -K_ENOENT);
    touch("f");
    assert_int_equal(t_unlink("/d"), -K_ENOTEMPTY);
    assert_int_equal(t_unlink("f/x"), -K_ENOTDIR);
    assert_int_equal(t_unlink("f"), 0);
    assert_int_equal(t_chdir("/"), 0);
    assert_int_equal(t_unlink("/d"), 0);
}

static void freed_entries_are_used_again(void **state) {
    char name[16];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "/f%d", i);
            touch(name);
        }
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "/f%d", (i * 37) % 100);
            assert_int_equal(t_unlink(name), 0);
        }
    }
    assert_int_equal(fsimage_inode(fsenv_disk(), 1)->size, (2 + 100) * 16);
}

/* ---- link ---- */

static void links(void **state) {
    t_make_file("/f", 2000, 1);
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_link("/f", "/d/g"), 0);
    assert_int_equal(t_link("/f", "/d/g"), -K_EEXIST);
    assert_int_equal(t_link("/d", "/e"), -K_EPERM);
    assert_int_equal(t_link("/d", "/d/e"), -K_EPERM);
    assert_int_equal(t_link("/", "/d/e"), -K_EPERM);
    assert_int_equal(t_link("/none", "/e"), -K_ENOENT);
    assert_int_equal(t_link("/f", "/none/e"), -K_ENOENT);
    assert_int_equal(t_link("/f", "/f/e"), -K_ENOTDIR);
    assert_int_equal(t_link("/f", "."), -K_EEXIST);
    assert_int_equal(t_unlink("/f"), 0);
    assert_true(t_file_is("/d/g", 2000, 1));
    assert_int_equal(t_link("/d/g", "/f"), 0);
    assert_int_equal(find("/f"), find("/d/g"));
}

static void too_many_links(void **state) {
    touch("/f");
    fsimage_inode(fsenv_disk(), find("/f"))->nlink = INT16_MAX;
    fsenv_remount();
    assert_int_equal(t_link("/f", "/g"), -K_EMLINK);
    assert_int_equal(t_mkdir("/d"), 0);
    fsimage_inode(fsenv_disk(), find("/d"))->nlink = INT16_MAX;
    fsenv_remount();
    assert_int_equal(t_mkdir("/d/e"), -K_EMLINK);
    assert_int_equal(t_mkdir("/e"), 0);
    assert_int_equal(t_rename("/e", "/d/e"), -K_EMLINK);
    fsimage_inode(fsenv_disk(), find("/f"))->nlink = 1;
    fsimage_inode(fsenv_disk(), find("/d"))->nlink = 1;
    fsenv_remount();
}

/* ---- directories without a name (pitfall 24) ---- */

static void an_unlinked_current_directory(void **state) {
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_mkdir("/d/e"), 0);
    assert_int_equal(t_chdir("/d/e"), 0);
    assert_int_equal(t_unlink("/d/e"), 0);
    assert_int_equal(t_unlink("/d"), 0);
    t_make_file("/new", 100, 1); /* may get the number of /d, where ".." points */
    assert_int_equal(t_open("..", 0), -K_ENOENT);
    assert_int_equal(t_open("../..", 0), -K_ENOENT);
    assert_int_equal(t_open("x", NEW), -K_ENOENT);
    assert_int_equal(t_mkdir("x"), -K_ENOENT);
    assert_int_equal(t_mknod("x", 1, 1), -K_ENOENT);
    assert_int_equal(t_link("/new", "x"), -K_ENOENT);
    assert_int_equal(t_rename("/new", "x"), -K_ENOENT);
    assert_int_equal(t_unlink("x"), -K_ENOENT);
    assert_int_equal(t_chdir(".."), -K_ENOENT);
    assert_int_equal(t_chdir("."), 0);
    assert_true(exists("."));
    assert_int_equal(t_chdir("/"), 0);
    assert_true(t_file_is("/new", 100, 1));
}

/* xv6's "iref" and "openiput". */
static void references_go_back(void **state) {
    touch("/README");
    for (int i = 0; i < 60; i++) {
        assert_int_equal(t_mkdir("irefd"), 0);
        assert_int_equal(t_chdir("irefd"), 0);
        assert_int_equal(t_mkdir(""), -K_ENOENT);
        assert_int_equal(t_link("README", ""), -K_ENOENT);
        assert_int_equal(t_open("xx", NEW), 0);
        assert_int_equal(t_close(0), 0);
        assert_int_equal(t_unlink("xx"), 0);
    }
    for (int i = 0; i < 60; i++) {
        assert_int_equal(t_chdir(".."), 0);
        assert_int_equal(t_unlink("irefd"), 0);
    }
    assert_int_equal(t_mkdir("oidir"), 0);
    assert_int_equal(t_open("oidir", ABI_O_RDWR), -K_EISDIR);
    assert_int_equal(t_unlink("oidir"), 0);
}

/* ---- rename ---- */

static void rename_files(void **state) {
    t_make_file("/f", 3000, 1);
    t_make_file("/g", 100, 2);
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_rename("/f", "/h"), 0);
    assert_true(t_file_is("/h", 3000, 1) && !exists("/f"));
    assert_int_equal(t_rename("/h", "/d/h"), 0);
    assert_true(t_file_is("/d/h", 3000, 1) && !exists("/h"));
    uint32_t blocks = fsimage_free_blocks(fsenv_disk());
    assert_int_equal(t_rename("/d/h", "/g"), 0); /* replaces: the old /g is freed */
    assert_true(t_file_is("/g", 3000, 1) && !exists("/d/h"));
    assert_int_equal(fsimage_free_blocks(fsenv_disk()), blocks + 1);
    assert_int_equal(t_rename("/g", "/g"), 0);
    assert_int_equal(t_link("/g", "/same"), 0);
    assert_int_equal(t_rename("/g", "/same"), 0); /* one inode: nothing happens */
    assert_true(exists("/g") && exists("/same"));
}

static void rename_replaces_an_open_file(void **state) {
    char buf[10];
    t_make_file("/f", 5000, 1);
    t_make_file("/g", 6000, 2);
    int fd = t_open("/g", ABI_O_RDONLY);
    assert_int_equal(t_rename("/f", "/g"), 0);
    assert_int_equal(t_read(fd, buf, 10), 10);
    assert_int_equal(t_close(fd), 0);
    fsenv_check();
}

static void rename_directories(void **state) {
    assert_int_equal(t_mkdir("/a"), 0);
    assert_int_equal(t_mkdir("/a/b"), 0);
    assert_int_equal(t_mkdir("/c"), 0);
    touch("/a/b/f");
    assert_int_equal(t_rename("/a/b", "/c/b2"), 0); /* ".." and two link counts change */
    fsenv_check();
    assert_true(exists("/c/b2/f") && exists("/c/b2/../b2/f"));
    assert_int_equal(t_rename("/c/b2", "/c/b3"), 0);
    fsenv_check();
    assert_int_equal(t_rename("/c", "/c/b3/c"), -K_EINVAL);
    assert_int_equal(t_rename("/c", "/c/c"), -K_EINVAL);
    assert_int_equal(t_rename("/c/b3", "/c/b3/f/x"), -K_ENOTDIR);
    assert_int_equal(t_rename("/a", "/c"), -K_ENOTEMPTY);
    touch("/f");
    assert_int_equal(t_rename("/a", "/f"), -K_ENOTDIR);
    assert_int_equal(t_rename("/f", "/a"), -K_EISDIR);
    assert_int_equal(t_rename("/c/b3/f", "/c"), -K_EISDIR);
    assert_int_equal(t_rename("/c/b3", "/c"), -K_ENOTEMPTY);
    assert_int_equal(t_rename("/c/b3", "/a"), 0); /* in the place of an empty one */
    fsenv_check();
    assert_true(exists("/a/f") && exists("/a/../a/f") && !exists("/c/b3"));
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_rename("/a", "/d"), 0); /* in the same directory */
    fsenv_check();
    assert_true(exists("/d/f") && !exists("/a"));
}

static void rename_refuses(void **state) {
    touch("/f");
    assert_int_equal(t_rename("/none", "/g"), -K_ENOENT);
    assert_int_equal(t_rename("/f", "/none/g"), -K_ENOENT);
    assert_int_equal(t_rename("/f", "/f/g"), -K_EINVAL);
    assert_int_equal(t_rename("/.", "/g"), -K_EINVAL);
    assert_int_equal(t_rename("/f", "/.."), -K_EINVAL);
    assert_int_equal(t_rename("/", "/g"), -K_EBUSY);
    assert_int_equal(t_rename("/f", ""), -K_ENOENT);
    assert_true(exists("/f"));
}

/* ---- everything at random, against a second file system: the checker's ---- */

static void random_calls_keep_the_tree_whole(void **state) {
    static const char *const names[] = {"a", "b", "c", "d"};
    char from[64], to[64];
    int done = 0;
    for (int step = 0; step < 3000; step++) {
        char *const paths[] = {from, to};
        for (int p = 0; p < 2; p++) {
            paths[p][0] = '\0';
            uint64_t depth = (uint64_t[]){1, 1, 2, 2, 3}[host_random_below(5)];
            for (; depth > 0; depth--) {
                strcat(paths[p], "/");
                strcat(paths[p], names[host_random_below(4)]);
            }
        }
        uint32_t old = find(from), target = find(to);
        int err = -1;
        switch (host_random_below(6)) {
        case 0:
            err = t_mkdir(from);
            assert_true(err != 0 || (old == 0 && find(from) != 0));
            break;
        case 1:
            err = t_open(from, NEW);
            if (err >= 0)
                err = t_close(err);
            break;
        case 2:
            err = t_link(from, to);
            assert_true(err != 0 || (target == 0 && find(to) == old));
            break;
        case 3:
            err = host_random_below(2) ? t_unlink(from) : -1;
            assert_true(err != 0 || find(from) == 0);
            break;
        default:
            err = t_rename(from, to);
            assert_true(err != 0 || find(to) == old);
            assert_true(err != 0 || old == target || find(from) == 0);
        }
        done += err == 0;
        if (step % 20 == 0)
            fsenv_check();
    }
    assert_true(done > 300); /* else the test tests little */
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fsenv_setup, fsenv_teardown)
        T(all_kinds_of_paths),
        T(long_paths),
        T(names_are_cut_to_14_bytes),
        T(unlink_refuses),
        T(freed_entries_are_used_again),
        T(links),
        T(too_many_links),
        T(an_unlinked_current_directory),
        T(references_go_back),
        T(rename_files),
        T(rename_replaces_an_open_file),
        T(rename_directories),
        T(rename_refuses),
        T(random_calls_keep_the_tree_whole),
    };
    host_random_seed(77);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
