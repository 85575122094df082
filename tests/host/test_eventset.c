/* Event sets: what is told, and how often; who looks, closes and removes at the same time; memory
 * that is refused. */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c */
/* sources: kernel/fs/inode.c kernel/fs/data.c kernel/fs/dir.c kernel/vfs/path.c */
/* sources: kernel/fs/namecache.c kernel/fs/nameop.c kernel/fs/rename.c */
/* sources: kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c kernel/fs/inodefile.c */
/* sources: kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c kernel/syscall/sysfile.c */
/* sources: kernel/vfs/descriptor.c kernel/syscall/sysfd.c kernel/mm/slab.c kernel/mm/pieces.c */
/* sources: kernel/vfs/poll.c kernel/vfs/eventset.c kernel/vfs/filelock.c kernel/proc/watch.c */
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
#include "vfs/eventset.h"
#include "vfs/signalfile.h"
#include "vfs/pipe.h"
#include <sched.h>
#include <string.h>

/* ---- time: nobody's alarm rings but when a test says so ---- */

static bool rang[KSTUB_PROCS]; /* atomic; by process */

static bool *mine(void) {
    for (unsigned i = 0; i < KSTUB_PROCS; i++)
        if (kstub_proc(i) == proc_self())
            return &rang[i];
    fail();
    return NULL;
}

void clock_set_alarm(uint64_t when) {}
bool signal_file_is(const struct file *f) { return false; }
bool clock_alarm_rang(void) { return __atomic_load_n(mine(), __ATOMIC_ACQUIRE); }
bool clock_end_alarm(void) { return __atomic_exchange_n(mine(), false, __ATOMIC_ACQ_REL); }

/* ---- files ---- */

#define PIPES 4
static struct file *reader[PIPES], *writer[PIPES], *set_file;
static struct event_set *set;
static int64_t frames_before;

static void close_it(struct file **f) {
    struct file *it = *f;
    *f = NULL;
    if (it)
        file_put(it);
}

static int setup(void **state) {
    fsenv_commit_limit = 4096;
    fsenv_fresh(200, 30, 20);
    frames_before = fsenv_frames_used;
    memset(rang, 0, sizeof rang);
    for (unsigned i = 0; i < PIPES; i++)
        assert_int_equal(pipe_create(&reader[i], &writer[i]), 0);
    assert_int_equal(event_set_create(&set_file), 0);
    set = event_set_of(set_file);
    return 0;
}

/* Whatever a test leaves open goes here; then nothing is left. */
static int teardown(void **state) {
    struct fs_stats stats;
    close_it(&set_file);
    for (unsigned i = 0; i < PIPES; i++) {
        close_it(&reader[i]);
        close_it(&writer[i]);
    }
    fs_stats(&stats);
    assert_int_equal(stats.files_open, 0);
    assert_int_equal(fsenv_frames_used, frames_before);
    return 0;
}

static int move(struct file *f, size_t n, bool out) {
    static uint8_t bytes[KSTUB_PROCS][20000];
    size_t done;
    uaddr_t at = {(uint64_t)bytes[mine() - rang]};
    int err = out ? file_write(f, at, n, &done) : file_read(f, at, n, &done);
    return err ? err : (int)done;
}

static int add(struct event_set *s, struct file *f, struct event_wanted wanted) {
    return event_add(s, f, (int)wanted.tag, &wanted);
}
static struct event_wanted level(uint64_t tag) {
    return (struct event_wanted){.ready = READY_READABLE | READY_HANGUP, .tag = tag};
}
static struct event_wanted edge(uint64_t tag) {
    return (struct event_wanted){.ready = READY_READABLE, .edge = true, .tag = tag};
}

/* ---- what was told ---- */

#define MOST 16
struct told {
    unsigned n;
    uint64_t tag[MOST];
    unsigned found[MOST];
    int err;               /* that telling ends with */
    void (*between)(void); /* is called once before it is told */
};

static int tell(void *ctx, unsigned i, const struct event_wanted *wanted, unsigned found) {
    struct told *t = ctx;
    void (*between)(void) = t->between;
    t->between = NULL;
    if (between)
        between();
    t->tag[i] = wanted->tag;
    t->found[i] = found;
    return t->err;
}

static unsigned look_now(struct event_set *s, struct told *t) {
    unsigned told;
    assert_int_equal(event_wait(s, 0, MOST, tell, t, &told), 0);
    return told;
}

static unsigned look(void) {
    struct told t = {0};
    return look_now(set, &t);
}

static void levels_and_edges(void **state) {
    assert_int_equal(add(set, reader[0], level(0)), 0);
    assert_int_equal(add(set, reader[1], edge(1)), 0);
    assert_int_equal(look(), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(move(writer[0], 5, true), 5);
        assert_int_equal(move(writer[1], 5, true), 5);
        assert_int_equal(look(), 2);
        assert_int_equal(look(), 1);
    }
    assert_int_equal(move(reader[0], 1000, false), 15);
    assert_int_equal(look(), 0);
    close_it(&writer[0]);
    assert_int_equal(look(), 1);
    close_it(&reader[0]);
    assert_int_equal(look(), 0);
}

/* A look that ends with an error, as when the caller's memory is bad, has told nothing. */
static void not_told(void **state) {
    struct told bad = {.err = -K_EFAULT}, good = {0};
    struct event_wanted once = edge(1);
    unsigned told;
    once.once = true;
    assert_int_equal(add(set, reader[0], edge(0)), 0);
    assert_int_equal(add(set, reader[1], once), 0);
    assert_int_equal(move(writer[0], 1, true), 1);
    assert_int_equal(move(writer[1], 1, true), 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(event_wait(set, UINT64_MAX, MOST, tell, &bad, &told), -K_EFAULT);
    assert_int_equal(look_now(set, &good), 2);
    assert_int_equal(look(), 0);
}

/* ---- something happens between the look at a file and telling of it ---- */

static void write_more(void) { assert_int_equal(move(writer[0], 1, true), 1); }
static void want_again(void) {
    struct event_wanted wanted = edge(7);
    wanted.once = true;
    assert_int_equal(event_change(set, reader[0], 0, &wanted), 0);
}

static void a_change_behind_the_look(void **state) {
    struct told t = {.between = write_more};
    assert_int_equal(add(set, reader[0], edge(0)), 0);
    write_more();
    assert_int_equal(look_now(set, &t), 1);
    assert_int_equal(look(), 1); /* the second change came when the file had been looked at */
    assert_int_equal(look(), 0);
}

static bool telling, changed; /* atomic */
static void wait_for_change(void) {
    __atomic_store_n(&telling, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&changed, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void tell_or_change(unsigned i) {
    struct told t = {.between = wait_for_change};
    if (i == 0) {
        assert_int_equal(look_now(set, &t), 1);
        assert_int_equal(t.tag[0], 0);
        return;
    }
    while (!__atomic_load_n(&telling, __ATOMIC_ACQUIRE))
        sched_yield();
    want_again();
    __atomic_store_n(&changed, true, __ATOMIC_RELEASE);
}

static void wanted_again_behind_the_look(void **state) {
    struct told t = {0};
    struct event_wanted once = level(0);
    once.once = true;
    telling = changed = false;
    assert_int_equal(add(set, reader[0], once), 0);
    write_more();
    kstub_parallel(2, tell_or_change);
    assert_int_equal(look_now(set, &t), 1);
    assert_int_equal(t.tag[0], 7);
    assert_int_equal(look(), 0);
}

/* ---- it looks at those alone that may be ready ---- */

static struct counted {
    struct spinlock lock;
    struct watched watched;
    unsigned looks;
} counted;

static unsigned counted_ready(struct file *f, struct watch *w) {
    struct counted *c = f->object;
    spin_lock(&c->lock);
    if (w)
        watch_begin(w, &c->watched, &c->lock);
    c->looks++;
    spin_unlock(&c->lock);
    return 0;
}

static void few_of_many(void **state) {
    static const struct file_ops ops = {.ready = counted_ready};
    struct file f = {.ops = &ops, .refs = 1, .object = &counted};
    memset(&counted, 0, sizeof counted);
    spin_init(&counted.lock, RANK_PIPE);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(add(set, &f, level(i)), 0);
    assert_int_equal(add(set, reader[0], level(9)), 0);
    counted.looks = 0;
    assert_int_equal(look(), 0);
    write_more();
    assert_int_equal(look(), 1);
    assert_int_equal(counted.looks, 0);
    spin_lock(&counted.lock);
    watched_changed(&counted.watched);
    spin_unlock(&counted.lock);
    assert_int_equal(look(), 1);
    assert_int_equal(counted.looks, 500);
    assert_int_equal(look(), 1);
    assert_int_equal(counted.looks, 500);
    f.forget(&f); /* as its end does */
    assert_null(f.events);
    assert_null(counted.watched.first);
}

/* ---- sets in sets ---- */

static void told_in_turn(void **state) {
    struct file *outer, *over;
    struct told t = {0};
    assert_int_equal(event_set_create(&outer), 0);
    assert_int_equal(event_set_create(&over), 0);
    assert_int_equal(add(set, reader[0], level(0)), 0);
    assert_int_equal(add(event_set_of(outer), set_file, edge(1)), 0);
    assert_int_equal(add(event_set_of(over), outer, level(2)), 0);
    assert_int_equal(add(event_set_of(over), reader[1], level(3)), 0);
    assert_int_equal(add(set, over, level(4)), -K_ELOOP);
    assert_int_equal(add(set, set_file, level(4)), -K_ELOOP);
    assert_int_equal(look_now(event_set_of(over), &t), 0);
    for (unsigned i = 0; i < 3; i++) {
        write_more();
        assert_int_equal(look_now(event_set_of(over), &t), 1);
        assert_int_equal(look_now(event_set_of(outer), &t), 1);
        assert_int_equal(look_now(event_set_of(outer), &t), 0);
        assert_int_equal(look_now(event_set_of(over), &t), 0);
    }
    close_it(&set_file);
    write_more();
    assert_int_equal(look_now(event_set_of(outer), &t), 0);
    close_it(&outer);
    assert_int_equal(move(writer[1], 1, true), 1);
    assert_int_equal(look_now(event_set_of(over), &t), 1);
    close_it(&over);
}

/* ---- memory is refused: nothing has changed ---- */

static void memory_is_refused(void **state) {
    struct file *more[600];
    unsigned sets = 0, places = 0;
    fsenv_commit_limit = fsenv_promised();
    int err;
    while ((err = event_set_create(&more[sets])) == 0)
        sets++;
    assert_int_equal(err, -K_ENOMEM);
    while ((err = add(set, reader[0], level(places))) == 0)
        places++;
    assert_int_equal(err, -K_ENOMEM);
    assert_true(places < EVENT_PLACES);
    write_more();
    assert_int_equal(look(), places < MOST ? places : MOST);
    fsenv_commit_limit = fsenv_promised() + 100;
    assert_int_equal(add(set, reader[0], level(places)), 0);
    while (sets > 0)
        close_it(&more[--sets]);
}

/* ---- several ---- */

#define EACH 3000
static unsigned got[PIPES]; /* atomic */

/* Writers, and two that wait for edges: each byte is read by somebody. */
static void write_or_gather(unsigned i) {
    if (i < 2) {
        for (unsigned k = 0; k < EACH; k++)
            assert_int_equal(move(writer[i], 1, true), 1);
        close_it(&writer[i]);
        return;
    }
    for (bool more = true; more;) {
        struct told t = {0};
        unsigned told;
        assert_int_equal(event_wait(set, UINT64_MAX, MOST, tell, &t, &told), 0);
        assert_true(told > 0);
        for (unsigned k = 0; k < told; k++)
            for (int n; (n = move(reader[t.tag[k]], 100, false)) > 0;)
                __atomic_fetch_add(&got[t.tag[k]], (unsigned)n, __ATOMIC_RELAXED);
        more = __atomic_load_n(&got[0], __ATOMIC_RELAXED) < EACH ||
               __atomic_load_n(&got[1], __ATOMIC_RELAXED) < EACH;
        if (!more) /* the other one hears of it */
            assert_true(move(writer[2], 1, true) == 1);
    }
}

static void no_byte_is_missed(void **state) {
    memset(got, 0, sizeof got);
    for (unsigned i = 0; i < 2; i++) {
        file_set_flags(reader[i], ABI_O_NONBLOCK);
        assert_int_equal(add(set, reader[i], edge(i)), 0);
    }
    file_set_flags(reader[2], ABI_O_NONBLOCK);
    struct event_wanted end = level(3);
    assert_int_equal(event_add(set, reader[2], 2, &end), 0);
    reader[3]->nonblock = true; /* which nobody writes to: telling of reader 2 reads there */
    kstub_parallel(4, write_or_gather);
    assert_int_equal(got[0], EACH);
    assert_int_equal(got[1], EACH);
}

/* Sets that watch files, and the files' ends, whoever is first; one looks on. */
#define LIVES 300
static bool over;
static void come_and_go(unsigned i) {
    for (unsigned k = 0; i < 2 && k < LIVES; k++) {
        struct file *r, *w, *s;
        assert_int_equal(pipe_create(&r, &w), 0);
        assert_int_equal(event_set_create(&s), 0);
        assert_int_equal(add(event_set_of(s), r, edge(1)), 0);
        assert_int_equal(add(set, s, level(100 * (i + 1))), 0);
        assert_int_equal(add(set, r, level(100 * (i + 1) + 1)), 0);
        assert_int_equal(move(w, 1, true), 1);
        if (k % 3 == 0)
            assert_int_equal(event_remove(set, r, (int)(100 * (i + 1) + 1)), 0);
        file_put(k % 2 ? r : s);
        file_put(k % 2 ? s : r);
        file_put(w);
    }
    if (i < 2)
        __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    while (i >= 2 && !__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        look();
        sched_yield();
    }
}

static void files_that_go(void **state) {
    over = false;
    kstub_parallel(4, come_and_go);
    assert_int_equal(look(), 0);
}

/* Who removes an event waits until nobody looks at its file. */
static struct slow {
    struct spinlock lock;
    struct watched watched;
    bool looked_at, go; /* atomic */
    bool freed;         /* atomic */
} slow;

static int tell_slowly(void *ctx, unsigned i, const struct event_wanted *wanted, unsigned found) {
    __atomic_store_n(&slow.looked_at, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&slow.go, __ATOMIC_ACQUIRE))
        sched_yield();
    assert_false(__atomic_load_n(&slow.freed, __ATOMIC_ACQUIRE));
    return 0;
}

static void remove_or_look(unsigned i) {
    unsigned told;
    if (i == 0) {
        assert_int_equal(event_wait(set, 0, MOST, tell_slowly, NULL, &told), 0);
        assert_int_equal(told, 0); /* it is not told of one that has gone */
        return;
    }
    while (!__atomic_load_n(&slow.looked_at, __ATOMIC_ACQUIRE))
        sched_yield();
    if (i == 1) {
        close_it(&reader[0]);
        __atomic_store_n(&slow.freed, true, __ATOMIC_RELEASE);
        return;
    }
    kstub_until_asleep(kstub_proc(2));
    __atomic_store_n(&slow.go, true, __ATOMIC_RELEASE);
}

static void an_end_waits_for_looks(void **state) {
    memset(&slow, 0, sizeof slow);
    assert_int_equal(add(set, reader[0], level(0)), 0);
    write_more();
    kstub_parallel(3, remove_or_look);
}

/* One is woken that was killed at the same time, and may not hear: the other one does. */
#define KILLS 50
static void wait_or_kill(unsigned i) {
    struct told t = {0};
    unsigned told;
    if (i < 2) {
        int err = event_wait(set, UINT64_MAX, MOST, tell, &t, &told);
        assert_true(err == 0 || (i == 0 && err == -K_EINTR));
        assert_int_equal(told, err ? 0 : 1);
        return;
    }
    kstub_until_asleep(kstub_proc(1));
    kstub_until_asleep(kstub_proc(2));
    kstub_kill(kstub_proc(1));
    write_more();
}

static void a_kill_takes_no_news(void **state) {
    assert_int_equal(add(set, reader[0], level(0)), 0);
    for (unsigned i = 0; i < KILLS; i++) {
        kstub_parallel(3, wait_or_kill); /* for ever, if nobody hears */
        assert_int_equal(move(reader[0], 1, false), 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(levels_and_edges),
        T(not_told),
        T(a_change_behind_the_look),
        T(wanted_again_behind_the_look),
        T(few_of_many),
        T(told_in_turn),
        T(memory_is_refused),
        T(no_byte_is_missed),
        T(files_that_go),
        T(an_end_waits_for_looks),
        T(a_kill_takes_no_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
