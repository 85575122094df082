/* The page cache's frames, as mappings show them and as stores through mappings change them. */
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
#include "fs/filedata.h"
#include "fs/log.h"
#include "fs/pagecache.h"
#include "delayedenv.h"
#include "inodeof.h"
#include "mm/frame.h"
#include <stdio.h>
#include <string.h>

static unsigned shown; /* how many at once */
static int keep_frame(void *ctx, const paddr_t *frame, unsigned n) {
    shown = n;
    frame_get(frame_single(*frame));
    *(paddr_t *)ctx = *frame;
    return 0;
}

static void a_frame_is_what_read_and_write_see(void **state) {
    t_make_file("/f", 10000, 1);
    struct inode *ip = inode_of("/f");
    paddr_t frame;
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(filedata_show(ip, 3, 1, keep_frame, &frame), -K_ENXIO);
    assert_int_equal(filedata_show(ip, 2, 1, keep_frame, &frame), 0);
    uint8_t *data = pa_ptr(frame);
    for (int i = 10000 - 8192; i < 4096; i++)
        assert_int_equal(data[i], 0);
    assert_int_equal(t_lseek(fd, 8192, 0), 8192);
    assert_int_equal(t_write(fd, "one", 3), 3);
    assert_memory_equal(data, "one", 3);
    frame_put(frame_single(frame));
    inode_put(ip);
}

static const uint8_t *block_on_disk(const char *name, uint32_t i) {
    const struct fs_dinode *d = fsimage_inode(memdisk_image(), fsimage_find(memdisk_image(), name));
    return fsimage_block(memdisk_image(), d, i);
}

static int look_at_16(void *ctx, const paddr_t *frame, unsigned n) {
    shown = n;
    for (unsigned i = 0; i < n; i++)
        assert_memory_equal(pa_ptr(frame[i]), bytes + (*(uint32_t *)ctx + i) * 4096, 100);
    return 0;
}

/* With a page come those behind it, to the next of 16, to the end, or to one that is not there. */
static void some_pages_are_shown_at_once(void **state) {
    static const struct {
        uint32_t index;
        unsigned n;
    } expected[] = {{0, 15}, {3, 12}, {14, 1}};
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, bytes, 15 * 4096 - 10), 15 * 4096 - 10);
    struct inode *ip = inode_of("/f");
    for (unsigned i = 0; i < 3; i++) {
        uint32_t index = expected[i].index;
        assert_int_equal(filedata_show(ip, index, 16, look_at_16, &index), 0);
        assert_int_equal(shown, expected[i].n);
        assert_int_equal(filedata_show(ip, index, 1, look_at_16, &index), 0);
        assert_int_equal(shown, 1);
    }
    assert_int_equal(t_sync(), 0);
    assert_int_equal(fsenv_reclaim(1000), 15);
    uint32_t index = 2; /* with what one read brings */
    assert_int_equal(filedata_show(ip, index, 16, look_at_16, &index), 0);
    assert_int_equal(shown, 8);
    index = 0;
    assert_int_equal(filedata_show(ip, index, 16, look_at_16, &index), 0);
    assert_int_equal(shown, 10);
    inode_put(ip);
    assert_int_equal(t_close(fd), 0);
}

/* The page's frame was somebody's before. */
static void nothing_behind_the_end_is_shown_to_a_writer(void **state) {
    t_make_file("/f", 10, 1);
    struct inode *ip = inode_of("/f");
    paddr_t frame;
    assert_int_equal(filedata_show_for_write(ip, 0, keep_frame, &frame), 0);
    const uint8_t *data = pa_ptr(frame);
    for (int i = 10; i < 4096; i++)
        assert_int_equal(data[i], 0);
    frame_put(frame_single(frame));
    inode_put(ip);
}

/* A file with blocks for so many bytes, some of them behind its end: as an image may have it, and
 * as xv6 leaves it after a copy that failed. */
static int open_with_blocks_behind(uint32_t bytes_in_blocks, uint32_t size) {
    t_make_file("/f", bytes_in_blocks, 1);
    fsenv_remount();
    fsimage_inode(memdisk_image(), fsimage_find(memdisk_image(), "/f"))->size = size;
    fsenv_mount_ok();
    return t_open("/f", ABI_O_RDWR);
}

/* It keeps them when a write there fails. */
static void a_block_behind_the_end_stays_the_files(void **state) {
    int fd = open_with_blocks_behind(4096, 1024);
    assert_int_equal(t_lseek(fd, 0, 2), 1024);
    assert_int_equal(t_write(fd, fsenv_bad, 1000), -K_EFAULT);
    assert_int_equal(t_write(fd, bytes, 3072), 3072);
    assert_int_equal(t_close(fd), 0);
    fsenv_remount();
    fsenv_check();
}

static void what_is_stored_is_durable_with_the_next_sync(void **state) {
    t_make_file("/f", 10000, 1);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_sync(), 0);
    assert_int_equal(t_store("/f", 8192, "one", 3), 0);
    assert_int_equal(t_fsync(fd), 0);
    assert_memory_equal(block_on_disk("/f", 8), "one", 3);
    memdisk_record();
    assert_int_equal(t_store("/f", 8192, "two", 3), 0);
    assert_int_equal(t_store("/f", 8195, "six", 3), 0); /* no fault any more */
    assert_int_equal(writes(), 0);
    assert_int_equal(t_lseek(fd, 8192, 0), 8192);
    assert_int_equal(t_read(fd, back, 5000), 10000 - 8192);
    assert_memory_equal(back, "twosix", 6);
    assert_int_equal(t_fsync(fd), 0);
    assert_memory_equal(block_on_disk("/f", 8), "twosix", 6);
    assert_int_equal(t_store("/f", 12288, "x", 1), -K_ENXIO);
    assert_int_equal(t_store("/", 0, "x", 1), -K_ENODEV);
    fsenv_check();
}

/* Each store would fault again, for ever, if its fault made the page durable at once. */
static void a_store_waits_for_nobody(void **state) {
    setup(state);
    log_sync_always = true;
    fsenv_mount_ok();
    t_make_file("/f", 4096, 1);
    memdisk_record();
    for (int i = 0; i < 100; i++)
        assert_int_equal(t_store("/f", (uint64_t)i, "y", 1), 0);
    assert_int_equal(writes(), 0);
    assert_int_equal(t_sync(), 0);
    assert_memory_equal(block_on_disk("/f", 0), "yyyy", 4);
}

static void what_is_cut_off_is_no_longer_stored_to(void **state) {
    t_make_file("/f", 10000, 1);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_store("/f", 8192, "one", 3), 0);
    assert_int_equal(t_store("/f", 4096, "two", 3), 0);
    assert_int_equal(t_ftruncate(fd, 4097), 0);
    assert_int_equal(t_store("/f", 8192, "x", 1), -K_ENXIO);
    assert_int_equal(t_ftruncate(fd, 10000), 0);
    assert_int_equal(t_lseek(fd, 4096, 0), 4096);
    assert_int_equal(t_read(fd, back, 8192), 10000 - 4096);
    assert_memory_equal(back, "t\0\0", 3);
    assert_memory_equal(back + 4096, "\0\0\0", 3);
    fsenv_check();
}

/* A file whose second block is none, as an image may have it, on a disk that has no other. */
static uint32_t *make_hole(uint32_t *block) {
    t_make_file("/f", 4096, 1);
    int fd = t_open("/fill", NEW);
    while (t_write(fd, bytes, 1024) == 1024) {
    }
    assert_int_equal(t_close(fd), 0);
    fsenv_remount();
    uint32_t *hole = &fsimage_inode(memdisk_image(), fsimage_find(memdisk_image(), "/f"))->addrs[1];
    *block = *hole;
    *hole = 0;
    fsenv_mount_ok();
    return hole;
}

static void a_store_fills_a_hole_or_there_is_no_room(void **state) {
    uint32_t block, *hole;
    fsenv_fresh(230, 60, 20);
    hole = make_hole(&block);
    assert_int_equal(t_store("/f", 1500, "x", 1), -K_ENOSPC);
    int fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, back, 4096), 4096);
    for (int i = 1024; i < 2048; i++)
        assert_int_equal(back[i], 0);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_unlink("/fill"), 0);
    assert_int_equal(t_sync(), 0);
    assert_int_equal(t_store("/f", 1500, "x", 1), 0);
    assert_int_equal(t_sync(), 0);
    assert_true(*hole != 0 && *hole != block);
    assert_memory_equal(block_on_disk("/f", 1) + 1500 - 1024, "x", 2);
}

static void a_store_that_is_lost_is_told(void **state) {
    t_make_file("/f", 4096, 1);
    assert_int_equal(t_sync(), 0);
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_store("/f", 0, "one", 3), 0);
    memdisk_fail(MEMDISK_OP(BLK_WRITE), 1, true);
    assert_int_equal(t_fsync(fd), -K_EIO);
    memdisk_fail(0, 0, false);
    assert_int_equal(t_store("/f", 0, "two", 3), -K_EROFS);
}

/* A mapping of the page would show it, and so would a file that is made longer. */
static void a_copy_that_failed_leaves_nothing_behind_the_end(void **state) {
    t_make_file("/f", 10, 1);
    struct inode *ip = inode_of("/f");
    paddr_t frame;
    int fd = t_open("/f", ABI_O_RDWR);
    assert_int_equal(t_lseek(fd, 0, 2), 10);
    memset(fsenv_bad - 500, 'x', 500);
    assert_int_equal(t_write(fd, fsenv_bad - 500, 900), -K_EFAULT);
    assert_int_equal(filedata_show(ip, 0, 1, keep_frame, &frame), 0);
    const uint8_t *data = pa_ptr(frame);
    for (int i = 10; i < 4096; i++)
        assert_int_equal(data[i], 0);
    assert_true(t_file_is("/f", 10, 1));
    frame_put(frame_single(frame));
    inode_put(ip);
    assert_int_equal(t_close(fd), 0);
}

static void a_block_behind_the_end_goes_too(void **state) {
    int fd = open_with_blocks_behind(8192, 4096);
    assert_int_equal(t_lseek(fd, 0, 2), 4096);
    assert_int_equal(t_write(fd, fsenv_bad, 4096), -K_EFAULT);
    assert_int_equal(t_ftruncate(fd, 0), 0);
    assert_int_equal(t_lseek(fd, 0, 0), 0);
    assert_int_equal(t_write(fd, bytes, 8192), 8192);
    assert_int_equal(t_close(fd), 0);
    fsenv_remount();
    fd = t_open("/f", ABI_O_RDONLY);
    assert_int_equal(t_read(fd, back, 9000), 8192);
    assert_memory_equal(back, bytes, 8192);
    assert_int_equal(t_close(fd), 0);
}

/* Nothing of the file changes, so nothing is to be committed: at once, or when half of the pages of
 * a transaction are taken. */
static void a_failed_write_onto_a_block_behind_the_end_changes_nothing(void **state) {
    for (int always = 0; always < 2; always++) {
        setup(state);
        log_sync_always = always;
        int fd = open_with_blocks_behind(8192, 4096);
        for (int i = 0; i < 500; i++) {
            assert_int_equal(t_lseek(fd, 0, 2), 4096);
            assert_int_equal(t_write(fd, fsenv_bad, 4096), -K_EFAULT);
        }
        assert_int_equal(t_sync(), 0);
        assert_true(t_file_is("/f", 4096, 1));
        assert_int_equal(t_close(fd), 0);
    }
}

/* All frames are wanted: clean pages go, but not one whose frame somebody has. */
static void clean_pages_give_way(void **state) {
    t_make_file("/f", 60000, 1);
    struct inode *ip = inode_of("/f");
    paddr_t frame;
    assert_int_equal(filedata_show(ip, 2, 1, keep_frame, &frame), 0);
    assert_true(fsenv_reclaim(1000) == 0); /* they are not on the disk yet */
    assert_int_equal(t_sync(), 0);
    uint64_t requests = memdisk_requests();
    assert_int_equal(fsenv_reclaim(4), 4);
    assert_int_equal(fsenv_reclaim(1000), 15 - 4 - 1);
    paddr_t again;
    assert_int_equal(filedata_show(ip, 2, 1, keep_frame, &again), 0);
    assert_int_equal(memdisk_requests(), requests);
    assert_true(again.v == frame.v);
    frame_put(frame_single(again));
    assert_true(t_file_is("/f", 60000, 1));
    assert_true(memdisk_requests() > requests);
    frame_put(frame_single(frame));
    inode_put(ip);
}

/* What is read ahead must not be made a second time. */
static void a_page_that_cannot_be_held_is_there(void **state) {
    t_make_file("/f", 4096, 1);
    struct inode *ip = inode_of("/f");
    struct page *first = NULL, *p;
    assert_int_equal(t_sync(), 0);
    for (uint32_t i = 0; (p = page_new(99, i, false)); i++) {
        p->hash_next = first;
        first = p;
    }
    assert_null(page_find(ip->inum, 0, false));
    assert_true(page_is_there(ip->inum, 0));
    assert_false(page_is_there(ip->inum, 1));
    for (; (p = first); page_put(p))
        first = p->hash_next;
    inode_put(ip);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(a_frame_is_what_read_and_write_see),
        T(some_pages_are_shown_at_once),
        T(nothing_behind_the_end_is_shown_to_a_writer),
        T(a_block_behind_the_end_stays_the_files),
        T(what_is_stored_is_durable_with_the_next_sync),
        T(a_store_waits_for_nobody),
        T(what_is_cut_off_is_no_longer_stored_to),
        T(a_store_fills_a_hole_or_there_is_no_room),
        T(a_store_that_is_lost_is_told),
        T(a_copy_that_failed_leaves_nothing_behind_the_end),
        T(a_block_behind_the_end_goes_too),
        T(a_failed_write_onto_a_block_behind_the_end_changes_nothing),
        T(clean_pages_give_way),
        T(a_page_that_cannot_be_held_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
