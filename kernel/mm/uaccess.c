/* User memory: the range check, then the design's way of touching it. */
#include "mm/uaccess.h"
#include "lib/errno.h"
#include "mm/design.h"

int copyin(void *dst, uaddr_t src, size_t n) {
    return user_range_ok(src, n) ? design_copyin(dst, src, n) : -K_EFAULT;
}

int copyout(uaddr_t dst, const void *src, size_t n) {
    return user_range_ok(dst, n) ? design_copyout(dst, src, n) : -K_EFAULT;
}

int copyinstr(char *dst, uaddr_t src, size_t size) {
    if (!user_range_ok(src, 1))
        return -K_EFAULT;
    /* A string that would run out of the user's part faults at its end. */
    uint64_t room = USER_MAX - src.v;
    int err = design_copyinstr(dst, src, MIN((uint64_t)size, room));
    return err == -K_ENAMETOOLONG && room < size ? -K_EFAULT : err;
}
