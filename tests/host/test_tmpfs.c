/* Files and directories in memory: against a model, and with memory refused. */
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
/* sources: kernel/vfs/listing.c kernel/vfs/fifo.c kernel/tmpfs/ */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/tmpfsenv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mm/frame.h"
#include "mm/object.h"
#include "mm/pagetree.h"
#include "tmpfs/tmpfs.h"
#include "tmpfsenv.h"
#include "vfs/names.h"
#include "vfs/descriptor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a model: names in directories, and files that are bytes ---- */

#define NODES 400
#define NAMES 4
#define LARGEST (5 * PAGE_SIZE)
struct model {
    bool used, dir;
    unsigned names;   /* of a file */
    int parent, at;   /* of a directory */
    int child[NAMES]; /* 0: free */
    uint64_t size;
    uint8_t bytes[LARGEST];
};
static struct model model[NODES]; /* [1] is the root */

static int new_node(bool dir) {
    for (int i = 1; i < NODES; i++)
        if (!model[i].used) {
            memset(&model[i], 0, sizeof model[i]);
            model[i].used = true;
            model[i].dir = dir;
            return i;
        }
    fail_msg("the model is too small");
    return 0;
}

struct place {
    int dir; /* 0: a directory on the way is none, or a file */
    int name;
    int node; /* 0: free */
    char path[64];
};

static struct place random_place(void) {
    struct place p = {.dir = 1};
    for (uint64_t depth = (uint64_t[]){1, 1, 2, 2, 3}[host_random_below(5)]; depth > 0; depth--) {
        p.name = (int)host_random_below(NAMES);
        sprintf(p.path + strlen(p.path), "/%c", "abcd"[p.name]);
        p.node = p.dir && model[p.dir].dir ? model[p.dir].child[p.name] : 0;
        if (p.dir && !model[p.dir].dir)
            p.dir = 0;
        if (depth > 1)
            p.dir = p.node;
    }
    return p;
}

static bool is_dir(int n) { return n && model[n].dir; }

static bool is_empty(int dir) {
    for (int i = 0; i < NAMES; i++)
        if (model[dir].child[i])
            return false;
    return true;
}

static bool within(int dir, int n) {
    for (; dir; dir = model[dir].parent)
        if (dir == n)
            return true;
    return false;
}

static void lose(int dir, int name) {
    int n = model[dir].child[name];
    model[dir].child[name] = 0;
    model[n].used = !model[n].dir && --model[n].names > 0;
}

static void check_file(const struct place *p) {
    static uint8_t bytes[LARGEST + 1];
    int fd = t_open(p->path, ABI_O_RDONLY);
    assert_true(fd >= 0);
    if (!is_dir(p->node)) {
        assert_int_equal(t_read(fd, bytes, sizeof bytes), model[p->node].size);
        assert_memory_equal(bytes, model[p->node].bytes, model[p->node].size);
    }
    struct abi_stat st;
    assert_int_equal(t_fstat(fd, &st), 0);
    unsigned links = model[p->node].names;
    if (is_dir(p->node)) {
        links = 2;
        for (int i = 0; i < NAMES; i++)
            links += is_dir(model[p->node].child[i]);
    }
    assert_int_equal(st.nlink, links);
    assert_int_equal(t_close(fd), 0);
}

/* Memory for k promises more, k = 0, 1, 2 ... until it is enough: what was refused changed
 * nothing. */
static int64_t limited(int64_t (*fn)(void *), void *ctx) {
    for (int64_t more = 0;; more++) {
        int64_t before = fsenv_promised();
        fsenv_commit_limit = before + more;
        int64_t result = fn(ctx);
        bool refused = result == -K_ENOSPC || result == -K_ENOMEM;
        if (refused)
            assert_int_equal(fsenv_promised(), before);
        fsenv_commit_limit = 4096;
        if (!refused)
            return result;
        assert_true(more < 20);
    }
}

static int64_t do_mkdir(void *p) { return t_mkdir(p); }
static int64_t do_open(void *p) { return t_open(p, NEW); }
static int64_t do_unlink(void *p) { return t_unlink(p); }
static int64_t do_link(void *p) {
    return t_link(((struct place *)p)[0].path, ((struct place *)p)[1].path);
}
static int64_t do_rename(void *p) {
    return t_rename(((struct place *)p)[0].path, ((struct place *)p)[1].path);
}

static void enter(const struct place *p, int n) {
    model[p->dir].child[p->name] = n;
    if (model[n].dir)
        model[n].parent = p->dir;
    else
        model[n].names++;
}

static void step_mkdir(struct place *p) {
    int64_t err = limited(do_mkdir, p->path);
    assert_int_equal(err, !p->dir ? err : p->node ? -K_EEXIST : 0);
    assert_true(p->dir || err == -K_ENOENT || err == -K_ENOTDIR);
    if (!err)
        enter(p, new_node(true));
}

/* Writes, reads back, or cuts. */
struct writing {
    int fd;
    uint8_t *bytes;
    int n;
    uint64_t offset;
};

static int64_t do_write(void *ctx) {
    struct writing *w = ctx;
    t_lseek(w->fd, (int64_t)w->offset, 0);
    return t_write(w->fd, w->bytes, w->n);
}

static void change_file(int fd, struct model *m) {
    static uint8_t bytes[2 * PAGE_SIZE];
    uint64_t offset = host_random_below(LARGEST), n = host_random_below(sizeof bytes);
    if (host_random_below(3) == 0) {
        assert_int_equal(t_ftruncate(fd, offset), 0);
        if (offset < m->size)
            memset(m->bytes + offset, 0, LARGEST - offset);
        m->size = offset;
        return;
    }
    n = MIN(n, LARGEST - offset);
    for (uint64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)host_random();
    struct writing w = {fd, bytes, (int)n, offset};
    int64_t done = 0;
    for (int64_t more = 0; done < (int64_t)n; more++) { /* what fitted has been written */
        fsenv_commit_limit = fsenv_promised() + more;
        int64_t got = do_write(&w);
        fsenv_commit_limit = 4096;
        assert_true(got == -K_ENOSPC || got >= 0);
        got = MAX(got, (int64_t)0);
        done += got;
        w.bytes += got;
        w.n -= (int)got;
        w.offset += (uint64_t)got;
    }
    memcpy(m->bytes + offset, bytes, n);
    m->size = n ? MAX(m->size, offset + n) : m->size;
}

static void step_file(struct place *p) {
    int64_t fd = limited(do_open, p->path);
    if (!p->dir)
        assert_true(fd == -K_ENOENT || fd == -K_ENOTDIR);
    else if (is_dir(p->node))
        assert_int_equal(fd, -K_EEXIST);
    if (fd < 0)
        return;
    if (!p->node) {
        p->node = new_node(false);
        enter(p, p->node);
    }
    change_file((int)fd, &model[p->node]);
    assert_int_equal(t_close((int)fd), 0);
    check_file(p);
}

static void step_unlink(struct place *p) {
    int64_t err = limited(do_unlink, p->path);
    if (p->dir && p->node)
        assert_int_equal(err, is_dir(p->node) && !is_empty(p->node) ? -K_ENOTEMPTY : 0);
    else
        assert_true(err == -K_ENOENT || err == -K_ENOTDIR);
    if (!err)
        lose(p->dir, p->name);
}

static void step_link(struct place p[2]) {
    int64_t err = limited(do_link, p);
    if (p[0].dir && p[0].node && p[1].dir)
        assert_int_equal(err, is_dir(p[0].node) ? -K_EPERM : p[1].node ? -K_EEXIST : 0);
    else
        assert_true(err < 0);
    if (!err)
        enter(&p[1], p[0].node);
}

static int wanted_of_rename(const struct place p[2]) {
    if (!p[0].node)
        return -K_ENOENT;
    if (p[0].node == p[1].node)
        return 0;
    if (is_dir(p[0].node) && within(p[1].dir, p[0].node))
        return -K_EINVAL;
    if (!p[1].node)
        return 0;
    if (is_dir(p[1].node) != is_dir(p[0].node))
        return is_dir(p[1].node) ? -K_EISDIR : -K_ENOTDIR;
    return is_dir(p[1].node) && !is_empty(p[1].node) ? -K_ENOTEMPTY : 0;
}

static void step_rename(struct place p[2]) {
    int64_t err = limited(do_rename, p);
    if (!p[0].dir || !p[1].dir) {
        assert_true(err < 0);
        return;
    }
    assert_int_equal(err, wanted_of_rename(p));
    if (err || p[0].node == p[1].node)
        return;
    if (p[1].node)
        lose(p[1].dir, p[1].name);
    model[p[0].dir].child[p[0].name] = 0;
    model[p[1].dir].child[p[1].name] = p[0].node;
    if (is_dir(p[0].node))
        model[p[0].node].parent = p[1].dir;
}

static void check_tree(int dir, const char *path) {
    struct fs_dirent d[NAMES + 3];
    int64_t n = 0;
    int fd = t_open(*path ? path : "/", ABI_O_RDONLY);
    assert_true(fd >= 0);
    for (int64_t got; (got = t_read(fd, (char *)d + n, sizeof d[0])) > 0;)
        n += got;
    t_close(fd);
    int wanted = 2 + (dir == 1); /* and xv6 */
    for (int i = 0; i < NAMES; i++) {
        struct place p = {.node = model[dir].child[i]};
        if (!p.node)
            continue;
        wanted++;
        sprintf(p.path, "%s/%c", path, "abcd"[i]);
        check_file(&p);
        if (is_dir(p.node))
            check_tree(p.node, p.path);
    }
    assert_int_equal(n / (int64_t)sizeof d[0], wanted);
}

static void all_against_a_model(void **state) {
    memset(model, 0, sizeof model);
    new_node(true);
    for (int step = 0; step < 6000; step++) {
        struct place p[2] = {random_place(), random_place()};
        switch (host_random_below(7)) {
        case 0: step_mkdir(p); break;
        case 1:
        case 2: step_file(p); break;
        case 3: step_link(p); break;
        case 4: step_unlink(p); break;
        default: step_rename(p);
        }
        if (step % 50 == 0)
            check_tree(1, "");
    }
}

/* ---- files ---- */

static void a_file_with_large_holes(void **state) {
    char c = 'x';
    uint64_t end = pagetree_end() * PAGE_SIZE;
    int64_t before = fsenv_promised();
    int fd = t_open("/f", NEW);
    for (uint64_t at = 0; at < 1ULL << 37; at = at ? at * 8 : PAGE_SIZE) {
        assert_int_equal(t_lseek(fd, (int64_t)at, 0), at);
        assert_int_equal(t_write(fd, &c, 1), 1);
    }
    assert_int_equal(t_ftruncate(fd, end + 1), -K_EFBIG);
    assert_int_equal(t_lseek(fd, (int64_t)end, 0), end);
    assert_int_equal(t_write(fd, &c, 1), -K_EFBIG);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(t_ftruncate(fd, PAGE_SIZE + 1), 0);
        assert_int_equal(t_ftruncate(fd, end), 0);
        assert_int_equal(t_lseek(fd, 8 * PAGE_SIZE, 0), 8 * PAGE_SIZE);
        assert_int_equal(t_read(fd, &c, 1), 1);
        assert_int_equal(c, 0);
    }
    assert_int_equal(t_ftruncate(fd, 0), 0);
    assert_true(fsenv_promised() <= before + 3); /* records, and no table */
    t_close(fd);
}

/* A store behind the end is not seen when the file grows. */
static void bytes_behind_the_end(void **state) {
    struct object *o;
    struct file *f;
    uint8_t byte;
    t_make_file("/f", 100, 1);
    int fd = t_open("/f", NEW);
    f = fd_begin((uint64_t)fd);
    assert_int_equal(file_map(f, 1, &o), 0);
    fd_end(f);
    for (int way = 0; way < 3; way++) {
        assert_int_equal(t_ftruncate(fd, 100), 0);
        paddr_t frame = o->ops->peek(o, 0);
        ((uint8_t *)pa_ptr(frame))[150] = 7;
        frame_put(frame_single(frame));
        if (way == 0)
            assert_int_equal(t_ftruncate(fd, 300), 0);
        if (way == 1) {
            t_lseek(fd, 200, 0);
            assert_int_equal(t_write(fd, "x", 1), 1);
        }
        if (way == 2) {
            t_lseek(fd, 100, 0);
            assert_int_equal(t_write(fd, "x", 1), 1);
            assert_int_equal(t_ftruncate(fd, 300), 0);
        }
        t_lseek(fd, 150, 0);
        assert_int_equal(t_read(fd, &byte, 1), 1);
        assert_int_equal(byte, 0);
    }
    assert_int_equal(t_ftruncate(fd, 0), 0);
    assert_int_equal(o->ops->peek(o, 0).v, 0);
    object_put(o);
}

/* What faults in the middle leaves nothing behind the end. */
static void a_write_that_faults(void **state) {
    uint8_t *half = fsenv_bad - 50, byte;
    memset(half, 9, 50);
    int fd = t_open("/f", NEW);
    assert_int_equal(t_write(fd, half, 100), -K_EFAULT);
    assert_int_equal(t_ftruncate(fd, 60), 0);
    t_lseek(fd, 10, 0);
    assert_int_equal(t_read(fd, &byte, 1), 1);
    assert_int_equal(byte, 0);
}

/* ---- programs ---- */

static void run_or_written(void **state) {
    struct node *n;
    struct object *o;
    uint64_t size;
    t_make_file("/p", 5000, 1);
    assert_int_equal(path_lookup("/p", &n), 0);
    int fd = t_open("/p", ABI_O_WRONLY);
    assert_int_equal(n->ops->program->begin(n, &size), 0);
    assert_int_equal(n->ops->program->map(n, 2, &o), -K_ETXTBSY);
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(n->ops->program->map(n, 2, &o), 0);
    n->ops->program->end(n);
    assert_int_equal(t_open("/p", ABI_O_WRONLY), -K_ETXTBSY);
    assert_int_equal(t_open("/p", ABI_O_TRUNC), -K_ETXTBSY);
    assert_true(t_file_is("/p", 5000, 1));
    assert_int_equal(t_unlink("/p"), 0); /* and it is still run */
    object_put(o);
    node_put(n);
}

/* ---- directories ---- */

static void names_in_a_removed_directory(void **state) {
    assert_int_equal(t_mkdir("/d"), 0);
    t_make_file("/f", 10, 1);
    assert_int_equal(t_chdir("/d"), 0);
    assert_int_equal(t_unlink("/d"), 0);
    assert_int_equal(t_open("..", NEW), -K_ENOENT);
    assert_int_equal(t_open(".", NEW), -K_EEXIST);
    assert_int_equal(t_open("x", NEW), -K_ENOENT);
    assert_int_equal(t_link("/f", "x"), -K_ENOENT);
    assert_int_equal(t_rename("/f", "x"), -K_ENOENT);
    assert_int_equal(t_chdir("/"), 0);
    assert_int_equal(t_mkdir("/f/."), -K_ENOTDIR);
}

/* Names that come behind the place are seen, each other one once. */
static void a_list_while_names_come_and_go(void **state) {
    struct fs_dirent d;
    char name[16];
    bool seen[300] = {false};
    int fds[40];
    t_mkdir("/d");
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "/d/%d", i);
        t_make_file(name, 0, 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = t_open("/d", ABI_O_RDONLY);
    for (int n = 0; t_read(fds[20], &d, sizeof d) > 0; n++) {
        if (n < 2)
            continue;
        assert_false(seen[atoi(d.name)]);
        seen[atoi(d.name)] = true;
        snprintf(name, sizeof name, "/d/%d", n - 2);
        assert_int_equal(t_unlink(name), 0);
    }
    for (int i = 0; i < 200; i++)
        assert_true(seen[i]);
    assert_int_equal(t_unlink("/d"), 0); /* which is still listed */
    assert_int_equal(t_lseek(fds[0], 0, 0), 0);
    assert_int_equal(t_read(fds[0], &d, sizeof d), sizeof d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, tmpfsenv_setup, tmpfsenv_teardown)
        T(all_against_a_model),
        T(a_file_with_large_holes),
        T(bytes_behind_the_end),
        T(a_write_that_faults),
        T(run_or_written),
        T(names_in_a_removed_directory),
        T(a_list_while_names_come_and_go),
    };
    host_random_seed(20261127);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
