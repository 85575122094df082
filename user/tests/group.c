/* Groups of processes. What ^C does with them needs a
 * console with somebody at it: tests/system. */
#include "test.h"
#include <limits.h>

static uint64_t processes(void) {
    struct abi_sysinfo si;
    must_info(&si);
    return si.procs;
}

static void stay(void) __attribute__((__noreturn__));
static void stay(void) {
    for (;;)
        sys_sleep(1000);
}

static void ends_all_of_it(void) {
    int ready[2];
    char c;
    uint64_t before = processes();
    must_pipe(ready);
    int other = must_fork();
    if (other == 0)
        stay();
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(sys_setpgid(0, 0), 0);
        if (must_fork() == 0)
            must_fork();
        write_all(ready[1], "x", 1);
        stay();
    }
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sys_read(ready[0], &c, 1), 1);
    CHECK_EQ(processes(), before + 4);
    CHECK_EQ(sys_kill(-pid), 0);
    CHECK_EQ(reap(pid), KILLED);
    WAIT_UNTIL(processes() == before + 1);
    CHECK_EQ(sys_kill(-pid), -1);
    CHECK_EQ(sys_kill(other), 0);
    CHECK_EQ(reap(other), KILLED);
}

/* Each is gone before anybody could kill it by its number. */
static void nobody_escapes_by_forking(void) {
    char c;
    for (int round = 0; round < 8; round++) {
        uint64_t before = processes();
        int forks[2];
        must_pipe(forks);
        int pid = must_fork();
        if (pid == 0) {
            CHECK_EQ(sys_setpgid(0, 0), 0);
            sys_fork();
            sys_fork();
            sys_fork();
            for (;;) {
                write_all(forks[1], "x", 1);
                if (sys_fork() > 0 && sys_getpid() != pid)
                    sys_exit(0);
            }
        }
        for (int i = 0; i < 50 + 7 * round; i++)
            read_all(forks[0], &c, 1);
        CHECK_EQ(sys_kill(-pid), 0);
        reap(pid);
        must_close(forks[0]);
        must_close(forks[1]);
        WAIT_UNTIL(processes() == before);
    }
}

static void a_pipeline_is_one(void) {
    int first = must_fork();
    if (first == 0)
        sys_exit(1);
    CHECK_EQ(sys_setpgid(first, 0), 0);
    WAIT_UNTIL(state_of(first) == ABI_P_ZOMBIE);
    int second = must_fork(); /* whose first has ended, and is still there */
    if (second == 0)
        stay();
    CHECK_EQ(sys_setpgid(second, first), 0);
    CHECK_EQ(reap(first), 1);
    CHECK_EQ(sys_kill(-first), 0);
    CHECK_EQ(reap(second), KILLED);
    CHECK_EQ(sys_kill(-first), -1);
}

static void bad_arguments(void) {
    int p[2], grandchild;
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        grandchild = must_fork();
        if (grandchild > 0)
            write_all(p[1], &grandchild, sizeof(grandchild));
        stay();
    }
    CHECK_EQ(sys_read(p[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    CHECK_EQ(sys_setpgid(grandchild, 0), -ESRCH); /* not a child */
    CHECK_EQ(sys_setpgid(1, 0), -ESRCH);
    CHECK_EQ(sys_setpgid(-5, 0), -ESRCH);
    CHECK_EQ(sys_setpgid(INT_MAX, 0), -ESRCH);
    CHECK_EQ(sys_setpgid(pid, INT_MAX), -EPERM); /* no such group */
    CHECK_EQ(sys_setpgid(pid, -1), -EPERM);
    CHECK_EQ(sys_setpgid(pid, INT_MIN), -EPERM);
    CHECK_EQ(sys_foreground(0, 1), -ESRCH);
    CHECK_EQ(sys_foreground(INT_MAX, 1), -ESRCH);
    CHECK_EQ(sys_foreground(-1, 1), -ESRCH);
    CHECK_EQ(sys_kill(-1), -1); /* not everybody, as an xv6 program may say by mistake */
    CHECK_EQ(sys_kill(INT_MIN), -1);
    CHECK_EQ(sys_setpgid(pid, pid), 0);
    CHECK_EQ(sys_kill(-pid), 0);
    CHECK_EQ(reap(pid), KILLED);
    CHECK_EQ(sys_kill(grandchild), 0);
}

const struct test group_tests[] = {
    {"group_ends_all_of_it", ends_all_of_it, false},
    {"group_nobody_escapes_by_forking", nobody_escapes_by_forking, false},
    {"group_pipeline_is_one", a_pipeline_is_one, false},
    {"group_bad_arguments", bad_arguments, false},
    {0},
};
