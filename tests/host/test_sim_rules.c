/* Entries that are none, leaves that open too much, faults that nothing repairs, what devices are
 * told, and what a hart reads before it is asked. */
/* sources: machine */
#include "machine/frames/frames.h"
#include "machine/rules/rules.h"
#include "simpaged.h"
#include <stdlib.h>

#define RWX_AD 0xcfull
#define USER_AT (RAM_BASE + 0x500000)

static void start_checked(unsigned checks) {
    guest.checks = checks;
    told_count = 0;
    start_paged();
}
static bool tells(const char *words) { return strstr(told, words) != NULL; }

/* A table in use gets this entry; then whether that was told. */
static bool is_told_of(uint64_t slot, uint64_t value, const char *why) {
    start_checked(SIM_CHECK_ENTRIES);
    load(VA);
    store(slot, value);
    bool found = told_count == 1 && tells("bad entry: hart 0 stores") && tells(why);
    bool silent = told_count == 0;
    guest_end(NULL);
    if (!found && !silent)
        fail_msg("%s", told);
    return found;
}

/* ---- entries: 4.3.1 and 4.3.2 ---------------------------------------------------------------- */
static void test_what_is_no_entry(void **unused) {
    const uint64_t table = leaf(OTHER0, 1), page = leaf(PAGE_A, FULL);
    assert_true(is_told_of(SLOT(3), leaf(PAGE_A, 0xc5), "W is set without R"));
    assert_true(is_told_of(SLOT(3), page | 1ull << 54, "bits 54 to 63"));
    assert_true(is_told_of(SLOT(3), page | 1ull << 63, "bits 54 to 63"));
    assert_true(is_told_of(TABLE1, table | 0x40, "in a pointer to a table"));
    assert_true(is_told_of(TABLE1, table | 0x10, "in a pointer to a table"));
    assert_true(is_told_of(TABLE1, leaf(0x1000, 1), "no RAM"));
    assert_true(is_told_of(TABLE1, leaf(PAGE_B, FULL), "not a multiple of its size"));
}

static void test_what_is_one(void **unused) {
    assert_false(is_told_of(SLOT(3), leaf(PAGE_A, FULL), ""));
    assert_false(is_told_of(SLOT(3), leaf(PAGE_A, 0xc5) & ~1ull, "")); /* it is not valid */
    assert_false(is_told_of(SLOT(3), leaf(PAGE_A, 1), "")); /* permits nothing: 4.3.2, step 4 */
    assert_false(is_told_of(TABLE1, leaf(OTHER0, 1), ""));
    assert_false(is_told_of(TABLE1, leaf(RAM_BASE, FULL), ""));
    assert_false(is_told_of(SLOT(3), leaf(0x10000000, FULL), "")); /* a device */
    assert_false(is_told_of(PAGE_A, ~0ull, ""));                   /* no table at all */
}

/* Of a page that was a table, and is one no more, nothing is said. */
static void test_a_table_out_of_use(void **unused) {
    start_checked(SIM_CHECK_ENTRIES);
    load(VA);
    store(TABLE1, 0);
    fence(0, -1);
    store(SLOT(0), ~0ull);
    assert_int_equal(told_count, 0);
    store(TABLE1, leaf(TABLE0, 1)); /* it is again, and what is in it is read */
    load(VA);
    assert_int_equal(told_count, 1);
    assert_true(tells("bad entry: hart 0 is led to 0xffffffffffffffff"));
}

static void test_only_if_wanted(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT & ~SIM_CHECK_ENTRIES);
    load(VA);
    store(SLOT(3), ~0ull);
    load(VA + 0x3000);
    assert_int_equal(told_count, 0);
}

/* ---- leaves ---------------------------------------------------------------------------------- */
static void use_as_user(uint64_t page, uint64_t bits) {
    poke(SLOT(2), leaf(page, bits | USER));
    sim->harts[0].mstatus |= MSTATUS_SUM;
    load(VA + 0x2000);
}

static void test_the_image_is_not_open(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    sim->kernel.elf.segments = 1;
    sim->kernel.elf.segment[0] = (struct elf_segment){.paddr = PAGE_B + 16, .size = 100};
    use_as_user(PAGE_A, FULL);
    assert_int_equal(told_count, 0);
    fence(0, -1);
    use_as_user(PAGE_B, READ_ONLY);
    assert_int_equal(told_count, 1);
    assert_true(tells("open to user mode: programs of hart 0 may read what is at 0x40002000"));
    assert_true(tells("of the kernel's image"));
}

static void test_a_table_is_not_open(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    use_as_user(OTHER0, FULL); /* no table */
    assert_int_equal(told_count, 0);
    fence(0, -1);
    use_as_user(TABLE0, FULL);
    assert_int_equal(told_count, 1);
    assert_true(tells("a page table in use, of level 0 of hart 0's satp"));
}

/* A program has a page that is free: that is told when the hart looks ahead, while it runs. */
static void test_a_free_page_is_not_mapped(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    sim->frames.pages = calloc(guest.ram_bytes >> 12, sizeof(struct frame));
    assert_non_null(sim->frames.pages);
    sim->frames.on = true;
    poke(SLOT(2), leaf(PAGE_B, FULL | USER));
    poke(SLOT(3), leaf(PAGE_A, FULL | USER));
    sim->frames.pages[(PAGE_A - RAM_BASE) >> 12].is = FRAME_FREE;
    translate_ahead(sim, &sim->harts[0], VA + 0x3000, false);
    assert_int_equal(told_count, 0); /* the kernel may be about to clear the leaf */
    fence(0, -1);
    sim->harts[0].priv = PRIV_U;
    translate_ahead(sim, &sim->harts[0], VA + 0x2000, false);
    assert_int_equal(told_count, 0);
    translate_ahead(sim, &sim->harts[0], VA + 0x3000, false);
    assert_int_equal(told_count, 1);
    assert_true(tells("mapped after it was freed: the program on hart 0 may read and write"));
}

static void test_code_that_is_writable(void **unused) {
    start_checked(
        SIM_CHECKS_DEFAULT); /* the root has a leaf with all rights: nothing is said yet */
    load(VA);
    assert_int_equal(told_count, 0);
    sim->harts[0].rules.ran_user = true;
    fence(0, -1);
    assert_int_equal(told_count, 0);
    load(VA);
    assert_int_equal(told_count, 1);
    assert_true(tells("writable code: hart 0 uses"));
}

static void test_writable_code_of_programs(void **unused) {
    for (unsigned wanted = 0; wanted < 2; wanted++) {
        start_checked(wanted ? SIM_CHECK_USER_WX : SIM_CHECKS_DEFAULT & ~SIM_CHECK_WX);
        sim->harts[0].rules.ran_user = true;
        use_as_user(PAGE_A, RWX_AD);
        assert_int_equal(told_count, wanted);
        guest_end(NULL);
    }
}

/* ---- faults ---------------------------------------------------------------------------------- */
/* The hart stores at va with this sp, and its handler is at HANDLER_AT. */
static void fault_at(uint64_t va, uint64_t sp) {
    sim->harts[0].x[2] = sp;
    store(va, 1);
}
/* Nothing but waiting, for longer than the machine has patience. */
static void wait_long(void) { sim_run(sim, 10000000); }

static void test_a_stack_at_its_end(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    poke(SLOT(5), leaf(PAGE_B, FULL));
    fault_at(VA + 0x4ff0, VA + 0x4fe0);
    assert_int_equal(sim->harts[0].scause, CAUSE_STORE_PAGE);
    assert_int_equal(told_count, 0); /* it may be repaired */
    wait_long();
    assert_int_equal(told_count, 1);
    assert_true(tells("stack overflow: hart 0, at "));
    assert_true(tells("sp is 32 bytes below the stack's page 0x40005000"));
}

/* The handler uses the same stack. */
static void test_a_handler_without_a_stack(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    PUT(HANDLER_AT, SD(2, 2, 0));
    fault_at(VA + 0x4ff0, VA + 0x4fe0);
    sim_run(sim, 3);
    assert_int_equal(told_count, 1);
    assert_true(tells("no stack: hart 0 stores to 0x40004ff0"));
}

static void test_a_fault_far_from_sp(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    fault_at(VA + 0x4000, VA + 0x2000);
    wait_long();
    assert_int_equal(told_count, 0);
}

/* With a handler that goes on elsewhere, or repairs, or does nothing. */
static void start_with_handler(uint32_t first, uint32_t second) {
    start_checked(SIM_CHECKS_DEFAULT);
    PUT(HANDLER_AT, first, second, SRET);
    poke(SLOT(0), leaf(PAGE_A, FULL | USER));
    sim->harts[0].x[20] = SLOT(0);
    sim->harts[0].x[21] = leaf(PAGE_A, FULL);
    sim->harts[0].x[22] = CODE_AT + 4;
    PUT(CODE_AT + 4, HERE);
}
static void wait_and_fault_again(void) {
    execute(SD(11, 10, 0));
    sim_run(sim, 400);
}

static void test_user_memory_without_sum(void **unused) {
    start_with_handler(ADDI(0, 0, 0), ADDI(0, 0, 0));
    wait_and_fault_again();
    assert_int_equal(told_count, 1);
    assert_true(tells("user memory: hart 0 stores to 0x40000000 at "));
    assert_true(tells("sstatus.SUM is off"));
}

static void test_user_memory_that_was_expected(void **unused) {
    start_with_handler(CSRW(0x141, 22), ADDI(0, 0, 0)); /* sepc */
    wait_and_fault_again();
    wait_and_fault_again(); /* at the same place */
    wait_long();
    assert_int_equal(told_count, 0);
}

static void test_user_memory_that_is_repaired(void **unused) {
    start_with_handler(SD(21, 20, 0), SFENCE_VMA(0, 0));
    wait_and_fault_again();
    wait_long();
    assert_int_equal(told_count, 0);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 4);
}

static void test_a_leaf_without_d(void **unused) {
    for (unsigned svadu = 0; svadu < 2; svadu++) {
        guest.svadu = svadu;
        start_checked(SIM_CHECKS_DEFAULT);
        poke(SLOT(0), leaf(PAGE_A, FULL & ~0x80ull));
        store(VA, 1);
        wait_long();
        assert_int_equal(told_count, !svadu);
        assert_true(svadu || tells("whose D is 0"));
        guest_end(NULL);
    }
}

static void test_a_misaligned_store(void **unused) {
    for (unsigned done = 0; done < 2; done++) {
        guest.misaligned = done;
        start_checked(SIM_CHECKS_DEFAULT);
        store(VA + 1, 1);
        wait_long();
        assert_int_equal(told_count, !done);
        assert_true(done || tells("misaligned access: hart 0 stores to 0x40000001"));
        guest_end(NULL);
    }
}

/* ---- devices --------------------------------------------------------------------------------- */
#define FENCE 0x0ff0000f       /* iorw, iorw */
#define FENCE_LOADS 0x0a20000f /* ir, r */
#define RING PAGE_B

static void start_with_ring(void) {
    start_checked(SIM_CHECKS_DEFAULT);
    sim->blk[0].present = sim->blk[0].ready = true;
    sim->blk[0].num = 8;
    sim->blk[0].avail = RING;
    store(RING + 8, 0);
    rules_notified(sim, &sim->harts[0], 0); /* it is watched from now on */
}
static void store_index(uint64_t value) { store(RING, value); } /* and flags, and an entry */

static void test_a_ring_in_order(void **unused) {
    start_with_ring();
    store(RING + 8, 1);
    execute(FENCE);
    store_index(1);
    execute(FENCE);
    rules_notified(sim, &sim->harts[0], 0);
    assert_int_equal(told_count, 0);
}

static void test_an_index_without_a_fence(void **unused) {
    start_with_ring();
    store(RING + 8, 1);
    execute(FENCE_LOADS);
    store_index(1);
    assert_int_equal(told_count, 1);
    assert_true(tells("ring order: hart 0 stores the index of a disk's ring at "));
}

static void test_a_notice_without_a_fence(void **unused) {
    start_with_ring();
    store(RING + 8, 1);
    execute(FENCE);
    store_index(1);
    rules_notified(sim, &sim->harts[0], 0);
    assert_int_equal(told_count, 1);
    assert_true(tells("ring order: hart 0 notifies a disk at "));
}

static void test_a_device_needs_memory(void **unused) {
    start_checked(SIM_CHECKS_DEFAULT);
    assert_non_null(sim->env.ram(sim->env.ctx, PAGE_A, 4096, true));
    assert_int_equal(told_count, 0);
    assert_null(sim->env.ram(sim->env.ctx, RAM_BASE + guest.ram_bytes - 8, 16, false));
    assert_int_equal(told_count, 1);
    assert_true(tells("device address: a device is told to read 16 bytes at 0x81fffff8"));
}

/* ---- ahead of the program -------------------------------------------------------------------- */
/* How many of the seeds let a page be missing that was mapped after a look at its neighbour. */
static unsigned missed(bool speculates) {
    unsigned count = 0;
    for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
        guest.speculate = speculates;
        start_paged();
        for (unsigned i = 0; i < 4; i++) {
            load(VA);
            hart_forget(&sim->harts[0]);
        }
        store(SLOT(1), leaf(PAGE_B, FULL));
        count += load(VA + 0x1000) != 0xbbbb;
        guest_end(NULL);
    }
    return count;
}
static void test_a_page_that_was_never_touched(void **unused) {
    assert_int_equal(missed(false), 0);
    assert_between(missed(true), SEEDS / 8, SEEDS - 1);
}

/* A fence that comes before the store is none: the hart has read the entry again since. */
static void test_a_fence_too_early(void **unused) {
    for (unsigned speculates = 0; speculates < 2; speculates++) {
        unsigned old = 0;
        for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
            guest.speculate = speculates;
            start_paged();
            load(VA);
            fence(VA, -1);
            store(SLOT(0), leaf(PAGE_B, FULL));
            old += load(VA) == 0xaaaa;
            guest_end(NULL);
        }
        assert_between(old, speculates ? SEEDS / 8 : 0, speculates ? SEEDS - 1 : 0);
    }
}

/* What a fence has made it forget, a hart may have read with the next satp when that is set. */
static void test_a_new_satp(void **unused) {
    for (unsigned speculates = 0; speculates < 2; speculates++) {
        unsigned ahead = 0;
        for (guest.seed = 1; guest.seed <= SEEDS; guest.seed++) {
            guest.speculate = speculates;
            start_paged();
            load(VA);
            fence(VA, -1);
            sim->harts[0].x[11] = SATP(1);
            execute(CSRW(CSR_SATP, 11));
            ahead += keep_find(&sim->harts[0], 1, 0, VA) != NULL;
            guest_end(NULL);
        }
        assert_between(ahead, speculates ? SEEDS / 8 : 0, speculates ? SEEDS - 1 : 0);
    }
}

/* What is kept is not replaced by what is read ahead, and nothing traps. */
static void test_reading_ahead_leaves_no_trace(void **unused) {
    start_paged();
    load(VA);
    poke(SLOT(0), leaf(PAGE_B, FULL));
    translate_ahead(sim, &sim->harts[0], VA, false);
    assert_int_equal(keep_find(&sim->harts[0], 0, 0, VA)->value, leaf(PAGE_A, FULL));
    translate_ahead(sim, &sim->harts[0], 1ull << 60, false);
    translate_ahead(sim, &sim->harts[0], VA + 0x9000, true);
    assert_non_null(keep_find(&sim->harts[0], 0, 0, VA + 0x9000));
    assert_int_equal(sim->harts[0].scause, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_what_is_no_entry),
        GUEST_TEST(test_what_is_one),
        GUEST_TEST(test_a_table_out_of_use),
        GUEST_TEST(test_only_if_wanted),
        GUEST_TEST(test_the_image_is_not_open),
        GUEST_TEST(test_a_table_is_not_open),
        GUEST_TEST(test_a_free_page_is_not_mapped),
        GUEST_TEST(test_code_that_is_writable),
        GUEST_TEST(test_writable_code_of_programs),
        GUEST_TEST(test_a_stack_at_its_end),
        GUEST_TEST(test_a_handler_without_a_stack),
        GUEST_TEST(test_a_fault_far_from_sp),
        GUEST_TEST(test_user_memory_without_sum),
        GUEST_TEST(test_user_memory_that_was_expected),
        GUEST_TEST(test_user_memory_that_is_repaired),
        GUEST_TEST(test_a_leaf_without_d),
        GUEST_TEST(test_a_misaligned_store),
        GUEST_TEST(test_a_ring_in_order),
        GUEST_TEST(test_an_index_without_a_fence),
        GUEST_TEST(test_a_notice_without_a_fence),
        GUEST_TEST(test_a_device_needs_memory),
        GUEST_TEST(test_a_page_that_was_never_touched),
        GUEST_TEST(test_a_fence_too_early),
        GUEST_TEST(test_a_new_satp),
        GUEST_TEST(test_reading_ahead_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
