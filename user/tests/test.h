/* What every test uses. A test is a function that runs in a process and a
 * directory of its own and returns when all is well; a check that fails prints
 * the line `test NAME: FAILED: reason (file:line)` and ends that process. The
 * runner (main.c) cleans the directory and then counts frames, processes,
 * inodes, blocks and open files against what there was before. */
#pragma once
#include "sys.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define KILLED (-1)      /* wait's status of a process that was killed */
#define STATUS_FAILED 99 /* a check failed, and has said so */
#define SBRK_FAILED ((char *)-1)
#define PAGE 4096u
#define MB (1u << 20)

/* The memory map that the interface and the design fix, and what the number of levels of page
 * tables fixes (main.c has asked for it). */
extern unsigned paging_levels;
#define ROOT_LEVEL (paging_levels - 1)
#define LOW_HALF_END (1ULL << (11 + 9 * paging_levels))
#define USER_LIMIT (LOW_HALF_END - (1ULL << (3 + 9 * paging_levels)))
#define TRAPFRAME_VA (LOW_HALF_END - 2 * PAGE)
#define TRAMPOLINE_VA (LOW_HALF_END - PAGE)
#define DIRECT_MAP 0xffffffc000000000ULL

#define SELF "/tests/usertests" /* this program */
#define WORK_DIR "/ut"          /* where tests run */

struct test {
    const char *name;
    void (*run)(void);
    bool slow; /* left out by -q */
};

/* A subject is a table of tests that ends with an entry without a name. */
extern const struct test args_tests[], errno_tests[], bounds_tests[], sbrk_tests[], lazy_tests[],
    mmap_tests[], remap_tests[], mapfile_tests[], mapstore_tests[], names_tests[], views_tests[],
    protect_tests[], regs_tests[], fork_tests[], exec_tests[], running_tests[], elf_tests[],
    elfbad_tests[], wait_tests[], sched_tests[], pipe_tests[], fd_tests[], fdcalls_tests[],
    file_tests[], dir_tests[], disk_tests[], info_tests[], inspect_tests[], inspectbusy_tests[],
    stress_tests[], group_tests[], design_tests[], threads_tests[], futex_tests[];
/* Those of threadtests. */
extern const struct test life_tests[], locks_tests[];
/* Those of signaltests. */
extern const struct test handlers_tests[], calls_tests[], faults_tests[],
    threads_of_signals_tests[];

/* ---- checks ---- */
void fail_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), __noreturn__));
/* A line about the running test that is no failure. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define FAIL(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond) \
    do { \
        if (!(cond)) \
            fail_check(__LINE__, #cond); \
    } while (0)
#define CHECK_MSG(cond, ...) \
    do { \
        if (!(cond)) \
            FAIL(__VA_ARGS__); \
    } while (0)
#define CHECK_EQ(got, want) \
    do { \
        long got_ = (long)(got), want_ = (long)(want); \
        if (got_ != want_) \
            fail_equal(__LINE__, #got, got_, want_); \
    } while (0)

/* Once for each file, so that a check names neither it nor a format: checks are most of the code,
 * and the program has to fit a file of xv6's. They take a check in a header for one in the file. */
#define ONCE_A_FILE static __attribute__((noinline, cold, unused, __noreturn__)) void
ONCE_A_FILE fail_check(int line, const char *cond) { fail_at(__BASE_FILE__, line, "%s", cond); }
ONCE_A_FILE fail_equal(int line, const char *what, long got, long want) {
    fail_at(__BASE_FILE__, line, "%s is %ld, not %ld", what, got, want);
}

/* Looks at cond once a tick until it holds; fails after a minute. */
#define WAIT_UNTIL(cond) \
    do { \
        int start_ = sys_uptime(); \
        while (!(cond)) { \
            CHECK_MSG(sys_uptime() - start_ < 600, "waited a minute for %s", #cond); \
            sys_sleep(1); \
        } \
    } while (0)

/* ---- processes ---- */
/* fork that fails the test instead of returning -1. */
int must_fork(void);
/* Waits for a child, any child when pid is 0; returns its status. A child whose
 * check failed ends the caller too, which then says no more. */
int reap(int pid);
/* Waits for n children and wants this status of each. */
void reap_all(int n, int status);
/* Runs fn(arg) in a child, which exits with 0 when fn returns; its status. */
int run_child(void (*fn)(uint64_t), uint64_t arg);
/* A child calls attempt, first with no memory left, and once more whenever a page has been
 * given back; in between it fails at every place where it can. When it succeeds it ends the
 * child, whose status this is; fails when that takes none, or more than so many pages. */
int with_growing_memory(void (*attempt)(void), int most);
/* The state of a process (enum abi_procstate), 0 when there is none. */
unsigned state_of(int pid);
void must_info(struct abi_sysinfo *si);
void info_of_self(struct abi_procinfo *pi);
/* Frames that can still be promised. */
uint64_t frames_left(void);

/* ---- memory ---- */
/* An address that the compiler knows nothing about. */
void *opaque(uint64_t address);
uint64_t stack_page(void); /* where the stack's one page begins; the guard page lies below */
/* sbrk that fails the test instead of returning -1. n is in bytes. */
char *must_sbrk(int n);
/* Bytes that depend on the seed and their position, and whether p has them. */
void fill(void *p, unsigned n, unsigned seed);
bool filled(const void *p, unsigned n, unsigned seed);
bool all_zero(const void *p, unsigned n);
/* Addresses that no process may hand to the kernel, ended by 0. With what the
 * running process may not use: its guard page, and the page behind its break. */
const uint64_t *bad_addresses(void);
uint32_t next_random(uint32_t *state);
/* The largest frames-worth of sbrk that this machine grants at once, taken and
 * kept by the caller: everything, in pieces. Returns the number of bytes. */
uint64_t take_all_memory(void);
void give_back(uint64_t bytes); /* the opposite, in pieces that fit an int */

/* ---- files; all fail the test on an error ---- */
int must_open(const char *path, int mode);
void must_close(int fd);
void must_pipe(int fd[2]);
/* Writes or reads exactly n bytes. */
void write_all(int fd, const void *p, int n);
void read_all(int fd, void *p, int n);
/* A file with n bytes fill()ed with seed, replacing what was there. */
void make_file(const char *path, unsigned n, unsigned seed);
void check_file(const char *path, unsigned n, unsigned seed);
/* n writes of a record of size bytes, at most 16, that says who wrote it; and whether path
 * has n whole ones of each of so many processes and nothing else, in any order. */
void write_records(int fd, int who, unsigned size, int n);
void check_records(const char *path, int procs, unsigned size, int n);
bool exists(const char *path);
void must_stat(const char *path, struct stat *st);
void must_mkdir(const char *path);
void must_unlink(const char *path);
/* How many more files this process can open. */
int fds_left(void);
/* Removes everything in the current directory. */
void remove_all_here(void);

/* Scratch space on page borders, for whoever runs. Big enough for any file. */
#define SCRATCH_SIZE (16 * 4096)
extern unsigned char scratch[SCRATCH_SIZE], scratch2[SCRATCH_SIZE];
/* Data that comes from the program's file, on page borders, for whoever runs: its pages begin with
 * these values, and all else is 0. */
extern char initialised[4 * PAGE];
#define INITIALISED(page) (11 * ((page) + 1))

/* ---- roles.c, exec.c, elf.c, plan.c ---- */
/* What `usertests --role NAME ARG...` does: the programs that exec tests run. */
int run_role(int argc, char **argv);
void role_argument(char *to, int i);   /* what the role `args` wants as its i-th argument */
int role_churn(int argc, char **argv); /* these are inspectbusy.c's */
int role_split(int argc, char **argv);
int role_signals(int argc, char **argv); /* of signaltests: calls.c's */
int role_chain(int argc, char **argv);   /* these are design.c's */
int role_turn(int argc, char **argv);
int role_plan(int argc, char **argv); /* this is plan.c's */

/* A program of a few instructions, as position-independent assembly. */
#define PROGRAM(name, text) \
    __asm__(".pushsection .rodata.program_" #name ", \"a\"\n.balign 8\nprogram_" #name ":\n" text \
            "\nprogram_" #name "_end:\n.popsection\n"); \
    extern const char program_##name[], program_##name##_end[]
/* Writes such a program as an executable with one segment (flags: 4 R, 2 W, 1 X). */
void write_program(const char *path, const char *code, const char *end, unsigned flags);
#define WRITE_PROGRAM(path, name, flags) \
    write_program(path, program_##name, program_##name##_end, flags)
/* Runs it in a child with these arguments (NULL: its path alone); its status.
 * A failed exec is status EXEC_FAILED. */
#define EXEC_FAILED 98
int run_program(const char *path, char *const argv[]);
