/* The memory core under one design: copyin, copyout, copyinstr and copies of pieces. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static char text[3 * P];

void test_strings(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    uint64_t end = ROUND_UP(p->as->brk, P) + 2 * P;
    assert_int_equal(world_sbrk(p, (int64_t)(end - p->as->brk)), 0);
    memset(text, 'a', sizeof text);
    /* Nothing there yet: the copy faults the page in and reads an empty string. */
    assert_int_equal(copyinstr(text, UA(end - P), 10), 0);
    assert_int_equal(text[0], 0);
    memset(text, 'a', sizeof text);
    assert_int_equal(copyout(UA(end - P - 3), text, P + 3), 0);
    assert_int_equal(copyinstr(text, UA(end - P - 3), sizeof text), -K_EFAULT);
    assert_int_equal(copyinstr(text, UA(end - P - 3), P + 3), -K_ENAMETOOLONG);
    assert_int_equal(copyinstr(text, UA(end - 1), 1), -K_ENAMETOOLONG);
    assert_int_equal(copyinstr(text, UA(end - 1), 2), -K_EFAULT);
    assert_int_equal(copyinstr(text, UA(end - 1), 0), -K_ENAMETOOLONG);
    assert_int_equal(copyout(UA(end - 1), "", 1), 0); /* on the last mapped byte */
    assert_int_equal(copyinstr(text, UA(end - P - 3), sizeof text), 0);
    assert_int_equal(strlen(text), P + 2);
    assert_int_equal(copyinstr(text, UA(end - 1), 1), 0);
    assert_int_equal(copyinstr(text, UA(end), 1), -K_EFAULT);
    assert_int_equal(copyinstr(text, UA(USER_MAX), 1), -K_EFAULT);
    assert_int_equal(copyinstr(text, UA(USER_MAX - 1), 2), -K_EFAULT);
    assert_int_equal(copyinstr(text, UA(UINT64_MAX), 2), -K_EFAULT);
    env_exit(p);
}

/* Every offset and length near borders of pages, against the bytes themselves. */
void test_bytes_at_borders(void **state) {
    static char mirror[4 * P], read[4 * P];
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    uint64_t base = ROUND_UP(p->as->brk, P), old;
    assert_int_equal(aspace_sbrk(p->as, (int64_t)(base + 4 * P - p->as->brk), &old), 0);
    memset(mirror, 0, sizeof mirror);
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t at = host_random_below(4) * P + host_random_below(20) - 10;
        uint64_t n = host_random_below(2) ? host_random_below(24) : host_random_below(2 * P + 24);
        at = MIN(at, 4 * P); /* -10 wraps to here */
        bool fits = at + n <= 4 * P;
        for (uint64_t j = 0; j < n; j++)
            text[j] = (char)host_random();
        memset(read, 0x5a, sizeof read);
        if (!fits)
            n = 4 * P - at;
        assert_int_equal(copyout(UA(base + at), text, n), 0);
        memcpy(mirror + at, text, n);
        assert_int_equal(copyin(read, UA(base + at), n), 0);
        assert_memory_equal(read, mirror + at, n);
        assert_int_equal(read[n], 0x5a);
    }
    assert_int_equal(copyin(read, UA(base), 4 * P), 0);
    assert_memory_equal(read, mirror, 4 * P);
    assert_int_equal(copyin(read, UA(base), 0), 0);
    assert_int_equal(copyin(read, UA(USER_MAX), 0), 0);
    assert_int_equal(copyin(read, UA(USER_MAX + 1), 0), -K_EFAULT);
    env_exit(p);
}

#define PIECES 16

/* Pieces of any length, 0 too, of the bytes from start on; how many. */
static unsigned cut(struct kpiece piece[PIECES], char *start) {
    unsigned n = 1 + (unsigned)host_random_below(PIECES);
    for (unsigned i = 0; i < n; i++) {
        piece[i] = (struct kpiece){(uint8_t *)start, host_random_below(1500)};
        start += piece[i].bytes;
    }
    return n;
}

/* A copy of many pieces is as many copies, up to the one that fails: to pages that
 * nobody has touched, that a child shares, or that are present; and past their end. */
void test_pieces(void **state) {
    static char from[PIECES * 1500], back[PIECES * 1500];
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    uint64_t base = ROUND_UP(p->as->brk, P), old;
    assert_int_equal(aspace_sbrk(p->as, (int64_t)(base - p->as->brk), &old), 0);
    for (unsigned i = 0; i < 600; i++) {
        struct kpiece piece[PIECES];
        bool shared = i % 3 == 0;
        uint64_t at = host_random_below(P), expect = 0, done;
        assert_int_equal(aspace_sbrk(p->as, 4 * P, &old), 0);
        for (unsigned j = 0; j < sizeof from; j++)
            from[j] = (char)host_random();
        if (i % 3 < 2)
            assert_int_equal(copyout(UA(base), from, 4 * P), 0);
        if (shared)
            assert_int_equal(env_fork(p, &child), 0);
        unsigned n = cut(piece, from), whole = 0;
        while (whole < n && at + expect + piece[whole].bytes <= 4 * P)
            expect += piece[whole++].bytes;
        int err = whole < n ? -K_EFAULT : 0;
        assert_int_equal(copyout_gather(UA(base + at), piece, n, &done), err);
        assert_int_equal(done, expect);
        assert_int_equal(copyin(back, UA(base + at), done), 0);
        assert_memory_equal(back, from, done);
        memset(from, 0, sizeof from);
        assert_int_equal(copyin_scatter(piece, n, UA(base + at), &done), err);
        assert_int_equal(done, expect);
        assert_memory_equal(back, from, done);
        if (shared)
            env_exit(child);
        assert_int_equal(aspace_sbrk(p->as, -4 * (int64_t)P, &old), 0);
    }
    const uint64_t kernel[] = {TRAPFRAME, KSTACK(0) + P, KERNEL_HALF + GIB(2), 0 - 100ULL};
    for (unsigned i = 0; i < ARRAY_LEN(kernel); i++) {
        struct kpiece piece[] = {{(uint8_t *)from, 90}, {(uint8_t *)from, 90}};
        size_t done;
        assert_int_equal(copyout_gather(UA(kernel[i]), piece, 2, &done), -K_EFAULT);
        assert_int_equal(done, 0);
        assert_int_equal(copyin_scatter(piece, 2, UA(kernel[i]), &done), -K_EFAULT);
        assert_int_equal(done, 0);
    }
    env_exit(p);
}
