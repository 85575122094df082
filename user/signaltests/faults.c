/* Faults that a program handles, alternate stacks, and signals of threads. */
#include "signals.h"
#include "../tests/threads.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile int ran;
static volatile siginfo_t told;
static volatile char *area;

static void map_area(unsigned pages, int prot) {
    area = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
}

/* ---- a pager of the program's own ---- */

static void page_in(int signal, siginfo_t *info, void *context) {
    char *page = (char *)((uint64_t)info->si_addr & ~(uint64_t)(PAGE - 1));
    (void)context;
    told = *info;
    CHECK_EQ(signal, SIGSEGV);
    CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    if (page[8] == 0)
        page[8] = (char)(ran + 1);
    ran++;
}

static void pager(void) {
    map_area(16, PROT_NONE);
    on_signal(SIGSEGV, page_in, 0);
    for (int i = 0; i < 16; i++) {
        volatile char *byte = area + i * PAGE + 8;
        CHECK_EQ(*byte, i + 1);
        CHECK(told.si_addr == byte && told.si_code == SEGV_ACCERR);
    }
    CHECK_EQ(ran, 16);
    CHECK_EQ(mprotect((char *)area, 16 * PAGE, PROT_READ), 0);
    area[3 * PAGE + 5] = 1; /* what was there is there */
    CHECK(ran == 17 && area[3 * PAGE + 8] == 4 && told.si_addr == area + 3 * PAGE + 5);
    CHECK_EQ(munmap((char *)area, 16 * PAGE), 0);
}

/* The kernel's own copies meet such a page: an error, and no signal. */
static void kernel_copies_are_errors(void) {
    int p[2];
    must_pipe(p);
    map_area(1, PROT_NONE);
    on_signal(SIGSEGV, page_in, 0);
    CHECK_EQ(sys_write(p[1], (char *)area, 1), -1);
    write_all(p[1], "x", 1);
    CHECK_EQ(sys_read(p[0], (char *)area, 1), -1);
    CHECK_EQ(sys_sigpending((uint64_t *)area), -EFAULT);
    CHECK_EQ(ran, 0);
    area[0] = 1;
    CHECK_EQ(ran, 1);
}

static void jump_over(int signal, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    told = *info;
    ran++;
    (void)signal;
    u->pc = u->x[6 - 1]; /* t1 */
}

/* A load that may fault; then it goes on behind it. */
static void touch(const volatile void *at) {
    __asm__ volatile("la t1, 1f\n\tlb zero, (%0)\n1:" ::"r"(at) : "t1", "memory");
}

static void kinds_of_fault(void) {
    on_signal(SIGSEGV, jump_over, 0);
    on_signal(SIGBUS, jump_over, 0);
    map_area(1, PROT_READ);
    CHECK_EQ(munmap((char *)area, PAGE), 0);
    touch(area);
    CHECK(ran == 1 && told.si_signo == SIGSEGV && told.si_code == SEGV_MAPERR);
    touch(opaque(TRAPFRAME_VA));
    CHECK(ran == 2 && told.si_code == SEGV_MAPERR && (uint64_t)told.si_addr == TRAPFRAME_VA);
    touch(opaque(DIRECT_MAP));
    CHECK(ran == 3 && (uint64_t)told.si_addr == DIRECT_MAP);
    make_file("f", 100, 1);
    int fd = must_open("f", ABI_O_RDONLY);
    char *file = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(file != MAP_FAILED);
    touch(file + 50);
    CHECK_EQ(ran, 3);
    touch(file + PAGE);
    CHECK(ran == 4 && told.si_signo == SIGBUS && told.si_code == BUS_ADRERR);
    CHECK(told.si_addr == file + PAGE);
    CHECK_EQ(munmap(file, 2 * PAGE), 0);
    must_close(fd);
}

/* One that it cannot take now ends the program, as if it had said nothing. */
static void fault_while_blocked(uint64_t arg) {
    on_signal(SIGSEGV, jump_over, 0);
    CHECK_EQ(sys_sigprocmask(SIG_BLOCK, &(uint64_t){1 << (SIGSEGV - 1)}, NULL), 0);
    touch(opaque(arg));
    FAIL("a blocked fault was passed over");
}

static void faults_in_the_handler(int signal, siginfo_t *info, void *context) {
    touch(info->si_addr);
}

static void fault_in_its_handler(uint64_t arg) {
    on_signal(SIGSEGV, faults_in_the_handler, 0);
    touch(opaque(arg));
}

static void faults_that_end(void) {
    CHECK_EQ(run_child(fault_while_blocked, TRAPFRAME_VA), KILLED);
    CHECK_EQ(run_child(fault_in_its_handler, TRAPFRAME_VA), KILLED);
}

/* ---- stacks ---- */

static char other_stack[4 * PAGE];
static stack_t before;

static void on_other_stack(int signal, siginfo_t *info, void *context) {
    char here;
    CHECK((uint64_t)&here - (uint64_t)other_stack < sizeof(other_stack));
    CHECK_EQ(sys_sigaltstack(NULL, &before), 0);
    CHECK_EQ(before.ss_flags, SS_ONSTACK);
    CHECK_EQ(sys_sigaltstack(&before, NULL), -EINVAL);
    before.ss_flags = SS_DISABLE;
    CHECK_EQ(sys_sigaltstack(&before, NULL), -EPERM);
    jump_over(signal, info, context);
    if (ran == 1) { /* a second one goes on below the first */
        on_signal(SIGUSR1, on_other_stack, SA_ONSTACK);
        uint64_t pc = ((ucontext_t *)context)->pc;
        __asm__ volatile(
            "la t1, 1f\n\tli a7, %0\n\tmv a0, %1\n\tli a1, %2\n\tecall\n1:" ::"i"(SYS_sigsend),
            "r"((long)sys_getpid()), "i"(SIGUSR1)
            : "a0", "a1", "a7", "t1", "memory");
        CHECK(ran == 2 && ((ucontext_t *)context)->pc == pc);
    }
}

static void overflow(uint64_t with_stack) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
    if (with_stack)
        CHECK_EQ(sys_sigaltstack(&stack, NULL), 0);
    on_signal(SIGSEGV, on_other_stack, SA_ONSTACK);
    uint64_t below = stack_page() - 64;
    __asm__ volatile(
        "mv s2, sp\n\tmv sp, %0\n\tla t1, 1f\n\tsd zero, (sp)\n1:\tmv sp, s2" ::"r"(below)
        : "t1", "s2", "memory");
    CHECK_EQ(ran, 2);
    CHECK_EQ(sys_sigaltstack(NULL, &stack), 0);
    CHECK_EQ(stack.ss_flags, 0);
}

static void alternate_stack(void) {
    CHECK_EQ(run_child(overflow, 1), 0);
    CHECK_EQ(run_child(overflow, 0), KILLED); /* there is no room for the handler's frame */
}

static void return_from_nowhere(uint64_t sp) {
    __asm__ volatile("mv sp, %0\n\tli a7, %1\n\tecall" ::"r"(sp), "i"(SYS_sigreturn) : "a7");
}

static void bad_frames(void) {
    for (const uint64_t *bad = bad_addresses(); *bad; bad++)
        CHECK_EQ(run_child(return_from_nowhere, *bad), KILLED);
    memset(scratch, 0xff, sizeof(scratch));
    CHECK_EQ(run_child(return_from_nowhere, (uint64_t)scratch), KILLED); /* to pc -1 */
    CHECK_EQ(run_child(return_from_nowhere, (uint64_t)scratch + 1), KILLED);
}

/* ---- threads ---- */

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

static void end_at_once(uint64_t i) { counters[8 + i % 64]++; }

/* Makes threads, one after the other, which count. */
static void make_threads(uint64_t arg) {
    static struct task made;
    for (uint64_t i = 0;; i++) {
        task_start(&made, end_at_once, i);
        task_join(&made);
    }
}

static uint64_t sum_of_counters(void) {
    uint64_t sum = 0;
    for (int i = 0; i < 72; i++)
        sum += counters[i];
    return sum;
}

/* A thread that is made while its process stops, stops too; else the parent is never told, or
 * something still runs. */
static void stops_new_threads(void) {
    counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counters != MAP_FAILED);
    int pid = must_fork(), word;
    if (pid == 0)
        make_threads(0);
    for (int i = 0; i < 200; i++) {
        uint64_t seen = sum_of_counters();
        while (sum_of_counters() == seen)
            sys_yield();
        CHECK_EQ(sys_sigsend(pid, SIGSTOP), 0);
        CHECK_EQ(sys_waitpid(pid, &word, WUNTRACED), pid);
        seen = sum_of_counters();
        for (int turn = 0; turn < 3; turn++)
            sys_yield();
        CHECK_EQ(sum_of_counters(), seen);
        CHECK_EQ(sys_sigsend(pid, SIGCONT), 0);
    }
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
    CHECK_EQ(munmap((void *)counters, PAGE), 0);
}

const struct test faults_tests[] = {
    {"pager", pager, false},
    {"kernel_copies", kernel_copies_are_errors, false},
    {"kinds_of_fault", kinds_of_fault, false},
    {"faults_that_end", faults_that_end, false},
    {"alternate_stack", alternate_stack, false},
    {"bad_frames", bad_frames, false},
    {"to_a_thread", goes_to_a_thread, false},
    {"to_this_thread", goes_to_this_thread, false},
    {"stops_threads", stops_all_threads, false},
    {"stops_at_once", stops_at_once, false},
    {"stops_new_threads", stops_new_threads, false},
    {0},
};
