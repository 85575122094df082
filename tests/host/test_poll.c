/* Waiting for several pipes at once: no change is missed, whatever comes between the look and the
 * sleep. */
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
/* sources: kernel/vfs/poll.c kernel/proc/watch.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fs/fs.h"
#include "fsenv.h"
#include "vfs/descriptor.h"
#include "vfs/pipe.h"
#include "vfs/poll.h"
#include <sched.h>
#include <string.h>

/* ---- time ---- */

static bool rang[KSTUB_PROCS]; /* atomic; by process */
static uint64_t alarm_at[KSTUB_PROCS];

static unsigned me(void) {
    for (unsigned i = 0; i < KSTUB_PROCS; i++)
        if (kstub_proc(i) == proc_self())
            return i;
    fail();
    return 0;
}

void clock_set_alarm(uint64_t when) { alarm_at[me()] = when; }
bool clock_alarm_rang(void) { return __atomic_load_n(&rang[me()], __ATOMIC_ACQUIRE); }
bool clock_end_alarm(void) { return __atomic_exchange_n(&rang[me()], false, __ATOMIC_ACQ_REL); }

/* ---- pipes ---- */

#define PIPES 3
static struct file *reader[PIPES], *writer[PIPES];

static int setup(void **state) {
    fsenv_commit_limit = 4096;
    fsenv_fresh(200, 30, 20);
    memset(rang, 0, sizeof rang);
    for (unsigned i = 0; i < PIPES; i++)
        assert_int_equal(pipe_create(&reader[i], &writer[i]), 0);
    return 0;
}

static int teardown(void **state) {
    struct fs_stats stats;
    for (unsigned i = 0; i < PIPES; i++) {
        file_put(reader[i]);
        if (writer[i])
            file_put(writer[i]);
    }
    fs_stats(&stats);
    assert_int_equal(stats.files_open, 0); /* none of the waits has kept one */
    return 0;
}

static int move(struct file *f, size_t n, bool out) {
    static uint8_t bytes[PIPES * 2][70000]; /* what they are is another test's */
    size_t done;
    uaddr_t at = {(uint64_t)bytes[me() % (PIPES * 2)]};
    int err = out ? file_write(f, at, n, &done) : file_read(f, at, n, &done);
    return err ? err : (int)done;
}

/* ---- one thread ---- */

static unsigned look(struct file *f) { return file_ready(f, NULL); }

static void what_pipes_are(void **state) {
    assert_int_equal(look(reader[0]), 0);
    assert_int_equal(look(writer[0]), READY_WRITABLE);
    assert_int_equal(move(writer[0], 1, true), 1);
    assert_int_equal(look(reader[0]), READY_READABLE);
    assert_int_equal(move(writer[0], 65536 - 4096, true), 65536 - 4096);
    assert_int_equal(look(writer[0]), 0); /* 4095 are free */
    file_set_flags(writer[0], ABI_O_NONBLOCK);
    assert_int_equal(move(writer[0], 4096, true), -K_EAGAIN);
    assert_int_equal(move(writer[0], 4097, true), 4095);
    assert_int_equal(move(writer[0], 1, true), -K_EAGAIN);
    assert_int_equal(move(reader[0], 4096, false), 4096);
    assert_int_equal(look(writer[0]), READY_WRITABLE);
    file_put(writer[0]);
    writer[0] = NULL;
    assert_int_equal(look(reader[0]), READY_READABLE | READY_HANGUP);
    assert_int_equal(move(reader[0], 70000, false), 65536 - 4096);
    assert_int_equal(look(reader[0]), READY_HANGUP);
    file_set_flags(reader[0], ABI_O_NONBLOCK);
    assert_int_equal(move(reader[0], 1, false), 0);
    file_set_flags(reader[1], ABI_O_NONBLOCK);
    assert_int_equal(move(reader[1], 1, false), -K_EAGAIN);
}

static unsigned told;
static void count(struct watch *w) { told++; }
static unsigned told_since(void) {
    unsigned n = told;
    told = 0;
    return n;
}

/* A read that leaves bytes is no news for readers, nor a write that leaves room for writers. */
static void told_of_news_alone(void **state) {
    struct watch in = {.changed = count}, out = {.changed = count};
    assert_int_equal(file_ready(reader[0], &in), 0);
    told_since();
    assert_int_equal(move(writer[0], 100, true), 100);
    assert_int_equal(told_since(), 1);
    assert_int_equal(move(writer[0], 100, true), 100);
    assert_int_equal(told_since(), 1);
    assert_int_equal(move(reader[0], 10, false), 10);
    assert_int_equal(told_since(), 0);
    watch_end(&in);
    assert_int_equal(file_ready(writer[0], &out), READY_WRITABLE);
    assert_int_equal(move(writer[0], 5000, true), 5000);
    assert_int_equal(move(reader[0], 1000, false), 1000);
    assert_int_equal(told_since(), 0);
    file_set_flags(writer[0], ABI_O_NONBLOCK);
    assert_int_equal(move(writer[0], 70000, true), PIPE_SIZE - 4190);
    assert_int_equal(move(reader[0], 4000, false), 4000);
    assert_int_equal(told_since(), 0);
    assert_int_equal(move(reader[0], 500, false), 500);
    assert_int_equal(told_since(), 1);
    assert_int_equal(move(reader[0], 500, false), 500);
    assert_int_equal(told_since(), 0);
    watch_end(&out);
}

static void none_is_ready(void **state) {
    struct poll_set s;
    unsigned ready = 7;
    poll_begin(&s);
    assert_int_equal(poll_add(&s, reader[0], READY_READABLE, 0), 0);
    assert_int_equal(poll_wait(&s, 0, &ready), 0);
    assert_int_equal(ready, 0);
    rang[0] = true;
    assert_int_equal(poll_wait(&s, 5, &ready), 0);
    assert_int_equal(ready, 0);
    assert_int_equal(alarm_at[0], 5);
    assert_false(rang[0]);
    fsenv_commit_limit = fsenv_promised();
    while (poll_add(&s, reader[1], READY_READABLE, 0) == 0) /* the frame with records is full */
        continue;
    poll_end(&s);
}

/* ---- a change right behind the look ---- */

/* A thing that becomes ready as soon as somebody who watches it has seen that it is not. */
static struct sly {
    struct spinlock lock;
    struct watched watched;
    unsigned looks;
    bool ready;
} sly;

static unsigned sly_ready(struct file *f, struct watch *w) {
    spin_lock(&sly.lock);
    if (w)
        watch_begin(w, &sly.watched, &sly.lock);
    unsigned seen = sly.ready ? READY_READABLE : 0;
    if (++sly.looks == 2 || sly.looks == 3) {
        sly.ready = sly.looks == 3; /* the first time it is a false alarm */
        watched_changed(&sly.watched);
    }
    spin_unlock(&sly.lock);
    return seen;
}

static void a_change_behind_the_look(void **state) {
    static const struct file_ops ops = {.ready = sly_ready};
    struct file f = {.ops = &ops, .refs = 1};
    struct poll_set s;
    unsigned ready;
    memset(&sly, 0, sizeof sly);
    spin_init(&sly.lock, RANK_PIPE);
    poll_begin(&s);
    assert_int_equal(poll_add(&s, &f, READY_READABLE, 0), 0);
    assert_int_equal(poll_add(&s, reader[0], READY_READABLE, 0), 0);
    assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), 0); /* nobody would end a sleep */
    assert_int_equal(ready, 1);
    assert_int_equal(sly.looks, 4);
    poll_end(&s);
    assert_null(sly.watched.first);
    assert_int_equal(f.refs, 1);
}

/* ---- several ---- */

#define EACH 4000
static unsigned got[PIPES];

static void write_or_gather(unsigned i) {
    if (i < PIPES) {
        for (unsigned k = 0; k < EACH; k++)
            assert_int_equal(move(writer[i], 1, true), 1);
        return;
    }
    for (unsigned all = 0; all < PIPES * EACH;) {
        struct poll_set s;
        unsigned ready;
        poll_begin(&s);
        for (unsigned k = 0; k < PIPES; k++)
            assert_int_equal(poll_add(&s, reader[k], READY_READABLE, k), 0);
        assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), 0); /* for ever, if one is missed */
        assert_true(ready > 0);
        for (struct polled *p = s.first; p; p = p->next)
            if (p->found) {
                int n = move(p->file, 1 + all % 50, false);
                assert_true(n > 0);
                got[p->tag] += (unsigned)n;
                all += (unsigned)n;
            }
        poll_end(&s);
    }
}

static void no_byte_is_missed(void **state) {
    memset(got, 0, sizeof got);
    kstub_parallel(PIPES + 1, write_or_gather);
    for (unsigned k = 0; k < PIPES; k++)
        assert_int_equal(got[k], EACH);
}

/* Each has to see what the other has done before it goes on, so that both always come to sleep. */
static void ping_pong(unsigned i) {
    for (unsigned k = 0; k < EACH; k++) {
        struct poll_set s;
        unsigned ready;
        if (i == 0)
            assert_int_equal(move(writer[0], 1, true), 1);
        poll_begin(&s);
        assert_int_equal(poll_add(&s, reader[2], READY_READABLE, 0), 0);
        assert_int_equal(poll_add(&s, reader[i == 0], READY_READABLE, 0), 0);
        assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), 0);
        assert_int_equal(ready, 1);
        poll_end(&s);
        assert_int_equal(move(reader[i == 0], 10, false), 1);
        if (i == 1)
            assert_int_equal(move(writer[1], 1, true), 1);
    }
}

static void two_take_turns(void **state) { kstub_parallel(2, ping_pong); }

/* Room, and the other end's end. */
static void fill_or_drain(unsigned i) {
    struct poll_set s;
    unsigned ready;
    poll_begin(&s);
    if (i == 0) {
        file_set_flags(writer[0], ABI_O_NONBLOCK);
        for (unsigned sent = 0; sent < 300000;) {
            int n = move(writer[0], 4096, true);
            if (n > 0) {
                sent += (unsigned)n;
                continue;
            }
            assert_int_equal(n, -K_EAGAIN);
            poll_begin(&s);
            assert_int_equal(poll_add(&s, writer[0], READY_WRITABLE, 0), 0);
            assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), 0);
            poll_end(&s);
        }
        struct file *f = writer[0];
        writer[0] = NULL;
        file_put(f);
        return;
    }
    assert_int_equal(poll_add(&s, reader[0], READY_READABLE | READY_HANGUP, 0), 0);
    for (;;) {
        assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), 0);
        if (move(reader[0], 700, false) == 0)
            break;
    }
    poll_end(&s);
}

static void room_and_the_end(void **state) { kstub_parallel(2, fill_or_drain); }

static void killed(unsigned i) {
    struct poll_set s;
    unsigned ready;
    poll_begin(&s);
    if (i == 0) {
        assert_int_equal(poll_add(&s, reader[0], READY_READABLE, 0), 0);
        assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), -K_EINTR);
        poll_end(&s);
        return;
    }
    kstub_until_asleep(kstub_proc(1));
    kstub_kill(kstub_proc(1));
}

/* Who does not wait hears of it, too, but of files that are ready first. */
static int heard;
static void killed_before(unsigned i) {
    struct poll_set s;
    unsigned ready;
    poll_begin(&s);
    assert_int_equal(poll_add(&s, reader[0], READY_READABLE, 0), 0);
    assert_int_equal(poll_wait(&s, 0, &ready), 0);
    kstub_kill(kstub_proc(i + 1));
    heard = poll_wait(&s, 0, &ready);
    assert_int_equal(poll_add(&s, writer[0], READY_WRITABLE, 0), 0);
    assert_int_equal(poll_wait(&s, 0, &ready), 0);
    assert_int_equal(ready, 1);
    poll_end(&s);
}

static void a_signal_that_has_come(void **state) {
    kstub_parallel(1, killed_before);
    assert_int_equal(heard, -K_EINTR);
}

static void a_signal_ends_it(void **state) { kstub_parallel(2, killed); }

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_change_behind_the_look), T(what_pipes_are),    T(none_is_ready),
        T(told_of_news_alone),       T(no_byte_is_missed), T(two_take_turns),
        T(room_and_the_end),         T(a_signal_ends_it),  T(a_signal_that_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
