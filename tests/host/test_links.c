/* Paths with symbolic links and mounts: what they lead to, and what is refused. */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c kernel/fs/inode.c kernel/fs/data.c */
/* sources: kernel/fs/dir.c kernel/vfs/path.c kernel/fs/namecache.c kernel/fs/nameop.c */
/* sources: kernel/fs/rename.c kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c */
/* sources: kernel/fs/inodefile.c kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c */
/* sources: kernel/syscall/sysfile.c kernel/vfs/descriptor.c kernel/syscall/sysfd.c */
/* sources: kernel/mm/slab.c kernel/mm/pt.c kernel/mm/pagetree.c kernel/mm/pieces.c */
/* sources: kernel/vfs/listing.c kernel/vfs/fifo.c kernel/vfs/where.c kernel/tmpfs/ */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/tmpfsenv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tmpfsenv.h"
#include "vfs/listing.h"
#include "vfs/names.h"
#include "vfs/open.h"
#include "vfs/where.h"
#include <stdio.h>
#include <string.h>

static void symlink_to(const char *target, const char *path) {
    assert_int_equal(
        names_make(NULL, path, &(struct node_kind){.type = NODE_LINK, .target = target}), 0);
}

static int open_close(const char *path, int mode) {
    int fd = t_open(path, mode);
    return fd < 0 ? fd : t_close(fd);
}

static int follow(const char *path, bool last, enum node_type *type) {
    struct node *n;
    struct node_attr a;
    int err = path_lookup_from(NULL, path, last, &n);
    if (err)
        return err;
    assert_int_equal(n->ops->attr(n, &a), 0);
    *type = a.type;
    node_put(n);
    return 0;
}

static void links_are_followed(void **state) {
    enum node_type type;
    t_mkdir("/d");
    t_mkdir("/d/e");
    t_make_file("/d/e/f", 100, 1);
    symlink_to("d/e", "/relative");
    symlink_to("/d/e", "/d/absolute");
    symlink_to("../d/absolute/f", "/d/up");
    symlink_to("", "/d/empty");
    assert_true(t_file_is("/relative/f", 100, 1) && t_file_is("/d/absolute/f", 100, 1));
    assert_true(t_file_is("/d/up", 100, 1) && t_file_is("/d/absolute/../up", 100, 1));
    assert_true(t_file_is("/d/empty/up", 100, 1));
    assert_int_equal(t_chdir("/relative"), 0);
    assert_true(t_file_is("f", 100, 1) && t_file_is("../up", 100, 1));
    assert_int_equal(follow("/relative", true, &type), 0);
    assert_int_equal(type, NODE_DIR);
    assert_int_equal(follow("/relative", false, &type), 0);
    assert_int_equal(type, NODE_LINK);
    assert_int_equal(follow("/relative/", false, &type), 0);
    assert_int_equal(type, NODE_DIR);
    assert_int_equal(follow("/d/up/x", false, &type), -K_ENOTDIR);
    assert_int_equal(t_unlink("/relative"), 0); /* the link */
    assert_true(t_file_is("/d/e/f", 100, 1));
    assert_int_equal(t_mkdir("/d/up"), -K_EEXIST);
    assert_int_equal(t_link("/d/up", "/d/second"), 0);
    assert_int_equal(follow("/d/second", false, &type), 0);
    assert_int_equal(type, NODE_LINK);
    assert_int_equal(t_rename("/d/up", "/d/renamed"), 0);
    assert_true(t_file_is("/d/renamed", 100, 1));
}

static void files_are_made_behind_links(void **state) {
    t_mkdir("/d");
    symlink_to("d/new", "/link");
    symlink_to("../link", "/d/other");
    symlink_to("nowhere/new", "/none");
    symlink_to("self", "/self");
    assert_int_equal(open_close("/d/other", ABI_O_RDONLY), -K_ENOENT);
    t_make_file("/d/other", 100, 1);
    assert_true(t_file_is("/d/new", 100, 1));
    assert_int_equal(open_close("/link", NEW), 0); /* which is there now */
    assert_int_equal(open_close("/none", NEW), -K_ENOENT);
    assert_int_equal(open_close("/self", NEW), -K_ELOOP);
    assert_int_equal(open_close("/self", ABI_O_RDONLY), -K_ELOOP);
}

/* A chain is as long as it may be, and one longer; and links in links. */
static void too_many_links(void **state) {
    char name[16], target[600] = "";
    t_make_file("/f", 100, 1);
    t_mkdir("/d");
    symlink_to("d", "/a");
    for (int i = 0; i < 39; i++)
        strcat(target, "a/../");
    strcat(target, "f");
    symlink_to(target, "/many"); /* and itself */
    assert_true(t_file_is("/many", 100, 1));
    assert_int_equal(open_close("/d/../a/../many", ABI_O_RDONLY), -K_ELOOP);
    symlink_to("f", "/n0");
    for (int i = 1; i < 10; i++) {
        snprintf(name, sizeof name, "/n%d", i);
        snprintf(target, sizeof target, "n%d", i - 1);
        symlink_to(target, name);
    }
    assert_true(t_file_is("/n7", 100, 1));
    assert_int_equal(open_close("/n8", ABI_O_RDONLY), -K_ELOOP);
}

static void long_names(void **state) {
    static char path[300];
    struct node *n;
    path[0] = '/';
    memset(path + 1, 'x', 255);
    assert_int_equal(names_create(NULL, path, &(struct node_kind){.type = NODE_FILE}, &n), 0);
    node_put(n);
    path[256] = 'x';
    assert_int_equal(names_create(NULL, path, &(struct node_kind){.type = NODE_FILE}, &n),
                     -K_ENAMETOOLONG);
    assert_int_equal(path_lookup(path, &n), -K_ENAMETOOLONG);
    path[256] = '\0';
    assert_int_equal(names_unlink(NULL, path), 0);
}

/* ---- mounts ---- */

static void into_and_out_of_a_mount(void **state) {
    t_make_file("/f", 100, 1);
    t_make_file("/xv6/f", 100, 2);
    assert_int_equal(t_mkdir("/xv6/d"), 0);
    symlink_to("xv6/d/../f", "/link");
    assert_true(t_file_is("/link", 100, 2));
    assert_true(t_file_is("/xv6/../f", 100, 1) && t_file_is("/xv6/d/../../f", 100, 1));
    assert_true(t_file_is("/xv6/./f", 100, 2));
    assert_int_equal(t_chdir("/xv6"), 0);
    assert_true(t_file_is("f", 100, 2) && t_file_is("../f", 100, 1));
    assert_int_equal(t_chdir(".."), 0);
    assert_true(t_file_is("f", 100, 1));
    assert_int_equal(t_chdir("xv6/d/.."), 0);
    assert_true(t_file_is("f", 100, 2));
}

static void what_is_mounted_stays(void **state) {
    t_mkdir("/d");
    t_mkdir("/xv6/d");
    t_make_file("/f", 100, 1);
    t_make_file("/xv6/g", 100, 2);
    assert_int_equal(t_unlink("/xv6"), -K_EBUSY);
    assert_int_equal(t_rename("/xv6", "/moved"), -K_EBUSY);
    assert_int_equal(t_rename("/f", "/xv6"), -K_EISDIR);
    assert_int_equal(t_rename("/d", "/xv6"), -K_EBUSY);
    assert_int_equal(t_rename("/f", "/xv6/f"), -K_EXDEV);
    assert_int_equal(t_rename("/xv6/g", "/g"), -K_EXDEV);
    assert_int_equal(t_rename("/d", "/xv6/d/x"), -K_EXDEV);
    assert_int_equal(t_link("/f", "/xv6/f"), -K_EXDEV);
    assert_int_equal(t_link("/xv6/g", "/g"), -K_EXDEV);
    assert_true(t_file_is("/f", 100, 1) && t_file_is("/xv6/g", 100, 2));
}

/* ---- names that are found from the other side ---- */

/* One name, and then no room. */
struct one {
    bool full;
    char name[32];
};

static bool take_one(void *ctx, const struct listed *l) {
    struct one *o = ctx;
    if (o->full)
        return false;
    o->full = true;
    memcpy(o->name, l->name, l->length);
    o->name[l->length] = '\0';
    return true;
}

static const char *next_in(struct file *f, struct one *o) {
    o->full = false;
    assert_int_equal(f->ops->list(f, take_one, o), 0);
    return o->full ? o->name : "(end)";
}

static void names_of_a_disk_are_listed(void **state) {
    struct file *f;
    struct one o;
    t_mkdir("/xv6/d");
    t_make_file("/xv6/d/gone", 10, 1);
    t_make_file("/xv6/d/fourteen-bytes", 10, 1);
    t_make_file("/xv6/d/last", 10, 1);
    t_unlink("/xv6/d/gone");
    assert_int_equal(file_open("/xv6/d", ABI_O_RDONLY, &f), 0);
    assert_string_equal(next_in(f, &o), ".");
    assert_string_equal(next_in(f, &o), "..");
    assert_string_equal(next_in(f, &o), "fourteen-bytes");
    assert_string_equal(next_in(f, &o), "last");
    assert_string_equal(next_in(f, &o), "(end)");
    file_put(f);
    assert_int_equal(file_open("/xv6/d/last", ABI_O_RDONLY, &f), 0);
    assert_null(f->ops->list); /* Linux's programs tell directories by it */
    file_put(f);
}

static void assert_cwd(const char *path) {
    char buffer[64];
    size_t bytes;
    assert_int_equal(cwd_path(buffer, sizeof(buffer), &bytes), 0);
    assert_int_equal(bytes, strlen(path) + 1);
    assert_string_equal(buffer + sizeof(buffer) - bytes, path);
    assert_int_equal(cwd_path(buffer, bytes, &bytes), 0);
    assert_int_equal(cwd_path(buffer, bytes - 1, &bytes), bytes == 2 ? 0 : -K_ERANGE);
}

static void the_directory_has_a_path(void **state) {
    t_mkdir("/xv6/d");
    t_mkdir("/xv6/d/e");
    t_mkdir("/m");
    assert_int_equal(t_chdir("/xv6/d/e"), 0);
    assert_cwd("/xv6/d/e");
    assert_int_equal(t_chdir("../.."), 0);
    assert_cwd("/xv6");
    assert_int_equal(t_chdir("/m"), 0);
    assert_cwd("/m");
    assert_int_equal(t_unlink("/m"), 0);
    char buffer[64];
    size_t bytes;
    assert_int_equal(cwd_path(buffer, sizeof(buffer), &bytes), -K_ENOENT);
    assert_int_equal(t_chdir("/"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, tmpfsenv_setup, tmpfsenv_teardown)
        T(links_are_followed),
        T(files_are_made_behind_links),
        T(too_many_links),
        T(long_names),
        T(into_and_out_of_a_mount),
        T(what_is_mounted_stays),
        T(names_of_a_disk_are_listed),
        T(the_directory_has_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
