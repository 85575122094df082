/* What a machine is made of, reservations, and PMP: where lockstep with QEMU does not look. */
/* sources: machine */
#include "simguest.h"

/* ---- what a machine is made of ------------------------------------------------------------- */
static void test_an_initrd_that_is_too_large(void **unused) {
    static const uint8_t bytes[17 << 20] = {0x6f};
    char error[128] = "";
    guest.kernel = (struct sim_image){bytes, 4, "kernel"};
    guest.initrd = (struct sim_image){bytes, sizeof(bytes), "large"};
    assert_null(sim_create(&guest, error, sizeof(error)));
    assert_non_null(strstr(error, "large: "));
}

static void test_how_harts_start(void **unused) {
    static const uint8_t nothing[4] = {0x6f};
    char error[128];
    guest.harts = 3;
    guest.kernel = (struct sim_image){nothing, sizeof(nothing), "guest"};
    for (unsigned m = 0; m < 2; m++) {
        guest.machine_mode = m;
        sim = sim_create(&guest, error, sizeof(error));
        for (unsigned i = 0; i < 3; i++) {
            const struct hart *hart = &sim->harts[i];
            assert_int_equal(hart->state, i == 0 || m ? HART_STARTED : HART_STOPPED);
            assert_int_equal(hart->priv, m ? PRIV_M : PRIV_S);
            assert_int_equal(hart->pc, RAM_BASE + (m ? 0 : 0x200000));
            assert_int_equal(hart->x[10], i);
            assert_between(hart->x[11], RAM_BASE, RAM_BASE + guest.ram_bytes - 1);
        }
        guest_end(NULL);
    }
}

/* The firmware lets S-mode read the clock, and have stimecmp where there is one. */
static void test_what_the_firmware_permits(void **unused) {
    for (unsigned sstc = 0; sstc < 2; sstc++) {
        guest.sstc = sstc;
        guest_start();
        PUT(CODE_AT, CSRRS(5, 0xc01, 0), CSRRS(6, 0xc02, 0), CSRRS(7, CSR_STIMECMP, 0), HERE);
        PUT(HANDLER_AT, HERE);
        sim->harts[0].stvec = HANDLER_AT;
        sim_run(sim, 10);
        assert_int_equal(sim->harts[0].pc, sstc ? CODE_AT + 12 : HANDLER_AT);
        if (!sstc)
            assert_int_equal(sim->harts[0].sepc, CODE_AT + 8);
        assert_int_equal(sim->harts[0].mip, 0);
        guest_end(NULL);
    }
}

/* Nothing is put over the kernel. */
static void test_a_kernel_that_leaves_no_room(void **unused) {
    static uint8_t bytes[30 << 20] = {0x6f};
    static const struct {
        uint64_t kernel, initrd;
        bool fits;
    } cases[] = {{(30 << 20) - 16384, 0, true},
                 {(30 << 20) - 16383, 0, false},
                 {(30 << 20) - 16384 - 8192, 8192, true},
                 {(30 << 20) - 16384 - 8192, 8193, false}};
    for (unsigned i = 0; i < 4; i++) {
        char error[128] = "";
        guest.kernel = (struct sim_image){bytes, cases[i].kernel, "kernel"};
        guest.initrd = (struct sim_image){cases[i].initrd ? bytes : NULL, cases[i].initrd,
                                          "initrd"};
        sim = sim_create(&guest, error, sizeof(error));
        assert_int_equal(sim != NULL, cases[i].fits);
        if (!sim)
            assert_non_null(strstr(error, "kernel: its "));
        guest_end(NULL);
    }
}

/* ---- reservations: unprivileged specification 8.2 ------------------------------------------- */
static void start_reserved(unsigned harts) {
    guest.machine_mode = true;
    guest.harts = harts;
    guest_start();
    PUT(CODE_AT, LR_D(6, 5), SC_D(7, 5, 5), LR_D(6, 5), SC_D(8, 5, 5), SC_D(9, 5, 5), HERE);
    for (unsigned i = 0; i < harts; i++) {
        sim->harts[i].x[5] = RAM_BASE + 0x100 + 8 * i;
        sim->harts[i].x[7] = 2;
    }
}

static void test_sc_succeeds_once(void **unused) {
    start_reserved(2);
    sim_run(sim, 5000);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sim->harts[i].x[7], 0);
        assert_int_equal(sim->harts[i].x[8], 0);
        assert_int_equal(sim->harts[i].x[9], 1);
        assert_int_equal(peek(RAM_BASE + 0x100 + 8 * i), RAM_BASE + 0x100 + 8 * i);
    }
}

static void test_a_reservation_is_of_its_address(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, LR_D(6, 5), SC_D(7, 5, 8), HERE);
    sim->harts[0].x[5] = RAM_BASE + 0x100;
    sim->harts[0].x[8] = RAM_BASE + 0x200;
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].x[7], 1);
    assert_int_equal(peek(RAM_BASE + 0x200), 0);
}

static void test_a_turn_ends_a_reservation(void **unused) {
    start_reserved(2);
    sim->harts[1].state = HART_STOPPED;
    PUT(CODE_AT, LR_D(6, 5), ADDI(0, 0, 0), SC_D(7, 5, 5), HERE);
    sim_run(sim, 1);
    sim->turn_left = 1;
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].x[7], 1);
}

static void test_a_device_ends_a_reservation(void **unused) {
    start_reserved(1);
    sim_run(sim, 1);
    assert_true(sim->harts[0].reserved);
    memset(sim->env.ram(sim->env.ctx, RAM_BASE + 0x100, 8, true), 1, 8);
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].x[7], 1);
    assert_int_equal(sim->harts[0].x[8], 0);
}

/* ---- PMP: 3.7.1 --------------------------------------------------------------------------- */
enum { PMP_LOCKED_NA4 = 0x90, PMP_LOCKED_NA4_X = 0x94 };

static void start_protected(uint64_t pa, uint8_t config) {
    guest.machine_mode = true;
    guest_start();
    sim->harts[0].mtvec = HANDLER_AT;
    sim->harts[0].pmpaddr[0] = pa >> 2;
    sim->harts[0].pmpcfg[0] = config;
    PUT(HANDLER_AT, HERE);
}

static void test_pmp_divides_a_page_of_code(void **unused) {
    start_protected(CODE_AT + 0x10, PMP_LOCKED_NA4);
    PUT(CODE_AT, ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), HERE);
    sim_run(sim, 20);
    assert_int_equal(sim->harts[0].x[5], 4);
    assert_int_equal(sim->harts[0].mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(sim->harts[0].mepc, CODE_AT + 0x10);
}

static void test_pmp_divides_an_instruction(void **unused) {
    start_protected(CODE_AT + 4, PMP_LOCKED_NA4);
    PUT(CODE_AT, 0x0001 | ADDI(5, 5, 1) << 16, ADDI(5, 5, 1) >> 16, HERE); /* c.nop before */
    sim_run(sim, 20);
    assert_int_equal(sim->harts[0].x[5], 0);
    assert_int_equal(sim->harts[0].mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(sim->harts[0].mepc, CODE_AT + 2);
}

/* Nothing else is different in such a page: here a reservation, and the number of instructions. */
static void test_code_runs_in_a_divided_page(void **unused) {
    start_protected(CODE_AT + 0x100, PMP_LOCKED_NA4_X);
    PUT(CODE_AT, ADDI(5, 5, 1), LR_D(6, 7), SC_D(8, 6, 7), WFI, HERE);
    sim->harts[0].x[7] = RAM_BASE + 0x100;
    sim->harts[0].x[8] = 2;
    assert_int_equal(sim_run(sim, 100).how, SIM_WAITS);
    assert_int_equal(sim->harts[0].x[5], 1);
    assert_int_equal(sim->harts[0].x[8], 0);
    assert_int_equal(sim_instructions(sim), 4);
    assert_int_equal(sim->harts[0].instret, 4);
}

static void test_whom_pmp_binds(void **unused) {
    static const struct {
        uint8_t config, size;
        uint64_t cause;
    } cases[] = {
        {0x10, 4, 0},                 /* not locked: M may */
        {0x90, 4, CAUSE_LOAD_ACCESS}, /* locked */
        {0x91, 4, 0},
        {0x91, 8, CAUSE_LOAD_ACCESS}, /* a part of the access */
        {0x11, 8, CAUSE_LOAD_ACCESS},
    };
    for (unsigned i = 0; i < 5; i++) {
        start_protected(RAM_BASE + 0x100, cases[i].config);
        PUT(CODE_AT, cases[i].size == 4 ? LW(5, 6, 0) : LD(5, 6, 0), HERE);
        sim->harts[0].x[6] = RAM_BASE + 0x100;
        sim_run(sim, 10);
        assert_int_equal(sim->harts[0].mcause, cases[i].cause);
        guest_end(NULL);
    }
    start_protected(0, 0);
    sim->harts[0].priv = PRIV_S; /* without an entry only M may */
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].mcause, CAUSE_FETCH_ACCESS);
}

static void test_an_interrupt_in_a_divided_page(void **unused) {
    start_protected(CODE_AT + 0x100, PMP_LOCKED_NA4_X);
    PUT(CODE_AT, SW(6, 7, 0), ADDI(5, 5, 1), HERE);
    struct hart *hart = &sim->harts[0];
    hart->x[6] = 1;
    hart->x[7] = 0x2000000; /* msip */
    hart->mie = 1 << IRQ_MSI;
    hart->mstatus |= MSTATUS_MIE;
    sim_run(sim, 20);
    assert_int_equal(hart->mcause, CAUSE_INTERRUPT | IRQ_MSI);
    assert_int_equal(hart->mepc, CODE_AT + 4);
}

static void test_pmp_divides_a_page_of_data(void **unused) {
    start_protected(RAM_BASE + 0x100, PMP_LOCKED_NA4);
    PUT(CODE_AT, LW(5, 6, 0), LW(5, 6, 0), LW(5, 6, 4), HERE);
    sim->harts[0].x[6] = RAM_BASE + 0xfc;
    sim_run(sim, 20);
    assert_int_equal(sim->harts[0].mcause, CAUSE_LOAD_ACCESS);
    assert_int_equal(sim->harts[0].mtval, RAM_BASE + 0x100);
}

/* 3.7.1: reading a page table is an access of S. */
static void test_pmp_protects_tables(void **unused) {
    start_protected(RAM_BASE + 0x100010, PMP_LOCKED_NA4);
    struct hart *hart = &sim->harts[0];
    hart->pmpaddr[1] = (1ull << 54) - 1;
    hart->pmpcfg[1] = 0x1f;
    poke(RAM_BASE + 0x100010, RAM_BASE >> 2 | 0xcf);
    hart->satp = 8ull << 60 | (RAM_BASE + 0x100000) >> 12;
    hart->priv = PRIV_S;
    sim_run(sim, 10);
    assert_int_equal(hart->mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(hart->mepc, CODE_AT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_an_initrd_that_is_too_large),
        GUEST_TEST(test_a_kernel_that_leaves_no_room),
        GUEST_TEST(test_how_harts_start),
        GUEST_TEST(test_what_the_firmware_permits),
        GUEST_TEST(test_sc_succeeds_once),
        GUEST_TEST(test_a_reservation_is_of_its_address),
        GUEST_TEST(test_a_turn_ends_a_reservation),
        GUEST_TEST(test_a_device_ends_a_reservation),
        GUEST_TEST(test_pmp_divides_a_page_of_code),
        GUEST_TEST(test_pmp_divides_an_instruction),
        GUEST_TEST(test_code_runs_in_a_divided_page),
        GUEST_TEST(test_whom_pmp_binds),
        GUEST_TEST(test_an_interrupt_in_a_divided_page),
        GUEST_TEST(test_pmp_divides_a_page_of_data),
        GUEST_TEST(test_pmp_protects_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
