/* Groups of processes, under the family lock; what is kept for the session. */
#include "proc/group.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/ids.h"
#include "proc/sigaction.h"
#include "proc/table.h"

uint32_t signal_group_locked(int32_t group, int32_t signal, const struct signal_info *info,
                             bool (*spared)(const struct proc *)) {
    uint32_t n = 0;
    ASSERT_LOCKED(&family_lock);
    for (uint32_t i = 0; i < proc_slots; i++) {
        struct proc *p = &procs[i];
        spin_lock(&p->lock);
        bool living = p->state != P_FREE && p->state != P_ZOMBIE && p->parent;
        if (living && (!group || p->group == group) && !spared(p)) {
            if (signal)
                signal_post_locked(p, NULL, signal, info);
            n++;
        }
        spin_unlock(&p->lock);
    }
    return n;
}

bool spares_first(const struct proc *p) { return p == proc_first; }

int group_hold_locked(int32_t group) {
    int err = -K_ESRCH;
    ASSERT_LOCKED(&family_lock);
    for (uint32_t i = 0; i < proc_slots && err == -K_ESRCH; i++) {
        struct proc *p = &procs[i];
        spin_lock(&p->lock);
        if (p->state != P_FREE && p->state != P_NEW && p->group == group) {
            id_hold(group);
            err = p->session == proc_self()->session ? 0 : -K_EPERM;
        }
        spin_unlock(&p->lock);
    }
    return err;
}

static bool spares_first_and_self(const struct proc *p) {
    return p == proc_first || p == proc_self();
}

int proc_signal_all(int32_t signal, const struct signal_info *info) {
    spin_lock(&family_lock);
    uint32_t n = signal_group_locked(0, signal, info, spares_first_and_self);
    spin_unlock(&family_lock);
    return n ? 0 : -K_ESRCH;
}

int proc_signal_group(int32_t group, int32_t signal, const struct signal_info *info) {
    spin_lock(&family_lock);
    uint32_t n = signal_group_locked(group, signal, info, spares_first);
    spin_unlock(&family_lock);
    return n ? 0 : -K_ESRCH;
}

/* Itself or a child, which this locks; NULL: there is none with this pid. */
static struct proc *find_mine_and_lock(int32_t pid) {
    struct proc *self = proc_self(), *p = proc_find_and_lock(pid);
    if (!p || p == self || p->parent == self)
        return p;
    spin_unlock(&p->lock);
    return NULL;
}

static int set_group_locked(int32_t pid, int32_t group) {
    ASSERT_LOCKED(&family_lock);
    int held = group == pid ? -K_ESRCH : group_hold_locked(group);
    struct proc *p = find_mine_and_lock(pid);
    int err = !p                                                           ? -K_ESRCH
              : p->session != proc_self()->session || p->session == p->pid ? -K_EPERM
              : group == pid || !held                                      ? 0
                                                                           : -K_EPERM;
    int32_t unused = held == -K_ESRCH ? 0 : group;
    if (!err) {
        if (group == pid)
            id_hold(group);
        unused = p->group;
        p->group = group;
    }
    if (p)
        spin_unlock(&p->lock);
    id_give(unused);
    return err;
}

int proc_set_group(int32_t pid, int32_t group) {
    pid = pid ? pid : proc_self()->pid;
    group = group ? group : pid;
    spin_lock(&family_lock);
    int err = set_group_locked(pid, group);
    spin_unlock(&family_lock);
    return err;
}

int proc_get_group(int32_t pid, int32_t *group) {
    struct proc *p = proc_find_and_lock(pid ? pid : proc_self()->pid);
    *group = p ? p->group : 0;
    if (p)
        spin_unlock(&p->lock);
    return p ? 0 : -K_ESRCH;
}

int32_t proc_parent(void) {
    spin_lock(&family_lock);
    const struct proc *parent = proc_self()->parent;
    int32_t pid = parent ? parent->pid : 0;
    spin_unlock(&family_lock);
    return pid;
}

bool proc_reserve_granted(uint64_t frames, bool taken) {
    struct proc *p = proc_self();
    if (!p || p->depth <= 1)
        return true; /* at boot, and the session */
    uint32_t left = __atomic_load_n(&p->reserve_left, __ATOMIC_RELAXED);
    do {
        if (frames > left)
            return false;
    } while (taken && !__atomic_compare_exchange_n(&p->reserve_left, &left, left - (uint32_t)frames,
                                                   true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}
