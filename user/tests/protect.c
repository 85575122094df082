/* What user mode must not do ends the process, with status -1, and nothing else. */
#include "test.h"
#include <string.h>

static void load(uint64_t a) { (void)*(volatile char *)opaque(a); }
static void store(uint64_t a) { *(volatile char *)opaque(a) = 1; }
static void run_at(uint64_t a) {
    __asm__ volatile("fence.i" ::: "memory");
    ((void (*)(void))opaque(a))();
}

static void kernel_addresses(void) {
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        CHECK_MSG(run_child(load, *a) == KILLED, "loaded from 0x%lx", (long)*a);
        CHECK_MSG(run_child(store, *a) == KILLED, "stored to 0x%lx", (long)*a);
        CHECK_MSG(run_child(run_at, *a) == KILLED, "ran at 0x%lx", (long)*a);
    }
}

/* All over the first RAM, at its physical address and in the direct map. */
static void all_over_ram(void) {
    for (uint64_t at = 0; at < 128 * (uint64_t)MB; at += 16 * MB) {
        CHECK_MSG(run_child(load, 0x80000000 + at) == KILLED, "loaded 0x80000000 + %lu", (long)at);
        CHECK_MSG(run_child(load, DIRECT_MAP + 0x80000000 + at) == KILLED,
                  "loaded the direct map of 0x80000000 + %lu", (long)at);
    }
}

static void devices(void) {
    static const uint64_t at[] = {0x100000,  0x2000000,  0x200bff8,  0xc000000,
                                  0xc201004, 0x10000000, 0x10001000, 0x10008000};
    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        if (at[i] < (uint64_t)sys_sbrk(0))
            continue;
        CHECK_MSG(run_child(load, at[i]) == KILLED, "loaded from 0x%lx", (long)at[i]);
        CHECK_MSG(run_child(store, at[i]) == KILLED, "stored to 0x%lx", (long)at[i]);
        CHECK_MSG(run_child(store, DIRECT_MAP + at[i]) == KILLED, "stored to 0x%lx", (long)at[i]);
    }
}

static const char constant[64] = "read-only data";

static void text_is_read_only(void) {
    uint64_t text = (uint64_t)&text_is_read_only & ~7ULL;
    uint64_t before = *(volatile uint64_t *)opaque(text);
    CHECK_EQ(run_child(store, text), KILLED);
    CHECK_EQ(run_child(store, 0), KILLED);
    CHECK_EQ(run_child(store, (uint64_t)constant), KILLED);
    CHECK_EQ(*(volatile uint64_t *)opaque(text), before);
    CHECK(strcmp(constant, "read-only data") == 0);
}

static void null_is_text(void) { CHECK_EQ(run_child(load, 0), 0); }

/* `ret`, as data */
static uint32_t code[2] = {0x00008067, 0x00008067};

static void stack_code(uint64_t unused) {
    volatile uint32_t local[2] = {0x00008067, 0x00008067};
    run_at((uint64_t)local);
}

static void data_is_not_code(void) {
    CHECK_EQ(run_child(run_at, (uint64_t)code), KILLED);
    CHECK_EQ(run_child(stack_code, 0), KILLED);
    must_sbrk((PAGE - (uint64_t)sys_sbrk(0) % PAGE) % PAGE);
    char *heap = must_sbrk(PAGE);
    memcpy(heap, code, sizeof(code));
    CHECK_EQ(run_child(run_at, (uint64_t)heap), KILLED);
}

static void return_only(void) {}
static void text_is_code(void) { CHECK_EQ(run_child(run_at, (uint64_t)return_only), 0); }

/* ---- instructions ---- */
#define INSTRUCTION(name, text) \
    static void name(uint64_t unused) { __asm__ volatile(text ::: "memory", "t0"); }
INSTRUCTION(read_sstatus, "csrr t0, sstatus")
INSTRUCTION(read_satp, "csrr t0, satp")
INSTRUCTION(read_scause, "csrr t0, scause")
INSTRUCTION(read_sscratch, "csrr t0, sscratch")
INSTRUCTION(read_mhartid, "csrr t0, mhartid")
INSTRUCTION(write_satp, "csrw satp, zero")
INSTRUCTION(write_sstatus, "li t0, 0x40100\n csrs sstatus, t0")
INSTRUCTION(write_stvec, "csrw stvec, zero")
INSTRUCTION(write_sepc, "csrw sepc, zero")
INSTRUCTION(write_sie, "csrw sie, zero")
INSTRUCTION(write_time, "csrw 0xc01, zero")
INSTRUCTION(do_sret, "sret")
INSTRUCTION(do_mret, "mret")
INSTRUCTION(do_wfi, "wfi")
INSTRUCTION(do_sfence, "sfence.vma")
INSTRUCTION(do_ebreak, "ebreak")
INSTRUCTION(do_zeros, ".word 0")
INSTRUCTION(do_ones, ".word 0xffffffff")
INSTRUCTION(do_wrs_nto, ".word 0x00d00073")
INSTRUCTION(do_wrs_sto, ".word 0x01d00073")

/* What the specification forbids to user mode on every hart. It does not forbid to give a
 * meaning to a reserved opcode, except to these two. */
static void privileged(void) {
    static const struct {
        const char *what;
        void (*run)(uint64_t);
    } list[] = {
        {"csrr sstatus", read_sstatus},
        {"csrr satp", read_satp},
        {"csrr scause", read_scause},
        {"csrr sscratch", read_sscratch},
        {"csrr mhartid", read_mhartid},
        {"csrw satp", write_satp},
        {"csrs sstatus", write_sstatus},
        {"csrw stvec", write_stvec},
        {"csrw sepc", write_sepc},
        {"csrw sie", write_sie},
        {"csrw time", write_time},
        {"sret", do_sret},
        {"mret", do_mret},
        {"sfence.vma", do_sfence},
        {"ebreak", do_ebreak},
        {"zeros", do_zeros},
        {"ones", do_ones},
    };
    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        CHECK_MSG(run_child(list[i].run, 0) == KILLED, "%s did not kill", list[i].what);
}

/* A hart without Zawrs kills at the first two; one with it returns after a short wait, and so
 * may any hart from the third (privileged specification 3.3.3). */
static void waiting_instructions(void) {
    int nto = run_child(do_wrs_nto, 0), sto = run_child(do_wrs_sto, 0);
    int wfi = run_child(do_wfi, 0);
    CHECK_MSG(nto == KILLED || nto == 0, "wrs.nto: status %d", nto);
    CHECK_MSG(sto == KILLED || sto == 0, "wrs.sto: status %d", sto);
    CHECK_MSG(wfi == KILLED || wfi == 0, "wfi: status %d", wfi);
}

/* What user mode may do. */
static void counters(void) {
    uint64_t time[2], cycle[2], instret[2];
    for (int i = 0; i < 2; i++) {
        __asm__ volatile("rdtime %0" : "=r"(time[i]));
        __asm__ volatile("rdcycle %0" : "=r"(cycle[i]));
        __asm__ volatile("rdinstret %0" : "=r"(instret[i]));
        if (i == 0)
            sys_sleep(2);
    }
    CHECK(time[1] > time[0]);
    CHECK(cycle[1] != cycle[0]);
    CHECK(instret[1] != instret[0]);
    __asm__ volatile("fence.i\n fence rw, rw" ::: "memory");
}

/* Loads and stores that are not aligned, inside a page and across two. */
static void misaligned_access(void) {
    for (unsigned at = PAGE - 8; at < PAGE; at++) {
        uint64_t value = 0x0123456789abcdefULL + at, got;
        __asm__ volatile("sd %1, 0(%2)\n ld %0, 0(%2)"
                         : "=&r"(got)
                         : "r"(value), "r"(scratch + at)
                         : "memory");
        CHECK(got == value);
        CHECK(memcmp(scratch + at, &value, 8) == 0);
    }
}

/* A killed process takes nothing along that is not its own: its pipes close, its
 * parent learns -1, and the next one is as good as ever. */
static void many_faults(void) {
    for (int i = 0; i < 30; i++) {
        int p[2];
        char c;
        must_pipe(p);
        int pid = must_fork();
        if (pid == 0) {
            must_sbrk(10 * PAGE)[i] = 1;
            write_all(p[1], "x", 1);
            store(i % 2 ? DIRECT_MAP + 0x80200000 : (uint64_t)&many_faults);
            sys_exit(0);
        }
        must_close(p[1]);
        CHECK_EQ(sys_read(p[0], &c, 1), 1);
        CHECK_EQ(sys_read(p[0], &c, 1), 0);
        must_close(p[0]);
        CHECK_EQ(reap(pid), KILLED);
    }
}

/* The stack pointer is only a register: the kernel must not use it. */
static void wild_stack_pointer(void) {
    const uint64_t wild[] = {
        0, 1, 0xffffffffffffffffULL, DIRECT_MAP + 0x80200000, TRAPFRAME_VA + 4096, LOW_HALF_END};
    for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        uint64_t pid;
        __asm__ volatile("mv t1, sp\n mv sp, %1\n li a7, 11\n ecall\n mv sp, t1\n mv %0, a0"
                         : "=r"(pid)
                         : "r"(wild[i])
                         : "a0", "a7", "t1", "memory");
        CHECK_EQ(pid, sys_getpid());
    }
}

static void fault_with_wild_stack(uint64_t sp) {
    __asm__ volatile("mv sp, %0\n 1: addi sp, sp, -16\n sd zero, 0(sp)\n j 1b"
                     :
                     : "r"(sp)
                     : "memory");
}

static void wild_stack_fault(void) {
    CHECK_EQ(run_child(fault_with_wild_stack, 0), KILLED);
    CHECK_EQ(run_child(fault_with_wild_stack, DIRECT_MAP + 0x80200000), KILLED);
    CHECK_EQ(run_child(fault_with_wild_stack, TRAPFRAME_VA + 1024), KILLED);
    CHECK_EQ(run_child(fault_with_wild_stack, stack_page() + 64), KILLED);
}

const struct test protect_tests[] = {
    {"kernel_addresses", kernel_addresses, false},
    {"all_over_ram", all_over_ram, false},
    {"devices", devices, false},
    {"text_is_read_only", text_is_read_only, false},
    {"null_is_text", null_is_text, false},
    {"data_is_not_code", data_is_not_code, false},
    {"text_is_code", text_is_code, false},
    {"privileged", privileged, false},
    {"waiting_instructions", waiting_instructions, false},
    {"counters", counters, false},
    {"misaligned_access", misaligned_access, false},
    {"many_faults", many_faults, false},
    {"wild_stack_pointer", wild_stack_pointer, false},
    {"wild_stack_fault", wild_stack_fault, false},
    {0},
};
