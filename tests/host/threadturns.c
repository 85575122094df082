/* Where threads of threadworld.h are held up, and who goes on. */
#include "hostarch.h"
#include "mm/pieces.h"
#include "mm/shm.h"
#include "mm/turn.h"
#include "threadops.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t (*threads_choose)(uint64_t n);
uint64_t threads_now;
struct thread threads[FIBERS];
static bool ending;
static struct frame_stats at_start;

uint64_t choose(uint64_t n) { return ending ? 0 : threads_choose(n); }
struct thread *self(void) {
    return fiber_self() < 0 ? NULL : &threads[fiber_self()];
}

void trace(const char *fmt, ...) {
    static int on = -1;
    va_list ap;
    if (on < 0)
        on = getenv("TRACE") != NULL;
    if (!on)
        return;
    const struct thread *t = self();
    fprintf(stderr, "%5lu thread %d, process %d, hart %d: ", (ul)threads_now, fiber_self(),
            t && t->p ? (int)t->p->slot : -1, t ? t->hart : -1);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
}

/* ---- who is held up --------------------------------------------------------------- */

static bool is_free(int hart) {
    for (unsigned i = 0; i < FIBERS; i++)
        if (threads[i].hart == hart)
            return false;
    return true;
}

static int free_hart(void) {
    int first = (int)choose(ENV_HARTS);
    for (int i = 0; i < ENV_HARTS; i++)
        if (is_free((first + i) % ENV_HARTS))
            return (first + i) % ENV_HARTS;
    return -1;
}

/* The thread has its turn, and goes on on this hart. */
static void arrive(struct thread *t) {
    if (t->p)
        env_join(t->p, (uint32_t)t->hart);
    else
        host_hart_be((uint32_t)t->hart);
}

void pause_on_hart(void) {
    enum walker_mode mode = env_copy_mode;
    if (!self())
        return;
    env_copy_mode = WALKER_SUPERVISOR;
    fiber_pause();
    env_copy_mode = mode;
}

void maybe_on_hart(void) {
    if (self() && choose(4) == 1)
        pause_on_hart();
}

void leave_hart(void) {
    struct thread *t = self();
    enum walker_mode mode = env_copy_mode;
    if (!t)
        return;
    spin_expect_none("a switch to another thread");
    MUST(!hart_self()->faults_held, "a thread sleeps though faults are held");
    MUST(!hart_self()->page_of, "a thread sleeps and has a page");
    env_copy_mode = WALKER_SUPERVISOR;
    t->hart = -1;
    fiber_pause();
    arrive(t);
    env_copy_mode = mode;
}

void maybe_leave_hart(void) {
    if (self() && choose(3) == 1)
        leave_hart();
}

/* cpu_relax */
int sched_yield(void) {
    pause_on_hart();
    return 0;
}

static void in_break(void) {
    maybe_leave_hart();
    piece_used[hart_self()->index] = choose(16) ? PIECE : 0;
}

static void before_a_frame(void) {
    env_meanwhile = before_a_frame;
    maybe_on_hart();
}

static void before_a_fence(void) {
    tlbmodel_meanwhile = before_a_fence;
    maybe_on_hart();
}

static void may_wait(void) {}

static void wait_for_turn(const uint32_t *word, uint32_t value) {
    struct thread *t = self();
    maybe_leave_hart();
    while (*word == value) {
        t->waits = word;
        t->woken = false;
        leave_hart();
    }
    t->waits = NULL;
}

static void wake(const uint32_t *word) {
    for (unsigned i = 0; i < FIBERS; i++)
        threads[i].woken |= threads[i].waits == word;
}

static const struct turn_ops turns = {may_wait, wait_for_turn, wake};

void after_unlock(const struct spinlock *lk) {
    struct thread *t = self();
    if (!t)
        return;
    if (t->change.kind != NONE && !t->change.counted && lk == &t->p->as->lock &&
        !t->p->as->changing)
        count_change(t);
    if (spin_holders[hart_self()->index].n == 0)
        maybe_on_hart();
}

static void before_release(uint64_t pa, uint64_t size) {
    for (unsigned i = 0; i < FIBERS; i++)
        MUST(!threads[i].held || threads[i].held - pa >= size,
             "frame %#lx is given back while a copy of thread %u has it", (ul)pa, i);
}

static bool trusts_kept(void) { return choose(2) == 1; }

/* ---- one step after the other ---- */

static struct env_proc *some_process(void) {
    for (uint64_t i = choose(ENV_PROCS);; i = (i + 1) % ENV_PROCS)
        if (worlds[i].used && worlds[i].whole)
            return &env_procs[i];
}

/* Between two things it has no hart and no process. */
static void live(unsigned number) {
    struct thread *t = &threads[number];
    for (;;) {
        while (!ending || t->busy) {
            t->busy = false;
            t->p = NULL;
            t->hart = -1;
            fiber_pause();
            if (ending)
                return;
            t->busy = true;
            t->p = some_process();
            arrive(t);
            do_something(t);
        }
        return;
    }
}

static bool can_go(const struct thread *t, bool new_work) {
    if (fiber_is_done((unsigned)(t - threads)))
        return false;
    return (t->busy || new_work) && (!t->waits || t->woken) && (t->hart >= 0 || free_hart() >= 0);
}

static bool go(unsigned first, bool new_work) {
    for (unsigned n = 0; n < FIBERS; n++) {
        struct thread *t = &threads[(first + n) % FIBERS];
        if (!can_go(t, new_work))
            continue;
        if (t->hart < 0)
            t->hart = free_hart();
        fiber_go((first + n) % FIBERS);
        return true;
    }
    return false;
}

void threads_step(void) {
    threads_now++;
    if (!go((unsigned)choose(FIBERS), true))
        env_fail("%s: nobody can go on", design_at(env_design)->name);
    threads_check(threads_now % 8 == 0);
}

static uint64_t some_address(void) {
    uint64_t i = host_random_below(24);
    return i < 20 ? va_of(HEAP_PAGES - 4 + i) : i < 22 ? va_of(i - 20) : va_of(PAGES - 1);
}

void threads_begin(unsigned design, unsigned asid_bits) {
    struct env_proc *p;
    ending = false;
    threads_now = 0;
    env_design = design;
    memset(worlds, 0, sizeof worlds);
    forget_shared_objects();
    memset(threads, 0, sizeof threads);
    memset(piece_used, 0, sizeof piece_used);
    env_fresh(64, asid_bits);
    env_repairs = 1000;
    frame_stats(&at_start);
    new_file();
    MUST(!env_create(&p), "the first process");
    *world_of(p) = (struct world){.used = true, .whole = true};
    env_run(p, 0);
    map_first_pages(p);
    for (unsigned i = 0; i < FIBERS; i++) {
        threads[i] = (struct thread){.hart = -1, .page = NOWHERE};
        fiber_make(i, live);
        fiber_go(i);
    }
    host_hart_be(ENV_HARTS); /* who looks on is none of theirs */
    tlbmodel_interest = some_address;
    turn_ops = &turns;
    piece_break = in_break;
    env_meanwhile = before_a_frame;
    tlbmodel_meanwhile = before_a_fence;
    env_at_release = before_release;
    env_trusts_kept = trusts_kept;
}

static bool all_idle(void) {
    for (const struct thread *t = threads; t < threads + FIBERS; t++)
        if (t->busy)
            return false;
    return true;
}

static void let_all_finish(void) {
    ending = true;
    for (unsigned i = 0; !all_idle(); i++) {
        threads_now++;
        MUST(go(i % FIBERS, false), "all threads wait");
        MUST(i < 20000, "a thread does not end what it does");
        threads_check(false);
    }
    threads_check(true);
}

void threads_end(void) {
    struct frame_stats st;
    let_all_finish();
    piece_break = NULL;
    env_meanwhile = tlbmodel_meanwhile = NULL;
    env_at_release = NULL;
    env_trusts_kept = NULL;
    turn_ops = NULL;
    host_hart_be(0);
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        if (p->used)
            env_exit(p);
    memset(worlds, 0, sizeof worlds);
    MUST(the_file.refs == 0 && list_empty(&the_file.rmap.mappings), "the file is still mapped");
    for (uint64_t i = 0; i < FILE_PAGES; i++)
        forget_page(i);
    frame_stats(&st);
    MUST(shm_frames() == 0 && mapping_frames() == 0, "records are lost");
    MUST(st.committed == at_start.committed, "%lu frames stay promised",
         (ul)(st.committed - at_start.committed));
    MUST(st.free + st.cached == at_start.free + at_start.cached, "%lu frames are lost",
         (ul)(at_start.free + at_start.cached - st.free - st.cached));
    frame_check();
}
