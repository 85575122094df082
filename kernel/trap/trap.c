/* Traps from user mode and from the kernel: see trap.h and docs/traps.md. */
#include "trap/trap.h"
#include "arch/csr.h"
#include "arch/layout.h"
#include "arch/trapinfo.h"
#include "dev/irq.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/explain.h"
#include "mm/mmap.h"
#include "proc/clock.h"
#include "proc/itimer.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "proc/signal.h"
#include "proc/sleeplock.h"
#include "syscall/syscall.h"
#include "trap/panic.h"

#define COUNTERS_ALL 7 /* scounteren: cycle, time, instret */
#define COUNTER_TIME 2

/* A symbol of the trampoline page, at the address that every table maps it at. */
static uint64_t in_trampoline(const char *symbol) {
    return TRAMPOLINE + (symbol - trampoline_page);
}

void trap_init_hart(void) {
    csr_write(stvec, (uint64_t)kernel_vector);
    csr_clear(sstatus, SSTATUS_SIE | SSTATUS_SPP | SSTATUS_SUM | SSTATUS_FS);
    csr_set(sstatus, SSTATUS_SPIE);
    csr_write(sie, SIE_SSIE | SIE_STIE | SIE_SEIE);
    csr_write(scounteren, COUNTERS_ALL);
    if (!(csr_read(scounteren) & COUNTER_TIME))
        clock_not_readable();
}

/* ---- interrupts -------------------------------------------------------------- */

static bool interrupt(uint64_t cause) {
    if (cause == CAUSE_TIMER) {
        clock_interrupt();
        itimer_tick();
    } else if (cause == CAUSE_EXTERNAL)
        irq_serve();
    else if (cause == CAUSE_SOFTWARE) {
        csr_clear(sip, SIE_SSIE); /* another hart has work for us, or panics */
        panic_stop_if_asked();
    } else
        return false;
    return true;
}

/* ---- from user mode ------------------------------------------------------------ */

/* What a program is told of a fault: a signal, and what kind. */
struct fault_signal {
    int32_t signal, code;
};

/* err: what aspace_fault gave. */
static struct fault_signal fault_signal(struct aspace *as, uint64_t cause, uint64_t stval,
                                        int err) {
    switch (cause) {
    case CAUSE_ILLEGAL: return (struct fault_signal){ABI_SIGILL, ABI_ILL_ILLOPC};
    case CAUSE_BREAKPOINT: return (struct fault_signal){ABI_SIGTRAP, ABI_TRAP_BRKPT};
    case CAUSE_PAGE_FETCH:
    case CAUSE_PAGE_LOAD:
    case CAUSE_PAGE_STORE: break;
    case CAUSE_ACCESS_FETCH:
    case CAUSE_ACCESS_LOAD:
    case CAUSE_ACCESS_STORE: return (struct fault_signal){ABI_SIGBUS, ABI_BUS_OBJERR};
    default: return (struct fault_signal){ABI_SIGBUS, ABI_BUS_ADRALN};
    }
    if (err != -K_EFAULT)
        return (struct fault_signal){ABI_SIGBUS, err == -K_ENXIO ? ABI_BUS_ADRERR : ABI_BUS_OBJERR};
    uint64_t page = ROUND_DOWN(stval, PAGE_SIZE);
    bool mapped = stval < USER_MAX && aspace_is_granted(as, page, page + PAGE_SIZE);
    return (struct fault_signal){ABI_SIGSEGV, mapped ? ABI_SEGV_ACCERR : ABI_SEGV_MAPERR};
}

static void kill_for(struct thread *t, uint64_t cause, uint64_t stval, int err,
                     const struct fault_signal *f) {
    static struct sleeplock report = SLEEPLOCK_INIT(report, RANK_REPORT);
    const struct proc *p = t->proc;
    sleeplock_acquire(&report); /* what is said of one program stands together */
    kprintf("%d %s: killed by %s: scause %lu sepc 0x%lx stval 0x%lx\n", p->pid, p->name,
            cause_name(cause), (unsigned long)cause, (unsigned long)t->tf->epc,
            (unsigned long)stval);
    explain_user_fault(p->as, stval, cause_failed_access(cause), err);
    if (cause == CAUSE_ILLEGAL && !thread_fpu_present)
        kprintf("floating-point instructions are illegal here: not every hart has F and D\n");
    sleeplock_release(&report);
    proc_end_for(f->signal);
}

/* Everything but system calls. stval is read before anything can trap again. */
__attribute__((noinline)) static void user_event(struct thread *t, uint64_t cause) {
    uint64_t stval = csr_read(stval);
    if (cause & CAUSE_INTERRUPT) {
        if (!interrupt(cause))
            panic("interrupt %lu, which was never enabled", (unsigned long)(cause << 1 >> 1));
        return;
    }
    uint64_t access = cause_access(cause);
    int err = access ? aspace_fault(t->proc->as, stval, access) : 0;
    if (access && !err)
        return;
    if (cause == CAUSE_ILLEGAL && thread_fpu_first_use())
        return;
    struct fault_signal f = fault_signal(t->proc->as, cause, stval, err);
    bool is_address = f.signal == ABI_SIGSEGV || f.signal == ABI_SIGBUS;
    if (!signal_fault(f.signal, f.code, is_address ? stval : t->tf->epc))
        kill_for(t, cause, stval, err, &f);
}

/* What keeps it from returning to user mode. */
__attribute__((noinline)) static void attend(struct thread *t) {
    while (__atomic_load_n(&t->reasons, __ATOMIC_RELAXED)) {
        thread_tell_more(t->proc);
        if (proc_killed())
            thread_exit(-1);
        signal_deliver();
    }
}

/* A killed thread ends here, and one whose slice is over lets others run. */
static struct user_view before_user(struct thread *t, const struct trapframe *tf) {
    spin_expect_none("a return to user mode");
    sleep_expect_none("a return to user mode");
    if (__builtin_expect(t->slice, 0))
        sched_rest();
    if (__builtin_expect(__atomic_load_n(&t->reasons, __ATOMIC_RELAXED), 0))
        attend(t);
    csr_write(sepc, tf->epc);
    return (struct user_view){t->proc->as->user_satp, t->trapframe};
}

struct user_view trap_user(void) {
    csr_write(stvec, (uint64_t)kernel_vector);
    struct thread *t = thread_self();
    struct trapframe *tf = t->tf;
    uint64_t cause = csr_read(scause), epc = csr_read(sepc);
    if (cause == CAUSE_ECALL_U) {
        tf->epc = epc + 4;
        syscall_do(t->proc->interface, tf);
    } else {
        tf->epc = epc;
        user_event(t, cause);
    }
    return before_user(t, tf);
}

void thread_return_to_user(void) {
    struct thread *t = thread_self();
    struct user_view view = before_user(t, t->tf);
    ((trampoline_return_fn)in_trampoline(trampoline_return))(view);
}

/* ---- from the kernel ------------------------------------------------------------ */

/* A fault in a copy routine: repaired, or an error of the copy. */
static bool copy_fault(struct kernel_frame *f) {
    uint64_t fixup = extable_find(f->sepc);
    if (!fixup)
        return false;
    uint64_t access = cause_access(f->scause);
    if (access && proc_self()) {
        if (DEBUG) /* the repair is no part of the copy */
            ASSERT(!(csr_read(sstatus) & SSTATUS_SUM));
        if (f->stval >= USER_HALF_END)
            return false; /* the kernel's own side of the copy: a bug */
        if (aspace_fault(proc_self()->as, f->stval, access) == 0)
            return true;
    }
    f->sepc = fixup;
    return true;
}

void trap_kernel(struct kernel_frame *f) {
    /* The return restores them. A repair may sleep, and others then return to user mode. */
    csr_clear(sstatus, SSTATUS_SUM | SSTATUS_SPP);
    if (f->scause & CAUSE_INTERRUPT) {
        if (interrupt(f->scause))
            return;
    } else if (copy_fault(f)) {
        return;
    }
    panic_for_trap(f, "kernel trap: an access or instruction that is not permitted");
}

void trap_stack_unusable(struct kernel_frame *f, bool lost) {
    if (!lost)
        panic_for_trap(f, "a kernel stack has overflowed");
    f->s0 = 0; /* frames on that stack cannot be read */
    panic_for_trap(f, "the stack pointer is on no stack that the loaded page table maps: sp and "
                      "satp do not belong together");
}
