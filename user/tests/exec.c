/* exec: arguments, what a new program starts with, and that a failure changes
 * nothing. elf.c has the files that exec must refuse. */
#include "test.h"
#include <stdio.h>
#include <string.h>

static int run_self(const char *role, const char *a, const char *b) {
    char *argv[] = {"usertests", "--role", (char *)role, (char *)a, (char *)b, NULL};
    return run_program(SELF, argv);
}

/* ---- programs of a few instructions: exit with... ---- */
PROGRAM(forty_two, "li a0, 42\n li a7, 2\n ecall");
PROGRAM(forty_three, "li a0, 43\n li a7, 2\n ecall");
PROGRAM(argc, "li a7, 2\n ecall");
PROGRAM(sp_alignment, "andi a0, sp, 15\n li a7, 2\n ecall");
PROGRAM(sp_above_argv, "sltu a0, a1, sp\n li a7, 2\n ecall");
PROGRAM(last_string, "slli t0, a0, 3\n add t0, t0, a1\n ld t0, -8(t0)\n li a0, 0\n"
                     "1: lbu t1, 0(t0)\n beqz t1, 2f\n addi t0, t0, 1\n addi a0, a0, 1\n j 1b\n"
                     "2: li a7, 2\n ecall");
/* whether any register is not zero but the stack pointer and the two arguments */
PROGRAM(registers, "or ra, ra, gp\n or ra, ra, tp\n or ra, ra, t0\n or ra, ra, t1\n"
                   "or ra, ra, t2\n or ra, ra, t3\n or ra, ra, t4\n or ra, ra, t5\n"
                   "or ra, ra, t6\n or ra, ra, s0\n or ra, ra, s1\n or ra, ra, s2\n"
                   "or ra, ra, s3\n or ra, ra, s4\n or ra, ra, s5\n or ra, ra, s6\n"
                   "or ra, ra, s7\n or ra, ra, s8\n or ra, ra, s9\n or ra, ra, s10\n"
                   "or ra, ra, s11\n or ra, ra, a2\n or ra, ra, a3\n or ra, ra, a4\n"
                   "or ra, ra, a5\n or ra, ra, a6\n or ra, ra, a7\n snez a0, ra\n"
                   "li a7, 2\n ecall");
PROGRAM(fcsr, "frcsr a0\n li a7, 2\n ecall");
/* the bytes of the stack's page, summed up, with where its arguments stand */
PROGRAM(stack_sum, "srli t0, sp, 12\n slli t0, t0, 12\n li t1, 4096\n add t1, t1, t0\n"
                   "or a0, a0, a1\n or a0, a0, a2\n li t3, 1000003\n"
                   "1: lbu t2, 0(t0)\n mul a0, a0, t3\n add a0, a0, t2\n addi t0, t0, 1\n"
                   "bltu t0, t1, 1b\n srli a0, a0, 57\n li a7, 2\n ecall");
/* waits for a byte on descriptor 0, then 42 */
PROGRAM(wait_then_42, "li a0, 0\n addi a1, sp, -16\n li a2, 1\n li a7, 5\n ecall\n"
                      "li a0, 42\n li a7, 2\n ecall");

int run_program(const char *path, char *const argv[]) {
    int pid = must_fork();
    if (pid == 0) {
        char *alone[] = {(char *)path, NULL};
        sys_exec(path, argv ? argv : alone);
        sys_exit(EXEC_FAILED);
    }
    return reap(pid);
}

/* ---- tests ---- */
static void runs(void) {
    WRITE_PROGRAM("p", forty_two, 5);
    CHECK_EQ(run_program("p", NULL), 42);
    CHECK_EQ(run_program("./p", NULL), 42);
    CHECK_EQ(run_program(WORK_DIR "/p", NULL), 42);
    CHECK_EQ(run_program("/bin/true", NULL), 0);
    CHECK_EQ(run_program("/bin/false", NULL), 1);
}

/* A new program sees nothing of the old one's registers. */
static void clean_registers(void) {
    WRITE_PROGRAM("p", registers, 5);
    CHECK_EQ(run_program("p", NULL), 0);
}

static int run_with_environment(const char *path, char *const argv[], char *const envp[]) {
    int pid = must_fork();
    if (pid == 0) {
        sys_execve(path, argv, envp);
        sys_exit(EXEC_FAILED);
    }
    return reap(pid);
}

/* What is written for xv6 finds its stack and its registers as if there were none. */
static void hidden_environment(void) {
    static char text[3000];
    char *argv[] = {"one", "two", NULL}, *none[] = {NULL};
    char *some[] = {"NAME=value", "N=", "a longer string=x", NULL}, *large[] = {text, NULL};
    memset(text, 'e', sizeof(text) - 1);
    WRITE_PROGRAM("r", registers, 5);
    WRITE_PROGRAM("p", stack_sum, 5);
    int sum = run_program("p", argv), other = run_program("p", argv + 1);
    CHECK_MSG(sum != other, "%d and %d", sum, other);
    char *const *const all[] = {NULL, none, some, large};
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        CHECK_EQ(run_with_environment("p", argv, all[i]), sum);
        CHECK_EQ(run_with_environment("r", argv, all[i]), 0);
    }
    argv[1] = text; /* with the environment it would not fit on the page */
    CHECK_EQ(run_with_environment("p", argv, large), run_program("p", argv));
}

static void arguments(void) {
    static char text[32][64];
    char *argv[ABI_MAXARG + 1];
    argv[0] = "usertests";
    argv[1] = "--role";
    argv[2] = "args";
    for (int n = 0; n <= ABI_MAXARG - 3; n++) {
        if (n > 0) {
            role_argument(text[n], n);
            argv[2 + n] = text[n];
        }
        argv[3 + n] = NULL;
        CHECK_EQ(run_program(SELF, argv), n);
    }
}

static void argument_count(void) {
    char *argv[ABI_MAXARG + 10];
    WRITE_PROGRAM("p", argc, 5);
    for (int n = 0; n <= ABI_MAXARG + 8; n++) {
        for (int i = 0; i < n; i++)
            argv[i] = "x";
        argv[n] = NULL;
        CHECK_EQ(run_program("p", argv), n <= ABI_MAXARG ? n : EXEC_FAILED);
    }
}

/* Strings and the array fill the stack page to the last byte, and one more. Each
 * string takes a multiple of 16 bytes; so does the array of two and NULL. */
static void argument_size(void) {
    static char text[4 * 4096];
    char *argv[] = {"fifteen letters", text, NULL};
    WRITE_PROGRAM("p", last_string, 5);
    const int fits = 4096 - 16 - 32 - 1;
    static const int lengths[] = {0, 1, 100, 1000, 3000};
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(text, 'a', lengths[i]);
        text[lengths[i]] = 0;
        CHECK_EQ(run_program("p", argv), lengths[i]);
    }
    memset(text, 'a', sizeof(text));
    for (int n = fits; n > fits - 20; n--) {
        text[n] = 0;
        CHECK_EQ(run_program("p", argv), n);
    }
    memset(text, 'a', sizeof(text));
    static const int too_long[] = {1, 2, 16, 17, 50, 200, 4096, 8000};
    for (unsigned i = 0; i < sizeof(too_long) / sizeof(too_long[0]); i++) {
        memset(text, 'a', sizeof(text));
        text[fits + too_long[i]] = 0;
        CHECK_EQ(run_program("p", argv), EXEC_FAILED);
    }
    char *many[ABI_MAXARG + 1];
    memset(text, 'a', 200);
    text[200] = 0;
    for (int i = 0; i < ABI_MAXARG; i++)
        many[i] = text;
    many[ABI_MAXARG] = NULL;
    CHECK_EQ(run_program("p", many), EXEC_FAILED);
    many[15] = NULL;
    CHECK_EQ(run_program("p", many), 200);
}

static void initial_stack(void) {
    char *argv[] = {"a", "bb", "ccc", NULL};
    WRITE_PROGRAM("p", sp_alignment, 5);
    for (int n = 0; n <= 3; n++)
        CHECK_EQ(run_program("p", argv + n), 0);
    WRITE_PROGRAM("p", sp_above_argv, 5);
    CHECK_EQ(run_program("p", argv), 0);
}

static void fresh_start(void) {
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(run_self("bss", NULL, NULL), 5);
        CHECK_EQ(run_self("heap", NULL, NULL), 6);
        CHECK_EQ(run_self("touch", NULL, NULL), 9);
    }
}

static void data_is_private(void) {
    for (int i = 0; i < 3; i++)
        CHECK_EQ(run_self("data", NULL, NULL), 10);
    for (int i = 0; i < 4; i++) {
        if (must_fork() == 0) {
            char *argv[] = {"usertests", "--role", "data", NULL};
            sys_exec(SELF, argv);
            sys_exit(EXEC_FAILED);
        }
    }
    reap_all(4, 10);
    CHECK_EQ(initialised[0], INITIALISED(0));
    CHECK_EQ(initialised[PAGE], INITIALISED(1));
}

/* The process stays the same one: its number, its files, its directory. */
static void same_process(void) {
    static char number[12];
    int pid = must_fork();
    if (pid == 0) {
        char *argv[] = {"usertests", "--role", "pid", number, NULL};
        snprintf(number, sizeof(number), "%d", sys_getpid());
        sys_exec(SELF, argv);
        sys_exit(EXEC_FAILED);
    }
    CHECK_EQ(reap(pid), 8);
    int p[2], q[2];
    must_pipe(p);
    must_pipe(q);
    write_all(p[1], "abcd", 4);
    char in[2] = {'a' + p[0], 0}, out[2] = {'a' + q[1], 0};
    CHECK_EQ(run_self("fds", in, out), 7);
    read_all(q[0], scratch, 4);
    CHECK(memcmp(scratch, "efgh", 4) == 0);
}

static void fcsr_is_reset(void) {
    WRITE_PROGRAM("p", fcsr, 5);
    int pid = must_fork();
    if (pid == 0) {
        char *argv[] = {"p", NULL};
        __asm__ volatile("li t0, 0x7f\n fscsr t0" : : : "t0");
        sys_exec("p", argv);
        sys_exit(EXEC_FAILED);
    }
    CHECK_EQ(reap(pid), 0);
}

static void large_heap_is_freed(void) {
    uint64_t left = frames_left();
    int pid = must_fork();
    if (pid == 0) {
        char *argv[] = {"usertests", "--role", "heap", NULL};
        unsigned size = left > 10000 ? 16 * MB : 2 * MB;
        memset(must_sbrk(size), 1, size);
        sys_exec(SELF, argv);
        sys_exit(EXEC_FAILED);
    }
    CHECK_EQ(reap(pid), 6);
    CHECK_EQ(frames_left(), left);
}

/* After a failed exec all is as before: memory, files, calls with pointers. */
static void fail_in_every_way(void) {
    static char long_text[3 * 4096];
    char *too_many[ABI_MAXARG + 5], *too_long[] = {"x", long_text, NULL}, *fine[] = {"x", NULL};
    char *heap = must_sbrk(8 * PAGE);
    int p[2];
    must_pipe(p);
    for (int i = 0; i < ABI_MAXARG + 4; i++)
        too_many[i] = "x";
    too_many[ABI_MAXARG + 4] = NULL;
    memset(long_text, 'x', sizeof(long_text) - 1);
    make_file("text", 5000, 1);
    make_file("empty", 0, 1);
    must_mkdir("dir");
    CHECK_EQ(sys_mknod("device", 1, 0), 0);
    fill(heap, 8 * PAGE, 2);
    struct abi_sysinfo before, after;
    for (int i = 0; i < 20; i++) {
        if (i == 2) {
            sys_sync(); /* the flusher gives pages back */
            must_info(&before);
        }
        CHECK_EQ(sys_exec("missing", fine), -1);
        CHECK_EQ(sys_exec("text", fine), -1);
        CHECK_EQ(sys_exec("empty", fine), -1);
        CHECK_EQ(sys_exec("dir", fine), -1);
        CHECK_EQ(sys_exec("device", fine), -1);
        CHECK_EQ(sys_exec(SELF, too_many), -1);
        CHECK_EQ(sys_exec(SELF, too_long), -1);
        CHECK_EQ(sys_exec(SELF, opaque(DIRECT_MAP)), -1);
        CHECK_EQ(sys_exec(opaque(DIRECT_MAP), fine), -1);
        write_all(p[1], heap + i * 100, 100);
        memset(scratch, 0, 100);
        read_all(p[0], scratch, 100);
        CHECK(memcmp(scratch, heap + i * 100, 100) == 0);
        CHECK(filled(heap, 8 * PAGE, 2));
    }
    must_info(&after);
    CHECK_EQ(after.frames_free, before.frames_free);
    CHECK_EQ(after.frames_committed, before.frames_committed);
    CHECK_EQ(after.inodes_free, before.inodes_free);
    CHECK_EQ(after.files_open, before.files_open);
}

/* One process has all memory; another's exec fails, and that one goes on. */
static void without_memory(void) {
    int go[2], done[2];
    char c;
    must_pipe(go);
    must_pipe(done);
    int pid = must_fork();
    if (pid == 0) {
        char *argv[] = {"usertests", "--role", "heap", NULL};
        read_all(go[0], &c, 1);
        for (int i = 0; i < 5; i++)
            CHECK_EQ(sys_exec(SELF, argv), -1);
        write_all(done[1], "x", 1);
        read_all(go[0], &c, 1);
        sys_exec(SELF, argv);
        sys_exit(EXEC_FAILED);
    }
    uint64_t got = take_all_memory();
    write_all(go[1], "1", 1);
    must_close(done[1]);
    CHECK_EQ(sys_read(done[0], &c, 1), 1);
    give_back(got);
    write_all(go[1], "2", 1);
    CHECK_EQ(reap(pid), 6);
}

static void try_exec(void) {
    char *argv[] = {"usertests", "--role", "heap", NULL};
    sys_exec(SELF, argv);
}

/* From too little memory to enough; nothing leaks (the runner counts). */
static void out_of_memory_steps(void) { CHECK_EQ(with_growing_memory(try_exec, 500), 6); }

/* A program that is written anew runs anew, however it is written. */
static void rewritten_program(void) {
    for (int i = 0; i < 12; i++) {
        bool first = i % 2 == 0;
        if (i % 3 == 1)
            must_unlink("p");
        if (i % 3 == 2) { /* in place: without truncating */
            if (first)
                WRITE_PROGRAM("q", forty_two, 5);
            else
                WRITE_PROGRAM("q", forty_three, 5);
            int in = must_open("q", ABI_O_RDONLY), out = must_open("p", ABI_O_WRONLY);
            int n = sys_read(in, scratch, SCRATCH_SIZE);
            write_all(out, scratch, n);
            must_close(in);
            must_close(out);
        } else if (first) {
            WRITE_PROGRAM("p", forty_two, 5);
        } else {
            WRITE_PROGRAM("p", forty_three, 5);
        }
        CHECK_EQ(run_program("p", NULL), first ? 42 : 43);
        CHECK_EQ(run_program("p", NULL), first ? 42 : 43);
    }
}

/* One byte of a program changed while the file's length stays. */
static void patched_program(void) {
    WRITE_PROGRAM("p", forty_two, 5);
    CHECK_EQ(run_program("p", NULL), 42);
    int fd = must_open("p", ABI_O_RDWR);
    int n = sys_read(fd, scratch, SCRATCH_SIZE), at = 0;
    while (at < n && memcmp(scratch + at, program_forty_two, 4) != 0)
        at++;
    CHECK(at < n);
    CHECK_EQ(sys_lseek(fd, at, 0), at);
    write_all(fd, program_forty_three, program_forty_three_end - program_forty_three);
    CHECK_EQ(run_program("p", NULL), 43);
    must_close(fd);
}

/* A program that exec has copied, as this one, which lies askew in its file, is not changed when
 * the file is rewritten or removed while it runs. (One that is mapped: running.c.) */
static void rewritten_while_running(void) {
    for (int how = 0; how < 3; how++) {
        int p[2];
        must_pipe(p);
        WRITE_PROGRAM("p", wait_then_42, 7);
        int pid = must_fork();
        if (pid == 0) {
            char *argv[] = {"p", NULL};
            sys_close(0);
            CHECK_EQ(sys_dup(p[0]), 0);
            sys_exec("p", argv);
            sys_exit(EXEC_FAILED);
        }
        WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
        if (how == 0)
            WRITE_PROGRAM("p", forty_three, 5);
        else if (how == 1)
            must_unlink("p");
        else
            make_file("p", 3000, 1);
        write_all(p[1], "x", 1);
        CHECK_EQ(reap(pid), 42);
        must_close(p[0]);
        must_close(p[1]);
    }
}

/* Several run the same file at once, each in memory of its own. */
static void many_at_once(void) {
    for (int i = 0; i < 8; i++) {
        if (must_fork() == 0) {
            char *argv[] = {"usertests", "--role", i % 2 ? "bss" : "touch", NULL};
            sys_exec(SELF, argv);
            sys_exit(EXEC_FAILED);
        }
    }
    int sum = 0;
    for (int i = 0; i < 8; i++)
        sum += reap(0);
    CHECK_EQ(sum, 4 * 5 + 4 * 9);
}

static void relative_paths(void) {
    must_mkdir("d");
    must_mkdir("d/e");
    WRITE_PROGRAM("d/e/p", forty_two, 5);
    CHECK_EQ(run_program("d/e/p", NULL), 42);
    CHECK_EQ(sys_chdir("d/e"), 0);
    CHECK_EQ(run_program("../e/./p", NULL), 42);
    CHECK_EQ(run_program("../p", NULL), EXEC_FAILED);
    CHECK_EQ(run_program("p/", NULL) == 42 || run_program("p/", NULL) == EXEC_FAILED, 1);
}

const struct test exec_tests[] = {
    {"exec_runs", runs, false},
    {"exec_clean_registers", clean_registers, false},
    {"exec_hidden_environment", hidden_environment, false},
    {"exec_arguments", arguments, false},
    {"exec_argument_count", argument_count, false},
    {"exec_argument_size", argument_size, false},
    {"exec_initial_stack", initial_stack, false},
    {"exec_fresh_start", fresh_start, false},
    {"exec_data_is_private", data_is_private, false},
    {"exec_same_process", same_process, false},
    {"exec_fcsr_is_reset", fcsr_is_reset, false},
    {"exec_large_heap_is_freed", large_heap_is_freed, false},
    {"exec_fail_in_every_way", fail_in_every_way, false},
    {"exec_without_memory", without_memory, false},
    {"exec_out_of_memory_steps", out_of_memory_steps, false},
    {"exec_rewritten_program", rewritten_program, false},
    {"exec_patched_program", patched_program, false},
    {"exec_rewritten_while_running", rewritten_while_running, false},
    {"exec_many_at_once", many_at_once, false},
    {"exec_relative_paths", relative_paths, false},
    {0},
};
