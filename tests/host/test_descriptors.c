/* Descriptors that several threads use: harts that are all the same process. */
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
#include "vfs/descriptor.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fsenv.h"
#include "syscall/syscall.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define THREADS 4
#define ROUNDS 20000

/* ---- files whose objects are of the host's heap: the sanitizer sees a use after the close */

static uint64_t opened, closed;
static void (*in_read)(struct file *f); /* what another thread does meanwhile */

static int counted_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    uint64_t *uses = f->object;
    if (in_read)
        in_read(f);
    __atomic_add_fetch(uses, 1, __ATOMIC_RELAXED);
    *done = n;
    return 0;
}

static void counted_close(struct file *f) {
    __atomic_add_fetch(&closed, 1, __ATOMIC_RELAXED);
    free(f->object);
}

static const struct file_ops counted = {.read = counted_read, .close = counted_close};

static struct file *make(void) {
    struct file *f;
    assert_int_equal(file_alloc(&f), 0);
    f->ops = &counted;
    f->object = calloc(1, sizeof(uint64_t));
    f->readable = true;
    __atomic_add_fetch(&opened, 1, __ATOMIC_RELAXED);
    return f;
}

static int setup(void **state) {
    opened = closed = 0;
    in_read = NULL;
    return fsenv_setup(state);
}

static int teardown(void **state) {
    proc_files_drop(proc_self());
    assert_int_equal(closed, opened);
    return fsenv_teardown(state);
}

static void close_it(struct file *f) {
    struct file *taken;
    assert_int_equal(fd_take(3, &taken), 0);
    assert_ptr_equal(taken, f);
    file_put(taken);
    assert_int_equal(closed, 0); /* the reader has it */
}

static void replace_it(struct file *f) {
    struct file *before;
    assert_int_equal(fd_replace(3, make(), false, &before), 0);
    assert_ptr_equal(before, f);
    file_put(before);
    assert_int_equal(closed, 0);
}

static void open_at_three(void) {
    int fd;
    assert_int_equal(fd_reserve(3, &fd), 0);
    assert_int_equal(fd, 3);
    fd_open(fd, make(), false);
}

static void closed_while_read(void **state) {
    uint8_t byte;
    fd_share();
    open_at_three();
    in_read = close_it;
    assert_int_equal(t_read(3, &byte, 1), 1);
    assert_int_equal(closed, 1);
    assert_int_equal(t_read(3, &byte, 1), -K_EBADF);
}

static void replaced_while_read(void **state) {
    uint8_t byte;
    fd_share();
    open_at_three();
    in_read = replace_it;
    assert_int_equal(t_read(3, &byte, 1), 1);
    assert_int_equal(closed, 1);
}

static void marked_for_exec(void **state) {
    bool on_exec;
    fd_share();
    open_at_three();
    assert_int_equal(fd_on_exec(3, &on_exec), 0);
    assert_false(on_exec);
    assert_int_equal(fd_set_on_exec(3, true), 0);
    assert_int_equal(fd_on_exec(3, &on_exec), 0);
    assert_true(on_exec);
    assert_int_equal(fd_set_on_exec(4, true), -K_EBADF);
    fd_exec();
    assert_int_equal(closed, 1);
}

/* What one thread is about to open is neither open nor free for the others. */
static void reserved_is_taken(void **state) {
    int fd, other;
    uint8_t byte;
    struct file *f = make(), *before;
    fd_share();
    assert_int_equal(fd_reserve(0, &fd), 0);
    assert_int_equal(fd_reserve(0, &other), 0);
    assert_int_equal(other, fd + 1);
    assert_int_equal(t_read(fd, &byte, 1), -K_EBADF);
    assert_int_equal(t_close(fd), -K_EBADF);
    assert_int_equal(fd_replace(fd, f, false, &before), -K_EBUSY);
    fd_unreserve(fd);
    assert_int_equal(fd_replace(fd, f, false, &before), 0);
    assert_null(before);
    fd_unreserve(other);
    struct proc *child = kstub_proc(1);
    assert_int_equal(fd_reserve(100, &other), 0);
    assert_int_equal(proc_files_clone(child, proc_self()), 0);
    fd_unreserve(other);
    assert_int_equal(child->fds.first.used, 1);
    assert_int_equal(child->fds.more[0]->used, 0); /* nobody there is about to open it */
    proc_files_drop(child);
}

/* ---- several at once ---- */

static pthread_mutex_t dice = PTHREAD_MUTEX_INITIALIZER;

static uint64_t roll(uint64_t n) {
    pthread_mutex_lock(&dice);
    uint64_t x = host_random_below(n);
    pthread_mutex_unlock(&dice);
    return x;
}

static void take_and_put(uint64_t fd) {
    struct file *f;
    if (fd_take(fd, &f) == 0)
        file_put(f);
}

static void open_one(bool on_exec) {
    int fd;
    if (fd_reserve((int)roll(200), &fd))
        return;
    if (roll(4) == 0)
        fd_unreserve(fd);
    else
        fd_open(fd, make(), on_exec);
}

static void replace_one(int fd) {
    struct file *f = make(), *before = NULL;
    int err = fd_replace(fd, f, false, &before);
    assert_true(err == 0 || err == -K_EBUSY);
    if (err)
        file_put(f);
    else if (before)
        file_put(before);
}

static void use_one(uint64_t fd) {
    uint8_t byte;
    const uint64_t arg[6] = {fd, (uint64_t)&byte, 1};
    uint64_t result;
    int err = sys_read(arg, &result);
    assert_true(err == 0 || err == -K_EBADF);
}

static void fork_one(unsigned i) {
    struct proc *child = kstub_proc(i + 1); /* nobody else's */
    assert_int_equal(proc_files_clone(child, proc_self()), 0);
    proc_files_drop(child);
}

static void change_directory(void) {
    struct inode *ip;
    struct node *before = place_get(PLACE_CURRENT);
    if (before)
        node_put(before);
    assert_int_equal(inode_get(1 + (uint32_t)roll(8), &ip), 0);
    before = place_replace(PLACE_CURRENT, &ip->node);
    if (before)
        node_put(before);
}

static void anything(unsigned i) {
    hart_self()->proc = kstub_proc(0); /* all are threads of it */
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t fd = roll(140);
        switch (roll(9)) {
        case 0:
        case 1: open_one(fd & 1); break;
        case 2: take_and_put(fd); break;
        case 3: replace_one((int)fd); break;
        case 4: change_directory(); break;
        case 5:
            if (roll(20) == 0)
                fork_one(i);
            break;
        default: use_one(fd);
        }
    }
}

/* Few numbers, so that they meet. The lock's absence shows in any order: whoever reaches what it
 * guards asserts it (expect_lock). In the end all is closed once, and nothing is left (teardown).
 */
static void all_at_once(void **state) {
    fd_share();
    kstub_parallel(THREADS, anything);
    fd_exec();
    assert_false(proc_self()->fds.shared);
    assert_true(closed < opened);
}

/* ---- a process of one thread, and another one that looks ---- */

static bool is_open, taken; /* atomic */

static void take_while_looked_at(unsigned i) {
    struct file *f;
    struct fdtable *t = &kstub_proc(1)->fds;
    if (i == 0) {
        fd_open(3, make(), false);
        while (!__atomic_load_n(&is_open, __ATOMIC_ACQUIRE)) /* and the lock is held */
            sched_yield();
        assert_int_equal(fd_take(3, &f), 0);
        __atomic_store_n(&taken, true, __ATOMIC_RELEASE);
        file_put(f);
        return;
    }
    uint64_t fd = 0, result = 0;
    while (fd_of_process(1, &fd, &f))
        fd = 0;
    assert_int_equal(fd, 3);
    assert_int_equal(file_read(f, UA(0), 1, &result), 0);
    file_put(f);
    assert_ptr_equal(proc_lock_files(1), t);
    __atomic_store_n(&is_open, true, __ATOMIC_RELEASE);
    while (__atomic_load_n(&t->first.file[3], __ATOMIC_ACQUIRE))
        sched_yield();
    for (int k = 0; k < 1000; k++)
        sched_yield();
    assert_false(__atomic_load_n(&taken, __ATOMIC_ACQUIRE)); /* the file is there to be looked at */
    spin_unlock(&t->lock);
}

static void looked_at_from_outside(void **state) {
    is_open = taken = false;
    kstub_parallel(2, take_while_looked_at);
    assert_true(taken);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(closed_while_read), T(replaced_while_read), T(marked_for_exec),
        T(reserved_is_taken), T(all_at_once),         T(looked_at_from_outside),
    };
    host_random_seed(20261126);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
