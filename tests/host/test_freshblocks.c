/* Which blocks are fresh, and so written in place before their commit, and where the next one of a
 * file is looked for. */
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
#include "fs/pagecache.h"
#include "inodeof.h"
#include <stdio.h>

/* The first bitmap block is full but for one place, so a directory's block comes from the second;
 * the next block of the file, from behind its last one, is looked for in the first again. */
static void each_block_has_its_own_bitmap(void **state) {
    char name[16];
    fsenv_fresh(16800, 60, 100);
    for (int i = 0; i < 33; i++) { /* 33 * 254 blocks */
        snprintf(name, sizeof name, "/n%d", i);
        t_make_file(name, i == 5 ? 1000 : 253 * 1024, (uint32_t)i);
    }
    assert_int_equal(t_unlink("/n5"), 0);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, bytes, 1024), 1024);
    assert_int_equal(t_mkdir("/d"), 0);
    assert_int_equal(t_write(fd, bytes, 1024), 1024);
    assert_int_equal(t_close(fd), 0);
    fsenv_check();
    fsenv_remount();
    assert_true(t_file_is("/n6", 253 * 1024, 6));
}

/* Blocks that would be the next ones are given back meanwhile: until that is durable they are their
 * last owner's, and are not written in place. */
static void blocks_given_back_ahead(void **state) {
    struct inode *ip;
    struct page *p;
    t_make_file("/gap", 4 * 1024, 1);
    t_make_file("/a", FS_NDIRECT * 1024, 2);
    assert_int_equal(t_sync(), 0);
    struct fs_dinode a = *fsimage_inode(memdisk_image(), fsimage_find(memdisk_image(), "/a"));
    assert_int_equal(t_unlink("/gap"), 0);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/b", NEW);
    assert_int_equal(t_write(fd, bytes, 1024), 1024);
    assert_int_equal(t_unlink("/a"), 0);
    assert_int_equal(t_write(fd, bytes, 11 * 1024), 11 * 1024);
    ip = inode_of("/b");
    assert_true(ip->d.addrs[0] < a.addrs[0]); /* it did come from below */
    for (uint32_t i = 0; (p = page_find(ip->inum, i, false)); i++) {
        for (unsigned b = 0; b < PAGE_BLOCKS; b++)
            for (unsigned k = 0; k < FS_NDIRECT; k++)
                if (p->block[b] == a.addrs[k])
                    assert_int_equal(p->fresh >> b & 1, 0);
        page_put(p);
    }
    inode_put(ip);
    assert_int_equal(t_close(fd), 0);
}

/* Free are one block that was a file's until just now, which is written by way of the log; and some
 * that only a bitmap block tells of that cannot be read. */
static void a_bitmap_block_that_cannot_be_read(void **state) {
    char name[16];
    fsenv_ram = 0;                 /* the smallest tables */
    fsenv_fresh(20000, 60, 18000); /* whose inode blocks take the places of bitmap blocks */
    for (int i = 0; i < 30; i++) { /* 29 * 254 blocks: more than the first one knows */
        snprintf(name, sizeof name, "/n%d", i);
        t_make_file(name, i == 5 ? 1000 : 253 * 1024, (uint32_t)i);
    }
    t_make_file("/f", 0, 0);
    fsenv_remount();
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_unlink("/n5"), 0);
    uint64_t failed = memdisk_failed();
    memdisk_fail(MEMDISK_OP(BLK_READ), 1, true);
    assert_int_equal(t_write(fd, bytes, 1024), 1024);
    assert_true(memdisk_failed() > failed);
    assert_int_equal(t_write(fd, bytes, 1024), -K_EIO);
    memdisk_fail(0, 0, false);
    assert_int_equal(t_write(fd, bytes, 1024), 1024);
    assert_int_equal(t_close(fd), 0);
    fsenv_check();
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(each_block_has_its_own_bitmap),
        T(blocks_given_back_ahead),
        T(a_bitmap_block_that_cannot_be_read),
    };
    host_random_seed(20261127);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
