/* What a hart believes of what it has kept, and who is told of it. */
/* sources: machine */
#include "simpaged.h"

/* ---- stale translations: privileged specification 4.2.1 -------------------------------------- */
static void test_an_old_leaf_is_believed_and_told(void **unused) {
    unsigned old = 0;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        assert_int_equal(load(VA), 0xaaaa);
        store(SLOT(0), leaf(PAGE_B, FULL));
        told_count = 0;
        uint64_t value = load(VA);
        old += value == 0xaaaa;
        assert_int_equal(told_count, value == 0xaaaa);
        assert_true(value == 0xaaaa || value == 0xbbbb);
        if (told_count)
            assert_non_null(strstr(told, "hart 0 loaded from 0x40000000"));
        fence(VA, -1);
        assert_int_equal(load(VA), 0xbbbb);
        assert_int_equal(sim_findings(sim), value == 0xaaaa);
        guest_end(NULL);
    }
    assert_between(old, BELIEVED, SEEDS - 1);
}

/* Also when the pointer to its table is not kept any more: here the leaf is global, and the fence
 * is one of an address space. */
static void test_a_leaf_outlives_its_table(void **unused) {
    unsigned old = 0;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        poke(SLOT(0), leaf(PAGE_A, FULL | GLOBAL));
        load(VA);
        fence(0, 0);
        assert_null(keep_find(&sim->harts[0], 0, 1, VA));
        store(TABLE1, 0);
        hart_forget(&sim->harts[0]);
        told_count = 0;
        uint64_t value = load(VA);
        old += value == 0xaaaa;
        assert_int_equal(told_count, value == 0xaaaa);
        guest_end(NULL);
    }
    assert_between(old, BELIEVED, SEEDS - 1);
}

/* A table that is replaced by a copy: what becomes of the copy counts. */
static void test_an_entry_that_has_moved(void **unused) {
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        poke(OTHER0, leaf(PAGE_A, FULL));
        load(VA);
        store(TABLE1, leaf(OTHER0, 1));
        assert_int_equal(load(VA), 0xaaaa);
        store(OTHER0, leaf(PAGE_B, FULL));
        told_count = 0;
        uint64_t value = load(VA);
        assert_int_equal(told_count, value == 0xaaaa);
        guest_end(NULL);
    }
}

/* A load that both entries allow does not make the hart forget that it might store. */
static void test_an_old_permission_outlives_a_load(void **unused) {
    unsigned old = 0;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        load(VA);
        store(SLOT(0), leaf(PAGE_A, READ_ONLY));
        told_count = 0;
        load(VA);
        store(VA, 1);
        old += peek(PAGE_A) == 1;
        assert_int_equal(told_count, peek(PAGE_A) == 1);
        guest_end(NULL);
    }
    assert_between(old, BELIEVED / 2, SEEDS - 1);
}

/* Of a store over the end of a page both pages are translated before anything is stored. */
static void test_a_store_into_two_pages_is_whole_or_not_done(void **unused) {
    guest.misaligned = true;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        poke(SLOT(1), leaf(PAGE_B, FULL));
        store(VA, 0);
        store(VA + 4096, 0);
        store(VA + 4088, 0);
        store(SLOT(1), leaf(PAGE_B, READ_ONLY));
        store(VA + 4092, UINT64_MAX);
        bool trapped = sim->harts[0].scause == CAUSE_STORE_PAGE;
        if (trapped)
            assert_int_equal(sim->harts[0].stval, VA + 4096);
        assert_int_equal(peek(PAGE_A + 4088), trapped ? 0 : 0xffffffff00000000);
        assert_int_equal(peek(PAGE_B), trapped ? 0 : 0xffffffff);
        guest_end(NULL);
    }
}

/* ---- who writes tables --------------------------------------------------------------------------
 */
/* The tlb may have the page of a table for stores, from before it was one. */
static void test_a_page_that_becomes_a_table(void **unused) {
    guest.harts = 2;
    for (unsigned writer = 0; writer < 2; writer++)
        for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
            start_paged();
            sim->harts[1].satp = SATP(0);
            store_on(writer, SLOT(7), 0);
            store_on(writer, SLOT(7), 0);
            load(VA);
            store_on(writer, SLOT(0), leaf(PAGE_B, FULL));
            told_count = 0;
            uint64_t value = load(VA);
            assert_int_equal(told_count + sim->harts[0].stale_count, value == 0xaaaa);
            guest_end(NULL);
        }
}

static void test_tables_are_written_by_atomic_instructions_too(void **unused) {
    for (unsigned sc = 0; sc < 2; sc++)
        for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
            start_paged();
            load(VA);
            sim->harts[0].x[14] = SLOT(0);
            sim->harts[0].x[15] = sc ? leaf(PAGE_B, FULL) : leaf(PAGE_B, 0) - leaf(PAGE_A, 0);
            if (sc) {
                sim->harts[0].reserved = true;
                sim->harts[0].reservation = SLOT(0);
                execute(SC_D(16, 15, 14));
            } else {
                execute(AMOADD_D(16, 15, 14));
            }
            assert_int_equal(peek(SLOT(0)), leaf(PAGE_B, FULL));
            told_count = 0;
            uint64_t value = load(VA);
            assert_int_equal(told_count, value == 0xaaaa);
            guest_end(NULL);
        }
}

static void test_tables_that_a_device_writes(void **unused) {
    unsigned old = 0;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        start_paged();
        poke(SLOT(9), leaf(PAGE_A, FULL));
        load(VA + 9 * 4096);
        sim->env.ram(sim->env.ctx, TABLE0, 4096, true);
        poke(SLOT(9), leaf(PAGE_B, FULL));
        told_count = 0;
        uint64_t value = load(VA + 9 * 4096);
        old += value == 0xaaaa;
        assert_int_equal(told_count, value == 0xaaaa);
        if (told_count)
            assert_non_null(strstr(told, "that was written by a device, "));
        guest_end(NULL);
    }
    assert_between(old, BELIEVED, SEEDS - 1);
}

static void test_the_same_mistake_is_told_once(void **unused) {
    start_paged();
    for (unsigned i = 0; i < 40; i++) {
        store(SLOT(0), leaf(i % 2 ? PAGE_A : PAGE_B, FULL));
        load(VA);
    }
    assert_int_equal(told_count, 1);
    assert_int_equal(sim_findings(sim), 1);
}

/* A guest that goes on and on. */
static void test_so_many_mistakes_are_told(void **unused) {
    start_paged();
    sim->told_count = TOLD_MAX - 1;
    for (unsigned i = 0; i < 60; i++) {
        PUT(CODE_AT + 4 * i, LD(11, 10, 0)); /* each from another place */
        store(SLOT(0), leaf(i % 2 ? PAGE_A : PAGE_B, FULL));
        sim->harts[0].x[10] = VA;
        sim->harts[0].pc = CODE_AT + 4 * i;
        code_fence(sim, &sim->harts[0]);
        sim_run(sim, 1);
    }
    assert_int_equal(told_count, 1);
    assert_int_equal(sim_findings(sim), TOLD_MAX);
}

/* ---- entries that another hart has changed ------------------------------------------------------
 */
static void change_by_another(void) {
    guest.harts = 2;
    start_paged();
    poke(TABLE1 + 8, leaf(TABLE0 + 0x8000, 1)); /* it is noted in the same slot as SLOT(0) */
    poke(TABLE0 + 0x8000, leaf(PAGE_A, FULL));
    load_on(1, VA);
    load_on(0, VA + (2 << 20));
    store_on(0, SLOT(0), leaf(PAGE_B, FULL));
}

static void run_on_1(uint64_t instructions) {
    sim->harts[0].waiting = true;
    sim->harts[1].waiting = false;
    sim->harts[1].pc = HANDLER_AT;
    sim_run(sim, instructions);
}

static void test_another_hart_has_time_to_ask_for_a_fence(void **unused) {
    for (unsigned fenced = 0; fenced < 2; fenced++)
        for (unsigned overwritten = 0; overwritten < 2; overwritten++) {
            change_by_another();
            if (overwritten)
                store_on(0, TABLE0 + 0x8000, leaf(PAGE_B, FULL));
            assert_int_equal(load_on(1, VA), 0xaaaa); /* with this seed */
            assert_int_equal(told_count, 0);
            run_on_1(90000); /* of 50000 each */
            assert_int_equal(told_count, 0);
            if (fenced)
                fence_on(1, VA, -1);
            run_on_1(20000);
            assert_int_equal(told_count, !fenced);
            guest_end(NULL);
            told_count = 0;
        }
}

/* Each entry that was used is told, each once. */
static void test_several_entries_that_another_hart_has_changed(void **unused) {
    guest.harts = 2;
    guest.seed = 3; /* with which two are believed at least */
    start_paged();
    for (unsigned i = 0; i < 3; i++) {
        poke(SLOT(i), leaf(PAGE_A, FULL));
        load_on(1, VA + 4096 * i);
    }
    unsigned old = 0;
    for (unsigned i = 0; i < 3; i++) {
        PUT(CODE_AT + 0x100 + 4 * i, SD(11, 10, 0)); /* each from another place */
        sim->harts[0].x[10] = SLOT(i);
        sim->harts[0].x[11] = leaf(PAGE_B, FULL);
        sim->harts[0].waiting = false;
        sim->harts[1].waiting = true;
        sim->harts[0].pc = CODE_AT + 0x100 + 4 * i;
        code_fence(sim, &sim->harts[0]);
        sim_run(sim, 1);
    }
    for (unsigned n = 0; n < 2; n++)
        for (unsigned i = 0; i < 3; i++) {
            uint64_t value = load_on(1, VA + 4096 * i);
            old += n == 0 && value == 0xaaaa;
        }
    assert_between(old, 2, 3);
    assert_int_equal(sim->harts[1].stale_count, old);
    run_on_1(110000);
    run_on_1(1);
    assert_int_equal(told_count, old);
}

/* ---- faults of entries that refuse more than memory
 * ----------------------------------------------- */
/* The hart faults on VA + 4096 though memory has got a good entry. */
static void start_refused(void) {
    for (guest.seed = 1; guest.seed < SEEDS; guest.seed++) {
        start_paged();
        load(VA + 4096);
        store(SLOT(1), leaf(PAGE_B, FULL));
        if (load(VA + 4096) == 0)
            return;
        guest_end(NULL);
    }
    fail();
}

static void test_a_fault_that_is_not_repaired_is_told(void **unused) {
    start_refused();
    execute(SRET);
    assert_int_equal(told_count, 1);
    assert_non_null(strstr(told, "missing fence: hart 0 faulted on 0x40001000"));
}

static void test_a_fault_that_is_repaired_is_not(void **unused) {
    start_refused();
    fence(VA + 8192, -1);
    fence(VA + 4096, -1);
    execute(SRET);
    assert_int_equal(told_count, 0);
}

/* Another trap, within the handler, is none of its business. */
static void test_a_trap_within_the_handler_is_not_its_end(void **unused) {
    start_refused();
    uint64_t sepc = sim->harts[0].sepc;
    execute(0x00100073); /* ebreak */
    execute(SRET);
    assert_int_equal(told_count, 0);
    sim->harts[0].sepc = sepc;
    sim->harts[0].mstatus |= MSTATUS_SPP;
    execute(SRET);
    assert_int_equal(told_count, 1);
}

/* The kernel's fault, and the handler lets a program run, which traps, before it returns. */
static void test_a_program_runs_within_the_handler(void **unused) {
    start_refused();
    uint64_t sepc = sim->harts[0].sepc;
    sim->harts[0].mstatus &= ~MSTATUS_SPP;
    execute(SRET);
    assert_int_equal(sim->harts[0].priv, PRIV_U);
    assert_int_equal(told_count, 0);
    sim_run(sim, 1); /* it may not fetch there: a trap */
    assert_int_equal(sim->harts[0].priv, PRIV_S);
    sim->harts[0].sepc = sepc;
    sim->harts[0].mstatus |= MSTATUS_SPP;
    execute(SRET);
    assert_int_equal(told_count, 1);
}

/* A program's fault: the handler may let another program run before it fences. */
static void test_another_program_runs_before_the_fence(void **unused) {
    for (unsigned same = 0; same < 2; same++)
        for (guest.seed = 1;; guest.seed++) {
            start_paged();
            poke(SLOT(2), leaf(PAGE_A, 0xdf));
            PUT(PAGE_A, LD(11, 10, 0), HERE);
            struct hart *hart = &sim->harts[0];
            hart->x[10] = VA + 4096;
            for (unsigned i = 0; i < 2; i++) {
                hart->priv = PRIV_U;
                hart->pc = VA + 8192;
                sim_run(sim, 1);
                if (i == 0)
                    store(SLOT(1), leaf(PAGE_B, FULL | USER));
                hart->x[10] = VA + 4096;
            }
            if (!hart->spurious.pending) {
                guest_end(NULL);
                continue;
            }
            hart->sepc = VA + 8192 + (same ? 0 : 4);
            hart->mstatus &= ~MSTATUS_SPP;
            told_count = 0;
            execute(SRET);
            assert_int_equal(told_count, same);
            guest_end(NULL);
            break;
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_an_old_leaf_is_believed_and_told),
        GUEST_TEST(test_a_leaf_outlives_its_table),
        GUEST_TEST(test_an_entry_that_has_moved),
        GUEST_TEST(test_an_old_permission_outlives_a_load),
        GUEST_TEST(test_a_store_into_two_pages_is_whole_or_not_done),
        GUEST_TEST(test_a_page_that_becomes_a_table),
        GUEST_TEST(test_tables_are_written_by_atomic_instructions_too),
        GUEST_TEST(test_tables_that_a_device_writes),
        GUEST_TEST(test_the_same_mistake_is_told_once),
        GUEST_TEST(test_so_many_mistakes_are_told),
        GUEST_TEST(test_another_hart_has_time_to_ask_for_a_fence),
        GUEST_TEST(test_several_entries_that_another_hart_has_changed),
        GUEST_TEST(test_a_fault_that_is_not_repaired_is_told),
        GUEST_TEST(test_a_fault_that_is_repaired_is_not),
        GUEST_TEST(test_a_trap_within_the_handler_is_not_its_end),
        GUEST_TEST(test_a_program_runs_within_the_handler),
        GUEST_TEST(test_another_program_runs_before_the_fence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
