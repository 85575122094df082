/* Reading ext2 and ext3: what mke2fs has put on a disk, and what debugfs adds. */
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
#include "vfs/names.h"
#include "vfs/path.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is on the disk ---- */

static uint8_t byte_of(uint64_t i, uint32_t seed) {
    return (uint8_t)(i * 13 + i / 1024 + seed + i / 99991);
}

static void host_file(const char *name, uint64_t start, size_t n, uint32_t seed) {
    uint8_t *bytes = malloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_of(start + i, seed);
    FILE *f = fopen(ext2env_path(name), "w");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)start, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    free(bytes);
}

#define MANY 400
#define LONG "a-name-"

static void long_name(char name[256], char c) {
    memset(name, c, 255);
    memcpy(name, LONG, strlen(LONG));
    name[255] = '\0';
}

static void fill_folder(void) {
    char name[300], target[1024];
    ext2env_folder();
    host_file("small", 0, 100, 1);
    host_file("large", 0, 3000000, 2); /* double indirect, with blocks of 1 KiB */
    host_file("sparse", 40 * MIB(1), 5000, 3);
    long_name(name, 'x');
    host_file(name, 0, 10, 4);
    assert_int_equal(mkdir(ext2env_path("d"), 0750), 0);
    for (int i = 0; i < MANY; i++) {
        sprintf(name, "d/number-%d", i);
        host_file(name, 0, (size_t)i, (uint32_t)i);
    }
    assert_int_equal(symlink("d/../small", ext2env_path("fast")), 0);
    for (int i = 0; i < 200; i++)
        memcpy(target + 5 * i, "d/../", 5);
    strcpy(target + 1000, "small");
    assert_int_equal(symlink(target, ext2env_path("slow")), 0);
    assert_int_equal(link(ext2env_path("small"), ext2env_path("second")), 0);
}

static void check_file(const char *path, uint64_t start, size_t n, uint32_t seed) {
    static uint8_t bytes[3100000];
    int fd = t_open(path, ABI_O_RDONLY);
    if (fd < 0)
        fail_msg("%s: error %d", path, fd);
    struct abi_stat st;
    assert_int_equal(t_fstat(fd, &st), 0);
    assert_int_equal(st.size, start + n);
    if (start > 1000) { /* the hole */
        assert_int_equal(t_lseek(fd, (int64_t)start - 1000, 0), start - 1000);
        assert_int_equal(t_read(fd, bytes, 1000), 1000);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(bytes[i], 0);
    }
    assert_int_equal(t_lseek(fd, (int64_t)start, 0), start);
    assert_int_equal(t_read(fd, bytes, sizeof bytes), n);
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != byte_of(start + i, seed))
            fail_msg("%s: byte %zu", path, i);
    assert_int_equal(t_close(fd), 0);
}

static int64_t size_of(char c, const char *more) {
    struct node *n;
    struct node_attr a;
    char name[256], path[300];
    long_name(name, c);
    sprintf(path, "/%s%s", name, more);
    int err = path_lookup(path, &n);
    if (err)
        return err;
    assert_int_equal(n->ops->attr(n, &a), 0);
    node_put(n);
    return (int64_t)a.size;
}

static void check_tree(void) {
    char path[300];
    check_file("/small", 0, 100, 1);
    check_file("/second", 0, 100, 1);
    check_file("/fast", 0, 100, 1);
    check_file("/slow", 0, 100, 1);
    check_file("/large", 0, 3000000, 2);
    check_file("/sparse", 40 * MIB(1), 5000, 3);
    for (int i = 0; i < MANY; i++) {
        sprintf(path, "/d/number-%d", i);
        check_file(path, 0, (size_t)i, (uint32_t)i);
    }
    assert_int_equal(size_of('x', ""), 10); /* xv6's calls have no room for such paths */
    assert_int_equal(size_of('y', ""), -K_ENOENT);
    assert_int_equal(size_of('x', "z"), -K_ENAMETOOLONG);
    assert_int_equal(t_open("/small/x", ABI_O_RDONLY), -K_ENOTDIR);
}

static void disks_of_every_kind(void **state) {
    static const char *const kinds[] = {
        "-t ext2 -b 1024 -I 128", "-t ext2 -b 4096 -I 256 -O ^dir_index",
        "-t ext2 -r 0 -b 1024",   "-t ext3 -b 1024 -I 256 -J size=1",
        "-t ext3 -b 2048 -I 128", "-t ext3 -b 4096 -I 256",
    };
    if (!ext2env_can())
        return;
    fill_folder();
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        ext2env_make(kinds[i], 16384, true);
        ext2env_mount_ok();
        assert_string_equal(kstub_printed, "");
        check_tree();
        check_tree(); /* from memory */
        proc_files_drop(proc_self());
        ext2env_check_disk();
    }
}

/* ---- what debugfs makes: things that the host's folder cannot have ---- */

static void attr_of(const char *path, struct node_attr *a) {
    struct node *n;
    assert_int_equal(path_lookup_from(NULL, path, false, &n), 0);
    assert_int_equal(n->ops->attr(n, a), 0);
    node_put(n);
}

static void what_is_known_of_files(void **state) {
    struct node_attr a;
    if (!ext2env_can())
        return;
    ext2env_make("-t ext3 -b 1024 -I 256 -J size=1", 8192, false);
    ext2env_debugfs("mknod console c 5 1\nmknod far c 300 70000\nmknod pipe p\n"
                    "write /etc/hostname f\nset_inode_field f mode 0104751\n"
                    "set_inode_field f uid 70000\nset_inode_field f gid 5\n"
                    "set_inode_field f mtime @1000000000\n"
                    "set_inode_field f size 5000000000\nset_inode_field f dtime 0\n");
    ext2env_mount_ok();
    attr_of("/console", &a);
    assert_int_equal(a.type, NODE_DEVICE);
    assert_int_equal(a.major, 5);
    assert_int_equal(a.minor, 1);
    attr_of("/pipe", &a);
    assert_int_equal(a.type, NODE_FIFO);
    attr_of("/f", &a);
    assert_int_equal(a.type, NODE_FILE);
    assert_int_equal(a.mode, 04751);
    assert_int_equal(a.uid, 70000);
    assert_int_equal(a.gid, 5);
    assert_int_equal(a.modified / 1000000000, 1000000000);
    assert_int_equal(a.size, 5000000000);
    uint8_t end[100];
    int fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_lseek(fd, -50, 2), 4999999950);
    assert_int_equal(t_read(fd, end, sizeof end), 50);
    assert_int_equal(end[49], 0);
    assert_int_equal(t_open("/pipe", ABI_O_RDONLY), -K_ENXIO);
    struct node_space s;
    node_root()->ops->space(node_root(), &s);
    assert_int_equal(s.magic, 0xef53);
    assert_int_equal(s.blocks, 8191);
}

/* ---- journals of others ---- */

/* Several transactions that debugfs has written: a block in two of them, one that is revoked behind
 * its copy, and one that is in a transaction behind the revocation again; and a copy that begins
 * with the journal's own mark. */
static void a_journal_of_others(void **state) {
    const uint32_t block[] = {3001, 3002, 3003, 3004};
    static const char first[] = "aced";
    char commands[2000], mark[1024] = "\xc0\x3b\x39\x98";
    if (!ext2env_can())
        return;
    ext2env_folder();
    for (unsigned i = 0; i < 4; i++) {
        char name[2] = {"abcd"[i], '\0'};
        FILE *f = fopen(ext2env_path(name), "w");
        char bytes[2048]; /* the first is written to two blocks */
        memset(bytes, name[0], sizeof bytes);
        fwrite(i == 3 ? mark : bytes, 1, i == 0 ? 2048 : 1024, f);
        fclose(f);
    }
    char a[300], b[300], c[300], d[300];
    strcpy(a, ext2env_path("a"));
    strcpy(b, ext2env_path("b"));
    strcpy(c, ext2env_path("c"));
    strcpy(d, ext2env_path("d"));
    sprintf(commands,
            "jo\njw -b 3001,3002 %s\njw -b 3003 %s\njw -r 3002-3003\njw -b 3002 %s\n"
            "jw -b 3004 %s\njc\n",
            a, b, c, d);
    ext2env_make("-t ext3 -b 1024 -I 128 -J size=1", 8192, false);
    ext2env_debugfs(commands);
    ext2env_mount_ok();
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *there = memdisk_image() + block[i] * 1024UL;
        if (i < 3)
            assert_int_equal(there[1023], first[i] == 'e' ? 0 : first[i]);
        else
            assert_memory_equal(there, mark, sizeof mark);
    }
    ext2env_check_disk();
}

/* ---- what is refused ---- */

static void refused(const char *options, const char *commands, const char *sentence) {
    const char *why;
    ext2env_make(options, 4096, false);
    if (commands)
        ext2env_debugfs(commands);
    assert_int_not_equal(ext2env_mount(&why), 0);
    if (!strstr(why, sentence))
        fail_msg("%s: %s", options, why);
}

static void features_that_are_not_known(void **state) {
    if (!ext2env_can())
        return;
    refused("-t ext4 -b 1024 -J size=1", NULL, "features that Trellis does not know");
    refused("-t ext2 -b 1024 -O meta_bg,^resize_inode", NULL,
            "features that Trellis does not know");
    refused("-t ext2 -b 1024", "set_super_value inode_size 100\n", "size of its inodes");
    refused("-t ext2 -b 1024", "set_super_value log_block_size 4\n", "blocks are larger");
}

static void read_only_disks(void **state) {
    static const char *const kinds[][2] = {
        {"-t ext2 -b 1024 -O extra_isize", "with which Trellis can only read"},
        {"-t ext2 -b 1024", "e2fsck mends it"},
        {"-t ext2 -b 1024 ", "errors were met"},
    };
    static const char *const commands[] = {NULL, "set_super_value state 0\n",
                                           "set_super_value state 3\n"};
    if (!ext2env_can())
        return;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        ext2env_folder();
        host_file("small", 0, 100, 1);
        ext2env_make(kinds[i][0], 4096, true);
        if (commands[i])
            ext2env_debugfs(commands[i]);
        ext2env_mount_ok();
        assert_non_null(strstr(kstub_printed, "the disk is mounted read-only: "));
        assert_non_null(strstr(kstub_printed, kinds[i][1]));
        memdisk_record();
        check_file("/small", 0, 100, 1);
        assert_int_equal(t_open("/small", ABI_O_RDWR), -K_EROFS);
        assert_int_equal(t_open("/new", NEW), -K_EROFS);
        assert_int_equal(t_unlink("/small"), -K_EROFS);
        assert_int_equal(t_mkdir("/d"), -K_EROFS);
        assert_int_equal(t_rename("/small", "/x"), -K_EROFS);
        assert_int_equal(t_sync(), 0);
        ext2env_remount();
        assert_int_equal(memdisk_events(), 0);
    }
}

/* ---- a disk that fails ---- */

static void read_errors(void **state) {
    if (!ext2env_can())
        return;
    fill_folder();
    ext2env_make("-t ext3 -b 1024 -I 256 -J size=1", 16384, true);
    for (uint64_t n = 1; n < 40; n++) {
        const char *why;
        memdisk_load(memdisk_image(), memdisk_bytes());
        memdisk_fail(MEMDISK_OP(BLK_READ), n, false);
        int err = ext2env_mount(&why);
        if (err) {
            assert_int_equal(err, -K_EIO);
            assert_non_null(why);
            continue;
        }
        int fd = t_open("/d/number-399", ABI_O_RDONLY);
        if (fd < 0)
            assert_int_equal(fd, -K_EIO);
        memdisk_fail(0, 0, false);
        check_file("/d/number-399", 0, 399, 399);
        proc_files_drop(proc_self());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(disks_of_every_kind, ext2env_teardown),
        cmocka_unit_test_teardown(what_is_known_of_files, ext2env_teardown),
        cmocka_unit_test_teardown(a_journal_of_others, ext2env_teardown),
        cmocka_unit_test_teardown(features_that_are_not_known, ext2env_teardown),
        cmocka_unit_test_teardown(read_only_disks, ext2env_teardown),
        cmocka_unit_test_teardown(read_errors, ext2env_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
