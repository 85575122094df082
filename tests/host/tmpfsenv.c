/* A file system in memory as the root, on the host: see tmpfsenv.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tmpfsenv.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/rmap.h"
#include "proc/clock.h"
#include "tmpfs/tmpfs.h"
#include "vfs/mount.h"
#include "vfs/listing.h"
#include "vfs/names.h"
#include <stdio.h>
#include <string.h>

/* ---- what it needs from below, besides fsenv.c ---- */

paddr_t frame_take_zeroed(void) {
    paddr_t frame = frame_take();
    memset(pa_ptr(frame), 0, PAGE_SIZE);
    return frame;
}

void frame_put_zeroed(paddr_t pa) {
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(((char *)pa_ptr(pa))[i], 0);
    assert_true(frame_put(frame_single(pa)));
}

/* Promised by whoever makes a tree. */
static int table_take(paddr_t *table) {
    *table = frame_take_zeroed();
    return 0;
}
static void table_give(paddr_t table, bool zeroed) { frame_put(frame_single(table)); }
const struct pt_memory pt_frames = {table_take, table_give};

size_t str_copy(char *dst, const char *src, size_t size) {
    return (size_t)snprintf(dst, size, "%s", src);
}

const char *elf_name(const struct object *o, uint64_t perm) { return "program"; }

uint64_t clock_date(void) { return 1; }

void frame_stats(struct frame_stats *out) { *out = (struct frame_stats){.total = 100, .free = 40}; }

void rmap_init(struct rmap *r) { spin_init(&r->lock, RANK_RMAP); }
bool rmap_may_write_locked(const struct rmap *r) { return r->writable > 0; }
int rmap_forbid_stores(struct rmap *r, struct object *o, int err) { return 0; }

void (*tmpfsenv_taken_away)(uint64_t first, uint64_t pages);
void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages) {
    if (tmpfsenv_taken_away)
        tmpfsenv_taken_away(first, pages);
}

/* ---- the root ---- */

static int64_t promised_before, promised_empty;

int tmpfsenv_setup(void **state) {
    struct node *root;
    fsenv_setup(state);
    struct node *disk = node_root();
    tmpfsenv_taken_away = NULL;
    assert_int_equal(tmpfs_boot_init(fsenv_ram), 0);
    promised_before = fsenv_promised();
    assert_int_equal(tmpfs_create(2, 0755, &root), 0);
    node_set_root(root);
    assert_int_equal(t_mkdir("/xv6"), 0);
    struct node *dir;
    assert_int_equal(path_lookup("/xv6", &dir), 0);
    assert_int_equal(mount_add(dir, disk, "xv6", "disk", 0), 0);
    node_put(dir);
    promised_empty = fsenv_promised();
    return 0;
}

/* The first name that may go, whole. */
struct first {
    unsigned passed;
    bool found;
    char name[256];
};

static bool note(void *ctx, const struct listed *l) {
    struct first *f = ctx;
    if (f->passed++ < 2 || (l->length == 3 && !memcmp(l->name, "xv6", 3)))
        return true;
    f->found = true;
    memcpy(f->name, l->name, l->length);
    f->name[l->length] = '\0';
    return false;
}

static struct first first_in(struct node *dir) {
    struct first first = {.passed = 0};
    struct file *f;
    assert_int_equal(file_alloc(&f), 0);
    assert_int_equal(dir->ops->open(node_get(dir), ABI_O_RDONLY, f), 0);
    assert_int_equal(f->ops->list(f, note, &first), 0);
    file_put(f);
    return first;
}

/* Removes all that is below a directory. */
static void empty(struct node *dir) {
    struct first f;
    struct node *n;
    while ((f = first_in(dir)).found) {
        struct name name = {f.name, strlen(f.name)};
        assert_int_equal(dir->ops->step(dir, &name, &n), 0);
        if (!node_must_be_dir(n))
            empty(n);
        node_put(n);
        assert_int_equal(dir->ops->unlink(dir, &name), 0);
    }
}

void tmpfsenv_empty(void) {
    fsenv_commit_limit = 4096;
    empty(node_root());
    assert_int_equal(fsenv_promised(), promised_empty);
}

int tmpfsenv_teardown(void **state) {
    struct node *root = node_root(), *disk;
    proc_files_drop(proc_self());
    tmpfsenv_empty();
    assert_int_equal(path_lookup("/xv6", &disk), 0);
    assert_int_equal(mount_remove(disk, true), 0);
    assert_int_equal(t_unlink("/xv6"), 0);
    node_set_root(disk);
    node_put(root);
    assert_int_equal(fsenv_promised(), promised_before);
    return fsenv_teardown(state);
}
