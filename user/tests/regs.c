/* Registers belong to the process: all but a0 survive a system call, all survive
 * an interrupt, and the floating-point ones survive other processes' use of them. */
#include "test.h"
#include <string.h>

/* call_with_registers loads x1..x31 from registers_in, makes the system call
 * that a7 (x17) there names, and stores all but a0 to registers_out.
 * spin_with_registers counts a0 down to 0 instead of a call. a0, which a call
 * changes in any case, is the base of all these accesses. */
__asm__(".pushsection .text.call_with_registers, \"ax\"\n"
        ".option norelax\n" /* gp is a pattern too */
        ".macro FRAME op\n"
        "  la a0, registers_saved\n"
        "  .irp r,1,2,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
        "  \\op x\\r, 8*\\r(a0)\n"
        "  .endr\n"
        ".endm\n"
        ".macro OTHERS op\n"
        "  .irp r,1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
        "29,30,31\n"
        "  \\op x\\r, 8*\\r(a0)\n"
        "  .endr\n"
        ".endm\n"
        ".globl call_with_registers\n"
        "call_with_registers:\n"
        "  FRAME sd\n"
        "  la a0, registers_in\n"
        "  OTHERS ld\n"
        "  ld a0, 80(a0)\n"
        "  ecall\n"
        "  la a0, registers_out\n"
        "  OTHERS sd\n"
        "  FRAME ld\n"
        "  ret\n"
        ".globl spin_with_registers\n"
        "spin_with_registers:\n"
        "  FRAME sd\n"
        "  la a0, registers_in\n"
        "  OTHERS ld\n"
        "  ld a0, 80(a0)\n"
        "1: addi a0, a0, -1\n"
        "  bnez a0, 1b\n"
        "  la a0, registers_out\n"
        "  OTHERS sd\n"
        "  FRAME ld\n"
        "  ret\n"
        ".popsection\n");
void call_with_registers(void);
void spin_with_registers(void);
extern uint64_t registers_saved[32], registers_in[32], registers_out[32];
uint64_t registers_saved[32], registers_in[32], registers_out[32];

static void load_patterns(uint64_t seed) {
    for (int i = 0; i < 32; i++)
        registers_in[i] = 0xf0e1d2c3b4a59687ULL * (i + 1) + seed * 0x0101010101010101ULL;
}

static void check_patterns(const char *what) {
    for (int i = 1; i < 32; i++) {
        if (i != 10)
            CHECK_MSG(registers_out[i] == registers_in[i], "%s: x%d is 0x%lx, was 0x%lx", what, i,
                      (unsigned long)registers_out[i], (unsigned long)registers_in[i]);
    }
}

static void across_calls(void) {
    static const struct {
        const char *name;
        long number;
        uint64_t a0;
    } calls[] = {
        {"getpid", SYS_getpid, 0},  {"sleep", SYS_sleep, 1},
        {"wait", SYS_wait, 0},      {"close", SYS_close, 99},
        {"sbrk", SYS_sbrk, 4096},   {"uptime", SYS_uptime, 0},
        {"an unknown call", 77, 0}, {"unlink of a bad pointer", SYS_unlink, DIRECT_MAP},
        {"dup", SYS_dup, 0},        {"kill", SYS_kill, 0},
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        load_patterns(i);
        registers_in[17] = calls[i].number;
        registers_in[10] = calls[i].a0;
        call_with_registers();
        check_patterns(calls[i].name);
    }
}

/* Both sides of a fork have all the registers of before. */
static void across_fork(void) {
    int me = sys_getpid();
    load_patterns(99);
    registers_in[17] = SYS_fork;
    call_with_registers();
    check_patterns("fork");
    if (sys_getpid() != me)
        sys_exit(0);
    CHECK_EQ(reap(0), 0);
}

/* More spinning processes than harts, for some ticks: each is interrupted. */
static void integers_across_preemption(void) {
    struct abi_sysinfo si;
    must_info(&si);
    int n = 2 * (int)si.harts + 1;
    for (int i = 0; i < n; i++) {
        if (must_fork() == 0) {
            int start = sys_uptime();
            while (sys_uptime() - start < 6) {
                load_patterns(i);
                registers_in[10] = 100000;
                spin_with_registers();
                check_patterns("spinning");
            }
            sys_exit(0);
        }
    }
    reap_all(n, 0);
}

/* ---- floating point ----
 * Loads f0..f31 and fcsr from float_in, then makes the system call a0 with
 * arguments a1, a2 (0: none), then spins for a3 rounds, then stores the registers.
 * Returns what the call returned. */
__asm__(".pushsection .text.run_with_floats, \"ax\"\n"
        ".macro FLOATS op\n"
        "  .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
        "29,30,31\n"
        "  \\op f\\r, 8*\\r(t0)\n"
        "  .endr\n"
        ".endm\n"
        ".macro SAVED op\n"
        "  .irp r,8,9,18,19,20,21,22,23,24,25,26,27\n"
        "  \\op f\\r, 8*\\r(t0)\n"
        "  .endr\n"
        ".endm\n"
        ".globl run_with_floats\n"
        "run_with_floats:\n"
        "  la t0, float_saved\n"
        "  SAVED fsd\n"
        "  la t0, float_in\n"
        "  FLOATS fld\n"
        "  ld t1, 256(t0)\n"
        "  fscsr t1\n"
        "  mv a7, a0\n"
        "  mv a0, a1\n"
        "  mv a1, a2\n"
        "  beqz a7, 1f\n"
        "  ecall\n"
        "1: beqz a3, 2f\n"
        "  addi a3, a3, -1\n"
        "  j 1b\n"
        "2: la t0, float_out\n"
        "  FLOATS fsd\n"
        "  frcsr t1\n"
        "  sd t1, 256(t0)\n"
        "  fscsr zero\n"
        "  la t0, float_saved\n"
        "  SAVED fld\n"
        "  ret\n"
        ".popsection\n");
long run_with_floats(long number, uint64_t a, uint64_t b, uint64_t rounds);
extern uint64_t float_saved[32], float_in[33], float_out[33];
uint64_t float_saved[32], float_in[33], float_out[33];

static void float_patterns(uint64_t seed) {
    for (int i = 0; i < 32; i++)
        float_in[i] = 0x3ff0000000000000ULL + 0x00123456789abcdULL * (i + 1) + seed * 0x1000001;
    float_in[32] = (seed % 5) << 5 | seed % 32; /* rounding mode and flags */
}

static void check_floats(const char *what) {
    for (int i = 0; i < 33; i++)
        CHECK_MSG(float_out[i] == float_in[i], "%s: %s%d is 0x%lx, was 0x%lx", what,
                  i == 32 ? "fcsr, word " : "f", i, (unsigned long)float_out[i],
                  (unsigned long)float_in[i]);
}

static void floats_across_calls(void) {
    static const struct {
        const char *name;
        long number;
        uint64_t a;
    } calls[] = {
        {"getpid", SYS_getpid, 0},  {"sleep", SYS_sleep, 2},
        {"sbrk", SYS_sbrk, 8192},   {"a failed open", SYS_open, (uint64_t) "missing"},
        {"an unknown call", 88, 0},
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        float_patterns(i + 1);
        run_with_floats(calls[i].number, calls[i].a, 0, 0);
        check_floats(calls[i].name);
    }
}

/* Children use the registers while their parent, which has them loaded, waits. */
static void floats_across_fork(void) {
    float_patterns(17);
    int pid = run_with_floats(SYS_fork, 0, 0, 0);
    check_floats("fork");
    CHECK(pid >= 0);
    if (pid == 0) {
        float_patterns(18);
        run_with_floats(SYS_sleep, 2, 0, 1000);
        check_floats("child");
        sys_exit(5);
    }
    float_patterns(19);
    int status;
    CHECK_EQ(run_with_floats(SYS_wait, ARG(&status), 0, 0), pid);
    check_floats("wait");
    CHECK_EQ(status, 5);
}

static void floats_across_preemption(void) {
    struct abi_sysinfo si;
    must_info(&si);
    int n = 2 * (int)si.harts + 1;
    for (int i = 0; i < n; i++) {
        if (must_fork() == 0) {
            int start = sys_uptime();
            for (int round = 0; sys_uptime() - start < 8; round++) {
                float_patterns(i * 31 + round);
                if (i == 0 || round % 16 == 15) /* some sleep, some only spin */
                    run_with_floats(SYS_sleep, round % 2, 0, 0);
                else
                    run_with_floats(0, 0, 0, 200000);
                check_floats("spinning");
            }
            sys_exit(0);
        }
    }
    reap_all(n, 0);
}

/* The same through the compiler: a sum whose steps round. */
static double harmonic(int n, int pause) {
    volatile double sum = 0;
    for (int i = 1; i <= n; i++) {
        sum = sum + 1.0 / i;
        if (pause && i % pause == 0)
            sys_sleep(0);
    }
    return sum;
}

static void float_sums(void) {
    double want = harmonic(20000, 0);
    for (int i = 0; i < 5; i++) {
        if (must_fork() == 0) {
            for (int round = 0; round < 3; round++)
                CHECK(harmonic(20000, i == 0 ? 0 : 100 * i) == want);
            sys_exit(0);
        }
    }
    reap_all(5, 0);
}

const struct test regs_tests[] = {
    {"integers_across_calls", across_calls, false},
    {"integers_across_fork", across_fork, false},
    {"integers_across_preemption", integers_across_preemption, false},
    {"floats_across_calls", floats_across_calls, false},
    {"floats_across_fork", floats_across_fork, false},
    {"floats_across_preemption", floats_across_preemption, false},
    {"float_sums", float_sums, false},
    {0},
};
