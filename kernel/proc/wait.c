/* Sleeping and waking: see wait.h. */
#include "proc/wait.h"
#include "proc/sched.h"

void wait_channel_init(struct wait_channel *wc) { list_init(&wc->sleepers); }

void sleep_on(struct wait_channel *wc, struct spinlock *lk) {
    struct proc *p = proc_self();
    ASSERT(p && spin_held(lk));
    if (DEBUG)
        spin_expect_only(lk, "a sleep");
    spin_lock(&p->lock);
    if (p->killed && !p->kill_told) {
        /* kill came after the caller's look at proc_killed. */
        p->kill_told = true;
        spin_unlock(&p->lock);
        return;
    }
    p->state = P_SLEEPING;
    list_push_back(&wc->sleepers, &p->wait_link);
    spin_unlock(&p->lock);
    spin_unlock(lk);
    sched_leave();
    spin_lock(lk);
    list_remove(&p->wait_link); /* still there when kill woke us */
}

void wakeup(struct wait_channel *wc) {
    struct list *link;
    while ((link = list_pop_front(&wc->sleepers))) {
        struct proc *p = LIST_ENTRY(link, struct proc, wait_link);
        spin_lock(&p->lock);
        if (p->state == P_SLEEPING)
            sched_ready(p);
        else
            spin_unlock(&p->lock);
    }
}

bool proc_killed(void) { return __atomic_load_n(&proc_self()->killed, __ATOMIC_RELAXED); }
