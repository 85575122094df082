/* What harts have fetched. */
/* sources: machine */
#include "simguest.h"

/* ---- code --------------------------------------------------------------------------------- */
static void test_code_pages_are_given_back_within_a_turn(void **unused) {
    guest.machine_mode = true;
    guest_start();
    for (unsigned i = 0; i < 4000; i++)
        PUT(CODE_AT + 4096 * i, JUMP(4096)); /* a jump to the next page */
    sim_run(sim, 3000);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 4096 * 3000);
    assert_between(sim->harts[0].caches.code_pages, 1, CODE_PAGES + 2);
}

/* An instruction over the end of a page, of which each half is changed. */
#define CROSSING_AT (CODE_AT + 0xffe)
static void start_crossing(void) {
    guest.machine_mode = true;
    guest_start();
    uint32_t insn = ADDI(6, 6, 1);
    PUT(CODE_AT, JALR(1, 9), HERE);
    PUT(CROSSING_AT - 2, 0x0001 | insn << 16, insn >> 16 | 0x80820000); /* c.nop, c.jr ra */
    sim->harts[0].x[9] = CROSSING_AT;
}
static void again(void) {
    sim->harts[0].pc = CODE_AT;
    sim_run(sim, 10);
}
/* A half becomes that of another instruction. */
static void change(unsigned half, uint32_t insn) {
    memcpy(sim->env.ram(sim->env.ctx, CROSSING_AT + 2 * half, 2, true),
           (const uint8_t *)&insn + 2 * half, 2);
}

static void test_code_over_a_page_end(void **unused) {
    start_crossing();
    again();
    assert_int_equal(sim->harts[0].x[6], 1);
    change(1, ADDI(6, 6, 2));
    again();
    assert_int_equal(sim->harts[0].x[6], 2); /* as it was fetched */
    assert_int_equal(told_count, 1);
    change(0, ADDI(7, 6, 2));
    again();
    assert_int_equal(sim->harts[0].x[6], 3);
    PUT(HANDLER_AT + 0x1000, FENCE_I, HERE); /* a page that was not fetched yet */
    sim->harts[0].pc = HANDLER_AT + 0x1000;
    sim_run(sim, 10);
    again();
    assert_int_equal(sim->harts[0].x[7], 5);
}

/* Bytes behind the second half belong to another instruction. */
static void test_what_follows_a_crossing_instruction(void **unused) {
    start_crossing();
    again();
    memset(sim->env.ram(sim->env.ctx, CROSSING_AT + 4, 2, true), 0x55, 2);
    sim->harts[0].pc = CROSSING_AT;
    sim_run(sim, 1);
    assert_int_equal(told_count, 0);
    sim_run(sim, 1);
    assert_int_equal(told_count, 1);
}

static void test_a_crossing_instruction_without_stale_code(void **unused) {
    guest.stale_code = false;
    start_crossing();
    again();
    change(1, ADDI(6, 6, 2));
    again();
    assert_int_equal(sim->harts[0].x[6], 3);
    change(0, ADDI(7, 6, 2));
    again();
    assert_int_equal(sim->harts[0].x[7], 5);
    assert_int_equal(told_count, 0);
}

/* What a hart writes into the page that it executes. */
static void test_code_that_changes_itself(void **unused) {
    for (unsigned stale = 0; stale < 2; stale++) {
        guest.machine_mode = true;
        guest.stale_code = stale;
        guest_start();
        PUT(CODE_AT, SW(6, 7, 8), ADDI(5, 5, 0), ADDI(5, 5, 1), HERE);
        sim->harts[0].x[6] = ADDI(5, 5, 2);
        sim->harts[0].x[7] = CODE_AT;
        again();
        assert_int_equal(sim->harts[0].x[5], stale ? 1 : 2);
        assert_int_equal(told_count, stale);
        guest_end(NULL);
    }
}

/* Whichever byte of an instruction is changed. */
static void test_each_byte_of_an_instruction_counts(void **unused) {
    for (unsigned byte = 0; byte < 4; byte++) {
        guest.machine_mode = true;
        guest_start();
        PUT(CODE_AT, insn_s(0, 7, 6, 8), ADDI(5, 5, 0), ADDI(5, 5, 1), HERE);
        again(); /* all of it is decoded */
        told_count = 0;
        sim->harts[0].x[6] = 0xff;
        sim->harts[0].x[7] = CODE_AT + byte;
        again();
        assert_int_equal(told_count, 1);
        guest_end(NULL);
    }
}

static void test_a_short_instruction_becomes_long(void **unused) {
    uint32_t insn = ADDI(5, 5, 2);
    guest.machine_mode = true;
    guest.stale_code = false;
    guest_start();
    PUT(CODE_AT, 0x00010001, HERE, HERE); /* c.nop, c.nop */
    again();
    memcpy(sim->env.ram(sim->env.ctx, CODE_AT, 4, true), &insn, 4);
    again();
    assert_int_equal(sim->harts[0].x[5], 2);
}

static void test_another_hart_changes_the_code(void **unused) {
    guest.machine_mode = true;
    guest.harts = 2;
    guest_start();
    PUT(CODE_AT, ADDI(5, 5, 1), HERE);
    PUT(HANDLER_AT, SW(6, 7, 0), HERE);
    struct hart *writer = &sim->harts[0], *other = &sim->harts[1];
    writer->waiting = true;
    sim_run(sim, 10);
    writer->waiting = false;
    other->waiting = true;
    writer->pc = HANDLER_AT;
    writer->x[6] = ADDI(5, 5, 2);
    writer->x[7] = CODE_AT;
    sim_run(sim, 10);
    other->waiting = false;
    writer->waiting = true;
    other->pc = CODE_AT;
    sim_run(sim, 10);
    assert_int_equal(other->x[5], 2);
    assert_int_equal(told_count, 1);
    assert_non_null(strstr(told, "stale code: hart 1 executes at 0x80200000"));
    assert_non_null(strstr(told, "by hart 0, "));
}

/* What a hart adds to x5 in a page beside one that it has executed, and that is written then. */
static uint64_t run_beside(int64_t pages, bool fenced) {
    uint64_t beside = CODE_AT + (uint64_t)pages * 4096;
    uint32_t then = ADDI(5, 5, 2);
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, HERE);
    PUT(HANDLER_AT + 0x4000, FENCE_I, HERE);
    PUT(beside, ADDI(5, 5, 1), HERE);
    sim_run(sim, 10);
    memcpy(sim->env.ram(sim->env.ctx, beside, 4, true), &then, 4);
    sim->harts[0].pc = HANDLER_AT + 0x4000;
    if (fenced)
        sim_run(sim, 10);
    told_count = 0;
    sim->harts[0].pc = beside;
    sim_run(sim, 10);
    uint64_t sum = sim->harts[0].x[5];
    guest_end(NULL);
    return sum;
}
static void test_code_is_fetched_ahead(void **unused) {
    guest.speculate = true;
    for (int64_t pages = -1; pages <= 1; pages += 2) {
        assert_int_equal(run_beside(pages, false), 1);
        assert_int_equal(told_count, 1);
        assert_non_null(strstr(told, "stale code: hart 0 executes at "));
        assert_int_equal(run_beside(pages, true), 2);
        assert_int_equal(told_count, 0);
    }
    assert_int_equal(run_beside(2, false), 2);
    guest.speculate = false;
    assert_int_equal(run_beside(1, false), 2);
    guest.speculate = true;
    guest.stale_code = false;
    assert_int_equal(run_beside(1, false), 2);
    assert_int_equal(told_count, 0);
}

/* Neither the end of a page nor a handler that is not there changes how they are counted. */
static void test_instructions_are_counted(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, JR(6));
    for (unsigned i = 0; i < 4; i++)
        PUT(CODE_AT + 0xff8 + 4 * i, ADDI(5, 5, 1));
    sim->harts[0].pc = CODE_AT + 0xff8;
    sim_run(sim, 4);
    assert_int_equal(sim->harts[0].x[5], 4);
    assert_int_equal(sim->harts[0].instret, 4);
    assert_int_equal(sim_instructions(sim), 4);
    sim->harts[0].pc = CODE_AT;
    sim->harts[0].mtvec = sim->harts[0].x[6] = 0x1000;
    sim_run(sim, 1);
    assert_int_equal(sim_instructions(sim), 5);
    assert_int_equal(sim->harts[0].pc, 0x1000);
    assert_int_equal(sim->harts[0].mcause, 0);
    sim_run(sim, 100);
    assert_int_equal(sim->harts[0].mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(sim_instructions(sim), 105);
}

/* 3.1.10: two counters, though both count instructions. */
static void test_mcycle_and_minstret(void **unused) {
    enum { MCYCLE = 0xb00, MINSTRET = 0xb02 };
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, CSRW(MCYCLE, 5), CSRRS(6, MCYCLE, 0), CSRRS(7, MINSTRET, 0), CSRW(MINSTRET, 5),
        CSRRS(8, MCYCLE, 0), CSRRS(9, MINSTRET, 0), HERE);
    struct hart *hart = &sim->harts[0];
    hart->x[5] = 1000;
    sim_run(sim, 20);
    assert_between(hart->x[6], 1000, 1002);
    assert_between(hart->x[7], 2, 3);
    assert_between(hart->x[8], 1003, 1006);
    assert_between(hart->x[9], 1000, 1002);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_code_pages_are_given_back_within_a_turn),
        GUEST_TEST(test_code_over_a_page_end),
        GUEST_TEST(test_what_follows_a_crossing_instruction),
        GUEST_TEST(test_a_crossing_instruction_without_stale_code),
        GUEST_TEST(test_code_that_changes_itself),
        GUEST_TEST(test_each_byte_of_an_instruction_counts),
        GUEST_TEST(test_a_short_instruction_becomes_long),
        GUEST_TEST(test_code_is_fetched_ahead),
        GUEST_TEST(test_another_hart_changes_the_code),
        GUEST_TEST(test_instructions_are_counted),
        GUEST_TEST(test_mcycle_and_minstret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
