/* Time: sleep, uptime, and that a process that spins leaves room for others. */
#include "test.h"
#include <sys/mman.h>

static void sleep_lasts(void) {
    for (int n = 1; n <= 5; n += 2) {
        int start = sys_uptime();
        CHECK_EQ(sys_sleep(n), 0);
        int took = sys_uptime() - start;
        CHECK_MSG(took >= n, "sleep(%d) took %d ticks", n, took);
    }
}

/* Waits of different lengths at the same time: none ends early. */
static void sleepers_overlap(void) {
    for (int i = 4; i >= 0; i--) {
        if (must_fork() == 0) {
            int start = sys_uptime(), n = 4 + 3 * i;
            CHECK_EQ(sys_sleep(n), 0);
            CHECK_MSG(sys_uptime() - start >= n, "sleep(%d) is over early", n);
            sys_exit(0);
        }
    }
    reap_all(5, 0);
}

static void uptime_goes_on(void) {
    int start = sys_uptime(), last = start;
    uint64_t spins = 0;
    while (last < start + 3) { /* without sleeping: the timer interrupts */
        int now = sys_uptime();
        CHECK(now >= last);
        last = now;
        spins++;
    }
    CHECK(spins > 3);
}

static void spin_forever(void) {
    for (;;)
        __asm__ volatile("");
}

/* More spinning processes than harts; the parent still gets its turn. */
static void preemption(void) {
    struct abi_sysinfo si;
    int pid[24], p[2];
    char c;
    must_info(&si);
    int n = 2 * (int)si.harts + 2;
    must_pipe(p);
    for (int i = 0; i < n; i++) {
        pid[i] = must_fork();
        if (pid[i] == 0) {
            write_all(p[1], "x", 1);
            spin_forever();
        }
    }
    for (int i = 0; i < n; i++) /* each of them has run */
        CHECK_EQ(sys_read(p[0], &c, 1), 1);
    CHECK_EQ(sys_sleep(2), 0);
    for (int i = 0; i < n; i++)
        CHECK_EQ(sys_kill(pid[i]), 0);
    reap_all(n, KILLED);
}

static int how_many_have_run(const int *pid, int n) {
    static struct abi_procinfo pi;
    int seen = 0;
    for (int slot = 0, r; (r = sys_procinfo(slot, &pi)) >= 0; slot++)
        for (int i = 0; r == 1 && i < n; i++)
            seen += pi.pid == pid[i] && pi.ticks > 0;
    return seen;
}

/* Each of several spinning processes makes progress. */
static void fair_enough(void) {
    struct abi_sysinfo si;
    int pid[24], seen = 0;
    must_info(&si);
    int n = (int)si.harts + 2, most = 4 * n > 20 ? 4 * n : 20;
    for (int i = 0; i < n; i++) {
        pid[i] = must_fork();
        if (pid[i] == 0)
            spin_forever();
    }
    for (int ticks = 0; ticks < most && seen < n; ticks++) {
        sys_sleep(1);
        seen = how_many_have_run(pid, n);
    }
    for (int i = 0; i < n; i++)
        CHECK_EQ(sys_kill(pid[i]), 0);
    reap_all(n, KILLED);
    CHECK_EQ(seen, n);
}

/* Two processes hand a byte back and forth: no wake-up gets lost (pitfall 26). A
 * lost one would show as a wait for the next tick, or for ever. */
static void ping_pong(void) {
    int a[2], b[2];
    char c = 0;
    must_pipe(a);
    must_pipe(b);
    int pid = must_fork();
    if (pid == 0) {
        for (int i = 0; i < 1000; i++) {
            read_all(a[0], &c, 1);
            CHECK_EQ(c, (char)i);
            write_all(b[1], &c, 1);
        }
        sys_exit(0);
    }
    int start = sys_uptime();
    for (int i = 0; i < 1000; i++) {
        c = (char)i;
        write_all(a[1], &c, 1);
        read_all(b[0], &c, 1);
        CHECK_EQ(c, (char)i);
    }
    int took = sys_uptime() - start;
    CHECK_EQ(reap(pid), 0);
    CHECK_MSG(took < 1000, "1000 round trips took %d ticks", took);
}

static uint64_t time_now(void) {
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

#define SLICES_OF_TICK 25

static uint64_t time_of_tick(void) {
    uint64_t from = time_now();
    CHECK_EQ(sys_sleep(3), 0);
    return (time_now() - from) / 3;
}

/* A child that reads the pipe's bytes, and counts them in memory that it shares. */
static int begin_reader(const int p[2], volatile int **seen) {
    *seen = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(*seen != MAP_FAILED);
    int pid = must_fork();
    if (pid > 0)
        return pid;
    char c;
    sys_close(p[1]);
    while (sys_read(p[0], &c, 1) == 1)
        ++**seen;
    sys_exit(0);
}

static void end_reader(int pid, int fd, volatile int *seen) {
    must_close(fd);
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(munmap((void *)seen, PAGE), 0);
}

/* Wakes a reader up to `rounds` times and waits for it, with one call after the other or without
 * any; `enough` times it runs within this part of a slice. */
static void must_run_soon(int rounds, int enough, bool calls, unsigned part) {
    int p[2], fast = 0;
    uint64_t tick = time_of_tick();
    volatile int *seen;
    must_pipe(p);
    int pid = begin_reader(p, &seen);
    for (int i = 0; i < rounds && fast < enough; i++) {
        while (state_of(pid) != ABI_P_SLEEPING) {
        }
        for (uint64_t start = time_now(); time_now() - start < tick / 1000;) {
        }
        write_all(p[1], "x", 1);
        uint64_t start = time_now();
        while (*seen == i)
            if (calls)
                sys_getpid();
        fast += time_now() - start < tick / SLICES_OF_TICK / part;
    }
    end_reader(pid, p[1], seen);
    CHECK_MSG(fast >= enough, "%d of %d ran soon", fast, rounds);
}

/* Who wakes a process and goes on computing does not keep it waiting while another
 * hart idles (pitfall 26). If that hart is not told, or misses it since it is about to
 * sleep, the reader runs at the end of our time slice, in every round. Almost all may be
 * so slow for another reason: a host that is busy. We make no call, in which we could make room. */
static void wakes_an_idle_hart(void) {
    struct abi_sysinfo si;
    must_info(&si);
    if (si.harts == 1)
        note("one hart: nothing to see");
    else
        must_run_soon(1500, 12, false, 4);
}

/* Who wakes a process and then makes one call after the other lets it run soon, also where no other
 * hart is (pitfall 69): else a program that waits in such a loop for what it has woken waits for
 * a slice each time. */
static void woken_runs_soon(void) {
    struct abi_sysinfo si;
    must_info(&si);
    if (si.harts > 1)
        note("another hart runs it: as soon as the host lets that one run");
    else
        must_run_soon(200, 40, true, 8);
}

/* A disk request in an idle system does not wait for the next timer (pitfall 34): that is the
 * flusher's, after a second, and each of 40 commits has several requests one after the other. */
static void disk_wakes_up(void) {
    int start = sys_uptime();
    for (int i = 0; i < 40; i++) {
        make_file("f", 1024, i);
        CHECK_EQ(sys_sync(), 0);
        must_unlink("f");
    }
    int took = sys_uptime() - start;
    CHECK_MSG(took < 200, "40 commits took %d ticks", took);
}

/* ---- calls that take long ---- */

/* What a process that spins counts while another one makes a call. */
struct spinner {
    volatile uint64_t turns; /* others ran for a while, and then it ran again */
    int pid;
};

static struct spinner *begin_spinning(uint64_t slice) {
    struct spinner *s = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(s != MAP_FAILED);
    int pid = must_fork();
    if (pid > 0) {
        s->pid = pid;
        return s;
    }
    for (uint64_t last = time_now(), now;; last = now) {
        now = time_now();
        s->turns += now - last > slice / 4;
    }
}

/* A call of many slices lets the spinner run: in every sixteenth at least. One hart may have stood
 * still for some: a host that is busy. */
static void check_turns(const char *call, uint64_t slices, uint64_t turns) {
    note("%s: %d slices, %d turns", call, (int)slices, (int)turns);
    CHECK_MSG(slices < 30 || turns >= slices / 16, "%s lets nobody in", call);
}

#define WATCH(s, slice, call) \
    do { \
        uint64_t turns_ = (s)->turns, start_ = time_now(); \
        call; \
        uint64_t slices_ = (time_now() - start_) / (slice); \
        check_turns(#call, slices_, (s)->turns - turns_); \
    } while (0)

static void fork_once(void) {
    if (must_fork() == 0)
        sys_exit(0);
}

#define REGIONS 32
static struct abi_vmregion regions[REGIONS];

#define GAPS 8192

/* Of one page each, between as many mappings. */
static char *make_gaps(void) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *a = mmap(0, 2 * GAPS * PAGE, PROT_NONE, flags, -1, 0);
    CHECK(a != MAP_FAILED && munmap(a, 2 * GAPS * PAGE) == 0);
    for (uint64_t i = 0; i < 2 * GAPS; i += 2)
        CHECK(mmap(a + i * PAGE, PAGE, PROT_NONE, flags | MAP_FIXED, -1, 0) == a + i * PAGE);
    return a;
}

/* Where the last page was given back, in the highest gap, is no room: so all are looked at. */
static void give_back_above(char *a) {
    char *last = a + (2 * GAPS - 3) * PAGE;
    CHECK(mmap(last, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == last);
    CHECK_EQ(munmap(last, PAGE), 0);
}

/* How long it takes to find room below a. */
static uint64_t find_room(char *a) {
    give_back_above(a);
    uint64_t start = time_now();
    char *p = mmap(0, 4 * MB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t took = time_now() - start;
    CHECK(p != MAP_FAILED && p < a);
    CHECK_EQ(munmap(p, 4 * MB), 0);
    return took;
}

/* Nobody is let in while room is looked for, so that takes no longer beside many gaps. The best of
 * some counts, since a busy host may let the hart stand still. */
static void room_is_found_at_once(uint64_t slice) {
    char *a = make_gaps();
    uint64_t best = find_room(a);
    for (int i = 0; i < 15; i++) {
        uint64_t took = find_room(a);
        best = took < best ? took : best;
    }
    CHECK_MSG(best < 2 * slice, "to find room beside %d gaps takes %d slices", GAPS,
              (int)(best / slice));
    CHECK_EQ(munmap(a, 2 * GAPS * PAGE), 0);
}

/* On one slow hart: tests/system/test_long_calls.py. Others have the calls too fast. */
static void long_calls_let_others_run(void) {
    struct abi_sysinfo si;
    uint64_t slice = time_of_tick() / 10; /* some slices: there a piece takes several */
    struct spinner *s = begin_spinning(slice);
    must_info(&si);
    uint64_t bytes = si.frames_free / 3 * PAGE;
    bytes = bytes < 128 * MB ? bytes : 128 * MB;
    char *a = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1,
                   0);
    CHECK(a != MAP_FAILED);
    WATCH(s, slice, sys_vmregions(0, regions, REGIONS));
    WATCH(s, slice, fork_once());
    WATCH(s, slice, sys_wait(0));
    WATCH(s, slice, mprotect(a, bytes, PROT_READ));
    WATCH(s, slice, munmap(a, bytes));
    CHECK_EQ(sys_kill(s->pid), 0);
    CHECK_EQ(reap(s->pid), KILLED);
    CHECK_EQ(munmap(s, PAGE), 0);
    room_is_found_at_once(slice);
}

const struct test sched_tests[] = {
    {"sleep_lasts", sleep_lasts, false},
    {"sleepers_overlap", sleepers_overlap, false},
    {"uptime_goes_on", uptime_goes_on, false},
    {"preemption", preemption, false},
    {"fair_enough", fair_enough, false},
    {"ping_pong", ping_pong, false},
    {"wakes_an_idle_hart", wakes_an_idle_hart, false},
    {"woken_runs_soon", woken_runs_soon, false},
    {"disk_wakes_up", disk_wakes_up, false},
    {"long_calls_let_others_run", long_calls_let_others_run, true},
    {0},
};
