/* Waiting for children: see proc.h. */
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/signal.h"
#include "proc/table.h"

#define WORD_CONTINUED 0xffff
#define WORD_STOPPED 0x7f /* with the signal above it */

static bool is_meant_locked(const struct proc *child, int32_t pid) {
    ASSERT_LOCKED(&family_lock);
    return pid == -1 ||
           (pid > 0 ? child->pid == pid
                    : child->group == (pid ? (int32_t)(0U - (uint32_t)pid) : proc_self()->group));
}

static int32_t word_of_end(const struct proc *child) {
    int32_t signal = child->end_signal ? child->end_signal : child->killed ? ABI_SIGKILL : 0;
    return signal ? signal : (child->status & 0xff) << 8;
}

/* Whether it is of interest now; then it is nobody else's, unless the caller keeps it. */
static bool has_news_locked(struct proc *child, unsigned options, struct child_news *news) {
    ASSERT_LOCKED(&family_lock);
    *news = (struct child_news){.child = child, .exited = child->exited, .pid = child->pid};
    if (child->exited) {
        if (child->waited_for)
            return false;
        child->waited_for = !(options & PROC_WAIT_KEEPS);
        news->status = child->status;
        news->word = word_of_end(child);
        news->used = usage_of_child_locked(child);
        return true;
    }
    if (!child->tells)
        return false;
    spin_lock(&child->lock);
    bool stopped = child->stopped;
    int32_t signal = child->stop_signal;
    bool all = child->halted == child->living;
    spin_unlock(&child->lock);
    /* It may do the other thing by now, and tells of that when all its threads have done so. */
    if ((stopped && !all) || child->tells != (stopped ? ABI_CLD_STOPPED : ABI_CLD_CONTINUED) ||
        !(options & (stopped ? ABI_WUNTRACED : ABI_WCONTINUED)))
        return false;
    if (!(options & PROC_WAIT_KEEPS))
        child->tells = 0;
    news->word = stopped ? signal << 8 | WORD_STOPPED : WORD_CONTINUED;
    return true;
}

/* -K_ECHILD: there is none that is meant; -K_EAGAIN: none has news. */
static int look_locked(int32_t pid, unsigned options, struct child_news *news) {
    ASSERT_LOCKED(&family_lock);
    int err = -K_ECHILD;
    LIST_EACH(it, &proc_self()->children) {
        struct proc *child = LIST_ENTRY(it, struct proc, sibling);
        if (!is_meant_locked(child, pid) || (child->exited && (options & PROC_WAIT_LIVING)))
            continue;
        if (has_news_locked(child, options, news))
            return 0;
        err = -K_EAGAIN;
    }
    return err;
}

int proc_wait(int32_t pid, unsigned options, struct child_news *news) {
    struct proc *p = proc_self();
    int err;
    spin_lock(&family_lock);
    while ((err = look_locked(pid, options, news)) == -K_EAGAIN && !(options & ABI_WNOHANG) &&
           !proc_interrupted())
        sleep_on(&p->child_exited, &family_lock);
    spin_unlock(&family_lock);
    if (err != -K_EAGAIN)
        return err;
    news->child = NULL;
    return options & ABI_WNOHANG ? 0 : -K_EINTR;
}

void proc_wait_again(const struct child_news *news) {
    spin_lock(&family_lock);
    if (news->exited)
        news->child->waited_for = false;
    /* Else another one has seen its end, or it has done something newer. */
    else if (news->child->pid == news->pid && !news->child->tells)
        news->child->tells = news->word == WORD_CONTINUED ? ABI_CLD_CONTINUED : ABI_CLD_STOPPED;
    wakeup(&proc_self()->child_exited);
    spin_unlock(&family_lock);
}

void proc_reap(struct proc *child) {
    struct thread *t = LIST_ENTRY(child->threads.next, struct thread, in_process);
    /* Its last steps, from waking us to the switch, may still run elsewhere. */
    while (__atomic_load_n(&t->on_hart, __ATOMIC_ACQUIRE))
        cpu_relax();
    spin_lock(&family_lock);
    struct proc *p = child->parent;
    usage_inherit_locked(p, child);
    list_remove(&child->sibling);
    wakeup(&p->child_exited); /* other threads may wait for it in vain */
    spin_unlock(&family_lock);
    proc_free(t);
}
