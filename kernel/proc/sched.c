/* Run queues, the switch between processes, and the idle harts: see sched.h. */
#include "proc/sched.h"
#include "arch/fpu.h"
#include "arch/sbi.h"
#include "arch/cpu.h"
#include "arch/trapinfo.h"
#include "lib/bits.h"
#include "mm/kmap.h"
#include "proc/clock.h"
#include "proc/group.h"

#define JUMPS 4

struct hart_queue {
    struct spinlock lock;
    struct list queue; /* proc.run_link */
    uint32_t length;   /* read without the lock by harts that look for work */
    uint32_t jumped;   /* in a row, to the front */
    /* The switch in progress, from the old process to its successor. */
    struct proc *left;
    bool left_yields;
    struct context idle;
    uint64_t idle_time; /* cpu_time that this hart has waited for an interrupt */
};

static struct hart_queue queues[NHART];
static uint32_t idle_harts; /* a bit a hart that sleeps, or is about to */

static struct hart_queue *mine(void) { return &queues[hart_self()->index]; }

void sched_init(void) {
    for (unsigned i = 0; i < NHART; i++) {
        spin_init(&queues[i].lock, RANK_RUN_QUEUE);
        list_init(&queues[i].queue);
    }
}

/* ---- queues ---------------------------------------------------------------- */

static void wake_hart(uint32_t index) {
    if (index != hart_self()->index)
        sbi_send_ipi(harts[index].hartid);
}

/* After something was queued on hart: sees to it that somebody will run it. The
 * queue was written before idle_harts is read, and an idle hart writes idle_harts
 * before it reads the queues: one of the two sees the other. */
static void announce(uint32_t hart) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t idle = __atomic_load_n(&idle_harts, __ATOMIC_RELAXED);
    if (idle & 1U << hart)
        wake_hart(hart);
    else if (idle)
        wake_hart(bit_lowest(idle));
}

/* A process of the session or of its commands goes first when it is woken, so that they get on
 * among a hundred processes that always run; after JUMPS of them it is the others' turn. */
static void queue_up(struct hart_queue *q, struct proc *p, bool woken) {
    p->jumps = woken && proc_in_reserve(p) && q->jumped < JUMPS;
    if (p->jumps) {
        q->jumped++;
        list_push_front(&q->queue, &p->run_link);
    } else {
        list_push_back(&q->queue, &p->run_link);
    }
}

static void enqueue(struct proc *p, bool woken) {
    uint32_t hart = p->hart;
    struct hart_queue *q = &queues[hart];
    spin_lock(&q->lock);
    queue_up(q, p, woken);
    __atomic_store_n(&q->length, q->length + 1, __ATOMIC_RELAXED);
    spin_unlock(&q->lock);
    announce(hart);
}

static struct proc *take_from(struct hart_queue *q) {
    if (!__atomic_load_n(&q->length, __ATOMIC_RELAXED))
        return NULL;
    spin_lock(&q->lock);
    struct list *link = list_pop_front(&q->queue);
    struct proc *p = link ? LIST_ENTRY(link, struct proc, run_link) : NULL;
    if (p)
        __atomic_store_n(&q->length, q->length - 1, __ATOMIC_RELAXED);
    if (!p || !p->jumps)
        q->jumped = 0;
    spin_unlock(&q->lock);
    return p;
}

/* The next to run here: of this hart's queue, else of another's. */
static struct proc *pick(void) {
    uint32_t me = hart_self()->index;
    struct proc *p = take_from(&queues[me]);
    for (uint32_t i = 1; !p && i < hart_count; i++)
        p = take_from(&queues[(me + i) % hart_count]);
    return p;
}

void sched_ready(struct proc *p) {
    ASSERT(spin_held(&p->lock));
    p->state = P_RUNNABLE;
    spin_unlock(&p->lock);
    while (__atomic_load_n(&p->on_hart, __ATOMIC_ACQUIRE))
        cpu_relax();
    enqueue(p, true);
}

/* ---- the switch ------------------------------------------------------------ */

/* Off until the process has used it: the first use traps (proc_fpu_first_use). */
static void fpu_enter(struct proc *p) {
    if (p->fpu_used)
        fpu_give(&p->fpu);
    else
        fpu_off();
}

/* This hart runs p from now on. */
static void enter(struct proc *p) {
    struct hart *h = hart_self();
    if (p->hart != h->index) {
        fence_i(); /* code that it has seen written elsewhere */
        p->hart = h->index;
    }
    p->state = P_RUNNING;
    p->on_hart = true;
    p->slice_over = false;
    p->time_since = cpu_time();
    p->tf->kernel_tp = (uint64_t)h;
    h->proc = p;
    h->space = p->as;
    fpu_enter(p);
    tlb_activate(&p->as->tlb);
}

/* In the successor, on its stack and table: the old process is out of use. */
static void finish_switch(void) {
    struct hart_queue *q = mine();
    struct proc *left = q->left;
    if (!left)
        return;
    q->left = NULL;
    tlb_leave(&left->as->tlb);
    __atomic_store_n(&left->on_hart, false, __ATOMIC_RELEASE);
    if (q->left_yields)
        enqueue(left, false);
}

void sched_started(void) { finish_switch(); }

/* From the running process to next, or to the idle loop when that is NULL. */
static void switch_to(struct proc *next, bool yields) {
    struct hart_queue *q = mine();
    struct proc *p = proc_self();
    spin_expect_none("a switch of processes");
    p->time_used += cpu_time() - p->time_since;
    fpu_keep(&p->fpu);
    q->left = p;
    q->left_yields = yields;
    if (next) {
        enter(next);
        swtch(&p->context, &next->context, next->as->kernel_satp);
    } else {
        hart_self()->proc = NULL;
        swtch(&p->context, &q->idle, kernel_satp);
    }
    finish_switch();
}

void sched_leave(void) { switch_to(pick(), false); }

void proc_yield(void) {
    struct proc *next = take_from(mine());
    proc_self()->slice_over = false;
    if (!next)
        return;
    proc_self()->state = P_RUNNABLE;
    switch_to(next, true);
}

void sched_break(void) {
    const struct proc *p = proc_self(); /* NULL at boot */
    if (!p)
        return;
    intr_window();
    if (p->slice_over)
        proc_yield();
}

/* ---- ticks and idling -------------------------------------------------------- */

void sched_tick(void) {
    if (proc_self() && mine()->length)
        proc_self()->slice_over = true;
}

uint64_t sched_idle_time(void) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hart_count; i++)
        sum += __atomic_load_n(&queues[i].idle_time, __ATOMIC_RELAXED);
    return sum;
}

static void idle_until_interrupt(void) {
    if (DEBUG) /* and not on that of a process, which may end meanwhile */
        ASSERT(loaded_root().v == kernel_pt.root.v);
    uint32_t bit = 1U << hart_self()->index;
    __atomic_or_fetch(&idle_harts, bit, __ATOMIC_SEQ_CST);
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < hart_count; i++)
        waiting += __atomic_load_n(&queues[i].length, __ATOMIC_SEQ_CST);
    if (!waiting) {
        clock_arm_idle();
        uint64_t since = cpu_time();
        wait_for_interrupt();
        queues[hart_self()->index].idle_time += cpu_time() - since;
    }
    __atomic_and_fetch(&idle_harts, ~bit, __ATOMIC_SEQ_CST);
    intr_window();
}

void sched_idle(void) {
    for (;;) {
        struct proc *next = pick();
        if (!next) {
            idle_until_interrupt();
            continue;
        }
        clock_arm_running();
        enter(next);
        swtch(&mine()->idle, &next->context, next->as->kernel_satp);
        finish_switch();
    }
}
