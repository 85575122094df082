/* Timers that are open files: see timerfile.h.
 *
 * One that rings every so often rings once: how often it would have rung since is counted when
 * somebody reads, and then it is set for the next time. So an interval, however short, costs
 * nothing while nobody reads.
 *
 * Locks: setting, and what is below it in the order of locks, the clock's and `lock`: a ring comes
 * under the clock's. */
#include "vfs/timerfile.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "vfs/poll.h"

struct timer_file {
    struct spinlock setting;
    bool by_date;   /* constant */
    bool runs;      /* it has rung, or will */
    uint64_t at;    /* when it rings or rang; nanoseconds since boot */
    uint64_t every; /* nanoseconds; 0: once */
    uint64_t owed;  /* rings that were read, and could not be told */
    struct alarm alarm;

    struct spinlock lock;
    bool rang; /* and nobody has read that */
    struct wait_channel ring;
    struct watched watched; /* the same */
};

static struct slab timers = SLAB_INIT(timers, sizeof(struct timer_file));

static uint64_t sum(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

/* ---- ringing ---- */

static void ring(struct timer_file *t) {
    spin_lock(&t->lock);
    t->rang = true;
    wakeup(&t->ring);
    watched_changed(&t->watched);
    spin_unlock(&t->lock);
}

static uint64_t ring_alarm(struct alarm *alarm) {
    ring(CONTAINER_OF(alarm, struct timer_file, alarm));
    return 0;
}

static void start_locked(struct timer_file *t) {
    ASSERT_LOCKED(&t->setting);
    uint64_t now = clock_nanoseconds();
    clock_remove(&t->alarm); /* it is set still, where a ring was put back */
    uint64_t when = t->at > now ? clock_after(t->at - now) : 0;
    if (!when)
        ring(t);
    else if (when != UINT64_MAX)
        clock_add(&t->alarm, when);
}

static bool forget_ring_locked(struct timer_file *t) {
    ASSERT_LOCKED(&t->setting);
    spin_lock(&t->lock);
    bool rang = t->rang;
    t->rang = false;
    spin_unlock(&t->lock);
    return rang;
}

/* ---- setting ---- */

/* The time since boot that a time of the timer's clock is. */
static uint64_t since_boot(const struct timer_file *t, uint64_t time) {
    return t->by_date ? clock_of_date(time) : time;
}

void timer_file_set(struct timer_file *t, const struct timer_setting *s, bool absolute) {
    spin_lock(&t->setting);
    clock_remove(&t->alarm);
    (void)forget_ring_locked(t);
    t->runs = s->first > 0;
    t->at = absolute ? since_boot(t, s->first) : sum(clock_nanoseconds(), s->first);
    t->every = t->runs ? s->every : 0;
    t->owed = 0;
    if (t->runs)
        start_locked(t);
    spin_unlock(&t->setting);
    clock_arm_again();
}

/* How often it has rung by now, since `at`; 0: it has not. */
static uint64_t rings_locked(const struct timer_file *t, uint64_t now) {
    ASSERT_LOCKED(&t->setting);
    return now < t->at ? 0 : t->every ? 1 + (now - t->at) / t->every : 1;
}

struct timer_setting timer_file_get(struct timer_file *t) {
    spin_lock(&t->setting);
    struct timer_setting s = {.every = t->every};
    uint64_t now = clock_nanoseconds(), next = t->at;
    if (next <= now && t->every)
        next = sum(next, rings_locked(t, now) * t->every);
    if (t->runs && (t->every || next > now))
        s.first = MAX(next - MIN(next, now), 1UL);
    spin_unlock(&t->setting);
    return s;
}

/* ---- reading ---- */

static int wait_for_ring(struct timer_file *t, const struct file *f) {
    int err = 0;
    spin_lock(&t->lock);
    while (!err && !t->rang) {
        if (!file_waits(f))
            err = -K_EAGAIN;
        else if (proc_interrupted())
            err = -K_EINTR;
        else
            sleep_on(&t->ring, &t->lock);
    }
    spin_unlock(&t->lock);
    return err;
}

/* 0: somebody else has read it. */
static uint64_t take_rings(struct timer_file *t) {
    uint64_t rings = 0;
    spin_lock(&t->setting);
    if (forget_ring_locked(t)) {
        rings = t->owed;
        t->owed = 0;
        uint64_t n = t->runs ? rings_locked(t, clock_nanoseconds()) : 0;
        if (n > 0) {
            rings += n;
            t->at = sum(t->at, n * t->every);
            t->runs = t->every > 0;
            if (t->runs)
                start_locked(t);
        }
    }
    spin_unlock(&t->setting);
    clock_arm_again();
    return rings;
}

static void put_back(struct timer_file *t, uint64_t rings) {
    spin_lock(&t->setting);
    t->owed += rings;
    ring(t);
    spin_unlock(&t->setting);
}

static int timer_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct timer_file *t = f->object;
    uint64_t rings = 0;
    if (n < sizeof(rings))
        return -K_EINVAL;
    while (!rings) {
        int err = wait_for_ring(t, f);
        if (err)
            return err;
        rings = take_rings(t);
    }
    int err = copyout(dst, &rings, sizeof(rings));
    if (err)
        put_back(t, rings);
    *done = err ? 0 : sizeof(rings);
    return err;
}

/* ---- the open file ---- */

static unsigned timer_ready(struct file *f, struct watch *w) {
    struct timer_file *t = f->object;
    spin_lock(&t->lock);
    if (w)
        watch_begin(w, &t->watched, &t->lock);
    unsigned ready = t->rang ? READY_READABLE : 0;
    spin_unlock(&t->lock);
    return ready;
}

static void timer_close(struct file *f) {
    struct timer_file *t = f->object;
    spin_lock(&t->setting);
    clock_remove(&t->alarm);
    spin_unlock(&t->setting);
    slab_give(&timers, t);
}

static const struct file_ops timer_ops = {
    .read = timer_read, .ready = timer_ready, .close = timer_close, .kind = "anon_inode:[timerfd]"};

struct timer_file *timer_file_of(const struct file *f) {
    return f->ops == &timer_ops ? f->object : NULL;
}

int timer_file_create(bool by_date, struct file **out) {
    int err = file_alloc(out);
    if (err)
        return err;
    struct timer_file *t = slab_take(&timers);
    if (!t) {
        file_put(*out);
        return -K_ENOMEM;
    }
    *t = (struct timer_file){.by_date = by_date, .alarm = {.ring = ring_alarm}};
    spin_init(&t->setting, RANK_ITIMER);
    spin_init(&t->lock, RANK_TIMER_FILE);
    wait_channel_init(&t->ring);
    (*out)->ops = &timer_ops;
    (*out)->object = t;
    (*out)->readable = true;
    return 0;
}
