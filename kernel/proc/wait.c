/* Sleeping and waking: see wait.h. */
#include "proc/wait.h"
#include "proc/sched.h"

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

void wakeup(struct wait_channel *wc) {
    struct list *link;
    while ((link = list_pop_front(&wc->sleepers))) {
        struct thread *t = LIST_ENTRY(link, struct thread, wait_link);
        spin_lock(&t->lock);
        if (t->state == T_SLEEPING)
            sched_ready(t);
        else
            spin_unlock(&t->lock);
    }
}

static uint32_t reasons(void) { return __atomic_load_n(&thread_self()->reasons, __ATOMIC_RELAXED); }

bool proc_killed(void) { return reasons() & THREAD_KILLED; }

bool proc_interrupted(void) { return reasons() != 0; }
