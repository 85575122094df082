/* fork: two processes with the same contents and nothing in common. */
#include "test.h"
#include <string.h>

static char bss[2 * 4096];

/* Child and parent write in turn to data, bss, heap and stack. */
static void memory_is_separate(void) {
    int to_child[2], to_parent[2];
    volatile char local[64];
    char c;
    char *heap = must_sbrk(3 * PAGE);
    must_pipe(to_child);
    must_pipe(to_parent);
    char *where[] = {initialised, initialised + PAGE, bss,          bss + PAGE,
                     heap,        heap + 2 * PAGE,    (char *)local};
    enum { N = sizeof(where) / sizeof(where[0]) };
    for (int i = 0; i < N; i++)
        where[i][0] = 'o';
    int pid = must_fork();
    for (int i = 0; i < N; i++) {
        int *in = pid == 0 ? to_child : to_parent, *out = pid == 0 ? to_parent : to_child;
        char mine = pid == 0 ? 'c' : 'p';
        if ((i % 2 == 0) == (pid == 0)) { /* who goes first takes turns */
            where[i][0] = mine;
            write_all(out[1], "x", 1);
            read_all(in[0], &c, 1);
        } else {
            read_all(in[0], &c, 1);
            CHECK_MSG(where[i][0] == 'o', "place %d shows the other's write", i);
            where[i][0] = mine;
            write_all(out[1], "x", 1);
        }
        CHECK_MSG(where[i][0] == mine, "place %d shows the other's later write", i);
    }
    if (pid == 0)
        sys_exit(0);
    CHECK_EQ(reap(pid), 0);
}

/* A large heap: the child sees all of it and changes half, the parent the other. */
static void large_heap(void) {
    uint64_t left = frames_left();
    unsigned size = left > 9000 ? 8 * MB : left / 4 * PAGE / (2 * MB) * (2 * MB) + MB;
    char *p = must_sbrk(size);
    for (unsigned at = 0; at < size; at += PAGE)
        *(unsigned *)(p + at) = at + 1;
    int pid = must_fork();
    unsigned mine = pid == 0 ? 0 : PAGE;
    for (unsigned at = mine; at < size; at += 2 * PAGE)
        *(unsigned *)(p + at) = at + (pid == 0 ? 7 : 9);
    for (unsigned at = 0; at < size; at += PAGE) {
        unsigned add = at % (2 * PAGE) == mine ? (pid == 0 ? 7 : 9) : 1;
        CHECK_MSG(*(unsigned *)(p + at) == at + add, "wrong at %u", at);
    }
    if (pid == 0)
        sys_exit(0);
    CHECK_EQ(reap(pid), 0);
}

/* Generations: each process changes one page more and forks the next. */
static void generations(void) {
    char *p = must_sbrk(20 * PAGE);
    memset(p, 0, 20 * PAGE);
    for (int depth = 0; depth < 20; depth++) {
        for (int i = 0; i < 20; i++)
            CHECK_MSG(p[i * PAGE] == (i < depth ? i + 1 : 0), "generation %d, page %d", depth, i);
        int pid = must_fork();
        if (pid != 0) {
            int status = reap(pid);
            CHECK_EQ(status, 0);
            for (int i = depth; i < 20; i++)
                CHECK_EQ(p[i * PAGE], 0);
            if (depth > 0)
                sys_exit(0);
            return;
        }
        p[depth * PAGE] = depth + 1;
    }
    sys_exit(0);
}

/* Pages that nobody touched before the fork are two processes' own afterwards. */
static void untouched_pages(void) {
    char *p = must_sbrk(8 * PAGE);
    int pid = must_fork();
    CHECK(all_zero(p, 4 * PAGE));
    memset(p, pid == 0 ? 33 : 44, 8 * PAGE);
    if (pid == 0)
        sys_exit(p[7 * PAGE]);
    CHECK_EQ(reap(pid), 33);
    CHECK_EQ(p[0], 44);
    CHECK_EQ(p[8 * PAGE - 1], 44);
}

static void ids(void) {
    int last = sys_getpid();
    for (int i = 0; i < 20; i++) {
        int p[2], child_says;
        must_pipe(p);
        int pid = must_fork();
        if (pid == 0) {
            child_says = sys_getpid();
            write_all(p[1], &child_says, sizeof(child_says));
            sys_exit(0);
        }
        read_all(p[0], &child_says, sizeof(child_says));
        CHECK_EQ(child_says, pid);
        CHECK(pid != last && pid != sys_getpid());
        CHECK_EQ(reap(pid), 0);
        must_close(p[0]);
        must_close(p[1]);
        last = pid;
    }
}

static void child_has_break(void) {
    char *p = must_sbrk(5000);
    char *brk = sys_sbrk(0);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(sys_sbrk(0) == brk);
        CHECK(sys_sbrk(-5000) == brk);
        must_sbrk(3 * PAGE);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(sys_sbrk(0) == brk);
    memset(p, 1, 5000);
}

static void child_has_directory(void) {
    must_mkdir("d");
    CHECK_EQ(sys_chdir("d"), 0);
    int pid = must_fork();
    if (pid == 0) {
        make_file("f", 10, 1);
        CHECK_EQ(sys_chdir("/"), 0);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    check_file("f", 10, 1);
    CHECK_EQ(sys_chdir(".."), 0);
    check_file("d/f", 10, 1);
}

/* Until there is no slot, or on a small machine no memory: -1, and what is there works. */
static void until_it_fails(void) {
    int hold[2], p[2], n = 0;
    char c;
    must_pipe(hold);
    must_pipe(p);
    for (; n < 1000; n++) {
        int pid = sys_fork();
        if (pid < 0)
            break;
        if (pid == 0) {
            sys_close(hold[1]);
            sys_read(hold[0], &c, 1);
            sys_exit(3);
        }
    }
    CHECK_MSG(n < 1000, "forked 1000 processes");
    CHECK_MSG(n >= 10, "only %d processes", n);
    CHECK_EQ(sys_fork(), -1);
    write_all(p[1], "ok", 2);
    CHECK_EQ(sys_read(p[0], scratch, 2), 2);
    struct abi_sysinfo si;
    must_info(&si);
    CHECK(si.procs + 8 <= si.procs_max); /* the last slots are not for us (proc/group.h) */
    must_close(hold[1]);
    reap_all(n, 3);
    CHECK_EQ(sys_wait(NULL), -1);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(4);
    CHECK_EQ(reap(pid), 4);
}

/* With all memory promised there is none for a child: -1, again and again. */
static void without_memory(void) {
    uint64_t got = take_all_memory();
    for (int i = 0; i < 10; i++) {
        int pid = sys_fork();
        if (pid == 0)
            sys_exit(0);
        CHECK_MSG(pid == -1, "fork is %d without memory", pid);
    }
    give_back(got);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(6);
    CHECK_EQ(reap(pid), 6);
}

/* A process with more than half of memory cannot be doubled; with less it can. */
static void more_than_half(void) {
    uint64_t pages = frames_left() * 2 / 3;
    char *start = sys_sbrk(0);
    for (uint64_t at = 0; at < pages; at += 4096)
        must_sbrk(PAGE * (pages - at < 4096 ? pages - at : 4096));
    start[0] = 1;
    int pid = sys_fork();
    if (pid == 0)
        sys_exit(0);
    CHECK_EQ(pid, -1);
    give_back(sys_sbrk(0) - start - (frames_left() + pages) / 8 * PAGE);
    pid = must_fork();
    if (pid == 0)
        sys_exit(start[0]);
    CHECK_EQ(reap(pid), 1);
}

static void try_fork(void) {
    int pid = sys_fork();
    if (pid == 0)
        sys_exit(0);
    if (pid > 0) {
        CHECK_EQ(reap(pid), 0);
        sys_exit(6);
    }
    CHECK_EQ(pid, -1);
}

/* From too little memory to enough; nothing leaks (the runner counts). */
static void out_of_memory_steps(void) { CHECK_EQ(with_growing_memory(try_fork, 1000), 6); }

static void quick_children(void) {
    for (int i = 0; i < 200; i++) {
        int pid = must_fork();
        if (pid == 0)
            sys_exit(i % 50);
        CHECK_EQ(reap(pid), i % 50);
    }
}

const struct test fork_tests[] = {
    {"memory_is_separate", memory_is_separate, false},
    {"large_heap", large_heap, false},
    {"generations", generations, false},
    {"untouched_pages", untouched_pages, false},
    {"ids", ids, false},
    {"child_has_break", child_has_break, false},
    {"child_has_directory", child_has_directory, false},
    {"fork_until_it_fails", until_it_fails, false},
    {"fork_without_memory", without_memory, false},
    {"fork_more_than_half", more_than_half, false},
    {"fork_out_of_memory_steps", out_of_memory_steps, false},
    {"quick_children", quick_children, false},
    {0},
};
