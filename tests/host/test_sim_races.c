/* What orders the accesses of two harts besides locks, and that a run with races and preemption is
 * the same however it is divided and from a snapshot on. */
/* sources: machine */
#include "simpaged.h"

enum { FENCE_RW_RW = 0x0330000f };
enum { A0 = 10, A1, A2, A3, A6 = 16, A7 };
enum { EXT_IPI = 0x735049, EXT_RFENCE = 0x52464e43, EXT_HSM = 0x48534d, CSR_SIP = 0x144 };

static void start_two(void) {
    guest.harts = 2;
    guest.races = true;
    start_paged();
    execute_on(0, ADDI(0, 0, 0)); /* the code's page is fetched */
    execute_on(1, ADDI(0, 0, 0));
}

static void call(unsigned hart, uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1) {
    uint64_t *x = sim->harts[hart].x;
    x[A7] = extension;
    x[A6] = function;
    x[A0] = a0;
    x[A1] = a1;
    x[A2] = x[A3] = 0;
    execute_on(hart, ECALL);
    assert_int_equal(x[A0], 0);
}

static void assert_race(bool expected) {
    store_on(0, VA, 1);
    load_on(1, VA);
    assert_int_equal(told_count, expected);
}

static void test_nothing_orders(void **unused) {
    start_two();
    assert_race(true);
    assert_non_null(strstr(told, "race: hart 1 loads from 0x40000000 at 0x80200000, which hart 0 "
                                 "has stored to at 0x80200000, 1 instructions ago; nothing orders "
                                 "the two."));
}

static void test_other_bytes_are_another_matter(void **unused) {
    start_two();
    sim->harts[0].x[A0] = sim->harts[1].x[A0] = VA;
    execute_on(0, SW(A1, A0, 0));
    execute_on(1, LW(A1, A0, 4));
    assert_int_equal(told_count, 0);
    execute_on(1, LW(A1, A0, 0));
    assert_int_equal(told_count, 1);
}

static void test_two_loads_are_none(void **unused) {
    start_two();
    load_on(0, VA);
    load_on(1, VA);
    assert_int_equal(told_count, 0);
    store_on(1, VA, 1);
    assert_int_equal(told_count, 1);
}

static void test_an_interrupt_orders_when_it_is_seen(void **unused) {
    for (int seen = 0; seen < 2; seen++) {
        start_two();
        store_on(0, VA, 1);
        call(0, EXT_IPI, 0, 2, 0);
        if (seen)
            execute_on(1, CSRRS(5, CSR_SIP, 0));
        load_on(1, VA);
        assert_int_equal(told_count, !seen);
        guest_end(NULL);
        guest_defaults(NULL);
    }
    start_two();
}

static void test_a_fence_of_the_firmware_orders_both(void **unused) {
    start_two();
    store_on(1, VA, 1);
    store_on(0, VA + 8, 1);
    call(0, EXT_RFENCE, 1, 3, 0);
    load_on(0, VA);
    load_on(1, VA + 8);
    assert_int_equal(told_count, 0);
    store_on(1, VA + 8, 2);
    load_on(0, VA + 8);
    assert_int_equal(told_count, 1);
}

static void test_a_start_orders(void **unused) {
    start_two();
    sim->harts[1].state = HART_STOPPED;
    store_on(0, PAGE_A, 1);
    call(0, EXT_HSM, 0, 1, CODE_AT);
    load_on(1, PAGE_A);
    assert_int_equal(told_count, 0);
}

/* A fence on one side alone orders nothing (unprivileged specification, A.3.5). */
static void message(bool released, bool acquired) {
    enum { FENCE_RW_W = 0x0310000f, FENCE_R_RW = 0x0230000f };
    start_two();
    PUT(CODE_AT, SD(11, 10, 0), released ? FENCE_RW_W : ADDI(0, 0, 0), SD(11, 10, 64), HERE);
    PUT(CODE_AT + 0x100, LD(11, 10, 64), acquired ? FENCE_R_RW : ADDI(0, 0, 0), LD(11, 10, 0),
        HERE);
    for (unsigned i = 0; i < 2; i++) {
        code_fence(sim, &sim->harts[i]);
        sim->harts[i].pc = CODE_AT + 0x100 * i;
        sim->harts[i].x[A0] = VA;
        sim->harts[0].waiting = i != 0;
        sim->harts[1].waiting = i != 1;
        sim_run(sim, 4);
    }
}
static void test_both_fences_are_needed(void **unused) {
    for (int fences = 0; fences < 4; fences++) {
        message(fences & 1, fences & 2);
        assert_int_equal(told_count > 0, fences != 3);
        guest_end(NULL);
        guest_defaults(NULL);
    }
    start_two();
}

/* What hart 1 has learned of hart 0, hart 2 learns of hart 1. */
static void test_what_is_learned_is_handed_on(void **unused) {
    guest.harts = 3;
    guest.races = true;
    start_paged();
    store_on(0, VA, 1);
    for (unsigned i = 0; i < 3; i++) { /* a word that all release to and acquire from */
        sim->harts[i].x[A0] = VA + 64;
        execute_on(i, AMOADD_D(11, 0, A0) | 3 << 25);
    }
    load_on(2, VA);
    assert_int_equal(told_count, 0);
}
static void test_what_is_learned_is_handed_on_by_fences(void **unused) {
    guest.harts = 3;
    guest.races = true;
    start_paged();
    PUT(CODE_AT + 0x100, LD(11, 10, 0), FENCE_RW_RW, SD(11, 10, 64), HERE);
    store_on(0, VA, 1);
    for (unsigned i = 0; i < 3; i++) { /* each has a word of its own */
        sim->harts[i].x[A0] = VA + 64 * i;
        sim->harts[i].pc = CODE_AT + 0x100;
        for (unsigned h = 0; h < 3; h++)
            sim->harts[h].waiting = h != i;
        sim_run(sim, 4);
    }
    execute_on(2, LD(11, A0, -128));
    assert_int_equal(told_count, 0);
}

/* ---- the same run -------------------------------------------------------------------------- */
/* Harts that count in a word, together, with a pause now and then. */
static void start_counting(bool races) {
    enum { PAUSE = 0x0100000f };
    guest.harts = 3;
    guest.races = races;
    guest.preempt = 40;
    guest.preempt_length = 4000;
    start_paged();
    PUT(CODE_AT, LD(11, 10, 0), ADDI(11, 11, 1), SD(11, 10, 0), AMOADD_D(12, 13, 14), PAUSE,
        LD(15, 10, 8), ADDI(16, 16, 1), JUMP(-28));
    for (unsigned i = 0; i < guest.harts; i++) {
        sim->harts[i].waiting = false;
        sim->harts[i].x[13] = 1;
        sim->harts[i].x[14] = VA + 16;
    }
}

struct outcome {
    uint64_t words[3], steps, findings, loops[3];
    unsigned last;
};
static struct outcome outcome(void) {
    struct outcome o = {.steps = sim_steps(sim), .findings = sim_findings(sim)};
    for (unsigned i = 0; i < 3; i++) {
        o.words[i] = peek(PAGE_A + 8 * i);
        o.loops[i] = sim->harts[i].x[16];
    }
    o.last = sim_last_hart(sim);
    return o;
}

enum { RUN = 20000 };
static void test_a_run_is_the_same_in_pieces(void **unused) {
    start_counting(true);
    sim_run(sim, RUN);
    struct outcome whole = outcome();
    assert_true(whole.steps > 4000 && whole.findings > 0 && whole.words[0] > 0);
    for (unsigned piece = 1; piece < 100; piece += 14) {
        guest_end(NULL);
        start_counting(true);
        for (unsigned done = 0; done < RUN; done += piece)
            sim_run(sim, piece < RUN - done ? piece : RUN - done);
        struct outcome other = outcome();
        assert_memory_equal(&other, &whole, sizeof(whole));
    }
}

static void test_a_run_is_the_same_without_races(void **unused) {
    start_counting(true);
    sim_run(sim, RUN);
    struct outcome watched = outcome();
    guest_end(NULL);
    guest_defaults(NULL);
    start_counting(false);
    sim_run(sim, RUN);
    struct outcome other = outcome();
    assert_int_equal(other.findings, 0);
    other.findings = watched.findings;
    assert_memory_equal(&other, &watched, sizeof(other));
}

static void test_a_run_goes_on_from_a_snapshot(void **unused) {
    start_counting(true);
    sim_run(sim, 3);
    assert_int_equal(told_count, 0);
    struct sim_snapshot *snapshot = sim_snapshot(sim);
    assert_non_null(snapshot);
    sim_run(sim, RUN);
    struct outcome first = outcome();
    unsigned told_first = told_count;
    for (int i = 0; i < 2; i++) {
        told_count = 0;
        assert_true(sim_restore(sim, snapshot));
        sim_run(sim, RUN);
        struct outcome again = outcome();
        assert_memory_equal(&again, &first, sizeof(first));
        assert_int_equal(told_count, told_first);
        guest_end(NULL); /* it may be another machine */
        start_counting(true);
    }
    assert_true(told_first > 0);
    sim_snapshot_free(snapshot);
}

static void test_accesses_are_in_a_snapshot(void **unused) {
    start_two();
    store_on(0, VA, 1);
    struct sim_snapshot *snapshot = sim_snapshot(sim);
    assert_non_null(snapshot);
    for (unsigned i = 1; i <= 3; i++) {
        load_on(1, VA);
        assert_int_equal(told_count, i);
        assert_true(sim_restore(sim, snapshot));
    }
    sim_snapshot_free(snapshot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_nothing_orders),
        GUEST_TEST(test_other_bytes_are_another_matter),
        GUEST_TEST(test_two_loads_are_none),
        GUEST_TEST(test_an_interrupt_orders_when_it_is_seen),
        GUEST_TEST(test_a_fence_of_the_firmware_orders_both),
        GUEST_TEST(test_a_start_orders),
        GUEST_TEST(test_both_fences_are_needed),
        GUEST_TEST(test_what_is_learned_is_handed_on),
        GUEST_TEST(test_what_is_learned_is_handed_on_by_fences),
        GUEST_TEST(test_a_run_is_the_same_in_pieces),
        GUEST_TEST(test_a_run_is_the_same_without_races),
        GUEST_TEST(test_a_run_goes_on_from_a_snapshot),
        GUEST_TEST(test_accesses_are_in_a_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
