/* What a delayed commit that fails has lost is told to who wrote or named it or opens it again, and
 * to nobody else. */
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
#include <stdio.h>
#include <string.h>

#define OTHERS 1600 /* more than the smallest table has room for */

static bool said_once(const char *text) {
    const char *at = strstr(kstub_printed, text);
    return at && !strstr(at + 1, text);
}

static void a_late_error_is_told_to_those_it_concerns(void **state) {
    for (int op = BLK_WRITE; op <= BLK_FLUSH; op++) {
        setup(state);
        t_make_file("/kept", 3000, 1);
        assert_int_equal(t_sync(), 0);
        int kept = t_open("/kept", ABI_O_RDWR), read = t_open("/kept", ABI_O_RDONLY);
        int lost = t_open("/lost", NEW), closed = t_open("/closed", NEW);
        assert_int_equal(t_write(lost, bytes, 2000), 2000);
        assert_int_equal(t_write(closed, bytes, 2000), 2000);
        memdisk_fail(MEMDISK_OP(op), 1, true);
        assert_int_equal(t_sync(), -K_EIO);
        memdisk_fail(0, 0, false);
        assert_true(said_once("takes no more changes"));
        assert_int_equal(t_fsync(lost), -K_EIO);
        assert_int_equal(t_close(closed), -K_EIO);
        assert_int_equal(t_close(closed), -K_EBADF); /* but it is closed */
        assert_int_equal(t_fsync(kept), 0);
        assert_int_equal(t_close(kept), 0);
        assert_int_equal(t_close(read), 0);
        assert_int_equal(t_write(lost, bytes, 10), -K_EROFS);
        assert_int_equal(t_lseek(lost, 0, 0), 0);
        assert_int_equal(t_read(lost, back, 3000), 2000); /* memory shows it */
        assert_memory_equal(back, bytes, 2000);
        assert_int_equal(t_close(t_open("/lost", ABI_O_RDONLY)), 0); /* it wrote nothing */
        assert_int_equal(t_close(lost), -K_EIO);
        fsenv_mount_ok();
        fsenv_check();
        assert_true(t_file_is("/kept", 3000, 1));
    }
}

/* The same file, changed where the inode stays as it is. */
static void a_lost_overwrite_is_told(void **state) {
    t_make_file("/f", 3000, 1);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_write(fd, bytes, 100), 100);
    memdisk_fail(MEMDISK_OP(BLK_WRITE), 1, true);
    assert_int_equal(t_fsync(fd), -K_EIO);
    assert_int_equal(t_close(fd), -K_EIO);
    memdisk_fail(0, 0, false);
    fsenv_mount_ok();
    assert_true(t_file_is("/f", 3000, 1));
}

/* So many other files that the inode's place in memory is theirs. */
static void look_at_others(void) {
    for (int i = 0; i < OTHERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "/other%d", i);
        assert_int_equal(t_close(t_open(name, ABI_O_RDONLY)), 0);
    }
}

static void make_others(void) {
    fsenv_ram = 0; /* the smallest tables */
    fsenv_fresh(1200, 60, OTHERS + 50);
    for (int i = 0; i < OTHERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "/other%d", i);
        t_make_file(name, 0, 0);
    }
}

static void a_loss_is_told_to_who_opens_the_file_again(void **state) {
    make_others();
    t_make_file("/f", 3000, 1);
    t_make_file("/kept", 3000, 1);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_write(fd, bytes, 100), 100);
    assert_int_equal(t_close(fd), 0);
    look_at_others();
    memdisk_fail(MEMDISK_OP(BLK_WRITE), 1, true);
    assert_int_equal(t_sync(), -K_EIO);
    memdisk_fail(0, 0, false);
    fd = t_open("/f", ABI_O_RDONLY);
    int kept = t_open("/kept", ABI_O_RDONLY);
    assert_int_equal(t_fsync(fd), -K_EIO);
    assert_int_equal(t_fsync(kept), 0);
}

/* What lives in the same block of the disk, and nobody changed, has lost nothing. */
static void a_neighbour_has_lost_nothing(void **state) {
    make_others();
    t_make_file("/f", 3000, 1);
    t_make_file("/kept", 3000, 1);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/f", ABI_O_RDWR | ABI_O_APPEND);
    assert_int_equal(t_write(fd, bytes, 100), 100);
    look_at_others();
    memdisk_fail(MEMDISK_OP(BLK_WRITE), 1, true);
    assert_int_equal(t_sync(), -K_EIO);
    memdisk_fail(0, 0, false);
    int kept = t_open("/kept", ABI_O_RDONLY);
    assert_int_equal(t_fsync(fd), -K_EIO);
    assert_int_equal(t_fsync(kept), 0);
}

static int link_it(void) { return t_link("/d/old", "/d/new"); }
static int unlink_it(void) { return t_unlink("/d/old"); }
static int rename_it(void) { return t_rename("/d/old", "/d/new"); }

/* The directory has a free entry, so its inode stays as it is. */
static void a_lost_name_is_told(void **state) {
    int (*const change[])(void) = {link_it, unlink_it, rename_it};
    for (unsigned i = 0; i < 3; i++) {
        setup(state);
        assert_int_equal(t_mkdir("/d"), 0);
        t_make_file("/d/free", 0, 0);
        t_make_file("/d/old", 3000, 1);
        assert_int_equal(t_unlink("/d/free"), 0);
        assert_int_equal(t_sync(), 0);
        int dir = t_open("/d", ABI_O_RDONLY), old = t_open("/d/old", ABI_O_RDONLY);
        assert_int_equal(change[i](), 0);
        memdisk_fail(MEMDISK_OP(BLK_WRITE), 1, true);
        assert_int_equal(t_sync(), -K_EIO);
        memdisk_fail(0, 0, false);
        assert_int_equal(t_fsync(dir), -K_EIO);
        assert_int_equal(t_fsync(old), -K_EIO);
        fsenv_mount_ok();
        fsenv_check();
        assert_true(t_file_is("/d/old", 3000, 1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(a_late_error_is_told_to_those_it_concerns),
        T(a_lost_overwrite_is_told),
        T(a_loss_is_told_to_who_opens_the_file_again),
        T(a_neighbour_has_lost_nothing),
        T(a_lost_name_is_told),
    };
    host_random_seed(20261128);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
