/* Memory that was granted and not promised: sbrk's second argument, mmap with MAP_NORESERVE, and
 * the boot argument commit=lazy, under which all memory is granted so. */
#include "test.h"
#include <string.h>

#define GB (1ul << 30)

static uint64_t stride; /* between touched pages of a GiB: what is touched is there */

static void choose_stride(void) {
    stride = MB / 4;
    while (GB / stride > frames_left() / 8)
        stride *= 2;
}

/* The region that an address is in, as the kernel tells it. */
static const struct abi_vmregion *region_at(const void *p) {
    static struct abi_vmregion r[32];
    int n = sys_vmregions(0, r, 32);
    for (int i = 0; i < n; i++)
        if ((uint64_t)p >= r[i].start && (uint64_t)p < r[i].end)
            return &r[i];
    FAIL("no region at 0x%lx", (long)p);
}

/* Whether the machine was booted with commit=lazy. */
static bool all_lazy(void) { return region_at(&stride)->flags & ABI_VM_LAZY; }

static char *lazy_gib(void) {
    char *brk = sys_sbrk(0), *start = sys_sbrklazy(GB);
    CHECK(start == brk && sys_sbrk(0) == start + GB);
    choose_stride();
    return start;
}

static void touch(uint64_t a) { *(volatile char *)opaque(a) = 1; }

static void write_marks(char *start, char add) {
    for (uint64_t at = 0; at < GB; at += stride)
        start[at] = at / stride + add;
}

static bool has_marks(const char *start, char add) {
    for (uint64_t at = 0; at < GB; at += stride)
        if (start[at] != (char)(at / stride + add))
            return false;
    return true;
}

/* ---- a GiB on a machine that may have less ---- */
static void lazy_alloc(void) {
    char *start = lazy_gib();
    for (uint64_t at = 0; at < GB; at += stride)
        CHECK_MSG(start[at] == 0, "not zero at 0x%lx", (long)at);
    write_marks(start, 1);
    CHECK(has_marks(start, 1));
    CHECK_EQ(region_at(start + GB - 1)->flags & ABI_VM_LAZY, 1);
    CHECK(start[GB - 1] == 0);
}

/* Given back in children, here and there; what is left is as it was, also the parent's. */
static void lazy_unmap(void) {
    char *start = lazy_gib();
    write_marks(start, 5);
    for (unsigned eighth = 0; eighth < 8; eighth += 3) {
        uint64_t kept = GB / 8 * eighth;
        int pid = must_fork();
        if (pid == 0) {
            CHECK(sys_sbrk(-(int)(GB - kept)) == start + GB && sys_sbrk(0) == start + kept);
            for (uint64_t at = 0; at < kept; at += stride)
                CHECK(start[at] == (char)(at / stride + 5));
            touch((uint64_t)start + kept + stride); /* ends it: given back */
            sys_exit(0);
        }
        CHECK_EQ(reap(pid), KILLED);
    }
    CHECK(has_marks(start, 5));
    give_back(GB);
    CHECK_EQ(run_child(touch, (uint64_t)start), KILLED);
    start = lazy_gib();
    CHECK(start[0] == 0 && start[stride] == 0);
}

/* fork with a huge heap; parent and child write what the other does not see; calls work on
 * pages that nobody has touched, up to the end and no further. */
static void lazy_copy(void) {
    char *start = lazy_gib(), *end = start + GB;
    write_marks(start, 9);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(has_marks(start, 9));
        for (uint64_t at = 0; at < GB; at += 4 * stride)
            start[at] = 77;
        sys_exit(0);
    }
    start[8 * stride] = 78;
    CHECK_EQ(reap(pid), 0);
    start[8 * stride] = 8 + 9;
    CHECK(has_marks(start, 9));

    make_file("f", 3 * PAGE, 4);
    int in = must_open("f", ABI_O_RDWR), p[2];
    read_all(in, start + stride - PAGE - 100, 3 * PAGE); /* untouched, touched, untouched */
    CHECK(filled(start + stride - PAGE - 100, 3 * PAGE, 4));
    CHECK_EQ(sys_write(in, end - PAGE, PAGE), PAGE); /* untouched */
    must_close(in);
    must_pipe(p);
    write_all(p[1], end - 3 * PAGE, PAGE);
    read_all(p[0], end - 5 * PAGE, PAGE);
    CHECK(all_zero(end - 5 * PAGE, PAGE));
    CHECK_EQ(sys_write(p[1], end, 1), -1);
    CHECK_EQ(sys_write(p[1], end - 1, 1), 1);
    CHECK_EQ(sys_read(p[0], end, 1), -1);
    CHECK_EQ(sys_open(end, ABI_O_RDONLY), -1);
}

/* Where the break is; what is eager; what fails. */
static void lazy_sbrk(void) {
    char *start = sys_sbrk(0);
    CHECK(sys_sbrklazy(0) == start);
    CHECK(sys_sbrklazy(GB) == start);
    CHECK(sys_sbrklazy(GB) == start + GB);
    CHECK(sys_sbrk(0) == start + 2 * GB);
    CHECK(sys_sbrklazy(-(int)GB) == start + 2 * GB); /* given back at once, as without the flag */
    CHECK(sys_sbrk(-(int)GB) == start + GB);
    CHECK(sys_sbrk(0) == start);
    for (int i = 0; i < 1000; i++)
        if (sys_sbrklazy(0x7ffff000) == SBRK_FAILED)
            break;
    CHECK((uint64_t)sys_sbrk(0) <= USER_LIMIT);
    if (paging_levels == 3) { /* up to the limit of addresses */
        CHECK(sys_sbrklazy(0x7ffff000) == SBRK_FAILED);
    } else { /* beyond what Sv39 has */
        CHECK((uint64_t)sys_sbrk(0) > 1ULL << 40);
        char *last = (char *)sys_sbrk(0) - 1;
        *last = 1;
        CHECK_EQ(*last, 1);
    }
    give_back((uint64_t)sys_sbrk(0) - (uint64_t)start);
    bool lazy = all_lazy();
    uint64_t left = frames_left();
    static const uint64_t eager[] = {0, 1, 3, 0x100, ~0ull, 1ull << 32};
    for (unsigned i = 0; i < sizeof(eager) / sizeof(eager[0]); i++) {
        CHECK_EQ(ecall3(SYS_sbrk, 100 * PAGE, eager[i], 0), (long)start);
        CHECK(lazy ? frames_left() == left : frames_left() <= left - 100);
        must_sbrk(-100 * (int)PAGE);
    }
}

/* Granted in turns, on no page's border, more often than the kernel tells apart. */
static void lazy_in_turns(void) {
    char *start = sys_sbrk(0);
    uint64_t frames = frames_left();
    for (unsigned n = 0; n < 100; n++) {
        unsigned bytes = 5000 + 97 * n;
        char *p = n % 2 ? sys_sbrklazy(bytes) : sys_sbrk(bytes);
        CHECK(p != SBRK_FAILED && all_zero(p, bytes));
        if (n % 3)
            fill(p, bytes, n);
    }
    char *p = start;
    for (unsigned n = 0; n < 100; p += 5000 + 97 * n++)
        CHECK(n % 3 ? filled(p, 5000 + 97 * n, n) : all_zero(p, 5000 + 97 * n));
    while (sys_sbrk(0) > start + 4001)
        must_sbrk(-4001);
    CHECK(filled(start, 4001, 0) || all_zero(start, 4001));
    sys_sbrk(start - (char *)sys_sbrk(0));
    CHECK(frames_left() + 2 >= frames); /* the page below the first break, and its table */
}

/* ---- when there is no memory for what was granted ---- */
#define ENOUGH 4096 /* pages that such a test has: to touch a GiB takes minutes under emulation */

/* All but ENOUGH pages are promised to a process that touches none of them, and ends when the
 * caller does or kills it; its number. 0 when memory is small, or nothing is ever promised. */
static int promise_the_rest(void) {
    if (all_lazy() || frames_left() <= ENOUGH)
        return 0;
    int ready[2], end[2];
    char c;
    must_pipe(ready);
    must_pipe(end);
    int pid = must_fork();
    if (pid == 0) {
        must_close(end[1]);
        for (uint64_t more; frames_left() > ENOUGH; must_sbrk(more * PAGE)) {
            more = frames_left() - ENOUGH;
            more = more < GB / PAGE ? more : GB / PAGE;
        }
        write_all(ready[1], "r", 1);
        sys_read(end[0], &c, 1);
        sys_exit(0);
    }
    read_all(ready[0], &c, 1);
    must_close(ready[0]);
    must_close(ready[1]);
    must_close(end[0]); /* end[1] stays open as long as the caller and its children are there */
    return pid;
}

static void end_promise(int pid) {
    if (pid > 0) {
        CHECK_EQ(sys_kill(pid), 0);
        CHECK_EQ(reap(pid), KILLED);
    }
}

static uint64_t pages_granted(void) { return (frames_left() + 1000) * PAGE; }

/* Touches lazy pages until the next one cannot be had. */
static char *touch_all_memory(void) {
    uint64_t bytes = pages_granted(), got = 0;
    char *start = sys_sbrk(0);
    for (uint64_t step; got < bytes; got += step) {
        step = bytes - got < GB ? bytes - got : GB;
        CHECK(sys_sbrklazy(step) != SBRK_FAILED);
    }
    char *p = start;
    for (uint64_t left; (left = frames_left()) > 0;)
        for (uint64_t n = left < 64 ? 1 : left / 8 * 7; n > 0; n--) /* tables take some, too */
            touch((uint64_t)(p += PAGE));
    return p;
}

static void touch_too_much(uint64_t unused) {
    char *p = touch_all_memory();
    for (int i = 1; i < 1000; i++)
        touch((uint64_t)(p + i * PAGE));
}

/* Who touches too much is killed, nobody else: what was promised is there. */
static void lazy_killed_alone(void) {
    int holder = promise_the_rest();
    uint64_t left = frames_left();
    unsigned pages = 300, lazy = all_lazy();
    char *promised = must_sbrk(pages * PAGE);
    for (unsigned i = 0; lazy && i < pages; i++)
        promised[i * PAGE] = 0; /* nothing is promised here, so it must be there before */
    int go[2], touched[2];
    char c;
    must_pipe(go);
    must_pipe(touched);
    int pid = must_fork();
    if (pid == 0) {
        touch_all_memory();
        write_all(touched[1], "t", 1);
        read_all(go[0], &c, 1);
        sys_exit(3);
    }
    read_all(touched[0], &c, 1);
    for (unsigned i = 0; !lazy && i < pages; i++) /* while the other has all the rest */
        promised[i * PAGE] = i;
    write_all(go[1], "g", 1);
    CHECK_EQ(reap(pid), 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(run_child(touch_too_much, 0), KILLED);
    must_close(go[0]);
    must_close(go[1]);
    must_close(touched[0]);
    must_close(touched[1]);
    must_sbrk(-(int)(pages * PAGE));
    CHECK(frames_left() + 4 >= left);
    end_promise(holder);
}

/* Where the kernel would touch, the call fails and the process goes on. */
static void read_into_nothing(uint64_t fd) {
    static char byte; /* present before memory is gone */
    byte = 1;
    char *p = touch_all_memory();
    CHECK_EQ(sys_read(fd, p + PAGE, PAGE), -1);
    CHECK_EQ(sys_write(fd, p + 2 * PAGE, 1), -1);
    CHECK_EQ(sys_pipe((int *)(p + PAGE)), -1);
    CHECK_EQ(sys_open(p + PAGE, ABI_O_RDONLY), -1);
    CHECK_EQ(sys_fork(), -1);
    CHECK_EQ(sys_read(fd, p - 600, 600), 600); /* all of it is there */
    sys_sbrk(-(int)PAGE);
    CHECK_EQ(sys_read(fd, &byte, 1), 1);
}

static void lazy_copy_fails(void) {
    int holder = promise_the_rest();
    make_file("f", PAGE, 3);
    int fd = must_open("f", ABI_O_RDWR);
    CHECK_EQ(run_child(read_into_nothing, fd), 0);
    end_promise(holder);
}

/* A page that is shared after fork, with no memory for a copy: who writes it is killed; who
 * moves the break into it is refused; the last one that has it needs none. */
static void write_shared(uint64_t p) {
    char *brk = sys_sbrk(0);
    touch_all_memory();
    CHECK(sys_sbrk((char *)p + 10 - (char *)sys_sbrk(0)) == SBRK_FAILED);
    CHECK(sys_sbrk(0) > brk);
    touch(p);
}

static void lazy_shared_page(void) {
    int holder = promise_the_rest();
    char *p = sys_sbrklazy(4 * PAGE);
    fill(p, 2 * PAGE, 6);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(run_child(write_shared, (uint64_t)p), KILLED);
    CHECK(filled(p, 2 * PAGE, 6));
    must_sbrk(p + 10 - (char *)sys_sbrk(0));
    must_sbrk(PAGE);
    CHECK(all_zero(p + 10, PAGE - 10));
    end_promise(holder);
}

/* Memory that is promised begins in a page that was not: the child's copy of that page is
 * promised, too. */
static void lazy_then_promised(void) {
    int go[2];
    char c;
    for (int touched = 0; touched < 2; touched++) {
        must_pipe(go);
        sys_sbrk((PAGE - (uint64_t)sys_sbrk(0) % PAGE) % PAGE);
        char *lazy = sys_sbrklazy(PAGE + 100), *p = must_sbrk(3 * PAGE);
        if (touched)
            memset(lazy, 1, PAGE + 100);
        memset(p, 2, 2 * PAGE);
        int pid = must_fork();
        if (pid == 0) {
            read_all(go[0], &c, 1);
            memset(p, 3, 3 * PAGE);
            sys_exit(lazy[PAGE + 99] == touched && p[0] == 3 ? 0 : 1);
        }
        if (all_lazy()) {
            write_all(go[1], "g", 1);
        } else {
            uint64_t got = take_all_memory();
            write_all(go[1], "g", 1);
            CHECK_EQ(reap(pid), 0);
            pid = 0;
            give_back(got);
        }
        if (pid)
            CHECK_EQ(reap(pid), 0);
        CHECK(p[0] == 2 && p[3 * PAGE - 1] == 0);
        must_close(go[0]);
        must_close(go[1]);
    }
}

/* ---- mapped without a promise ---- */

#define UNPROMISED (ABI_MAP_PRIVATE | ABI_MAP_ANONYMOUS | ABI_MAP_NORESERVE)
#define READ_WRITE (ABI_PROT_READ | ABI_PROT_WRITE)

static char *mapped(uint64_t bytes, int prot, int flags) {
    return (char *)sys_mmap(0, bytes, prot, flags, -1, 0);
}

/* At once, or when it may be written later, also in parts; a fork does not promise it either. */
static void lazy_mapped(void) {
    uint64_t before = frames_left();
    char *start = mapped(GB, READ_WRITE, UNPROMISED), *later = mapped(GB, 0, UNPROMISED);
    CHECK((long)start > 0 && (long)later > 0);
    choose_stride();
    CHECK_EQ(sys_mprotect(later, GB / 2, READ_WRITE), 0);
    CHECK_EQ(sys_mprotect(later + GB / 2, GB / 2, READ_WRITE), 0);
    CHECK_EQ(region_at(start)->flags & ABI_VM_LAZY, ABI_VM_LAZY);
    CHECK_EQ(region_at(later + GB - 1)->flags & ABI_VM_LAZY, ABI_VM_LAZY);
    write_marks(start, 3);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(has_marks(start, 3) && later[GB / 2] == 0);
        later[GB - 1] = 1;
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(later[GB - 1] == 0);
    CHECK_EQ(sys_munmap(start, GB), 0);
    CHECK_EQ(sys_munmap(later, GB), 0);
    CHECK(frames_left() + 8 > before); /* records of mappings */
}

/* What is shared, and what is mapped without the wish, is promised. */
static void promised_beside_lazy(void) {
    uint64_t pages = frames_left() / 2;
    char *lazy = mapped(MB, READ_WRITE, UNPROMISED);
    CHECK((long)lazy > 0);
    CHECK((long)mapped(16 * GB, READ_WRITE,
                       ABI_MAP_SHARED | ABI_MAP_ANONYMOUS | ABI_MAP_NORESERVE) == -ENOMEM);
    uint64_t left = frames_left();
    CHECK((long)mapped(pages * PAGE, READ_WRITE, ABI_MAP_PRIVATE | ABI_MAP_ANONYMOUS) > 0);
    CHECK(all_lazy() || frames_left() <= left - pages);
    CHECK_EQ(region_at(lazy)->flags & ABI_VM_LAZY, ABI_VM_LAZY);
}

/* ---- copy on write of most of RAM ---- */
/* With two thirds of memory touched, fork is refused when all is promised; else both have
 * it, as long as they write little. */
static void most_of_memory_forks(void) {
    uint64_t pages = frames_left() * 2 / 3, at;
    char *start = sys_sbrk(0);
    for (at = 0; at < pages; at += 4096)
        must_sbrk(PAGE * (pages - at < 4096 ? pages - at : 4096));
    for (at = 0; at < pages; at++)
        *(uint64_t *)(start + at * PAGE) = at;
    int pid = sys_fork();
    if (pid == 0) {
        for (at = 0; at < pages; at++)
            CHECK_EQ(*(uint64_t *)(start + at * PAGE), at);
        for (at = 0; at < pages; at += 16)
            *(uint64_t *)(start + at * PAGE) = 0;
        sys_exit(5);
    }
    if (!all_lazy()) {
        CHECK_EQ(pid, -1);
        return;
    }
    CHECK(pid > 0);
    for (at = 8; at < pages; at += 16)
        *(uint64_t *)(start + at * PAGE) += 1;
    CHECK_EQ(reap(pid), 5);
    for (at = 0; at < pages; at++)
        CHECK_EQ(*(uint64_t *)(start + at * PAGE), at + (at % 16 == 8));
}

const struct test lazy_tests[] = {
    {"lazy_alloc", lazy_alloc, false},
    {"lazy_unmap", lazy_unmap, false},
    {"lazy_copy", lazy_copy, false},
    {"lazy_sbrk", lazy_sbrk, false},
    {"lazy_in_turns", lazy_in_turns, false},
    {"lazy_killed_alone", lazy_killed_alone, false},
    {"lazy_copy_fails", lazy_copy_fails, false},
    {"lazy_shared_page", lazy_shared_page, false},
    {"lazy_then_promised", lazy_then_promised, false},
    {"lazy_mapped", lazy_mapped, false},
    {"promised_beside_lazy", promised_beside_lazy, false},
    {"most_of_memory_forks", most_of_memory_forks, true},
    {0},
};
