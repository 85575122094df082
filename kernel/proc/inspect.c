/* What others may know of processes, while these go on: states, sizes, times, programs, spaces. */
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/design.h"
#include "proc/clock.h"
#include "proc/table.h"

/* What most of its threads could say of themselves: one runs, or is to run, or all sleep. */
static enum abi_procstate state_of_locked(const struct proc *p, uint32_t *hart) {
    enum abi_procstate state = p->stopped ? ABI_P_STOPPED : ABI_P_SLEEPING;
    ASSERT_LOCKED(&p->lock);
    if (p->state == P_ZOMBIE)
        state = ABI_P_ZOMBIE;
    LIST_EACH(link, &p->threads) {
        const struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        bool runs = t->state == T_RUNNING;
        if (runs || link == p->threads.next)
            *hart = t->hart;
        if (p->state == P_ZOMBIE || state == ABI_P_RUNNING)
            continue;
        if (runs)
            state = ABI_P_RUNNING;
        else if (t->state == T_RUNNABLE)
            state = ABI_P_RUNNABLE;
    }
    return state;
}

int proc_info(uint32_t slot, struct abi_procinfo *out) {
    if (slot >= proc_slots)
        return -K_EINVAL;
    struct proc *p = &procs[slot];
    spin_lock(&family_lock); /* no parent changes */
    spin_lock(&p->lock);
    bool there = p->state != P_FREE && p->state != P_NEW && p->pid != 0;
    if (there) {
        uint32_t hart = 0;
        enum abi_procstate state = state_of_locked(p, &hart);
        *out = (struct abi_procinfo){.pid = p->pid,
                                     .parent = p->parent ? p->parent->pid : 0,
                                     .state = state,
                                     .hart = hart,
                                     .size = p->as->granted,
                                     .frames = p->as->present,
                                     .table_frames = p->as->user.tables + p->as->kernel.tables,
                                     .committed = p->as->committed,
                                     .ticks = clock_to_ticks(usage_time_locked(p)),
                                     .brk = p->as->brk,
                                     .threads = state == ABI_P_ZOMBIE ? 0 : p->living};
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

int proc_program(int32_t pid, char path[ABI_MAXPATH]) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    memcpy(path, p->program, ABI_MAXPATH);
    spin_unlock(&p->lock);
    return 0;
}

int proc_caps(int32_t pid, struct caps *out) {
    struct proc *p = proc_find_and_lock(pid ? pid : proc_self()->pid);
    if (!p)
        return -K_ESRCH;
    *out = p->caps;
    spin_unlock(&p->lock);
    return 0;
}

int proc_set_caps(const struct caps *c) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    const struct caps *now = &p->caps;
    /* What it may hand on is what it has, or could hand on before. */
    bool grows = (now->given_up & ~c->given_up) || (c->given_up & ~c->left_out) ||
                 (c->inheritable & ~now->inheritable & now->given_up);
    if (!grows)
        p->caps = *c;
    spin_unlock(&p->lock);
    return grows ? -K_EPERM : 0;
}

int proc_arguments(int32_t pid, struct proc_strings *out) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    *out = p->arguments;
    spin_unlock(&p->lock);
    return 0;
}

static enum abi_procstate state_of_thread(const struct proc *p, const struct thread *t) {
    return t->state == T_RUNNING    ? ABI_P_RUNNING
           : t->state == T_RUNNABLE ? ABI_P_RUNNABLE
           : t->state == T_ZOMBIE   ? ABI_P_ZOMBIE
           : p->stopped             ? ABI_P_STOPPED
                                    : ABI_P_SLEEPING;
}

int proc_thread(int32_t pid, int32_t from, struct thread_about *out) {
    struct proc *p = proc_find_and_lock(pid);
    const struct thread *found = NULL;
    if (!p)
        return -K_ESRCH;
    LIST_EACH(link, &p->threads) {
        const struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        if (t->state != T_DEAD && t->tid >= from && (!found || t->tid < found->tid))
            found = t;
    }
    if (found) {
        *out = (struct thread_about){
            .tid = found->tid, .state = state_of_thread(p, found), .hart = found->hart};
        str_copy(out->name, found->name[0] ? found->name : p->name, sizeof(out->name));
    }
    spin_unlock(&p->lock);
    return found ? 0 : -K_ESRCH;
}

struct fdtable *proc_lock_files(int32_t pid) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return NULL;
    spin_lock(&p->fds.lock);
    spin_unlock(&p->lock);
    return &p->fds;
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
                                        [ABI_P_ZOMBIE] = "zombie",
                                        [ABI_P_STOPPED] = "stopped"};
    struct abi_procinfo info;
    kprintf("\nPID   STATE     HART  SIZE(KiB)  NAME\n");
    for (uint32_t i = 0; i < proc_slots; i++)
        if (!proc_info(i, &info))
            kprintf("%-5d %-9s %4u %10lu  %s\n", info.pid, names[info.state], info.hart,
                    (unsigned long)(info.size / 1024), info.name);
}
