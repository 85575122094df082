/* What processes and threads say of signals, and what of that goes on over fork and exec: see
 * signal.h. */
#include "proc/sigaction.h"
#include "proc/sigqueue.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/table.h"

static struct slab records = SLAB_INIT(records, sizeof(struct signals));

int signal_need_record(void) {
    struct proc *p = proc_self();
    if (__atomic_load_n(&p->signals, __ATOMIC_ACQUIRE))
        return 0;
    struct signals *record = slab_take(&records);
    if (!record)
        return -K_ENOMEM;
    memset(record, 0, sizeof(*record));
    spin_lock(&p->lock);
    bool first = !p->signals;
    if (first)
        __atomic_store_n(&p->signals, record, __ATOMIC_RELEASE);
    spin_unlock(&p->lock);
    if (!first)
        slab_give(&records, record);
    return 0;
}

void signal_tell_takers_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    LIST_EACH(link, &p->threads) {
        struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        uint64_t wanted = ~t->signals.blocked | t->signals.awaited;
        if ((t->signals.pending | p->signals_pending) & wanted)
            thread_tell(t, THREAD_SIGNAL);
    }
}

void signal_leave_locked(struct thread *t) {
    ASSERT_LOCKED(&t->proc->lock);
    bool took = t->proc->signals_pending & ~t->signals.blocked;
    t->signals.blocked = ~(uint64_t)0;
    if (t->proc->signals)
        queue_forget_locked(t->proc, ~(uint64_t)0, t);
    if (took)
        signal_tell_takers_locked(t->proc);
}

/* ---- actions --------------------------------------------------------------------- */

int signal_set_action(int32_t signal, const struct abi_sigaction *action, uint64_t page) {
    int err = signal_need_record();
    if (err)
        return err;
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    struct abi_sigaction *a = &p->signals->action[signal - 1];
    *a = *action;
    a->flags = (uint32_t)a->flags;
    a->mask &= ~SIGNALS_SURE;
    if (page && !p->signals->page)
        p->signals->page = page;
    if (signal_effect_locked(p, signal) == DOES_IGNORE)
        signal_forget_locked(p, signal_bit(signal));
    spin_unlock(&p->lock);
    return 0;
}

void signal_get_action(int32_t signal, struct abi_sigaction *action) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    *action = p->signals ? p->signals->action[signal - 1] : (struct abi_sigaction){0};
    spin_unlock(&p->lock);
}

uint64_t signal_page_address(void) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    uint64_t page = p->signals ? p->signals->page : 0;
    spin_unlock(&p->lock);
    return page;
}

/* ---- masks ------------------------------------------------------------------------ */

static void set_blocked(struct thread *t, uint64_t mask) {
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    t->signals.blocked = mask & ~SIGNALS_SURE;
    if (t->signals.pending & ~t->signals.blocked)
        thread_tell(t, THREAD_SIGNAL);
    if (p->signals_pending)
        signal_tell_takers_locked(p);
    spin_unlock(&p->lock);
}

int signal_block(uint64_t mask) {
    int err = signal_need_record();
    if (!err)
        set_blocked(thread_self(), mask);
    return err;
}

uint64_t signal_pending(void) {
    const struct thread *t = thread_self();
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    uint64_t set = (t->signals.pending | p->signals_pending) & t->signals.blocked;
    spin_unlock(&p->lock);
    return set;
}

uint64_t signal_look(uint64_t set, struct watch *w) {
    const struct thread *t = thread_self();
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    if (w)
        watch_begin(w, &p->signals_watched, &p->lock);
    set &= t->signals.pending | p->signals_pending;
    spin_unlock(&p->lock);
    return set;
}

int signal_mask_begin(uint64_t mask) {
    struct thread_signals *s = &thread_self()->signals;
    int err = signal_need_record();
    if (err)
        return err;
    s->blocked_before = s->blocked;
    s->suspended = true;
    set_blocked(thread_self(), mask);
    return 0;
}

void signal_mask_end(int err) {
    struct thread_signals *s = &thread_self()->signals;
    if (err == -K_EINTR)
        return; /* signal_deliver comes back to it */
    s->suspended = false;
    set_blocked(thread_self(), s->blocked_before);
}

int signal_suspend(uint64_t mask) {
    int err = signal_mask_begin(mask);
    return err ? err : proc_pause();
}

/* ---- alternate stacks --------------------------------------------------------------- */

static bool on_stack(const struct abi_sigstack *s) {
    return thread_self()->tf->sp - s->sp < s->size;
}

void signal_get_stack(struct abi_sigstack *stack) {
    *stack = thread_self()->signals.stack;
    stack->flags = !stack->size ? ABI_SS_DISABLE : on_stack(stack) ? ABI_SS_ONSTACK : 0;
}

int signal_set_stack(const struct abi_sigstack *stack) {
    struct abi_sigstack *mine = &thread_self()->signals.stack;
    if (mine->size && on_stack(mine))
        return -K_EPERM;
    *mine = stack->flags & ABI_SS_DISABLE ? (struct abi_sigstack){0} : *stack;
    return 0;
}

/* ---- fork, exec, the end ---------------------------------------------------------- */

int signal_fork(struct thread *child) {
    const struct thread *t = thread_self();
    struct proc *p = t->proc;
    child->signals.blocked = t->signals.blocked;
    child->signals.stack = t->signals.stack;
    if (!p->signals)
        return 0;
    struct signals *record = slab_take(&records);
    if (!record)
        return -K_ENOMEM;
    spin_lock(&p->lock);
    *record = *p->signals;
    spin_unlock(&p->lock);
    record->queue = NULL;
    record->queued = 0;
    child->proc->signals = record;
    return 0;
}

void signal_exec(void) {
    struct thread *t = thread_self();
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    t->signals = (struct thread_signals){.blocked = t->signals.blocked,
                                         .pending = t->signals.pending};
    for (int i = 0; p->signals && i < ABI_SIGNALS; i++) {
        struct abi_sigaction *a = &p->signals->action[i];
        *a = (struct abi_sigaction){.handler = a->handler == ABI_SIG_IGN ? ABI_SIG_IGN
                                                                         : ABI_SIG_DFL};
    }
    if (p->signals)
        p->signals->page = 0;
    signal_tell_takers_locked(p); /* what had a handler may do something else now */
    spin_unlock(&p->lock);
}

int signal_masks_of(int32_t pid, int32_t tid, struct signal_masks *masks) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    *masks = (struct signal_masks){.waiting = p->signals_pending};
    LIST_EACH(link, &p->threads) {
        const struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        if (tid && t->tid != tid)
            continue;
        masks->waiting_thread = t->signals.pending;
        masks->blocked = t->signals.blocked;
        break;
    }
    for (int32_t signal = 1; p->signals && signal <= ABI_SIGNALS; signal++) {
        uint64_t handler = p->signals->action[signal - 1].handler;
        if (handler == ABI_SIG_IGN)
            masks->ignored |= signal_bit(signal);
        else if (handler != ABI_SIG_DFL)
            masks->caught |= signal_bit(signal);
    }
    spin_unlock(&p->lock);
    return 0;
}

void signal_free(struct proc *p) {
    spin_lock(&p->lock); /* a child that never began can be found until now */
    struct signals *s = p->signals;
    if (s)
        queue_forget_locked(p, ~(uint64_t)0, NULL);
    p->signals = NULL;
    spin_unlock(&p->lock);
    if (s)
        slab_give(&records, s);
}

void signal_reset(struct proc *p) {
    p->signals_pending = 0;
    p->end_signal = p->stop_signal = 0;
    p->halted = 0;
    p->stopped = false;
    p->tells = 0;
}
