/* The threads of a process, from their making to their burial: see thread.h. */
#include "proc/thread.h"
#include "arch/fpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/kernel_view.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "proc/endwords.h"
#include "proc/ids.h"
#include "proc/sched.h"
#include "proc/signal.h"
#include "proc/table.h"

static struct slab records = SLAB_INIT(records, sizeof(struct thread));
_Static_assert(DEBUG || sizeof(struct thread) <= 800, "five in a frame; with four, fork is slower");

/* ---- making and giving back -------------------------------------------------- */

/* A record with a trapframe and a kernel stack. -K_ENOMEM: nothing was taken. */
static int take_parts(struct thread **out) {
    struct thread *t = slab_take(&records);
    if (!t)
        return -K_ENOMEM;
    memset(t, 0, offsetof(struct thread, context));
    int err = frame_commit(1); /* the trapframe's */
    if (!err) {
        err = kstack_take(&t->stack);
        if (err)
            frame_uncommit(1);
    }
    if (err) {
        slab_give(&records, t);
        return err;
    }
    t->tf = pa_ptr(frame_take());
    *out = t;
    return 0;
}

/* The first instructions of a new thread, on its own stack and table. */
static void thread_begin(void) {
    sched_started();
    struct thread *t = thread_self();
    void (*entry)(void) = t->entry;
    t->window = NULL;
    if (entry)
        entry();
    if (t->own_number_at) /* the maker's mistake, if it fails */
        (void)!copyout(UA(t->own_number_at), &t->tid, sizeof(t->tid));
    thread_return_to_user();
}

const struct uaccess_window *thread_window(void) {
    const struct thread *t = thread_self();
    return t ? t->window : NULL;
}

int thread_new(struct proc *p, struct thread **out) {
    struct thread *t;
    int err = take_parts(&t);
    if (err)
        return err;
    t->proc = p;
    spin_init(&t->lock, RANK_THREAD);
    list_init(&t->in_process);
    list_init(&t->run_link);
    list_init(&t->wait_link);
    futex_waiter_init(&t->futex);
    t->hart = hart_self()->index;
    t->trapframe = TRAPFRAME;
    *t->tf = (struct trapframe){.kernel_sp = KSTACK_TOP(t->stack),
                                .kernel_entry = (uint64_t)trap_user};
    t->context = (struct context){.ra = (uint64_t)context_start, .sp = KSTACK_TOP(t->stack)};
    t->context.s[1] = (uint64_t)thread_begin;
    *out = t;
    return 0;
}

void thread_free(struct thread *t) {
    id_give(t->tid);
    signal_forget_senders(t);
    frame_free(ptr_pa(t->tf));
    kstack_give(t->stack);
    slab_give(&records, t);
}

static void set_registers(struct thread *t, uint64_t entry, uint64_t arg, uint64_t sp,
                          uint64_t tp) {
    struct trapframe *tf = t->tf;
    tf->epc = entry;
    tf->a0 = arg;
    tf->sp = sp;
    tf->tp = tp;
    tf->gp = thread_self()->tf->gp;
}

/* Threads beside one for each process. Any process can be made as far as stacks are concerned,
 * so that a program which makes all threads that it can leaves the session room to end it. */
#define FURTHER_MOST (KSTACKS - PROCS_MAX)
static uint32_t further; /* atomic */

static int count_further(void) {
    bool room = __atomic_add_fetch(&further, 1, __ATOMIC_RELAXED) <= FURTHER_MOST;
    if (!room)
        __atomic_sub_fetch(&further, 1, __ATOMIC_RELAXED);
    return room ? 0 : -K_EAGAIN;
}

static void uncount_further(void) { __atomic_sub_fetch(&further, 1, __ATOMIC_RELAXED); }

/* From here on others find it, and can end it. -K_EINTR: somebody ends all of the process's. */
static int join_process(struct thread *t) {
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    int err = p->alone || p->killed ? -K_EINTR : 0;
    if (!err) {
        list_push_back(&p->threads, &t->in_process);
        p->thread_count++;
        p->living++;
        if (p->stopped)
            thread_tell(t, THREAD_SIGNAL);
    }
    spin_unlock(&p->lock);
    return err;
}

/* In state NEW, with its pages in the running process's space. */
static int make(struct thread **out) {
    struct proc *p = proc_self();
    struct thread *t;
    int err = p->lender ? -K_EAGAIN : thread_new(p, &t);
    if (err)
        return err;
    t->tid = id_take();
    t->signals.blocked = thread_self()->signals.blocked;
    t->trapframe = TRAPFRAME_OF(t->stack);
    t->tf->kernel_satp = p->as->kernel_satp;
    err = kernel_view_add_thread(p->as, t->stack, ptr_pa(t->tf));
    if (err)
        thread_free(t);
    else
        *out = t;
    return err;
}

static int make_further(struct thread **out) {
    int err = count_further();
    if (err)
        return err;
    err = make(out);
    if (err)
        uncount_further();
    return err;
}

/* One that is complete: it runs, or there is none. */
static int launch(struct thread *t, int32_t *tid) {
    *tid = t->tid;
    int err = join_process(t);
    if (!err) {
        thread_start(t);
        return 0;
    }
    kernel_view_remove_thread(t->proc->as, t->stack, t->trapframe);
    thread_free(t);
    uncount_further();
    return err;
}

int thread_create(uint64_t entry, uint64_t arg, uint64_t sp, uint64_t tp, int32_t *tid) {
    struct thread *t;
    int err = make_further(&t);
    if (err)
        return err;
    set_registers(t, entry, arg, sp, tp);
    return launch(t, tid);
}

static void copy_fpu(struct thread *to) {
    struct thread *t = thread_self();
    fpu_keep(&t->fpu);
    to->fpu_used = t->fpu_used;
    if (t->fpu_used)
        to->fpu = t->fpu;
}

void thread_copy(struct thread *t, const struct birth *birth) {
    /* From epc on: what is before it is the kernel's, and each thread has its own. */
    memcpy(&t->tf->epc, &thread_self()->tf->epc, sizeof(*t->tf) - offsetof(struct trapframe, epc));
    t->tf->a0 = 0;
    if (birth->sp)
        t->tf->sp = birth->sp;
    if (birth->tp)
        t->tf->tp = birth->tp;
    t->own_number_at = birth->own_number_at;
    t->end_words.cleared = birth->cleared;
    memcpy(t->name, thread_self()->name, sizeof(t->name));
    copy_fpu(t);
    if (birth->number_at)
        (void)!copyout(UA(birth->number_at), &t->tid, sizeof(t->tid));
}

int thread_clone(const struct birth *birth, int32_t *tid) {
    struct thread *t;
    int err = make_further(&t);
    if (err)
        return err;
    thread_copy(t, birth);
    return launch(t, tid);
}

void thread_start(struct thread *t) {
    spin_lock(&t->lock);
    sched_ready(t);
}

void thread_tell(struct thread *t, uint32_t reason) {
    spin_lock(&t->lock);
    __atomic_or_fetch(&t->reasons, reason, __ATOMIC_RELAXED);
    t->told = t->state == T_SLEEPING;
    if (t->told) {
        sched_ready(t);
        return;
    }
    spin_unlock(&t->lock);
    sched_disturb(t);
}

/* ---- telling all --------------------------------------------------------------- */

/* With the lock so many are told; each that was goes on with as many before it does what it was
 * told, and so all are told soon. More than can have ended, and not be buried yet. */
#define TOLD_AT_ONCE 64
_Static_assert(TOLD_AT_ONCE > NHART, "one of them, at least, is there to go on");

static struct list *behind(const struct proc *p, const struct list *link) {
    return link->next == &p->threads ? NULL : link->next;
}

static void tell_more_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    for (int n = 0; p->untold && n < TOLD_AT_ONCE; n++) {
        struct thread *t = LIST_ENTRY(p->untold, struct thread, in_process);
        __atomic_store_n(&p->untold, behind(p, p->untold), __ATOMIC_RELAXED);
        /* Who ends the others ends with them only if all do. */
        if (t != p->alone || p->killed || !(p->untold_reasons & THREAD_KILLED))
            thread_tell(t, p->untold_reasons);
    }
}

void thread_tell_all_locked(struct proc *p, uint32_t reason) {
    ASSERT_LOCKED(&p->lock);
    p->untold_reasons = reason | (p->untold ? p->untold_reasons : 0);
    __atomic_store_n(&p->untold, behind(p, &p->threads), __ATOMIC_RELAXED);
    tell_more_locked(p);
}

void thread_tell_more(struct proc *p) {
    if (!__atomic_load_n(&p->untold, __ATOMIC_RELAXED))
        return;
    spin_lock(&p->lock);
    tell_more_locked(p);
    spin_unlock(&p->lock);
}

void thread_leave_process_locked(struct thread *t) {
    struct proc *p = t->proc;
    ASSERT_LOCKED(&p->lock);
    if (p->untold == &t->in_process)
        __atomic_store_n(&p->untold, behind(p, p->untold), __ATOMIC_RELAXED);
    list_remove(&t->in_process);
}

static void tell_others_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    thread_tell_all_locked(p, THREAD_KILLED);
    while (p->untold) {
        spin_unlock(&p->lock);
        sched_break();
        spin_lock(&p->lock);
        tell_more_locked(p);
    }
}

/* ---- the end ------------------------------------------------------------------- */

int thread_be_alone(void) {
    struct thread *t = thread_self();
    struct proc *p = t->proc;
    /* Itself, and nobody else can make one. What the others have done is seen from here on. */
    if (__atomic_load_n(&p->thread_count, __ATOMIC_ACQUIRE) == 1)
        return 0;
    spin_lock(&p->lock);
    bool first = !p->alone;
    if (first) {
        p->alone = t;
        tell_others_locked(p);
        while (p->thread_count > 1)
            sleep_on(&p->buried, &p->lock);
        p->alone = NULL;
    }
    spin_unlock(&p->lock);
    return first ? 0 : -K_EINTR;
}

/* Whether others of its process live; then the running thread is none of them any more. */
static bool leave_others(struct thread *t) {
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    bool others = p->living > 1;
    if (others) {
        p->living--;
        tell_more_locked(p); /* of what it was told itself, maybe */
        signal_leave_locked(t);
        spin_lock(&t->lock);
        t->state = T_DEAD;
        spin_unlock(&t->lock);
    }
    spin_unlock(&p->lock);
    if (others)
        signal_stop_check(p);
    return others;
}

void thread_exit(int32_t status) {
    end_words_leave(!proc_killed());
    if (!leave_others(thread_self()))
        proc_exit(status);
    sched_leave_for_good();
}

void thread_bury(struct thread *t) {
    struct proc *p = t->proc;
    kernel_view_remove_thread(p->as, t->stack, t->trapframe);
    spin_lock(&p->lock); /* whoever waits for it may end the process then */
    thread_leave_process_locked(t);
    __atomic_store_n(&p->thread_count, p->thread_count - 1, __ATOMIC_RELEASE);
    wakeup(&p->buried);
    spin_unlock(&p->lock);
    thread_free(t);
    uncount_further(); /* one is left, or will be */
}

/* ---- floating point -------------------------------------------------------------- */

bool thread_fpu_present = true;

bool thread_fpu_first_use(void) {
    struct thread *t = thread_self();
    if (!thread_fpu_present || !fpu_is_off())
        return false;
    memset(&t->fpu, 0, sizeof(t->fpu));
    t->fpu_used = true;
    fpu_give(&t->fpu);
    return true;
}

void thread_fpu_reset(void) {
    thread_self()->fpu_used = false;
    fpu_off();
}

void thread_fpu_save(void) { fpu_keep(&thread_self()->fpu); }

void thread_fpu_set(void) {
    struct thread *t = thread_self();
    if (!thread_fpu_present)
        return;
    t->fpu_used = true;
    fpu_give(&t->fpu);
}
