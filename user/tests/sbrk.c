/* sbrk: what it grants, refuses, zeroes and gives back. */
#include "test.h"
#include <string.h>

static char *page_aligned_break(void) {
    uint64_t brk = (uint64_t)sys_sbrk(0);
    return must_sbrk((PAGE - brk % PAGE) % PAGE) + (PAGE - brk % PAGE) % PAGE;
}

static void grow_and_shrink(void) {
    char *start = sys_sbrk(0);
    for (int n = 1; n < 300000; n = n * 3 + 1) {
        CHECK(sys_sbrk(n) == start);
        CHECK(sys_sbrk(0) == start + n);
        start[0] = start[n - 1] = 'x';
        CHECK(sys_sbrk(-n) == start + n);
        CHECK(sys_sbrk(0) == start);
    }
}

static void byte_by_byte(void) {
    char *start = sys_sbrk(0);
    for (int i = 0; i < 5000; i++) {
        CHECK(sys_sbrk(1) == start + i);
        CHECK_EQ(start[i], 0);
        start[i] = 1;
    }
    for (int i = 5000; i > 0; i--)
        CHECK(sys_sbrk(-1) == start + i);
    CHECK(sys_sbrk(0) == start);
}

static void fresh_is_zero(void) {
    char *p = page_aligned_break();
    for (int round = 0; round < 5; round++) {
        must_sbrk(40 * PAGE);
        CHECK(all_zero(p, 40 * PAGE));
        memset(p, 0xa5, 40 * PAGE);
        must_sbrk(-40 * (int)PAGE);
    }
}

/* Give back some pages, take them again: zero; those that stayed: as they were. */
static void regrow_is_zero(void) {
    char *p = page_aligned_break();
    must_sbrk(10 * PAGE);
    fill(p, 10 * PAGE, 1);
    must_sbrk(-4 * (int)PAGE);
    must_sbrk(4 * PAGE);
    CHECK(all_zero(p + 6 * PAGE, 4 * PAGE));
    CHECK(filled(p, 6 * PAGE, 1));
}

/* The same in the middle of a page. */
static void regrow_part_of_page(void) {
    char *p = page_aligned_break();
    must_sbrk(100);
    fill(p, 100, 2);
    must_sbrk(-50);
    CHECK(filled(p, 50, 2));
    must_sbrk(50);
    CHECK(filled(p, 50, 2));
    CHECK_MSG(all_zero(p + 50, 50), "bytes given back show again");
    must_sbrk(PAGE);
    CHECK(all_zero(p + 100, PAGE));
}

/* Heaps of some MiB may be mapped by large pages: cut them anywhere. */
static void shrink_inside_large(void) {
    unsigned size = frames_left() > 6 * 1024 ? 12 * MB : 5 * MB;
    page_aligned_break();
    uint64_t brk = (uint64_t)sys_sbrk(0);
    must_sbrk((2 * MB - brk % (2 * MB)) % (2 * MB));
    char *p = must_sbrk(size);
    CHECK_EQ((uint64_t)p % (2 * MB), 0);
    for (unsigned at = 0; at < size; at += PAGE)
        *(unsigned *)(p + at) = at ^ 0x5a5a5a5a;
    static const unsigned cuts[] = {PAGE, 3 * PAGE + 8, 200 * PAGE, 2 * MB - PAGE, 2 * MB, 100};
    unsigned left = size;
    for (unsigned i = 0; i < sizeof(cuts) / sizeof(cuts[0]) && cuts[i] < left; i++) {
        must_sbrk(-(int)cuts[i]);
        left -= cuts[i];
        for (unsigned at = 0; at + 4 <= left; at += PAGE)
            CHECK_MSG(*(unsigned *)(p + at) == (at ^ 0x5a5a5a5a), "lost at %u after cut %u", at, i);
        unsigned border = (left + PAGE - 1) & ~(PAGE - 1);
        CHECK_EQ(sys_write(1, p + border, 1), -1);
    }
    must_sbrk(size - left);
    for (unsigned at = (left + PAGE - 1) & ~(PAGE - 1); at < size; at += PAGE)
        CHECK_MSG(*(unsigned *)(p + at) == 0, "not zero at %u after regrowing", at);
}

/* The break is moved down into the middle of a page that is in no region, between the stack
 * and the heap. All that is granted from there on can be used. */
static void regrow_between(void) {
    uint64_t to[] = {(uint64_t)sys_sbrk(0) - 100, (uint64_t)sys_sbrk(0) - 5 * PAGE - 8,
                     stack_page() + 3 * PAGE + 100};
    for (unsigned i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
        must_sbrk((int)(to[i] - (uint64_t)sys_sbrk(0)));
        char *p = must_sbrk(2 * PAGE);
        CHECK_EQ((uint64_t)p, to[i]);
        CHECK(all_zero(p, 2 * PAGE));
        memset(p, 1, 2 * PAGE);
        must_sbrk(-2 * (int)PAGE);
    }
}

/* As in xv6, where it is the stack's. */
static void byte_below_break(void) {
    CHECK(sys_sbrk(INT32_MIN + 4) == SBRK_FAILED);
    volatile char *top = sys_sbrk(0);
    top[-1] = top[-1] + 1;
    int p[2];
    must_pipe(p);
    write_all(p[1], (char *)top - 1, 1);
    read_all(p[0], (char *)top - 1, 1);
}

static void below_zero(void) {
    char *brk = sys_sbrk(0);
    CHECK(sys_sbrk(-(int)(uint64_t)brk - 1) == SBRK_FAILED);
    CHECK(sys_sbrk(-0x7fffffff - 1) == SBRK_FAILED);
    CHECK(sys_sbrk(-0x7fffffff) == SBRK_FAILED);
    CHECK(sys_sbrk(0) == brk);
    scratch[0] = 1;
}

/* The largest argument either is granted, and then holds, or changes nothing. */
static void largest_argument(void) {
    char *brk = sys_sbrk(0);
    char *p = sys_sbrk(0x7fffffff);
    if (p == SBRK_FAILED) {
        CHECK_MSG(frames_left() < 530000, "sbrk(0x7fffffff) failed with %lu frames left",
                  (unsigned long)frames_left());
        CHECK(sys_sbrk(0) == brk);
    } else {
        CHECK(p == brk);
        p[0] = p[0x7ffffffe] = 'x';
        CHECK(sys_sbrk(-0x7fffffff) == p + 0x7fffffff);
    }
    CHECK(sys_sbrk(0) == brk);
}

/* Everything below the break given back, by a child: it can do nothing more in
 * memory, so the next instruction kills it, and only it. */
static void give_back_all(uint64_t unused) { sys_sbrk(-(int)(uint64_t)sys_sbrk(0)); }

/* Up to the start of the heap, and further into stack and program. */
static void give_back_into(uint64_t address) {
    uint64_t stack = stack_page();
    sys_sbrk((int)(address - (uint64_t)sys_sbrk(0)));
    *(volatile char *)opaque(stack) = 1;
}

static void give_back_program(void) {
    CHECK_EQ(run_child(give_back_all, 0), KILLED);
    CHECK_EQ(run_child(give_back_into, 1), KILLED);
    CHECK_EQ(run_child(give_back_into, PAGE), KILLED);
    CHECK_EQ(run_child(give_back_into, stack_page() + PAGE), 0);
    CHECK_EQ(run_child(give_back_into, stack_page()), KILLED);
    CHECK_EQ(run_child(give_back_into, stack_page() - PAGE), KILLED);
}

static void touch(uint64_t a) { *(volatile char *)opaque(a) = 1; }

/* In the same address space: no translation may outlive the page. */
static void give_back_and_touch(uint64_t a) {
    touch(a);
    must_sbrk(-(int)PAGE);
    touch(a);
}

static void past_break_kills(void) {
    char *p = page_aligned_break();
    CHECK_EQ(run_child(touch, (uint64_t)p), KILLED);
    must_sbrk(PAGE);
    CHECK_EQ(run_child(touch, (uint64_t)p), 0);
    CHECK_EQ(run_child(touch, (uint64_t)p + PAGE), KILLED);
    CHECK_EQ(run_child(touch, (uint64_t)p + 64 * PAGE), KILLED);
    p[0] = 1;
    must_sbrk(-(int)PAGE);
    CHECK_EQ(run_child(touch, (uint64_t)p), KILLED);
    p = must_sbrk(2 * PAGE) + PAGE;
    p[-1] = 1;
    CHECK_EQ(run_child(give_back_and_touch, (uint64_t)p), KILLED);
}

/* A heap that passes the physical address of a device (pitfall 10): the page
 * there is memory like any other, for the program and for the kernel, while
 * timer and disk go on. Where the machine has too little memory for it, sbrk
 * refuses and nothing has changed. */
static void pass_device(uint64_t device) {
    uint64_t brk = (uint64_t)sys_sbrk(0), start_at = device - 2 * PAGE, goal = device + 16 * PAGE;
    if (brk > start_at) { /* the heap begins above the device */
        CHECK((uint64_t)sys_sbrk(-(int)(brk - start_at)) == brk);
        brk = start_at;
    }
    uint64_t need = (goal - brk) / PAGE;
    bool fits = frames_left() > need + need / 256 + 64;
    while ((uint64_t)sys_sbrk(0) < goal) {
        uint64_t n = goal - (uint64_t)sys_sbrk(0);
        char *was = sys_sbrk(0);
        if (sys_sbrk(n < 16 * MB ? (int)n : (int)(16 * MB)) == SBRK_FAILED) {
            CHECK_MSG(!fits, "sbrk refused %lu frames though %lu are left", (unsigned long)need,
                      (unsigned long)frames_left());
            CHECK(sys_sbrk(0) == was);
            was[-1] = 1;
            sys_exit(1);
        }
    }
    int p[2];
    must_pipe(p);
    for (int i = -1; i < 16; i++) {
        char *page = opaque(device + i * (int64_t)PAGE);
        CHECK(all_zero(page, 64));
        fill(page, PAGE, i + 2);
        write_all(p[1], page, 1000);
        page[PAGE - 1] = 0;
        read_all(p[0], page + 2000, 1000);
        CHECK_MSG(filled(page + 2000, 1000, i + 2), "page %d", i);
    }
    int start = sys_uptime();
    CHECK_EQ(sys_sleep(2), 0);
    CHECK(sys_uptime() - start >= 2);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    for (int i = 0; i < 8; i++)
        write_all(fd, opaque(device + i * PAGE), PAGE);
    must_close(fd);
    fd = must_open("f", ABI_O_RDONLY);
    for (int i = 0; i < 8; i++) {
        read_all(fd, scratch, PAGE);
        CHECK_MSG(filled(scratch, 2000, i + 2), "page %d in a file", i);
    }
}

static void check_device(uint64_t device) {
    int pid = must_fork();
    if (pid == 0) {
        pass_device(device);
        sys_exit(0);
    }
    int status = reap(pid);
    if (status == 1)
        note("too little memory for a heap past 0x%lx: checked that sbrk refuses",
             (unsigned long)device);
    else
        CHECK_EQ(status, 0);
}

static void heap_past_test_device(void) { check_device(0x100000); }
static void heap_past_clint(void) { check_device(0x2000000); }
static void heap_past_plic(void) { check_device(0xc000000); }
static void heap_past_uart(void) { check_device(0x10000000); }
static void heap_past_ram_base(void) { check_device(0x80000000); }

/* Until nothing is granted any more. All that was granted can be touched; to
 * bound the time, of a machine with much memory the first 128 MiB and then one
 * page in 32 MiB, since a large leaf is cleared whole, but always the last byte. */
static void out_of_memory(void) {
    char *start = page_aligned_break();
    uint64_t got = take_all_memory();
    CHECK(got > 2 * MB);
    CHECK(sys_sbrk(0) == start + got);
    CHECK(sys_sbrk(PAGE) == SBRK_FAILED);
    CHECK(sys_sbrk(0) == start + got);
    for (uint64_t at = 0; at < got; at += at < 128 * MB ? PAGE : 32 * MB)
        *(uint64_t *)(start + at) = at ^ 0x123456789abcdef;
    start[got - 1] = 'z';
    for (uint64_t at = 0; at < got; at += at < 128 * MB ? PAGE : 32 * MB)
        CHECK_MSG(*(uint64_t *)(start + at) == (at ^ 0x123456789abcdef), "lost at 0x%lx", (long)at);
    CHECK(sys_sbrk(PAGE) == SBRK_FAILED);
    give_back(got);
    CHECK(sys_sbrk(0) == start);
    char *again = must_sbrk(MB);
    CHECK(again == start);
    CHECK(all_zero(again, MB));
}

/* The same, all touched by the kernel first. */
static void out_of_memory_by_kernel(void) {
    char *start = page_aligned_break();
    make_file("f", PAGE, 3);
    uint64_t got = take_all_memory();
    uint64_t most = got < 64 * MB ? got : 64 * MB;
    int fd = must_open("f", ABI_O_RDONLY);
    for (uint64_t at = 0; at + PAGE <= most; at += PAGE) {
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        CHECK_EQ(sys_read(fd, start + at, 512), 512);
    }
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    CHECK_EQ(sys_read(fd, start + got - PAGE, PAGE), PAGE);
    CHECK(filled(start + got - PAGE, PAGE, 3));
    give_back(got);
}

/* What is granted is reserved: with all memory promised to one process, another
 * gets -1 and is not killed, and gets memory again afterwards. */
static void promised_to_another(void) {
    int go[2], done[2];
    char c;
    must_pipe(go);
    must_pipe(done);
    int pid = must_fork();
    if (pid == 0) {
        read_all(go[0], &c, 1);
        char *brk = sys_sbrk(0);
        bool refused = sys_sbrk(64 * PAGE) == SBRK_FAILED && sys_sbrk(0) == brk;
        write_all(done[1], &c, 1);
        read_all(go[0], &c, 1);
        CHECK(refused);
        memset(must_sbrk(64 * PAGE), 1, 64 * PAGE);
        sys_exit(0);
    }
    uint64_t got = take_all_memory();
    write_all(go[1], "1", 1);
    read_all(done[0], &c, 1);
    give_back(got);
    write_all(go[1], "2", 1);
    CHECK_EQ(reap(pid), 0);
}

/* A process that dies gives all of it back, whether it exits or is killed. */
static void take_all_and_end(uint64_t how) {
    char *p = sys_sbrk(0);
    uint64_t got = take_all_memory();
    for (uint64_t at = 0; at < got && at < 32 * MB; at += PAGE)
        p[at] = 1;
    if (how == 1)
        sys_kill(sys_getpid());
    if (how == 2)
        *(volatile char *)opaque(DIRECT_MAP) = 1;
}

static void ends_with_all_memory(void) {
    uint64_t left = frames_left();
    CHECK_EQ(run_child(take_all_and_end, 0), 0);
    CHECK_EQ(run_child(take_all_and_end, 1), KILLED);
    CHECK_EQ(run_child(take_all_and_end, 2), KILLED);
    CHECK_EQ(frames_left(), left);
}

/* What sbrk takes from the account it gives back, pages never touched included. */
static void account(void) {
    struct abi_sysinfo before, after;
    page_aligned_break();
    must_sbrk(PAGE)[0] = 1;
    must_info(&before);
    for (int i = 0; i < 20; i++) {
        char *p = must_sbrk(1000 * PAGE);
        for (int at = 0; at < 1000; at += i + 1)
            p[at * PAGE] = 1;
        must_info(&after);
        CHECK(after.frames_committed >= before.frames_committed + 1000);
        must_sbrk(-1000 * (int)PAGE);
    }
    must_info(&after);
    CHECK_EQ(after.frames_committed, before.frames_committed);
    CHECK_EQ(after.frames_free, before.frames_free);
}

const struct test sbrk_tests[] = {
    {"grow_and_shrink", grow_and_shrink, false},
    {"byte_by_byte", byte_by_byte, false},
    {"fresh_is_zero", fresh_is_zero, false},
    {"regrow_is_zero", regrow_is_zero, false},
    {"regrow_part_of_page", regrow_part_of_page, false},
    {"shrink_inside_large", shrink_inside_large, false},
    {"regrow_between", regrow_between, false},
    {"byte_below_break", byte_below_break, false},
    {"below_zero", below_zero, false},
    {"largest_argument", largest_argument, false},
    {"give_back_program", give_back_program, false},
    {"past_break_kills", past_break_kills, false},
    {"heap_past_test_device", heap_past_test_device, false},
    {"heap_past_clint", heap_past_clint, false},
    {"heap_past_plic", heap_past_plic, false},
    {"heap_past_uart", heap_past_uart, true},
    {"heap_past_ram_base", heap_past_ram_base, true},
    {"out_of_memory", out_of_memory, false},
    {"out_of_memory_by_kernel", out_of_memory_by_kernel, true},
    {"promised_to_another", promised_to_another, false},
    {"ends_with_all_memory", ends_with_all_memory, false},
    {"account", account, false},
    {0},
};
