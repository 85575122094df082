/* Trellis's own calls that report: sysinfo, procinfo, vmprint. */
#include "test.h"
#include <time.h>
#include <string.h>

static void sysinfo_is_sane(void) {
    struct abi_sysinfo si;
    must_info(&si);
    CHECK(si.frames_total >= 4096); /* 16 MiB at least, of 32 */
    CHECK(si.frames_free > 0 && si.frames_free <= si.frames_total);
    CHECK(si.frames_cached < si.frames_free);
    CHECK(si.frames_committed > 0 && si.frames_committed <= si.frames_total);
    CHECK(si.procs >= 2 && si.procs <= si.procs_max);
    CHECK(si.procs_max < 1000);
    CHECK(si.harts >= 1 && si.harts <= 8);
    CHECK(si.inodes_free > 0 && si.blocks_free > 0);
    CHECK(si.files_open >= 1);
    CHECK(si.levels >= 3 && si.levels <= 5);
    CHECK(si.design[0] && memchr(si.design, 0, sizeof(si.design)));
}

static void sysinfo_counts(void) {
    struct abi_sysinfo a, b;
    must_info(&a);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    write_all(fd, scratch, 3 * FS_BLOCK_SIZE);
    must_info(&b);
    CHECK_EQ(b.files_open, a.files_open + 1);
    CHECK_EQ(b.inodes_free, a.inodes_free - 1);
    CHECK_EQ(b.blocks_free, a.blocks_free - 3);
    must_close(fd);
    int p[2];
    must_pipe(p);
    must_info(&b);
    CHECK_EQ(b.files_open, a.files_open + 2);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(0);
    must_info(&b);
    CHECK_EQ(b.procs, a.procs + 1);
    CHECK_EQ(reap(pid), 0);
    must_info(&b);
    CHECK_EQ(b.procs, a.procs);
    uint64_t left = frames_left();
    must_sbrk(100 * PAGE);
    CHECK(frames_left() <= left - 100);
}

static int find_process(int pid, struct abi_procinfo *pi) {
    for (int slot = 0, r; (r = sys_procinfo(slot, pi)) >= 0; slot++)
        if (r == 1 && pi->pid == pid)
            return slot;
    FAIL("process %d is in no slot", pid);
}

static void procinfo_of_self(void) {
    struct abi_procinfo pi;
    struct abi_sysinfo si;
    must_info(&si);
    int slot = find_process(sys_getpid(), &pi);
    CHECK_EQ(pi.state, ABI_P_RUNNING);
    CHECK(pi.hart < si.harts);
    uint64_t size = pi.size;
    CHECK(size > 0 && size < (uint64_t)sys_sbrk(0)); /* there are the guard page and a gap */
    CHECK_EQ(pi.brk, (uint64_t)sys_sbrk(0));
    CHECK(pi.parent > 0);
    CHECK(strcmp(pi.name, "usertests") == 0);
    CHECK(pi.table_frames >= 3 && pi.frames > 0 && pi.committed >= pi.frames / 4);
    uint64_t frames = pi.frames;
    char *p = must_sbrk(10 * PAGE);
    CHECK_EQ(sys_procinfo(slot, &pi), 1);
    CHECK_EQ(pi.frames, frames);
    CHECK_EQ(pi.size, size + 10 * PAGE);
    memset(p, 1, 10 * PAGE);
    CHECK_EQ(sys_procinfo(slot, &pi), 1);
    CHECK(pi.frames >= frames + 9 && pi.frames <= frames + 512);
    int free_slots = 0;
    for (int i = 0, r; (r = sys_procinfo(i, &pi)) >= 0; i++)
        free_slots += r == 0;
    CHECK(free_slots > 0);
}

static void procinfo_of_nobody(void) {
    struct abi_procinfo pi;
    static const int bad[] = {-1, 1000, 100000, 0x7fffffff, -0x7fffffff - 1};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(sys_procinfo(bad[i], &pi), -EINVAL);
}

static void procinfo_of_others(void) {
    struct abi_procinfo pi;
    find_process(1, &pi);
    CHECK(strcmp(pi.name, "init") == 0);
    int pid = must_fork();
    if (pid == 0) {
        sys_sleep(100000);
        sys_exit(0);
    }
    WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
    find_process(pid, &pi);
    CHECK_EQ(pi.parent, sys_getpid());
    CHECK_EQ(sys_kill(pid), 0);
    WAIT_UNTIL(state_of(pid) == ABI_P_ZOMBIE);
    find_process(pid, &pi);
    CHECK_EQ(reap(pid), KILLED);
}

static void procinfo_while_busy(void) {
    struct abi_procinfo pi;
    for (int k = 0; k < 3; k++) {
        if (must_fork() == 0) {
            for (int i = 0; i < 60; i++) {
                int pid = must_fork();
                if (pid == 0)
                    sys_exit(0);
                CHECK_EQ(reap(pid), 0);
                must_sbrk(PAGE)[0] = 1;
            }
            sys_exit(0);
        }
    }
    for (int round = 0; round < 20; round++) {
        for (int slot = 0, r; (r = sys_procinfo(slot, &pi)) >= 0; slot++) {
            if (r == 1) {
                CHECK(pi.state >= ABI_P_RUNNABLE && pi.state <= ABI_P_ZOMBIE);
                CHECK(pi.pid > 0);
            }
        }
    }
    reap_all(3, 0);
}

/* Prints tables on the console; that they are right is checked there. */
static void vmprint(void) {
    CHECK_EQ(sys_vmprint(0), 0);
    CHECK_EQ(sys_vmprint(-1), -ESRCH);
    CHECK_EQ(sys_vmprint(0x7fffffff), -ESRCH);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(0);
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(sys_vmprint(pid), -ESRCH);
}

static uint64_t nanoseconds(int clock) {
    struct timespec t = {-1, -1};
    CHECK_EQ(sys_clock_gettime(clock, &t), 0);
    CHECK(t.tv_sec >= 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Both clocks go on together, at the pace of the ticks. */
static void clocks(void) {
    uint64_t date = nanoseconds(ABI_CLOCK_REALTIME), before = nanoseconds(ABI_CLOCK_MONOTONIC);
    uint64_t ticks = (uint64_t)sys_uptime(), last = before;
    CHECK(before / 100000000 <= ticks);
    CHECK_EQ(sys_sleep(3), 0);
    uint64_t after = nanoseconds(ABI_CLOCK_MONOTONIC);
    CHECK(after - before > 200000000);
    CHECK(after / 100000000 >= ticks + 3);
    CHECK(nanoseconds(ABI_CLOCK_REALTIME) - date >= after - before);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = nanoseconds(ABI_CLOCK_MONOTONIC);
        CHECK(now >= last);
        last = now;
    }
}

static void must_vmstat(struct abi_vmstat *counts) { CHECK_EQ(sys_vmstat(counts), 0); }

/* Others, such as the kernel's own threads, add to these counts, but take nothing away. */
static void vmstat_of_memory(void) {
    struct abi_vmstat a, b;
    char *p = must_sbrk(2 * 512 * PAGE);
    p += -(uint64_t)p % (512 * PAGE); /* where a large leaf may stand */
    must_vmstat(&a);
    p[0] = 1; /* 2 MiB, when there is a run of frames */
    must_vmstat(&b);
    CHECK(b.faults > a.faults);
    CHECK(b.zeroed + b.zeroed_large > a.zeroed + a.zeroed_large);
    must_vmstat(&a);
    int pid = must_fork();
    if (pid == 0) {
        p[0] = 2;
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    must_vmstat(&b);
    CHECK(b.copied > a.copied);
    CHECK(b.tables >= a.tables + 3);
    p[0] = 3;
    p[PAGE] = 3;
    must_vmstat(&a);
    CHECK(a.taken_over > b.taken_over);
}

static void vmstat_of_files(void) {
    struct abi_vmstat a, b;
    make_file("f", 4 * PAGE, 1);
    int fd = must_open("f", ABI_O_RDWR);
    must_vmstat(&a);
    CHECK_EQ(sys_read(fd, scratch, 2 * PAGE), 2 * PAGE);
    CHECK_EQ(sys_write(fd, scratch, PAGE), PAGE);
    must_vmstat(&b);
    CHECK(b.bytes_out >= a.bytes_out + 2 * PAGE);
    CHECK(b.bytes_in >= a.bytes_in + PAGE && b.bytes_in < a.bytes_in + 2 * PAGE);
    volatile char *p = sys_mmap(NULL, 4 * PAGE, ABI_PROT_READ | ABI_PROT_WRITE, ABI_MAP_SHARED, fd,
                                0);
    CHECK((int64_t)p > 0);
    must_vmstat(&a);
    (void)p[0];
    must_vmstat(&b);
    CHECK(b.shown > a.shown && b.shown + b.shown_beside >= a.shown + a.shown_beside + 4);
    p[0] = 1; /* the file is told of the first write */
    must_vmstat(&a);
    CHECK(a.permitted > b.permitted);
    CHECK_EQ(sys_munmap((void *)p, 4 * PAGE), 0);
    must_close(fd);
}

const struct test info_tests[] = {
    {"clocks", clocks, false},
    {"sysinfo_is_sane", sysinfo_is_sane, false},
    {"sysinfo_counts", sysinfo_counts, false},
    {"vmstat_of_memory", vmstat_of_memory, false},
    {"vmstat_of_files", vmstat_of_files, false},
    {"procinfo_of_self", procinfo_of_self, false},
    {"procinfo_of_nobody", procinfo_of_nobody, false},
    {"procinfo_of_others", procinfo_of_others, false},
    {"procinfo_while_busy", procinfo_while_busy, false},
    {"vmprint", vmprint, true},
    {0},
};
