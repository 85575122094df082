/* Signals: who is sent what, what handlers see, and what comes after. */
#include "signals.h"
#include <sys/mman.h>
#include <sys/time.h>

static volatile int ran, last, nested, deepest;
static volatile siginfo_t last_info;

static void note_it(int signal) {
    ran++;
    last = signal;
}

static void note_info(int signal, siginfo_t *info, void *context) {
    (void)context;
    note_it(signal);
    last_info = *info;
}

void on_signal(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    CHECK_EQ(sys_sigaction(signal, &a, NULL), 0);
}

void ignore_signal(int signal) {
    struct sigaction a = {.sa_handler = SIG_IGN};
    CHECK_EQ(sys_sigaction(signal, &a, NULL), 0);
}

/* A handler of one argument; it is called with three all the same. */
static void handle(int signal, void (*handler)(int), int flags) {
    on_signal(signal, (void (*)(int, siginfo_t *, void *))(void *)handler, flags);
}

void send_self(int signal) { CHECK_EQ(sys_sigsend(sys_getpid(), signal), 0); }

static void block(int how, uint64_t set) { CHECK_EQ(sys_sigprocmask(how, &set, NULL), 0); }

static uint64_t pending(void) {
    uint64_t set = 0;
    CHECK_EQ(sys_sigpending(&set), 0);
    return set;
}

int next_word(int pid, int options) {
    int word = -1;
    CHECK_EQ(sys_waitpid(pid, &word, options), pid);
    return word;
}

/* ---- the calls ---- */

static void errors(void) {
    struct sigaction a = {.sa_handler = note_it};
    uint64_t set = 0;
    struct itimerval t = {.it_value.tv_usec = 1000000};
    stack_t small = {.ss_sp = scratch, .ss_size = MINSIGSTKSZ - 1}, odd = {.ss_flags = 64};
    CHECK_EQ(sys_sigsend(sys_getpid(), 65), -EINVAL);
    CHECK_EQ(sys_sigsend(sys_getpid(), -1), -EINVAL);
    CHECK_EQ(sys_sigsend(sys_getpid(), 0), 0);
    CHECK_EQ(sys_sigsend(99999999, 0), -ESRCH);
    CHECK_EQ(sys_sigsend(-1, 0), 0); /* our parent, among others */
    CHECK_EQ(sys_sigsend(1, SIGKILL), -EPERM);
    CHECK_EQ(sys_sigsend(1, SIGTERM), 0); /* and it lives */
    CHECK_EQ(sys_thread_signal(1, SIGTERM), -ESRCH);
    CHECK_EQ(sys_thread_signal(sys_thread_self(), 65), -EINVAL);
    CHECK_EQ(sys_sigaction(0, NULL, NULL), -EINVAL);
    CHECK_EQ(sys_sigaction(65, NULL, NULL), -EINVAL);
    CHECK_EQ(sys_sigaction(SIGKILL, &a, NULL), -EINVAL);
    CHECK_EQ(sys_sigaction(SIGSTOP, &a, NULL), -EINVAL);
    CHECK_EQ(sys_sigaction(SIGKILL, NULL, &a), 0);
    CHECK_EQ(sys_sigprocmask(7, &set, NULL), -EINVAL);
    CHECK_EQ(sys_sigaltstack(&small, NULL), -ENOMEM);
    CHECK_EQ(sys_sigaltstack(&odd, NULL), -EINVAL);
    CHECK_EQ(sys_setitimer(3, &t, NULL), -EINVAL);
    CHECK_EQ(sys_setitimer(ITIMER_REAL, &t, NULL), -EINVAL);
    CHECK_EQ(sys_waitpid(-1, NULL, 4), -EINVAL);
    CHECK_EQ(sys_waitpid(-1, NULL, ABI_WNOHANG), -ECHILD);
    for (const uint64_t *bad = bad_addresses(); *bad; bad++) {
        CHECK_EQ(sys_sigaction(SIGUSR1, opaque(*bad), NULL), -EFAULT);
        CHECK_EQ(sys_sigaction(SIGUSR1, NULL, opaque(*bad)), -EFAULT);
        CHECK_EQ(sys_sigprocmask(SIG_BLOCK, opaque(*bad), NULL), -EFAULT);
        CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, opaque(*bad)), -EFAULT);
        CHECK_EQ(sys_sigpending(opaque(*bad)), -EFAULT);
        CHECK_EQ(sys_sigsuspend(opaque(*bad)), -EFAULT);
        CHECK_EQ(sys_sigaltstack(opaque(*bad), NULL), -EFAULT);
        CHECK_EQ(sys_sigaltstack(NULL, opaque(*bad)), -EFAULT);
        CHECK_EQ(sys_setitimer(ITIMER_REAL, opaque(*bad), NULL), -EFAULT);
        CHECK_EQ(sys_setitimer(ITIMER_REAL, NULL, opaque(*bad)), -EFAULT);
    }
}

static void handler_runs(void) {
    on_signal(SIGUSR1, note_info, 0);
    struct sigaction old;
    CHECK_EQ(sys_sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_sigaction == note_info && old.sa_flags == SA_SIGINFO);
    send_self(SIGUSR1);
    CHECK_EQ(ran, 1);
    CHECK(last == SIGUSR1 && last_info.si_signo == SIGUSR1 && last_info.si_code == SI_USER);
    CHECK_EQ(last_info.si_pid, sys_getpid());
    CHECK_EQ(sys_thread_signal(sys_thread_self(), SIGUSR1), 0);
    CHECK(ran == 2 && last_info.si_code == SI_TKILL);
    ignore_signal(SIGUSR1);
    send_self(SIGUSR1);
    send_self(SIGCHLD); /* that it is by default */
    CHECK_EQ(ran, 2);
}

/* ---- registers ---- */

/* Fills all registers that it may, makes the call, and says how many have changed. */
long registers_over_a_call(long number, long a, long b);
__asm__(".pushsection .text\n"
        "registers_over_a_call:\n"
        "  addi sp, sp, -512\n"
        "  sd ra, 0(sp)\n  sd gp, 8(sp)\n  sd tp, 16(sp)\n"
        "  sd s0, 24(sp)\n  sd s1, 32(sp)\n  sd s2, 40(sp)\n  sd s3, 48(sp)\n"
        "  sd s4, 56(sp)\n  sd s5, 64(sp)\n  sd s6, 72(sp)\n  sd s7, 80(sp)\n"
        "  sd s8, 88(sp)\n  sd s9, 96(sp)\n  sd s10, 104(sp)\n  sd s11, 112(sp)\n"
        "  mv a7, a0\n  mv a0, a1\n  mv a1, a2\n"
        "  .irp r, ra, gp, tp, t0, t1, t2, s0, s1, a2, a3, a4, a5, a6\n"
        "  li \\r, 1000\n  .endr\n"
        "  .irp r, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6\n"
        "  li \\r, 1000\n  .endr\n"
        "  ecall\n"
        "  mv a0, zero\n  li a1, 1000\n"
        "  .irp r, ra, gp, tp, t0, t1, t2, s0, s1, a2, a3, a4, a5, a6\n"
        "  beq \\r, a1, 1f\n  addi a0, a0, 1\n1:\n  .endr\n"
        "  .irp r, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6\n"
        "  beq \\r, a1, 1f\n  addi a0, a0, 1\n1:\n  .endr\n"
        "  ld ra, 0(sp)\n  ld gp, 8(sp)\n  ld tp, 16(sp)\n"
        "  ld s0, 24(sp)\n  ld s1, 32(sp)\n  ld s2, 40(sp)\n  ld s3, 48(sp)\n"
        "  ld s4, 56(sp)\n  ld s5, 64(sp)\n  ld s6, 72(sp)\n  ld s7, 80(sp)\n"
        "  ld s8, 88(sp)\n  ld s9, 96(sp)\n  ld s10, 104(sp)\n  ld s11, 112(sp)\n"
        "  addi sp, sp, 512\n"
        "  ret\n"
        ".popsection\n");

/* A handler that changes all registers, those of floating point too. */
static void spoil(int signal) {
    note_it(signal);
    __asm__ volatile(".irp r, t0, t1, t2, s0, s1, a1, a2, a3, a4, a5, a6, a7\n"
                     "li \\r, -1\n.endr\n"
                     ".irp r, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6\n"
                     "li \\r, -1\n.endr\n"
                     ".irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16\n"
                     "fmv.d.x f\\r, t0\n.endr\n"
                     ".irp r, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
                     "fmv.d.x f\\r, t0\n.endr\n"
                     "fscsr t0\n" ::
                         : "memory", "t0", "t1", "t2", "s1", "a1", "a2", "a3", "a4", "a5", "a6",
                           "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3",
                           "t4", "t5", "t6");
}

/* And then another process runs, so the kernel stores what is in them. */
static void spoil_and_sleep(int signal) {
    spoil(signal);
    sys_sleep(1);
}

static void registers(void) {
    handle(SIGUSR1, spoil, 0);
    CHECK_EQ(registers_over_a_call(SYS_sigsend, sys_getpid(), SIGUSR1), 0);
    CHECK_EQ(ran, 1);
}

#define FLOATS_ARE(v) \
    ({ \
        uint64_t one, other, control; \
        __asm__ volatile("fmv.x.d %0, f31\n\tfmv.x.d %1, f0\n\tfrcsr %2" \
                         : "=r"(one), "=r"(other), "=r"(control)); \
        one == (v) && other == (v) && control == 0; \
    })

static void floating_point(void) {
    handle(SIGUSR1, spoil, 0);
    send_self(SIGUSR1);
    CHECK(FLOATS_ARE(0)); /* nothing but the handler had used it */
    __asm__ volatile("fmv.d.x f31, %0\n\tfmv.d.x f0, %0" ::"r"(77));
    send_self(SIGUSR1);
    CHECK(FLOATS_ARE(77));
    handle(SIGUSR1, spoil_and_sleep, 0);
    send_self(SIGUSR1);
    CHECK(FLOATS_ARE(77));
    CHECK_EQ(ran, 3);
}

static void moves_on(int signal, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    note_info(signal, info, context);
    u->pc += 4;
    u->x[10 - 1] = 55; /* a0 */
}

/* pc points to the instruction, and the handler can choose another. */
static void faulting_instruction(void) {
    on_signal(SIGILL, moves_on, 0);
    on_signal(SIGTRAP, moves_on, 0);
    register uint64_t a0 __asm__("a0") = 1;
    uint64_t at;
    __asm__ volatile("la %1, 1f\n1: .word 0x0000007b" : "+r"(a0), "=&r"(at));
    CHECK_EQ(a0, 55);
    CHECK(last == SIGILL && (uint64_t)last_info.si_addr == at && last_info.si_code == ILL_ILLOPC);
    __asm__ volatile(".option push\n.option norvc\nla %1, 1f\n1: ebreak\n.option pop"
                     : "+r"(a0), "=&r"(at));
    CHECK(last == SIGTRAP && (uint64_t)last_info.si_addr == at);
}

static void write_return_page(uint64_t arg) {
    (void)arg;
    *(volatile char *)last_info.si_addr = 1;
}

static void note_return(int signal, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    note_it(signal);
    last_info.si_addr = __builtin_return_address(0);
}

static void return_page_is_read_only(void) {
    on_signal(SIGUSR1, note_return, 0);
    send_self(SIGUSR1);
    char *page = last_info.si_addr;
    CHECK(page && (uint64_t)page % PAGE == 0 && (uint64_t)page < USER_LIMIT);
    CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), -1);
    CHECK_EQ(errno, EACCES);
    CHECK_EQ(run_child(write_return_page, 0), KILLED);
}

/* ---- masks ---- */

static void note_nested(int signal) {
    nested++;
    if (ran++ == 0) {
        send_self(signal);
        send_self(SIGUSR2);
    }
    deepest = deepest > nested ? deepest : nested;
    nested--;
}

static void masked(void) {
    struct sigaction a = {.sa_handler = note_nested, .sa_mask = BIT(SIGUSR2)};
    handle(SIGUSR2, note_nested, 0);
    CHECK_EQ(sys_sigaction(SIGUSR1, &a, NULL), 0);
    send_self(SIGUSR1);
    CHECK(ran == 3 && deepest == 1);
    ran = deepest = 0;
    handle(SIGUSR1, note_nested, SA_NODEFER);
    send_self(SIGUSR1);
    CHECK(ran == 3 && deepest == 2);
    uint64_t mask = 1;
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(mask, 0);
}

static uint64_t mask_now(void) {
    uint64_t mask = 0;
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    return mask;
}

static volatile uint64_t mask_there, mask_kept;

static void note_mask(int signal, siginfo_t *info, void *context) {
    note_info(signal, info, context);
    mask_there = mask_now();
    mask_kept = ((ucontext_t *)context)->mask;
}

/* In a handler: what there was, what its action says, and itself; SIGKILL and SIGSTOP never. */
static void mask_in_a_handler(void) {
    struct sigaction a = {.sa_sigaction = note_mask, .sa_mask = ~BIT(SIGCHLD)}, old;
    block(SIG_SETMASK, BIT(SIGTERM));
    CHECK_EQ(sys_sigaction(SIGUSR1, &a, &old), 0);
    CHECK(old.sa_handler == SIG_DFL);
    CHECK_EQ(sys_sigaction(SIGUSR1, NULL, &old), 0);
    CHECK_EQ(old.sa_mask, ~(BIT(SIGCHLD) | BIT(SIGKILL) | BIT(SIGSTOP)));
    send_self(SIGUSR1);
    CHECK_EQ(mask_there, old.sa_mask);
    a.sa_mask = BIT(SIGUSR2);
    CHECK_EQ(sys_sigaction(SIGUSR1, &a, NULL), 0);
    send_self(SIGUSR1);
    CHECK_EQ(mask_there, BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGTERM));
    CHECK_EQ(mask_kept, BIT(SIGTERM));
    a.sa_flags = SA_NODEFER;
    CHECK_EQ(sys_sigaction(SIGUSR1, &a, NULL), 0);
    send_self(SIGUSR1);
    CHECK_EQ(mask_there, BIT(SIGUSR2) | BIT(SIGTERM));
    CHECK_EQ(mask_now(), BIT(SIGTERM));
    CHECK_EQ(ran, 3);
}

static void unmask(int signal, siginfo_t *info, void *context) {
    note_info(signal, info, context);
    ((ucontext_t *)context)->mask = ~(uint64_t)0;
}

/* Nor by way of what a handler goes back to. */
static void returns_to_another_mask(void) {
    on_signal(SIGUSR1, unmask, 0);
    send_self(SIGUSR1);
    CHECK_EQ(mask_now(), ~(BIT(SIGKILL) | BIT(SIGSTOP)));
    int pid = must_fork();
    if (pid == 0)
        for (;;)
            sys_yield();
    CHECK_EQ(sys_sigsend(pid, SIGKILL), 0);
    CHECK_EQ(next_word(pid, 0), SIGKILL);
}

/* One of each number for the process, which keeps who has sent it first, and one for each thread.
 */
static void one_of_each(void) {
    on_signal(SIGUSR1, note_info, 0);
    block(SIG_BLOCK, BIT(SIGUSR1));
    send_self(SIGUSR1);
    int self = sys_getpid(), pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(sys_sigsend(self, SIGUSR1), 0);
        sys_exit(0);
    }
    CHECK_EQ(next_word(pid, 0), 0);
    block(SIG_UNBLOCK, BIT(SIGUSR1));
    CHECK_EQ(ran, 1);
    CHECK_EQ(last_info.si_pid, self);
    block(SIG_BLOCK, BIT(SIGUSR1));
    send_self(SIGUSR1);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(sys_thread_signal(sys_thread_self(), SIGUSR1), 0);
    CHECK_EQ(pending(), BIT(SIGUSR1));
    block(SIG_UNBLOCK, BIT(SIGUSR1));
    CHECK_EQ(ran, 3);
    CHECK_EQ(pending(), 0);
}

static void ignored_is_forgotten(void) {
    block(SIG_BLOCK, BIT(SIGUSR1));
    send_self(SIGUSR1);
    CHECK_EQ(sys_thread_signal(sys_thread_self(), SIGUSR1), 0);
    CHECK_EQ(pending(), BIT(SIGUSR1));
    ignore_signal(SIGUSR1);
    CHECK_EQ(pending(), 0);
    handle(SIGUSR1, note_it, 0);
    block(SIG_UNBLOCK, BIT(SIGUSR1));
    CHECK_EQ(ran, 0);
}

/* A stop that waits and a continuation undo each other. */
static void stop_and_continuation(void) {
    handle(SIGCONT, note_it, 0);
    block(SIG_BLOCK, BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGCONT));
    send_self(SIGTSTP);
    CHECK_EQ(sys_thread_signal(sys_thread_self(), SIGTTIN), 0);
    CHECK_EQ(pending(), BIT(SIGTSTP) | BIT(SIGTTIN));
    send_self(SIGCONT);
    CHECK_EQ(pending(), BIT(SIGCONT));
    send_self(SIGTSTP);
    CHECK_EQ(pending(), BIT(SIGTSTP));
    send_self(SIGCONT);
    block(SIG_SETMASK, 0);
    CHECK_EQ(ran, 1);
}

static void blocked_is_pending(void) {
    on_signal(SIGUSR1, note_info, SA_RESETHAND);
    block(SIG_BLOCK, BIT(SIGUSR1) | BIT(SIGTERM) | BIT(SIGKILL) | BIT(SIGSTOP));
    uint64_t mask;
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(mask, BIT(SIGUSR1) | BIT(SIGTERM));
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(pending(), 0);
        CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, &mask), 0);
        CHECK_EQ(mask, BIT(SIGUSR1) | BIT(SIGTERM));
        sys_sigsend(sys_getpid(), SIGTERM);
        CHECK_EQ(pending(), BIT(SIGTERM));
        block(SIG_UNBLOCK, BIT(SIGTERM));
        FAIL("a program that said nothing of SIGTERM has survived it");
    }
    CHECK_EQ(next_word(pid, 0), SIGTERM);
    send_self(SIGUSR1);
    send_self(SIGUSR1);
    CHECK_EQ(ran, 0);
    CHECK_EQ(pending(), BIT(SIGUSR1));
    block(SIG_SETMASK, 0);
    CHECK_EQ(ran, 1);
    CHECK_EQ(last_info.si_pid, sys_getpid());
    struct sigaction old;
    CHECK_EQ(sys_sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_handler == SIG_DFL);
}

static void suspend(void) {
    handle(SIGUSR1, note_it, 0);
    block(SIG_BLOCK, BIT(SIGUSR1));
    int self = sys_getpid();
    for (int i = 0; i < 20; i++) {
        int pid = must_fork();
        if (pid == 0) {
            sys_sigsend(self, SIGUSR1);
            sys_exit(0);
        }
        uint64_t none = 0;
        CHECK_EQ(sys_sigsuspend(&none), -EINTR);
        CHECK_EQ(ran, i + 1);
        uint64_t mask;
        CHECK_EQ(sys_sigprocmask(SIG_BLOCK, NULL, &mask), 0);
        CHECK_EQ(mask, BIT(SIGUSR1));
        CHECK_EQ(reap(pid), 0);
    }
}

const struct test handlers_tests[] = {
    {"errors", errors, false},
    {"handler_runs", handler_runs, false},
    {"registers", registers, false},
    {"floating_point", floating_point, false},
    {"faulting_instruction", faulting_instruction, false},
    {"return_page", return_page_is_read_only, false},
    {"masked", masked, false},
    {"mask_in_a_handler", mask_in_a_handler, false},
    {"another_mask", returns_to_another_mask, false},
    {"one_of_each", one_of_each, false},
    {"ignored", ignored_is_forgotten, false},
    {"stop_and_continuation", stop_and_continuation, false},
    {"pending", blocked_is_pending, false},
    {"suspend", suspend, false},
    {0},
};
