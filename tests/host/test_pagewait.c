/* Who waits for a page of the cache keeps nothing from those who have one (pagecache.h). */
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
#include "fs/cache.h"
#include "fs/filepage.h"
#include "inodeof.h"
#include "fsenv.h"

#define SIZE (16 * PAGE_SIZE) /* most of it behind the indirect block */
#define HELD_MOST 4096

static struct inode *file;
static struct page *held[HELD_MOST]; /* all that can be, by others */
static unsigned held_count;
static uint32_t wanted;

static void hold_all(void) {
    while ((held[held_count] = page_new(60000, held_count, false)))
        held_count++;
}

/* It has the indirect block, when no page is left. */
static void reads(void) {
    struct filepages f = filepages_begin(file, (struct indirect){0});
    struct page *p;
    assert_int_equal(inode_lock(file), 0);
    assert_int_equal(pagefile_get(&f.file, 4, &p), 0);
    page_put(p);
    assert_true(f.in.held);
    hold_all();
    assert_int_equal(pagefile_get(&f.file, wanted, &p), 0);
    assert_int_equal(p->index, wanted);
    page_put(p);
    filepages_end(&f);
    inode_unlock(file);
}

static void looks_on(void) {
    kstub_until_asleep(kstub_proc(1));
    struct buf *indirect = cache_peek(file->d.addrs[FS_NDIRECT]);
    assert_non_null(indirect);
    assert_int_equal(indirect->refs, 1); /* this one */
    cache_put(indirect);
    page_put(held[--held_count]);
}

static void one_of_two(unsigned i) {
    if (i == 0)
        reads();
    else
        looks_on();
}

static void waits_for(uint32_t index) {
    t_make_file("/f", SIZE, 1);
    fsenv_remount();
    file = inode_of("/f");
    wanted = index;
    held_count = 0;
    kstub_parallel(2, one_of_two);
    while (held_count > 0)
        page_put(held[--held_count]);
    inode_put(file);
}

static void for_one_that_is_idle(void **state) { waits_for(5); }
static void for_a_new_one(void **state) { waits_for(14); }

#define T(test) cmocka_unit_test_setup_teardown(test, fsenv_setup, fsenv_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(for_one_that_is_idle),
        T(for_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
