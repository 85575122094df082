/* Time, interrupts, reservations, protection and code of harts: where lockstep with QEMU does not
 * look. */
/* sources: machine/ machine/cpu/ machine/sbi/ machine/dev/ machine/fpu/ machine/image/ */
#include "simguest.h"

enum { CLOCK = 100, UART_SOURCE = 10 };

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
    sim_run(sim, 10);
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

/* ---- reservations: unprivileged specification 8.2 ------------------------------------------- */
static void start_reserved(unsigned harts) {
    guest.machine_mode = true;
    guest.harts = harts;
    guest_start();
    PUT(CODE_AT, LR_D(6, 5), SC_D(7, 5, 5), LR_D(6, 5), SC_D(8, 5, 5), SC_D(9, 5, 5), HERE);
    for (unsigned i = 0; i < harts; i++) {
        sim->harts[i].x[5] = RAM_BASE + 0x100 + 8 * i;
        sim->harts[i].x[7] = 2;
    }
}

static void test_sc_succeeds_once(void **unused) {
    start_reserved(2);
    sim_run(sim, 5000);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sim->harts[i].x[7], 0);
        assert_int_equal(sim->harts[i].x[8], 0);
        assert_int_equal(sim->harts[i].x[9], 1);
        assert_int_equal(peek(RAM_BASE + 0x100 + 8 * i), RAM_BASE + 0x100 + 8 * i);
    }
}

static void test_a_reservation_is_of_its_address(void **unused) {
    guest.machine_mode = true;
    guest_start();
    PUT(CODE_AT, LR_D(6, 5), SC_D(7, 5, 8), HERE);
    sim->harts[0].x[5] = RAM_BASE + 0x100;
    sim->harts[0].x[8] = RAM_BASE + 0x200;
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].x[7], 1);
    assert_int_equal(peek(RAM_BASE + 0x200), 0);
}

static void test_a_turn_ends_a_reservation(void **unused) {
    start_reserved(2);
    sim->harts[1].state = HART_STOPPED;
    sim_run(sim, 1);
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].x[7], 1);
}

static void test_a_device_ends_a_reservation(void **unused) {
    start_reserved(1);
    sim_run(sim, 1);
    assert_true(sim->harts[0].reserved);
    memset(sim->env.ram(sim->env.ctx, RAM_BASE + 0x100, 8, true), 1, 8);
    sim_run(sim, 10);
    assert_int_equal(sim->harts[0].x[7], 1);
    assert_int_equal(sim->harts[0].x[8], 0);
}

/* ---- PMP: 3.7.1 --------------------------------------------------------------------------- */
enum { PMP_LOCKED_NA4 = 0x90, PMP_LOCKED_NA4_X = 0x94 };

static void start_protected(uint64_t pa, uint8_t config) {
    guest.machine_mode = true;
    guest_start();
    sim->harts[0].mtvec = HANDLER_AT;
    sim->harts[0].pmpaddr[0] = pa >> 2;
    sim->harts[0].pmpcfg[0] = config;
    PUT(HANDLER_AT, HERE);
}

static void test_pmp_divides_a_page_of_code(void **unused) {
    start_protected(CODE_AT + 0x10, PMP_LOCKED_NA4);
    PUT(CODE_AT, ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), HERE);
    sim_run(sim, 20);
    assert_int_equal(sim->harts[0].x[5], 4);
    assert_int_equal(sim->harts[0].mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(sim->harts[0].mepc, CODE_AT + 0x10);
}

static void test_pmp_divides_an_instruction(void **unused) {
    start_protected(CODE_AT + 4, PMP_LOCKED_NA4);
    PUT(CODE_AT, 0x0001 | ADDI(5, 5, 1) << 16, ADDI(5, 5, 1) >> 16, HERE); /* c.nop before */
    sim_run(sim, 20);
    assert_int_equal(sim->harts[0].x[5], 0);
    assert_int_equal(sim->harts[0].mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(sim->harts[0].mepc, CODE_AT + 2);
}

/* Nothing else is different in such a page: here a reservation, and the number of instructions. */
static void test_code_runs_in_a_divided_page(void **unused) {
    start_protected(CODE_AT + 0x100, PMP_LOCKED_NA4_X);
    PUT(CODE_AT, ADDI(5, 5, 1), LR_D(6, 7), SC_D(8, 6, 7), WFI, HERE);
    sim->harts[0].x[7] = RAM_BASE + 0x100;
    sim->harts[0].x[8] = 2;
    assert_int_equal(sim_run(sim, 100).how, SIM_WAITS);
    assert_int_equal(sim->harts[0].x[5], 1);
    assert_int_equal(sim->harts[0].x[8], 0);
    assert_int_equal(sim_instructions(sim), 4);
    assert_int_equal(sim->harts[0].instret, 4);
}

static void test_pmp_divides_a_page_of_data(void **unused) {
    start_protected(RAM_BASE + 0x100, PMP_LOCKED_NA4);
    PUT(CODE_AT, LW(5, 6, 0), LW(5, 6, 0), LW(5, 6, 4), HERE);
    sim->harts[0].x[6] = RAM_BASE + 0xfc;
    sim_run(sim, 20);
    assert_int_equal(sim->harts[0].mcause, CAUSE_LOAD_ACCESS);
    assert_int_equal(sim->harts[0].mtval, RAM_BASE + 0x100);
}

/* 3.7.1: reading a page table is an access of S. */
static void test_pmp_protects_tables(void **unused) {
    start_protected(RAM_BASE + 0x100010, PMP_LOCKED_NA4);
    struct hart *hart = &sim->harts[0];
    hart->pmpaddr[1] = (1ull << 54) - 1;
    hart->pmpcfg[1] = 0x1f;
    poke(RAM_BASE + 0x100010, RAM_BASE >> 2 | 0xcf);
    hart->satp = 8ull << 60 | (RAM_BASE + 0x100000) >> 12;
    hart->priv = PRIV_S;
    sim_run(sim, 10);
    assert_int_equal(hart->mcause, CAUSE_FETCH_ACCESS);
    assert_int_equal(hart->mepc, CODE_AT);
}

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

/* ---- what a machine is made of ------------------------------------------------------------- */
static void test_an_initrd_that_is_too_large(void **unused) {
    static const uint8_t bytes[17 << 20] = {0x6f};
    char error[128] = "";
    guest.kernel = (struct sim_image){bytes, 4, "kernel"};
    guest.initrd = (struct sim_image){bytes, sizeof(bytes), "large"};
    assert_null(sim_create(&guest, error, sizeof(error)));
    assert_non_null(strstr(error, "large: "));
}

static void test_how_harts_start(void **unused) {
    static const uint8_t nothing[4] = {0x6f};
    char error[128];
    guest.harts = 3;
    guest.kernel = (struct sim_image){nothing, sizeof(nothing), "guest"};
    for (unsigned m = 0; m < 2; m++) {
        guest.machine_mode = m;
        sim = sim_create(&guest, error, sizeof(error));
        for (unsigned i = 0; i < 3; i++) {
            const struct hart *hart = &sim->harts[i];
            assert_int_equal(hart->state, i == 0 || m ? HART_STARTED : HART_STOPPED);
            assert_int_equal(hart->priv, m ? PRIV_M : PRIV_S);
            assert_int_equal(hart->pc, RAM_BASE + (m ? 0 : 0x200000));
            assert_int_equal(hart->x[10], i);
            assert_between(hart->x[11], RAM_BASE, RAM_BASE + guest.ram_bytes - 1);
        }
        guest_end(NULL);
    }
}

/* The firmware lets S-mode read the clock, and have stimecmp where there is one. */
static void test_what_the_firmware_permits(void **unused) {
    for (unsigned sstc = 0; sstc < 2; sstc++) {
        guest.sstc = sstc;
        guest_start();
        PUT(CODE_AT, CSRRS(5, 0xc01, 0), CSRRS(6, 0xc02, 0), CSRRS(7, CSR_STIMECMP, 0), HERE);
        PUT(HANDLER_AT, HERE);
        sim->harts[0].stvec = HANDLER_AT;
        sim_run(sim, 10);
        assert_int_equal(sim->harts[0].pc, sstc ? CODE_AT + 12 : HANDLER_AT);
        if (!sstc)
            assert_int_equal(sim->harts[0].sepc, CODE_AT + 8);
        assert_int_equal(sim->harts[0].mip, 0);
        guest_end(NULL);
    }
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
        GUEST_TEST(test_sc_succeeds_once),
        GUEST_TEST(test_a_reservation_is_of_its_address),
        GUEST_TEST(test_a_turn_ends_a_reservation),
        GUEST_TEST(test_a_device_ends_a_reservation),
        GUEST_TEST(test_pmp_divides_a_page_of_code),
        GUEST_TEST(test_pmp_divides_an_instruction),
        GUEST_TEST(test_code_runs_in_a_divided_page),
        GUEST_TEST(test_pmp_divides_a_page_of_data),
        GUEST_TEST(test_pmp_protects_tables),
        GUEST_TEST(test_code_pages_are_given_back_within_a_turn),
        GUEST_TEST(test_code_over_a_page_end),
        GUEST_TEST(test_what_follows_a_crossing_instruction),
        GUEST_TEST(test_a_crossing_instruction_without_stale_code),
        GUEST_TEST(test_code_that_changes_itself),
        GUEST_TEST(test_each_byte_of_an_instruction_counts),
        GUEST_TEST(test_a_short_instruction_becomes_long),
        GUEST_TEST(test_another_hart_changes_the_code),
        GUEST_TEST(test_instructions_are_counted),
        GUEST_TEST(test_mcycle_and_minstret),
        GUEST_TEST(test_an_initrd_that_is_too_large),
        GUEST_TEST(test_how_harts_start),
        GUEST_TEST(test_what_the_firmware_permits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
