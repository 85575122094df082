/* The helpers that test.h promises. */
#include "test.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

unsigned char scratch[SCRATCH_SIZE] __attribute__((aligned(4096)));
unsigned char scratch2[SCRATCH_SIZE] __attribute__((aligned(4096)));

/* ---- processes ---- */
int must_fork(void) {
    int pid = sys_fork();
    CHECK_MSG(pid >= 0, "fork failed");
    return pid;
}

int reap(int pid) {
    int status = 0;
    int got = sys_wait(&status);
    CHECK_MSG(got > 0, "wait is %d with a child to wait for", got);
    if (pid != 0)
        CHECK_EQ(got, pid);
    if (status == STATUS_FAILED)
        sys_exit(STATUS_FAILED);
    return status;
}

void reap_all(int n, int status) {
    for (int i = 0; i < n; i++)
        CHECK_EQ(reap(0), status);
}

int run_child(void (*fn)(uint64_t), uint64_t arg) {
    int pid = must_fork();
    if (pid == 0) {
        fn(arg);
        sys_exit(0);
    }
    return reap(pid);
}

int with_growing_memory(void (*attempt)(void), int most) {
    int go[2], done[2], steps = 0;
    char c;
    must_pipe(go);
    must_pipe(done);
    int pid = must_fork();
    while (pid == 0) {
        read_all(go[0], &c, 1);
        attempt();
        write_all(done[1], "x", 1);
    }
    uint64_t got = take_all_memory();
    must_close(done[1]);
    for (;; steps++) {
        write_all(go[1], "1", 1);
        if (sys_read(done[0], &c, 1) != 1)
            break;
        CHECK_MSG(steps < most, "it failed with %d pages free", steps);
        give_back(PAGE);
        got -= PAGE;
    }
    CHECK(steps > 0);
    give_back(got);
    return reap(pid);
}

/* Where the last one was, first: there may be hundreds of slots, and some wait for a state. */
unsigned state_of(int pid) {
    static struct abi_procinfo pi;
    static int found;
    if (sys_procinfo(found, &pi) == 1 && pi.pid == pid)
        return pi.state;
    for (int slot = 0;; slot++) {
        int r = sys_procinfo(slot, &pi);
        if (r < 0)
            return 0;
        if (r == 1 && pi.pid == pid) {
            found = slot;
            return pi.state;
        }
    }
}

void must_info(struct abi_sysinfo *si) { CHECK_EQ(sys_sysinfo(si), 0); }

void info_of_self(struct abi_procinfo *pi) {
    for (int slot = 0; sys_procinfo(slot, pi) != 1 || pi->pid != sys_getpid(); slot++)
        CHECK(slot < 1000);
}

uint64_t frames_left(void) {
    struct abi_sysinfo si;
    must_info(&si);
    return si.frames_total > si.frames_committed ? si.frames_total - si.frames_committed : 0;
}

/* ---- memory ---- */
void *opaque(uint64_t address) {
    __asm__ volatile("" : "+r"(address));
    return (void *)address;
}

uint64_t stack_page(void) {
    uint64_t sp;
    __asm__ volatile("mv %0, sp" : "=r"(sp));
    return sp & ~(uint64_t)(PAGE - 1);
}

char *must_sbrk(int n) {
    char *p = sys_sbrk(n);
    CHECK_MSG(p != SBRK_FAILED, "sbrk(%d) failed", n);
    return p;
}

static unsigned char pattern_byte(unsigned i, unsigned seed) {
    unsigned x = (i + 1) * 2654435761u + seed * 40503u;
    return x >> 15 ^ x >> 7;
}

void fill(void *p, unsigned n, unsigned seed) {
    unsigned char *b = p;
    for (unsigned i = 0; i < n; i++)
        b[i] = pattern_byte(i, seed);
}

bool filled(const void *p, unsigned n, unsigned seed) {
    const unsigned char *b = p;
    for (unsigned i = 0; i < n; i++)
        if (b[i] != pattern_byte(i, seed))
            return false;
    return true;
}

bool all_zero(const void *p, unsigned n) {
    const unsigned char *b = p;
    for (unsigned i = 0; i < n; i++)
        if (b[i] != 0)
            return false;
    return true;
}

/* Physical addresses of devices and of RAM are here because a kernel table that
 * maps them low, or a walk that ignores high bits, would let them through: bits
 * above those that are translated select nothing, so with Sv39 1 << 39 is page 0 to a careless
 * walk. */
const uint64_t *bad_addresses(void) {
    static uint64_t bad[32];
    const uint64_t always[] = {
        0x80000000ULL,
        0x80200000ULL,
        USER_LIMIT,
        USER_LIMIT + PAGE,
        TRAPFRAME_VA - PAGE,
        TRAPFRAME_VA,
        TRAMPOLINE_VA,
        LOW_HALF_END - 1,
        LOW_HALF_END,
        LOW_HALF_END << 1,
        LOW_HALF_END << 2,
        1ULL << 63,
        (1ULL << 63) + PAGE,
        LOW_HALF_END - 0x6000,
        LOW_HALF_END - 0x14000, /* kernel stacks */
        -LOW_HALF_END - 1,
        -LOW_HALF_END,
        DIRECT_MAP - 1,
        DIRECT_MAP,
        DIRECT_MAP + 0x10000000,
        DIRECT_MAP + 0x80000000,
        DIRECT_MAP + 0x80200000,
        0xffffffff80000000ULL,
        0xfffffffffffff000ULL,
        0xfffffffffffffff8ULL,
        0xffffffffffffffffULL,
    };
    unsigned n = 0;
    uint64_t brk = (uint64_t)sys_sbrk(0);
    for (unsigned i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (always[i] >= brk)
            bad[n++] = always[i];
    bad[n++] = stack_page() - PAGE;
    bad[n++] = stack_page() - 8;
    bad[n++] = (brk + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    bad[n] = 0;
    return bad;
}

uint32_t next_random(uint32_t *state) {
    uint32_t x = *state ? *state : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

uint64_t take_all_memory(void) {
    uint64_t taken = 0;
    for (uint64_t step = 1u << 30; step >= PAGE; step /= 2)
        while (sys_sbrk(step) != SBRK_FAILED)
            taken += step;
    return taken;
}

void give_back(uint64_t bytes) {
    while (bytes > 0) {
        int step = bytes < (1u << 30) ? (int)bytes : 1 << 30;
        must_sbrk(-step);
        bytes -= step;
    }
}

/* ---- files ---- */
int must_open(const char *path, int mode) {
    int fd = sys_open(path, mode);
    CHECK_MSG(fd >= 0, "open(%s, 0x%x) failed", path, mode);
    return fd;
}

void must_close(int fd) { CHECK_MSG(sys_close(fd) == 0, "close(%d) failed", fd); }

void must_pipe(int fd[2]) { CHECK_EQ(sys_pipe(fd), 0); }

void write_all(int fd, const void *p, int n) {
    int r = sys_write(fd, p, n);
    CHECK_MSG(r == n, "write of %d bytes is %d", n, r);
}

void read_all(int fd, void *p, int n) {
    for (int done = 0; done < n;) {
        int r = sys_read(fd, (char *)p + done, n - done);
        CHECK_MSG(r > 0 && r <= n - done, "read of %d bytes is %d", n - done, r);
        done += r;
    }
}

void make_file(const char *path, unsigned n, unsigned seed) {
    int fd = must_open(path, ABI_O_CREATE | ABI_O_RDWR | ABI_O_TRUNC);
    fill(scratch, n, seed);
    write_all(fd, scratch, n);
    must_close(fd);
}

void check_file(const char *path, unsigned n, unsigned seed) {
    int fd = must_open(path, ABI_O_RDONLY);
    read_all(fd, scratch, n);
    CHECK_MSG(filled(scratch, n, seed), "%s has wrong contents", path);
    CHECK_EQ(sys_read(fd, scratch, 1), 0);
    must_close(fd);
}

void write_records(int fd, int who, unsigned size, int n) {
    char rec[16];
    memset(rec, 'a' + who, sizeof(rec));
    for (int i = 0; i < n; i++)
        write_all(fd, rec, size);
}

void check_records(const char *path, int procs, unsigned size, int n) {
    char rec[16];
    int fd = must_open(path, ABI_O_RDONLY), seen[26] = {0};
    for (int left = procs * n; left > 0; left--) {
        read_all(fd, rec, size);
        CHECK(rec[0] >= 'a' && rec[0] < 'a' + procs);
        for (unsigned i = 1; i < size; i++)
            CHECK_EQ(rec[i], rec[0]);
        seen[rec[0] - 'a']++;
    }
    CHECK_EQ(sys_read(fd, rec, 1), 0);
    for (int k = 0; k < procs; k++)
        CHECK_EQ(seen[k], n);
    must_close(fd);
}

bool exists(const char *path) {
    int fd = sys_open(path, ABI_O_RDONLY);
    if (fd >= 0)
        must_close(fd);
    return fd >= 0;
}

void must_stat(const char *path, struct stat *st) {
    int fd = must_open(path, ABI_O_RDONLY);
    CHECK_EQ(sys_fstat(fd, st), 0);
    must_close(fd);
}

void must_mkdir(const char *path) { CHECK_MSG(sys_mkdir(path) == 0, "mkdir(%s) failed", path); }

void must_unlink(const char *path) { CHECK_MSG(sys_unlink(path) == 0, "unlink(%s) failed", path); }

int fds_left(void) {
    static int fd[ABI_NOFILE];
    int n = 0;
    while (n < ABI_NOFILE && (fd[n] = sys_open("/", ABI_O_RDONLY)) >= 0)
        n++;
    for (int i = 0; i < n; i++)
        must_close(fd[i]);
    return n;
}

/* Unlinks what can be unlinked in the current directory; leaves the name of one
 * directory that has to be emptied first, if any. */
static bool unlink_here(char full[ABI_DIRSIZ + 1]) {
    struct fs_dirent de;
    char name[ABI_DIRSIZ + 1];
    bool found = false;
    int fd = sys_open(".", ABI_O_RDONLY);
    if (fd < 0)
        return false;
    while (sys_read(fd, &de, sizeof(de)) == (int)sizeof(de)) {
        memcpy(name, de.name, ABI_DIRSIZ);
        name[ABI_DIRSIZ] = 0;
        if (de.inum == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (sys_unlink(name) < 0) {
            memcpy(full, name, sizeof(name));
            found = true;
        }
    }
    sys_close(fd);
    return found;
}

/* Goes down with chdir and up with "..", since a deep path may be too long. */
void remove_all_here(void) {
    char name[ABI_DIRSIZ + 1];
    int depth = 0;
    for (;;) {
        if (unlink_here(name)) {
            if (sys_chdir(name) < 0)
                return;
            depth++;
        } else if (depth > 0) {
            if (sys_chdir("..") < 0)
                return;
            depth--;
        } else {
            return;
        }
    }
}
