/* The interface that a program uses the kernel by: which calls there are, how it is told of errors,
 * and what signals do to a call. exec chooses it by the program, fork hands it on. All that it does
 * is done by functions that know of no interface. */
#pragma once
#include "arch/context.h"
#include "lib/types.h"

/* arg: the six arguments a0..a5 as the program passed them. A handler that
 * succeeds stores its result in *result (0 when it does not) and returns 0;
 * else it returns a negative errno; what the program sees then is the interface's to say. */
typedef int (*syscall_fn)(const uint64_t arg[6], uint64_t *result);

/* What becomes of a call that a signal has ended early, when there is a handler; without one it is
 * done again, and the program sees nothing. */
enum after_signal {
    AFTER_SIGNAL_AGAIN,   /* it is done again, if the handler was set up so */
    AFTER_SIGNAL_GOES_ON, /* likewise, however it was set up */
    AFTER_SIGNAL_ENDS,    /* it has ended */
    /* It has ended; and without a handler it goes on until the time at which it was to end, which
     * its arguments say as a span: signal_resume_until. */
    AFTER_SIGNAL_ENDS_TIMED,
};

struct interface {
    uint64_t end; /* of the table: the highest number, and 1 */
    /* A call that the table has not. */
    int (*other)(const uint64_t arg[6], uint64_t *result);
    /* What the program finds in a0 after an error of the call in a7, whose arguments are as they
     * were. */
    uint64_t (*error)(const struct trapframe *tf, int err);
    /* Of the call in a7, whose other arguments than a0 are as they were. */
    enum after_signal (*after_signal)(const struct trapframe *tf);
    bool pipe_ends;         /* SIGPIPE ends a program that has said nothing of it */
    uint64_t signal_return; /* offset in the page that handlers return to (mm/sigpage.h) */
    syscall_fn table[];     /* by number; NULL: there is no such call */
};
