/* Files and directories in memory, by many processes at once. */
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

/* ---- a page is shown while the file is cut ---- */

static struct object *shown;
static bool showing, cut; /* atomic */

static int show_slowly(void *ctx, const paddr_t *frame, unsigned n) {
    __atomic_store_n(&showing, true, __ATOMIC_RELEASE);
    while (!kstub_sleeps(kstub_proc(2)) && !__atomic_load_n(&cut, __ATOMIC_ACQUIRE))
        continue; /* who cuts waits */
    assert_false(__atomic_load_n(&cut, __ATOMIC_ACQUIRE));
    assert_true(frame_refs(*frame) > 1);
    return 0;
}

static void note_cut(uint64_t first, uint64_t pages) {
    __atomic_store_n(&cut, true, __ATOMIC_RELEASE);
}

static void show_or_cut(unsigned i) {
    if (i == 0) {
        assert_int_equal(shown->ops->page(shown, 1, 1, false, show_slowly, NULL), 0);
        return;
    }
    while (!__atomic_load_n(&showing, __ATOMIC_ACQUIRE))
        continue;
    int fd = t_open("/f", NEW | ABI_O_TRUNC);
    assert_true(fd >= 0);
    t_close(fd);
}

static void a_page_is_shown_while_it_is_cut(void **state) {
    t_make_file("/f", 2 * PAGE_SIZE, 1);
    int fd = t_open("/f", ABI_O_RDONLY);
    struct file *f = fd_begin((uint64_t)fd);
    assert_int_equal(file_map(f, 2, &shown), 0);
    fd_end(f);
    showing = cut = false;
    tmpfsenv_taken_away = note_cut;
    kstub_parallel(2, show_or_cut);
    assert_true(cut);
    assert_int_equal(shown->ops->page(shown, 1, 1, false, show_slowly, NULL), -K_ENXIO);
    object_put(shown);
}

/* ---- many at once ---- */

static uint64_t next(uint64_t *state) {
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void churn(unsigned i) {
    static const char *const paths[] = {"/a", "/b", "/d", "/d/a", "/d/d", "/d/d/a", "/d/d/d", "/e"};
    uint64_t random = i + 1;
    uint8_t buf[9000];
    struct fs_dirent d[20];
    memset(buf, (int)i, sizeof buf);
    for (int step = 0; step < 3000; step++) {
        const char *a = paths[next(&random) % ARRAY_LEN(paths)];
        const char *b = paths[next(&random) % ARRAY_LEN(paths)];
        int fd;
        switch (next(&random) % 8) {
        case 0:
            fd = t_open(a, NEW | (next(&random) % 2 ? ABI_O_TRUNC : 0));
            if (fd >= 0) {
                t_write(fd, buf, (int)(next(&random) % sizeof buf));
                t_lseek(fd, 0, 0);
                t_read(fd, buf, sizeof buf);
                t_ftruncate(fd, next(&random) % 6000);
                t_close(fd);
            }
            break;
        case 1:
        case 2: t_mkdir(a); break;
        case 3: t_unlink(a); break;
        case 4: t_link(a, b); break;
        case 5: t_rename(a, b); break;
        case 6: (void)!t_chdir(a); break;
        default:
            fd = t_open(a, ABI_O_RDONLY);
            if (fd >= 0) {
                t_read(fd, d, sizeof d);
                t_close(fd);
            }
        }
    }
    proc_files_drop(proc_self());
}

static void all_calls_at_once(void **state) { kstub_parallel(4, churn); }

static void one_file(unsigned i) {
    static const uint8_t ones[3 * PAGE_SIZE] = {[0 ... 3 * PAGE_SIZE - 1] = 1};
    uint8_t buf[3 * PAGE_SIZE];
    int fd = t_open("/f", NEW);
    for (int step = 0; step < 300; step++) {
        t_lseek(fd, 0, 0);
        if (i % 2)
            t_write(fd, ones, sizeof ones);
        else
            t_ftruncate(fd, (uint64_t)step % 3 * 2000);
        t_lseek(fd, 0, 0);
        int64_t n = t_read(fd, buf, sizeof buf);
        for (int64_t k = 0; k < n; k++)
            assert_true(buf[k] <= 1);
    }
    t_close(fd);
    proc_files_drop(proc_self());
}

static void one_file_by_many(void **state) { kstub_parallel(4, one_file); }

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, tmpfsenv_setup, tmpfsenv_teardown)
        T(a_page_is_shown_while_it_is_cut),
        T(all_calls_at_once),
        T(one_file_by_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
