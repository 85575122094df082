/* What a thread does about signals before it returns to user mode: see signal.h.
 *
 * The frame of a handler, from its stack pointer up: struct abi_siginfo, struct abi_ucontext. The
 * handler returns to a page with a call of sigreturn (mm/sigpage.h), which reads it again. It is
 * the program's memory then, so nothing in it is trusted: all registers that it has are the
 * program's to set, and a pc that is not mapped is one fault more. */
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/sigaction.h"
#include "proc/sigqueue.h"
#include "proc/table.h"

/* The registers from epc on are those of a ucontext from pc on, in the same order. */
#define REGISTERS (sizeof(struct trapframe) - offsetof(struct trapframe, epc))
_Static_assert(REGISTERS == offsetof(struct abi_ucontext, f) - offsetof(struct abi_ucontext, pc),
               "pc and x1 to x31");
_Static_assert(offsetof(struct trapframe, t6) - offsetof(struct trapframe, epc) == 31 * 8,
               "by number");
_Static_assert(offsetof(struct abi_ucontext, fcsr) - offsetof(struct abi_ucontext, f) ==
                   offsetof(struct fpu_state, fcsr),
               "struct fpu_state");
#define FCSR_BITS 0xff

/* What of the frame is not registers. */
struct frame_head {
    struct abi_siginfo info;
    uint64_t flags, link;
    struct abi_sigstack stack;
    uint64_t mask;
};
#define CONTEXT_AT sizeof(struct abi_siginfo) /* in the frame */
#define FRAME_SIZE (CONTEXT_AT + sizeof(struct abi_ucontext))
_Static_assert(sizeof(struct frame_head) == CONTEXT_AT + offsetof(struct abi_ucontext, room),
               "the head of both");

/* One that was taken. */
struct taken {
    int32_t signal;
    enum signal_effect effect;
    struct abi_sigaction action;
    struct frame_head head; /* its info, and the mask to come back to; the rest is write_frame's */
    uint64_t page;
};

/* ---- stopping -------------------------------------------------------------------- */

/* Tells the parent of p, the running process, that it has stopped or continued; unless that is not
 * so any more. */
static void tell_parent(struct proc *p, bool stopped) {
    spin_lock(&family_lock);
    spin_lock(&p->lock);
    bool so = p->stopped == stopped && !p->killed && p->parent;
    int32_t signal = p->stop_signal;
    spin_unlock(&p->lock);
    if (so) {
        p->tells = stopped ? ABI_CLD_STOPPED : ABI_CLD_CONTINUED;
        signal_parent_locked(p, stopped ? ABI_CLD_STOPPED : ABI_CLD_CONTINUED,
                             stopped ? signal : ABI_SIGCONT);
        wakeup(&p->parent->child_exited);
    }
    spin_unlock(&family_lock);
}

void signal_stop_check(struct proc *p) {
    spin_lock(&p->lock);
    bool all = p->stopped && p->halted == p->living;
    spin_unlock(&p->lock);
    if (all)
        tell_parent(p, true);
}

/* Gives p's lock back, and sleeps until it continues or the thread is to end. */
static void halt_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    p->halted++;
    spin_unlock(&p->lock);
    signal_stop_check(p);
    spin_lock(&p->lock);
    while (p->stopped && !proc_killed())
        sleep_on(&p->continued, &p->lock);
    if (!p->stopped)
        wakeup_some(&p->continued); /* who was woken wakes others */
    bool last = --p->halted == 0 && !p->stopped;
    spin_unlock(&p->lock);
    if (last)
        tell_parent(p, false);
}

/* All of its threads are to stop. */
static void stop_all_locked(struct proc *p, int32_t signal) {
    ASSERT_LOCKED(&p->lock);
    p->stopped = true;
    p->stop_signal = signal;
    thread_tell_all_locked(p, THREAD_SIGNAL);
}

/* ---- taking ---------------------------------------------------------------------- */

static int32_t lowest(uint64_t set) { return (int32_t)bit_lowest(set) + 1; }

/* Takes one that is pending, for the thread itself or for its process. */
static void take_pending_locked(struct thread *t, int32_t signal, bool own,
                                struct abi_siginfo *info) {
    struct proc *p = t->proc;
    struct signal_info from = {.code = ABI_SI_TKILL,
                               .pid = t->sent_by ? t->sent_by[signal - 1] : p->pid};
    bool more = false;
    ASSERT_LOCKED(&p->lock);
    bool known = p->signals && p->signals->queue &&
                 queue_take_locked(p, own ? t : NULL, signal, &from, &more);
    if (!known && !own && p->signals)
        from = p->signals->info[signal - 1];
    info->signal = signal;
    if (known || own || p->signals) {
        info->code = from.code;
        info->u.from.pid = from.pid;
        info->u.from.uid = from.uid;
        info->u.room[1] = from.value;
    }
    uint64_t *set = own ? &t->signals.pending : &p->signals_pending;
    if (!more)
        *set &= ~signal_bit(signal);
}

/* The number of the next signal of these, and what is known of it: a fault's own first. 0: there is
 * none. */
static int32_t next_locked(struct thread *t, uint64_t set, struct abi_siginfo *info) {
    struct proc *p = t->proc;
    struct thread_signals *s = &t->signals;
    ASSERT_LOCKED(&p->lock);
    memset(info, 0, sizeof(*info));
    uint64_t own = s->pending & set, shared = p->signals_pending & set;
    if (s->fault.signal) {
        info->signal = s->fault.signal;
        info->code = s->fault.code;
        info->u.address = s->fault.address;
        s->fault.signal = 0;
    } else if (own || shared) {
        take_pending_locked(t, lowest(own ? own : shared), own != 0, info);
    }
    return info->signal;
}

/* The handler's mask is in force from here on. */
static void begin_handler_locked(struct proc *p, struct thread_signals *s, struct taken *taken) {
    ASSERT_LOCKED(&p->lock);
    struct abi_sigaction *a = &p->signals->action[taken->signal - 1];
    taken->action = *a;
    taken->page = p->signals->page;
    taken->head.mask = s->suspended ? s->blocked_before : s->blocked;
    s->suspended = false;
    s->blocked |= a->mask;
    if (!(a->flags & ABI_SA_NODEFER))
        s->blocked |= signal_bit(taken->signal);
    if (a->flags & ABI_SA_RESETHAND)
        a->handler = ABI_SIG_DFL;
    if (p->signals_pending & s->blocked) /* another thread may not block it */
        signal_tell_takers_locked(p);
}

/* Takes a signal whose handler is to run, or that ends the process, after all that come before it.
 * False: there is none, or the thread is to end. */
static bool take(struct thread *t, struct taken *taken) {
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    for (;;) {
        if (proc_killed())
            break;
        if (p->stopped) {
            halt_locked(p);
            spin_lock(&p->lock);
            continue;
        }
        taken->signal = next_locked(t, ~t->signals.blocked, &taken->head.info);
        if (!taken->signal) {
            __atomic_and_fetch(&t->reasons, ~THREAD_SIGNAL, __ATOMIC_RELAXED);
            break;
        }
        taken->effect = signal_effect_locked(p, taken->signal);
        if (taken->effect == DOES_HANDLE)
            begin_handler_locked(p, &t->signals, taken);
        if (taken->effect == DOES_HANDLE || taken->effect == DOES_END) {
            spin_unlock(&p->lock);
            return true;
        }
        if (taken->effect == DOES_STOP)
            stop_all_locked(p, taken->signal);
    }
    spin_unlock(&p->lock);
    return false;
}

/* ---- waiting for one ---------------------------------------------------------------- */

int signal_wait(uint64_t set, uint64_t until, struct abi_siginfo *info) {
    struct thread *t = thread_self();
    struct proc *p = t->proc;
    int err = 0;
    set &= ~SIGNALS_SURE;
    clock_set_alarm(until);
    spin_lock(&p->lock);
    t->signals.awaited = set;
    while (!err && !next_locked(t, set, info)) {
        err = proc_interrupted() ? -K_EINTR : clock_alarm_rang() ? -K_EAGAIN : 0;
        if (!err)
            sleep_on(&p->buried, &p->lock); /* who is told wakes up */
    }
    t->signals.awaited = 0;
    if (p->signals_pending & set) /* it may have been told of these, too, and others not */
        signal_tell_takers_locked(p);
    spin_unlock(&p->lock);
    clock_end_alarm();
    return err;
}

int signal_take_pending(uint64_t set, struct abi_siginfo *info) {
    struct thread *t = thread_self();
    spin_lock(&t->proc->lock);
    bool found = next_locked(t, set & ~SIGNALS_SURE, info) != 0;
    spin_unlock(&t->proc->lock);
    return found ? 0 : -K_EAGAIN;
}

/* ---- calls that were interrupted ----------------------------------------------------- */

void signal_call_failed(int err) {
    struct thread *t = thread_self();
    t->signals.resume_until = 0;
    if (err != -K_EINTR)
        return;
    t->signals.interrupted = proc_interrupted();
    t->signals.call_a0 = t->tf->a0;
}

uint64_t signal_resume_until(uint64_t until) {
    struct thread_signals *s = &thread_self()->signals;
    uint64_t before = s->resume_until;
    s->resume_until = 0;
    return before ? before : until;
}

static enum after_signal after_signal(const struct thread *t) {
    return t->proc->interface->after_signal(t->tf);
}

/* The ecall is executed once more: its arguments are as they were. */
static void do_again(struct thread *t) {
    t->tf->epc -= 4;
    t->tf->a0 = t->signals.call_a0;
}

/* No handler runs: the program sees nothing of what has interrupted its call. */
static void go_on(struct thread *t) {
    struct thread_signals *s = &t->signals;
    if (s->suspended)
        signal_mask_end(0);
    if (s->interrupted) {
        if (after_signal(t) == AFTER_SIGNAL_ENDS_TIMED)
            s->resume_until = t->alarm.at;
        do_again(t);
    }
    s->interrupted = false;
}

/* Before a handler runs: what the call in progress returns is decided. */
static void end_call(struct thread *t, uint64_t flags) {
    struct thread_signals *s = &t->signals;
    s->resume_until = 0;
    enum after_signal after = s->interrupted ? after_signal(t) : AFTER_SIGNAL_ENDS;
    if (after == AFTER_SIGNAL_GOES_ON || ((flags & ABI_SA_RESTART) && after == AFTER_SIGNAL_AGAIN))
        do_again(t);
    s->interrupted = false;
}

/* ---- the frame ----------------------------------------------------------------------- */

static uint64_t frame_address(const struct thread *t, uint64_t flags) {
    const struct abi_sigstack *s = &t->signals.stack;
    uint64_t sp = t->tf->sp;
    if ((flags & ABI_SA_ONSTACK) && s->size && sp - s->sp >= s->size)
        sp = s->sp + s->size;
    return ROUND_DOWN(sp - FRAME_SIZE, 16);
}

static int write_frame(struct thread *t, uint64_t at, struct frame_head *head) {
    head->flags = t->fpu_used ? ABI_UC_FP : 0;
    head->link = 0;
    signal_get_stack(&head->stack);
    uint64_t context = at + CONTEXT_AT;
    int err = copyout(UA(at), head, sizeof(*head));
    if (!err)
        err = copyout(UA(context + offsetof(struct abi_ucontext, pc)), &t->tf->epc, REGISTERS);
    if (err || !t->fpu_used)
        return err;
    thread_fpu_save();
    return copyout(UA(context + offsetof(struct abi_ucontext, f)), &t->fpu, sizeof(t->fpu));
}

static void end_without_room(const struct thread *t, int32_t signal, uint64_t at) {
    const struct proc *p = t->proc;
    kprintf("%d %s: killed: no room at sp 0x%lx for the handler of signal %d\n", p->pid, p->name,
            (unsigned long)at, signal);
    proc_end_for(ABI_SIGSEGV);
}

static void run_handler(struct thread *t, struct taken *taken) {
    struct trapframe *tf = t->tf;
    uint64_t at = frame_address(t, taken->action.flags);
    end_call(t, taken->action.flags);
    if (write_frame(t, at, &taken->head))
        end_without_room(t, taken->signal, at);
    tf->epc = taken->action.handler;
    tf->ra = taken->page + t->proc->interface->signal_return;
    tf->sp = at;
    tf->a0 = (uint64_t)taken->signal;
    tf->a1 = at;
    tf->a2 = at + CONTEXT_AT;
}

void signal_deliver(void) {
    struct thread *t = thread_self();
    struct taken taken;
    if (!take(t, &taken))
        go_on(t);
    else if (taken.effect == DOES_END)
        proc_end_for(taken.signal);
    else
        run_handler(t, &taken);
}

/* ---- back ------------------------------------------------------------------------------ */

static int read_frame(struct thread *t, uint64_t at, struct frame_head *head) {
    uint64_t context = at + CONTEXT_AT;
    int err = copyin(head, UA(at), sizeof(*head));
    if (!err)
        err = copyin(&t->tf->epc, UA(context + offsetof(struct abi_ucontext, pc)), REGISTERS);
    thread_fpu_reset(); /* else a switch would save the registers over what is read */
    if (err || !(head->flags & ABI_UC_FP))
        return err;
    return copyin(&t->fpu, UA(context + offsetof(struct abi_ucontext, f)), sizeof(t->fpu));
}

void signal_return(void) {
    struct thread *t = thread_self();
    struct frame_head head;
    if (read_frame(t, t->tf->sp, &head) || signal_block(head.mask))
        proc_end_for(ABI_SIGSEGV);
    t->fpu.fcsr &= FCSR_BITS;
    if (head.flags & ABI_UC_FP)
        thread_fpu_set();
}
