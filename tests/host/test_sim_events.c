/* Events, steps by function, and what is kept beside memory: what the page shows. */
/* sources: machine */
#include "simpaged.h"

static int events_defaults(void **unused) {
    guest_defaults(unused);
    guest.events = true;
    return 0;
}
#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, events_defaults, guest_end)

enum { OTHER_ASID = 7, BREAKPOINT = 3 };
#define EBREAK 0x00100073
#define SATP_CSR 0x180

static struct sim_event event(uint64_t number) {
    struct sim_event e;
    if (!sim_event(sim, number, &e))
        fail_msg("no event %llu", (unsigned long long)number);
    return e;
}

/* The hart sets satp to the tables of simpaged.h. */
static void switch_to(uint64_t satp) {
    sim->harts[0].x[14] = satp;
    execute(CSRW(SATP_CSR, 14));
}
static void start_watched(void) {
    start_paged();
    switch_to(SATP(OTHER_ASID));
}

static void test_a_trap(void **unused) {
    start_paged();
    execute(EBREAK);
    assert_int_equal(sim_events(sim), 1);
    struct sim_event e = event(0);
    assert_int_equal(e.kind, SIM_EVENT_TRAP);
    assert_int_equal(e.pc, CODE_AT);
    assert_int_equal(e.value[0], BREAKPOINT);
    assert_int_equal(e.value[2], PRIV_S);
    assert_int_equal(e.when, sim_instructions(sim));
    assert_false(sim_event(sim, 1, &e));
}

static void test_an_interrupt(void **unused) {
    start_paged();
    sim->harts[0].mie = sim->harts[0].mip = 1u << IRQ_SSI;
    sim->harts[0].mideleg = 1u << IRQ_SSI;
    sim->harts[0].mstatus |= MSTATUS_SIE;
    execute(ADDI(0, 0, 0));
    assert_int_equal(event(0).value[0], CAUSE_INTERRUPT | IRQ_SSI);
    assert_int_equal(event(0).pc, CODE_AT);
}

static void test_a_switch_makes_a_root(void **unused) {
    struct sim_root roots[SIM_ROOTS_MAX];
    start_watched();
    assert_int_equal(event(0).kind, SIM_EVENT_SATP);
    assert_int_equal(event(0).value[0], SATP(OTHER_ASID));
    assert_int_equal(event(0).value[1], SATP(0));
    switch_to(SATP(OTHER_ASID)); /* the same is no switch */
    assert_int_equal(sim_events(sim), 1);
    assert_int_equal(sim_roots(sim, roots), 1);
    assert_int_equal(roots[0].pa, ROOT);
    assert_int_equal(roots[0].asid, OTHER_ASID);
    assert_int_equal(roots[0].levels, 3);
    assert_int_equal(roots[0].switches, 1);
}

static void test_a_changed_entry(void **unused) {
    struct sim_event e;
    start_watched();
    assert_false(sim_written(sim, SLOT(0), &e));
    store(SLOT(0), leaf(PAGE_B, FULL));
    assert_int_equal(sim_events(sim), 2);
    assert_true(sim_written(sim, SLOT(0) + 4, &e));
    assert_int_equal(e.kind, SIM_EVENT_TABLE);
    assert_int_equal(e.value[0], SLOT(0));
    assert_int_equal(e.value[1], leaf(PAGE_B, FULL));
    assert_int_equal(e.value[2], leaf(PAGE_A, FULL));
    assert_int_equal(e.level, 0);
    assert_int_equal(e.pc, CODE_AT);
    assert_int_equal(e.when, sim_instructions(sim));
    store(SLOT(0), leaf(PAGE_B, FULL)); /* it stays as it is */
    assert_int_equal(sim_events(sim), 2);
}

/* AMOs, and A and D that the hart sets itself. */
static void test_other_ways_to_write(void **unused) {
    guest.svadu = true;
    start_watched();
    sim->harts[0].x[12] = SLOT(1);
    sim->harts[0].x[13] = leaf(PAGE_A, 0x07);
    execute(AMOADD_D(11, 13, 12));
    assert_int_equal(event(1).value[1], leaf(PAGE_A, 0x07));
    sim->harts[0].x[13] = 4096 >> 2;
    execute(AMOADD_D(11, 13, 12));
    assert_int_equal(event(2).value[1], leaf(PAGE_B, 0x07));
    assert_int_equal(event(2).value[2], leaf(PAGE_A, 0x07));
    load(VA + 4096);
    assert_int_equal(event(3).value[1], leaf(PAGE_B, 0x47));
    assert_int_equal(event(3).value[2], leaf(PAGE_B, 0x07));
}

static void test_a_table_comes_and_goes(void **unused) {
    struct sim_frame frame;
    start_watched();
    store(OTHER0, leaf(PAGE_A, FULL)); /* nothing leads to it */
    assert_int_equal(sim_events(sim), 1);
    store(TABLE1 + 8, leaf(OTHER0, 1));
    assert_int_equal(event(1).level, 1);
    store(OTHER0, leaf(PAGE_B, FULL));
    assert_int_equal(event(2).value[0], OTHER0);
    assert_true(sim_frame(sim, OTHER0, &frame));
    assert_int_equal(frame.is, SIM_FRAME_TABLE);
    store(TABLE1 + 8, 0);
    assert_true(sim_frame(sim, OTHER0, &frame));
    assert_int_equal(frame.is, SIM_FRAME_UNKNOWN);
    store(OTHER0, 0);
    assert_int_equal(sim_events(sim), 4);
}

/* With two entries that lead to it, a table stays one until both are gone. */
static void test_a_table_that_is_shared(void **unused) {
    start_watched();
    store(ROOT + 8 * 3, leaf(TABLE1, 1));
    store(ROOT + 8 * 1, 0);
    store(SLOT(0), 0);
    assert_int_equal(event(3).value[0], SLOT(0));
    store(ROOT + 8 * 3, 0);
    store(SLOT(0), leaf(PAGE_A, FULL));
    assert_int_equal(sim_events(sim), 5);
}

/* A table that leads to itself is met once. */
static void test_a_table_in_itself(void **unused) {
    start_paged();
    poke(ROOT + 8 * 5, leaf(ROOT, 1));
    switch_to(SATP(OTHER_ASID));
    store(ROOT + 8 * 5, 0);
    store(ROOT + 8 * 5, leaf(ROOT, 1));
    store(ROOT + 8 * 1, 0);
    assert_int_equal(sim_events(sim), 4);
}

/* Of random tables, of each level in pages of its own, those are marked that the roots lead to. */
enum { TOP = 2, MIDDLE = 4, LOW = 8, POOL = TOP + MIDDLE + LOW, CHANGES = 3000 };
#define POOL_AT(n) (RAM_BASE + 0x500000 + 4096ull * (n))

static void follow(bool *reached, unsigned page, unsigned level) {
    reached[page] = true;
    for (unsigned i = 0; level > 0 && i < 512; i++) {
        uint64_t entry = peek(POOL_AT(page) + 8 * i);
        if (entry & 1)
            follow(reached, (unsigned)((entry >> 10 << 12) - POOL_AT(0)) / 4096, level - 1);
    }
}

static void assert_marked(unsigned roots) {
    bool reached[POOL] = {false};
    for (unsigned i = 0; i < roots; i++)
        follow(reached, i, 2);
    for (unsigned i = 0; i < POOL; i++) {
        struct sim_frame frame;
        assert_true(sim_frame(sim, POOL_AT(i), &frame));
        if ((frame.is == SIM_FRAME_TABLE) != reached[i])
            fail_msg("page %u is marked: %d, reached: %d", i, !reached[i], reached[i]);
    }
}

static void test_random_tables(void **unused) {
    uint64_t random = 12345;
    start_paged();
    sim->harts[0].satp = 0;
    for (unsigned i = 0; i < CHANGES; i++) {
        unsigned at = (unsigned)(choose(&random) >> 33) % (TOP + MIDDLE), low = at < TOP;
        unsigned to = (unsigned)(choose(&random) >> 33) % (low ? MIDDLE : LOW);
        uint64_t pointer = leaf(POOL_AT(to + (low ? TOP : TOP + MIDDLE)), 1);
        store(POOL_AT(at) + 8 * (choose(&random) >> 61), choose(&random) >> 62 ? pointer : 0);
        unsigned roots = i < CHANGES / 3 ? 0 : i < CHANGES * 2 / 3 ? 1 : TOP;
        if (i == CHANGES / 3 || i == CHANGES * 2 / 3)
            events_root(sim, 0, 8ull << 60 | POOL_AT(roots - 1) >> 12);
        assert_marked(roots);
    }
    events_freed(sim, POOL_AT(0));
    events_freed(sim, POOL_AT(1));
    assert_marked(0);
}

static void test_what_comes_again_is_known(void **unused) {
    struct sim_event e;
    struct sim_frame frame;
    start_watched();
    store(TABLE1 + 8, leaf(OTHER0, 1));
    struct sim_snapshot *snapshot = sim_snapshot(sim);
    store(TABLE1 + 8, 0);
    store(SLOT(0), 0);
    assert_int_equal(sim_events(sim), 4);
    assert_true(sim_restore(sim, snapshot));
    assert_int_equal(sim_events(sim), 2);
    assert_int_equal(sim_events_known(sim), 4);
    assert_int_equal(event(3).value[0], SLOT(0));
    assert_false(sim_written(sim, SLOT(0), &e)); /* it has not come yet */
    assert_true(sim_frame(sim, OTHER0, &frame));
    assert_int_equal(frame.is, SIM_FRAME_TABLE);
    store(TABLE1 + 8, 0);
    assert_int_equal(sim_events_known(sim), 4);
    sim_events_forget(sim);
    assert_int_equal(sim_events_known(sim), 3);
    store(SLOT(0), leaf(PAGE_B, FULL));
    assert_int_equal(event(3).value[1], leaf(PAGE_B, FULL));
    sim_snapshot_free(snapshot);
}

static void test_old_events_go(void **unused) {
    struct sim_event e;
    start_watched();
    for (unsigned i = 0; i < EVENTS_KEPT; i++)
        switch_to(SATP(i & 1));
    assert_int_equal(sim_events(sim), EVENTS_KEPT + 1);
    assert_false(sim_event(sim, 0, &e));
    assert_int_equal(event(1).value[0], SATP(0));
}

/* Of what was forgotten nothing is told under a number that comes again. */
static void test_old_events_do_not_come_back(void **unused) {
    struct sim_event e;
    start_watched();
    struct sim_snapshot *snapshot = sim_snapshot(sim);
    for (unsigned i = 0; i < EVENTS_KEPT + 10; i++)
        switch_to(SATP(i & 1));
    assert_true(sim_restore(sim, snapshot));
    sim_events_forget(sim);
    assert_int_equal(sim_events_known(sim), 1);
    assert_false(sim_event(sim, 0, &e));
    switch_to(SATP(5));
    assert_int_equal(event(1).value[0], SATP(5));
    sim_snapshot_free(snapshot);
}

static void test_roots_are_a_few(void **unused) {
    struct sim_root roots[SIM_ROOTS_MAX];
    start_watched();
    for (unsigned i = 0; i < SIM_ROOTS_MAX; i++)
        switch_to(SATP(100 + i));
    assert_int_equal(sim_roots(sim, roots), SIM_ROOTS_MAX);
    for (unsigned i = 0; i < SIM_ROOTS_MAX; i++)
        assert_int_not_equal(roots[i].asid, OTHER_ASID);
    store(SLOT(0), 0); /* and they are all of the same tables */
    assert_int_equal(event(SIM_ROOTS_MAX + 1).kind, SIM_EVENT_TABLE);
}

static void test_off(void **unused) {
    guest.events = false;
    start_watched();
    store(SLOT(0), leaf(PAGE_B, FULL));
    execute(EBREAK);
    assert_int_equal(sim_events(sim), 0);
}

/* ---- what a hart keeps ---------------------------------------------------------------------- */
static const struct sim_kept *kept_at(uint64_t pa) {
    static struct sim_kept kept;
    for (unsigned i = 0; sim_kept(sim, 0, i, &kept); i++)
        if (kept.pa == pa)
            return &kept;
    return NULL;
}

static void test_kept_entries(void **unused) {
    struct sim_kept none;
    start_paged();
    load(VA);
    const struct sim_kept *kept = kept_at(SLOT(0));
    assert_non_null(kept);
    assert_int_equal(kept->va, VA);
    assert_int_equal(kept->value, leaf(PAGE_A, FULL));
    assert_int_equal(kept->memory, kept->value);
    store(SLOT(0), leaf(PAGE_B, FULL));
    kept = kept_at(SLOT(0));
    assert_int_equal(kept->value, leaf(PAGE_A, FULL));
    assert_int_equal(kept->memory, leaf(PAGE_B, FULL));
    fence(VA, -1);
    assert_null(kept_at(SLOT(0)));
    assert_false(sim_kept(sim, 1, 0, &none)); /* there is no such hart */
}

/* ---- steps by function ---------------------------------------------------------------------- */
#define JAL_RA(bytes) (insn_jump(bytes) | 1 << 7)
#define RET JR(1)
#define C_JR_RA_NOP 0x00018082 /* c.jr ra; c.nop */

static enum sim_jump run_to_jump(uint64_t most) {
    struct sim_end end;
    return sim_run_to_jump(sim, 0, most, &end);
}

static void test_calls_and_returns(void **unused) {
    start_paged();
    PUT(CODE_AT, ADDI(5, 5, 1), JUMP(4), JAL_RA(16), ADDI(5, 5, 1), JALR(1, 15), HERE, /* */
        ADDI(6, 6, 1), RET, C_JR_RA_NOP);
    sim->harts[0].x[15] = CODE_AT + 32;
    assert_int_equal(run_to_jump(100), SIM_CALL);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 24);
    assert_int_equal(run_to_jump(100), SIM_RETURN);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 12);
    assert_int_equal(run_to_jump(100), SIM_CALL);
    assert_int_equal(run_to_jump(100), SIM_RETURN);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 20);
    uint64_t before = sim_instructions(sim);
    assert_int_equal(run_to_jump(10), SIM_NO_JUMP);
    assert_int_equal(sim_instructions(sim), before + 10);
}

/* Three of S-mode, two of U-mode of which the last traps, one more: of each of two harts. */
static void test_instructions_of_each_mode(void **unused) {
    guest.harts = 2;
    guest_start();
    PUT(CODE_AT, ADDI(5, 5, 1), ADDI(5, 5, 1), SRET);
    PUT(CODE_AT + 64, ADDI(5, 5, 1), ECALL);
    PUT(HANDLER_AT, ADDI(5, 5, 1), WFI);
    for (unsigned i = 0; i < guest.harts; i++) {
        sim->harts[i].sepc = CODE_AT + 64;
        sim->harts[i].stvec = HANDLER_AT;
    }
    for (uint64_t done = 0; sim_run(sim, 1).how == SIM_RUNS; done = sim_instructions(sim)) {
        assert_int_equal(sim_instructions(sim), done + 1);
        assert_int_equal(sim_instructions_in(sim, PRIV_U) + sim_instructions_in(sim, PRIV_S),
                         done + 1);
    }
    assert_int_equal(sim_instructions_in(sim, PRIV_U), 2 * 2);
    assert_int_equal(sim_instructions_in(sim, PRIV_S), 2 * 5);
    assert_int_equal(sim_instructions_in(sim, PRIV_M), 0);
    assert_int_equal(sim_instructions_in(sim, PRIV_M + 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EVENTS_TEST(test_a_trap),
        EVENTS_TEST(test_an_interrupt),
        EVENTS_TEST(test_a_switch_makes_a_root),
        EVENTS_TEST(test_a_changed_entry),
        EVENTS_TEST(test_other_ways_to_write),
        EVENTS_TEST(test_a_table_comes_and_goes),
        EVENTS_TEST(test_a_table_that_is_shared),
        EVENTS_TEST(test_a_table_in_itself),
        EVENTS_TEST(test_random_tables),
        EVENTS_TEST(test_what_comes_again_is_known),
        EVENTS_TEST(test_old_events_go),
        EVENTS_TEST(test_old_events_do_not_come_back),
        EVENTS_TEST(test_roots_are_a_few),
        EVENTS_TEST(test_off),
        EVENTS_TEST(test_kept_entries),
        EVENTS_TEST(test_calls_and_returns),
        EVENTS_TEST(test_instructions_of_each_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
