/* The name cache, used by many at once: who looks while others change names sees each name as it
 * is or was. */
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

#define THREADS 4

static unsigned moving; /* threads that have not done yet */

static void begin_moving(void) { __atomic_store_n(&moving, 1, __ATOMIC_SEQ_CST); }
static void done_moving(void) { __atomic_store_n(&moving, 0, __ATOMIC_SEQ_CST); }
static bool still_moving(void) { return __atomic_load_n(&moving, __ATOMIC_SEQ_CST); }

static void replace_or_look(unsigned i) {
    for (int k = 0; i == 0 && k < 300; k++) {
        assert_int_equal(t_link("/x", "/z"), 0);
        t_make_file("/y", 10, 1);
        assert_int_equal(t_rename("/y", "/x"), 0);
        assert_int_equal(t_unlink("/z"), 0);
    }
    if (i == 0)
        done_moving();
    while (i > 0 && still_moving())
        assert_int_equal(open_close("/x"), 0);
}

static void a_replaced_name_is_always_there(void **state) {
    if (!can_test())
        return;
    t_make_file("/x", 10, 1);
    begin_moving();
    kstub_parallel(THREADS, replace_or_look);
}

#define MOVED 150

/* Who has seen a file at its new place does not see it at the old one. */
static void move_or_look(unsigned i) {
    char from[16], to[16];
    for (int k = 0; k < MOVED; k++) {
        snprintf(from, sizeof from, "/p/%d", k);
        snprintf(to, sizeof to, "/q/%d", k);
        if (i == 0) {
            assert_int_equal(t_rename(from, to), 0);
            continue;
        }
        while (open_close(to) != 0)
            assert_true(open_close(from) == 0 || open_close(to) == 0);
        assert_int_equal(open_close(from), -K_ENOENT);
    }
}

static void a_moved_file_is_in_one_place(void **state) {
    if (!can_test())
        return;
    assert_int_equal(t_mkdir("/p"), 0);
    assert_int_equal(t_mkdir("/q"), 0);
    for (int k = 0; k < MOVED; k++) {
        char name[16];
        snprintf(name, sizeof name, "/p/%d", k);
        t_make_file(name, 0, 0);
    }
    kstub_parallel(THREADS, move_or_look);
}

/* Two names whose files come and go take turns with one inode. Who opens one of them has
 * that one's file, even when its name is gone by then. */
static void come_and_go(unsigned i) {
    static const char *const names[] = {"/t", "/u"};
    if (i < 2) {
        char letter = names[i][1];
        for (int k = 0; k < 200; k++) {
            int fd = t_open(names[i], NEW);
            assert_int_equal(t_write(fd, &letter, 1), 1);
            assert_int_equal(t_close(fd), 0);
            assert_int_equal(t_unlink(names[i]), 0);
        }
        __atomic_sub_fetch(&moving, 1, __ATOMIC_SEQ_CST);
    }
    for (unsigned k = 0; i >= 2 && still_moving(); k++) {
        char letter = 0;
        int fd = t_open(names[k % 2], ABI_O_RDONLY);
        if (fd < 0) {
            assert_int_equal(fd, -K_ENOENT);
            continue;
        }
        assert_true(t_read(fd, &letter, 1) == 0 || letter == names[k % 2][1]);
        assert_int_equal(t_close(fd), 0);
    }
}

static void an_opened_name_is_its_own_file(void **state) {
    if (!can_test())
        return;
    moving = 2;
    kstub_parallel(THREADS, come_and_go);
}

/* Directories that come and go; their number may be the next one's. */
static void dirs_come_and_go(unsigned i) {
    char dir[16], in[16], up[16];
    snprintf(dir, sizeof dir, "/d%u", i % 2);
    snprintf(in, sizeof in, "%s/x", dir);
    snprintf(up, sizeof up, "%s/..", dir);
    for (int k = 0; k < 150; k++) {
        struct abi_stat st;
        int err = t_mkdir(dir);
        assert_true(err == 0 || err == -K_EEXIST);
        if (stat_of(up, &st) == 0)
            assert_int_equal(st.ino, tested->root);
        err = open_close(in);
        assert_int_equal(err, -K_ENOENT);
        err = t_unlink(dir);
        assert_true(err == 0 || err == -K_ENOENT);
    }
}

static void directories_come_and_go(void **state) {
    if (can_test())
        kstub_parallel(THREADS, dirs_come_and_go);
}

static void the_smallest_cache(void **state) {
    new_cache(ONE_SET);
    directories_come_and_go(state);
    an_opened_name_is_its_own_file(state);
    a_replaced_name_is_always_there(state);
    a_moved_file_is_in_one_place(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOR_XV6(a_replaced_name_is_always_there),
        FOR_XV6(a_moved_file_is_in_one_place),
        FOR_XV6(an_opened_name_is_its_own_file),
        FOR_XV6(directories_come_and_go),
        FOR_XV6(the_smallest_cache),
        FOR_EXT2(a_replaced_name_is_always_there_of_ext2, a_replaced_name_is_always_there),
        FOR_EXT2(a_moved_file_is_in_one_place_of_ext2, a_moved_file_is_in_one_place),
        FOR_EXT2(an_opened_name_is_its_own_file_of_ext2, an_opened_name_is_its_own_file),
        FOR_EXT2(directories_come_and_go_of_ext2, directories_come_and_go),
        FOR_EXT2(the_smallest_cache_of_ext2, the_smallest_cache),
    };
    host_random_seed(31);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
