/* What `usertests --role NAME ARG...` does: the programs that tests of exec run. */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* args N: argv[2..] are N strings made by role_argument(). */
void role_argument(char *to, int i) {
    int n = i * 37 % 60;
    for (int k = 0; k < n; k++)
        to[k] = 'a' + (i + k) % 26;
    to[n] = 0;
}

static int role_args(int argc, char **argv) {
    char want[64];
    if (sys_thread_self() != sys_getpid()) /* whichever thread called exec */
        return 142;
    for (int i = 1; i < argc; i++) {
        role_argument(want, i);
        if (strcmp(argv[i], want) != 0)
            return 100 + i;
        if ((uint64_t)argv[i] % 16 != 0)
            return 140;
    }
    return argv[argc] == NULL ? argc - 1 : 141;
}

/* reap5: all its children, that it has from the program before, have ended with 5. */
static int role_reap5(int argc, char **argv) {
    int status;
    while (sys_wait(&status) > 0)
        if (status != 5)
            return 1;
    return 0;
}

static char zeros[5 * 4096];
static int role_bss(int argc, char **argv) {
    if (!all_zero(zeros, sizeof(zeros)) || !all_zero(scratch, SCRATCH_SIZE))
        return 1;
    memset(zeros, 1, sizeof(zeros));
    return 5;
}

/* data: initialised variables have their first values; written by the program,
 * and by the kernel for it, they are this process's alone. */
char initialised[4 * PAGE] __attribute__((aligned(4096))) = {[0 * PAGE] = INITIALISED(0),
                                                             [1 * PAGE] = INITIALISED(1),
                                                             [2 * PAGE] = INITIALISED(2),
                                                             [3 * PAGE] = INITIALISED(3)};
static int role_data(int argc, char **argv) {
    char *first = initialised, *second = first + PAGE, *third = second + PAGE;
    int p[2];
    for (unsigned i = 0; i < 4; i++)
        if (initialised[i * PAGE] != INITIALISED(i) ||
            !all_zero(&initialised[i * PAGE + 1], PAGE - 1))
            return 1;
    must_pipe(p);
    write_all(p[1], "4", 1);
    read_all(p[0], second, 1);
    *first = *third = '5';
    sys_sleep(1);
    return *first == '5' && *second == '4' && *third == '5' ? 10 : 2;
}

/* stores FILE PAGES: counts in a word of each page of a file, through a mapping, in order, and says
 * each number when it is durable; for ever. */
static int role_stores(int argc, char **argv) {
    int pages = argc == 3 ? atoi(argv[2]) : 0;
    make_file(argv[1], (unsigned)pages * PAGE, 0);
    int fd = must_open(argv[1], ABI_O_RDWR);
    volatile long *p = sys_mmap(NULL, (size_t)pages * PAGE, ABI_PROT_READ | ABI_PROT_WRITE,
                                ABI_MAP_SHARED, fd, 0);
    if ((long)p < 0) {
        printf("mmap is %ld\n", (long)p);
        return 1;
    }
    for (long n = 1;; n++) {
        for (int i = 0; i < pages; i++)
            p[i * PAGE / 8] = n;
        if (n % 20 == 0 && sys_msync((void *)(uint64_t)p, (size_t)pages * PAGE, ABI_MS_SYNC) == 0)
            printf("durable %ld\n", n);
    }
}

/* msync FILE: makes a file durable, and waits for input. Then it stores to the file through a
 * mapping, and says that MS_ASYNC has returned, that a child sleeps in MS_SYNC, and that this has
 * returned, too. */
static int role_msync(int argc, char **argv) {
    make_file(argv[1], PAGE, 0);
    int fd = must_open(argv[1], ABI_O_RDWR), prot = ABI_PROT_READ | ABI_PROT_WRITE;
    long *p = sys_mmap(NULL, PAGE, prot, ABI_MAP_SHARED, fd, 0);
    volatile int *returned = sys_mmap(NULL, PAGE, prot, ABI_MAP_SHARED | ABI_MAP_ANONYMOUS, -1, 0);
    char c;
    CHECK_EQ(sys_fsync(fd), 0);
    printf("the file is durable\n");
    read_all(0, &c, 1);
    *p = -1;
    CHECK_EQ(sys_msync(p, PAGE, ABI_MS_ASYNC), 0);
    printf("MS_ASYNC has returned\n");
    int pid = must_fork();
    if (pid == 0) {
        int err = sys_msync(p, PAGE, ABI_MS_SYNC);
        *returned = 1;
        sys_exit(err != 0);
    }
    WAIT_UNTIL(*returned || state_of(pid) == ABI_P_SLEEPING);
    CHECK(!*returned);
    CHECK_EQ(sys_msync(p, PAGE, ABI_MS_ASYNC), 0);
    printf("MS_SYNC waits\n");
    CHECK_EQ(reap(pid), 0);
    printf("MS_SYNC has returned\n");
    return 0;
}

/* The heap is empty and starts above the one page of stack, the guard below. */
static int role_heap(int argc, char **argv) {
    uint64_t brk = (uint64_t)sys_sbrk(0), stack = (uint64_t)argv & ~(uint64_t)(PAGE - 1);
    if (brk < stack + PAGE || brk % PAGE != 0)
        return 1;
    if (sys_write(1, opaque(brk), 1) != -1 || sys_write(1, opaque(stack + PAGE), 1) != -1)
        return 2;
    if (sys_write(1, opaque(stack - PAGE), 1) != -1)
        return 3;
    return 6;
}

/* fds: the open files of before are still open. */
static int role_fds(int argc, char **argv) {
    char c[4];
    int in = argv[1][0] - 'a', out = argv[2][0] - 'a';
    return sys_read(in, c, 4) == 4 && memcmp(c, "abcd", 4) == 0 && sys_write(out, "efgh", 4) == 4
               ? 7
               : 1;
}

static int role_pid(int argc, char **argv) {
    int was = 0;
    for (const char *s = argv[1]; *s; s++)
        was = was * 10 + *s - '0';
    return sys_getpid() == was ? 8 : 1;
}

static int role_touch(int argc, char **argv) {
    char *p = must_sbrk(64 * PAGE);
    if (!all_zero(p, 64 * PAGE))
        return 1;
    memset(p, 1, 64 * PAGE);
    return 9;
}

/* The kernel's own print of a process's user table: tests/system compares it. */
static int role_vmprint(int argc, char **argv) { return sys_vmprint(argv[1][0] - '0') != 0; }

/* Many calls of numbers that are none: tests/system counts what the kernel says. */
static int role_unknown(int argc, char **argv) {
    for (int i = 0; i < 20000; i++)
        if (ecall3(1000 + i % (argv[1][0] - '0'), 0, 0, 0) != -1)
            return 1;
    return 0;
}

int run_role(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(int, char **);
    } roles[] = {
        {"args", role_args},   {"reap5", role_reap5},     {"bss", role_bss},
        {"data", role_data},   {"heap", role_heap},       {"fds", role_fds},
        {"pid", role_pid},     {"touch", role_touch},     {"churn", role_churn},
        {"split", role_split}, {"vmprint", role_vmprint}, {"unknown", role_unknown},
        {"chain", role_chain}, {"turn", role_turn},       {"stores", role_stores},
        {"msync", role_msync}, {"plan", role_plan},
    };
    for (unsigned i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(argv[0], roles[i].name) == 0)
            return roles[i].run(argc, argv);
    return 127;
}
