/* The process table, and what happens to a process from fork to wait.
 *
 * A slot belongs, from slot_take to slot_give, to its process. */
#include "proc/proc.h"
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/pieces.h"
#include "proc/clock.h"
#include "proc/group.h"
#include "proc/sched.h"
#include "proc/table.h"
#include "proc/turns.h"

struct proc procs[NPROC];
struct proc *proc_first;
struct spinlock family_lock = SPINLOCK_INIT(RANK_FAMILY);
static struct spinlock slot_lock = SPINLOCK_INIT(RANK_SLOTS);
static struct list free_slots = LIST_INIT(free_slots); /* proc.run_link */
static uint32_t used_slots;
static int32_t last_pid;

bool proc_trace_exits;
bool proc_trace_poweroff;

void proc_init(void) {
    sched_init();
    piece_break = sched_break;
    turns_init();
    for (uint32_t i = 0; i < NPROC; i++) {
        struct proc *p = &procs[i];
        p->slot = i;
        spin_init(&p->lock, RANK_PROCESS);
        list_init(&p->wait_link);
        list_init(&p->alarm_link);
        list_init(&p->children);
        list_init(&p->sibling);
        wait_channel_init(&p->child_exited);
        wait_channel_init(&p->alarm);
        aspace_init(&p->spaces[0]);
        aspace_init(&p->spaces[1]);
        list_push_back(&free_slots, &p->run_link);
    }
}

uint32_t proc_count(void) { return used_slots; }

/* ---- birth ----------------------------------------------------------------- */

/* The kernel's own are not counted: they are as many as NPROC has room for them. */
static struct proc *slot_take(bool kernels) {
    const struct proc *p = proc_self(); /* NULL at boot */
    uint32_t kept = p && p->depth > 1 ? RESERVE_SLOTS : 0;
    spin_lock(&slot_lock);
    bool room = kernels || used_slots + kept < NPROC_USERS;
    struct list *link = room ? list_pop_front(&free_slots) : NULL;
    if (link && !kernels)
        used_slots++;
    spin_unlock(&slot_lock);
    return link ? LIST_ENTRY(link, struct proc, run_link) : NULL;
}

static void slot_give(struct proc *p) {
    spin_lock(&p->lock);
    p->state = P_FREE;
    p->pid = 0;
    spin_unlock(&p->lock);
    spin_lock(&slot_lock);
    list_push_front(&free_slots, &p->run_link);
    used_slots--;
    spin_unlock(&slot_lock);
}

/* The first instructions of a new process, on its own stack and table. */
static void proc_start(void) {
    sched_started();
    struct proc *p = proc_self();
    if (p->entry)
        p->entry();
    proc_return_to_user();
}

static int space_create(struct proc *p, struct aspace *as, const struct design *design) {
    uint32_t id = 2 * p->slot + (uint32_t)(as - p->spaces);
    return aspace_create(as, design, id, p->slot, ptr_pa(p->tf));
}

/* The last owner of the slot has left every list and channel, and they are as boot made
 * them: a waker that still looks at one of them sees no change. */
static void check_unused(const struct proc *p) {
    ASSERT(list_empty(&p->wait_link));
    ASSERT(list_empty(&p->alarm_link));
    ASSERT(list_empty(&p->children));
    ASSERT(list_empty(&p->sibling));
    ASSERT(list_empty(&p->child_exited.sleepers));
    ASSERT(list_empty(&p->alarm.sleepers));
}

static int32_t next_pid(void) { return __atomic_add_fetch(&last_pid, 1, __ATOMIC_RELAXED); }

/* A process with an empty address space, in state NEW. */
static int proc_alloc(const struct design *design, bool kernels, struct proc **out) {
    struct proc *p = slot_take(kernels);
    if (!p)
        return -K_EAGAIN;
    int err = frame_commit(1);
    if (err) {
        slot_give(p);
        return err;
    }
    paddr_t tf = frame_take();
    p->tf = pa_ptr(tf);
    *p->tf = (struct trapframe){0};
    p->as = &p->spaces[0];
    err = space_create(p, p->as, design);
    if (err) {
        frame_free(tf);
        slot_give(p);
        return err;
    }
    p->tf->kernel_satp = p->as->kernel_satp;
    p->tf->kernel_sp = KSTACK_TOP(p->slot);
    p->tf->kernel_entry = (uint64_t)trap_user;
    p->context = (struct context){.ra = (uint64_t)context_start, .sp = KSTACK_TOP(p->slot)};
    p->context.s[1] = (uint64_t)proc_start;
    check_unused(p);
    p->entry = NULL;
    p->parent = NULL;
    p->fpu_used = p->killed = p->kill_told = p->exited = p->on_hart = false;
    p->manages_jobs = false;
    p->depth = p->reserve_left = 0;
    p->hart = hart_self()->index;
    p->time_used = 0;
    p->status = 0;
    spin_lock(&p->lock);
    p->state = P_NEW;
    p->pid = p->group = kernels ? 0 : next_pid();
    spin_unlock(&p->lock);
    *out = p;
    return 0;
}

/* Everything that the process still has. Its hart has left its table and stack. */
static void proc_free(struct proc *p) {
    aspace_destroy(p->as);
    frame_free(ptr_pa(p->tf));
    slot_give(p);
}

static void make_ready(struct proc *p) {
    spin_lock(&p->lock);
    sched_ready(p);
}

int proc_spawn_first(void (*entry)(void)) {
    int err = proc_alloc(design_default, false, &proc_first);
    if (err)
        return err;
    proc_first->entry = entry;
    proc_first->design = design_default;
    str_copy(proc_first->name, "init", sizeof(proc_first->name));
    make_ready(proc_first);
    return 0;
}

int proc_spawn_kernel(const char *name, void (*entry)(void)) {
    struct proc *p;
    int err = proc_alloc(design_default, true, &p);
    if (err)
        return err;
    p->entry = entry;
    str_copy(p->name, name, sizeof(p->name));
    make_ready(p);
    return 0;
}

static void fpu_clone(struct proc *child, struct proc *parent) {
    fpu_keep(&parent->fpu);
    child->fpu_used = parent->fpu_used;
    if (parent->fpu_used)
        child->fpu = parent->fpu;
}

/* From here on others see the child. A call that ends a group has met either the child, or the
 * parent before this: no process escapes by forking. */
static void join_family(struct proc *child, struct proc *parent) {
    spin_lock(&family_lock);
    child->parent = parent;
    list_push_back(&parent->children, &child->sibling);
    spin_lock(&child->lock);
    child->group = parent->group;
    child->killed |= proc_killed();
    spin_unlock(&child->lock);
    spin_unlock(&family_lock);
}

int proc_fork(int32_t *pid) {
    struct proc *parent = proc_self(), *child;
    int err = proc_alloc(parent->as->design, false, &child);
    if (err)
        return err;
    err = aspace_clone(child->as, parent->as);
    if (err) {
        proc_free(child);
        return err;
    }
    /* From epc on: what is before it is the kernel's, and the child has its own. */
    memcpy(&child->tf->epc, &parent->tf->epc, sizeof(*child->tf) - offsetof(struct trapframe, epc));
    child->tf->a0 = 0;
    fpu_clone(child, parent);
    memcpy(child->name, parent->name, sizeof(child->name));
    child->design = parent->design;
    proc_files_clone(child, parent);
    child->depth = MIN(parent->depth + 1, 3u); /* all deeper ones are alike */
    child->reserve_left = child->depth == 2 ? RESERVE_EACH : 0;
    *pid = child->pid;
    join_family(child, parent);
    make_ready(child);
    return 0;
}

/* ---- floating point ---------------------------------------------------------- */

bool proc_fpu_present = true;

bool proc_fpu_first_use(void) {
    struct proc *p = proc_self();
    if (!proc_fpu_present || !fpu_is_off())
        return false;
    memset(&p->fpu, 0, sizeof(p->fpu));
    p->fpu_used = true;
    fpu_give(&p->fpu);
    return true;
}

void proc_fpu_reset(void) {
    proc_self()->fpu_used = false;
    fpu_off();
}

/* ---- exec -------------------------------------------------------------------- */

int proc_spare_space(struct proc *p, struct aspace **out) {
    *out = p->as == &p->spaces[0] ? &p->spaces[1] : &p->spaces[0];
    return space_create(p, *out, p->design);
}

void proc_replace_space(struct proc *p) {
    struct aspace *old = p->as;
    spin_lock(&p->lock); /* for those who look at p->as from outside */
    p->as = old == &p->spaces[0] ? &p->spaces[1] : &p->spaces[0];
    spin_unlock(&p->lock);
    hart_self()->space = p->as;
    p->tf->kernel_satp = p->as->kernel_satp;
    tlb_activate(&p->as->tlb);
    /* Both tables map this stack at the same address. */
    tlb_load(p->as->kernel_satp);
    tlb_leave(&old->tlb);
    aspace_destroy(old);
}

/* ---- death ------------------------------------------------------------------- */

/* The parent's, or init's, when the parent has gone. */
static void reparent_locked(struct proc *p) {
    ASSERT_LOCKED(&family_lock);
    struct list *link;
    bool zombies = false;
    while ((link = list_pop_front(&p->children))) {
        struct proc *child = LIST_ENTRY(link, struct proc, sibling);
        child->parent = proc_first;
        list_push_back(&proc_first->children, link);
        zombies |= child->exited;
    }
    if (zombies)
        wakeup(&proc_first->child_exited);
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

void proc_exit(int32_t status) {
    struct proc *p = proc_self();
    if (p == proc_first)
        proc_first_ended(status);
    proc_files_drop(p);
    if (proc_killed())
        status = -1;
    trace_exit(p, status);
    spin_lock(&family_lock);
    reparent_locked(p);
    spin_lock(&p->lock);
    p->state = P_ZOMBIE;
    p->status = status;
    spin_unlock(&p->lock);
    p->exited = true;
    if (p->depth == 1)
        proc_forget_foreground_locked();
    wakeup(&p->parent->child_exited);
    spin_unlock(&family_lock);
    sched_leave();
    panic("a process ran after its end");
}

static struct proc *exited_child_locked(struct proc *p) {
    ASSERT_LOCKED(&family_lock);
    LIST_EACH(it, &p->children) {
        struct proc *child = LIST_ENTRY(it, struct proc, sibling);
        if (child->exited)
            return child;
    }
    return NULL;
}

int proc_wait(struct proc **child) {
    struct proc *p = proc_self();
    spin_lock(&family_lock);
    while (!(*child = exited_child_locked(p))) {
        int err = list_empty(&p->children) ? -K_ECHILD : proc_killed() ? -K_EINTR : 0;
        if (err) {
            spin_unlock(&family_lock);
            return err;
        }
        sleep_on(&p->child_exited, &family_lock);
    }
    spin_unlock(&family_lock);
    return 0;
}

void proc_reap(struct proc *child) {
    spin_lock(&family_lock);
    list_remove(&child->sibling);
    spin_unlock(&family_lock);
    /* Its last steps, from waking us to the switch, may still run elsewhere. */
    while (__atomic_load_n(&child->on_hart, __ATOMIC_ACQUIRE))
        cpu_relax();
    proc_free(child);
}

struct proc *proc_find_and_lock(int32_t pid) {
    for (uint32_t i = 0; pid > 0 && i < NPROC; i++) {
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

void proc_kill_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    p->killed = p->state != P_ZOMBIE;
    if (p->state == P_SLEEPING) {
        p->kill_told = true;
        sched_ready(p);
    } else {
        spin_unlock(&p->lock);
    }
}

int proc_kill(int32_t pid) {
    if (pid < -1)
        return proc_kill_group((int32_t)(0u - (uint32_t)pid));
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    if (p == proc_first) {
        spin_unlock(&p->lock);
        return -K_EPERM;
    }
    proc_kill_locked(p);
    return 0;
}

/* ---- what others may know ------------------------------------------------------ */

static const enum abi_procstate abi_state[] = {
    [P_NEW] = ABI_P_RUNNABLE,      [P_RUNNABLE] = ABI_P_RUNNABLE, [P_RUNNING] = ABI_P_RUNNING,
    [P_SLEEPING] = ABI_P_SLEEPING, [P_ZOMBIE] = ABI_P_ZOMBIE,
};

int proc_info(uint32_t slot, struct abi_procinfo *out) {
    if (slot >= NPROC)
        return -K_EINVAL;
    struct proc *p = &procs[slot];
    spin_lock(&family_lock); /* no parent changes */
    spin_lock(&p->lock);
    bool there = p->state != P_FREE && p->state != P_NEW && p->pid != 0;
    if (there) {
        uint64_t running = p->state == P_RUNNING ? cpu_time() - p->time_since : 0;
        *out = (struct abi_procinfo){.pid = p->pid,
                                     .parent = p->parent ? p->parent->pid : 0,
                                     .state = abi_state[p->state],
                                     .hart = p->hart,
                                     .size = p->as->granted,
                                     .frames = p->as->present,
                                     .table_frames = p->as->user.tables + p->as->kernel.tables,
                                     .committed = p->as->committed,
                                     .ticks = clock_to_ticks(p->time_used + running),
                                     .brk = p->as->brk};
        str_copy(out->name, p->name, sizeof(out->name));
        str_copy(out->design, p->as->design->name, sizeof(out->design));
        out->kernel_view = p->as->design->sync           ? ABI_KERNEL_VIEW_OWN
                           : p->as->design->on_kernel_pt ? ABI_KERNEL_VIEW_OF_ALL
                                                         : ABI_KERNEL_VIEW_USERS;
    }
    spin_unlock(&p->lock);
    spin_unlock(&family_lock);
    return there ? 0 : -K_ENOENT;
}

struct aspace *proc_lock_space(int32_t pid) {
    struct proc *p = proc_find_and_lock(pid ? pid : proc_self()->pid);
    if (!p)
        return NULL;
    struct aspace *as = p->as;
    spin_lock(&as->lock);
    /* Seen under both locks: from here on aspace_destroy waits for the space's own, and the
     * slot gets no other owner before. */
    bool there = p->state != P_NEW && as->live;
    if (!there)
        spin_unlock(&as->lock);
    spin_unlock(&p->lock);
    return there ? as : NULL;
}

void proc_dump(void) {
    static const char *const names[] = {[ABI_P_RUNNABLE] = "runnable",
                                        [ABI_P_RUNNING] = "running",
                                        [ABI_P_SLEEPING] = "sleeping",
                                        [ABI_P_ZOMBIE] = "zombie"};
    struct abi_procinfo info;
    kprintf("\nPID   STATE     HART  SIZE(KiB)  NAME\n");
    for (uint32_t i = 0; i < NPROC; i++)
        if (!proc_info(i, &info))
            kprintf("%-5d %-9s %4u %10lu  %s\n", info.pid, names[info.state], info.hart,
                    (unsigned long)(info.size / 1024), info.name);
}
