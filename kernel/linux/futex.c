/* Waiting for words of memory. */
#include "proc/futex.h"
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
    WAIT_BITSET = 9,
    WAKE_BITSET = 10,
};
#define FUTEX_OPERATION 0x7f
#define FUTEX_CLOCK_REALTIME 0x100
#define FUTEX_FLAGS 0x180

/* A span, or a point in time by one of the clocks. */
static int wait_until(const uint64_t arg[6], bool point, uint64_t *until) {
    uint64_t time;
    *until = UINT64_MAX;
    if (!arg[3])
        return 0;
    int err = linux_time(arg[3], &time);
    if (err)
        return err;
    if (point) {
        uint64_t now = arg[1] & FUTEX_CLOCK_REALTIME ? clock_date() : clock_nanoseconds();
        time = time > now ? time - now : 0;
    }
    *until = signal_resume_until(clock_after(time));
    return 0;
}

static int wait(const uint64_t arg[6], bool point, uint32_t bits) {
    uint64_t until;
    int err = wait_until(arg, point, &until);
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

int linux_futex(const uint64_t arg[6], uint64_t *result) {
    if (arg[1] & ~(uint64_t)(FUTEX_OPERATION | FUTEX_FLAGS))
        return -K_ENOSYS;
    switch (arg[1] & FUTEX_OPERATION) {
    case WAIT: return wait(arg, false, FUTEX_ALL);
    case WAIT_BITSET: return wait(arg, true, (uint32_t)arg[5]);
    case WAKE: return wake(arg, FUTEX_ALL, result);
    case WAKE_BITSET: return wake(arg, (uint32_t)arg[5], result);
    case REQUEUE: return requeue(arg, false, result);
    case CMP_REQUEUE: return requeue(arg, true, result);
    default: return -K_ENOSYS;
    }
}
