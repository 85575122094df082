/* Copies from and to user memory under an inode's lock stop short at a page that may have to be
 * read from a file, or asked for before it is written: it is asked for with no lock held, and the
 * copy goes on. */
#pragma once
#include "lib/errno.h"
#include "mm/uaccess.h"

/* Where a copy has stopped short, and how often. */
struct stops {
    uint64_t at;
    unsigned count;
};

/* Until the copy comes there, a page that was just asked for may be made durable, or cut off,
 * and have to be asked for again; but not so often. */
#define STOPS_MAX 64

/* A copy has returned err, at this place, with n bytes left. True: it may go on there. No lock is
 * held; may sleep. */
static inline bool stops_can_go_on(int err, uint64_t at, struct stops *s, size_t n, bool write) {
    s->count = at == s->at ? s->count + 1 : 0;
    s->at = at;
    return err == -K_EFAULT && s->count < STOPS_MAX &&
           !uaccess_fault_in(UA(at), MIN(n, (size_t)PAGE_SIZE), write);
}
