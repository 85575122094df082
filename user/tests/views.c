/* The kernel's view of a process's memory against the process's own: after every
 * change of one the other must agree (pitfalls 1, 7, 8, 11, 18, 19). A file and a
 * pipe stand for the two ways in which the kernel moves bytes. */
#include "test.h"
#include <string.h>

static char *pages(int n) {
    uint64_t brk = (uint64_t)sys_sbrk(0);
    must_sbrk((PAGE - brk % PAGE) % PAGE);
    return must_sbrk(n * PAGE);
}

static void shrunk_is_gone(void) {
    int p[2];
    char *a = pages(4);
    memset(a, 's', 4 * PAGE);
    must_pipe(p);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    write_all(fd, a, 4 * PAGE);
    must_sbrk(-2 * (int)PAGE);
    for (unsigned at = 2 * PAGE; at < 4 * PAGE; at += PAGE / 2) {
        CHECK_EQ(sys_write(fd, a + at, 1), -1);
        CHECK_EQ(sys_write(p[1], a + at, 1), -1);
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        CHECK_EQ(sys_read(fd, a + at, 1), -1);
        CHECK_EQ(sys_fstat(fd, (struct stat *)(a + at)), -1);
        CHECK_EQ(sys_open(a + at, ABI_O_RDONLY), -1);
    }
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    read_all(fd, a, 2 * PAGE);
}

/* Another process has the frames by now; the kernel must not see them. */
static void shrunk_frames_of_another(void) {
    int go[2], done[2];
    char c;
    must_pipe(go);
    must_pipe(done);
    int pid = must_fork();
    if (pid == 0) {
        read_all(go[0], &c, 1);
        memset(must_sbrk(64 * PAGE), 'S', 64 * PAGE);
        write_all(done[1], &c, 1);
        read_all(go[0], &c, 1);
        sys_exit(0);
    }
    char *a = pages(64);
    memset(a, 'm', 64 * PAGE);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    write_all(fd, a, 4096);
    must_sbrk(-64 * (int)PAGE);
    write_all(go[1], "1", 1);
    read_all(done[0], &c, 1);
    for (int i = 0; i < 64; i++) {
        CHECK_EQ(sys_write(fd, a + i * PAGE, 16), -1);
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        CHECK_EQ(sys_read(fd, a + i * PAGE, 16), -1);
    }
    a = pages(64);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    for (int i = 0; i < 64; i++) {
        write_all(fd, a + i * PAGE, 64);
        CHECK(all_zero(a + i * PAGE, PAGE));
    }
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    read_all(fd, scratch, 4096);
    CHECK(all_zero(scratch, 4096));
    write_all(go[1], "2", 1);
    CHECK_EQ(reap(pid), 0);
}

/* Regrown pages are zero, also when the kernel looks first. */
static void regrown_is_zero_to_kernel(void) {
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    char *a = pages(2);
    for (int round = 0; round < 10; round++) {
        memset(a, 0xee, 2 * PAGE);
        write_all(fd, a + PAGE, 100);
        must_sbrk(-(int)PAGE);
        must_sbrk(PAGE);
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        write_all(fd, a + PAGE, PAGE);
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        read_all(fd, scratch, PAGE);
        CHECK(all_zero(scratch, PAGE));
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    }
}

/* The user writes, the kernel reads; the kernel writes, the user reads; with the
 * page taken away and given again in between, so a stale translation shows. */
static void shrink_grow_agree(void) {
    int p[2];
    must_pipe(p);
    char *a = pages(1);
    for (int i = 0; i < 200; i++) {
        fill(a, 256, i);
        write_all(p[1], a, 256);
        must_sbrk(-(int)PAGE);
        CHECK(sys_sbrk(PAGE) == a);
        if (i % 2)
            read_all(p[0], a, 256);
        else
            read_all(p[0], scratch, 256);
        CHECK(filled(i % 2 ? (void *)a : scratch, 256, i));
        if (i % 2 == 0)
            CHECK(all_zero(a, 256));
    }
}

static void first_touch_by_kernel(void) {
    make_file("f", 3 * PAGE, 4);
    int fd = must_open("f", ABI_O_RDONLY);
    char *a = pages(8);
    read_all(fd, a + 100, 3 * PAGE);
    CHECK(filled(a + 100, 3 * PAGE, 4));
    CHECK(all_zero(a, 100));
    CHECK(all_zero(a + 100 + 3 * PAGE, PAGE - 100));
    int p[2];
    must_pipe(p);
    write_all(p[1], a + 5 * PAGE - 500, 1000);
    read_all(p[0], a + 6 * PAGE, 1000);
    CHECK(all_zero(a + 6 * PAGE, 1000));
}

/* bss pages that nobody has touched */
static char untouched[16 * 4096] __attribute__((aligned(4096)));
static void first_touch_of_bss(void) {
    make_file("f", 3 * PAGE, 5);
    int fd = must_open("f", ABI_O_RDWR);
    read_all(fd, untouched + 4096 - 7, 3 * PAGE);
    CHECK(filled(untouched + 4096 - 7, 3 * PAGE, 5));
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    write_all(fd, untouched + 8 * 4096, 2 * PAGE);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    read_all(fd, scratch, 2 * PAGE);
    CHECK(all_zero(scratch, 2 * PAGE));
}

static void load(uint64_t a) { (void)*(volatile char *)opaque(a); }
static void store(uint64_t a) { *(volatile char *)opaque(a) = 1; }

static void guard_page_user(void) {
    uint64_t guard = stack_page() - PAGE;
    for (unsigned at = 0; at < PAGE; at += PAGE / 4) {
        CHECK_EQ(run_child(load, guard + at), KILLED);
        CHECK_EQ(run_child(store, guard + at), KILLED);
    }
    CHECK_EQ(run_child(load, guard + PAGE - 1), KILLED);
    CHECK_EQ(run_child(load, guard + PAGE), 0);
}

static void guard_page_kernel(void) {
    uint64_t guard = stack_page() - PAGE;
    int p[2];
    must_pipe(p);
    make_file("f", 10, 6);
    int fd = must_open("f", ABI_O_RDWR);
    for (unsigned at = 0; at < PAGE; at += PAGE - 1) {
        char *a = opaque(guard + at);
        CHECK_EQ(sys_write(fd, a, 1), -1);
        CHECK_EQ(sys_read(fd, a, 1), -1);
        CHECK_EQ(sys_write(p[1], a, 1), -1);
        CHECK_EQ(sys_open(a, ABI_O_RDONLY), -1);
        CHECK_EQ(sys_fstat(fd, (struct stat *)a), -1);
        CHECK_EQ(sys_pipe((int *)a), -1);
    }
    /* from the guard page into the stack */
    CHECK_EQ(sys_fstat(fd, (struct stat *)opaque(guard + PAGE - 8)), -1);
    check_file("f", 10, 6);
}

static void overflow_stack(uint64_t depth) {
    char frame[256];
    char *whole = opaque((uint64_t)frame); /* of what is not used a compiler makes less */
    memset(whole, (int)depth, sizeof(frame));
    if (depth > 0)
        overflow_stack(depth - 1);
    whole[1] = whole[0];
}

static void stack_overflow_kills(void) {
    CHECK_EQ(run_child(overflow_stack, 2), 0);
    CHECK_EQ(run_child(overflow_stack, 100), KILLED);
}

/* A store in user mode and one by the kernel into a page shared after fork, in
 * both processes and both orders: neither sees the other's. */
static void kernel_write_after_fork(void) {
    static char shared[3 * 4096] __attribute__((aligned(4096)));
    int p[2], back[2];
    for (int order = 0; order < 4; order++) {
        memset(shared, 'o', sizeof(shared));
        must_pipe(p);
        must_pipe(back);
        write_all(p[1], "kernelKERNEL", 12);
        int pid = must_fork();
        if (pid == 0) {
            char c;
            if (order & 1)
                read_all(back[0], &c, 1);
            read_all(p[0], shared + 4096 - 3, 6);
            CHECK(memcmp(shared + 4096 - 3, "kernel", 6) == 0);
            CHECK_EQ(shared[0], 'o');
            write_all(back[1], "x", 1);
            sys_exit(0);
        }
        if (order & 1) {
            CHECK_EQ(shared[4096], 'o');
            shared[4096] = 'P';
            write_all(back[1], "g", 1);
        }
        if (order & 2)
            shared[0] = 'p';
        CHECK_EQ(reap(pid), 0);
        CHECK_EQ(shared[0], order & 2 ? 'p' : 'o');
        CHECK_EQ(shared[4096], order & 1 ? 'P' : 'o');
        CHECK_EQ(shared[4096 - 1], 'o');
        read_all(p[0], shared + 4096 - 3, 6);
        CHECK(memcmp(shared + 4096 - 3, "KERNEL", 6) == 0);
        for (int i = 0; i < 2; i++) {
            must_close(p[i]);
            must_close(back[i]);
        }
    }
}

/* What the kernel writes for the parent after a fork, the parent having touched
 * nothing, a child that lives on does not see. */
static void kernel_write_of_parent(void) {
    static char shared[4 * 4096] __attribute__((aligned(4096)));
    int go[2], p[2];
    char c;
    must_pipe(go);
    must_pipe(p);
    memset(shared, 'o', sizeof(shared));
    write_all(p[1], "kernel", 6);
    int pid = must_fork();
    if (pid == 0) {
        read_all(go[0], &c, 1);
        for (unsigned i = 0; i < sizeof(shared); i++)
            CHECK_MSG(shared[i] == 'o', "byte %u is the parent's", i);
        sys_exit(0);
    }
    read_all(p[0], shared + 2 * 4096 - 3, 6);
    CHECK(memcmp(shared + 2 * 4096 - 3, "kernel", 6) == 0);
    write_all(go[1], "1", 1);
    CHECK_EQ(reap(pid), 0);
}

/* Shrunk by a child after fork: the parent still has its pages. */
static void shrink_page_of_parent(uint64_t unused) { must_sbrk(-4 * (int)PAGE); }

static void shrink_after_fork(void) {
    char *a = pages(4);
    fill(a, 4 * PAGE, 7);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(run_child(shrink_page_of_parent, 0), 0);
    CHECK(filled(a, 4 * PAGE, 7));
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    write_all(fd, a, 4 * PAGE);
    must_close(fd);
    check_file("f", 4 * PAGE, 7);
}

const struct test views_tests[] = {
    {"shrunk_is_gone", shrunk_is_gone, false},
    {"shrunk_frames_of_another", shrunk_frames_of_another, false},
    {"regrown_is_zero_to_kernel", regrown_is_zero_to_kernel, false},
    {"shrink_grow_agree", shrink_grow_agree, false},
    {"first_touch_by_kernel", first_touch_by_kernel, false},
    {"first_touch_of_bss", first_touch_of_bss, false},
    {"guard_page_user", guard_page_user, false},
    {"guard_page_kernel", guard_page_kernel, false},
    {"stack_overflow_kills", stack_overflow_kills, false},
    {"kernel_write_after_fork", kernel_write_after_fork, false},
    {"kernel_write_of_parent", kernel_write_of_parent, false},
    {"shrink_after_fork", shrink_after_fork, false},
    {0},
};
