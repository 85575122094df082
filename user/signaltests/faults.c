/* Faults that a program handles, and alternate stacks. */
#include "signals.h"
#include <fcntl.h>
#include <setjmp.h>
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

/* Out of a handler by a jump: the mask is as it was, so the next fault is handled, too. */
static sigjmp_buf before_fault;

static void jump_out(int signal, siginfo_t *info, void *context) {
    (void)info, (void)context;
    siglongjmp(before_fault, signal);
}

static void handlers_are_left_by_jumps(void) {
    volatile int jumps = 0;
    uint64_t mask;
    map_area(1, PROT_NONE);
    on_signal(SIGSEGV, jump_out, 0);
    if (sigsetjmp(before_fault, 1) == SIGSEGV)
        jumps++;
    if (jumps < 3)
        area[0] = 1;
    CHECK_EQ(jumps, 3);
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(mask, 0);
    if (sigsetjmp(before_fault, 0) == 0) { /* now it stays as the handler has it */
        CHECK_EQ(raise(SIGSEGV), 0);
        CHECK(0);
    }
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(mask, 1UL << (SIGSEGV - 1));
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
    CHECK_EQ((uint64_t)info % 16, 0);
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

/* The other stack need not end where a stack pointer may be. */
static void overflow(uint64_t with_stack) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack) - 1};
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

static void note_stack(int signal, siginfo_t *info, void *context) {
    char here;
    const ucontext_t *u = context;
    CHECK((uint64_t)info % 16 == 0 && (char *)context == (char *)info + sizeof(*info));
    CHECK(u->stack.sp == (uint64_t)other_stack && u->stack.size == sizeof(other_stack));
    CHECK_EQ(u->stack.flags, 0);
    CHECK((uint64_t)&here - (uint64_t)other_stack >= sizeof(other_stack));
    ran++;
}

/* The other stack is for those who ask for it; a child has it too, exec's program does not. */
static void other_stack_is_left_alone(void) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)}, now = {0};
    CHECK_EQ(sys_sigaltstack(&stack, NULL), 0);
    on_signal(SIGUSR1, note_stack, 0);
    send_self(SIGUSR1);
    CHECK_EQ(ran, 1);
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(sys_sigaltstack(NULL, &now), 0);
        CHECK(now.ss_sp == other_stack && now.ss_flags == 0);
        sys_exit(0);
    }
    CHECK_EQ(next_word(pid, 0), 0);
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

const struct test faults_tests[] = {
    {"pager", pager, false},
    {"handlers_are_left_by_jumps", handlers_are_left_by_jumps, false},
    {"kernel_copies", kernel_copies_are_errors, false},
    {"kinds_of_fault", kinds_of_fault, false},
    {"faults_that_end", faults_that_end, false},
    {"alternate_stack", alternate_stack, false},
    {"other_stack", other_stack_is_left_alone, false},
    {"bad_frames", bad_frames, false},
    {0},
};
