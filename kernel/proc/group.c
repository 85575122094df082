/* Groups of processes and what ^C ends, under the family lock; what is kept for the session. */
#include "proc/group.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/ids.h"
#include "proc/sigaction.h"
#include "proc/table.h"

static int32_t foreground; /* group; 0: nobody has said */
static bool interrupted;   /* ^C has ended something since foreground was set */

/* A signal (0: none) for the processes of a group (0: of any) that are not spared; how many there
 * were. family_lock is held, so that nobody is born meanwhile. */
static uint32_t signal_group_locked(int32_t group, int32_t signal, const struct signal_info *info,
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

/* The caller is one more user of its number, if the group exists: one that has ended, and not been
 * waited for, is still in it. */
static bool group_hold_locked(int32_t group) {
    bool found = false;
    ASSERT_LOCKED(&family_lock);
    for (uint32_t i = 0; i < proc_slots && !found; i++) {
        struct proc *p = &procs[i];
        spin_lock(&p->lock);
        found = p->state != P_FREE && p->state != P_NEW && p->group == group;
        if (found)
            id_hold(group);
        spin_unlock(&p->lock);
    }
    return found;
}

static bool spares_first(const struct proc *p) { return p == proc_first; }
static bool spares_session(const struct proc *p) { return p->depth <= 1; }
static bool spares_managers(const struct proc *p) {
    return (p->depth <= 1 || p->manages_jobs) && signal_effect_locked(p, ABI_SIGINT) != DOES_HANDLE;
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
    bool there = group == pid || group_hold_locked(group);
    struct proc *p = find_mine_and_lock(pid);
    int32_t unused = there && group != pid ? group : 0;
    if (p && there) {
        if (group == pid)
            id_hold(group);
        unused = p->group;
        p->group = group;
    }
    if (p)
        spin_unlock(&p->lock);
    id_give(unused);
    return !p ? -K_ESRCH : there ? 0 : -K_EPERM;
}

int proc_set_group(int32_t pid, int32_t group) {
    pid = pid ? pid : proc_self()->pid;
    group = group ? group : pid;
    spin_lock(&family_lock);
    int err = set_group_locked(pid, group);
    spin_unlock(&family_lock);
    return err;
}

int proc_set_foreground(int32_t group, bool manages, bool *before) {
    spin_lock(&family_lock);
    bool there = group > 0 && group_hold_locked(group);
    *before = interrupted;
    if (there) {
        id_give(foreground);
        foreground = group;
    }
    if (there && !proc_killed()) /* else its parent still has to learn of it */
        interrupted = false;
    if (there && manages)
        proc_self()->manages_jobs = true;
    spin_unlock(&family_lock);
    return there ? 0 : -K_ESRCH;
}

int32_t proc_foreground(void) {
    spin_lock(&family_lock);
    int32_t group = foreground ? foreground : proc_self()->group;
    spin_unlock(&family_lock);
    return group;
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

/* Whether one of the group has a parent in another group, who can continue it. The first process
 * only waits. */
static bool has_shell_locked(int32_t group) {
    bool found = false;
    ASSERT_LOCKED(&family_lock);
    for (uint32_t i = 0; i < proc_slots && !found; i++) {
        const struct proc *parent = procs[i].parent;
        spin_lock(&procs[i].lock);
        bool member = procs[i].state == P_LIVE && procs[i].group == group;
        spin_unlock(&procs[i].lock);
        found = member && parent && parent != proc_first && parent->group != group;
    }
    return found;
}

int proc_from_background(int32_t signal) {
    static const struct signal_info info = {.code = ABI_SI_KERNEL};
    struct proc *p = proc_self();
    int32_t front = __atomic_load_n(&foreground, __ATOMIC_RELAXED);
    if (!front || p->depth <= 1 || p->group == front)
        return 0;
    int err = 0;
    spin_lock(&family_lock);
    spin_lock(&p->lock);
    bool heard = signal_effect_locked(p, signal) != DOES_IGNORE &&
                 !(thread_self()->signals.blocked & signal_bit(signal));
    spin_unlock(&p->lock);
    if (!foreground || p->group == foreground)
        err = 0; /* since that look */
    else if (!heard)
        err = signal == ABI_SIGTTIN ? -K_EIO : 0;
    else if (!has_shell_locked(p->group))
        err = -K_EIO;
    else {
        (void)!signal_group_locked(p->group, signal, &info, spares_first);
        err = -K_EINTR;
    }
    spin_unlock(&family_lock);
    return err;
}

void proc_forget_foreground_locked(void) {
    ASSERT_LOCKED(&family_lock);
    id_give(foreground);
    foreground = 0;
}

void proc_interrupt(int32_t signal) {
    static const struct signal_info info = {.code = ABI_SI_KERNEL};
    spin_lock(&family_lock);
    bool all = signal == ABI_SIGQUIT || !foreground;
    int32_t group = all ? 0 : foreground;
    bool (*spared)(const struct proc *) = all ? spares_session : spares_managers;
    uint32_t n = 0;
    if (signal != ABI_SIGTSTP || !all)
        n = signal_group_locked(group, signal, &info, spared);
    if (signal != ABI_SIGTSTP) {
        (void)!signal_group_locked(group, ABI_SIGCONT, &info, spared);
        interrupted |= n > 0;
    }
    spin_unlock(&family_lock);
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
