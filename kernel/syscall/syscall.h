/* System calls: from number to handler. lib/abi.h has the numbers. */
#pragma once
#include "arch/context.h"
#include "lib/abi.h"
#include "lib/types.h"
#include "lib/errno.h"
#include "proc/interface.h"
#include "proc/signal.h"

/* The handlers, sys_fork and so on: docs/system-calls.md says what each does. */
#define CALL(number, type, name, arguments) int sys_##name(const uint64_t arg[6], uint64_t *result);
#include "lib/calls.def"

#define CALL(number, type, name, arguments) char name[(number) + 1];
#define XV6(number, type, name, arguments) char name[TELLING_NUMBER(number) + 1];
union syscall_numbers {
#include "lib/calls.def"
};
#define SYSCALL_END sizeof(union syscall_numbers) /* the highest number, and 1 */

/* As poweroff does, but that the machine boots again. */
void sys_restart(void) never_returns;

/* That of xv6's programs and ours: lib/calls.def. An error is -1 or the negative errno (lib/abi.h);
 * a number that there is not is told on the console, once. */
extern const struct interface interface_own;

/* The end of a wait that has news. err: it could not be told, so it stays news. Else the child's
 * pid is *result, and one that has exited is no more. Returns err. */
int syscall_end_wait(const struct child_news *news, int err, uint64_t *result);

/* For what writes: nobody reads the pipe, which the program is told by a signal, too. */
static inline int syscall_tell_pipe(int err) {
    if (__builtin_expect(err == -K_EPIPE, 0))
        (void)!signal_send_thread(proc_self()->pid, thread_self()->tid, ABI_SIGPIPE);
    return err;
}

/* Serves the call in a7, with the arguments in a0..a5; the result is in a0. In the
 * header since it is on the way of every call. */
static inline void syscall_do(const struct interface *interface, struct trapframe *tf) {
    uint64_t result = 0;
    syscall_fn fn = tf->a7 < interface->end ? interface->table[tf->a7] : NULL;
    if (__builtin_expect(!fn, 0))
        fn = interface->other;
    int err = fn(&tf->a0, &result);
    if (__builtin_expect(err, 0))
        result = interface->error(tf, err);
    tf->a0 = result;
}
