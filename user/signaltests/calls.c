/* Signals and calls that wait, timers, stopping, and what a process hands on. */
#include "signals.h"
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile int ran;
static volatile siginfo_t told;

static void note_it(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    told = *info;
    ran++;
}

static void handle(int signal, int flags) { on_signal(signal, note_it, flags); }

/* Sends it to the parent when that sleeps, and does `then` after. */
static int sender(int signal, void (*then)(void)) {
    int parent = sys_getpid(), pid = must_fork();
    if (pid != 0)
        return pid;
    WAIT_UNTIL(state_of(parent) == ABI_P_SLEEPING);
    CHECK_EQ(sys_sigsend(parent, signal), 0);
    if (then)
        then();
    sys_exit(0);
}

/* ---- calls that wait ---- */

static int ends[2];

static void write_later(void) {
    sys_sleep(1);
    write_all(ends[1], "x", 1);
}

static void read_is_interrupted(void) {
    char c = 0;
    must_pipe(ends);
    handle(SIGUSR1, 0);
    int pid = sender(SIGUSR1, NULL);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_read), ARG(ends[0]), ARG(&c), 1), -EINTR);
    CHECK_EQ(ran, 1);
    CHECK_EQ(reap(pid), 0);
    pid = sender(SIGUSR1, NULL);
    CHECK_EQ(sys_read(ends[0], &c, 1), -1); /* as one of xv6's sees it */
    CHECK_EQ(reap(pid), 0);
    handle(SIGUSR1, SA_RESTART);
    pid = sender(SIGUSR1, write_later);
    CHECK_EQ(sys_read(ends[0], &c, 1), 1);
    CHECK(c == 'x' && ran == 3);
    CHECK_EQ(reap(pid), 0);
}

static void some_was_written(void) {
    must_pipe(ends);
    handle(SIGUSR1, SA_RESTART);
    CHECK_EQ(sys_write(ends[1], scratch, SCRATCH_SIZE), SCRATCH_SIZE);
    CHECK_EQ(sys_read(ends[0], scratch, 100), 100); /* room for some of the next one */
    int pid = sender(SIGUSR1, NULL);
    CHECK_EQ(sys_write(ends[1], scratch, SCRATCH_SIZE), 100);
    CHECK_EQ(ran, 1);
    CHECK_EQ(reap(pid), 0);
}

static uint32_t word;

static void wake_later(void) { sys_sleep(2); }

static void others_are_interrupted(void) {
    int status;
    handle(SIGUSR1, 0);
    int pid = sender(SIGUSR1, wake_later);
    CHECK_EQ(sys_futex_wait(&word, 0, UINT64_MAX), -EINTR);
    CHECK_EQ(ran, 1);
    CHECK_EQ(reap(pid), 0);
    pid = sender(SIGUSR1, wake_later);
    CHECK_EQ(sys_waitpid(pid, &status, 0), -EINTR);
    CHECK_EQ(reap(pid), 0);
    handle(SIGUSR1, SA_RESTART);
    pid = sender(SIGUSR1, wake_later);
    CHECK_EQ(next_word(pid, 0), 0); /* the signal came while it waited */
    CHECK_EQ(ran, 3);
    pid = sender(SIGUSR1, NULL);
    CHECK_EQ(sys_sleep(100), -1); /* never restarted: for how long is not known */
    CHECK_EQ(ran, 4);
    CHECK_EQ(reap(pid), 0);
}

/* Nothing that a program handles: it sleeps as long as it wanted, and not as long again. */
static void stopped_sleep_goes_on(void) {
    int sleeper = must_fork();
    if (sleeper == 0) {
        int start = sys_uptime();
        CHECK_EQ(sys_sleep(10), 0);
        int slept = sys_uptime() - start;
        CHECK_MSG(slept >= 10 && slept < 17, "slept for %d ticks", slept);
        sys_exit(0);
    }
    WAIT_UNTIL(state_of(sleeper) == ABI_P_SLEEPING);
    sys_sleep(4);
    CHECK_EQ(sys_sigsend(sleeper, SIGSTOP), 0);
    CHECK_EQ(next_word(sleeper, WUNTRACED), SIGSTOP << 8 | 0x7f);
    sys_sleep(3);
    CHECK_EQ(sys_sigsend(sleeper, SIGCONT), 0);
    CHECK_EQ(next_word(sleeper, 0), 0);
}

static void broken_pipe(void) {
    must_pipe(ends);
    must_close(ends[0]);
    CHECK_EQ(sys_write(ends[1], "x", 1), -1); /* and it goes on */
    handle(SIGPIPE, 0);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_write), ARG(ends[1]), ARG("x"), 1), -EPIPE);
    CHECK_EQ(ran, 1);
}

/* ---- children and timers ---- */

static void tells_of_children(void) {
    handle(SIGCHLD, SA_RESTART);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(5);
    WAIT_UNTIL(ran == 1);
    CHECK(told.si_pid == pid && told.si_code == CLD_EXITED && told.si_status == 5);
    CHECK_EQ(next_word(pid, 0) >> 8, 5);
}

static void tells_of_stops(void) {
    handle(SIGCHLD, SA_RESTART);
    int pid = must_fork();
    if (pid == 0)
        for (;;)
            ;
    CHECK_EQ(sys_waitpid(pid, NULL, WNOHANG | WUNTRACED | WCONTINUED), 0);
    CHECK_EQ(sys_sigsend(pid, SIGTSTP), 0);
    CHECK_EQ(next_word(pid, WUNTRACED), SIGTSTP << 8 | 0x7f);
    CHECK(ran == 1 && told.si_code == CLD_STOPPED && told.si_status == SIGTSTP);
    CHECK_EQ(state_of(pid), ABI_P_STOPPED);
    CHECK_EQ(sys_waitpid(pid, NULL, WNOHANG | WUNTRACED), 0); /* once */
    CHECK_EQ(sys_sigsend(pid, SIGCONT), 0);
    CHECK_EQ(next_word(pid, WCONTINUED), 0xffff);
    CHECK(ran == 2 && told.si_code == CLD_CONTINUED);
    handle(SIGCHLD, SA_RESTART | SA_NOCLDSTOP);
    CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
    CHECK_EQ(next_word(pid, WUNTRACED), SIGSTOP << 8 | 0x7f);
    CHECK_EQ(ran, 2);
    CHECK_EQ(sys_sigsend(pid, SIGKILL), 0); /* as it is */
    CHECK_EQ(next_word(pid, 0), SIGKILL);
    CHECK(ran == 3 && told.si_code == CLD_KILLED && told.si_status == SIGKILL);
}

static void nobody_waits(void) {
    ignore_signal(SIGCHLD);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(5);
    CHECK_EQ(sys_waitpid(-1, NULL, 0), -ECHILD);
    WAIT_UNTIL(state_of(pid) == 0);
    handle(SIGCHLD, SA_NOCLDWAIT | SA_RESTART);
    pid = must_fork();
    if (pid == 0)
        sys_exit(5);
    CHECK_EQ(sys_waitpid(-1, NULL, 0), -ECHILD);
    CHECK_EQ(ran, 1);
    WAIT_UNTIL(state_of(pid) == 0);
}

static void wait_words(void) {
    int pid = must_fork();
    if (pid == 0) {
        sys_sigsend(sys_getpid(), SIGTERM);
        FAIL("SIGTERM ended nobody");
    }
    CHECK_EQ(reap(pid), KILLED); /* for xv6's wait, whatever it was */
    pid = must_fork();
    if (pid == 0)
        *(volatile int *)opaque(USER_LIMIT - PAGE) = 1;
    CHECK_EQ(next_word(pid, 0), SIGSEGV);
    pid = must_fork();
    if (pid == 0)
        sys_exit(-1);
    CHECK_EQ(next_word(pid, 0), 0xff << 8);
    int first = must_fork();
    if (first == 0) {
        CHECK_EQ(sys_setpgid(0, 0), 0);
        sys_sleep(1);
        sys_exit(1);
    }
    int second = must_fork();
    if (second == 0)
        sys_exit(2);
    CHECK_EQ(next_word(first, 0), 1 << 8); /* the other one has ended before */
    CHECK_EQ(sys_waitpid(-first, NULL, 0), -ECHILD);
    CHECK_EQ(sys_waitpid(0, NULL, 0), second);
}

static int parent_of(int pid) {
    struct abi_procinfo info;
    for (int slot = 0, r; (r = sys_procinfo(slot, &info)) >= 0; slot++)
        if (r == 1 && info.pid == pid)
            return info.parent;
    FAIL("no process %d", pid);
}

/* The session never stops, and pid 1 ends by nothing. */
static void session_is_spared(void) {
    int shell = sys_getpid();
    while (parent_of(shell) != 1)
        shell = parent_of(shell);
    for (int i = 0; i < 4; i++) {
        const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
        CHECK_EQ(sys_sigsend(shell, stops[i]), 0);
        CHECK_EQ(sys_sigsend(1, stops[i]), 0);
    }
    CHECK_EQ(sys_sigsend(1, SIGTERM), 0);
    sys_sleep(1);
    CHECK(state_of(shell) != ABI_P_STOPPED && state_of(1) != ABI_P_STOPPED);
}

/* SIGCONT continues, whatever is said of it. */
static void always_continues(void) {
    int pid = must_fork();
    if (pid == 0) {
        ignore_signal(SIGCONT);
        CHECK_EQ(sys_sigprocmask(SIG_BLOCK, &(uint64_t){~(uint64_t)0}, NULL), 0);
        sys_sigsend(sys_getpid(), SIGSTOP);
        sys_exit(3);
    }
    CHECK_EQ(next_word(pid, WUNTRACED), SIGSTOP << 8 | 0x7f);
    CHECK_EQ(sys_sigsend(pid, SIGCONT), 0);
    CHECK_EQ(next_word(pid, 0), 3 << 8);
}

static void timer(void) {
    struct itimerval often = {{0, 20000}, {0, 20000}}, none = {{0, 0}, {0, 0}}, old;
    handle(SIGALRM, SA_RESTART);
    CHECK_EQ(sys_setitimer(ITIMER_REAL, &often, NULL), 0);
    while (ran < 5)
        CHECK_EQ(sys_sigsuspend(&(uint64_t){0}), -EINTR);
    CHECK(told.si_code == SI_KERNEL && told.si_signo == SIGALRM);
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(sys_setitimer(ITIMER_REAL, NULL, &old), 0);
        CHECK(old.it_value.tv_usec == 0 && old.it_interval.tv_usec == 0);
        sys_exit(0);
    }
    CHECK_EQ(next_word(pid, 0), 0);
    CHECK_EQ(sys_setitimer(ITIMER_REAL, &none, &old), 0);
    CHECK(old.it_interval.tv_usec == 20000 && old.it_value.tv_usec <= 20000);
    int rang = ran;
    sys_sleep(2);
    CHECK_EQ(ran, rang);
    often.it_value.tv_sec = 1000000000000;
    CHECK_EQ(sys_setitimer(ITIMER_REAL, &often, &old), 0); /* ends with the process */
}

/* One that rings as soon as it has rung leaves others their time, on the same hart, too. */
static void timer_leaves_time(void) {
    int pid = must_fork();
    if (pid == 0) {
        struct itimerval always = {{0, 1}, {0, 1}};
        handle(SIGALRM, 0);
        CHECK_EQ(sys_setitimer(ITIMER_REAL, &always, NULL), 0);
        for (;;)
            ;
    }
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sys_sleep(1), 0);
    CHECK_EQ(sys_sigsend(pid, SIGKILL), 0);
    CHECK_EQ(next_word(pid, 0), SIGKILL);
}

/* ---- what goes on ---- */

#define HANDED_ON (BIT(SIGTERM) | BIT(SIGHUP)) /* blocked, and waits */

static void exec_resets_handlers(void) {
    handle(SIGUSR1, 0);
    ignore_signal(SIGUSR2);
    int pid = must_fork();
    if (pid == 0) {
        send_self(SIGUSR1);
        CHECK_EQ(ran, 1); /* fork keeps both */
        stack_t stack = {.ss_sp = scratch, .ss_size = SIGSTKSZ};
        CHECK_EQ(sys_sigaltstack(&stack, NULL), 0);
        CHECK_EQ(sys_sigprocmask(SIG_BLOCK, &(uint64_t){HANDED_ON}, NULL), 0);
        send_self(SIGTERM);
        CHECK_EQ(sys_thread_signal(sys_thread_self(), SIGHUP), 0);
        char *argv[] = {"signaltests", "--role", "signals", NULL};
        sys_exec("/tests/signaltests", argv);
        FAIL("exec failed");
    }
    CHECK_EQ(next_word(pid, 0), SIGUSR1);
}

int role_signals(int argc, char **argv) {
    struct sigaction a;
    uint64_t set = 0;
    stack_t stack;
    (void)argc;
    (void)argv;
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, &set), 0);
    CHECK_EQ(set, HANDED_ON);
    CHECK_EQ(sys_sigpending(&set), 0);
    CHECK_EQ(set, HANDED_ON);
    CHECK_EQ(sys_sigaltstack(NULL, &stack), 0);
    CHECK_EQ(stack.ss_flags, SS_DISABLE);
    handle(SIGURG, 0); /* and the page that it returns to is a new one */
    send_self(SIGURG);
    CHECK_EQ(ran, 1);
    CHECK_EQ(sys_sigaction(SIGUSR2, NULL, &a), 0);
    CHECK(a.sa_handler == SIG_IGN);
    send_self(SIGUSR2);
    CHECK_EQ(sys_sigaction(SIGUSR1, NULL, &a), 0);
    CHECK(a.sa_handler == SIG_DFL);
    sys_sigsend(sys_getpid(), SIGUSR1);
    FAIL("SIGUSR1 ended nobody");
}

const struct test calls_tests[] = {
    {"read", read_is_interrupted, false},
    {"write", some_was_written, false},
    {"waits", others_are_interrupted, false},
    {"stopped_sleep", stopped_sleep_goes_on, false},
    {"pipe", broken_pipe, false},
    {"child", tells_of_children, false},
    {"stop", tells_of_stops, false},
    {"nobody_waits", nobody_waits, false},
    {"wait_words", wait_words, false},
    {"session", session_is_spared, false},
    {"continues", always_continues, false},
    {"timer", timer, false},
    {"timer_leaves_time", timer_leaves_time, false},
    {"exec", exec_resets_handlers, false},
    {0},
};
