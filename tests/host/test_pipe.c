/* Pipes: bytes through the ring, both ends, errors, processes that are killed. */
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
#include "fsenv.h"
#include "vfs/pipe.h"
#include "vfs/poll.h"
#include <sched.h>
#include <string.h>

#define TOTAL 400000

static uint8_t data[TOTAL], got[TOTAL];
static int64_t frames_before;

static int setup(void **state) {
    fsenv_commit_limit = 4096;
    fsenv_fresh(200, 30, 20);
    frames_before = fsenv_frames_used;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    memset(got, 0, sizeof got);
    return 0;
}

static int teardown(void **state) {
    struct fs_stats stats;
    proc_files_drop(proc_self());
    fs_stats(&stats);
    assert_int_equal(stats.files_open, 0);
    assert_int_equal(fsenv_frames_used, frames_before); /* pitfall: frames leak */
    fsenv_commit_limit = fsenv_promised() + 1 + 2;      /* the records of files, a pipe */
    int fd[2];
    assert_int_equal(t_pipe(fd), 0); /* and so does what was promised */
    assert_int_equal(t_pipe(fd), -K_ENOMEM);
    proc_files_drop(proc_self());
    return 0;
}

/* The processes of a test share these two files. */
static struct file *reader, *writer;

static void share(int fd[2]) {
    reader = fd_begin((uint64_t)fd[0]);
    writer = fd_begin((uint64_t)fd[1]);
}

static void take(struct file *f, int fd) { fd_open(fd, file_get(f), false); }

/* ---- one process ---- */

static void bytes_come_out_as_they_went_in(void **state) {
    int fd[2];
    size_t in = 0, out = 0;
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(fd[0], 0);
    assert_int_equal(fd[1], 1);
    while (out < sizeof data) {
        size_t n = MIN(host_random_below(6000) + 1, sizeof data - in);
        n = MIN(n, PIPE_SIZE - (in - out));
        assert_int_equal(t_write(fd[1], data + in, (int)n), n);
        in += n;
        if (in == out)
            continue;
        size_t m = host_random_below(7000) + 1;
        int64_t r = t_read(fd[0], got + out, (int)MIN(m, sizeof got - out));
        assert_int_equal(r, MIN(m, in - out));
        out += (size_t)r;
    }
    assert_memory_equal(data, got, sizeof data);
}

static void a_full_pipe_is_64_kib(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(t_write(fd[1], data, PIPE_SIZE), PIPE_SIZE);
    assert_int_equal(t_read(fd[0], got, TOTAL), PIPE_SIZE);
    assert_memory_equal(data, got, PIPE_SIZE);
}

static void the_ends_are_ends(void **state) {
    int fd[2];
    struct abi_stat st;
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(t_write(fd[0], data, 1), -K_EBADF);
    assert_int_equal(t_read(fd[1], got, 1), -K_EBADF);
    assert_int_equal(t_fstat(fd[0], &st), -K_EINVAL);
    assert_int_equal(t_lseek(fd[0], 0, 0), -K_ESPIPE);
    assert_int_equal(t_ftruncate(fd[1], 0), -K_EINVAL);
    assert_int_equal(t_write(fd[1], data, 10), 10);
    assert_int_equal(t_close(fd[1]), 0);
    assert_int_equal(t_read(fd[0], got, 100), 10); /* what is left, then the end */
    assert_int_equal(t_read(fd[0], got, 100), 0);
    assert_int_equal(t_read(fd[0], got, 100), 0);
    assert_int_equal(t_close(fd[0]), 0);
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(t_close(fd[0]), 0);
    assert_int_equal(t_write(fd[1], data, 1), -K_EPIPE);
    assert_int_equal(t_pipe((int *)(void *)fsenv_bad), -K_EFAULT);
    assert_int_equal(t_dup(fd[1]), fd[0]); /* nothing of that pipe is left open */
}

/* Pitfall 20. */
static void bad_pointers(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(t_write(fd[1], fsenv_bad, 1), -K_EFAULT);
    assert_int_equal(t_write(fd[1], fsenv_bad - 10, 20), -K_EFAULT); /* one frame: nothing */
    assert_int_equal(t_write(fd[1], (void *)UINT64_MAX, 20), -K_EFAULT);
    memcpy(fsenv_bad - 4096, data, 4096);
    /* The first frame's bytes are moved, then comes the bad page. */
    assert_int_equal(t_write(fd[1], fsenv_bad - 4096, 8000), 4096);
    assert_int_equal(t_read(fd[0], fsenv_bad, 10), -K_EFAULT);
    assert_int_equal(t_read(fd[0], got, 10), 10);
    assert_int_equal(t_read(fd[0], got + 10, TOTAL - 10), 4086);
    assert_memory_equal(got, data, 4096);
    assert_int_equal(t_write(fd[1], data, 5), 5); /* the pipe still works */
    assert_int_equal(t_read(fd[0], got, 9), 5);
}

static void no_memory_for_a_pipe(void **state) {
    int fd[2];
    fsenv_commit_limit = fsenv_promised() + 1 + 1;
    assert_int_equal(t_pipe(fd), -K_ENOMEM);
    fsenv_commit_limit = 4096;
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(fd[0], 0);
}

/* Frames are promised when they are needed, and given back when the pipe is empty. */
static void an_idle_pipe_is_small(void **state) {
    int fd[2];
    int64_t promised = fsenv_promised();
    assert_int_equal(t_pipe(fd), 0);
    assert_int_equal(fsenv_promised(), promised + 1 + 2); /* the records of files, and the pipe */
    assert_int_equal(t_write(fd[1], data, PIPE_SIZE), PIPE_SIZE);
    assert_int_equal(fsenv_promised(), promised + 1 + 16);
    assert_int_equal(t_read(fd[0], got, TOTAL), PIPE_SIZE);
    assert_int_equal(fsenv_promised(), promised + 1 + 4);
    /* One that is never empty goes round with two. */
    assert_int_equal(t_write(fd[1], data, 100), 100);
    for (size_t at = 100; at < TOTAL - 2000; at += 2000) {
        assert_int_equal(t_write(fd[1], data + at, 2000), 2000);
        assert_int_equal(t_read(fd[0], got + at - 100, 2000), 2000);
    }
    assert_int_equal(fsenv_promised(), promised + 1 + 4);
    assert_memory_equal(got, data, TOTAL - 4000);
}

/* A pipe is full with what there is memory for, and never with less than can be written as a
 * whole; and there is more again when half has been read. */
static void memory_is_refused(void **state) {
    int fd[2];
    size_t in = 0, out = 0;
    assert_int_equal(t_pipe(fd), 0);
    struct file *w = fd_begin((uint64_t)fd[1]);
    file_set_flags(w, ABI_O_NONBLOCK);
    fsenv_commit_limit = fsenv_promised();
    assert_int_equal(t_write(fd[1], data, 1), 1);
    while (in < 100000) { /* at every distance from the borders of frames */
        int64_t n = t_write(fd[1], data + 1 + in, 2500);
        if (n == -K_EAGAIN) {
            assert_true(1 + in - out + 2500 > PIPE_ATOMIC); /* not earlier, and nothing of it */
            assert_int_equal(file_ready(w, NULL), 0);
            assert_int_equal(t_read(fd[0], got + out, 1500), 1500);
            out += 1500;
        } else {
            assert_int_equal(n, 2500);
            in += 2500;
        }
    }
    assert_memory_equal(got, data, out);
    assert_int_equal(fsenv_promised(), fsenv_commit_limit);
    fsenv_commit_limit = 4096;
    assert_int_equal(t_read(fd[0], got + out, TOTAL), 1 + in - out);
    assert_memory_equal(got, data, 1 + in);
    assert_int_equal(t_write(fd[1], data, TOTAL), PIPE_SIZE);
    fd_end(w);
}

/* ---- processes ---- */

static void pump(unsigned i) {
    if (i == 0) {
        take(writer, 5);
        for (size_t at = 0; at < TOTAL;) {
            size_t n = MIN(host_random_below(60000) + 1, (uint64_t)TOTAL - at);
            assert_int_equal(t_write(5, data + at, (int)n), n);
            at += n;
        }
    } else {
        take(reader, 5);
        for (size_t at = 0; at < TOTAL;) {
            int64_t n = t_read(5, got + at, (int)MIN((at % 9000) + 1, TOTAL - at));
            assert_true(n > 0);
            at += (size_t)n;
        }
    }
    t_close(5);
}

static void a_writer_and_a_reader(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    share(fd);
    kstub_parallel(2, pump);
    assert_memory_equal(data, got, TOTAL);
}

/* Each write's bytes stay together, however many write. */
#define RECORD 700
static void many_writers(unsigned i) {
    if (i < 3) {
        uint8_t record[RECORD];
        memset(record, (int)i + 1, sizeof record);
        take(writer, 5);
        for (int k = 0; k < 100; k++)
            assert_int_equal(t_write(5, record, RECORD), RECORD);
    } else {
        take(reader, 5);
        for (size_t at = 0; at < 300 * RECORD;) {
            int64_t n = t_read(5, got + at, 1111);
            assert_true(n > 0);
            at += (size_t)n;
        }
    }
    t_close(5);
}

static void writes_stay_together(void **state) {
    int fd[2], count[4] = {0};
    assert_int_equal(t_pipe(fd), 0);
    share(fd);
    kstub_parallel(4, many_writers);
    for (size_t at = 0; at < 300 * RECORD; at += RECORD) {
        for (size_t k = 1; k < RECORD; k++)
            assert_int_equal(got[at + k], got[at]);
        count[got[at]]++;
    }
    assert_true(count[1] == 100 && count[2] == 100 && count[3] == 100);
}

/* A writer that is behind by one byte goes on when that byte has room: it may have
 * something else to say to the reader. */
static void one_byte_too_many(unsigned i) {
    if (i == 0) {
        take(writer, 5);
        assert_int_equal(t_write(5, data, PIPE_SIZE + 1), PIPE_SIZE + 1);
    } else {
        take(reader, 5);
        kstub_until_asleep(kstub_proc(1));
        assert_int_equal(t_read(5, got, 1), 1);
        while (__atomic_load_n(&writer->refs, __ATOMIC_ACQUIRE) > 1)
            sched_yield(); /* for ever, if it is not woken */
    }
    t_close(5);
}

static void room_for_the_rest_wakes_the_writer(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    share(fd);
    kstub_parallel(2, one_byte_too_many);
}

static void blocked_reader(unsigned i) {
    if (i == 0) {
        take(reader, 5);
        assert_int_equal(t_read(5, got, 10), -K_EINTR);
        t_close(5);
    } else {
        kstub_until_asleep(kstub_proc(1));
        kstub_kill(kstub_proc(1));
    }
}

static void blocked_writer(unsigned i) {
    if (i == 0) {
        take(writer, 5);
        assert_int_equal(t_write(5, data, TOTAL), PIPE_SIZE); /* these were moved */
        assert_int_equal(t_write(5, data, 10), -K_EINTR);
        t_close(5);
    } else {
        kstub_until_asleep(kstub_proc(1));
        kstub_kill(kstub_proc(1));
    }
}

static void killed_while_waiting(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    share(fd);
    kstub_parallel(2, blocked_reader);
    kstub_parallel(2, blocked_writer);
}

static void closed_while_waiting(unsigned i) {
    if (i == 0) {
        take(writer, 5);
        assert_int_equal(t_write(5, data, TOTAL), PIPE_SIZE);
        assert_int_equal(t_write(5, data, 1), -K_EPIPE);
        t_close(5);
    } else {
        kstub_until_asleep(kstub_proc(1));
        file_put(reader);
    }
}

static void the_reader_goes_away(void **state) {
    int fd[2];
    assert_int_equal(t_pipe(fd), 0);
    share(fd);
    struct file *closed; /* by the other process */
    assert_int_equal(fd_take((uint64_t)fd[0], &closed), 0);
    assert_ptr_equal(closed, reader);
    kstub_parallel(2, closed_while_waiting);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(bytes_come_out_as_they_went_in),
        T(a_full_pipe_is_64_kib),
        T(the_ends_are_ends),
        T(bad_pointers),
        T(no_memory_for_a_pipe),
        T(an_idle_pipe_is_small),
        T(memory_is_refused),
        T(a_writer_and_a_reader),
        T(writes_stay_together),
        T(room_for_the_rest_wakes_the_writer),
        T(killed_while_waiting),
        T(the_reader_goes_away),
    };
    host_random_seed(5);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
