/* The firmware's calls, each with its errors: SBI 2.0. Fences: test_sim_fence.c. */
/* sources: machine */
#include "machine/sbi/sbi.h"
#include "simguest.h"

enum { NOT_SUPPORTED = -2, INVALID_PARAM = -3, INVALID_ADDRESS = -5, ALREADY_AVAILABLE = -6 };
enum {
    TIME = 0x54494d45,
    IPI = 0x735049,
    RFENCE = 0x52464e43,
    HSM = 0x48534d,
    SRST = 0x53525354,
    DBCN = 0x4442434e
};

static char printed[64];
static unsigned printed_count;
static void console(void *context, uint8_t byte) {
    if (printed_count < sizeof(printed) - 1)
        printed[printed_count++] = (char)byte;
}

static void start(unsigned harts) {
    guest.harts = harts;
    guest.console = console;
    printed_count = 0;
    memset(printed, 0, sizeof(printed));
    guest_start();
    for (unsigned i = 0; i < harts; i++) {
        PUT(CODE_AT + 0x100 * i, ECALL, HERE);
        sim->harts[i].pc = CODE_AT + 0x100 * i;
        sim->harts[i].stvec = HANDLER_AT;
    }
    PUT(HANDLER_AT, HERE);
}

/* Of hart 0, which alone runs. */
static int64_t call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2) {
    struct hart *hart = &sim->harts[0];
    hart->x[10] = a0;
    hart->x[11] = a1;
    hart->x[12] = a2;
    hart->x[16] = function;
    hart->x[17] = extension;
    hart->pc = CODE_AT;
    sim->turn_of = 0;
    sim_run(sim, 1);
    return (int64_t)hart->x[10];
}
static uint64_t value(void) { return sim->harts[0].x[11]; }

static void test_base(void **unused) {
    static const uint64_t there[] = {0, 1,    2,    3,   4,      5,   6,    7,
                                     8, 0x10, TIME, IPI, RFENCE, HSM, SRST, DBCN};
    start(1);
    assert_int_equal(call(0x10, 0, 0, 0, 0), 0);
    assert_int_equal(value(), 2 << 24);
    for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        assert_int_equal(call(0x10, 3, there[i], 0, 0), 0);
        assert_int_equal(value(), 1);
    }
    assert_int_equal(call(0x10, 3, 0x504d55, 0, 0), 0); /* PMU */
    assert_int_equal(value(), 0);
    assert_int_equal(call(0x10, 7, 0, 0, 0), NOT_SUPPORTED);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 4);
}

static void test_what_is_not_there(void **unused) {
    static const uint64_t extensions[] = {9, 0x504d55, TIME, IPI, RFENCE, HSM, SRST, DBCN};
    start(1);
    for (unsigned i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        assert_int_equal(call(extensions[i], 77, 0, 0, 0), NOT_SUPPORTED);
}

static void test_timer(void **unused) {
    start(1);
    sim->harts[0].mie = 1 << IRQ_STI;
    assert_int_equal(call(TIME, 0, 1000, 0, 0), 0);
    PUT(HANDLER_AT, WFI, HERE);
    sim->harts[0].pc = HANDLER_AT;
    struct sim_end end = sim_run(sim, 100);
    assert_int_equal(end.how, SIM_WAITS);
    assert_int_equal(end.next_ns, 1000 * CLINT_TICK_NS);
    sim_skip(sim, end.next_ns);
    assert_int_equal(sim_run(sim, 10).how, SIM_RUNS);
    assert_int_equal(sim->harts[0].mip, 1 << IRQ_STI);
    call(TIME, 0, UINT64_MAX, 0, 0);
    assert_int_equal(sim->harts[0].mip, 0);
}

/* The turn was measured without it. */
static void test_a_new_timer_cuts_the_turn(void **unused) {
    start(1);
    PUT(HANDLER_AT, insn_i(0x73, 2, 5, 0, 0xc01), HERE); /* csrr x5, time */
    struct hart *hart = &sim->harts[0];
    hart->mie = 1 << IRQ_STI;
    hart->mstatus |= MSTATUS_SIE;
    hart->x[10] = 7;
    hart->x[16] = 0;
    hart->x[17] = TIME;
    sim_run(sim, 5000);
    assert_int_equal(hart->x[5], 7);
}

static uint64_t asked(void) {
    uint64_t harts = 0;
    for (unsigned i = 0; i < guest.harts; i++) {
        harts |= (sim->harts[i].mip >> IRQ_SSI & 1) << i;
        sim->harts[i].mip = 0;
    }
    return harts;
}

static void test_ipi(void **unused) {
    start(4);
    for (unsigned i = 1; i < 4; i++)
        sim->harts[i].waiting = true;
    assert_int_equal(call(IPI, 0, 0xa, 0, 0), 0);
    assert_int_equal(asked(), 0xa);
    assert_int_equal(call(IPI, 0, 3, 2, 0), 0);
    assert_int_equal(asked(), 0xc);
    assert_int_equal(call(IPI, 0, 0, UINT64_MAX, 0), 0);
    assert_int_equal(asked(), 0xf);
    assert_int_equal(call(IPI, 0, 0, 9, 0), 0);
    assert_int_equal(call(IPI, 0, 0x11, 0, 0), INVALID_PARAM);
    assert_int_equal(call(IPI, 0, 1, 4, 0), INVALID_PARAM);
    assert_int_equal(asked(), 0);
}

static void test_an_ipi_ends_a_wfi(void **unused) {
    start(2);
    PUT(CODE_AT + 0x100, WFI, HERE);
    sim->harts[1].mie = 1 << IRQ_SSI;
    sim_run(sim, 5000);
    assert_true(sim->harts[1].waiting);
    call(IPI, 0, 2, 0, 0);
    sim_run(sim, 5000);
    assert_false(sim->harts[1].waiting);
}

/* Legacy: the mask is in memory, at a virtual address; 5.5. */
static void test_legacy_ipi(void **unused) {
    start(4);
    for (unsigned i = 1; i < 4; i++)
        sim->harts[i].waiting = true;
    poke(RAM_BASE + 0x100, 0xa);
    assert_int_equal(call(4, 0, RAM_BASE + 0x100, 77, 0), 0);
    assert_int_equal(value(), 77); /* it has no value */
    assert_int_equal(asked(), 0xa);
    assert_int_equal(call(4, 0, 0, 0, 0), 0);
    assert_int_equal(asked(), 0xf);
    assert_int_equal(call(3, 0, 0, 0, 0), 0);
    sim->harts[0].mip = 1 << IRQ_SSI;
    assert_int_equal(call(3, 0, 0, 0, 0), 1);
    assert_int_equal(asked(), 0);
}

static void test_a_legacy_mask_without_memory(void **unused) {
    start(2);
    call(4, 0, 0x1000, 0, 0);
    assert_int_equal(sim->harts[0].pc, HANDLER_AT);
    assert_int_equal(sim->harts[0].scause, CAUSE_LOAD_ACCESS);
    assert_int_equal(sim->harts[0].sepc, CODE_AT);
    assert_int_equal(sim->harts[0].stval, 0x1000);
}

static void test_harts(void **unused) {
    start(3);
    sim->harts[1].state = sim->harts[2].state = HART_STOPPED;
    assert_int_equal(call(HSM, 2, 1, 0, 0), 0);
    assert_int_equal(value(), 1);
    assert_int_equal(call(HSM, 2, 0, 0, 0), 0);
    assert_int_equal(value(), 0);
    assert_int_equal(call(HSM, 2, 3, 0, 0), INVALID_PARAM);
    assert_int_equal(call(HSM, 0, 3, CODE_AT, 0), INVALID_PARAM);
    assert_int_equal(call(HSM, 0, 0, CODE_AT, 0), ALREADY_AVAILABLE);
    assert_int_equal(call(HSM, 0, 1, 0x1000, 0), INVALID_ADDRESS);
    sim->harts[1].satp = 77;
    sim->harts[1].mstatus |= MSTATUS_SIE;
    assert_int_equal(call(HSM, 0, 1, CODE_AT + 0x100, 1234), 0);
    const struct hart *hart = &sim->harts[1];
    assert_int_equal(hart->state, HART_STARTED);
    assert_int_equal(hart->priv, PRIV_S);
    assert_int_equal(hart->pc, CODE_AT + 0x100);
    assert_int_equal(hart->x[10], 1);
    assert_int_equal(hart->x[11], 1234);
    assert_int_equal(hart->satp, 0);
    assert_int_equal(hart->mstatus & MSTATUS_SIE, 0);
    call(HSM, 1, 0, 0, 0);
    assert_int_equal(sim->harts[0].state, HART_STOPPED);
}

static void test_a_hart_that_is_suspended(void **unused) {
    start(1);
    sim->harts[0].mie = 1 << IRQ_SSI;
    assert_int_equal(call(HSM, 3, 0, 0, 0), 0);
    assert_int_equal(sim_run(sim, 10).how, SIM_WAITS);
    sim->harts[0].mip = 1 << IRQ_SSI;
    assert_int_equal(sim_run(sim, 10).how, SIM_RUNS);
    assert_int_equal(call(HSM, 3, 0x80000000, 0, 0), NOT_SUPPORTED);
}

static void test_the_end(void **unused) {
    static const struct {
        uint64_t extension, type, reason;
        unsigned how, code;
    } cases[] = {
        {SRST, 0, 0, SIM_POWERED_OFF, 0}, {SRST, 0, 1, SIM_FAILED, 1},   {SRST, 1, 0, SIM_RESET, 0},
        {SRST, 2, 1, SIM_RESET, 0},       {8, 0, 0, SIM_POWERED_OFF, 0},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(1);
        call(cases[i].extension, 0, cases[i].type, cases[i].reason, 0);
        assert_int_equal(sim->end.how, cases[i].how);
        assert_int_equal(sim->end.code, cases[i].code);
        guest_end(NULL);
    }
    start(1);
    assert_int_equal(call(SRST, 0, 3, 0, 0), INVALID_PARAM);
    assert_int_equal(call(SRST, 0, 0, 2, 0), INVALID_PARAM);
    assert_int_equal(sim->end.how, SIM_RUNS);
}

static void test_console(void **unused) {
    start(1);
    memcpy(sim->ram + 0x100, "hello", 5);
    assert_int_equal(call(DBCN, 0, 5, RAM_BASE + 0x100, 0), 0);
    assert_int_equal(value(), 5);
    assert_int_equal(call(DBCN, 2, '!', 0, 0), 0);
    call(1, 0, '?', 0, 0);
    assert_string_equal(printed, "hello!?");
    assert_int_equal(call(DBCN, 1, 5, RAM_BASE + 0x100, 0), 0);
    assert_int_equal(value(), 0);
    assert_int_equal(call(DBCN, 0, 5, RAM_BASE + guest.ram_bytes - 4, 0), INVALID_PARAM);
    assert_int_equal(call(DBCN, 0, 5, RAM_BASE, 1), INVALID_PARAM);
    assert_int_equal(call(2, 0, 0, 0, 0), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_base),       GUEST_TEST(test_what_is_not_there),
        GUEST_TEST(test_timer),      GUEST_TEST(test_a_new_timer_cuts_the_turn),
        GUEST_TEST(test_ipi),        GUEST_TEST(test_an_ipi_ends_a_wfi),
        GUEST_TEST(test_legacy_ipi), GUEST_TEST(test_a_legacy_mask_without_memory),
        GUEST_TEST(test_harts),      GUEST_TEST(test_a_hart_that_is_suspended),
        GUEST_TEST(test_the_end),    GUEST_TEST(test_console),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
