/* vmtable and vmregions of processes that change meanwhile, or come and go. */
#include "inspect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct abi_vmtable t;
static struct abi_vmregion regions[REGIONS_MAX];

/* ---- a process that changes all the time, on another hart if there is one ---- */
#define CHURN_EXECS 20
#define LOOKS 1000

/* `usertests --role churn C [FD]`: grows, forks, shrinks, and executes itself with the character
 * before C, until that is a blank. A byte goes to FD at each step. */
int role_churn(int argc, char **argv) {
    char number[2] = {argv[1][0] - 1, 0};
    char *again[] = {"usertests", "--role", "churn", number, argc > 2 ? argv[2] : NULL, NULL};
    int steps = argc > 2 ? atoi(argv[2]) : -1;
    for (int i = 0; i < 8; i++) {
        char *a = pages(24);
        for (int k = 0; k < 24; k++)
            a[k * PAGE] = k;
        sys_write(steps, "x", 1);
        if (sys_fork() == 0) {
            memset(a, i, 12 * PAGE);
            sys_write(steps, "x", 1);
            sys_exit(0);
        }
        a[0] = a[23 * PAGE] = 1;
        must_sbrk(-24 * (int)PAGE);
        sys_write(steps, "x", 1);
        if (sys_wait(NULL) < 0)
            return 1;
    }
    if (argv[1][0] > ' ')
        sys_exec(SELF, again);
    return 0;
}

static void stay(int ready, char *heap, int at) {
    heap[at] = 1;
    write_all(ready, "r", 1);
    for (;;)
        sys_sleep(1000000);
}

/* Leaves two processes asleep, which share large leaves and have split others, and prints
 * their numbers. */
int role_split(int argc, char **argv) {
    int ready[2], pid[2];
    char c;
    must_sbrk(2 * MB - (uint64_t)sys_sbrk(0) % (2 * MB));
    char *heap = must_sbrk(8 * MB);
    for (int i = 0; i < 4; i++)
        heap[i * 2 * MB] = 1;
    must_pipe(ready);
    for (int i = 0; i < 2; i++) {
        pid[i] = must_fork();
        if (pid[i] == 0) {
            must_sbrk(-(int)MB);
            stay(ready[1], heap, (i + 1) * 2 * MB);
        }
        read_all(ready[0], &c, 1);
    }
    printf("%d %d\n", pid[0], pid[1]);
    return 0;
}

/* Where RAM ends: the kernel's half has all of it, and no device above its start. */
static uint64_t ram_end(void) {
    uint64_t end = 0x80000000;
    for (uint64_t gib = end; gib < 0x80000000 + (64ul << 30); gib += 1ul << 30) {
        CHECK_EQ(table_at(&t, 0, DIRECT_MAP + gib, 2, ABI_VIEW_KERNEL), 1);
        uint64_t pte = t.entry[index_of(DIRECT_MAP + gib, 2)];
        if (is_leaf(pte))
            end = gib + (1ul << 30);
        if (table_at(&t, 0, DIRECT_MAP + gib, 1, ABI_VIEW_KERNEL) == 1)
            for (unsigned i = 0; i < 512; i++)
                if (t.entry[i] & 1)
                    end = gib + (i + 1) * 2ul * MB;
    }
    return end;
}

/* What the table's entries below the kernel's half point to lies in RAM. */
static void check_table(const struct abi_vmtable *table, uint64_t end) {
    unsigned n = table->head.level == ROOT_LEVEL ? 256 : 512;
    CHECK(table->head.table >= 0x80000000 && table->head.table < end);
    CHECK((table->head.satp << 20 >> 20) * PAGE < end);
    for (unsigned i = 0; i < n; i++) {
        uint64_t pte = table->entry[i], pa = frame_of(pte);
        CHECK_MSG(!(pte & 1) || (pa >= 0x80000000 && pa < end), "entry %u at level %u is 0x%lx", i,
                  table->head.level, (long)pte);
        CHECK((pte & 12) != 12); /* writable and executable */
    }
}

/* Looks at one process everywhere; how often it was there. */
static int look_at(int pid, uint64_t end) {
    const uint64_t places[] = {0, 0x200000, TRAPFRAME_VA};
    int looks = 0;
    for (uint32_t view = ABI_VIEW_USER; view <= ABI_VIEW_KERNEL; view++)
        for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
            for (int level = (int)ROOT_LEVEL; level >= 0; level--)
                if (table_at(&t, pid, places[i], level, view) == 1) {
                    check_table(&t, end);
                    looks++;
                }
    int n = sys_vmregions(pid, regions, REGIONS_MAX);
    for (int i = 0; i < n; i++)
        CHECK(regions[i].present <= (regions[i].end - regions[i].start) / PAGE &&
              regions[i].shared <= regions[i].present);
    return looks;
}

static void inspect_while_busy(void) {
    static struct abi_procinfo pi;
    static char rounds[2] = {' ' + CHURN_EXECS, 0};
    char fd[4], c, *argv[] = {"usertests", "--role", "churn", rounds, fd, NULL};
    uint64_t end = ram_end();
    for (int looks = 0; looks < LOOKS;) {
        int steps[2];
        must_pipe(steps);
        snprintf(fd, sizeof(fd), "%d", steps[1]);
        int pid = must_fork();
        if (pid == 0) {
            sys_exec(SELF, argv);
            sys_exit(EXEC_FAILED);
        }
        must_close(steps[1]);
        while (sys_read(steps[0], &c, 1) == 1) { /* else this hart may be all that it has */
            looks += look_at(pid, end);
            for (int slot = 0, r; (r = sys_procinfo(slot, &pi)) >= 0; slot++)
                if (r == 1 && pi.parent == pid)
                    looks += look_at(pi.pid, end);
        }
        CHECK_EQ(reap(pid), 0);
        must_close(steps[0]);
    }
}

/* ---- processes that come and go ---- */
#define FORKERS 3
#define LOOKERS 3
#define FORKS 1000
#define ROUNDS 400

static uint64_t heap_of(int n) { return n > 0 ? regions[n - 1].end - regions[n - 1].start : 0; }

/* Children whose heaps say by their size whose they are. */
static void come_and_go(void) {
    for (int i = 0; i < FORKS; i++) {
        int pid = must_fork();
        if (pid == 0) {
            must_sbrk((sys_getpid() % 16 + 1) * (int)PAGE);
            sys_exit(0);
        }
        CHECK_EQ(reap(pid), 0);
    }
}

/* What is told of a process is its own, also while its slot is given to the next one. */
static void look_around(int first, uint64_t heap) {
    static struct abi_procinfo pi;
    for (int round = 0; round < ROUNDS; round++)
        for (int slot = 0, r; (r = sys_procinfo(slot, &pi)) >= 0; slot++) {
            if (r == 0 || pi.pid <= first)
                continue;
            int n = sys_vmregions(pi.pid, regions, REGIONS_MAX);
            uint64_t its_own = heap + (pi.pid % 16 + 1) * PAGE;
            CHECK_MSG(n < 0 || heap_of(n) == heap || heap_of(n) == its_own,
                      "process %d has the heap of another: 0x%lx", pi.pid, (long)heap_of(n));
            CHECK(sys_vmtable(pi.pid, &t) < 0 || t.head.table != 0);
        }
}

static void inspect_who_comes_and_goes(void) {
    int first = sys_getpid();
    memset(&t, 0, sizeof(t));
    uint64_t heap = heap_of(sys_vmregions(0, regions, REGIONS_MAX));
    for (int i = 0; i < FORKERS + LOOKERS; i++)
        if (must_fork() == 0) {
            if (i < FORKERS)
                come_and_go();
            else
                look_around(first, heap);
            sys_exit(0);
        }
    reap_all(FORKERS + LOOKERS, 0);
}

const struct test inspectbusy_tests[] = {
    {"inspect_while_busy", inspect_while_busy, false},
    {"inspect_who_comes_and_goes", inspect_who_comes_and_goes, true},
    {0},
};
