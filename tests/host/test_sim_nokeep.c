/* Where memory is always right: without keeping, for A and D, and after a change of the rules. */
/* sources: machine */
#include "simpaged.h"

/* ---- --no-keep ------------------------------------------------------------------------------ */
static void test_without_keeping_memory_is_always_right(void **unused) {
    guest.keep = false;
    start_paged();
    poke(OTHER0, leaf(PAGE_B, FULL));
    load(VA);
    store(SLOT(0), leaf(PAGE_B, FULL));
    assert_int_equal(load(VA), 0xbbbb);
    store(SLOT(0), leaf(PAGE_A, FULL));
    for (unsigned i = 0; i < SEEDS; i++) {
        assert_int_equal(load(VA), 0xaaaa);
        store(TABLE1, leaf(OTHER0, 1));
        assert_int_equal(load(VA), 0xbbbb);
        store(TABLE1, leaf(TABLE0, 1));
    }
    load(VA);
    store(TABLE1, 0);
    load(VA);
    assert_int_equal(sim->harts[0].scause, CAUSE_LOAD_PAGE);
    assert_int_equal(sim_findings(sim), 0);
}

/* Also when the hart has no room for all the pointers that it has followed. */
static void test_without_keeping_and_with_many_tables(void **unused) {
    enum { TABLES = 6 };
    guest.keep = false;
    start_paged();
    for (unsigned t = 0; t < TABLES; t++) {
        poke(TABLE1 + 8 * t, leaf(TABLE0 + 0x1000 * t, 1));
        for (unsigned i = 0; i < 512; i++)
            poke(TABLE0 + 0x1000 * t + 8 * i, leaf(PAGE_A, FULL));
    }
    for (unsigned i = 0; i < 512 * TABLES; i++)
        load(VA + 4096 * i);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(load(VA + 4096 * i), 0xaaaa);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(load(VA + 4096 * i), 0xaaaa);
    store(TABLE1, 0);
    for (unsigned i = 0; i < 64; i++) {
        load(VA + 4096 * i);
        assert_int_equal(sim->harts[0].scause, CAUSE_LOAD_PAGE);
    }
}

static void test_without_keeping_another_satp(void **unused) {
    guest.keep = false;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        memcpy(sim->ram + (ROOT + 0x8000 - RAM_BASE), sim->ram + (ROOT - RAM_BASE), 4096);
        poke(ROOT + 0x8000 + 8, leaf(ROOT + 0x9000, 1));
        poke(ROOT + 0x9000, leaf(OTHER0, 1));
        poke(OTHER0, leaf(PAGE_B, FULL));
        assert_int_equal(load(VA), 0xaaaa);
        sim->harts[0].x[12] = SATP(0) + 8;
        execute(CSRW(0x180, 12));
        assert_int_equal(load(VA), 0xbbbb);
        assert_int_equal(told_count, 0);
        guest_end(NULL);
    }
}

/* ---- A and D: 4.3.2, step 7 -------------------------------------------------------------------
 */
/* The bits are set only where memory still has the entry that the hart has kept. */
static void test_a_hart_does_not_write_an_old_entry_back(void **unused) {
    guest.svadu = true;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        poke(SLOT(0), leaf(PAGE_A, 0x7));
        assert_int_equal(load(VA), 0xaaaa);
        assert_int_equal(peek(SLOT(0)), leaf(PAGE_A, 0x47));
        store(SLOT(0), 0x1234500);
        store(VA, 1);
        assert_int_equal(peek(SLOT(0)), 0x1234500);
        assert_int_equal(peek(PAGE_A), 0xaaaa);
        guest_end(NULL);
    }
}

static void test_a_and_d_are_set(void **unused) {
    guest.svadu = true;
    start_paged();
    poke(SLOT(0), leaf(PAGE_A, 0x7));
    store(VA, 1);
    assert_int_equal(peek(SLOT(0)), leaf(PAGE_A, 0xc7));
    assert_int_equal(peek(PAGE_A), 1);
}

/* ---- the tlb after a change of the rules ------------------------------------------------------
 */
enum { CSRRC = 3 };

static void test_mxr_and_sum(void **unused) {
    static const struct {
        uint64_t status, bits;
    } cases[] = {{MSTATUS_MXR, 0xc9}, {MSTATUS_SUM, FULL | USER}};
    for (unsigned i = 0; i < 2; i++) {
        start_paged();
        poke(SLOT(0), leaf(PAGE_A, cases[i].bits));
        for (unsigned n = 0; n < 2; n++) {
            sim->harts[0].x[12] = cases[i].status;
            execute(CSRRS(0, CSR_SSTATUS, 12));
            assert_int_equal(load(VA), 0xaaaa);
            sim->harts[0].x[12] = cases[i].status;
            execute(insn_i(0x73, CSRRC, 0, 12, CSR_SSTATUS));
            assert_int_equal(load(VA), 0);
            assert_int_equal(sim->harts[0].scause, CAUSE_LOAD_PAGE);
        }
        guest_end(NULL);
    }
}

static void test_an_atomic_instruction_after_a_load(void **unused) {
    start_paged();
    poke(SLOT(0), leaf(PAGE_A, READ_ONLY));
    assert_int_equal(load(VA), 0xaaaa);
    execute(AMOADD_D(11, 11, 10));
    assert_int_equal(sim->harts[0].scause, CAUSE_STORE_PAGE);
    assert_int_equal(peek(PAGE_A), 0xaaaa);
}

/* In M-mode, whose loads go by MPP. */
static void start_mprv(uint64_t mpp) {
    guest.machine_mode = true;
    start_paged();
    sim->harts[0].mtvec = HANDLER_AT;
    sim->harts[0].pmpaddr[1] = (1ull << 54) - 1;
    sim->harts[0].pmpcfg[1] = 0x1f;
    sim->harts[0].mstatus |= MSTATUS_MPRV | mpp << 11;
}

static void test_mprv(void **unused) {
    start_mprv(PRIV_S);
    assert_int_equal(load(VA), 0xaaaa);
    sim->harts[0].x[12] = MSTATUS_MPP;
    execute(insn_i(0x73, CSRRC, 0, 12, CSR_MSTATUS)); /* as U, which may not */
    assert_int_equal(load(VA), 0);
    assert_int_equal(sim->harts[0].mcause, CAUSE_LOAD_PAGE);
}

static void test_mprv_after_a_trap(void **unused) {
    start_mprv(PRIV_S);
    assert_int_equal(load(VA), 0xaaaa);
    execute(0x00100073); /* ebreak: MPP is M */
    assert_int_equal(load(VA), 0);
    assert_int_equal(sim->harts[0].mcause, CAUSE_LOAD_ACCESS);
}

static void test_mprv_after_mret(void **unused) {
    start_mprv(PRIV_M);
    assert_int_equal(load(PAGE_A), 0xaaaa);
    sim->harts[0].mepc = CODE_AT;
    execute(MRET); /* to M; MPP is U */
    assert_int_equal(load(PAGE_A), 0);
    assert_int_equal(sim->harts[0].mcause, CAUSE_LOAD_PAGE);
}

static void test_pmp_that_changes(void **unused) {
    enum { PMPCFG0 = 0x3a0, PMPADDR0 = 0x3b0, NAPOT_RWX = 0x1f, NAPOT = 0x18 };
    static const struct {
        uint64_t csr, value;
    } cases[] = {{PMPCFG0, NAPOT_RWX << 8 | NAPOT}, {PMPADDR0, PAGE_A >> 2 | 0x1ff}};
    for (unsigned i = 0; i < 2; i++) {
        start_mprv(PRIV_S);
        sim->harts[0].pmpaddr[0] = i ? 0x1ff : PAGE_A >> 2 | 0x1ff;
        sim->harts[0].pmpcfg[0] = i ? NAPOT : NAPOT_RWX;
        assert_int_equal(load(VA), 0xaaaa);
        sim->harts[0].x[12] = cases[i].value;
        execute(CSRW(cases[i].csr, 12));
        sim->harts[0].mcause = 0;
        assert_int_equal(load(VA), 0);
        assert_int_equal(sim->harts[0].mcause, CAUSE_LOAD_ACCESS);
        guest_end(NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_without_keeping_memory_is_always_right),
        GUEST_TEST(test_without_keeping_and_with_many_tables),
        GUEST_TEST(test_without_keeping_another_satp),
        GUEST_TEST(test_a_hart_does_not_write_an_old_entry_back),
        GUEST_TEST(test_a_and_d_are_set),
        GUEST_TEST(test_mxr_and_sum),
        GUEST_TEST(test_an_atomic_instruction_after_a_load),
        GUEST_TEST(test_mprv),
        GUEST_TEST(test_mprv_after_a_trap),
        GUEST_TEST(test_mprv_after_mret),
        GUEST_TEST(test_pmp_that_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
