/* The process table, and what happens to a process from fork to wait.
 *
 * A slot belongs, from slot_take to slot_give, to its process. */
#include "proc/proc.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/ended.h"
#include "proc/endwords.h"
#include "proc/futex.h"
#include "proc/futexpi.h"
#include "proc/group.h"
#include "proc/ids.h"
#include "proc/limits.h"
#include "proc/itimer.h"
#include "proc/ptimer.h"
#include "proc/sched.h"
#include "proc/semaphore.h"
#include "proc/signal.h"
#include "proc/table.h"
#include "proc/turns.h"

/* A process takes some 20 frames at least, and most more: a slot for each MiB of RAM. Programs of
 * xv6 want to see fork fail before there are 1000 (forktest). Threads are not counted. */
#define PROC_PER_RAM MIB(1)
#define PROCS_MIN 127UL

struct proc *procs;
uint32_t proc_slots;
struct proc *proc_first;
struct spinlock family_lock = SPINLOCK_INIT(RANK_FAMILY);
static struct spinlock slot_lock = SPINLOCK_INIT(RANK_SLOTS);
static struct list free_slots = LIST_INIT(free_slots); /* proc.sibling */
static uint32_t used_slots;

bool proc_trace_exits;
bool proc_trace_poweroff;

static void make_table(uint64_t ram_bytes) {
    proc_slots = (uint32_t)MAX(PROCS_MIN, MIN(ram_bytes / PROC_PER_RAM, PROCS_MAX));
    procs = frame_boot_alloc(proc_slots * sizeof(struct proc), _Alignof(struct proc));
    if (!procs)
        panic("the machine is too small: no memory for the table of processes");
}

void proc_init(uint64_t ram_bytes) {
    make_table(ram_bytes);
    sched_init();
    futex_init();
    futex_pi_init();
    piece_break = sched_break;
    uaccess_window = thread_window;
    turns_init();
    for (uint32_t i = 0; i < proc_slots; i++) {
        struct proc *p = &procs[i];
        p->slot = i;
        spin_init(&p->lock, RANK_PROCESS);
        list_init(&p->threads);
        spin_init(&p->fds.lock, RANK_DESCRIPTORS);
        list_init(&p->children);
        list_init(&p->sibling);
        wait_channel_init(&p->child_exited);
        wait_channel_init(&p->buried);
        wait_channel_init(&p->continued);
        aspace_init(&p->spaces[0]);
        aspace_init(&p->spaces[1]);
        list_push_back(&free_slots, &p->sibling);
    }
}

uint32_t proc_count(void) { return used_slots; }

/* ---- birth ----------------------------------------------------------------- */

/* The kernel's own are not counted: there is always room for them. */
static struct proc *slot_take(bool kernels) {
    const struct proc *p = proc_self(); /* NULL at boot */
    uint32_t kept = p && p->depth > 1 ? RESERVE_SLOTS : 0;
    spin_lock(&slot_lock);
    bool room = kernels || used_slots + kept < proc_slots - PROCS_KERNEL;
    struct list *link = room ? list_pop_front(&free_slots) : NULL;
    if (link && !kernels)
        used_slots++;
    spin_unlock(&slot_lock);
    return link ? LIST_ENTRY(link, struct proc, sibling) : NULL;
}

static void slot_give(struct proc *p) {
    spin_lock(&p->lock);
    p->state = P_FREE;
    id_give(p->pid);
    id_give(p->group);
    id_give(p->session);
    p->pid = p->group = p->session = 0;
    spin_unlock(&p->lock);
    limits_free(p);
    spin_lock(&slot_lock);
    list_push_front(&free_slots, &p->sibling);
    used_slots--;
    spin_unlock(&slot_lock);
}

/* For t, the only thread of the process. */
static int space_create(struct thread *t, struct aspace *as, const struct design *design) {
    const struct proc *p = t->proc;
    uint32_t id = 2 * p->slot + (uint32_t)(as - p->spaces);
    return aspace_create(as, design, id, t->stack, ptr_pa(t->tf));
}

/* The last owner of the slot has left every list and channel, and they are as boot made
 * them: a waker that still looks at one of them sees no change. */
static void check_unused(const struct proc *p) {
    ASSERT(list_empty(&p->threads));
    ASSERT(list_empty(&p->children));
    ASSERT(list_empty(&p->sibling));
    ASSERT(list_empty(&p->child_exited.sleepers));
    ASSERT(list_empty(&p->buried.sleepers));
    ASSERT(list_empty(&p->continued.sleepers));
    ASSERT(!p->signals);
}

/* p's first thread, and p's address space, which is empty. */
static int make_first(struct proc *p, const struct design *design, struct thread **out) {
    struct thread *t;
    int err = thread_new(p, &t);
    if (err)
        return err;
    p->as = &p->spaces[0];
    err = space_create(t, p->as, design);
    if (err) {
        thread_free(t);
        return err;
    }
    t->tf->kernel_satp = p->as->kernel_satp;
    *out = t;
    return 0;
}

/* A process of one thread with an empty address space, in state NEW. */
static int proc_alloc(const struct design *design, bool kernels, struct thread **out) {
    struct thread *t;
    struct proc *p = slot_take(kernels);
    if (!p)
        return -K_EAGAIN;
    check_unused(p);
    int err = make_first(p, design, &t);
    if (err) {
        slot_give(p);
        return err;
    }
    p->parent = NULL;
    p->killed = p->exited = p->waited_for = p->manages_jobs = p->no_terminal = false;
    p->depth = p->reserve_left = 0;
    p->time_used = p->time_told = 0;
    p->run_intervals[0].at = p->run_intervals[1].at = 0;
    p->runs_timed = false;
    p->children_used = (struct usage){0};
    p->status = 0;
    signal_reset(p);
    spin_lock(&p->lock);
    list_push_back(&p->threads, &t->in_process);
    p->thread_count = p->living = 1;
    p->state = P_NEW;
    t->tid = kernels ? 0 : id_take();
    p->pid = p->group = p->session = t->tid;
    id_hold(p->pid);
    id_hold(p->group);
    id_hold(p->session);
    spin_unlock(&p->lock);
    *out = t;
    return 0;
}

void proc_free(struct thread *t) {
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    thread_leave_process_locked(t);
    spin_unlock(&p->lock);
    aspace_destroy(p->as);
    thread_free(t);
    signal_free(p);
    slot_give(p);
}

static void start(struct thread *t) {
    struct proc *p = t->proc;
    spin_lock(&p->lock);
    p->state = P_LIVE;
    spin_unlock(&p->lock);
    thread_start(t);
}

int proc_spawn_first(void (*entry)(void)) {
    struct thread *t;
    int err = proc_alloc(design_default, false, &t);
    if (err)
        return err;
    t->entry = entry;
    proc_first = t->proc;
    proc_first->design = design_default;
    str_copy(proc_first->name, "init", sizeof(proc_first->name));
    start(t);
    return 0;
}

int proc_spawn_kernel(const char *name, void (*entry)(void)) {
    struct thread *t;
    int err = proc_alloc(design_default, true, &t);
    if (err)
        return err;
    t->entry = entry;
    str_copy(t->proc->name, name, sizeof(t->proc->name));
    start(t);
    return 0;
}

/* From here on others see the child. A call that ends a group has met either the child, or the
 * parent before this: no process escapes by forking. But when another thread of the parent's calls
 * exec or exit meanwhile, which ends the running one, the child is not concerned. */
static void join_family(struct proc *child, struct proc *parent) {
    spin_lock(&family_lock);
    child->parent = parent;
    list_push_back(&parent->children, &child->sibling);
    spin_lock(&child->lock);
    id_give(child->group);
    child->group = parent->group;
    id_hold(child->group);
    id_give(child->session);
    child->session = parent->session;
    id_hold(child->session);
    child->no_terminal = parent->no_terminal;
    bool killed = __atomic_load_n(&parent->killed, __ATOMIC_RELAXED);
    if (killed)
        signal_end_locked(child, parent->end_signal);
    spin_unlock(&child->lock);
    spin_unlock(&family_lock);
}

int proc_fork(const struct birth *birth, int32_t *pid) {
    struct thread *t;
    struct proc *parent = proc_self();
    int err = proc_alloc(parent->as->design, false, &t);
    if (err)
        return err;
    struct proc *child = t->proc;
    err = signal_fork(t);
    if (!err)
        err = limits_fork(child, parent);
    if (!err && !birth->borrows)
        err = aspace_clone(child->as, parent->as);
    if (!err)
        err = proc_files_clone(child, parent);
    if (!err && birth->borrows) {
        err = proc_borrow_space(t);
        if (err)
            proc_files_drop(child);
    }
    if (err) {
        proc_free(t);
        return err;
    }
    thread_copy(t, birth);
    const char *name = thread_self()->name;
    memcpy(child->name, name[0] ? name : parent->name, sizeof(child->name));
    memcpy(child->program, parent->program, sizeof(child->program));
    child->arguments = parent->arguments;
    child->design = parent->design;
    child->interface = parent->interface;
    child->umask = __atomic_load_n(&parent->umask, __ATOMIC_RELAXED);
    child->noted = __atomic_load_n(&parent->noted, __ATOMIC_RELAXED);
    child->orphan_signal = 0;
    child->caps = thread_self()->proc->caps;   /* one that another thread changes now is either */
    child->depth = MIN(parent->depth + 1, 3u); /* all deeper ones are alike */
    child->reserve_left = child->depth == 2 ? RESERVE_EACH : 0;
    *pid = child->pid;
    join_family(child, parent);
    start(t);
    if (birth->borrows)
        proc_wait_for_space(child);
    return 0;
}

/* ---- exec -------------------------------------------------------------------- */

int proc_spare_space(struct proc *p, struct aspace **out) {
    *out = p->as == &p->spaces[1] ? &p->spaces[0] : &p->spaces[1];
    return space_create(thread_self(), *out, p->design);
}

void proc_enter_space(struct proc *p, struct aspace *as) {
    struct thread *t = thread_self();
    struct aspace *old = p->as;
    spin_lock(&p->lock); /* for those who look at p->as from outside */
    p->as = as;
    spin_unlock(&p->lock);
    hart_self()->space = as;
    t->tf->kernel_satp = as->kernel_satp;
    t->trapframe = TRAPFRAME;
    tlb_activate(&as->tlb);
    tlb_load(as->kernel_satp);
    tlb_leave(&old->tlb);
}

void proc_replace_space(struct proc *p) {
    struct thread *t = thread_self();
    ASSERT(p->thread_count == 1);
    end_words_leave(false);
    proc_return_space(p);
    struct aspace *old = p->as;
    ptimers_end(p);
    __atomic_fetch_and(&p->noted, NOTED_FOR_EVER, __ATOMIC_RELAXED);
    spin_lock(&p->lock);
    p->caps = (struct caps){0};
    id_hold(p->pid);
    id_give(t->tid);
    t->tid = p->pid; /* the new program's first thread */
    t->gone = false;
    t->name[0] = '\0';
    spin_unlock(&p->lock);
    proc_enter_space(p, old == &p->spaces[0] ? &p->spaces[1] : &p->spaces[0]);
    p->as->faults += old->faults;
    p->as->peak = MAX(old->peak, old->present);
    aspace_destroy(old);
}

/* ---- death ------------------------------------------------------------------- */

/* The parent is ending. */
static void tell_orphan_locked(struct proc *child) {
    ASSERT_LOCKED(&family_lock);
    static const struct signal_info info = {.code = ABI_SI_KERNEL};
    int32_t signal = __atomic_load_n(&child->orphan_signal, __ATOMIC_RELAXED);
    if (!signal)
        return;
    spin_lock(&child->lock);
    signal_post_locked(child, NULL, signal, &info);
    spin_unlock(&child->lock);
}

/* One child of p, which is ending, is the first process's; false: it has none. */
static bool reparent_locked(struct proc *p) {
    ASSERT_LOCKED(&family_lock);
    struct list *link = list_pop_front(&p->children);
    if (!link)
        return false;
    struct proc *child = LIST_ENTRY(link, struct proc, sibling);
    child->parent = proc_first;
    list_push_back(&proc_first->children, link);
    if (child->exited)
        wakeup(&proc_first->child_exited);
    tell_orphan_locked(child);
    proc_lose_shell_locked(child, p);
    return true;
}

/* p is ending, and has one thread: it has no more children after that. */
static void reparent(struct proc *p) {
    bool more = true;
    while (more) {
        spin_lock(&family_lock);
        more = reparent_locked(p);
        spin_unlock(&family_lock);
    }
}

/* For tools that drive a shell of another system: the end of each of its commands. Said
 * before the shell can know of it and prompts again. */
static void trace_exit(const struct proc *p, int32_t status) {
    if (!proc_trace_exits)
        return;
    spin_lock(&family_lock);
    bool wanted = p->parent && p->parent->parent == proc_first;
    spin_unlock(&family_lock);
    if (wanted)
        kprintf("[trellis] exit pid=%d name=%s status=%d\n", p->pid, p->name, status);
}

/* A parent that does not want to wait has init do it. */
static void tell_end_locked(struct proc *p) {
    ASSERT_LOCKED(&family_lock);
    struct proc *parent = p->parent;
    bool killed = p->end_signal != 0;
    if (signal_parent_locked(p, killed ? ABI_CLD_KILLED : ABI_CLD_EXITED,
                             killed ? p->end_signal : p->status)) {
        list_remove(&p->sibling);
        p->parent = proc_first;
        list_push_back(&proc_first->children, &p->sibling);
        wakeup(&proc_first->child_exited);
    }
    wakeup(&parent->child_exited);
}

void proc_exit(int32_t status) {
    struct proc *p = proc_self();
    if (p == proc_first)
        proc_first_ended(status);
    if (thread_be_alone())
        thread_exit(status);
    ptimers_end(p);
    end_words_leave(false);
    proc_return_space(p);
    itimer_stop(p);
    semaphores_end(p);
    proc_files_drop(p);
    if (p->killed)
        status = -1;
    trace_exit(p, status);
    reparent(p);
    spin_lock(&family_lock);
    spin_lock(&p->lock);
    p->state = P_ZOMBIE;
    p->status = status;
    spin_lock(&thread_self()->lock);
    thread_self()->state = T_ZOMBIE;
    spin_unlock(&thread_self()->lock);
    spin_unlock(&p->lock);
    p->exited = true;
    proc_leave_session_locked(p);
    proc_lose_shell_locked(p, p->parent);
    tell_end_locked(p);
    spin_unlock(&family_lock);
    ended_tell(p); /* whoever reaps it waits until this thread has left */
    sched_leave();
    panic("a process ran after its end");
}

void proc_end_for(int32_t signal) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    if (!p->killed)
        p->end_signal = signal;
    p->killed = true;
    spin_unlock(&p->lock);
    proc_exit(-1);
}

struct proc *proc_find_and_lock(int32_t pid) {
    for (uint32_t i = 0; pid > 0 && i < proc_slots; i++) {
        struct proc *p = &procs[i];
        if (__atomic_load_n(&p->pid, __ATOMIC_RELAXED) != pid) /* a hint */
            continue;
        spin_lock(&p->lock);
        if (p->pid == pid && p->state != P_FREE)
            return p;
        spin_unlock(&p->lock);
    }
    return NULL;
}

/* xv6's: 0 and -1 are nobody's numbers, and mean nobody else's either. */
int proc_kill(int32_t pid) {
    return pid == 0 || pid == -1 ? -K_ESRCH : signal_send(pid, ABI_SIGKILL);
}
