/* The order of a rename's steps on ext2, as test_rename.c has it for xv6's disk: who looks with
 * nothing locked, in the middle of it, at names that are known never finds the new name and after
 * that the old one, nor what was above a directory. rename.c is a part of this file, so that a test
 * can look between its steps. */
/* sources: kernel/vfs/mount.c kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c kernel/fs/inode.c kernel/fs/data.c */
/* sources: kernel/fs/dir.c kernel/vfs/path.c kernel/fs/namecache.c kernel/fs/nameop.c */
/* sources: kernel/fs/rename.c kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c */
/* sources: kernel/fs/inodefile.c kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c */
/* sources: kernel/syscall/sysfile.c kernel/vfs/descriptor.c kernel/syscall/sysfd.c */
/* sources: kernel/mm/slab.c kernel/mm/pieces.c kernel/vfs/listing.c kernel/fs/filemap.c */
/* sources: kernel/ext2/alloc.c kernel/ext2/blockmap.c kernel/ext2/dir.c kernel/ext2/file.c */
/* sources: kernel/ext2/inode.c kernel/ext2/journal.c kernel/ext2/journalfile.c */
/* sources: kernel/ext2/make.c kernel/ext2/map.c kernel/ext2/mount.c kernel/ext2/names.c */
/* sources: kernel/ext2/node.c kernel/ext2/orphan.c kernel/ext2/pages.c kernel/ext2/replay.c */
/* sources: kernel/ext2/super.c kernel/ext2/write.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/ext2env.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "namecacheenv.h"
#include "vfs/path.h"

static void look(void);

static int enter_and_look(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                          const struct ext2_inode *ip) {
    int err = ext2_dir_enter(op, dp, name, ip);
    look();
    return err;
}

static void change_and_look(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                            struct ext2_slot *s, const struct ext2_inode *ip) {
    look();
    ext2_dir_change(op, dp, name, s, ip);
    look();
}

static void look_and_remove(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                            struct ext2_slot *s) {
    look();
    ext2_dir_remove(op, dp, name, s);
    look();
}

#define ext2_dir_enter enter_and_look
#define ext2_dir_change change_and_look
#define ext2_dir_remove look_and_remove
#include "ext2/rename.c"
#undef ext2_dir_enter
#undef ext2_dir_change
#undef ext2_dir_remove

static const struct name old = {"old", 3}, new = {"new", 3};
static struct ext2_inode *from, *to, *child;
static unsigned looks, old_places; /* at which the new name was there; and an old one, too */

/* Whether that is known of the name. */
static bool leads_to(const struct ext2_inode *dp, const struct name *name,
                     const struct ext2_inode *ip) {
    const struct known_name *known = ext2_dir_look(dp, name);
    bool leads = known && known->inum == ip->inum;
    namecache_looked();
    return leads;
}

static void look(void) {
    if (!child || !leads_to(to, &new, child))
        return;
    looks++;
    old_places += leads_to(from, &old, child) + leads_to(child, &dotdot, from);
}

static struct ext2_inode *inode_of(const char *path) {
    struct node *n;
    assert_int_equal(path_lookup(path, &n), 0);
    return ext2_inode_of(n);
}

static void rename_looking(void) {
    looks = old_places = 0;
    from = inode_of("/a");
    to = inode_of("/b");
    child = inode_of("/a/old");
    assert_true(leads_to(from, &old, child));
    assert_int_equal(t_rename("/a/old", "/b/new"), 0);
    struct ext2_inode *moved = child;
    child = NULL;
    ext2_inode_put(from);
    ext2_inode_put(to);
    ext2_inode_put(moved);
    assert_true(looks > 1);
    assert_int_equal(old_places, 0);
    assert_int_equal(open_close("/a/old"), -K_ENOENT);
}

static void two_directories(void) {
    assert_int_equal(t_mkdir("/a"), 0);
    assert_int_equal(t_mkdir("/b"), 0);
}

static void a_file_has_one_name_at_a_time(void **state) {
    if (!can_test())
        return;
    two_directories();
    for (int there = 0; there < 2; there++) { /* the new name is free, and then another file's */
        t_make_file("/a/old", 100, (uint32_t)there);
        rename_looking();
        assert_true(t_file_is("/b/new", 100, (uint32_t)there));
    }
}

static void a_directory_is_in_one_place(void **state) {
    struct abi_stat above, b;
    if (!can_test())
        return;
    two_directories();
    assert_int_equal(t_mkdir("/a/old"), 0);
    assert_int_equal(open_close("/a/old/.."), 0); /* what is above is known, too */
    rename_looking();
    assert_int_equal(stat_of("/b/new/..", &above), 0);
    assert_int_equal(stat_of("/b", &b), 0);
    assert_int_equal(above.ino, b.ino);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_has_one_name_at_a_time, setup_ext2, teardown_ext2),
        cmocka_unit_test_setup_teardown(a_directory_is_in_one_place, setup_ext2, teardown_ext2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
