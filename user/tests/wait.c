/* exit, wait and kill: statuses, orphans, and the end of processes that wait. */
#include "test.h"
#include <string.h>

static void statuses(void) {
    static const int list[] = {0,  1, 2, 255, 256, 257, 0x12345678, 0x7fffffff, -0x7fffffff - 1,
                               -1, -2};
    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        int pid = must_fork(), status = 12345;
        if (pid == 0)
            sys_exit(list[i]);
        CHECK_EQ(sys_wait(&status), pid);
        CHECK_EQ(status, list[i]);
    }
}

static void without_status(void) {
    int pid = must_fork();
    if (pid == 0)
        sys_exit(9);
    CHECK_EQ(sys_wait(NULL), pid);
}

static void no_children(void) {
    int status = 77;
    CHECK_EQ(sys_wait(&status), -1);
    CHECK_EQ(status, 77);
    CHECK_EQ(sys_wait(NULL), -1);
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(sys_wait(NULL), -1); /* a parent's child is not mine */
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(sys_wait(NULL), -1);
}

/* wait sleeps until a child ends, and finds one that ended before. */
static void both_orders(void) {
    int pid = must_fork();
    if (pid == 0) {
        sys_sleep(2);
        sys_exit(1);
    }
    CHECK_EQ(reap(pid), 1);
    pid = must_fork();
    if (pid == 0)
        sys_exit(2);
    WAIT_UNTIL(state_of(pid) == ABI_P_ZOMBIE);
    CHECK_EQ(reap(pid), 2);
    CHECK_EQ(state_of(pid), 0);
}

static void each_once(void) {
    enum { N = 20 };
    int pid[N], seen[N] = {0};
    for (int i = 0; i < N; i++) {
        pid[i] = must_fork();
        if (pid[i] == 0) {
            if (i % 3 == 0)
                sys_sleep(1);
            sys_exit(i);
        }
    }
    for (int n = 0; n < N; n++) {
        int status, got = sys_wait(&status);
        CHECK(status >= 0 && status < N);
        CHECK_EQ(got, pid[status]);
        CHECK_EQ(seen[status]++, 0);
    }
    CHECK_EQ(sys_wait(NULL), -1);
}

static void many_zombies(void) {
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) /* as many as 32 MiB are promised to */
            if (must_fork() == 0)
                sys_exit(8);
        sys_sleep(1);
        reap_all(40, 8);
    }
}

/* A parent that ends before its children: init reaps them (the runner counts). */
static void orphans(void) {
    int p[2];
    char c;
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        for (int i = 0; i < 10; i++) {
            if (must_fork() == 0) {
                must_close(p[1]);
                sys_read(p[0], &c, 1); /* until nobody is left to write */
                sys_exit(i);
            }
        }
        sys_exit(3);
    }
    CHECK_EQ(reap(pid), 3);
    CHECK_EQ(sys_wait(NULL), -1);
    must_close(p[1]);
}

/* The adopted process's parent is 1. */
static void orphan_has_parent_init(void) {
    static struct abi_procinfo pi;
    int p[2], back[2], orphan, found = 0;
    char c;
    must_pipe(p);
    must_pipe(back);
    int pid = must_fork();
    if (pid == 0) {
        orphan = must_fork();
        if (orphan == 0) {
            must_close(p[1]);
            sys_read(p[0], &c, 1);
            sys_exit(0);
        }
        write_all(back[1], &orphan, sizeof(orphan));
        sys_exit(0);
    }
    read_all(back[0], &orphan, sizeof(orphan));
    CHECK_EQ(reap(pid), 0);
    for (int slot = 0, r; (r = sys_procinfo(slot, &pi)) >= 0; slot++) {
        if (r == 1 && pi.pid == orphan) {
            CHECK_EQ(pi.parent, 1);
            found++;
        }
    }
    CHECK_EQ(found, 1);
    must_close(p[1]);
}

/* Zombies whose parent ends without waiting. */
static void abandoned_zombies(void) {
    for (int i = 0; i < 5; i++) {
        int pid = must_fork();
        if (pid == 0) {
            for (int k = 0; k < 8; k++)
                if (must_fork() == 0)
                    sys_exit(k);
            sys_exit(0);
        }
        CHECK_EQ(reap(pid), 0);
    }
}

/* Parents and children that end at the same time. */
static void end_together(void) {
    for (int i = 0; i < 40; i++) {
        int pid = must_fork();
        if (pid == 0) {
            if (must_fork() == 0) {
                must_fork();
                sys_exit(0);
            }
            if (i % 2)
                sys_exit(0);
            CHECK(sys_wait(NULL) > 0);
            sys_exit(0);
        }
        CHECK_EQ(reap(pid), 0);
    }
}

/* ---- kill ---- */
static void be_sleeping(uint64_t unused) { sys_sleep(100000); }
static void be_reading_pipe(uint64_t unused) {
    int p[2];
    char c;
    must_pipe(p);
    sys_read(p[0], &c, 1);
}
static void be_writing_pipe(uint64_t unused) {
    int p[2];
    must_pipe(p);
    for (;;)
        sys_write(p[1], scratch, sizeof(scratch));
}
static void be_reading_console(uint64_t unused) {
    CHECK_EQ(sys_mknod("cons", 1, 0), 0);
    int fd = must_open("cons", ABI_O_RDONLY);
    char c;
    for (;;)
        if (sys_read(fd, &c, 1) <= 0) /* end of file: keep asking, slowly */
            sys_sleep(1);
}
static void be_waiting(uint64_t pipe_read_end) {
    if (must_fork() == 0) {
        char c;
        sys_read((int)pipe_read_end, &c, 1);
        sys_exit(0);
    }
    sys_wait(NULL);
}

static void kill_one(void (*what)(uint64_t), uint64_t arg, const char *name) {
    int pid = must_fork();
    if (pid == 0) {
        what(arg);
        sys_exit(1);
    }
    WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
    CHECK_EQ(sys_kill(pid), 0);
    int status = reap(pid);
    CHECK_MSG(status == KILLED, "killed while %s: status %d", name, status);
}

static void kill_sleeping(void) { kill_one(be_sleeping, 0, "sleeping"); }
static void kill_reading_pipe(void) { kill_one(be_reading_pipe, 0, "reading a pipe"); }
static void kill_writing_pipe(void) { kill_one(be_writing_pipe, 0, "writing to a full pipe"); }
static void kill_reading_console(void) { kill_one(be_reading_console, 0, "reading the console"); }
static void kill_waiting(void) {
    int p[2];
    must_pipe(p);
    int pid = must_fork();
    if (pid == 0) {
        must_close(p[1]);
        be_waiting(p[0]);
        sys_exit(1);
    }
    must_close(p[0]);
    WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
}

static void kill_spinning(void) {
    for (int i = 0; i < 5; i++) {
        int pid = must_fork();
        if (pid == 0)
            for (;;)
                __asm__ volatile("");
        if (i % 2)
            sys_sleep(1);
        CHECK_EQ(sys_kill(pid), 0);
        CHECK_EQ(reap(pid), KILLED);
    }
}

static void kill_self(void) {
    int pid = must_fork();
    if (pid == 0) {
        sys_kill(sys_getpid());
        sys_exit(1);
    }
    CHECK_EQ(reap(pid), KILLED);
}

static void kill_zombie(void) {
    int pid = must_fork();
    if (pid == 0)
        sys_exit(4);
    WAIT_UNTIL(state_of(pid) == ABI_P_ZOMBIE);
    sys_kill(pid); /* may say either; its status is settled */
    CHECK_EQ(reap(pid), 4);
    CHECK_EQ(sys_kill(pid), -1);
}

static void kill_twice(void) {
    int pid = must_fork();
    if (pid == 0)
        be_sleeping(0);
    CHECK_EQ(sys_kill(pid), 0);
    sys_kill(pid);
    CHECK_EQ(reap(pid), KILLED);
}

/* Killed in the middle of whatever a busy process does; its files close. A byte for each round. */
static void busy(int id, int rounds) {
    static char name[4] = "k_";
    name[2] = 'a' + id;
    for (unsigned i = 0;; i++) {
        write_all(rounds, "x", 1);
        int fd = sys_open(name, ABI_O_CREATE | ABI_O_RDWR);
        sys_write(fd, scratch, 3000);
        sys_close(fd);
        sys_unlink(name);
        int pid = sys_fork();
        if (pid == 0)
            sys_exit(0);
        sys_wait(NULL);
        sys_sbrk(i % 2 ? -(int)PAGE : (int)PAGE);
    }
}

/* In one of the first rounds, some time after it began; or where the clock interrupts it. */
static void kill_busy(void) {
    for (int i = 0; i < 15; i++) {
        int rounds[2];
        char seen[4];
        must_pipe(rounds);
        int pid = must_fork();
        if (pid == 0)
            busy(i, rounds[1]);
        read_all(rounds[0], seen, 1 + i % 4);
        if (i % 5 == 0)
            sys_sleep(1);
        else
            for (volatile int spins = 0; spins < i * 1000; spins++) {
            }
        CHECK_EQ(sys_kill(pid), 0);
        CHECK_EQ(reap(pid), KILLED);
        must_close(rounds[0]);
        must_close(rounds[1]);
    }
}

static void kill_many(void) {
    int pid[30];
    for (int i = 0; i < 30; i++) {
        pid[i] = must_fork();
        if (pid[i] == 0) {
            if (i % 2)
                be_sleeping(0);
            be_reading_pipe(0);
        }
    }
    for (int i = 0; i < 30; i++)
        CHECK_EQ(sys_kill(pid[i]), 0);
    reap_all(30, KILLED);
}

/* A process may be killed before it has run at all. */
static void kill_new(void) {
    for (int i = 0; i < 50; i++) {
        int pid = must_fork();
        if (pid == 0)
            be_sleeping(0);
        CHECK_EQ(sys_kill(pid), 0);
        CHECK_EQ(reap(pid), KILLED);
    }
}

const struct test wait_tests[] = {
    {"wait_statuses", statuses, false},
    {"wait_without_status", without_status, false},
    {"wait_no_children", no_children, false},
    {"wait_both_orders", both_orders, false},
    {"wait_each_once", each_once, false},
    {"many_zombies", many_zombies, false},
    {"orphans", orphans, false},
    {"orphan_has_parent_init", orphan_has_parent_init, false},
    {"abandoned_zombies", abandoned_zombies, false},
    {"end_together", end_together, false},
    {"kill_sleeping", kill_sleeping, false},
    {"kill_reading_pipe", kill_reading_pipe, false},
    {"kill_writing_pipe", kill_writing_pipe, false},
    {"kill_reading_console", kill_reading_console, false},
    {"kill_waiting", kill_waiting, false},
    {"kill_spinning", kill_spinning, false},
    {"kill_self", kill_self, false},
    {"kill_zombie", kill_zombie, false},
    {"kill_twice", kill_twice, false},
    {"kill_busy", kill_busy, false},
    {"kill_many", kill_many, false},
    {"kill_new", kill_new, false},
    {0},
};
