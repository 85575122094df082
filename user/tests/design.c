/* The design of an address space: chosen for the next exec, inherited by children, and
 * different ones side by side. */
#include "test.h"
#include <string.h>

static int count_designs(void) {
    char name[ABI_DESIGN_SIZE];
    int n = 0;
    while (sys_designname(n, name) == 0)
        n++;
    return n;
}

static void have(const char *name) {
    struct abi_procinfo pi;
    info_of_self(&pi);
    if (strcmp(pi.design, name) != 0)
        FAIL("the design is %s, not %s", pi.design, name);
}

static void have_ith(int i) {
    char name[ABI_DESIGN_SIZE];
    CHECK_EQ(sys_designname(i, name), 0);
    have(name);
}

static void choose_ith(int i) {
    char name[ABI_DESIGN_SIZE];
    CHECK_EQ(sys_designname(i, name), 0);
    CHECK_EQ(sys_design(name), 0);
}

static void exec_role(const char *role, int i) {
    char number[2] = {(char)('0' + i), 0};
    char *argv[] = {"usertests", "--role", (char *)role, number, NULL};
    sys_exec(SELF, argv);
    sys_exit(EXEC_FAILED);
}

static void designs_have_names(void) {
    char name[ABI_DESIGN_SIZE];
    int n = count_designs();
    CHECK(n >= 4);
    for (int i = 0; i < n; i++) {
        CHECK_EQ(sys_designname(i, name), 0);
        CHECK(name[0] && memchr(name, 0, sizeof(name)));
        CHECK_EQ(sys_design(name), 0);
    }
    CHECK_EQ(sys_designname(n, name), -EINVAL);
    CHECK_EQ(sys_designname(-1, name), -EINVAL);
    CHECK_EQ(sys_designname(0, (char *)USER_LIMIT), -EFAULT);
    CHECK_EQ(sys_design("no such"), -EINVAL);
    CHECK_EQ(sys_design(""), -EINVAL);
    CHECK_EQ(sys_design("a name that is longer than any"), -EINVAL);
    CHECK_EQ(sys_design((char *)USER_LIMIT), -EFAULT);
}

/* chain I: has the I-th design, and a fork has it, too. Starts the next one, and sends it
 * more than a pipe holds, through a heap that both have to touch. */
#define SENT (5 * PAGE + 77)

int role_chain(int argc, char **argv) {
    int i = argv[1][0] - '0', p[2];
    have_ith(i);
    if (i > 0) {
        char *heap = must_sbrk(SENT);
        read_all(0, heap, SENT);
        CHECK(filled(heap, SENT, (unsigned)i));
    }
    if (i + 1 == count_designs())
        return 0;
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        have_ith(i);
        choose_ith(i + 1);
        have_ith(i); /* until exec */
        sys_close(0);
        sys_dup(p[0]);
        sys_close(p[0]);
        sys_close(p[1]);
        exec_role("chain", i + 1);
    }
    must_close(p[0]);
    char *heap = must_sbrk(SENT);
    fill(heap, SENT, (unsigned)i + 1);
    write_all(p[1], heap, SENT);
    must_close(p[1]);
    return reap(pid);
}

static void designs_side_by_side(void) {
    int pid = must_fork();
    if (pid == 0) {
        choose_ith(0);
        exec_role("chain", 0);
    }
    CHECK_EQ(reap(pid), 0);
}

/* turn I: the same process executes itself under one design after the other, down to 0. */
int role_turn(int argc, char **argv) {
    int i = argv[1][0] - '0', n = count_designs();
    have_ith(i % n);
    must_sbrk(3 * PAGE)[2 * PAGE] = 1;
    if (i > 0) {
        choose_ith((i - 1) % n);
        exec_role("turn", i - 1);
    }
    return 0;
}

static void designs_in_turn(void) {
    for (int k = 0; k < 3; k++) {
        if (must_fork() == 0) {
            choose_ith(9 % count_designs());
            exec_role("turn", 9);
        }
    }
    reap_all(3, 0);
}

const struct test design_tests[] = {
    {"designs_have_names", designs_have_names, false},
    {"designs_side_by_side", designs_side_by_side, false},
    {"designs_in_turn", designs_in_turn, false},
    {0},
};
