/* mremap: memory that gets another size or another place. */
#include "mappings.h"
#include <sys/mman.h>

#define PRIVATE (ABI_MAP_PRIVATE | ABI_MAP_ANONYMOUS)
#define SHARED (ABI_MAP_SHARED | ABI_MAP_ANONYMOUS)
#define MAY ABI_MREMAP_MAYMOVE
#define TO (ABI_MREMAP_MAYMOVE | ABI_MREMAP_FIXED)
#define KEEP (ABI_MREMAP_MAYMOVE | ABI_MREMAP_DONTUNMAP)

static char *map(uint64_t n, int flags) {
    char *p = sys_mmap(NULL, n, RW, flags, -1, 0);
    CHECK((long)p > 0);
    return p;
}

/* Where nothing is mapped, with room around it. */
static char *a_hole(uint64_t n) {
    char *p = sys_mmap(NULL, n, 0, PRIVATE, -1, 0);
    CHECK((long)p > 0);
    unmap(p, n);
    return p;
}

static char *remap(char *p, uint64_t old, uint64_t n, int flags, char *to) {
    char *at = sys_mremap(p, old, n, flags, to);
    CHECK_MSG((long)at > 0, "mremap is %ld", (long)at);
    return at;
}

static void remap_grows(void) {
    char *hole = a_hole(16 * PAGE);
    char *p = sys_mmap(hole, 4 * PAGE, RW, PRIVATE | ABI_MAP_FIXED, -1, 0);
    fill(p, 4 * PAGE, 1);
    CHECK(remap(p, 4 * PAGE, 6 * PAGE, 0, NULL) == p);
    CHECK(filled(p, 4 * PAGE, 1) && all_zero(p + 4 * PAGE, 2 * PAGE));
    CHECK(remap(p, 6 * PAGE, 3 * PAGE, 0, NULL) == p && !can(load, p + 3 * PAGE));
    CHECK(remap(p, 3 * PAGE - 5, 3 * PAGE, MAY, NULL) == p);
    char *wall = sys_mmap(p + 5 * PAGE, PAGE, RW, PRIVATE | ABI_MAP_FIXED, -1, 0);
    CHECK_EQ((long)sys_mremap(p, 3 * PAGE, 6 * PAGE, 0, NULL), -ENOMEM);
    char *q = remap(p, 3 * PAGE, 6 * PAGE, MAY, NULL);
    CHECK(q != p && filled(q, 3 * PAGE, 1) && all_zero(q + 3 * PAGE, 3 * PAGE));
    CHECK(!can(load, p) && all_zero(wall, PAGE));
    fill(q, 6 * PAGE, 2);
    int pid = must_fork();
    if (pid == 0) { /* shared with the parent, and moved here alone */
        char *r = remap(q, 6 * PAGE, 6 * PAGE, TO, p);
        CHECK(r == p && filled(p, 6 * PAGE, 2));
        fill(p, 6 * PAGE, 3);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(filled(q, 6 * PAGE, 2));
    unmap(q, 6 * PAGE);
    unmap(wall, PAGE);
}

/* Each MiB, at its ends, has its number; from the first one on. */
static void number(char *p, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        p[i * MB] = p[(i + 1) * MB - 1] = (char)(i + 1);
}

static bool numbered(const char *p, unsigned first, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (p[i * MB] != (char)(first + i) || p[(i + 1) * MB - 1] != (char)(first + i))
            return false;
    return true;
}

/* Large ones, and the part of one; to where they are aligned alike, and where not. */
static void remap_moves_large(void) {
    char *p = map(8 * MB, PRIVATE), *hole = a_hole(16 * MB);
    number(p, 8);
    hole = (char *)((ARG(hole) + 2 * MB - 1) & ~(2 * MB - 1));
    CHECK(remap(p, 8 * MB, 8 * MB, TO, hole) == hole);
    CHECK(numbered(hole, 1, 8) && !can(load, p));
    p = remap(hole + MB, 2 * MB, 3 * MB, TO, p + PAGE);
    CHECK(numbered(hole, 1, 1) && numbered(hole + 3 * MB, 4, 5) && !can(load, hole + MB));
    CHECK(numbered(p, 2, 2) && all_zero(p + 2 * MB, MB));
    unmap(hole, 8 * MB);
    unmap(p, 3 * MB);
}

static void remap_shares(void) {
    char *p = map(4 * PAGE, SHARED), *hole = a_hole(8 * PAGE);
    fill(p, 4 * PAGE, 5);
    CHECK(remap(p + PAGE, 0, 2 * PAGE, TO, hole) == hole); /* once more */
    CHECK(filled(p, 4 * PAGE, 5));
    hole[0] = 9;
    CHECK_EQ(p[PAGE], 9);
    unmap(hole, 2 * PAGE);
    CHECK(remap(p, 4 * PAGE, 6 * PAGE, TO, hole) == hole && !can(load, p));
    CHECK(can(store, hole + 3 * PAGE) && !can(load, hole + 4 * PAGE));
    unmap(hole, 6 * PAGE);
    char *q = map(2 * PAGE, PRIVATE);
    fill(q, 2 * PAGE, 6);
    CHECK(remap(q, 2 * PAGE, 2 * PAGE, KEEP, NULL) != q && all_zero(q, 2 * PAGE));
}

/* A file's pages, and what it has behind them; stores go on to reach it. */
static void remap_files(void) {
    int fd = must_open("moved", ABI_O_RDWR | ABI_O_CREATE);
    for (char i = 0; i < 6; i++) {
        static char page[PAGE];
        memset(page, 'a' + i, PAGE);
        write_all(fd, page, PAGE);
    }
    char *p = sys_mmap(NULL, 2 * PAGE, RW, ABI_MAP_SHARED, fd, PAGE), *hole = a_hole(8 * PAGE), c;
    CHECK((long)p > 0);
    p[0] = 'X';
    CHECK(remap(p, 2 * PAGE, 7 * PAGE, TO, hole) == hole && !can(load, p));
    CHECK(hole[0] == 'X' && hole[1] == 'b' && hole[4 * PAGE] == 'f');
    CHECK(!can(load, hole + 5 * PAGE));
    hole[4 * PAGE + 1] = 'Y';
    CHECK(sys_lseek(fd, 5 * PAGE + 1, 0) > 0 && sys_read(fd, &c, 1) == 1 && c == 'Y');
    unmap(hole, 7 * PAGE);
    must_close(fd);
}

static void remap_errors(void) {
    char *p = map(8 * PAGE, PRIVATE), *hole = a_hole(8 * PAGE);
    fill(p, 8 * PAGE, 7);
    CHECK_EQ((long)sys_mremap(p + 1, PAGE, PAGE, MAY, NULL), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, PAGE, 0, MAY, NULL), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, PAGE, PAGE, 8, NULL), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, PAGE, PAGE, ABI_MREMAP_FIXED, hole), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, PAGE, PAGE, ABI_MREMAP_DONTUNMAP, NULL), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, PAGE, 2 * PAGE, KEEP, NULL), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, 2 * PAGE, 2 * PAGE, TO, hole + 1), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, 2 * PAGE, 2 * PAGE, TO, p + PAGE), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, PAGE, PAGE, TO, (char *)USER_LIMIT), -EINVAL);
    CHECK_EQ((long)sys_mremap(p, 0, PAGE, MAY, NULL), -EINVAL); /* only what is shared */
    CHECK_EQ((long)sys_mremap(hole, PAGE, PAGE, MAY, NULL), -EFAULT);
    protect(p + 2 * PAGE, PAGE, ABI_PROT_READ);
    CHECK_EQ((long)sys_mremap(p, 3 * PAGE, 5 * PAGE, MAY, NULL), -EFAULT);
    CHECK_EQ((long)sys_mremap(p, 2 * PAGE, USER_LIMIT, MAY, NULL), -ENOMEM);
    CHECK_EQ((long)sys_mremap(p, 2 * PAGE, USER_LIMIT / 4, MAY, NULL), -ENOMEM);
    CHECK(filled(p, 8 * PAGE, 7));
    errno = 0;
    CHECK(mremap(p, 2 * PAGE, USER_LIMIT, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
}

const struct test remap_tests[] = {
    {"remap_grows", remap_grows, false},   {"remap_moves_large", remap_moves_large, false},
    {"remap_shares", remap_shares, false}, {"remap_files", remap_files, false},
    {"remap_errors", remap_errors, false}, {0},
};
