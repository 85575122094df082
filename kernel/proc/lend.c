/* A space that a process runs in and that is its parent's: see proc_fork. It has an empty one of
 * its own, too, made like any other, so that it can come back to that without being able to fail.
 * In the space that is lent it is one thread more. */
#include "mm/kernel_view.h"
#include "proc/signal.h"
#include "proc/table.h"

int proc_borrow_space(struct thread *t) {
    struct proc *child = t->proc, *parent = proc_self();
    int err = kernel_view_add_thread(parent->as, t->stack, ptr_pa(t->tf));
    if (err)
        return err;
    child->as = parent->as;
    child->lender = thread_self();
    t->trapframe = TRAPFRAME_OF(t->stack);
    t->tf->kernel_satp = child->as->kernel_satp;
    thread_self()->lends = true;
    return 0;
}

void proc_return_space(struct proc *p) {
    struct thread *t = thread_self(), *lender = p->lender;
    struct aspace *lent = p->as;
    if (!lender)
        return;
    proc_enter_space(p, &p->spaces[0]);
    kernel_view_remove_thread(lent, t->stack, TRAPFRAME_OF(t->stack));
    spin_lock(&family_lock);
    p->lender = NULL;
    lender->lends = false;
    wakeup(&lender->proc->child_exited);
    spin_unlock(&family_lock);
}

/* As long as it runs there it has not ended, so its slot is its own. */
void proc_wait_for_space(struct proc *child) {
    struct thread *t = thread_self();
    spin_lock(&family_lock);
    while (t->lends) {
        if (proc_killed()) {
            spin_lock(&child->lock);
            signal_end_locked(child, ABI_SIGKILL);
            spin_unlock(&child->lock);
        }
        sleep_on(&t->proc->child_exited, &family_lock);
    }
    spin_unlock(&family_lock);
}
