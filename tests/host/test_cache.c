/* The block cache: who gets which buffer, loading, errors, and what happens when all
 * buffers are in use. */
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
#include "fs/cache.h"
#include "fsenv.h"
#include <stdlib.h>
#include <string.h>

#define BLOCKS 3000

static uint8_t *image;

static uint8_t byte_of(uint32_t block, int i) { return (uint8_t)(block * 3 + block / 256 + i); }

static int setup(void **state) {
    image = malloc(BLOCKS * FS_BLOCK_SIZE);
    for (uint32_t block = 0; block < BLOCKS; block++)
        for (int i = 0; i < FS_BLOCK_SIZE; i++)
            image[block * FS_BLOCK_SIZE + (uint32_t)i] = byte_of(block, i);
    memdisk_load(image, BLOCKS * FS_BLOCK_SIZE);
    free(image);
    const char *why;
    fsenv_ram = MIB(32);
    assert_int_not_equal(fsenv_mount(&why), 0); /* no file system; the cache runs */
    memdisk_load(memdisk_image(), memdisk_bytes());
    return 0;
}

static bool holds(const struct buf *b, uint32_t block) {
    for (int i = 0; i < FS_BLOCK_SIZE; i++)
        if (b->data[i] != byte_of(block, i))
            return false;
    return b->block == block;
}

static struct buf *get(uint32_t block) {
    struct buf *b;
    assert_int_equal(cache_get(block, &b), 0);
    assert_true(holds(b, block));
    return b;
}

static void blocks_are_read_once(void **state) {
    struct buf *b = get(7);
    cache_put(b);
    assert_ptr_equal(get(7), b);
    assert_int_equal(memdisk_requests(), 1);
    assert_null(cache_peek(8));
    assert_ptr_equal(cache_peek(7), b);
}

/* More blocks than buffers: those in use stay, the others make room, oldest first. */
static void buffers_are_used_again(void **state) {
    struct buf *held = get(0);
    uint32_t n = cache_buffers();
    assert_between(n, 512, BLOCKS - 100);
    for (uint32_t block = 1; block < BLOCKS; block++)
        cache_put(get(block));
    assert_ptr_equal(cache_peek(0), held);
    assert_true(holds(held, 0));
    assert_non_null(cache_peek(BLOCKS - 1));
    assert_non_null(cache_peek(BLOCKS - n + 1));
    assert_null(cache_peek(BLOCKS - n));
    for (int i = 0; i < 20000; i++)
        cache_put(get((uint32_t)host_random_below(BLOCKS)));
}

static void blank_buffers_cost_no_read(void **state) {
    struct buf *b = cache_blank(20);
    memset(b->data, 1, FS_BLOCK_SIZE);
    struct buf *same;
    assert_int_equal(cache_get(20, &same), 0);
    assert_ptr_equal(same, b);
    assert_int_equal(memdisk_requests(), 0);
}

static void prefetch_reads_what_is_missing(void **state) {
    uint32_t blocks[CACHE_PREFETCH_MAX];
    cache_put(get(103));
    for (uint32_t i = 0; i < CACHE_PREFETCH_MAX; i++)
        blocks[i] = 100 + i;
    cache_prefetch(blocks, CACHE_PREFETCH_MAX);
    assert_int_equal(memdisk_requests(), CACHE_PREFETCH_MAX);
    for (uint32_t i = 0; i < CACHE_PREFETCH_MAX; i++)
        cache_put(get(100 + i));
    assert_int_equal(memdisk_requests(), CACHE_PREFETCH_MAX);
}

static void errors_are_tried_again(void **state) {
    struct buf *b;
    uint32_t blocks[] = {50, 51, 52};
    memdisk_fail(MEMDISK_OP(BLK_READ), 1, false);
    assert_int_equal(cache_get(50, &b), -K_EIO);
    cache_put(get(50));
    memdisk_fail(MEMDISK_OP(BLK_READ), 1, true);
    cache_prefetch(blocks, 3);
    memdisk_fail(0, 0, false);
    for (int i = 0; i < 3; i++)
        cache_put(get(blocks[i]));
    for (uint32_t block = 0; block < 2000; block++) /* no buffer was lost */
        cache_put(get(block));
}

/* ---- several processes */

static void get_the_same(unsigned i) {
    for (uint32_t block = 30; block < 50; block++)
        cache_put(get(block));
}

static void one_process_loads(void **state) {
    memdisk_service_time(1000);
    kstub_parallel(5, get_the_same);
    assert_int_equal(memdisk_requests(), 20);
}

static struct buf **all;

static void wait_for_a_buffer(unsigned i) {
    if (i == 0) {
        cache_put(get(2500));
    } else {
        kstub_until_asleep(kstub_proc(1));
        cache_put(all[17]);
    }
}

static void no_buffer_is_idle(void **state) {
    uint32_t n = cache_buffers();
    all = calloc(n, sizeof *all);
    for (uint32_t block = 0; block < n; block++)
        all[block] = get(block);
    kstub_parallel(2, wait_for_a_buffer);
    assert_null(cache_peek(17));
    uint32_t more[] = {17};
    cache_put(cache_blank(2501)); /* the one that is idle again */
    struct buf *last = cache_blank(2502);
    cache_prefetch(more, 1); /* a hint: does not wait */
    cache_put(last);
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(blocks_are_read_once),       T(buffers_are_used_again),
        T(blank_buffers_cost_no_read), T(prefetch_reads_what_is_missing),
        T(errors_are_tried_again),     T(one_process_loads),
        T(no_buffer_is_idle),
    };
    host_random_seed(3);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
