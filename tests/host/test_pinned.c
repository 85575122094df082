/* What the log pins of a file is written without being looked up again (inode.h, pinned): no longer
 * than it is the file's, and than the transaction runs. */
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
#include "fs/log.h"
#include "fsenv.h"
#include <stdio.h>
#include <string.h>

/* ---- files that are cut and written again, with few commits in between ---- */

#define FILES 3
#define SIZE_MAX_ (40 * 1024)
#define STEPS 3000

static struct model {
    char path[4];
    int fd;
    size_t size;
    uint8_t bytes[SIZE_MAX_];
} model[FILES];

static uint8_t buf[SIZE_MAX_ + 1];

static void write_some(struct model *m) {
    size_t at = host_random_below(3) ? m->size : host_random_below(m->size + 1);
    size_t n = 1 + host_random_below(host_random_below(4) ? 1500 : 9000);
    n = MIN(n, SIZE_MAX_ - at);
    for (size_t i = 0; i < n; i++)
        m->bytes[at + i] = (uint8_t)host_random();
    m->size = MAX(m->size, at + n);
    assert_int_equal(t_lseek(m->fd, (int64_t)at, 0), at);
    assert_int_equal(t_write(m->fd, m->bytes + at, (int)n), n);
}

static void cut(struct model *m) {
    m->size = host_random_below(2) ? 0 : host_random_below(m->size + 1);
    assert_int_equal(t_ftruncate(m->fd, m->size), 0);
}

/* The name becomes another file's, often with the same number. */
static void make_again(struct model *m) {
    if (m->fd >= 0)
        assert_int_equal(t_close(m->fd), 0);
    t_unlink(m->path);
    m->fd = t_open(m->path, NEW);
    assert_true(m->fd >= 0);
    m->size = 0;
}

static void is_as_the_model(struct model *m) {
    assert_int_equal(t_lseek(m->fd, 0, 0), 0);
    assert_int_equal(t_read(m->fd, buf, sizeof buf), m->size);
    assert_memory_equal(buf, m->bytes, m->size);
}

static void cut_and_written_again(void **state) {
    for (int i = 0; i < FILES; i++) {
        snprintf(model[i].path, sizeof model[i].path, "/%c", 'a' + i);
        model[i].fd = -1;
        make_again(&model[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        struct model *m = &model[host_random_below(FILES)];
        switch (host_random_below(16)) {
        case 0: cut(m); break;
        case 1: make_again(m); break;
        case 2: is_as_the_model(m); break;
        default: write_some(m);
        }
        if (step % 100 == 99) {
            fsenv_check();
            for (int i = 0; i < FILES; i++)
                is_as_the_model(&model[i]);
        }
    }
    fsenv_remount();
    for (int i = 0; i < FILES; i++) {
        model[i].fd = t_open(model[i].path, ABI_O_RDWR);
        is_as_the_model(&model[i]);
        t_close(model[i].fd);
    }
}

/* The indirect block is another file's when its first owner gets a new one. */
static void a_new_indirect_block(void **state) {
    static uint8_t bytes[13 * 1024];
    int fd = t_open("/a", NEW), other = t_open("/b", NEW);
    for (int round = 0; round < 3; round++) {
        memset(bytes, 'a' + round, sizeof bytes);
        assert_int_equal(t_lseek(fd, 0, 0), 0);
        assert_int_equal(t_write(fd, bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(t_ftruncate(fd, 0), 0);
        assert_int_equal(t_write(other, bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(t_lseek(fd, 0, 0), 0);
        assert_int_equal(t_write(fd, bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(t_read(fd, buf, 1), 0);
        assert_int_equal(t_lseek(fd, 0, 0), 0);
        assert_int_equal(t_read(fd, buf, sizeof buf), sizeof bytes);
        assert_memory_equal(buf, bytes, sizeof bytes);
    }
    fsenv_check();
    assert_int_equal(t_close(fd), 0);
    assert_int_equal(t_close(other), 0);
}

/* ---- an inode's place in memory becomes another's in the same transaction ---- */

#define MANY 2000 /* more than there are places */

static const char *name_of(int i, char c) {
    static char name[16];
    snprintf(name, sizeof name, "/%c%d", c, i);
    return name;
}

static void link_again(int i) {
    char old[16];
    strcpy(old, name_of(i, 'f'));
    assert_int_equal(t_link(old, name_of(i, 'g')), 0);
}

static void another_inode_in_its_place(void **state) {
    fsenv_fresh(4000, 255, MANY + 20);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(t_close(t_open(name_of(i, 'f'), NEW)), 0);
    assert_int_equal(t_sync(), 0);
    for (int i = 0; i < 20; i++)
        link_again(i); /* their blocks are pinned */
    for (int i = 20; i < MANY; i++)
        assert_int_equal(t_close(t_open(name_of(i, 'f'), ABI_O_RDONLY)), 0);
    for (int i = MANY - 700; i < MANY; i++)
        link_again(i); /* some are where one of the first was */
    fsenv_check();
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fsenv_setup, fsenv_teardown)
        T(cut_and_written_again),
        T(a_new_indirect_block),
        T(another_inode_in_its_place),
    };
    host_random_seed(20240607);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
