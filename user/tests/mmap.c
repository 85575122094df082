/* mmap, munmap, mprotect, madvise: anonymous memory that a process maps, cuts, shares and gives
 * back. (Files: mapfile.c, mapstore.c.) */
#include "mappings.h"

#define PRIVATE (ABI_MAP_PRIVATE | ABI_MAP_ANONYMOUS)
#define SHARED (ABI_MAP_SHARED | ABI_MAP_ANONYMOUS)
#define LARGE (2 * MB)

void unmap(void *p, uint64_t n) { CHECK_EQ(sys_munmap(p, n), 0); }
void protect(void *p, uint64_t n, int prot) { CHECK_EQ(sys_mprotect(p, n, prot), 0); }

static char *map_at(void *addr, uint64_t n, int prot, int flags) {
    char *p = sys_mmap(addr, n, prot, flags, -1, 0);
    CHECK_MSG((long)p > 0, "mmap of %ld bytes is %ld", (long)n, (long)p);
    return p;
}

static char *map(uint64_t n, int prot, int flags) { return map_at(NULL, n, prot, flags); }

/* How many mappings lie in [p, p + n), and their pages that are there. */
static unsigned mappings(void *p, uint64_t n, uint64_t *present) {
    static struct abi_vmregion r[64];
    int all = sys_vmregions(0, r, 64);
    unsigned found = 0;
    CHECK(all > 0 && all <= 64);
    *present = 0;
    for (int i = 0; i < all; i++)
        if (r[i].start < ARG(p) + n && r[i].end > ARG(p)) {
            found++;
            *present += r[i].present;
        }
    return found;
}

static void private_memory(void) {
    uint64_t present;
    char *p = map(5 * PAGE, RW, PRIVATE);
    CHECK(all_zero(p, 5 * PAGE));
    fill(p, 5 * PAGE, 1);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(filled(p, 5 * PAGE, 1));
        fill(p, 5 * PAGE, 2);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(filled(p, 5 * PAGE, 1));
    CHECK_EQ(mappings(p, 5 * PAGE, &present), 1);
    CHECK_EQ(present, 5);
    unmap(p + PAGE, PAGE);
    CHECK_EQ(mappings(p, 5 * PAGE, &present), 2);
    CHECK_EQ(present, 4);
    CHECK(can(store, p) && can(store, p + 2 * PAGE) && !can(load, p + PAGE));
    CHECK(map_at(p + PAGE, PAGE, RW, PRIVATE) == p + PAGE); /* a hint that can be had */
    CHECK_EQ(mappings(p, 5 * PAGE, &present), 1);           /* joined again */
    CHECK(all_zero(p + PAGE, PAGE));
    unmap(p, 5 * PAGE);
    unmap(p, 5 * PAGE); /* nothing is there: no error */
    CHECK(!can(load, p) && !can(load, p + 4 * PAGE));
}

/* Both ways, between relatives, and when all but one have unmapped it. */
static void shared_memory(void) {
    char *p = map(8 * PAGE, RW, SHARED);
    int go[2];
    char c;
    must_pipe(go);
    fill(p, PAGE, 3);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(filled(p, PAGE, 3));
        fill(p + 6 * PAGE, PAGE, 4); /* a page that nobody had touched before fork */
        if (must_fork() == 0) {
            CHECK(filled(p + 6 * PAGE, PAGE, 4));
            fill(p + 7 * PAGE, PAGE, 5);
            sys_exit(0);
        }
        CHECK_EQ(reap(0), 0);
        read_all(go[0], &c, 1); /* the parent has unmapped it now */
        CHECK(filled(p + 7 * PAGE, PAGE, 5) && filled(p, PAGE, 6));
        sys_exit(0);
    }
    WAIT_UNTIL(filled(p + 7 * PAGE, PAGE, 5));
    CHECK(filled(p + 6 * PAGE, PAGE, 4));
    fill(p, PAGE, 6);
    CHECK(all_zero(p + PAGE, 5 * PAGE));
    unmap(p, 8 * PAGE);
    write_all(go[1], "x", 1);
    CHECK_EQ(reap(pid), 0);
}

static void places(void) {
    char *p = map(4 * PAGE, RW, PRIVATE), *none = (char *)(long)-EEXIST;
    fill(p, 4 * PAGE, 7);
    CHECK(sys_mmap(p + PAGE, PAGE, RW, PRIVATE | ABI_MAP_FIXED_NOREPLACE, -1, 0) == (void *)none);
    CHECK(filled(p, 4 * PAGE, 7));
    CHECK(map_at(p + PAGE, 2 * PAGE, ABI_PROT_READ, PRIVATE | ABI_MAP_FIXED) == p + PAGE);
    CHECK(all_zero(p + PAGE, 2 * PAGE) && !can(store, p + PAGE) && can(store, p + 3 * PAGE));
    char *q = map_at(p, PAGE, RW, PRIVATE); /* a hint that cannot be had */
    CHECK(q != p && q + PAGE <= p);
    CHECK(map_at(p + 3, PAGE, RW, PRIVATE) != p); /* nor one in the middle of a page */
    unmap(p, 4 * PAGE);
    CHECK(map_at(p, 4 * PAGE, RW, PRIVATE | ABI_MAP_FIXED_NOREPLACE) == p);
    CHECK(all_zero(p, 4 * PAGE));
    char *low = opaque(16 * MB), *heap = sys_sbrk(0);
    CHECK(map_at(low, PAGE, RW, PRIVATE | ABI_MAP_FIXED) == low);
    CHECK(sys_sbrk((int)(low - heap)) == heap); /* up to it, and no further */
    CHECK(sys_sbrk(1) == SBRK_FAILED);
    unmap(low, PAGE);
    CHECK(sys_sbrk(PAGE) == low);
}

static void permissions(void) {
    char *p = map(6 * PAGE, RW, PRIVATE);
    uint64_t present;
    int fd[2];
    must_pipe(fd);
    fill(p, 6 * PAGE, 8);
    protect(p + PAGE, 2 * PAGE, ABI_PROT_READ);
    protect(p + 3 * PAGE, PAGE, ABI_PROT_NONE);
    CHECK_EQ(mappings(p, 6 * PAGE, &present), 4);
    CHECK_EQ(present, 6);
    CHECK(!can(store, p + PAGE) && can(load, p + PAGE) && can(store, p) &&
          can(store, p + 4 * PAGE));
    CHECK(!can(load, p + 3 * PAGE) && !can(store, p + 3 * PAGE));
    write_all(fd[1], p + 2 * PAGE, 100);
    CHECK_EQ(sys_read(fd[0], p + 2 * PAGE, 100), -1); /* the kernel may no more than the user */
    CHECK_EQ(sys_write(fd[1], p + 3 * PAGE, 100), -1);
    CHECK_EQ(sys_read(fd[0], p + 3 * PAGE, 100), -1);
    CHECK_EQ(sys_open(p + 3 * PAGE, ABI_O_RDONLY), -1);
    int pid = must_fork(); /* what may not be touched is inherited, too */
    if (pid == 0) {
        protect(p, 6 * PAGE, RW);
        CHECK(filled(p, 6 * PAGE, 8));
        fill(p, 6 * PAGE, 9);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    protect(p + 3 * PAGE, PAGE, ABI_PROT_READ);
    CHECK(filled(p, 6 * PAGE, 8) && !can(store, p + 3 * PAGE));
    protect(p, 6 * PAGE, RW);
    CHECK_EQ(mappings(p, 6 * PAGE, &present), 1);
    read_all(fd[0], p + 3 * PAGE, 100);
    CHECK(memcmp(p + 3 * PAGE, p + 2 * PAGE, 100) == 0);
    protect(p, 6 * PAGE, ABI_PROT_NONE);
    unmap(p, 6 * PAGE); /* with its pages */
    char *nothing = map(PAGE, ABI_PROT_NONE, PRIVATE);
    CHECK(!can(load, nothing));
    protect(nothing, PAGE, RW);
    CHECK(all_zero(nothing, PAGE));
    char *zero = map(2 * PAGE, ABI_PROT_READ, PRIVATE);
    CHECK(all_zero(zero, 2 * PAGE) && !can(store, zero));
    protect(zero, 2 * PAGE, RW);
    fill(zero, PAGE, 10);
    CHECK(all_zero(zero + PAGE, PAGE) && all_zero(map(PAGE, ABI_PROT_READ, PRIVATE), PAGE));
}

/* Code that a program writes: li a0, N; ret */
static void code(void) {
    uint32_t *p = (uint32_t *)map(PAGE, RW, PRIVATE);
    for (unsigned n = 1; n < 20; n++) {
        protect(p, PAGE, RW);
        p[0] = 0x00000513 | n << 20;
        p[1] = 0x00008067;
        CHECK(n > 1 || run_child((void (*)(uint64_t))ARG(p), 0) == KILLED);
        protect(p, PAGE, ABI_PROT_EXEC);
        CHECK_EQ(((int (*)(void))ARG(p))(), (int)n);
        CHECK(n > 1 || !can(store, p));
    }
}

static void large(void) {
    uint64_t present;
    char *p = map(3 * LARGE, RW, PRIVATE);
    CHECK_EQ(ARG(p) % LARGE, 0);
    p[LARGE + 5] = 1;
    mappings(p, 3 * LARGE, &present);
    CHECK(present == 512 || present == 1); /* unless memory is in pieces */
    fill(p + LARGE, 3 * PAGE, 11);
    unmap(p + LARGE + PAGE, PAGE); /* cuts it */
    protect(p + LARGE + 2 * PAGE, PAGE, ABI_PROT_READ);
    protect(p + 2 * LARGE - PAGE, 2 * PAGE, ABI_PROT_NONE);
    CHECK_EQ(mappings(p, 3 * LARGE, &present), 5);
    CHECK(!can(load, p + LARGE + PAGE) && !can(store, p + LARGE + 2 * PAGE));
    CHECK(!can(load, p + 2 * LARGE) && can(store, p + 2 * LARGE + PAGE));
    p[LARGE + 3 * PAGE] = 12;
    int pid = must_fork();
    if (pid == 0) {
        p[LARGE + 3 * PAGE] = 13;
        protect(p + 2 * LARGE - PAGE, 2 * PAGE, RW);
        CHECK(all_zero(p + 2 * LARGE - PAGE, 2 * PAGE));
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(p[LARGE + 3 * PAGE], 12);
    unmap(p, 3 * LARGE);
}

/* Mappings that do not join, more than any table of fixed size has. */
static void many(void) {
    enum { N = 2000 };
    char *p = map((uint64_t)N * PAGE, ABI_PROT_READ, SHARED);
    uint64_t left = frames_left();
    for (int i = 0; i < N; i += 2)
        protect(p + i * PAGE, PAGE, RW);
    CHECK(sys_vmregions(0, NULL, 0) > N);
    for (int i = 0; i < N; i += 2)
        p[i * PAGE] = (char)i;
    int pid = must_fork();
    if (pid == 0) {
        for (int i = 0; i < N; i++)
            CHECK_EQ(p[i * PAGE], i % 2 ? 0 : (char)i);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    for (int i = 1; i < N; i += 2)
        protect(p + i * PAGE, PAGE, RW);
    CHECK(sys_vmregions(0, NULL, 0) < 20);
    CHECK_EQ(frames_left(), left);
    for (int i = 0; i < N; i += 2)
        unmap(p + i * PAGE, PAGE);
    unmap(p, (uint64_t)N * PAGE);
}

static void advice(void) {
    char *p = map(4 * PAGE, RW, PRIVATE), *s = map(PAGE, RW, SHARED);
    uint64_t present;
    fill(p, 4 * PAGE, 14);
    fill(s, PAGE, 15);
    CHECK_EQ(sys_madvise(p + PAGE, 2 * PAGE, ABI_MADV_DONTNEED), 0);
    CHECK_EQ(sys_madvise(s, PAGE, ABI_MADV_DONTNEED), 0); /* it is not its own */
    mappings(p, 4 * PAGE, &present);
    CHECK_EQ(present, 2);
    CHECK(all_zero(p + PAGE, 2 * PAGE) && filled(p, PAGE, 14) && filled(s, PAGE, 15));
    CHECK_EQ(sys_madvise(map(3 * PAGE, RW, PRIVATE), 3 * PAGE, ABI_MADV_WILLNEED), 0);
    char *q = map(3 * PAGE, RW, PRIVATE | ABI_MAP_POPULATE);
    mappings(q, 3 * PAGE, &present);
    CHECK(present >= 3);
    char *zeros = map(1 << 30, ABI_PROT_READ, PRIVATE | ABI_MAP_POPULATE); /* nothing to fill in */
    CHECK_EQ(sys_madvise(zeros, 1 << 30, ABI_MADV_WILLNEED), 0);
    mappings(zeros, 1 << 30, &present);
    CHECK_EQ(present, 0);
    unmap(zeros, 1 << 30);
    for (int i = 0; i <= 2; i++)
        CHECK_EQ(sys_madvise(p, 4 * PAGE, i), 0);
    CHECK_EQ(sys_msync(p, 4 * PAGE, ABI_MS_SYNC), 0);
}

/* A page that was granted lazily and may not be written any more, when the heap goes on in it. */
static void lazy_protected(void) {
    for (int i = 0; i < 20; i++) {
        int pid = must_fork();
        if (pid == 0) {
            char *p = sys_sbrklazy(100);
            p[5] = 1;
            protect(p, PAGE, i % 2 ? ABI_PROT_READ : ABI_PROT_NONE);
            must_sbrk(1);
            must_sbrk(2 * PAGE);
            protect(p, PAGE, RW);
            CHECK_EQ(p[5], 1);
            sys_exit(0);
        }
        CHECK_EQ(reap(pid), 0);
    }
}

/* What is granted is promised: private pages for each process, shared ones once. */
static void promises(void) {
    static struct abi_procinfo pi;
    info_of_self(&pi); /* its page is there from now on */
    uint64_t left = frames_left(), pages = left / 2;
    char *all = sys_mmap(NULL, (left + 1) * PAGE, RW, PRIVATE, -1, 0);
    bool lazy = (long)all > 0; /* the machine was booted with commit=lazy */
    if (lazy)
        unmap(all, (left + 1) * PAGE);
    else
        CHECK_EQ((long)all, -ENOMEM);
    CHECK_EQ((long)sys_mmap(NULL, (left + 1) * PAGE, RW, SHARED, -1, 0), -ENOMEM);
    CHECK_EQ((long)sys_mmap(NULL, USER_LIMIT, ABI_PROT_READ, PRIVATE, -1, 0), -ENOMEM);
    CHECK_EQ(frames_left(), left);
    info_of_self(&pi);
    uint64_t committed = pi.committed;
    char *s = map(pages * PAGE, RW, SHARED);
    CHECK(frames_left() <= left - pages);
    s[0] = s[(pages - 1) * PAGE] = 1;
    int pid = must_fork(); /* shared: not promised twice */
    if (pid == 0)
        sys_exit(s[(pages - 1) * PAGE]);
    CHECK_EQ(reap(pid), 1);
    unmap(s, pages * PAGE);
    info_of_self(&pi);
    CHECK_EQ(pi.committed, committed);
    CHECK_EQ(frames_left(), left);
    char *r = map(pages * PAGE, ABI_PROT_READ, PRIVATE); /* zeros that stay zero need nothing */
    CHECK(frames_left() + pages / 64 + 16 > left);
    if (!lazy)
        CHECK_EQ(sys_mprotect(r, pages * PAGE, RW), 0);
    char *more = map(PAGE, ABI_PROT_READ, PRIVATE);
    if (!lazy && sys_mmap(NULL, frames_left() * PAGE, RW, PRIVATE, -1, 0) == NULL)
        CHECK_EQ(sys_mprotect(more, PAGE, RW), -ENOMEM);
}

/* One place that says so for many calls: usertests must fit a file of xv6's. */
static void expect_at(int line, long got, long want) {
    CHECK_MSG(got == want, "line %d: %ld, not %ld", line, got, want);
}
#define EXPECT(got, want) expect_at(__LINE__, (long)(got), want)

static void wrong_arguments(void) {
    static const uint64_t nowhere[] = {1, PAGE - 1, PAGE + 8, ~0ull};
    char *p = map(2 * PAGE, RW, PRIVATE);
    uint64_t a = ARG(p), limit = USER_LIMIT;
#define MMAP(addr, n, prot, flags, fd, offset) \
    (long)sys_mmap((void *)(addr), n, (int)(prot), (int)(flags), fd, (int64_t)(offset))
    EXPECT(MMAP(0, 0, RW, PRIVATE, -1, 0), -EINVAL);
    EXPECT(MMAP(0, PAGE, 8, PRIVATE, -1, 0), -EINVAL);
    EXPECT(MMAP(0, PAGE, RW, ABI_MAP_ANONYMOUS, -1, 0), -EINVAL);
    EXPECT(MMAP(0, PAGE, RW, SHARED | PRIVATE, -1, 0), -EINVAL);
    EXPECT(MMAP(0, PAGE, RW, PRIVATE | 0x40, -1, 0), -EINVAL);
    EXPECT(MMAP(0, PAGE, RW, PRIVATE, -1, 1), -EINVAL);
    EXPECT(MMAP(a + 1, PAGE, RW, PRIVATE | ABI_MAP_FIXED, -1, 0), -EINVAL);
    EXPECT(MMAP(limit, PAGE, RW, PRIVATE | ABI_MAP_FIXED, -1, 0), -ENOMEM);
    EXPECT(MMAP(limit - PAGE, PAGE + 1, RW, PRIVATE | ABI_MAP_FIXED, -1, 0), -ENOMEM);
    EXPECT(MMAP(0, ~0ull, RW, PRIVATE, -1, 0), -ENOMEM);
    EXPECT(MMAP(0, ~0ull - PAGE, RW, SHARED, -1, 0), -ENOMEM);
    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        void *at = opaque(nowhere[i]);
        EXPECT(sys_munmap(at, PAGE), -EINVAL);
        EXPECT(sys_mprotect(at, PAGE, RW), -EINVAL);
        EXPECT(sys_madvise(at, PAGE, 0), -EINVAL);
        EXPECT(sys_msync(at, PAGE, 0), -EINVAL);
    }
    EXPECT(sys_munmap(p, 0), -EINVAL);
    EXPECT(sys_munmap(p, ~0ull), -EINVAL);
    EXPECT(sys_munmap(opaque(limit), PAGE), -EINVAL);
    EXPECT(sys_mprotect(p, 3 * PAGE, RW), -ENOMEM);
    EXPECT(sys_mprotect(p, PAGE, 16), -EINVAL);
    EXPECT(sys_mprotect(p, 0, RW), 0);
    EXPECT(sys_mprotect(opaque(DIRECT_MAP), PAGE, RW), -ENOMEM);
    EXPECT(sys_madvise(p, 3 * PAGE, ABI_MADV_WILLNEED), -ENOMEM);
    EXPECT(sys_madvise(p, PAGE, 77), -EINVAL);
    EXPECT(sys_madvise(p, 0, 77), -EINVAL);
    EXPECT(sys_madvise(p, 0, ABI_MADV_DONTNEED), 0);
    EXPECT(sys_msync(p, 3 * PAGE, ABI_MS_SYNC), -ENOMEM);
    EXPECT(sys_msync(p, PAGE, ABI_MS_SYNC | ABI_MS_ASYNC), -EINVAL);
    fill(p, 2 * PAGE, 16);
    CHECK(filled(p, 2 * PAGE, 16));
    unmap(opaque(0), limit > ~0u ? PAGE : PAGE); /* a program may unmap its own text */
}

static void every_call_into_mapped_memory(void) {
    static char *argv[] = {"echo", NULL, NULL};
    char *p = map(4 * PAGE, RW, SHARED), *q = map(4 * PAGE, RW, PRIVATE);
    int fd[2];
    make_file("f", 3 * PAGE, 17);
    int f = must_open("f", ABI_O_RDWR);
    read_all(f, p + 100, 3 * PAGE);
    CHECK(filled(p + 100, 3 * PAGE, 17));
    must_close(f);
    f = must_open("f", ABI_O_RDWR);
    write_all(f, p + 3 * PAGE, PAGE);
    must_close(f);
    must_pipe(fd);
    write_all(fd[1], p + 100, PAGE);
    read_all(fd[0], q + PAGE - 50, PAGE);
    CHECK(memcmp(q + PAGE - 50, p + 100, PAGE) == 0);
    strcpy(q + 2 * PAGE - 3, "/bin/echo");
    argv[1] = q + 2 * PAGE - 3;
    int pid = must_fork();
    if (pid == 0) {
        sys_close(1);
        sys_dup(fd[1]);
        sys_exec(argv[1], argv);
        sys_exit(EXEC_FAILED);
    }
    CHECK_EQ(reap(pid), 0);
    read_all(fd[0], p, 10);
    CHECK(memcmp(p, "/bin/echo\n", 10) == 0);
}

/* Random changes beside a model of what each page is. */
static void random_changes(void) {
    enum { N = 64 };
    static signed char prot[N]; /* -1: nothing */
    static char value[N];
    char *base = map(N * PAGE, RW, PRIVATE);
    uint32_t seed = 12345;
    for (int i = 0; i < N; i++)
        prot[i] = RW;
    for (int round = 0; round < 3000; round++) {
        int at = next_random(&seed) % N, n = 1 + next_random(&seed) % (N - at);
        int what = next_random(&seed) % 6, p = "\0\1\3"[next_random(&seed) % 3];
        char *start = base + at * PAGE;
        if (what == 0)
            unmap(start, n * PAGE);
        else if (what == 1)
            CHECK(map_at(start, n * PAGE, p, PRIVATE | ABI_MAP_FIXED) == start);
        for (int i = at; i < at + n; i++) {
            char *page = base + i * PAGE;
            if (what <= 1) {
                prot[i] = what == 0 ? -1 : (signed char)p;
                value[i] = 0;
            } else if (what == 2) {
                CHECK_EQ(sys_mprotect(page, PAGE, p), prot[i] < 0 ? -ENOMEM : 0);
                prot[i] = prot[i] < 0 ? -1 : (signed char)p;
            } else if (prot[i] == RW) {
                CHECK_EQ(page[9], value[i]);
                page[9] = value[i] = (char)round;
            } else if (prot[i] > 0) {
                CHECK_EQ(page[9], value[i]);
            } else if (round % 50 == 0) {
                CHECK(!can(load, page));
            }
        }
    }
}

const struct test mmap_tests[] = {
    {"mmap_private", private_memory, false},
    {"mmap_shared", shared_memory, false},
    {"mmap_places", places, false},
    {"mmap_permissions", permissions, false},
    {"mmap_code", code, false},
    {"mmap_large", large, false},
    {"mmap_many", many, false},
    {"mmap_advice", advice, false},
    {"mmap_lazy_protected", lazy_protected, false},
    {"mmap_promises", promises, false},
    {"mmap_wrong_arguments", wrong_arguments, false},
    {"mmap_into_calls", every_call_into_mapped_memory, false},
    {"mmap_random", random_changes, false},
    {NULL, NULL, false},
};
