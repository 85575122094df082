/* Guests of a few instructions: a machine whose registers and memory the test sets by hand. */
#pragma once
#include "machine/machine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* Where the test's code goes, and a page for its handlers. */
#define CODE_AT (RAM_BASE + 0x200000)
#define HANDLER_AT (RAM_BASE + 0x201000)

static inline uint32_t insn_i(unsigned opcode, unsigned f3, unsigned rd, unsigned rs1, int imm) {
    return opcode | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}
static inline uint32_t insn_s(unsigned f3, unsigned rs1, unsigned rs2, int imm) {
    return 0x23 | ((uint32_t)imm & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
           (uint32_t)(imm >> 5) << 25;
}
static inline uint32_t insn_jump(int offset) {
    uint32_t o = (uint32_t)offset;
    return 0x6f | (o & 0xff000) | (o >> 11 & 1) << 20 | (o >> 1 & 0x3ff) << 21 |
           (o >> 20 & 1) << 31;
}
#define ADDI(rd, rs1, imm) insn_i(0x13, 0, rd, rs1, imm)
#define LW(rd, rs1, imm) insn_i(0x03, 2, rd, rs1, imm)
#define LD(rd, rs1, imm) insn_i(0x03, 3, rd, rs1, imm)
#define SW(rs2, rs1, imm) insn_s(2, rs1, rs2, imm)
#define SD(rs2, rs1, imm) insn_s(3, rs1, rs2, imm)
#define JR(rs1) insn_i(0x67, 0, 0, rs1, 0)
#define JALR(rd, rs1) insn_i(0x67, 0, rd, rs1, 0)
#define CSRW(csr, rs1) insn_i(0x73, 1, 0, rs1, csr)
#define CSRRS(rd, csr, rs1) insn_i(0x73, 2, rd, rs1, csr)
#define CSRRSI(rd, csr, bits) insn_i(0x73, 6, rd, bits, csr)
#define LR_D(rd, rs1) insn_i(0x2f, 3, rd, rs1, 0x100)
#define SC_D(rd, rs2, rs1) insn_i(0x2f, 3, rd, rs1, 0x180 | (rs2))
#define AMOADD_D(rd, rs2, rs1) insn_i(0x2f, 3, rd, rs1, rs2)
#define SFENCE_VMA(rs1, rs2) insn_i(0x73, 0, 0, rs1, 0x120 | (rs2))
#define JUMP(bytes) insn_jump(bytes)
#define HERE JUMP(0)
#define WFI 0x10500073
#define MRET 0x30200073
#define SRET 0x10200073
#define ECALL 0x00000073
#define FENCE_I 0x0000100f

enum {
    CSR_SSTATUS = 0x100,
    CSR_SATP = 0x180,
    CSR_MSTATUS = 0x300,
    CSR_MIP = 0x344,
    CSR_STIMECMP = 0x14d
};

static struct sim_options guest; /* what the next machine is made of */
static struct sim *sim;
static char told[4096]; /* its findings */
static unsigned told_count;

static void guest_finding(void *context, const struct sim_finding *finding) {
    told_count++;
    snprintf(told, sizeof(told), "%s", finding->text);
}

/* What each test begins with; it may change `guest` and then calls guest_start. */
static int guest_defaults(void **unused) {
    guest = sim_defaults();
    guest.ram_bytes = 32 << 20;
    guest.finding = guest_finding;
    guest.speculate = false; /* a test knows what is kept */
    guest.checks = 0;        /* its tables are as bad as it needs them */
    told_count = 0;
    told[0] = 0;
    return 0;
}

/* Harts start in M-mode or in S-mode at CODE_AT, all of them, without paging. */
static void guest_start(void) {
    static const uint8_t nothing[4] = {0x6f};
    char error[256] = "";
    guest.kernel = (struct sim_image){nothing, sizeof(nothing), "guest"};
    sim = sim_create(&guest, error, sizeof(error));
    if (!sim)
        fail_msg("%s", error);
    for (unsigned i = 0; i < guest.harts; i++) {
        sim->harts[i].pc = CODE_AT;
        sim->harts[i].state = HART_STARTED;
    }
}

static int guest_end(void **unused) {
    sim_destroy(sim);
    sim = NULL;
    return 0;
}

static void put_words(uint64_t pa, const uint32_t *words, size_t bytes) {
    memcpy(sim->ram + (pa - RAM_BASE), words, bytes);
}
#define PUT(pa, ...) \
    put_words(pa, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}))

static inline uint64_t peek(uint64_t pa) {
    uint64_t value;
    memcpy(&value, sim->ram + (pa - RAM_BASE), 8);
    return value;
}
static inline void poke(uint64_t pa, uint64_t value) {
    memcpy(sim->ram + (pa - RAM_BASE), &value, 8);
}

/* cmocka's own is another in each version. */
static inline void assert_between(uint64_t value, uint64_t least, uint64_t most) {
    if (value < least || value > most)
        fail_msg("%llu is not from %llu to %llu", (unsigned long long)value,
                 (unsigned long long)least, (unsigned long long)most);
}

#define GUEST_TEST(name) cmocka_unit_test_setup_teardown(name, guest_defaults, guest_end)
