/* Sessions, and whose terminals are: see session.h. A process does not know its terminal: that is
 * the one that has its session. */
#include "proc/session.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/ids.h"
#include "proc/sigaction.h"
#include "proc/table.h"

static struct list terminals = LIST_INIT(terminals); /* control.link; the family lock */

static const struct signal_info by_kernel = {.code = ABI_SI_KERNEL};

void control_init(struct control *c, bool firsts, uint32_t device) {
    *c = (struct control){.firsts = firsts, .device = device, .own = c};
    spin_lock(&family_lock);
    list_push_back(&terminals, &c->link);
    spin_unlock(&family_lock);
}

/* ---- who has which ---- */

static int32_t session_locked(const struct control *c) {
    ASSERT_LOCKED(&family_lock);
    return c->session || !c->firsts || !proc_first ? c->session : proc_first->session;
}

static bool has_locked(const struct proc *p, const struct control *c) {
    ASSERT_LOCKED(&family_lock);
    return p->session && !p->no_terminal && session_locked(c) == p->session;
}

/* NULL: it has none. */
static struct control *terminal_locked(const struct proc *p) {
    ASSERT_LOCKED(&family_lock);
    LIST_EACH(it, &terminals) {
        struct control *c = LIST_ENTRY(it, struct control, link);
        if (has_locked(p, c))
            return c;
    }
    return NULL;
}

static bool leads(const struct proc *p) { return p->session == p->pid; }

static void set_foreground_locked(struct control *c, int32_t group) {
    ASSERT_LOCKED(&family_lock);
    id_hold(group);
    id_give(c->foreground);
    __atomic_store_n(&c->foreground, group, __ATOMIC_RELAXED);
}

static void set_session_locked(struct control *c, int32_t session) {
    ASSERT_LOCKED(&family_lock);
    id_hold(session);
    id_give(c->session);
    c->session = session;
    c->interrupted = false;
}

/* SIGHUP, and SIGCONT for who has stopped, to a group, if there is one. */
static void hang_up_group_locked(int32_t group) {
    ASSERT_LOCKED(&family_lock);
    if (!group)
        return;
    (void)!signal_group_locked(group, ABI_SIGHUP, &by_kernel, spares_first);
    (void)!signal_group_locked(group, ABI_SIGCONT, &by_kernel, spares_first);
}

/* Its session ends, or leaves it. */
static void give_up_locked(struct control *c) {
    ASSERT_LOCKED(&family_lock);
    hang_up_group_locked(c->foreground);
    set_session_locked(c, 0);
    set_foreground_locked(c, 0);
}

/* ---- sessions ---- */

int proc_new_session(void) {
    struct proc *p = proc_self();
    spin_lock(&family_lock);
    bool taken = group_hold_locked(p->pid) != -K_ESRCH;
    if (taken) {
        id_give(p->pid);
    } else {
        spin_lock(&p->lock);
        id_hold(p->pid);
        id_hold(p->pid);
        id_give(p->group);
        id_give(p->session);
        p->group = p->session = p->pid;
        p->no_terminal = false;
        spin_unlock(&p->lock);
    }
    spin_unlock(&family_lock);
    return taken ? -K_EPERM : 0;
}

int proc_get_session(int32_t pid, int32_t *session) {
    struct proc *p = proc_find_and_lock(pid ? pid : proc_self()->pid);
    *session = p ? p->session : 0;
    if (p)
        spin_unlock(&p->lock);
    return p ? 0 : -K_ESRCH;
}

/* A shell of the first process has ended, and the next one may not know of groups: none is in the
 * foreground. */
void proc_leave_session_locked(struct proc *p) {
    ASSERT_LOCKED(&family_lock);
    struct control *c = p->depth == 1 || leads(p) ? terminal_locked(p) : NULL;
    if (c && leads(p))
        give_up_locked(c);
    else if (c)
        set_foreground_locked(c, 0);
}

/* ---- controlling terminals ---- */

struct control *proc_terminal(void (*hold)(struct control *c)) {
    spin_lock(&family_lock);
    struct control *c = terminal_locked(proc_self());
    if (c)
        hold(c);
    spin_unlock(&family_lock);
    return c;
}

void proc_terminal_of(int32_t pid, uint32_t *device, int32_t *foreground) {
    spin_lock(&family_lock);
    struct proc *p = proc_find_and_lock(pid);
    struct control *c = p ? terminal_locked(p) : NULL;
    *device = c ? c->device : 0;
    *foreground = c ? c->foreground : -1;
    if (p)
        spin_unlock(&p->lock);
    spin_unlock(&family_lock);
}

static int take_locked(struct control *c, bool steal) {
    ASSERT_LOCKED(&family_lock);
    struct proc *p = proc_self();
    struct control *now = terminal_locked(p);
    if (!c->own)
        return -K_EIO;
    if (now == c && leads(p))
        return 0;
    if (now == c && c->firsts && p->group == p->pid) {
        set_foreground_locked(c, p->group);
        return 0;
    }
    if (!leads(p) || now || (c->session && !steal))
        return -K_EPERM;
    p->no_terminal = false;
    set_session_locked(c, p->session);
    set_foreground_locked(c, p->group);
    return 0;
}

int proc_take_terminal(struct control *c, bool steal) {
    spin_lock(&family_lock);
    int err = take_locked(c, steal);
    spin_unlock(&family_lock);
    return err;
}

void proc_offer_terminal(struct control *c) {
    const struct proc *p = proc_self();
    if (!c->firsts && leads(p))
        (void)!proc_take_terminal(c, false);
}

int proc_leave_terminal(struct control *c) {
    struct proc *p = proc_self();
    spin_lock(&family_lock);
    bool has = has_locked(p, c);
    if (has && leads(p) && c->session)
        give_up_locked(c);
    else if (has)
        p->no_terminal = true;
    spin_unlock(&family_lock);
    return has ? 0 : -K_ENOTTY;
}

/* Who leads the session, if it is not in the foreground, which hears of it anyway. */
static void hang_up_leader_locked(const struct control *c) {
    ASSERT_LOCKED(&family_lock);
    struct proc *p = proc_find_and_lock(c->session);
    if (!p)
        return;
    if (leads(p) && p->group != c->foreground) {
        signal_post_locked(p, NULL, ABI_SIGHUP, &by_kernel);
        signal_post_locked(p, NULL, ABI_SIGCONT, &by_kernel);
    }
    spin_unlock(&p->lock);
}

void proc_hang_up(struct control *c) {
    spin_lock(&family_lock);
    hang_up_leader_locked(c);
    give_up_locked(c);
    c->own = NULL;
    list_remove(&c->link);
    spin_unlock(&family_lock);
}

/* ---- the foreground ---- */

int proc_session_of(struct control *c, bool any, int32_t *session) {
    spin_lock(&family_lock);
    bool may = any || has_locked(proc_self(), c);
    *session = session_locked(c);
    spin_unlock(&family_lock);
    return may && *session ? 0 : -K_ENOTTY;
}

static int32_t foreground_locked(const struct control *c) {
    ASSERT_LOCKED(&family_lock);
    return c->foreground || !c->firsts ? c->foreground : proc_self()->group;
}

int proc_get_foreground(struct control *c, bool any, int32_t *group) {
    spin_lock(&family_lock);
    bool may = any || has_locked(proc_self(), c);
    *group = foreground_locked(c);
    spin_unlock(&family_lock);
    return may ? 0 : -K_ENOTTY;
}

int proc_set_foreground(struct control *c, int32_t group, bool manages, bool *before) {
    struct proc *p = proc_self();
    spin_lock(&family_lock);
    c = c ? c : terminal_locked(p);
    int err = !c || !has_locked(p, c) ? -K_ENOTTY
              : group <= 0            ? -K_ESRCH
                                      : group_hold_locked(group);
    *before = c && c->interrupted;
    if (!err) {
        set_foreground_locked(c, group);
        c->interrupted &= proc_killed(); /* then its parent still has to learn of it */
        p->manages_jobs |= manages;
    }
    if (!err || err == -K_EPERM)
        id_give(group); /* the terminal has its own */
    spin_unlock(&family_lock);
    return err;
}

void proc_signal_foreground(struct control *c, int32_t signal) {
    spin_lock(&family_lock);
    int32_t group = foreground_locked(c);
    if (group)
        (void)!signal_group_locked(group, signal, &by_kernel, spares_first);
    spin_unlock(&family_lock);
}

/* ---- who can continue a group ---- */

/* A parent in another group of the session. The first process only waits. */
static bool is_shell_of(const struct proc *parent, const struct proc *p) {
    return parent && parent != proc_first && parent->group != p->group &&
           parent->session == p->session;
}

struct group_about {
    bool has_shell; /* one of it has one */
    bool stopped;   /* one of it is */
};

/* The group changes under the family lock. */
static struct group_about about_locked(int32_t group) {
    struct group_about about = {0};
    ASSERT_LOCKED(&family_lock);
    for (uint32_t i = 0; i < proc_slots; i++) {
        struct proc *p = &procs[i];
        if (__atomic_load_n(&p->group, __ATOMIC_RELAXED) != group)
            continue;
        spin_lock(&p->lock);
        bool member = p->state == P_LIVE && p->group == group;
        about.stopped |= member && p->stopped;
        spin_unlock(&p->lock);
        about.has_shell |= member && is_shell_of(p->parent, p);
    }
    return about;
}

void proc_lose_shell_locked(const struct proc *p, const struct proc *shell) {
    ASSERT_LOCKED(&family_lock);
    if (!is_shell_of(shell, p))
        return;
    struct group_about about = about_locked(p->group);
    if (about.stopped && !about.has_shell)
        hang_up_group_locked(p->group);
}

/* ---- the background ---- */

static bool in_front(const struct proc *p, const struct control *c) {
    int32_t front = __atomic_load_n(&c->foreground, __ATOMIC_RELAXED);
    return !front || p->depth <= 1 || p->group == front;
}

/* Whichever thread of p, the running process, takes the signal: this one's call is made again. */
static int stop_group_locked(struct proc *p, int32_t signal) {
    ASSERT_LOCKED(&family_lock);
    (void)!signal_group_locked(p->group, signal, &by_kernel, spares_first);
    spin_lock(&p->lock);
    thread_tell(thread_self(), THREAD_SIGNAL);
    spin_unlock(&p->lock);
    return -K_EINTR;
}

int proc_from_background(struct control *c, int32_t signal) {
    struct proc *p = proc_self();
    if (in_front(p, c))
        return 0;
    int err = 0;
    spin_lock(&family_lock);
    spin_lock(&p->lock);
    bool heard = signal_effect_locked(p, signal) != DOES_IGNORE &&
                 !(thread_self()->signals.blocked & signal_bit(signal));
    spin_unlock(&p->lock);
    if (in_front(p, c) || !has_locked(p, c)) /* it may have come there since that look */
        err = 0;
    else if (!heard)
        err = signal == ABI_SIGTTIN ? -K_EIO : 0;
    else if (!about_locked(p->group).has_shell)
        err = -K_EIO;
    else
        err = stop_group_locked(p, signal);
    spin_unlock(&family_lock);
    return err;
}

static bool spares_session(const struct proc *p) { return p->depth <= 1; }
static bool spares_managers(const struct proc *p) {
    return (p->depth <= 1 || p->manages_jobs) && signal_effect_locked(p, ABI_SIGINT) != DOES_HANDLE;
}

void proc_interrupt(struct control *c, int32_t signal) {
    spin_lock(&family_lock);
    bool all = c->firsts && (signal == ABI_SIGQUIT || !c->foreground);
    int32_t group = all ? 0 : c->foreground;
    bool (*spared)(const struct proc *) = all ? spares_session : spares_managers;
    uint32_t n = 0;
    if ((all && signal != ABI_SIGTSTP) || group)
        n = signal_group_locked(group, signal, &by_kernel, spared);
    if ((all || group) && signal != ABI_SIGTSTP) {
        (void)!signal_group_locked(group, ABI_SIGCONT, &by_kernel, spared);
        c->interrupted |= n > 0;
    }
    spin_unlock(&family_lock);
}
