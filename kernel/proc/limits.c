/* Limits of what a process may use: see limits.h. A process has a record of them once it has set
 * one; most never do. */
#include "proc/limits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/slab.h"
#include "proc/table.h"

#define USUAL_STACK MIB(8)
#define LEAST_STACK KIB(256)    /* twice what the arguments may take */
#define UNLIMITED_STACK MIB(64) /* it is promised, like all private memory */

static struct slab records = SLAB_INIT(records, sizeof(struct limits));

static struct limit usual(unsigned which) {
    return which == LIMIT_STACK   ? (struct limit){USUAL_STACK, LIMIT_NONE}
           : which == LIMIT_FILES ? (struct limit){ABI_NOFILE, ABI_NOFILE}
                                  : (struct limit){LIMIT_NONE, LIMIT_NONE};
}

static struct limit get_locked(const struct proc *p, unsigned which) {
    ASSERT_LOCKED(&p->lock);
    return p->limits ? p->limits->of[which] : usual(which);
}

uint64_t limit_soft_locked(const struct proc *p, unsigned which) {
    ASSERT_LOCKED(&p->lock);
    return get_locked(p, which).soft;
}

static struct limits *make(void) {
    struct limits *record = slab_take(&records);
    for (unsigned i = 0; record && i < LIMITS; i++)
        record->of[i] = usual(i);
    return record;
}

/* *record becomes the process's, unless it has one. */
static void set_locked(struct proc *p, unsigned which, const struct limit *set,
                       struct limits **record) {
    ASSERT_LOCKED(&p->lock);
    if (!p->limits) {
        __atomic_store_n(&p->limits, *record, __ATOMIC_RELEASE);
        *record = NULL;
    }
    p->limits->of[which] = *set;
    if (which == LIMIT_FILES)
        __atomic_store_n(&p->fds.withheld, (uint32_t)(ABI_NOFILE - set->soft), __ATOMIC_RELAXED);
}

int limit_change(int32_t pid, unsigned which, const struct limit *set, struct limit *old) {
    if (which >= LIMITS || (set && set->soft > set->hard))
        return -K_EINVAL;
    if (set && which == LIMIT_FILES && set->hard > ABI_NOFILE)
        return -K_EPERM;
    struct limits *record = set ? make() : NULL;
    if (set && !record)
        return -K_ENOMEM;
    struct proc *p = proc_find_and_lock(pid ? pid : proc_self()->pid);
    if (p && old)
        *old = get_locked(p, which);
    if (p && set)
        set_locked(p, which, set, &record);
    if (p)
        spin_unlock(&p->lock);
    if (record)
        slab_give(&records, record);
    return p ? 0 : -K_ESRCH;
}

uint64_t limit_stack_bytes(void) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    uint64_t soft = get_locked(p, LIMIT_STACK).soft;
    spin_unlock(&p->lock);
    return ROUND_DOWN(MIN(MAX(soft, LEAST_STACK), UNLIMITED_STACK), PAGE_SIZE);
}

int limits_fork(struct proc *child, struct proc *parent) {
    if (!__atomic_load_n(&parent->limits, __ATOMIC_ACQUIRE))
        return 0;
    struct limits *record = slab_take(&records);
    if (!record)
        return -K_ENOMEM;
    spin_lock(&parent->lock);
    *record = *parent->limits;
    spin_unlock(&parent->lock);
    spin_lock(&child->lock);
    bool first = !child->limits; /* else somebody has found it already, and set some */
    if (first)
        __atomic_store_n(&child->limits, record, __ATOMIC_RELEASE);
    spin_unlock(&child->lock);
    if (!first)
        slab_give(&records, record);
    return 0;
}

void limits_free(struct proc *p) {
    if (!p->limits)
        return;
    slab_give(&records, p->limits);
    p->limits = NULL;
}
