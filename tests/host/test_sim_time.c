/* Time, and the interrupts of several harts. */
/* sources: machine */
#include "simguest.h"

enum { CLOCK = 100, UART_SOURCE = 10, TURN = 100000 };

/* ---- time --------------------------------------------------------------------------------- */
/* Privileged specification, Sstc: without menvcfg.STCE stimecmp raises nothing. */
static void test_stimecmp_that_is_off_does_not_hold_the_clock(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, WFI, JUMP(-4));
    struct hart *hart = &sim->harts[0];
    hart->stimecmp = 1;
    hart->mie = 1 << IRQ_MTI;
    sim->clint.mtimecmp[0] = 1000;
    struct sim_end end = sim_run(sim, 100);
    assert_int_equal(end.how, SIM_WAITS);
    assert_int_equal(end.next_ns, 1000 * CLOCK);
}

/* mtime is what was written to it and what has passed since. */
static void test_stimecmp_counts_as_mtime_does(void **unused) {
    static const int64_t starts[] = {0, 50000, 1000000};
    for (unsigned i = 0; i < 3; i++) {
        guest.machine_mode = true;
        guest_start();
        PUT(CODE_AT, SD(6, 5, 0), CSRW(CSR_STIMECMP, 7), WFI, HERE);
        struct hart *hart = &sim->harts[0];
        hart->x[5] = 0x200bff8;
        hart->x[6] = 1000;
        hart->x[7] = 1500;
        hart->menvcfg = MENVCFG_STCE;
        hart->mie = 1 << IRQ_STI;
        sim_skip(sim, (uint64_t)starts[i] * CLOCK);
        struct sim_end end = sim_run(sim, 100);
        assert_int_equal(end.how, SIM_WAITS);
        assert_int_equal(end.next_ns, ((uint64_t)starts[i] + 500) * CLOCK);
        sim_skip(sim, end.next_ns);
        sim_run(sim, 10);
        assert_int_equal(hart->pc, CODE_AT + 12);
        guest_end(NULL);
    }
}

/* A turn ends when a timer comes; here each hart's at another time. */
static void test_timers_of_several_harts_come_on_time(void **unused) {
    guest.machine_mode = true;
    guest.harts = 3;
    guest_start();
    PUT(CODE_AT, HERE);
    PUT(HANDLER_AT, CSRRS(5, 0xc01, 0), HERE);
    for (unsigned i = 0; i < 3; i++) {
        struct hart *hart = &sim->harts[i];
        hart->mtvec = HANDLER_AT;
        hart->mstatus |= MSTATUS_MIE;
        hart->mie = 1 << IRQ_MTI;
        sim->clint.mtimecmp[i] = 100 + 150 * i;
    }
    sim_run(sim, 3 * CLOCK * 1000);
    for (unsigned i = 0; i < 3; i++) /* a hart may have to wait for the turns of the others */
        assert_between(sim->harts[i].x[5], 100 + 150 * i, 100 + 150 * i + 3 * 2000 / CLOCK);
}

static void test_as_long_as_it_takes(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, ADDI(5, 5, -1), insn_i(0x63, 1, 0x1d, 5, 0xfe0), SW(6, 7, 0), HERE);
    sim->harts[0].x[5] = 100000;
    sim->harts[0].x[6] = 0x5555;
    sim->harts[0].x[7] = 0x100000;
    sim_run(sim, 10);
    assert_int_equal(sim_run(sim, UINT64_MAX).how, SIM_POWERED_OFF);
}

static void test_a_timer_that_was_not_heard_is_no_event(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, WFI, HERE);
    sim->clint.mtimecmp[0] = 0;
    assert_int_equal(sim_run(sim, 100).next_ns, UINT64_MAX);
}

static void test_the_clock_is_put_on(void **unused) {
    guest_start();
    sim_skip(sim, 1000);
    sim_skip(sim, 1500);
    sim_skip(sim, 1200);
    assert_int_equal(sim_nanoseconds(sim), 1500);
}

/* What is written in a turn that was measured without it. */
static void test_a_new_timer_cuts_the_turn(void **unused) {
    enum { NOW = 2 }; /* ticks */
    const uint32_t how[] = {CSRW(CSR_STIMECMP, 6), CSRW(0x30a, 7), SD(6, 8, 0)};
    for (unsigned i = 0; i < 3; i++) {
        guest.machine_mode = true;
        guest_start();
        PUT(CODE_AT, how[i], HERE);
        PUT(HANDLER_AT, CSRRS(5, 0xc01, 0), HERE);
        struct hart *hart = &sim->harts[0];
        hart->mtvec = HANDLER_AT;
        hart->mstatus |= MSTATUS_MIE;
        hart->mie = 1 << IRQ_STI | 1 << IRQ_MTI;
        hart->menvcfg = i == 0 ? MENVCFG_STCE : 0;
        hart->stimecmp = i == 1 ? NOW : UINT64_MAX;
        hart->x[6] = NOW;
        hart->x[7] = MENVCFG_STCE;
        hart->x[8] = 0x2004000;
        sim_run(sim, 10 * CLOCK);
        assert_int_equal(hart->x[5], NOW);
        guest_end(NULL);
    }
}

/* ---- interrupts --------------------------------------------------------------------------- */
static void uart_asks(unsigned context, bool asks) {
    struct dev_env *env = &sim->env;
    plic_write(env, &sim->plic, 4 * UART_SOURCE, 4, 1);
    plic_write(env, &sim->plic, 0x2000 + 0x80 * context, 4, asks ? 1 << UART_SOURCE : 0);
    plic_set(&sim->plic, UART_SOURCE, asks);
}

/* 3.1.9: what the controller asks for is no part of what csrrs writes back. */
static void test_setting_a_bit_of_mip_does_not_keep_the_wire(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, CSRRS(5, CSR_MIP, 6), HERE);
    struct hart *hart = &sim->harts[0];
    hart->x[6] = 1 << IRQ_SSI;
    uart_asks(1, true);
    sim_run(sim, 10);
    assert_true(hart->x[5] >> IRQ_SEI & 1);
    uart_asks(1, false);
    sim_run(sim, 2 * TURN); /* what a wire says is seen at the beginning of a turn */
    assert_int_equal(hart->mip, 1 << IRQ_SSI);
}

/* What software has set in mip it may also clear alone. */
static void test_seip_of_software(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, CSRRS(0, CSR_MIP, 6), CSRRS(7, CSR_MIP, 0), insn_i(0x73, 3, 0, 6, CSR_MIP),
        CSRRS(8, CSR_MIP, 0), HERE);
    struct hart *hart = &sim->harts[0];
    hart->x[6] = 1 << IRQ_SEI;
    sim_run(sim, 10);
    assert_int_equal(hart->x[7], 1 << IRQ_SEI);
    assert_int_equal(hart->x[8], 0);
}

/* PLIC, 9: with the claim the request is no more pending, and the next interrupt is another. */
static void test_a_claimed_interrupt_does_not_come_again(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, HERE);
    PUT(HANDLER_AT, ADDI(8, 8, 1), LW(6, 9, 0), CSRRSI(0, CSR_MSTATUS, 8), HERE);
    struct hart *hart = &sim->harts[0];
    hart->x[9] = 0xc200004;
    hart->mtvec = HANDLER_AT;
    hart->mie = 1 << IRQ_MEI;
    hart->mstatus |= MSTATUS_MIE;
    uart_asks(0, true);
    sim_run(sim, 50);
    assert_int_equal(hart->x[6], UART_SOURCE);
    assert_int_equal(hart->x[8], 1);
    assert_int_equal(hart->mip >> IRQ_MEI & 1, 0);
}

/* The CLINT's software interrupt of the hart itself comes at the next instruction. */
static void test_a_store_to_a_device_interrupts_at_once(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, SW(6, 7, 0), ADDI(5, 5, 1), HERE);
    PUT(HANDLER_AT, HERE);
    struct hart *hart = &sim->harts[0];
    hart->x[6] = 1;
    hart->x[7] = 0x2000000;
    hart->mtvec = HANDLER_AT;
    hart->mie = 1 << IRQ_MSI;
    hart->mstatus |= MSTATUS_MIE;
    sim_run(sim, 20);
    assert_int_equal(hart->mcause, CAUSE_INTERRUPT | IRQ_MSI);
    assert_int_equal(hart->mepc, CODE_AT + 4);
}

/* 3.3.3: a wfi ends with an interrupt that is enabled in mie, whatever mstatus says. */
static void test_what_ends_a_wfi(void **unused) {
    guest.machine_mode = true;
    guest.harts = 2;
    guest_start();
    PUT(CODE_AT, WFI, HERE);
    PUT(HANDLER_AT, SW(6, 5, 0), HERE);
    sim->harts[0].mie = 1 << IRQ_MTI; /* not what hart 1 raises */
    assert_int_equal(sim_run(sim, 10000).how, SIM_WAITS);
    sim->clint.msip[0] = true;
    assert_int_equal(sim_run(sim, 10000).how, SIM_WAITS);
    sim->harts[0].mie |= 1 << IRQ_MSI;
    assert_int_equal(sim_run(sim, 10000).how, SIM_RUNS);
    assert_int_equal(sim->harts[0].pc, CODE_AT + 4);
    assert_int_equal(sim->harts[1].pc, CODE_AT + 4);
    assert_true(sim->harts[1].waiting);
}

/* The clock goes as fast for a hart that is alone as for one of many, however callers divide it. */
static void test_who_waits_does_not_hold_the_clock(void **unused) {
    for (unsigned running = 1; running <= 4; running++) {
        uint64_t ends[2];
        for (unsigned parts = 0; parts < 2; parts++) {
            guest.machine_mode = true;
            guest.harts = 4;
            guest_start();
            PUT(CODE_AT, HERE);
            for (unsigned i = running; i < 4; i++)
                if (i % 2)
                    sim->harts[i].waiting = true;
                else
                    sim->harts[i].state = HART_STOPPED;
            for (unsigned done = 0; done < 100000 * running; done += parts ? 100 : 20000)
                sim_run(sim, parts ? 100 : 20000);
            ends[parts] = sim_nanoseconds(sim);
            guest_end(NULL);
        }
        assert_between(ends[0], 100000 - 2000, 100000); /* the last turn has not ended */
        assert_int_equal(ends[0], ends[1]);
    }
}

/* A timer is on time for a hart that runs while others wait. */
static void test_a_timer_of_a_hart_that_is_alone(void **unused) {
    guest.machine_mode = true;
    guest.harts = 8;
    guest_start();
    PUT(CODE_AT, HERE);
    PUT(HANDLER_AT, CSRRS(5, 0xc01, 0), HERE);
    for (unsigned i = 1; i < 8; i++)
        sim->harts[i].waiting = true;
    struct hart *hart = &sim->harts[0];
    hart->mtvec = HANDLER_AT;
    hart->mstatus |= MSTATUS_MIE;
    hart->mie = 1 << IRQ_MTI;
    sim->clint.mtimecmp[0] = 1000;
    sim_run(sim, 1000 * CLOCK + 100);
    assert_between(hart->x[5], 1000, 1001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_stimecmp_that_is_off_does_not_hold_the_clock),
        GUEST_TEST(test_stimecmp_counts_as_mtime_does),
        GUEST_TEST(test_timers_of_several_harts_come_on_time),
        GUEST_TEST(test_as_long_as_it_takes),
        GUEST_TEST(test_a_timer_that_was_not_heard_is_no_event),
        GUEST_TEST(test_the_clock_is_put_on),
        GUEST_TEST(test_a_new_timer_cuts_the_turn),
        GUEST_TEST(test_setting_a_bit_of_mip_does_not_keep_the_wire),
        GUEST_TEST(test_seip_of_software),
        GUEST_TEST(test_a_claimed_interrupt_does_not_come_again),
        GUEST_TEST(test_a_store_to_a_device_interrupts_at_once),
        GUEST_TEST(test_what_ends_a_wfi),
        GUEST_TEST(test_who_waits_does_not_hold_the_clock),
        GUEST_TEST(test_a_timer_of_a_hart_that_is_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
