/* See fibers.h. The sanitizer is told of each change of the stack. */
#include "fibers.h"
#include "hostarch.h"
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <ucontext.h>

#define STACK (512 * 1024)

static struct fiber {
    ucontext_t context;
    void (*body)(unsigned i);
    bool done;
    struct hart *hart;
    void *fake; /* the sanitizer's */
    char stack[STACK] __attribute__((aligned(16)));
} fibers[FIBERS];

static ucontext_t outside;
static struct hart *outsides_hart;
static void *outsides_fake;
static const void *outsides_stack;
static size_t outsides_size;
static int running = -1;

static void begin(void) {
    struct fiber *f = &fibers[running];
    __sanitizer_finish_switch_fiber(NULL, &outsides_stack, &outsides_size);
    f->body((unsigned)running);
    f->done = true;
    f->hart = host_hart;
    __sanitizer_start_switch_fiber(NULL, outsides_stack, outsides_size);
    setcontext(&outside);
}

void fiber_make(unsigned i, void (*body)(unsigned i)) {
    struct fiber *f = &fibers[i];
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK;
    f->context.uc_link = NULL;
    f->body = body;
    f->done = false;
    f->hart = host_hart;
    f->fake = NULL;
    makecontext(&f->context, begin, 0);
}

void fiber_go(unsigned i) {
    struct fiber *f = &fibers[i];
    outsides_hart = host_hart;
    running = (int)i;
    host_hart = f->hart;
    __sanitizer_start_switch_fiber(&outsides_fake, f->stack, STACK);
    swapcontext(&outside, &f->context);
    __sanitizer_finish_switch_fiber(outsides_fake, NULL, NULL);
    running = -1;
    host_hart = outsides_hart;
}

void fiber_pause(void) {
    struct fiber *f = &fibers[running];
    f->hart = host_hart;
    __sanitizer_start_switch_fiber(&f->fake, outsides_stack, outsides_size);
    swapcontext(&f->context, &outside);
    __sanitizer_finish_switch_fiber(f->fake, &outsides_stack, &outsides_size);
}

bool fiber_is_done(unsigned i) { return fibers[i].done; }

int fiber_self(void) { return running; }
