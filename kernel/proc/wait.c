/* Sleeping and waking: see wait.h. */
#include "proc/wait.h"
#include "proc/sched.h"

#define WOKEN_AT_ONCE 64

void wait_channel_init(struct wait_channel *wc) { list_init(&wc->sleepers); }

void sleep_on(struct wait_channel *wc, struct spinlock *lk) {
    struct thread *t = thread_self();
    ASSERT(t && spin_held(lk));
    if (DEBUG)
        spin_expect_only(lk, "a sleep");
    spin_lock(&t->lock);
    if ((t->reasons && !t->told) || t->alarm_untold) {
        /* That came after the caller's look. */
        t->told = true;
        t->alarm_untold = false;
        spin_unlock(&t->lock);
        return;
    }
    t->state = T_SLEEPING;
    list_push_back(&wc->sleepers, &t->wait_link);
    spin_unlock(&t->lock);
    spin_unlock(lk);
    sched_leave();
    spin_lock(lk);
    list_remove(&t->wait_link); /* still there when thread_tell woke us */
}

static void wake_at_most(struct wait_channel *wc, uint32_t n) {
    struct list *link;
    while (n-- > 0 && (link = list_pop_front(&wc->sleepers))) {
        struct thread *t = LIST_ENTRY(link, struct thread, wait_link);
        spin_lock(&t->lock);
        if (t->state == T_SLEEPING)
            sched_ready(t);
        else
            spin_unlock(&t->lock);
    }
}

void wakeup(struct wait_channel *wc) { wake_at_most(wc, UINT32_MAX); }

void wakeup_one(struct wait_channel *wc) { wake_at_most(wc, 1); }

void wakeup_some(struct wait_channel *wc) { wake_at_most(wc, WOKEN_AT_ONCE); }

static uint32_t reasons(void) { return __atomic_load_n(&thread_self()->reasons, __ATOMIC_RELAXED); }

bool proc_killed(void) { return reasons() & THREAD_KILLED; }

bool proc_interrupted(void) { return reasons() != 0; }
