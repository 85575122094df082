/* A thread that watches several things: see watch.h. */
#include "proc/watch.h"
#include "lib/errno.h"
#include "proc/clock.h"

void watcher_init(struct watcher *w) {
    spin_init(&w->lock, RANK_WATCHER);
    wait_channel_init(&w->channel);
    w->told = false;
}

void watcher_told(struct watch *w) {
    struct watcher *watcher = w->watcher;
    spin_lock(&watcher->lock);
    watcher->told = true;
    wakeup(&watcher->channel);
    spin_unlock(&watcher->lock);
}

int watcher_wait(struct watcher *w) {
    int err = 0;
    spin_lock(&w->lock);
    while (!w->told && !clock_alarm_rang() && !err) {
        if (proc_interrupted())
            err = -K_EINTR;
        else
            sleep_on(&w->channel, &w->lock);
    }
    w->told = false;
    spin_unlock(&w->lock);
    return err;
}
