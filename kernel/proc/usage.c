/* What processes have used: see usage.h. */
#include "proc/usage.h"
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/table.h"

/* Since it was switched to. One that goes to sleep, or ends, is on its hart until its time is
 * noted. */
static uint64_t time_running(const struct thread *t) {
    if (!__atomic_load_n(&t->on_hart, __ATOMIC_ACQUIRE))
        return 0;
    uint64_t since = __atomic_load_n(&t->time_since, __ATOMIC_RELAXED);
    uint64_t now = cpu_time();
    return now > since ? now - since : 0;
}

uint64_t usage_time_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    uint64_t sum = __atomic_load_n(&p->time_used, __ATOMIC_ACQUIRE); /* note_time */
    LIST_EACH(link, &p->threads) {
        sum += time_running(LIST_ENTRY(link, struct thread, in_process));
    }
    /* A thread that was switched away from meanwhile may be missing with its last slice. */
    p->time_told = MAX(p->time_told, sum);
    return p->time_told;
}

static struct usage with_memory(uint64_t time, const struct aspace *as) {
    return (struct usage){.time = time, .faults = as->faults, .peak = MAX(as->peak, as->present)};
}

static void add(struct usage *sum, const struct usage *more) {
    sum->time += more->time;
    sum->faults += more->faults;
    sum->peak = MAX(sum->peak, more->peak);
}

struct usage usage_self(void) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    uint64_t time = usage_time_locked(p);
    spin_unlock(&p->lock);
    spin_lock(&p->as->lock);
    struct usage used = with_memory(time, p->as);
    spin_unlock(&p->as->lock);
    return used;
}

struct usage usage_children(void) {
    spin_lock(&family_lock);
    struct usage used = proc_self()->children_used;
    spin_unlock(&family_lock);
    return used;
}

uint64_t usage_thread_time(void) {
    const struct thread *t = thread_self();
    return t->time_used + cpu_time() - t->time_since;
}

int usage_of_process(int32_t pid, uint64_t *time) {
    struct proc *p = proc_find_and_lock(pid ? pid : proc_self()->pid);
    if (!p)
        return -K_ESRCH;
    *time = usage_time_locked(p);
    spin_unlock(&p->lock);
    return 0;
}

int usage_thread_time_locked(struct proc *p, int32_t tid, uint64_t *time) {
    ASSERT_LOCKED(&p->lock);
    LIST_EACH(link, &p->threads) {
        const struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        if (t->tid != tid)
            continue;
        *time = __atomic_load_n(&t->time_used, __ATOMIC_RELAXED) + time_running(t);
        return 0;
    }
    return -K_ESRCH;
}

int usage_of_thread(int32_t tid, uint64_t *time) {
    struct proc *p = proc_self();
    if (!tid || tid == thread_self()->tid) {
        *time = usage_thread_time();
        return 0;
    }
    spin_lock(&p->lock);
    int err = usage_thread_time_locked(p, tid, time);
    spin_unlock(&p->lock);
    return err;
}

/* Of one that has ended, with its children. */
static struct usage whole(const struct proc *child, uint64_t time) {
    struct usage used = with_memory(time, child->as);
    add(&used, &child->children_used);
    return used;
}

struct usage usage_of_child_locked(struct proc *child) {
    ASSERT_LOCKED(&family_lock);
    spin_lock(&child->lock);
    uint64_t time = usage_time_locked(child);
    spin_unlock(&child->lock);
    return whole(child, time);
}

void usage_inherit_locked(struct proc *parent, const struct proc *child) {
    ASSERT_LOCKED(&family_lock);
    struct usage used = whole(child, child->time_used);
    add(&parent->children_used, &used);
}
