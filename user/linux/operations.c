/* Guest instructions of single operations, by Linux's interface and glibc: an ordinary program of
 * Linux, which tools/bench_linux.py runs on Trellis and on Linux itself.
 *
 *     operations [-t] [NAME...]     a line for each: its name, and the median of some counts
 *
 * What is counted is the machine's (instret): that of the program and of the kernel, under QEMU's
 * -icount on one hart. What prepares an operation, or tidies up, is not counted. Linux keeps that
 * counter for itself. With -t the time counter is read in its place, which counts every hundredth:
 * then it is the mean of the counts, without the tenth at either end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <linux/futex.h>

#define PAGE 4096UL
#define KIB 1024UL
#define MIB (1024UL * KIB)
#define MOST 200 /* counts of one operation */
#define FILE_PAGES 64UL

static uint64_t total, began; /* of the count that is going on */

static bool by_time;
#define INSTRUCTIONS_PER_TICK 100

static inline uint64_t instructions(void) {
    uint64_t n;
    if (by_time) {
        __asm__ volatile("rdtime %0" : "=r"(n) : : "memory");
        return n * INSTRUCTIONS_PER_TICK;
    }
    __asm__ volatile("rdinstret %0" : "=r"(n) : : "memory");
    return n;
}

static void go(void) { began = instructions(); }
static void stop(void) { total += instructions() - began; }

static void need(bool fine, const char *what) {
    if (fine)
        return;
    printf("operations: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- memory ---- */

static char *map(size_t bytes, int flags, int fd) {
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    need(at != MAP_FAILED, "mmap");
    return at;
}

static char *map_own(size_t bytes) { return map(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1); }
static void unmap(char *at, size_t bytes) { need(munmap(at, bytes) == 0, "munmap"); }

static void touch(char *at, size_t bytes) {
    for (size_t i = 0; i < bytes; i += PAGE)
        *(volatile char *)(at + i) = 1;
}

static void look(const char *at, size_t bytes) {
    for (size_t i = 0; i < bytes; i += PAGE)
        (void)*(const volatile char *)(at + i);
}

static void map_and_unmap(size_t bytes, bool touched) {
    go();
    char *at = map_own(bytes);
    if (touched)
        touch(at, bytes);
    unmap(at, bytes);
    stop();
}

static void mmap_munmap_4k(void) { map_and_unmap(4 * KIB, false); }
static void mmap_touch_munmap_4k(void) { map_and_unmap(4 * KIB, true); }
static void mmap_munmap_64k(void) { map_and_unmap(64 * KIB, false); }
static void mmap_touch_munmap_64k(void) { map_and_unmap(64 * KIB, true); }
static void mmap_munmap_1m(void) { map_and_unmap(MIB, false); }
static void mmap_touch_munmap_1m(void) { map_and_unmap(MIB, true); }

static void brk_grow_touch_shrink(void) {
    go();
    char *at = sbrk(PAGE);
    need(at != (void *)-1, "sbrk");
    touch(at, PAGE);
    need(sbrk(-(intptr_t)PAGE) != (void *)-1, "sbrk");
    stop();
}

static void dontneed_retouch(void) {
    char *at = map_own(16 * PAGE);
    touch(at, 16 * PAGE);
    go();
    need(madvise(at, 16 * PAGE, MADV_DONTNEED) == 0, "madvise");
    touch(at, 16 * PAGE);
    stop();
    unmap(at, 16 * PAGE);
}

/* It cannot grow where it is. */
static void mremap_grow_move(void) {
    char *all = map_own(3 * MIB), *at = all + MIB;
    unmap(all, MIB);
    touch(at, MIB);
    go();
    char *moved = mremap(at, MIB, 2 * MIB, MREMAP_MAYMOVE);
    stop();
    need(moved != MAP_FAILED && moved != at, "mremap");
    unmap(moved, 2 * MIB);
    unmap(at + MIB, MIB);
}

static void munmap_hole(void) {
    char *at = map_own(3 * PAGE);
    touch(at, 3 * PAGE);
    go();
    unmap(at + PAGE, PAGE);
    stop();
    unmap(at, PAGE);
    unmap(at + 2 * PAGE, PAGE);
}

/* Each of some pages, by hand: the count is of one. */
#define EACH 16UL

static void fault_write(void) {
    char *at = map_own(EACH * PAGE);
    need(madvise(at, EACH * PAGE, MADV_NOHUGEPAGE) == 0 || errno == EINVAL, "madvise");
    go();
    touch(at, EACH * PAGE);
    stop();
    unmap(at, EACH * PAGE);
}

static void fault_read_zero(void) {
    char *at = map_own(EACH * PAGE);
    go();
    look(at, EACH * PAGE);
    stop();
    unmap(at, EACH * PAGE);
}

static void fault_huge(void) {
    char *all = map_own(4 * MIB), *at = (char *)(((uintptr_t)all + 2 * MIB - 1) & ~(2 * MIB - 1));
    (void)madvise(at, 2 * MIB, MADV_HUGEPAGE);
    go();
    *(volatile char *)at = 1;
    stop();
    unmap(all, 4 * MIB);
}

/* A child that has the pages, and waits until it is to end. */
static pid_t child_that_waits(int wake[2]) {
    char c;
    need(pipe(wake) == 0, "pipe");
    pid_t pid = fork();
    need(pid >= 0, "fork");
    if (pid == 0) {
        close(wake[1]);
        (void)!read(wake[0], &c, 1);
        _exit(0);
    }
    close(wake[0]);
    return pid;
}

static void end_child(int wake[2], pid_t pid) {
    close(wake[1]);
    need(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void cow_copy(void) {
    int wake[2];
    char *at = map_own(EACH * PAGE);
    touch(at, EACH * PAGE);
    pid_t pid = child_that_waits(wake);
    go();
    touch(at, EACH * PAGE);
    stop();
    end_child(wake, pid);
    unmap(at, EACH * PAGE);
}

static void cow_last_owner(void) {
    int wake[2];
    char *at = map_own(EACH * PAGE);
    touch(at, EACH * PAGE);
    end_child(wake, child_that_waits(wake));
    go();
    touch(at, EACH * PAGE);
    stop();
    unmap(at, EACH * PAGE);
}

static void shared_write(void) {
    char *at = map(EACH * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
    go();
    touch(at, EACH * PAGE);
    stop();
    unmap(at, EACH * PAGE);
}

static void change(size_t pages, bool touched) {
    char *at = map_own(pages * PAGE);
    touch(at, pages * PAGE);
    go();
    need(mprotect(at, pages * PAGE, PROT_READ) == 0, "mprotect");
    need(mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
    if (touched)
        touch(at, pages * PAGE);
    stop();
    unmap(at, pages * PAGE);
}

static void mprotect_1p(void) { change(1, false); }
static void mprotect_64p(void) { change(64, false); }
static void mprotect_64p_touch(void) { change(64, true); }

/* ---- files ---- */

static int file;
static char block[PAGE];

/* In the cache, and of so many pages. */
static void open_file(void) {
    file = open("/tmp/operations", O_RDWR | O_CREAT, 0600);
    need(file >= 0, "open");
    for (unsigned i = 0; i < FILE_PAGES; i++)
        need(write(file, block, PAGE) == PAGE, "write");
}

static void map_file_4m(void) {
    need(ftruncate(file, 4 * MIB) == 0, "ftruncate");
    go();
    char *at = map(4 * MIB, MAP_SHARED, file);
    unmap(at, 4 * MIB);
    stop();
    need(ftruncate(file, FILE_PAGES * PAGE) == 0, "ftruncate");
}

static void file_read(void) {
    char *at = map(FILE_PAGES * PAGE, MAP_SHARED, file);
    go();
    look(at, FILE_PAGES * PAGE);
    stop();
    unmap(at, FILE_PAGES * PAGE);
}

/* 37 has no divisor in common with the number of pages, so each comes once. */
static void file_read_random(void) {
    char *at = map(FILE_PAGES * PAGE, MAP_SHARED, file);
    go();
    for (size_t i = 0; i < FILE_PAGES; i++)
        (void)*(volatile char *)(at + i * 37 % FILE_PAGES * PAGE);
    stop();
    unmap(at, FILE_PAGES * PAGE);
}

static void file_private_write(void) {
    char *at = map(EACH * PAGE, MAP_PRIVATE, file);
    go();
    touch(at, EACH * PAGE);
    stop();
    unmap(at, EACH * PAGE);
}

static void file_shared_write(void) {
    char *at = map(EACH * PAGE, MAP_SHARED, file);
    go();
    touch(at, EACH * PAGE);
    stop();
    unmap(at, EACH * PAGE);
}

static void msync_clean(void) {
    char *at = map(PAGE, MAP_SHARED, file);
    need(msync(at, PAGE, MS_SYNC) == 0, "msync");
    go();
    need(msync(at, PAGE, MS_SYNC) == 0, "msync");
    stop();
    unmap(at, PAGE);
}

static void pread_4k(void) {
    go();
    need(pread(file, block, PAGE, PAGE) == PAGE, "pread");
    stop();
}

static void pwrite_4k(void) {
    go();
    need(pwrite(file, block, PAGE, PAGE) == PAGE, "pwrite");
    stop();
}

/* ---- calls and signals ---- */

static void getppid_call(void) {
    go();
    (void)syscall(SYS_getppid);
    stop();
}

static void clock_vdso(void) {
    struct timespec t;
    go();
    clock_gettime(CLOCK_MONOTONIC, &t);
    stop();
}

static void clock_call(void) {
    struct timespec t;
    go();
    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    stop();
}

static void nothing_to_do(int signal) {}

static void sigaction_call(void) {
    struct sigaction action = {.sa_handler = nothing_to_do};
    go();
    sigaction(SIGUSR2, &action, NULL);
    stop();
}

static void sigprocmask_pair(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    go();
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    stop();
}

static void signal_self(void) {
    pid_t self = getpid();
    signal(SIGUSR1, nothing_to_do);
    go();
    (void)syscall(SYS_tgkill, self, self, SIGUSR1);
    stop();
}

static char *guarded;

static void permit(int signal) { mprotect(guarded, PAGE, PROT_READ | PROT_WRITE); }

static void segv(void) {
    guarded = map_own(PAGE);
    touch(guarded, PAGE);
    need(mprotect(guarded, PAGE, PROT_READ) == 0, "mprotect");
    signal(SIGSEGV, permit);
    go();
    touch(guarded, PAGE);
    stop();
    signal(SIGSEGV, SIG_DFL);
    unmap(guarded, PAGE);
}

/* ---- threads ---- */

static void *end_at_once(void *arg) { return arg; }

static void thread(void) {
    pthread_t t;
    go();
    need(pthread_create(&t, NULL, end_at_once, NULL) == 0, "pthread_create");
    pthread_join(t, NULL);
    stop();
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void mutex_free(void) {
    go();
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    stop();
}

static int word;

static long futex(int *at, int operation, int value) {
    return syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void wake_nobody(void) {
    go();
    futex(&word, FUTEX_WAKE, 1);
    stop();
}

static void wait_changed(void) {
    go();
    futex(&word, FUTEX_WAIT, 77);
    stop();
}

#define TURNS 50

static int turn;

static void wait_for_turn(int mine) {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine)
        futex(&turn, FUTEX_WAIT, !mine);
}

static void give_turn(int whose) {
    __atomic_store_n(&turn, whose, __ATOMIC_RELEASE);
    futex(&turn, FUTEX_WAKE, 1);
}

static void *partner(void *arg) {
    for (int i = 0; i < TURNS; i++) {
        wait_for_turn(1);
        give_turn(0);
    }
    return arg;
}

static void futex_ping_pong(void) {
    pthread_t t;
    turn = 0;
    need(pthread_create(&t, NULL, partner, NULL) == 0, "pthread_create");
    go();
    for (int i = 0; i < TURNS; i++) {
        give_turn(1);
        wait_for_turn(0);
    }
    stop();
    pthread_join(t, NULL);
}

static void *yielder(void *arg) {
    for (int i = 0; i < TURNS; i++)
        sched_yield();
    return arg;
}

static void yield_two(void) {
    pthread_t t;
    need(pthread_create(&t, NULL, yielder, NULL) == 0, "pthread_create");
    sched_yield();
    go();
    for (int i = 0; i < TURNS / 2; i++)
        sched_yield();
    stop();
    pthread_join(t, NULL);
}

static void yield_alone(void) {
    go();
    sched_yield();
    stop();
}

static int there[2], back[2];

static void *answer(void *arg) {
    char c;
    for (int i = 0; i < TURNS && read(there[0], &c, 1) == 1; i++)
        (void)!write(back[1], &c, 1);
    return arg;
}

static void make_pipes(void) { need(pipe(there) == 0 && pipe(back) == 0, "pipe"); }

static void close_pipes(void) {
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
}

static void ask(void) {
    char c = 0;
    go();
    for (int i = 0; i < TURNS; i++)
        need(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "pipe");
    stop();
}

static void pipe_threads(void) {
    pthread_t t;
    make_pipes();
    need(pthread_create(&t, NULL, answer, NULL) == 0, "pthread_create");
    ask();
    pthread_join(t, NULL);
    close_pipes();
}

static void pipe_processes(void) {
    make_pipes();
    pid_t pid = fork();
    if (pid == 0) {
        answer(NULL);
        _exit(0);
    }
    ask();
    need(waitpid(pid, NULL, 0) == pid, "waitpid");
    close_pipes();
}

/* ---- processes ---- */

static char *self;

static void fork_exit_wait(void) {
    go();
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    need(waitpid(pid, NULL, 0) == pid, "fork");
    stop();
}

/* They are not alike, so that they stay so many. */
static void fork_100_regions(void) {
    static char *region[100];
    for (int i = 0; i < 100; i++) {
        region[i] = mmap(NULL, PAGE, PROT_READ | (i % 2 ? PROT_WRITE : 0),
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        need(region[i] != MAP_FAILED, "mmap");
        look(region[i], PAGE);
    }
    fork_exit_wait();
    for (int i = 0; i < 100; i++)
        unmap(region[i], PAGE);
}

static void run_self(bool borrows) {
    go();
    pid_t pid = borrows ? vfork() : fork();
    if (pid == 0) {
        execl(self, self, "-", (char *)NULL);
        _exit(1);
    }
    need(waitpid(pid, NULL, 0) == pid, "exec");
    stop();
}

static void vfork_exec_wait(void) { run_self(true); }
static void fork_exec_wait_(void) { run_self(false); }

/* ---- all ---- */

static const struct operation {
    const char *name;
    void (*count)(void);
    unsigned parts; /* the count is of so many */
    unsigned times;
} operations[] = {
    {"null_getppid", getppid_call, 1, MOST},
    {"clock_gettime_vdso", clock_vdso, 1, MOST},
    {"clock_gettime_call", clock_call, 1, MOST},
    {"mmap_munmap_4K", mmap_munmap_4k, 1, MOST},
    {"mmap_touch_munmap_4K", mmap_touch_munmap_4k, 1, MOST},
    {"mmap_munmap_64K", mmap_munmap_64k, 1, MOST},
    {"mmap_touch_munmap_64K", mmap_touch_munmap_64k, 1, MOST},
    {"mmap_munmap_1M", mmap_munmap_1m, 1, MOST},
    {"mmap_touch_munmap_1M", mmap_touch_munmap_1m, 1, 20},
    {"brk_grow_touch_shrink_4K", brk_grow_touch_shrink, 1, MOST},
    {"madv_dontneed_retouch_16p", dontneed_retouch, 1, MOST},
    {"mremap_grow_move_1M_2M", mremap_grow_move, 1, 20},
    {"munmap_hole_1p", munmap_hole, 1, MOST},
    {"fault_anon_write", fault_write, EACH, MOST},
    {"fault_anon_read_zero_page", fault_read_zero, EACH, MOST},
    {"fault_huge_2M", fault_huge, 1, 20},
    {"fault_cow_copy", cow_copy, EACH, 20},
    {"fault_cow_last_owner", cow_last_owner, EACH, 20},
    {"shared_anon_write", shared_write, EACH, MOST},
    {"mmap_munmap_file_4M", map_file_4m, 1, MOST},
    {"fault_file_read_sequential", file_read, FILE_PAGES, MOST},
    {"fault_file_read_random", file_read_random, FILE_PAGES, MOST},
    {"fault_file_private_write", file_private_write, EACH, MOST},
    {"fault_file_shared_write", file_shared_write, EACH, MOST},
    {"msync_1p_clean", msync_clean, 1, MOST},
    {"pread_4K", pread_4k, 1, MOST},
    {"pwrite_4K", pwrite_4k, 1, MOST},
    {"mprotect_1p_ro_rw", mprotect_1p, 1, MOST},
    {"mprotect_64p_ro_rw", mprotect_64p, 1, MOST},
    {"mprotect_64p_ro_rw_touch", mprotect_64p_touch, 1, MOST},
    {"sigaction", sigaction_call, 1, MOST},
    {"sigprocmask_pair", sigprocmask_pair, 1, MOST},
    {"signal_self_handler_return", signal_self, 1, MOST},
    {"segv_handler_mprotect_retry", segv, 1, MOST},
    {"pthread_create_join", thread, 1, MOST},
    {"mutex_free_lock_unlock", mutex_free, 1, MOST},
    {"futex_wake_nobody", wake_nobody, 1, MOST},
    {"futex_wait_changed", wait_changed, 1, MOST},
    {"futex_ping_pong_round_trip", futex_ping_pong, TURNS, 20},
    {"yield_two_threads_per_call", yield_two, TURNS / 2 * 2, 20},
    {"yield_alone", yield_alone, 1, MOST},
    {"pipe_round_trip_threads", pipe_threads, TURNS, 20},
    {"pipe_round_trip_processes", pipe_processes, TURNS, 20},
    {"fork_exit_wait", fork_exit_wait, 1, 50},
    {"fork_exit_wait_100_regions", fork_100_regions, 1, 20},
    {"vfork_exec_wait_static", vfork_exec_wait, 1, 50},
    {"fork_exec_wait_static", fork_exec_wait_, 1, 50},
};

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t typical(const uint64_t *counts, unsigned times) {
    if (!by_time)
        return counts[times / 2];
    uint64_t sum = 0;
    unsigned ends = times / 10;
    for (unsigned i = ends; i < times - ends; i++)
        sum += counts[i];
    return sum / (times - 2 * ends);
}

/* One before that does not count. */
static void measure(const struct operation *o) {
    static uint64_t counts[MOST];
    o->count();
    for (unsigned i = 0; i < o->times; i++) {
        total = 0;
        o->count();
        counts[i] = total;
    }
    qsort(counts, o->times, sizeof(counts[0]), by_size);
    printf("%s %llu\n", o->name, (unsigned long long)(typical(counts, o->times) / o->parts));
    fflush(stdout);
}

static bool is_wanted(const char *name, char *argv[]) {
    for (; *argv; argv++)
        if (!strcmp(*argv, name))
            return true;
    return false;
}

int main(int argc, char *argv[]) {
    self = argv[0];
    if (argc > 1 && !strcmp(argv[1], "-"))
        return 0;
    by_time = argc > 1 && !strcmp(argv[1], "-t");
    argc -= by_time;
    argv += by_time;
    open_file();
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (argc == 1 || is_wanted(operations[i].name, argv + 1))
            measure(&operations[i]);
    printf("operations: done\n");
    return 0;
}
