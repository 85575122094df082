/* Signals of threads: who is sent what, and that all of a process stop. */
#include "signals.h"
#include "../tests/threads.h"
#include <sys/mman.h>
#include <sys/wait.h>

static struct task tasks[2];
static uint32_t go, seen_by[2];

static void note_thread(int signal, siginfo_t *info, void *context) {
    seen_by[0] = (uint32_t)sys_thread_self();
    set_word(&go, 2);
}

static void wait_for_go(uint64_t unblocks) {
    uint64_t mine = 1 << (SIGUSR1 - 1);
    if (unblocks)
        CHECK_EQ(sys_sigprocmask(SIG_UNBLOCK, &mine, NULL), 0);
    set_word(&go, 1);
    while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) != 2)
        sys_futex_wait(&go, 1, UINT64_MAX);
}

/* Sent to the process, it goes to the one thread that does not block it. */
static void goes_to_a_thread(void) {
    on_signal(SIGUSR1, note_thread, 0);
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, &(uint64_t){1 << (SIGUSR1 - 1)}, NULL), 0);
    task_start(&tasks[0], wait_for_go, 0); /* blocks it, too: that is handed on */
    wait_for_word(&go, 0);
    __atomic_store_n(&go, 0, __ATOMIC_RELEASE);
    task_start(&tasks[1], wait_for_go, 1);
    wait_for_word(&go, 0);
    send_self(SIGUSR1);
    task_join(&tasks[0]);
    task_join(&tasks[1]);
    CHECK_EQ(seen_by[0], tasks[1].tid);
}

static void goes_to_this_thread(void) {
    on_signal(SIGUSR1, note_thread, 0);
    task_start(&tasks[0], wait_for_go, 0);
    wait_for_word(&go, 0);
    CHECK_EQ(sys_thread_signal(tasks[0].tid, SIGUSR1), 0);
    task_join(&tasks[0]);
    CHECK_EQ(seen_by[0], tasks[0].tid);
    CHECK_EQ(sys_thread_signal(tasks[0].tid, 0), -ESRCH);
}

static volatile uint64_t *counters;

static void count(uint64_t i) {
    for (;;)
        counters[i]++;
}

/* All of its threads stop, and go on. */
static void stops_all_threads(void) {
    counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counters != MAP_FAILED);
    int pid = must_fork(), word;
    if (pid == 0) {
        task_start(&tasks[0], count, 0);
        task_start(&tasks[1], count, 1);
        count(2);
    }
    for (int i = 0; i < 3; i++)
        WAIT_UNTIL(counters[i] > 0);
    CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
    CHECK_EQ(sys_waitpid(pid, &word, WUNTRACED), pid);
    uint64_t stopped[3] = {counters[0], counters[1], counters[2]};
    sys_sleep(1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(counters[i], stopped[i]);
    CHECK_EQ(sys_sigsend(pid, SIGCONT), 0);
    for (int i = 0; i < 3; i++)
        WAIT_UNTIL(counters[i] > stopped[i]);
    CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
    CHECK_EQ(sys_waitpid(pid, &word, WUNTRACED), pid);
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
    CHECK_EQ(munmap((void *)counters, PAGE), 0);
}

#define STOPS 60
#define AT_ONCE \
    100 /* what it counts meanwhile; to its hart's next timer interrupt, a thousand times that */

/* How many stops of a child that runs in user mode were so fast. */
static int fast_stops(int pid) {
    int fast = 0, word;
    for (int i = 0; i < STOPS; i++) {
        for (uint64_t seen = counters[0]; counters[0] == seen;) {
        }
        CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
        uint64_t sent = counters[0];
        CHECK_EQ(sys_waitpid(pid, &word, WUNTRACED), pid);
        fast += counters[0] - sent < AT_ONCE;
        CHECK_EQ(sys_sigsend(pid, SIGCONT), 0);
    }
    return fast;
}

/* What runs in user mode on another hart stops at once, and not with that hart's next timer
 * interrupt. */
static void stops_at_once(void) {
    struct abi_sysinfo si;
    must_info(&si);
    if (si.harts == 1) {
        note("one hart: nothing to see");
        return;
    }
    counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counters != MAP_FAILED);
    int pid = must_fork();
    if (pid == 0)
        count(0);
    int fast = fast_stops(pid);
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
    CHECK_EQ(munmap((void *)counters, PAGE), 0);
    CHECK_MSG(fast >= STOPS / 2, "%d of %d stops were at once", fast, STOPS);
}

#define MADE 12

static void make_threads(uint64_t arg) {
    static struct task made[MADE];
    (void)arg;
    for (uint64_t i = 0; i < MADE; i++)
        task_start(&made[i], count, i);
    count(MADE);
}

static uint64_t sum_of_counters(int n) {
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += counters[i];
    return sum;
}

/* A thread that is made while its process stops, stops too; else it runs on, and the parent is
 * never told. The first thread, which takes the signal, does not make it. */
static void stops_new_threads(void) {
    counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counters != MAP_FAILED);
    for (int i = 0; i < 20; i++) {
        uint64_t seen = sum_of_counters(MADE + 2);
        int word, pid = must_fork();
        if (pid == 0) {
            task_start(&tasks[0], make_threads, 0);
            count(MADE + 1);
        }
        while (sum_of_counters(MADE + 2) == seen)
            sys_yield();
        CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
        WAIT_UNTIL(sys_waitpid(pid, &word, WNOHANG | WUNTRACED) == pid);
        seen = sum_of_counters(MADE + 2);
        for (int turn = 0; turn < 3; turn++)
            sys_yield();
        CHECK_EQ(sum_of_counters(MADE + 2), seen);
        CHECK_EQ(sys_kill(pid), 0);
        CHECK_EQ(reap(pid), KILLED);
    }
    CHECK_EQ(munmap((void *)counters, PAGE), 0);
}

/* ---- many threads ---- */

#define MANY 200 /* more than are told at a time */

static void count_now_and_then(uint64_t i) {
    for (;;) {
        counters[i]++;
        sys_sleep(1);
    }
}

static void make_many(void) {
    static struct task many[MANY];
    for (int i = 0; i < MANY; i++)
        task_start(&many[i], count_now_and_then, (uint64_t)i);
    for (;;)
        sys_sleep(1000);
}

static void all_count(void) {
    static uint64_t seen[MANY];
    for (int i = 0; i < MANY; i++)
        seen[i] = counters[i];
    for (int i = 0; i < MANY; i++)
        WAIT_UNTIL(counters[i] > seen[i]);
}

/* All of many threads stop, go on, and end. */
static void many_stop(void) {
    counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counters != MAP_FAILED);
    int pid = must_fork(), word;
    if (pid == 0)
        make_many();
    for (int i = 0; i < MANY; i++)
        WAIT_UNTIL(counters[i] > 0);
    for (int turn = 0; turn < 3; turn++) {
        CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
        CHECK_EQ(sys_waitpid(pid, &word, WUNTRACED), pid);
        uint64_t sum = sum_of_counters(MANY);
        sys_sleep(2);
        CHECK_EQ(sum_of_counters(MANY), sum);
        CHECK_EQ(sys_sigsend(pid, SIGCONT), 0);
        all_count();
    }
    CHECK_EQ(sys_sigsend(pid, SIGTERM), 0);
    CHECK_EQ(next_word(pid, 0), SIGTERM);
    uint64_t sum = sum_of_counters(MANY);
    sys_sleep(2);
    CHECK_EQ(sum_of_counters(MANY), sum);
    CHECK_EQ(munmap((void *)counters, PAGE), 0);
}

/* ---- who takes it ---- */

static uint32_t in_handler, taken_by;

static void wait_in_handler(int signal, siginfo_t *info, void *context) {
    int start = sys_uptime();
    in_handler = 1;
    while (!__atomic_load_n(&taken_by, __ATOMIC_ACQUIRE) && sys_uptime() - start < 100)
        sys_sleep(1);
}

static void note_taker(int signal, siginfo_t *info, void *context) {
    __atomic_store_n(&taken_by, (uint32_t)sys_thread_self(), __ATOMIC_RELEASE);
}

static void take_second(uint64_t arg) {
    CHECK_EQ(sys_sigprocmask(SIG_UNBLOCK, &(uint64_t){BIT(SIGUSR2)}, NULL), 0);
    set_word(&go, 1);
    wait_for_word(&taken_by, 0);
}

/* Two signals come for a thread, and the first one's handler blocks the second: another thread that
 * does not takes it. Both are sent before the first thread runs again, if there is one hart. */
static void another_takes_it(void) {
    struct sigaction a = {.sa_sigaction = wait_in_handler, .sa_mask = BIT(SIGUSR2)};
    uint32_t none = 0;
    CHECK_EQ(sys_sigaction(SIGUSR1, &a, NULL), 0);
    on_signal(SIGUSR2, note_taker, 0);
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, &(uint64_t){BIT(SIGUSR1) | BIT(SIGUSR2)}, NULL), 0);
    task_start(&tasks[0], take_second, 0);
    wait_for_word(&go, 0);
    CHECK_EQ(sys_sigprocmask(SIG_SETMASK, &(uint64_t){0}, NULL), 0);
    int self = sys_getpid(), pid = must_fork();
    if (pid == 0) {
        WAIT_UNTIL(state_of(self) == ABI_P_SLEEPING);
        CHECK_EQ(sys_sigsend(self, SIGUSR1), 0);
        CHECK_EQ(sys_sigsend(self, SIGUSR2), 0);
        sys_exit(0);
    }
    while (!in_handler)
        sys_futex_wait(&none, 0, UINT64_MAX);
    CHECK(taken_by != 0);
    set_word(&taken_by, taken_by);
    task_join(&tasks[0]);
    CHECK_EQ(reap(pid), 0);
}

const struct test threads_of_signals_tests[] = {
    {"to_a_thread", goes_to_a_thread, false},        {"to_this_thread", goes_to_this_thread, false},
    {"stops_threads", stops_all_threads, false},     {"stops_at_once", stops_at_once, false},
    {"stops_new_threads", stops_new_threads, false}, {"many_stop", many_stop, false},
    {"another_takes_it", another_takes_it, false},   {0},
};
