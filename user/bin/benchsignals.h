/* bench's operations on signals: a handler that is run and returns. */
#pragma once
#include <signal.h>
#include "benchuse.h"

static char *guarded; /* a page that may not be written */

static void set_handler(int number, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    need(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void reset_handler(int number) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    need(sigaction(number, &action, NULL) == 0, "sigaction");
}

static volatile int handled; /* times */

static void note_signal(int number, siginfo_t *info, void *context) {
    (void)number, (void)info, (void)context;
    handled = handled + 1;
}

static void begin_signal(void) { set_handler(SIGUSR1, note_signal); }

static void one_signal(void) {
    int before = handled;
    need(sigsend(getpid(), SIGUSR1) == 0 && handled == before + 1, "a signal to itself");
}

static void end_signal(void) { reset_handler(SIGUSR1); }

/* ---- page faults that a program handles itself ---- */

static void begin_guarded(void (*handler)(int, siginfo_t *, void *)) {
    guarded = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(guarded != MAP_FAILED, "mmap");
    touch(guarded);
    need(mprotect(guarded, PAGE, PROT_READ) == 0, "mprotect");
    set_handler(SIGSEGV, handler);
}

static void end_guarded(void) {
    reset_handler(SIGSEGV);
    need(munmap(guarded, PAGE) == 0, "munmap");
}

/* A store of four bytes of code, which is passed over. */
#define STORE_BYTES 4

static void store_guarded(void) {
    __asm__ volatile(".option push\n.option norvc\nsb zero, 0(%0)\n.option pop"
                     :
                     : "r"(guarded)
                     : "memory");
}

static void pass_store(int number, siginfo_t *info, void *context) {
    (void)number;
    ucontext_t *registers = context;
    need(info->si_addr == guarded, "SIGSEGV");
    registers->pc += STORE_BYTES;
}

static void begin_fault_passed(void) { begin_guarded(pass_store); }
static void one_fault_passed(void) { store_guarded(); }

static void permit(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    need(mprotect(info->si_addr, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
}

static void begin_fault_permitted(void) { begin_guarded(permit); }

static void one_fault_permitted(void) {
    need(mprotect(guarded, PAGE, PROT_READ) == 0, "mprotect");
    store_guarded();
}
