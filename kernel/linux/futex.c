/* Waiting for words of memory. */
#include "proc/futex.h"
#include "proc/futexpi.h"
#include "mm/uaccess.h"
#include "mm/userword.h"
#include "lib/errno.h"
#include "linux/linux.h"
#include "proc/clock.h"
#include "proc/signal.h"

/* The operation, and what is said with it. That memory is private says nothing new: the kernel
 * looks at how the word is mapped. */
enum {
    WAIT = 0,
    WAKE = 1,
    REQUEUE = 3,
    CMP_REQUEUE = 4,
    WAKE_OP = 5,
    LOCK_PI = 6,
    UNLOCK_PI = 7,
    TRYLOCK_PI = 8,
    WAIT_BITSET = 9,
    WAKE_BITSET = 10,
    LOCK_PI2 = 13,
};
#define FUTEX_OPERATION 0x7f
#define FUTEX_CLOCK_REALTIME 0x100
#define FUTEX_FLAGS 0x180

/* A span, or a point in time by one of the clocks. */
static int wait_until(const uint64_t arg[6], bool point, bool by_date, uint64_t *until) {
    uint64_t time;
    *until = UINT64_MAX;
    if (!arg[3])
        return 0;
    int err = linux_time(arg[3], &time);
    if (err)
        return err;
    if (point) {
        uint64_t now = by_date ? clock_date() : clock_nanoseconds();
        time = time > now ? time - now : 0;
    }
    *until = signal_resume_until(clock_after(time));
    return 0;
}

static int wait(const uint64_t arg[6], bool point, uint32_t bits) {
    uint64_t until;
    int err = wait_until(arg, point, (arg[1] & FUTEX_CLOCK_REALTIME) != 0, &until);
    return err ? err : futex_wait(UA(arg[0]), (uint32_t)arg[2], bits, until);
}

static int wake(const uint64_t arg[6], uint32_t bits, uint64_t *result) {
    uint32_t woken;
    int err = futex_wake(UA(arg[0]), (uint32_t)arg[2], bits, &woken);
    *result = woken;
    return err;
}

static int requeue(const uint64_t arg[6], bool compares, uint64_t *result) {
    struct futex_move m = {.from = UA(arg[0]),
                           .to = UA(arg[4]),
                           .wake = (uint32_t)arg[2],
                           .move = (uint32_t)arg[3],
                           .compares = compares,
                           .value = (uint32_t)arg[5]};
    uint32_t woken, moved;
    if ((int32_t)m.wake < 0 || (int32_t)m.move < 0)
        return -K_EINVAL;
    int err = futex_requeue(&m, &woken, &moved);
    *result = (uint64_t)woken + moved;
    return err;
}

/* ---- a wake-up that depends on what another word was ---- */

/* Both are in the operation's last argument, with a number of 12 bits for each. */
enum change { SET, ADD, OR, AND_NOT, XOR, CHANGES };
enum comparison { EQUAL, UNEQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL, COMPARISONS };
#define OF_BIT 8U /* beside a change: its number is that of a bit */

static int32_t signed_12(uint32_t bits) { return (int32_t)(bits << 20) >> 20; }

static uint32_t changed(enum change how, uint32_t was, uint32_t by) {
    switch (how) {
    case ADD: return was + by;
    case OR: return was | by;
    case AND_NOT: return was & ~by;
    case XOR: return was ^ by;
    default: return by;
    }
}

static bool compared(enum comparison how, int32_t a, int32_t b) {
    switch (how) {
    case EQUAL: return a == b;
    case UNEQUAL: return a != b;
    case LESS: return a < b;
    case LESS_OR_EQUAL: return a <= b;
    case GREATER: return a > b;
    default: return a >= b;
    }
}

static int change_word(uaddr_t word, enum change how, uint32_t by, uint32_t *was) {
    uint32_t seen = 0;
    int err = copyin(was, word, sizeof(*was));
    for (; !err; *was = seen) {
        err = user_word_exchange(word, *was, changed(how, *was, by), &seen);
        if (err || seen == *was)
            break;
    }
    return err;
}

/* Changes the second word; wakes who waits for the first, and, if the second was so, for that. */
static int wake_and_change(const uint64_t arg[6], uint64_t *result) {
    uint32_t code = (uint32_t)arg[5], was, woken = 0, more = 0;
    uint32_t how = code >> 28 & 7, compares = code >> 24 & 15;
    uint32_t by = (uint32_t)signed_12(code >> 12 & 0xfff);
    if (how >= CHANGES || compares >= COMPARISONS)
        return -K_ENOSYS;
    by = code >> 28 & OF_BIT ? 1U << (by & 31) : by;
    int err = change_word(UA(arg[4]), (enum change)how, by, &was);
    if (!err)
        err = futex_wake(UA(arg[0]), (uint32_t)arg[2], FUTEX_ALL, &woken);
    if (!err && compared((enum comparison)compares, (int32_t)was, signed_12(code & 0xfff)))
        err = futex_wake(UA(arg[4]), (uint32_t)arg[3], FUTEX_ALL, &more);
    *result = (uint64_t)woken + more;
    return err;
}

/* ---- locks that know their owner ---- */

bool linux_futex_locks(uint64_t operation) {
    operation &= FUTEX_OPERATION;
    return operation == LOCK_PI || operation == LOCK_PI2;
}

static int lock(const uint64_t arg[6], bool by_date) {
    uint64_t until;
    int err = wait_until(arg, true, by_date, &until);
    return err ? err : futex_pi_lock(UA(arg[0]), true, until);
}

int linux_futex(const uint64_t arg[6], uint64_t *result) {
    if (arg[1] & ~(uint64_t)(FUTEX_OPERATION | FUTEX_FLAGS))
        return -K_ENOSYS;
    bool by_date = arg[1] & FUTEX_CLOCK_REALTIME;
    uint32_t operation = arg[1] & FUTEX_OPERATION;
    if (by_date && operation >= WAKE_OP && operation <= TRYLOCK_PI)
        return -K_ENOSYS;
    switch (operation) {
    case WAKE_OP: return wake_and_change(arg, result);
    case LOCK_PI: return lock(arg, true);
    case LOCK_PI2: return lock(arg, by_date);
    case TRYLOCK_PI: return futex_pi_lock(UA(arg[0]), false, UINT64_MAX);
    case UNLOCK_PI: return futex_pi_unlock(UA(arg[0]));
    case WAIT: return wait(arg, false, FUTEX_ALL);
    case WAIT_BITSET: return wait(arg, true, (uint32_t)arg[5]);
    case WAKE: return wake(arg, FUTEX_ALL, result);
    case WAKE_BITSET: return wake(arg, (uint32_t)arg[5], result);
    case REQUEUE: return requeue(arg, false, result);
    case CMP_REQUEUE: return requeue(arg, true, result);
    default: return -K_ENOSYS;
    }
}
