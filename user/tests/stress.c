/* Several things at once. */
#include "test.h"
#include <string.h>

/* Processes that grow, shrink, fork and are looked at by the kernel, over all
 * harts, so that each runs where another has run before. */
static void memory_worker(int seed) {
    uint32_t state = seed * 7919 + 1;
    int p[2];
    must_pipe(p);
    char *base = must_sbrk(0);
    base += (PAGE - (uint64_t)base % PAGE) % PAGE;
    must_sbrk(base - (char *)sys_sbrk(0));
    unsigned pages = 0;
    for (int i = 0; i < 150; i++) {
        unsigned want = next_random(&state) % 24;
        must_sbrk(((int)want - (int)pages) * (int)PAGE);
        for (unsigned k = pages; k < want; k++) {
            CHECK(all_zero(base + k * PAGE, 64));
            *(int *)(base + k * PAGE) = seed + k;
        }
        pages = want;
        for (unsigned k = 0; k < pages; k++)
            CHECK_EQ(*(int *)(base + k * PAGE), seed + k);
        if (pages > 0) {
            unsigned k = next_random(&state) % pages;
            int back = 0;
            write_all(p[1], base + k * PAGE, 4);
            read_all(p[0], &back, 4);
            CHECK_EQ(back, seed + k);
        }
        if (i % 10 == 0) {
            int pid = sys_fork();
            if (pid == 0) {
                for (unsigned k = 0; k < pages; k++) {
                    CHECK_EQ(*(int *)(base + k * PAGE), seed + k);
                    *(int *)(base + k * PAGE) = -1;
                }
                sys_exit(0);
            }
            if (pid > 0)
                CHECK_EQ(reap(pid), 0);
        }
        if (i % 16 == 5)
            sys_sleep(0);
    }
    must_close(p[0]);
    must_close(p[1]);
    must_sbrk(-(int)(pages * PAGE));
}

static void memory_on_all_harts(void) {
    struct abi_sysinfo si;
    must_info(&si);
    int n = (int)si.harts + 2;
    for (int k = 0; k < n; k++) {
        if (must_fork() == 0) {
            memory_worker(1000 * (k + 1));
            sys_exit(0);
        }
    }
    reap_all(n, 0);
}

/* Several that want all the memory: sbrk refuses some, and nobody is killed. */
static void memory_hungry(uint64_t seed) {
    for (int round = 0; round < 3; round++) {
        char *start = sys_sbrk(0);
        uint64_t got = 0;
        while (got < 48 * (uint64_t)MB && sys_sbrk(256 * 1024) != SBRK_FAILED)
            got += 256 * 1024;
        for (uint64_t at = 0; at < got; at += 4 * PAGE)
            *(uint64_t *)(start + at) = at + seed;
        for (uint64_t at = 0; at < got; at += 4 * PAGE)
            CHECK(*(uint64_t *)(start + at) == at + seed);
        int pid = sys_fork();
        if (pid == 0)
            sys_exit(0);
        if (pid > 0)
            CHECK_EQ(reap(pid), 0);
        give_back(got);
    }
}

static void memory_contended(void) {
    int go[2];
    must_pipe(go);
    for (int k = 0; k < 5; k++) {
        if (must_fork() == 0) {
            char c;
            read_all(go[0], &c, 1); /* all are there: those that run need not let a fork succeed */
            memory_hungry(k + 1);
            sys_exit(0);
        }
    }
    write_all(go[1], "55555", 5);
    reap_all(5, 0);
}

/* fork, exec, exit and wait by several at once. */
static void exec_storm(void) {
    for (int k = 0; k < 4; k++) {
        if (must_fork() == 0) {
            char *argv[] = {"true", NULL}, *missing[] = {"missing", NULL};
            for (int i = 0; i < 15; i++) {
                CHECK_EQ(run_program(i % 2 ? "/bin/true" : "/bin/false", argv), i % 2 ? 0 : 1);
                CHECK_EQ(run_program("missing", missing), EXEC_FAILED);
            }
            sys_exit(0);
        }
    }
    reap_all(4, 0);
}

/* A tree of processes, each joined to its parent by a pipe, adds up numbers. */
static int tree_sum(int depth) {
    int p[2], sum = 1;
    if (depth == 0)
        return 1;
    must_pipe(p);
    for (int k = 0; k < 2; k++) {
        if (must_fork() == 0) {
            int below = tree_sum(depth - 1);
            write_all(p[1], &below, sizeof(below));
            sys_exit(0);
        }
    }
    for (int k = 0; k < 2; k++) {
        int below;
        read_all(p[0], &below, sizeof(below));
        sum += below;
    }
    reap_all(2, 0);
    must_close(p[0]);
    must_close(p[1]);
    return sum;
}

/* As deep as memory can be promised to: a process for each node, and two halves of a pipe for
 * each but the leaves. A fork that fails deep down would leave the others waiting. */
static int deepest_tree(void) {
    struct abi_procinfo pi;
    info_of_self(&pi);
    int depth = 5;
    while (depth > 3 && (2ul << depth) * (pi.committed + 4) > frames_left())
        depth--;
    return depth;
}

static void process_tree(void) {
    int depth = deepest_tree();
    CHECK_EQ(tree_sum(depth), (2 << depth) - 1);
    CHECK_EQ(tree_sum(depth), (2 << depth) - 1);
}

/* A sieve in which every prime is a process, linked by pipes: each becomes, with
 * its first number, the filter for it, and its child the rest of the sieve. */
static void sieve_process(int in) {
    int prime, n, p[2];
    while (sys_read(in, &prime, sizeof(prime)) == (int)sizeof(prime)) {
        must_pipe(p);
        int pid = must_fork();
        if (pid == 0) {
            must_close(in);
            must_close(p[1]);
            in = p[0];
            continue;
        }
        must_close(p[0]);
        while (sys_read(in, &n, sizeof(n)) == (int)sizeof(n))
            if (n % prime != 0)
                write_all(p[1], &n, sizeof(n));
        must_close(p[1]);
        sys_exit(1 + reap(pid));
    }
    sys_exit(0);
}

static void sieve(void) {
    int p[2];
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        must_close(p[1]);
        sieve_process(p[0]);
    }
    must_close(p[0]);
    for (int n = 2; n <= 100; n++)
        write_all(p[1], &n, sizeof(n));
    must_close(p[1]);
    CHECK_EQ(reap(pid), 25);
}

/* Everything, killed at odd moments. */
static void killed_in_between(void) {
    for (int i = 0; i < 12; i++) {
        int pid = must_fork();
        if (pid == 0) {
            switch (i % 4) {
            case 0:
                for (;;)
                    memory_worker(i);
            case 1:
                for (;;)
                    run_program("/bin/true", NULL);
            case 2:
                for (;;)
                    make_file("victim", 30000, i);
            default:
                for (;;)
                    memory_hungry(i);
            }
        }
        for (int k = 0; k < 1 + i * 7919 % 400; k++)
            sys_getpid();
        if (i % 3 == 0)
            sys_sleep(1);
        CHECK_EQ(sys_kill(pid), 0);
        CHECK_EQ(reap(pid), KILLED);
    }
}

/* As many processes as there can be, all reading long stretches of files that the
 * smallest machine's cache does not hold together. */
static void many_readers(void) {
    enum { FILES = 20, BYTES = 60000, ROUNDS = 2 };
    static char name[] = "r?";
    for (int i = 0; i < FILES; i++) {
        name[1] = 'a' + i;
        make_file(name, BYTES, i);
    }
    int readers = 0, pid;
    while ((pid = sys_fork()) > 0)
        readers++;
    if (pid == 0) {
        for (int k = 0; k < ROUNDS; k++) {
            int i = (sys_getpid() * 7 + k * 3) % FILES;
            name[1] = 'a' + i;
            check_file(name, BYTES, i);
        }
        sys_exit(0);
    }
    CHECK_MSG(readers > 40, "only %d readers", readers);
    reap_all(readers, 0);
}

const struct test stress_tests[] = {
    {"stress_memory_on_all_harts", memory_on_all_harts, false},
    {"stress_memory_contended", memory_contended, true},
    {"stress_exec_storm", exec_storm, false},
    {"stress_process_tree", process_tree, false},
    {"stress_sieve", sieve, false},
    {"stress_many_readers", many_readers, false},
    {"stress_killed_in_between", killed_in_between, false},
    {0},
};
