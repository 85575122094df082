/* sources: machine */
/* The doctor on guests of a few instructions: why an address is refused, what harts do, tables and
 * consoles that make no sense. Whole kernels are in tests/system/test_sim_doctor.py. */
#include "machine/doctor/inside.h"
#include "simpaged.h"
#include <stdlib.h>

static struct doctor *doctor;
static char records[4 << 20]; /* with a newline behind each */

static void keep_record(void *context, const char *text) {
    size_t length = strlen(records), more = strlen(text);
    assert_true(length + more + 2 < sizeof(records));
    memcpy(records + length, text, more + 1);
    strcpy(records + length + more, "\n");
}

static void report(enum doctor_over over, struct sim_end end) {
    records[0] = 0;
    doctor_report(doctor, over, end, keep_record, NULL);
}

static void guest_console(void *context, uint8_t byte) {
    if (doctor != NULL)
        doctor_console(doctor, byte);
}

static void begin(void) {
    guest.locks = true;
    guest.console = guest_console;
    start_paged();
    doctor = doctor_create(sim, guest.harts, 1);
    assert_non_null(doctor);
}

static int doctor_end(void **state) {
    doctor_destroy(doctor);
    doctor = NULL;
    return guest_end(state);
}
#define DOCTOR_TEST(name) cmocka_unit_test_setup_teardown(name, guest_defaults, doctor_end)

static void print(const char *text) {
    for (; *text != 0; text++)
        doctor_console(doctor, (uint8_t)*text);
}

static void assert_said(const char *text) {
    if (strstr(records, text) == NULL)
        fail_msg("not said: %s\nin: %.3000s", text, records);
}

/* ---- why an address is refused --------------------------------------------------------------- */
static const char *why(uint64_t entry, enum use use, unsigned privilege, uint64_t status) {
    struct walked w;
    poke(SLOT(0), entry);
    walk(sim, SATP(0), privilege, status, VA + 8, use, &w);
    assert_int_equal(w.entry_at, SLOT(0));
    assert_int_equal(w.entry, entry);
    return why_name(w.why);
}

static void test_refused(void **state) {
    uint64_t a = leaf(PAGE_A, 0);
    begin();
    assert_string_equal(why(a | FULL, USE_TO_STORE, 1, 0), "granted");
    assert_string_equal(why(0, USE_TO_LOAD, 1, 0), "not-mapped");
    assert_string_equal(why(a | (FULL & ~0x80ull), USE_TO_STORE, 1, 0), "no-d");
    assert_string_equal(why(a | (FULL & ~0x80ull), USE_TO_LOAD, 1, 0), "granted");
    assert_string_equal(why(a | (FULL & ~0x40ull), USE_TO_LOAD, 1, 0), "no-a");
    assert_string_equal(why(a | READ_ONLY, USE_TO_STORE, 1, 0), "no-w");
    assert_string_equal(why(a | FULL, USE_TO_FETCH, 1, 0), "no-x");
    assert_string_equal(why(a | 0xc9, USE_TO_LOAD, 1, 0), "no-r");
    assert_string_equal(why(a | 0xc9, USE_TO_LOAD, 1, MSTATUS_MXR), "granted");
    assert_string_equal(why(a | FULL | USER, USE_TO_LOAD, 1, 0), "user-page");
    assert_string_equal(why(a | FULL | USER, USE_TO_LOAD, 1, MSTATUS_SUM), "granted");
    assert_string_equal(why(a | 0xcf | USER, USE_TO_FETCH, 1, MSTATUS_SUM), "user-page");
    assert_string_equal(why(a | FULL, USE_TO_LOAD, 0, 0), "kernel-page");
    assert_string_equal(why(a | 0xc5, USE_TO_STORE, 1, 0), "reserved");
    assert_string_equal(why(a | 1, USE_TO_LOAD, 1, 0), "reserved");
    assert_string_equal(why(0x0505050505050505, USE_TO_LOAD, 1, 0), "filled");
    assert_string_equal(why(leaf(0x30000000, FULL), USE_TO_LOAD, 1, 0), "nothing-there");
    assert_string_equal(why(leaf(0x10000000, FULL), USE_TO_LOAD, 1, 0), "granted");
}

static void test_refused_above(void **state) {
    struct walked w;
    begin();
    walk(sim, SATP(0), 1, 0, 1ull << 40, USE_TO_LOAD, &w);
    assert_string_equal(why_name(w.why), "not-canonical");
    walk(sim, SATP(0), 1, 0, 0, USE_TO_LOAD, &w);
    assert_string_equal(why_name(w.why), "no-table");
    assert_int_equal(w.level, 2);
    walk(sim, 8ull << 60 | 0x123456, 1, 0, VA, USE_TO_LOAD, &w);
    assert_string_equal(why_name(w.why), "table-no-ram");
    poke(TABLE1, leaf(PAGE_B, FULL)); /* of 2 MiB, and not aligned to that */
    walk(sim, SATP(0), 1, 0, VA, USE_TO_LOAD, &w);
    assert_string_equal(why_name(w.why), "misaligned-leaf");
    walk(sim, SATP(0), 3, 0, VA, USE_TO_LOAD, &w);
    assert_string_equal(why_name(w.why), "nothing-there"); /* M-mode has no paging */
}

/* ---- what makes no sense --------------------------------------------------------------------- */
/* Each entry of the root leads to the root. */
static void test_tables_in_a_circle(void **state) {
    begin();
    for (unsigned i = 0; i < 512; i++)
        if (i != 2)
            poke(ROOT + 8 * i, leaf(ROOT, 1));
    PUT(CODE_AT, HERE);
    sim_run(sim, 10);
    report(DOCTOR_STUCK, (struct sim_end){.how = SIM_RUNS});
    assert_said("page table 0x0000000080300000");
    assert_said("{\"record\":\"end\",\"over\":\"stuck\"");
}

static void test_any_bytes_on_the_console(void **state) {
    uint64_t random = 1;
    begin();
    for (unsigned i = 0; i < 100000; i++)
        doctor_console(doctor, (uint8_t)(choose(&random) >> 40));
    print("\npanic: ");
    for (unsigned i = 0; i < 1000; i++)
        doctor_console(doctor, (uint8_t)(1 + i % 255));
    print("\ntest : \nscause \nsepc=0xg stval=\ntest");
    PUT(CODE_AT, HERE);
    report(DOCTOR_DONE, (struct sim_end){.how = SIM_RUNS});
    assert_said("\"name\":\"panic\"");
    for (const char *c = records; *c != 0; c++)
        assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void test_no_memory_where_satp_points(void **state) {
    begin();
    sim->harts[0].satp = 10ull << 60 | 0xfffffffffff;
    sim->harts[0].x[2] = sim->harts[0].x[8] = ~0ull << 3;
    report(DOCTOR_STUCK, (struct sim_end){.how = SIM_RUNS});
    assert_said("\"how\":0");
}

/* ---- what harts do --------------------------------------------------------------------------- */
/* amoswap.w x11, x11, (x10); bnez x11, back to it */
#define AMOSWAP_W(rd, rs2, rs1) insn_i(0x2f, 2, rd, rs1, 0x080 | (rs2))
#define BNEZ_BACK_4(rs1) (0xfe001ee3 | (rs1) << 15)

static void test_a_lock_of_its_own(void **state) {
    begin();
    PUT(CODE_AT, ADDI(11, 0, 1), AMOSWAP_W(12, 11, 10), AMOSWAP_W(11, 11, 10), BNEZ_BACK_4(11));
    poke(PAGE_A, 0);
    bool stuck = false;
    for (unsigned i = 0; i < 300 && !stuck; i++) {
        sim_run(sim, 1000000);
        stuck = doctor_look(doctor);
    }
    assert_true(stuck);
    report(DOCTOR_STUCK, (struct sim_end){.how = SIM_RUNS});
    assert_said("\"name\":\"lock-held\"");
    assert_said("\"lock\":\"0x40000000\"");
    assert_said("\"interrupts\":\"off\",\"holder\":\"0\",\"same_hart\":\"yes\"");
    assert_said("\"taken\":\"0x80200004\"");
}

static void test_no_lock_is_noted_unless_asked(void **state) {
    struct sim_lock lock;
    for (unsigned asked = 0; asked < 2; asked++) {
        begin();
        sim->options.locks = asked;
        PUT(CODE_AT, ADDI(11, 0, 1), AMOSWAP_W(12, 11, 10), HERE);
        poke(PAGE_A, 0);
        sim_run(sim, 10);
        assert_int_equal(sim_lock(sim, PAGE_A, &lock), asked);
        assert_int_equal(peek(PAGE_A) & 1, 1);
        if (!asked)
            doctor_end(NULL);
    }
    assert_int_equal(lock.pc, CODE_AT + 4);
}

static void test_a_loop_of_exceptions(void **state) {
    struct sim_exception newest, before;
    begin();
    poke(SLOT(0), leaf(PAGE_A, FULL & ~0x80ull)); /* no D */
    PUT(CODE_AT, LD(11, 10, 0), SD(11, 10, 0), HERE);
    PUT(HANDLER_AT, SRET);
    sim_run(sim, 1900); /* the store and SRET by turns */
    assert_true(sim_exception(sim, 0, 0, &newest));
    assert_int_equal(newest.pc, CODE_AT + 4);
    assert_int_equal(newest.cause, CAUSE_STORE_PAGE);
    assert_between(newest.again, 900, LOOP_LEAST - 1);
    assert_false(sim_exception(sim, 0, 1, &before));
    assert_false(doctor_look(doctor));
    sim_run(sim, 1000);
    assert_false(doctor_look(doctor)); /* that it goes on is seen at the next look */
    sim_run(sim, 1000);
    assert_true(doctor_look(doctor));
    report(DOCTOR_STUCK, (struct sim_end){.how = SIM_RUNS});
    assert_said("\"name\":\"needs-a-d\"");
    assert_said("\"forgive\":\"--svadu\"");
    assert_said("\"why\":\"no-d\"");
}

/* An environment call between two exceptions that are alike makes them no loop. */
static void test_calls_break_a_chain(void **state) {
    struct sim_exception newest;
    begin();
    sim->harts[0].priv = PRIV_U;
    poke(ROOT + 8 * 2, leaf(RAM_BASE, 0xcf | USER));
    for (unsigned i = 0; i < 3; i++) {
        execute(LD(11, 10, 0)); /* a page of the kernel's */
        sim->harts[0].priv = PRIV_U;
        execute(ECALL);
        sim->harts[0].priv = PRIV_U;
    }
    assert_true(sim_exception(sim, 0, 0, &newest));
    assert_int_equal(newest.cause, CAUSE_LOAD_PAGE);
    assert_int_equal(newest.again, 1);
    assert_int_equal(sim_user_satp(sim, 0), SATP(0));
}

/* What is noted goes with a snapshot. */
static void test_snapshot(void **state) {
    struct sim_exception newest;
    begin();
    struct sim_snapshot *then = sim_snapshot(sim);
    assert_non_null(then);
    load_on(0, VA + 0x5000);
    assert_true(sim_exception(sim, 0, 0, &newest));
    assert_true(sim_restore(sim, then));
    assert_false(sim_exception(sim, 0, 0, &newest));
    sim_snapshot_free(then);
}

static void test_a_guest_that_is_well(void **state) {
    begin();
    print("hello\n$ ");
    PUT(CODE_AT, HERE);
    sim_run(sim, 1000);
    assert_false(doctor_look(doctor));
    report(DOCTOR_DONE, (struct sim_end){.how = SIM_RUNS});
    assert_null(strstr(records, "\"diagnosis\""));
    assert_said("\"lines\":[\"hello\",\"$ \"]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DOCTOR_TEST(test_refused),
        DOCTOR_TEST(test_refused_above),
        DOCTOR_TEST(test_tables_in_a_circle),
        DOCTOR_TEST(test_any_bytes_on_the_console),
        DOCTOR_TEST(test_no_memory_where_satp_points),
        DOCTOR_TEST(test_a_lock_of_its_own),
        DOCTOR_TEST(test_no_lock_is_noted_unless_asked),
        DOCTOR_TEST(test_a_loop_of_exceptions),
        DOCTOR_TEST(test_calls_break_a_chain),
        DOCTOR_TEST(test_snapshot),
        DOCTOR_TEST(test_a_guest_that_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
