/* Which user ranges the kernel looks at; in a file of its own so that the host
 * can test it. */
#include "arch/layout.h"
#include "mm/uaccess.h"

bool user_range_ok(uaddr_t start, uint64_t n) {
    return start.v <= USER_MAX && n <= USER_MAX - start.v;
}
