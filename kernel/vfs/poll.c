/* Waiting until one of several files is ready: see poll.h, and watch.h for why no change is missed.
 */
#include "vfs/poll.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/clock.h"

static struct slab records = SLAB_INIT(records, sizeof(struct polled));
static struct slab watchers = SLAB_INIT(watchers, sizeof(struct watcher));

int poll_add(struct poll_set *s, struct file *f, unsigned wanted, uint64_t tag) {
    struct polled *p = slab_take(&records);
    if (!p)
        return -K_ENOMEM;
    *p = (struct polled){
        .file = file_get(f),
        .wanted = wanted,
        .tag = tag,
        .watch = {.changed = watcher_told},
    };
    *s->end = p;
    s->end = &p->next;
    return 0;
}

/* How many are ready. */
static unsigned look(struct poll_set *s, bool begin) {
    unsigned ready = 0;
    for (struct polled *p = s->first; p; p = p->next) {
        p->found = file_ready(p->file, begin ? &p->watch : NULL) & p->wanted;
        ready += p->found != 0;
    }
    return ready;
}

static int wait(struct poll_set *s, struct watcher *w, unsigned *ready) {
    int err = 0;
    watcher_init(w);
    for (struct polled *p = s->first; p; p = p->next)
        p->watch.watcher = w;
    *ready = look(s, true);
    while (!*ready && !err && !clock_alarm_rang()) {
        err = watcher_wait(w);
        if (!err)
            *ready = look(s, false);
    }
    for (struct polled *p = s->first; p; p = p->next)
        watch_end(&p->watch);
    return err;
}

int poll_wait(struct poll_set *s, uint64_t until, unsigned *ready) {
    *ready = look(s, false);
    if (*ready || until == 0)
        return *ready || !proc_interrupted() ? 0 : -K_EINTR;
    struct watcher *w = slab_take(&watchers);
    if (!w)
        return -K_ENOMEM;
    clock_set_alarm(until);
    int err = wait(s, w, ready);
    clock_end_alarm();
    slab_give(&watchers, w);
    return err;
}

void poll_end(struct poll_set *s) {
    while (s->first) {
        struct polled *p = s->first;
        s->first = p->next;
        file_put(p->file);
        slab_give(&records, p);
    }
}
