/* What harts keep of page tables, who is told of it, and what the firmware's fences take away. */
/* sources: machine/ machine/cpu/ machine/sbi/ machine/dev/ machine/fpu/ machine/image/ */
#include "machine/cpu/code.h"
#include "machine/cpu/keep.h"
#include "machine/sbi/sbi.h"
#include "simguest.h"

/* Page tables of Sv39: all of memory as one page of 1 GiB, and pages of 4 KiB from VA on. */
#define ROOT (RAM_BASE + 0x300000)
#define TABLE1 (ROOT + 0x1000)
#define TABLE0 (ROOT + 0x2000)
#define OTHER0 (ROOT + 0x3000)
#define VA 0x40000000ull
#define SLOT(n) (TABLE0 + 8 * (n))
#define PAGE_A (RAM_BASE + 0x400000)
#define PAGE_B (RAM_BASE + 0x401000)
#define FULL 0xc7ull /* D A W R V */
#define READ_ONLY 0xc3ull
#define USER 0x10ull
#define GLOBAL 0x20ull
#define SATP(asid) (8ull << 60 | (uint64_t)(asid) << 44 | ROOT >> 12)

static uint64_t leaf(uint64_t pa, uint64_t bits) { return pa >> 2 | bits; }

static void start_paged(void) {
    guest_start();
    poke(ROOT + 8 * 2, leaf(RAM_BASE, 0xcf));
    poke(ROOT + 8 * 1, leaf(TABLE1, 1));
    poke(TABLE1, leaf(TABLE0, 1));
    poke(SLOT(0), leaf(PAGE_A, FULL));
    poke(PAGE_A, 0xaaaa);
    poke(PAGE_B, 0xbbbb);
    PUT(HANDLER_AT, HERE);
    for (unsigned i = 0; i < guest.harts; i++) {
        struct hart *hart = &sim->harts[i];
        hart->satp = SATP(0);
        hart->stvec = HANDLER_AT;
        hart->x[10] = VA;
        hart->waiting = i > 0;
    }
}

/* The hart alone executes a word, in S-mode. */
static void execute_on(unsigned id, uint32_t word) {
    PUT(CODE_AT, word);
    code_fence(sim, &sim->harts[id]);
    for (unsigned i = 0; i < guest.harts; i++)
        sim->harts[i].waiting = i != id;
    sim->harts[id].pc = CODE_AT;
    sim_run(sim, 1);
}
static void execute(uint32_t word) { execute_on(0, word); }

static uint64_t load_on(unsigned id, uint64_t va) {
    sim->harts[id].x[10] = va;
    sim->harts[id].x[11] = 0;
    sim->harts[id].scause = 0;
    execute_on(id, LD(11, 10, 0));
    return sim->harts[id].x[11];
}
static uint64_t load(uint64_t va) { return load_on(0, va); }
static void store_on(unsigned id, uint64_t va, uint64_t value) {
    sim->harts[id].x[10] = va;
    sim->harts[id].x[11] = value;
    sim->harts[id].scause = 0;
    execute_on(id, SD(11, 10, 0));
}
static void store(uint64_t va, uint64_t value) { store_on(0, va, value); }
static void fence_on(unsigned id, uint64_t va, int64_t asid) {
    sim->harts[id].x[12] = va;
    sim->harts[id].x[13] = (uint64_t)asid;
    execute_on(id, SFENCE_VMA(va ? 12 : 0, asid >= 0 ? 13 : 0));
}
static void fence(uint64_t va, int64_t asid) { fence_on(0, va, asid); }

enum { SEEDS = 32, BELIEVED = SEEDS / 2 }; /* 3 in 4, with room for chance */

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

/* What covers what: the rs1 and rs2 of sfence.vma. */
static void test_what_a_fence_covers(void **unused) {
    static const struct {
        uint64_t va, bits;
        int64_t asid;
        bool covers;
    } cases[] = {
        {0, 0, -1, true},          {VA, 0, -1, true},      {VA + 0xfff, 0, -1, true},
        {VA + 4096, 0, -1, false}, {VA - 1, 0, -1, false}, {VA, 0, 0, true},
        {VA, 0, 1, false},         {0, 0, 1, false},       {0, 0, 0, true},
        {0, GLOBAL, 0, false},     {0, GLOBAL, -1, true},  {VA, GLOBAL, -1, true},
        {VA, GLOBAL, 0, false},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start_paged();
        poke(SLOT(0), leaf(PAGE_A, FULL | cases[i].bits));
        load(VA);
        fence(cases[i].va, cases[i].asid);
        assert_int_equal(keep_find(&sim->harts[0], 0, 0, VA) == NULL, cases[i].covers);
        guest_end(NULL);
    }
}

/* Of a table that is gone the pointer stays behind a fence with an address; a large page is one
 * entry, whichever of its addresses is named. */
static void test_fences_and_levels(void **unused) {
    start_paged();
    load(VA);
    fence(VA, -1);
    assert_non_null(keep_find(&sim->harts[0], 0, 1, VA));
    fence(0, -1);
    assert_null(keep_find(&sim->harts[0], 0, 1, VA));
    load(RAM_BASE + 0x500000);
    assert_non_null(keep_find(&sim->harts[0], 0, 2, RAM_BASE));
    fence(RAM_BASE + 0x123456, -1);
    assert_null(keep_find(&sim->harts[0], 0, 2, RAM_BASE));
}

static void test_a_fence_of_an_asid_that_is_too_wide(void **unused) {
    guest.asid_bits = 0;
    start_paged();
    load(VA);
    fence(0, 0x1234); /* bits that are not there are ignored: 4.2.1 */
    assert_null(keep_find(&sim->harts[0], 0, 0, VA));
}

static void use_satp(uint64_t satp) {
    sim->harts[0].x[12] = satp;
    execute(CSRW(0x180, 12));
}

/* 4.2.1: a global entry is one of all address spaces; so is what stands below a global pointer. */
static void test_global_entries(void **unused) {
    static const struct {
        uint64_t pointer, leaf;
        bool found;
    } cases[] = {{0, 0, false}, {0, GLOBAL, true}, {GLOBAL, 0, true}};
    for (unsigned i = 0; i < 3; i++) {
        start_paged();
        poke(TABLE1, leaf(TABLE0, 1 | cases[i].pointer));
        poke(SLOT(0), leaf(PAGE_A, FULL | cases[i].leaf));
        load(VA);
        assert_int_equal(keep_find(&sim->harts[0], 5, 0, VA) != NULL, cases[i].found);
        use_satp(SATP(5));
        assert_int_equal(load(VA), 0xaaaa);
        fence(0, 5);
        assert_int_equal(keep_find(&sim->harts[0], 5, 0, VA) != NULL, cases[i].found);
        guest_end(NULL);
    }
}

/* That there is no table is a leaf's matter until there is one. */
static void test_a_table_that_was_not_there(void **unused) {
    uint64_t va = VA + (3 << 21);
    for (unsigned made = 0; made < 2; made++) {
        start_paged();
        load(va);
        assert_int_equal(sim->harts[0].scause, CAUSE_LOAD_PAGE);
        if (made)
            store(TABLE1 + 8 * 3, leaf(TABLE0, 1));
        assert_non_null(keep_find(&sim->harts[0], 0, 1, va));
        fence(va, -1);
        assert_int_equal(keep_find(&sim->harts[0], 0, 1, va) != NULL, made);
        fence(0, -1);
        assert_null(keep_find(&sim->harts[0], 0, 1, va));
        assert_int_equal(load(va), made ? 0xaaaa : 0);
        guest_end(NULL);
    }
}

/* 4.3.1: bits of a pointer that are reserved. */
static void test_a_pointer_with_bits_of_a_leaf(void **unused) {
    static const uint64_t bits[] = {USER, 0x40, 0x80, 1ull << 54, 1ull << 63};
    for (unsigned i = 0; i < 5; i++) {
        start_paged();
        poke(TABLE1, leaf(TABLE0, 1) | bits[i]);
        load(VA);
        assert_int_equal(sim->harts[0].scause, CAUSE_LOAD_PAGE);
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

/* Code is fetched anew from where a fenced entry leads. */
static void test_fetches_are_translated_anew(void **unused) {
    start_paged();
    poke(SLOT(5), leaf(PAGE_A, 0xcf));
    PUT(PAGE_A, ADDI(5, 5, 1), HERE);
    PUT(PAGE_B, ADDI(6, 6, 1), HERE);
    for (unsigned i = 0; i < 2; i++) {
        sim->harts[0].pc = VA + 5 * 4096;
        sim_run(sim, 1);
        store(SLOT(5), leaf(PAGE_B, 0xcf));
        fence(VA + 5 * 4096, -1);
    }
    assert_int_equal(sim->harts[0].x[5], 1);
    assert_int_equal(sim->harts[0].x[6], 1);
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

/* ---- the firmware's fences: SBI 2.0, chapter 8
 * ------------------------------------------------------ */
static uint64_t function = 1, asid;
static int64_t remote_fence(uint64_t mask, uint64_t base, uint64_t start, uint64_t size) {
    struct hart *hart = &sim->harts[0];
    hart->x[10] = mask;
    hart->x[11] = base;
    hart->x[12] = start;
    hart->x[13] = size;
    hart->x[14] = asid;
    hart->x[16] = function;
    hart->x[17] = 0x52464e43;
    sbi_call(sim, hart);
    return (int64_t)hart->x[10];
}

static void test_what_a_remote_fence_covers(void **unused) {
    static const struct {
        uint64_t mask, base, start, size;
        bool covers;
    } cases[] = {
        {2, 0, 0, 0, true},
        {2, 0, 0x1234000, UINT64_MAX, true},
        {2, 0, VA + 4096, UINT64_MAX, true},
        {0, UINT64_MAX, 0, 0, true},
        {1, 1, VA, 4096, true},
        {2, 0, VA - 4096, 4097, true},
        {2, 0, 0x1000, 0ull - 0x1000, true},
        {2, 0, VA - 4096, 4096, false},
        {2, 0, VA + 4096, 4096, false},
        {1, 0, 0, 0, false},
        {0, 0, 0, 0, false},
    };
    guest.harts = 2;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start_paged();
        load_on(1, VA);
        assert_int_equal(remote_fence(cases[i].mask, cases[i].base, cases[i].start, cases[i].size),
                         0);
        assert_int_equal(keep_find(&sim->harts[1], 0, 0, VA) == NULL, cases[i].covers);
        guest_end(NULL);
    }
}

static void test_a_remote_fence_for_harts_that_are_not_there(void **unused) {
    guest.harts = 2;
    start_paged();
    assert_int_equal(remote_fence(4, 0, 0, 0), -3);
    assert_int_equal(remote_fence(1, 2, 0, 0), -3);
    assert_int_equal(remote_fence(1, UINT64_MAX - 1, 0, 0), -3);
}

static void test_a_remote_fence_of_an_address_space(void **unused) {
    function = 2;
    guest.harts = 2;
    for (asid = 0; asid < 2; asid++) {
        start_paged();
        sim->harts[1].satp = SATP(1);
        load_on(1, VA);
        assert_int_equal(remote_fence(2, 0, 0, 0), 0);
        assert_int_equal(keep_find(&sim->harts[1], 1, 0, VA) == NULL, asid);
        guest_end(NULL);
    }
    function = 1;
}

static void test_a_remote_fence_of_code(void **unused) {
    guest.harts = 2;
    start_paged();
    for (unsigned fenced = 0; fenced < 2; fenced++) {
        for (unsigned i = 0; i < 2; i++) {
            sim->harts[1].pc = HANDLER_AT;
            sim->harts[0].waiting = true;
            sim->harts[1].waiting = false;
            sim_run(sim, 1);
            PUT(HANDLER_AT, ADDI(5, 5, 1), HERE);
            function = 0;
            if (fenced)
                remote_fence(2, 0, 0, 0);
        }
        assert_int_equal(sim->harts[1].x[5], fenced);
    }
    function = 1;
}

/* ---- bookkeeping --------------------------------------------------------------------------------
 */
/* However entries come and go, each page's count of them is right. */
static void test_kept_entries_are_counted(void **unused) {
    guest.harts = 2;
    start_paged();
    for (unsigned t = 0; t < 6; t++) {
        poke(TABLE1 + 8 * t, leaf(TABLE0 + 0x1000 * t, 1));
        for (unsigned i = 0; i < 512; i++)
            poke(TABLE0 + 0x1000 * t + 8 * i, leaf(PAGE_A, FULL));
    }
    for (unsigned i = 0; i < 6000; i++) {
        load_on(i % 2, VA + 4096 * (uint64_t)(i * 7 % 3000));
        if (i % 500 == 499)
            fence_on(0, VA + 4096 * (uint64_t)(i % 3000), i % 1000 == 999 ? 0 : -1);
    }
    unsigned pages = 0, kept = sim->harts[0].keeper.count + sim->harts[1].keeper.count;
    for (unsigned i = 0; i < guest.ram_bytes >> 12; i++)
        pages += sim->page_kept[i];
    assert_between(kept, 1024, 2 * KEPT);
    assert_int_equal(pages, kept);
    hart_reset(sim, &sim->harts[0], PRIV_S, CODE_AT);
    hart_reset(sim, &sim->harts[1], PRIV_S, CODE_AT);
    for (unsigned i = 0; i < guest.ram_bytes >> 12; i++)
        assert_int_equal(sim->page_kept[i], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_an_old_leaf_is_believed_and_told),
        GUEST_TEST(test_an_old_permission_outlives_a_load),
        GUEST_TEST(test_a_store_into_two_pages_is_whole_or_not_done),
        GUEST_TEST(test_what_a_fence_covers),
        GUEST_TEST(test_fences_and_levels),
        GUEST_TEST(test_a_fence_of_an_asid_that_is_too_wide),
        GUEST_TEST(test_global_entries),
        GUEST_TEST(test_a_table_that_was_not_there),
        GUEST_TEST(test_a_pointer_with_bits_of_a_leaf),
        GUEST_TEST(test_a_page_that_becomes_a_table),
        GUEST_TEST(test_tables_are_written_by_atomic_instructions_too),
        GUEST_TEST(test_tables_that_a_device_writes),
        GUEST_TEST(test_fetches_are_translated_anew),
        GUEST_TEST(test_the_same_mistake_is_told_once),
        GUEST_TEST(test_so_many_mistakes_are_told),
        GUEST_TEST(test_mxr_and_sum),
        GUEST_TEST(test_mprv),
        GUEST_TEST(test_mprv_after_a_trap),
        GUEST_TEST(test_mprv_after_mret),
        GUEST_TEST(test_pmp_that_changes),
        GUEST_TEST(test_without_keeping_memory_is_always_right),
        GUEST_TEST(test_without_keeping_and_with_many_tables),
        GUEST_TEST(test_without_keeping_another_satp),
        GUEST_TEST(test_a_hart_does_not_write_an_old_entry_back),
        GUEST_TEST(test_a_and_d_are_set),
        GUEST_TEST(test_another_hart_has_time_to_ask_for_a_fence),
        GUEST_TEST(test_several_entries_that_another_hart_has_changed),
        GUEST_TEST(test_a_fault_that_is_not_repaired_is_told),
        GUEST_TEST(test_a_fault_that_is_repaired_is_not),
        GUEST_TEST(test_a_trap_within_the_handler_is_not_its_end),
        GUEST_TEST(test_another_program_runs_before_the_fence),
        GUEST_TEST(test_what_a_remote_fence_covers),
        GUEST_TEST(test_a_remote_fence_for_harts_that_are_not_there),
        GUEST_TEST(test_a_remote_fence_of_an_address_space),
        GUEST_TEST(test_a_remote_fence_of_code),
        GUEST_TEST(test_kept_entries_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
