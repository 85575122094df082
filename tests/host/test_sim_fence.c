/* What the fences take away, of the hart itself and of the firmware. */
/* sources: machine */
#include "machine/sbi/sbi.h"
#include "simpaged.h"

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
        GUEST_TEST(test_what_a_fence_covers),
        GUEST_TEST(test_fences_and_levels),
        GUEST_TEST(test_a_fence_of_an_asid_that_is_too_wide),
        GUEST_TEST(test_global_entries),
        GUEST_TEST(test_a_table_that_was_not_there),
        GUEST_TEST(test_a_pointer_with_bits_of_a_leaf),
        GUEST_TEST(test_fetches_are_translated_anew),
        GUEST_TEST(test_what_a_remote_fence_covers),
        GUEST_TEST(test_a_remote_fence_for_harts_that_are_not_there),
        GUEST_TEST(test_a_remote_fence_of_an_address_space),
        GUEST_TEST(test_a_remote_fence_of_code),
        GUEST_TEST(test_kept_entries_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
