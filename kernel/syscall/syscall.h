/* System calls: from number to handler. lib/abi.h has the numbers. */
#pragma once
#include "arch/context.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/types.h"

/* arg: the six arguments a0..a5 as the program passed them. A handler that
 * succeeds stores its result in *result (0 when it does not) and returns 0;
 * else it returns a negative errno, which the program sees, or -1 (lib/abi.h). */
typedef int (*syscall_fn)(const uint64_t arg[6], uint64_t *result);

/* The handlers, sys_fork and so on, and the table of them by number; NULL: there is no such
 * call. docs/system-calls.md says what each does. */
#define CALL(number, type, name, arguments) int sys_##name(const uint64_t arg[6], uint64_t *result);
#include "lib/calls.def"

#define CALL(number, type, name, arguments) char name[(number) + 1];
#define XV6(number, type, name, arguments) char name[TELLING_NUMBER(number) + 1];
union syscall_numbers {
#include "lib/calls.def"
};
#define SYSCALL_END sizeof(union syscall_numbers) /* the highest number, and 1 */

extern const syscall_fn syscall_table[SYSCALL_END];
int syscall_unknown(void); /* says so on the console, once */

/* What a program sees of an error of the call in a7, whose arguments are as they were. */
uint64_t syscall_error(const struct trapframe *tf, int err);

/* Serves the call in a7, with the arguments in a0..a5; the result is in a0. In the
 * header since it is on the way of every call. */
static inline void syscall_do(struct trapframe *tf) {
    uint64_t result = 0;
    bool known = tf->a7 < SYSCALL_END && syscall_table[tf->a7];
    int err = __builtin_expect(known, 1) ? syscall_table[tf->a7](&tf->a0, &result)
                                         : syscall_unknown();
    if (__builtin_expect(err, 0))
        result = syscall_error(tf, err);
    tf->a0 = result;
}
