/* Threads: several in one process, and how they end. */
#include "threads.h"
#include <string.h>
#include <sys/mman.h>

/* ---- threads for tests ---- */

static void task_main(void *arg) {
    struct task *t = arg;
    t->fn(t->arg);
    sys_thread_exit(&t->here);
}

int task_try(struct task *t, void (*fn)(uint64_t), uint64_t arg, void *stack) {
    t->fn = fn;
    t->arg = arg;
    t->here = 1;
    t->tid = sys_thread_create(task_main, t, (char *)stack + TASK_STACK, t);
    return t->tid;
}

void task_start(struct task *t, void (*fn)(uint64_t), uint64_t arg) {
    t->stack = mmap(NULL, TASK_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(t->stack != MAP_FAILED);
    CHECK(task_try(t, fn, arg, t->stack) > 0);
}

void wait_for_word(uint32_t *word, uint32_t while_it_is) {
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == while_it_is)
        sys_futex_wait(word, while_it_is, UINT64_MAX);
}

void set_word(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    CHECK(sys_futex_wake(word, UINT32_MAX) >= 0);
}

void task_join(struct task *t) {
    wait_for_word(&t->here, 1);
    CHECK_EQ(munmap(t->stack, TASK_STACK), 0);
}

/* ---- what one is ---- */

static uint32_t seen[8], counter;
static struct task tasks[8];

static void look_around(uint64_t i) {
    uint64_t tp = (uint64_t)__builtin_thread_pointer();
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    CHECK_EQ(tp, (uint64_t)&tasks[i]);
    CHECK(here > (uint64_t)tasks[i].stack && here <= (uint64_t)tasks[i].stack + TASK_STACK);
    WAIT_UNTIL(__atomic_load_n(&tasks[i].tid, __ATOMIC_RELAXED)); /* its maker stores it */
    CHECK_EQ(sys_thread_self(), tasks[i].tid);
    CHECK(sys_thread_self() != sys_getpid());
    seen[i] = (uint32_t)sys_getpid();
}

static void has_its_own(void) {
    CHECK_EQ(sys_thread_self(), sys_getpid());
    for (unsigned i = 0; i < 8; i++)
        task_start(&tasks[i], look_around, i);
    for (unsigned i = 0; i < 8; i++)
        task_join(&tasks[i]);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(seen[i], sys_getpid());
}

static void count_up(uint64_t n) {
    while (n-- > 0) {
        __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
        if (n % 64 == 0)
            sys_yield();
    }
}

static void share_memory(void) {
    for (unsigned i = 0; i < 8; i++)
        task_start(&tasks[i], count_up, 1000);
    for (unsigned i = 0; i < 8; i++)
        task_join(&tasks[i]);
    CHECK_EQ(counter, 8000);
}

static void compute(uint64_t i) {
    volatile double x = (double)i, sum = 0;
    for (unsigned k = 0; k < 2000; k++) {
        sum += x * k;
        if (k % 50 == 0)
            sys_yield();
    }
    seen[i] = sum == (double)i * (1999.0 * 1000.0);
}

static void have_their_floating_point(void) {
    for (unsigned i = 0; i < 8; i++)
        task_start(&tasks[i], compute, i);
    for (unsigned i = 0; i < 8; i++)
        task_join(&tasks[i]);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(seen[i], 1);
}

/* ---- one memory ---- */

static char *mapped;

static void map_and_fill(uint64_t n) {
    mapped = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapped != MAP_FAILED);
    fill(mapped, (unsigned)n * PAGE, 3);
}

static void unmap(uint64_t n) { CHECK_EQ(munmap(mapped, n * PAGE), 0); }

static void touch_what_another_unmapped(uint64_t arg) {
    (void)arg;
    task_start(&tasks[0], map_and_fill, 4);
    task_join(&tasks[0]);
    CHECK(filled(mapped, 4 * PAGE, 3));
    task_start(&tasks[0], unmap, 4);
    task_join(&tasks[0]);
    *(volatile char *)mapped = 1;
}

static void see_what_another_maps(void) {
    CHECK_EQ(run_child(touch_what_another_unmapped, 0), KILLED);
}

/* ---- memory that changes under others ---- */

#define READERS 4
#define REPLACED 20
static uint32_t stamp;           /* what the page has in front; 0 while it is replaced */
static uint32_t looked[READERS]; /* the last stamp that each has compared */

/* In user mode only, so that nothing but the change itself makes this hart look again. */
static void read_until_the_end(uint64_t i) {
    const volatile uint32_t *page = (const volatile uint32_t *)mapped;
    while (__atomic_load_n(&stamp, __ATOMIC_ACQUIRE) != UINT32_MAX) {
        uint32_t before = __atomic_load_n(&stamp, __ATOMIC_ACQUIRE), has = *page;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before && before != UINT32_MAX && before == __atomic_load_n(&stamp, __ATOMIC_RELAXED))
            seen[i] |= has != before;
        __atomic_store_n(&looked[i], before, __ATOMIC_RELEASE);
    }
}

/* More threads than harts, so that one follows another of the same process. */
static void readers_see_what_is_mapped(void) {
    volatile char *others = mmap(NULL, (REPLACED + 1) * PAGE, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(others != MAP_FAILED);
    map_and_fill(1);
    for (unsigned i = 0; i < READERS; i++)
        task_start(&tasks[i], read_until_the_end, i);
    for (uint32_t n = 1; n <= REPLACED; n++) {
        char *at = mmap(mapped, PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK_EQ((uint64_t)at, (uint64_t)mapped);
        others[n * PAGE] = 1; /* so the frame that went is this page's, not the same one's again */
        *(volatile uint32_t *)mapped = n;
        __atomic_store_n(&stamp, n, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < READERS; i++)
            WAIT_UNTIL(__atomic_load_n(&looked[i], __ATOMIC_ACQUIRE) == n);
        __atomic_store_n(&stamp, 0, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&stamp, UINT32_MAX, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < READERS; i++) {
        task_join(&tasks[i]);
        CHECK_EQ(seen[i], 0);
    }
}

/* ---- their end ---- */

static int ends[2]; /* a pipe that nobody writes to */
static uint32_t never, ready;

static void spin(uint64_t arg) {
    __atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
    for (;;)
        __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
}

static void sleep_in_read(uint64_t arg) {
    char c;
    __atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
    sys_read(ends[0], &c, 1);
    FAIL("read returned");
}

static void sleep_in_futex(uint64_t arg) {
    __atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
    sys_futex_wait(&never, 0, UINT64_MAX);
    FAIL("futex_wait returned");
}

static void sleep_for_ever(uint64_t arg) {
    __atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
    for (;;)
        sys_sleep(1000);
}

/* All that a thread may be at when another ends it. */
static void start_one_of_each(void) {
    ready = 0;
    must_pipe(ends);
    task_start(&tasks[0], spin, 0);
    task_start(&tasks[1], sleep_in_read, 0);
    task_start(&tasks[2], sleep_in_futex, 0);
    task_start(&tasks[4], sleep_for_ever, 0);
    while (__atomic_load_n(&ready, __ATOMIC_RELAXED) < 4)
        sys_yield();
}

static void exit_with(uint64_t status) { sys_exit((int)status); }

static void exits_among_others(uint64_t by_another) {
    start_one_of_each();
    if (!by_another)
        sys_exit(7);
    task_start(&tasks[3], exit_with, 7);
    sleep_in_futex(0);
}

static void exit_ends_the_others(void) {
    CHECK_EQ(run_child(exits_among_others, 0), 7);
    CHECK_EQ(run_child(exits_among_others, 1), 7);
}

static void faults_among_others(uint64_t by_another) {
    start_one_of_each();
    task_start(&tasks[3], touch_what_another_unmapped, 0);
    sleep_in_futex(0);
}

static void a_fault_ends_all(void) { CHECK_EQ(run_child(faults_among_others, 0), KILLED); }

static void kill_ends_all(void) {
    int p[2];
    char c;
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        start_one_of_each();
        write_all(p[1], "r", 1);
        sleep_in_futex(0);
    }
    read_all(p[0], &c, 1);
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
}

static void leave(uint64_t arg) {
    (void)arg;
    sys_thread_exit(NULL);
}

static void leaves_first(uint64_t status) {
    task_start(&tasks[0], status ? exit_with : leave, status);
    sys_thread_exit(NULL);
}

/* The first one's end is not the process's. */
static void the_last_one_ends_the_process(void) {
    CHECK_EQ(run_child(leaves_first, 9), 9);
    CHECK_EQ(run_child(leaves_first, 0), 0);
}

static void exec_args(uint64_t arg) {
    char *argv[] = {SELF, "--role", "args", "a", NULL};
    sys_exec(SELF, argv);
    FAIL("exec failed");
}

static void execs_among_others(uint64_t by_another) {
    start_one_of_each();
    if (!by_another)
        exec_args(0);
    task_start(&tasks[3], exec_args, 0);
    sleep_in_futex(0);
}

static void exec_ends_the_others(void) {
    int alone = run_child(exec_args, 0);
    CHECK_EQ(run_child(execs_among_others, 0), alone);
    CHECK_EQ(run_child(execs_among_others, 1), alone);
}

static void fork_for_ever(uint64_t arg) {
    (void)arg;
    for (;;) {
        int pid = must_fork();
        if (pid == 0)
            sys_exit(5);
        __atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
        CHECK_EQ(reap(pid), 5);
    }
}

static void exec_while_another_forks(uint64_t forks) {
    char *argv[] = {SELF, "--role", "reap5", NULL};
    task_start(&tasks[0], fork_for_ever, 0);
    while (__atomic_load_n(&ready, __ATOMIC_RELAXED) < forks)
        sys_yield();
    sys_exec(SELF, argv);
    FAIL("exec failed");
}

/* exec ends the thread that forks, but not the child that it has made, or is about to make. */
static void exec_spares_children(void) {
    for (uint64_t round = 0; round < 24; round++)
        CHECK_EQ(run_child(exec_while_another_forks, 1 + round % 4), 0);
}

static void fork_and_check(uint64_t arg) {
    uint64_t on_stack = 77;
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(on_stack, 77);
        CHECK_EQ(sys_thread_self(), sys_getpid());
        sys_exit(21);
    }
    on_stack = 78;
    seen[0] = (uint32_t)pid;
}

static void fork_copies_the_caller(void) {
    start_one_of_each();
    task_start(&tasks[3], fork_and_check, 0);
    task_join(&tasks[3]);
    CHECK_EQ(reap((int)seen[0]), 21);
}

static void wait_for_any(uint64_t i) {
    int status;
    seen[i] = (uint32_t)sys_wait(&status);
}

/* Each child is found by one of them, and who finds none is told so. */
static void wait_in_several(void) {
    int p[2], pid[3];
    must_pipe(p);
    for (unsigned i = 0; i < 3; i++)
        if ((pid[i] = must_fork()) == 0) {
            char c;
            read_all(p[0], &c, 1);
            sys_exit(0);
        }
    for (unsigned i = 0; i < 4; i++)
        task_start(&tasks[i], wait_for_any, i);
    write_all(p[1], "abc", 3);
    for (unsigned i = 0; i < 4; i++)
        task_join(&tasks[i]);
    uint32_t sum = 0, none = 0;
    for (unsigned i = 0; i < 4; i++) {
        none += seen[i] == UINT32_MAX;
        sum += seen[i] == UINT32_MAX ? 0 : seen[i];
    }
    CHECK_EQ(none, 1);
    CHECK_EQ(sum, pid[0] + pid[1] + pid[2]);
}

/* ---- many ---- */

#define MANY 400
static struct task many[MANY];

static void wait_for_start(uint64_t i) {
    wait_for_word(&ready, 0);
    __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
}

static void hundreds(void) {
    ready = counter = 0;
    for (unsigned i = 0; i < MANY; i++)
        task_start(&many[i], wait_for_start, i);
    struct abi_procinfo pi;
    info_of_self(&pi);
    CHECK_EQ(pi.threads, MANY + 1);
    set_word(&ready, 1);
    for (unsigned i = 0; i < MANY; i++)
        task_join(&many[i]);
    CHECK_EQ(counter, MANY);
}

static void create_and_exit(void) {
    struct task *t = &tasks[0];
    static char stack[TASK_STACK] __attribute__((aligned(16)));
    int tid = task_try(t, leave, 0, stack);
    if (tid < 0)
        return;
    sys_exit(0);
}

static void no_memory(void) { CHECK_EQ(with_growing_memory(create_and_exit, 64), 0); }

const struct test threads_tests[] = {
    {"has_its_own", has_its_own, false},
    {"share_memory", share_memory, false},
    {"have_their_floating_point", have_their_floating_point, false},
    {"see_what_another_maps", see_what_another_maps, false},
    {"readers_see_what_is_mapped", readers_see_what_is_mapped, false},
    {"exit_ends_the_others", exit_ends_the_others, false},
    {"a_fault_ends_all", a_fault_ends_all, false},
    {"kill_ends_all", kill_ends_all, false},
    {"the_last_one_ends_the_process", the_last_one_ends_the_process, false},
    {"exec_ends_the_others", exec_ends_the_others, false},
    {"exec_spares_children", exec_spares_children, false},
    {"fork_copies_the_caller", fork_copies_the_caller, false},
    {"wait_in_several", wait_in_several, false},
    {"hundreds", hundreds, false},
    {"no_memory", no_memory, false},
    {0},
};
