/* The order of a rename's steps: who looks without a lock, in the middle of it, at names that are
 * known never finds the new name and after that the old one, nor what was above a directory. And
 * a rename that fails has changed nothing. rename.c is a part of this file, so that a test can look
 * between its steps. */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c */
/* sources: kernel/fs/inode.c kernel/fs/data.c kernel/fs/dir.c kernel/vfs/path.c */
/* sources: kernel/fs/namecache.c kernel/fs/nameop.c */
/* sources: kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c kernel/fs/inodefile.c */
/* sources: kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c kernel/syscall/sysfile.c */
/* sources: kernel/vfs/descriptor.c kernel/syscall/sysfd.c kernel/mm/slab.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c */
#include "fs/dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "inodeof.h"
#include "namecacheenv.h"
#include <stdio.h>

static void look(void);

static int set_and_look(struct log_op *op, struct inode *dp, struct dir_slot *slot,
                        const struct dir_name *name, uint32_t inum) {
    int err = dir_set(op, dp, slot, name, inum);
    look();
    return err;
}

static void look_and_clear(struct log_op *op, struct inode *dp, struct dir_slot *slot) {
    look();
    dir_clear(op, dp, slot);
    look();
}

#define dir_set set_and_look
#define dir_clear look_and_clear
#include "fs/rename.c"
#undef dir_set
#undef dir_clear

static struct inode *from, *to, *child;
static struct dir_name old, new;
static unsigned looks, old_places; /* at which the new name was there; and an old one, too */

/* Whether that is known of the name. */
static bool leads_to(struct inode *dp, const struct dir_name *name, const struct inode *ip) {
    struct known_name known;
    return namecache_get(&dp->names, name->word, &known) && known.inum == ip->inum;
}

static void look(void) {
    if (!child || !leads_to(to, &new, child))
        return;
    looks++;
    old_places += leads_to(from, &old, child) + leads_to(child, &dotdot, from);
}

static int rename_looking(void) {
    looks = old_places = 0;
    old = dir_name("old", 3);
    new = dir_name("new", 3);
    from = inode_of("/a");
    to = inode_of("/b");
    child = inode_of("/a/old");
    assert_true(leads_to(from, &old, child));
    int err = t_rename("/a/old", "/b/new");
    inode_put(from);
    inode_put(to);
    inode_put(child);
    child = NULL;
    inode_reap();
    assert_int_equal(old_places, 0);
    return err;
}

static void two_directories(void) {
    assert_int_equal(t_mkdir("/a"), 0);
    assert_int_equal(t_mkdir("/b"), 0);
}

static void a_file_has_one_name_at_a_time(void **state) {
    two_directories();
    t_make_file("/a/old", 100, 1);
    assert_int_equal(open_close("/a/old"), 0);
    assert_int_equal(rename_looking(), 0);
    assert_true(looks > 1);
    assert_int_equal(open_close("/a/old"), -K_ENOENT);
    assert_true(t_file_is("/b/new", 100, 1));
}

static void a_directory_is_in_one_place(void **state) {
    two_directories();
    assert_int_equal(t_mkdir("/a/old"), 0);
    assert_int_equal(open_close("/a/old/.."), 0); /* what is above is known, too */
    assert_int_equal(rename_looking(), 0);
    assert_true(looks > 1);
    struct abi_stat above, b;
    assert_int_equal(stat_of("/b/new/..", &above), 0);
    assert_int_equal(stat_of("/b", &b), 0);
    assert_int_equal(above.ino, b.ino);
}

/* The new directory is full, and so is the disk. */
static void the_new_name_has_no_room(void **state) {
    fsenv_fresh(200, 30, 100);
    two_directories();
    t_make_file("/a/old", 100, 1);
    for (unsigned i = 2; i < FS_BLOCK_SIZE / 16; i++) {
        char name[16];
        snprintf(name, sizeof name, "/b/%u", i);
        assert_int_equal(t_link("/a/old", name), 0);
    }
    static uint8_t much[200 * 1024];
    int fd = t_open("/much", NEW);
    assert_true(t_write(fd, much, sizeof much) > 0);
    assert_int_equal(t_write(fd, much, 1), -K_ENOSPC);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(rename_looking(), -K_ENOSPC);
    assert_true(t_file_is("/a/old", 100, 1));
    assert_int_equal(open_close("/b/new"), -K_ENOENT);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, fsenv_setup, fsenv_teardown)
    const struct CMUnitTest tests[] = {
        T(a_file_has_one_name_at_a_time),
        T(a_directory_is_in_one_place),
        T(the_new_name_has_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
