/* Sending signals, and what is said of them: see signal.h. */
#include "proc/signal.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/group.h"
#include "proc/limits.h"
#include "proc/sigaction.h"
#include "proc/sigqueue.h"
#include "proc/table.h"

/* ---- what one does ------------------------------------------------------------- */

#define SIGNAL(number, name, action, text) [number] = DOES_##action,
static const uint8_t by_default[ABI_SIGNALS + 1] = {
#include "lib/signals.def"
};

/* Other processes may look at it while p runs another program. */
static bool pipe_ends(const struct proc *p) {
    const struct interface *interface = __atomic_load_n(&p->interface, __ATOMIC_RELAXED);
    return interface && interface->pipe_ends;
}

enum signal_effect signal_effect_locked(const struct proc *p, int32_t signal) {
    ASSERT_LOCKED(&p->lock);
    uint64_t handler = p->signals ? p->signals->action[signal - 1].handler : ABI_SIG_DFL;
    if (handler == ABI_SIG_IGN)
        return DOES_IGNORE;
    if (handler != ABI_SIG_DFL)
        return DOES_HANDLE;
    enum signal_effect effect = by_default[signal];
    if (signal == ABI_SIGPIPE && pipe_ends(p))
        effect = DOES_END;
    /* Nobody could start the session again, nor continue it. */
    bool spared = p == proc_first || (effect == DOES_STOP && p->depth <= 1);
    return spared ? DOES_IGNORE : effect;
}

/* ---- sending ------------------------------------------------------------------- */

static bool takes(const struct thread *t, uint64_t bit) {
    return (!(t->signals.blocked & bit) || (t->signals.awaited & bit)) && t->state != T_DEAD;
}

/* One that does not block it, or waits for it; NULL: there is none. */
static struct thread *taker_locked(const struct proc *p, uint64_t bit) {
    ASSERT_LOCKED(&p->lock);
    LIST_EACH(link, &p->threads) {
        struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        if (takes(t, bit))
            return t;
    }
    return NULL;
}

void signal_end_locked(struct proc *p, int32_t signal) {
    ASSERT_LOCKED(&p->lock);
    if (p->state == P_ZOMBIE || p->killed)
        return;
    p->end_signal = signal;
    p->killed = true;
    thread_tell_all_locked(p, THREAD_KILLED);
}

void signal_forget_locked(struct proc *p, uint64_t bits) {
    ASSERT_LOCKED(&p->lock);
    p->signals_pending &= ~bits;
    LIST_EACH(link, &p->threads)
        LIST_ENTRY(link, struct thread, in_process)->signals.pending &= ~bits;
    if (p->signals)
        queue_forget_locked(p, bits, NULL);
}

/* A stop and a continuation that nobody has taken yet undo each other. */
static void undo_opposite_locked(struct proc *p, int32_t signal) {
    ASSERT_LOCKED(&p->lock);
    if (by_default[signal] == DOES_STOP)
        signal_forget_locked(p, signal_bit(ABI_SIGCONT));
    if (signal != ABI_SIGCONT)
        return;
    signal_forget_locked(p, SIGNALS_THAT_STOP);
    if (p->stopped) {
        p->stopped = false;
        wakeup_some(&p->continued); /* these wake the others */
    }
}

/* What is known of a signal that may wait in a row. */
static int know_locked(struct proc *p, struct thread *only, int32_t signal,
                       const struct signal_info *info, struct queued_signal **q) {
    ASSERT_LOCKED(&p->lock);
    uint64_t most = limit_soft_locked(p, LIMIT_SIGNALS);
    if (!p->signals) /* it has not said that it wants to know */
        return 0;
    if (p->signals->queued >= MIN(most, SIGNALS_QUEUED) && !(*q)->timer) /* these are few */
        return -K_EAGAIN;
    (*q)->only = only;
    (*q)->signal = signal;
    (*q)->info = *info;
    queue_add_locked(p, *q);
    *q = NULL;
    return 0;
}

static int make_pending_locked(struct proc *p, struct thread *only, int32_t signal,
                               const struct signal_info *info, struct queued_signal **q) {
    ASSERT_LOCKED(&p->lock);
    uint64_t *set = only ? &only->signals.pending : &p->signals_pending;
    bool first = !(*set & signal_bit(signal)); /* what is known is of the first one */
    int err = 0;
    if (q && *q && (signal_is_realtime(signal) || (only && first) || (*q)->timer))
        err = know_locked(p, only, signal, info, q);
    bool told = info->code == ABI_SI_USER || info->code == ABI_SI_TKILL;
    if (err && signal_is_realtime(signal) && !told) /* it carries a value: it is not sent */
        return err;
    if (first && only && only->sent_by)
        only->sent_by[signal - 1] = info->pid;
    else if (first && !only && p->signals)
        p->signals->info[signal - 1] = *info;
    *set |= signal_bit(signal);
    watched_changed(&p->signals_watched);
    return 0;
}

int signal_queue_locked(struct proc *p, struct thread *only, int32_t signal,
                        const struct signal_info *info, struct queued_signal **q) {
    ASSERT_LOCKED(&p->lock);
    if (p->state == P_ZOMBIE || p->state == P_FREE)
        return 0;
    undo_opposite_locked(p, signal);
    enum signal_effect effect = signal_effect_locked(p, signal);
    uint64_t bit = signal_bit(signal);
    struct thread *t = !only ? taker_locked(p, bit) : takes(only, bit) ? only : NULL;
    bool awaited = t && (t->signals.awaited & bit);
    int err = 0;
    if (t && !awaited && effect == DOES_END) {
        signal_end_locked(p, signal);
    } else if (!t || awaited || effect == DOES_HANDLE || effect == DOES_STOP) {
        err = make_pending_locked(p, only, signal, info, q);
        if (t)
            thread_tell(t, THREAD_SIGNAL);
    }
    return err;
}

void signal_post_locked(struct proc *p, struct thread *only, int32_t signal,
                        const struct signal_info *info) {
    ASSERT_LOCKED(&p->lock);
    (void)signal_queue_locked(p, only, signal, info, NULL);
}

static struct signal_info sent_by_self(int32_t code) {
    return (struct signal_info){.code = code, .pid = proc_self()->pid};
}

/* To a process; *q: a record, if there is one. */
static int send(int32_t pid, int32_t signal, const struct signal_info *info,
                struct queued_signal **q) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    int err = p == proc_first && signal == ABI_SIGKILL ? -K_EPERM : 0;
    if (!err && signal)
        err = signal_queue_locked(p, NULL, signal, info, q);
    spin_unlock(&p->lock);
    return err;
}

/* A record that is not needed is given back. */
static struct queued_signal *record_for(int32_t signal) {
    return signal_is_realtime(signal) ? signal_queued_make() : NULL;
}

static void end_record(struct queued_signal *q) {
    if (q)
        signal_queued_give(q);
}

int signal_send(int32_t pid, int32_t signal) {
    if (signal != 0 && !signal_exists(signal))
        return -K_EINVAL;
    struct signal_info info = sent_by_self(ABI_SI_USER);
    int32_t group = pid < -1 ? (int32_t)(0u - (uint32_t)pid) : 0;
    if (pid == 0 && proc_get_group(0, &group))
        return -K_ESRCH;
    if (pid == -1)
        return proc_signal_all(signal, &info);
    if (group)
        return proc_signal_group(group, signal, &info);
    struct queued_signal *q = record_for(signal);
    int err = send(pid, signal, &info, &q);
    end_record(q);
    return err == -K_EAGAIN ? 0 : err;
}

static struct slab senders = SLAB_INIT(senders, ABI_SIGNALS * sizeof(int32_t));

void signal_forget_senders(struct thread *t) {
    if (t->sent_by)
        slab_give(&senders, t->sent_by);
    t->sent_by = NULL;
}

/* t, from another process for the first time. */
static void know_senders_locked(struct thread *t, int32_t **unused) {
    ASSERT_LOCKED(&t->proc->lock);
    t->sent_by = *unused;
    for (int32_t i = 0; i < ABI_SIGNALS; i++) /* what is pending is its own process's */
        t->sent_by[i] = t->proc->pid;
    *unused = NULL;
}

static int send_thread(int32_t pid, int32_t tid, int32_t signal, const struct signal_info *info,
                       int32_t **unused, struct queued_signal **q) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    int err = -K_ESRCH;
    LIST_EACH(link, &p->threads) {
        struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        if (t->tid != tid || t->state == T_DEAD)
            continue;
        err = 0;
        if (signal && *unused && !t->sent_by)
            know_senders_locked(t, unused);
        if (signal)
            err = signal_queue_locked(p, t, signal, info, q);
        break;
    }
    spin_unlock(&p->lock);
    return err;
}

int signal_send_thread(int32_t pid, int32_t tid, int32_t signal) {
    if (signal != 0 && !signal_exists(signal))
        return -K_EINVAL;
    int32_t *from_another = NULL;
    if (pid != proc_self()->pid) {
        from_another = slab_take(&senders);
        if (!from_another)
            return -K_ENOMEM;
    }
    struct signal_info info = sent_by_self(ABI_SI_TKILL);
    struct queued_signal *q = record_for(signal);
    int err = send_thread(pid, tid, signal, &info, &from_another, &q);
    end_record(q);
    if (from_another)
        slab_give(&senders, from_another);
    return err == -K_EAGAIN ? 0 : err;
}

int signal_send_value(int32_t pid, int32_t tid, int32_t signal, int32_t code, uint64_t value) {
    if (signal != 0 && !signal_exists(signal))
        return -K_EINVAL;
    struct signal_info info = sent_by_self(code);
    int32_t *unused = NULL;
    info.value = value;
    struct queued_signal *q = signal_queued_make();
    if (!q)
        return -K_EAGAIN;
    int err = tid ? send_thread(pid, tid, signal, &info, &unused, &q)
                  : send(pid, signal, &info, &q);
    end_record(q);
    return err;
}

bool signal_fault(int32_t signal, int32_t code, uint64_t address) {
    struct thread *t = thread_self();
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    bool runs = signal_effect_locked(p, signal) == DOES_HANDLE &&
                !(t->signals.blocked & signal_bit(signal));
    if (runs) {
        t->signals.fault.signal = signal;
        t->signals.fault.code = code;
        t->signals.fault.address = address;
        thread_tell(t, THREAD_SIGNAL);
    }
    spin_unlock(&p->lock);
    return runs;
}

bool signal_parent_locked(struct proc *p, int32_t code, int32_t status) {
    ASSERT_LOCKED(&family_lock);
    struct proc *parent = p->parent;
    struct signal_info info = {.code = code, .pid = p->pid, .value = (uint32_t)status};
    bool ended = code == ABI_CLD_EXITED || code == ABI_CLD_KILLED;
    spin_lock(&parent->lock);
    const struct abi_sigaction *a = parent->signals ? &parent->signals->action[ABI_SIGCHLD - 1]
                                                    : NULL;
    if (ended || !a || !(a->flags & ABI_SA_NOCLDSTOP))
        signal_post_locked(parent, NULL, ABI_SIGCHLD, &info);
    bool nobody_waits = a && (a->handler == ABI_SIG_IGN || (a->flags & ABI_SA_NOCLDWAIT));
    spin_unlock(&parent->lock);
    return ended && nobody_waits;
}
