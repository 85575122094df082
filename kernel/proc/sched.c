/* Run queues, the switch between threads, and the idle harts: see sched.h. */
#include "proc/sched.h"
#include "arch/fpu.h"
#include "arch/sbi.h"
#include "arch/cpu.h"
#include "arch/trapinfo.h"
#include "lib/bits.h"
#include "mm/kmap.h"
#include "proc/clock.h"
#include "proc/proc.h"
#include "proc/runqueue.h"

struct hart_sched {
    struct run_queue runnable;
    /* The switch in progress, from the old thread to its successor. */
    struct thread *left;
    enum leaving { LEFT_WAITING, LEFT_RUNNABLE, LEFT_DEAD } left_as;
    struct context idle;
    uint64_t idle_time; /* cpu_time that this hart has waited for an interrupt */
};

/* What the running thread still has of its slice. One that was woken, and would be the next here,
 * waits for a part of it alone: who has woken it may be about to sleep, and else it may spin. */
enum { SLICE_GOES_ON, SLICE_MAY_END, SLICE_OVER };
#define LEAST_OF_SLICE 64 /* the part of a slice that each one has in any case */

static struct hart_sched scheds[NHART];
static uint32_t idle_harts; /* a bit a hart that sleeps, or is about to */

static struct hart_sched *mine(void) { return &scheds[hart_self()->index]; }

void sched_init(void) {
    for (unsigned i = 0; i < NHART; i++)
        run_queue_init(&scheds[i].runnable);
}

/* ---- queues ---------------------------------------------------------------- */

static void wake_hart(uint32_t index) {
    if (index != hart_self()->index)
        sbi_send_ipi(harts[index].hartid);
}

/* After something was queued on hart: sees to it that somebody will run it. False: no hart idles.
 * The queue was written before idle_harts is read, and an idle hart writes idle_harts
 * before it reads the queues: one of the two sees the other. */
static bool announce(uint32_t hart) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t idle = __atomic_load_n(&idle_harts, __ATOMIC_RELAXED);
    if (idle & 1U << hart)
        wake_hart(hart);
    else if (idle)
        wake_hart(bit_lowest(idle));
    return idle;
}

static void enqueue(struct thread *t, bool woken) {
    uint32_t hart = t->hart;
    bool first = run_queue_add(&scheds[hart].runnable, t, woken);
    struct thread *runs = hart_self()->thread;
    if (!announce(hart) && woken && first && runs && hart == hart_self()->index &&
        runs->slice == SLICE_GOES_ON)
        runs->slice = SLICE_MAY_END;
}

/* The next to run here: of this hart's queue, else of another's. */
static struct thread *pick(void) {
    uint32_t me = hart_self()->index;
    struct thread *t = run_queue_take(&scheds[me].runnable);
    for (uint32_t i = 1; !t && i < hart_count; i++)
        t = run_queue_take(&scheds[(me + i) % hart_count].runnable);
    return t;
}

void sched_ready(struct thread *t) {
    ASSERT(spin_held(&t->lock));
    t->state = T_RUNNABLE;
    spin_unlock(&t->lock);
    while (__atomic_load_n(&t->on_hart, __ATOMIC_ACQUIRE))
        cpu_relax();
    enqueue(t, true);
}

/* A hart that enters t says so before it looks at t's reasons, and tlb_activate has a fence in
 * between: so either it sees a reason that was given before, or is seen here. In the last case it
 * may be in the kernel, or have left t since; then the interrupt does nothing. */
void sched_disturb(const struct thread *t) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == T_RUNNING)
        wake_hart(__atomic_load_n(&t->hart, __ATOMIC_RELAXED));
}

/* ---- the switch ------------------------------------------------------------ */

/* Off until the thread has used it: the first use traps (thread_fpu_first_use). */
static void fpu_enter(struct thread *t) {
    if (t->fpu_used)
        fpu_give(&t->fpu);
    else
        fpu_off();
}

/* This hart runs t from now on. */
static void enter(struct thread *t) {
    struct hart *h = hart_self();
    if (t->hart != h->index) {
        fence_i(); /* code that it has seen written elsewhere */
        __atomic_store_n(&t->hart, h->index, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&t->state, T_RUNNING, __ATOMIC_RELEASE); /* for sched_disturb */
    __atomic_store_n(&t->time_since, cpu_time(), __ATOMIC_RELAXED);
    __atomic_store_n(&t->on_hart, true, __ATOMIC_RELEASE);
    t->slice = SLICE_GOES_ON;
    t->tf->kernel_tp = (uint64_t)h;
    h->thread = t;
    h->proc = t->proc;
    h->space = t->proc->as;
    fpu_enter(t);
    tlb_activate(&h->space->tlb);
}

/* In the successor, on its stack and table: the old thread is out of use. */
static void finish_switch(void) {
    struct hart_sched *s = mine();
    struct thread *left = s->left;
    if (!left)
        return;
    s->left = NULL;
    if (left->proc->as != hart_self()->space)
        tlb_leave(&left->proc->as->tlb);
    __atomic_store_n(&left->on_hart, false, __ATOMIC_RELEASE);
    if (s->left_as == LEFT_RUNNABLE)
        enqueue(left, false);
    else if (s->left_as == LEFT_DEAD)
        thread_bury(left);
}

void sched_started(void) { finish_switch(); }

/* Whoever looks meanwhile sees the last slice in one of the two, but for a moment. */
static void note_time(struct thread *t) {
    uint64_t now = cpu_time(), ran = now - t->time_since;
    __atomic_store_n(&t->time_since, now, __ATOMIC_RELAXED);
    t->time_used += ran;
    __atomic_add_fetch(&t->proc->time_used, ran, __ATOMIC_RELEASE);
}

/* From the running thread to next, or to the idle loop when that is NULL. */
static void switch_to(struct thread *next, enum leaving as) {
    struct hart_sched *s = mine();
    struct thread *t = thread_self();
    spin_expect_none("a switch of threads");
    note_time(t);
    fpu_keep(&t->fpu);
    s->left = t;
    s->left_as = as;
    if (next) {
        enter(next);
        swtch(&t->context, &next->context, next->proc->as->kernel_satp);
    } else {
        hart_self()->thread = NULL;
        hart_self()->proc = NULL;
        hart_self()->space = NULL;
        swtch(&t->context, &s->idle, kernel_satp);
    }
    finish_switch();
}

void sched_leave(void) { switch_to(pick(), LEFT_WAITING); }

void sched_leave_for_good(void) {
    switch_to(pick(), LEFT_DEAD);
    panic("a thread ran after its end");
}

void thread_yield(void) {
    struct thread *next = run_queue_take(&mine()->runnable);
    thread_self()->slice = SLICE_GOES_ON;
    if (!next)
        return;
    thread_self()->state = T_RUNNABLE;
    switch_to(next, LEFT_RUNNABLE);
}

void sched_rest(void) {
    const struct thread *t = thread_self();
    if (t->slice == SLICE_OVER ||
        (t->slice == SLICE_MAY_END && cpu_time() - t->time_since >= clock_slice / LEAST_OF_SLICE))
        thread_yield();
}

void sched_break(void) {
    if (!thread_self()) /* at boot */
        return;
    intr_window();
    sched_rest();
}

/* ---- ticks and idling -------------------------------------------------------- */

void sched_tick(void) {
    if (thread_self() && run_queue_length(&mine()->runnable))
        thread_self()->slice = SLICE_OVER;
}

uint64_t sched_idle_time(void) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hart_count; i++)
        sum += __atomic_load_n(&scheds[i].idle_time, __ATOMIC_RELAXED);
    return sum;
}

static void idle_until_interrupt(void) {
    if (DEBUG) /* and not on that of a process, which may end meanwhile */
        ASSERT(loaded_root().v == kernel_pt.root.v);
    uint32_t bit = 1U << hart_self()->index;
    __atomic_or_fetch(&idle_harts, bit, __ATOMIC_SEQ_CST);
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < hart_count; i++)
        waiting += run_queue_length(&scheds[i].runnable);
    if (!waiting) {
        clock_arm_idle();
        uint64_t since = cpu_time();
        wait_for_interrupt();
        scheds[hart_self()->index].idle_time += cpu_time() - since;
    }
    __atomic_and_fetch(&idle_harts, ~bit, __ATOMIC_SEQ_CST);
    intr_window();
}

void sched_idle(void) {
    for (;;) {
        struct thread *next = pick();
        if (!next) {
            idle_until_interrupt();
            continue;
        }
        clock_arm_running();
        enter(next);
        swtch(&mine()->idle, &next->context, next->proc->as->kernel_satp);
        finish_switch();
    }
}
