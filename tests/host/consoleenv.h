/* What the tests of the console share: a machine with a simulated NS16550A. */
#pragma once
#include "dev/console.c" /* themselves, so that each test starts with fresh ones */
#include "dev/uart.c"

#include "devstub.h"
#include "fdtbuild.h"
#include "hostarch.h"
#include "uartsim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "between.h"
#include "consoleprocs.h"

/* ---- the machine ---------------------------------------------------------*/

static unsigned dumps;
void proc_dump(void) {
    dumps++;
    kprintf("<dump>"); /* takes the UART's lock: no other may be held that it waits for */
}

/* There are interrupts, and no other console: test_uarts.c. */
void clock_poll(void (*fn)(void)) { fail(); }
void sbi_console_write(const char *text, size_t n) { fail(); }
bool sbi_console_read(char *c) {
    fail();
    return false;
}

static void start(void) {
    fdtb_begin_machine(1);
    fdtb_begin("aliases");
    fdtb_string("serial1", "/serial@10000000");
    fdtb_end();
    fdtb_begin("chosen");
    fdtb_string("stdout-path", "serial1:115200n8");
    fdtb_end();
    fdtb_begin("serial@9000000");
    fdtb_string("compatible", "ns16550a");
    fdtb_cells("reg", 2, 0x9000000u, 0x100u);
    fdtb_end();
    fdtb_begin("serial@10000000");
    fdtb_string("compatible", "ns16550a");
    fdtb_cells("reg", 2, (uint32_t)SIM, (uint32_t)SIM_BYTES);
    fdtb_cells("interrupts", 1, (uint32_t)SIM_IRQ);
    if (sim.shift)
        fdtb_cells("reg-shift", 1, sim.shift);
    if (sim.width != 1)
        fdtb_cells("reg-io-width", 1, sim.width);
    fdtb_end();
    fdtb_end_machine();
    assert_true(uart_init());
    kprintf_set_sink(console_sink, NULL);
    uart_start(console_input);
}

/* Before boot: the driver has not looked at the UART. */
static void power_on(uint32_t shift, uint32_t width, bool instant) {
    uart = (__typeof__(uart)){.lock = SPINLOCK_INIT(RANK_UART),
                              .room_lock = SPINLOCK_INIT(RANK_UART_ROOM)};
    wait_channel_init(&uart.room);
    console_power_on();
    hart_self()->proc = &reader;
    stub_reset();
    sim_reset(shift, width, instant);
    stub_idle = sim_step;
}

static int setup_with(uint32_t shift, uint32_t width, bool instant) {
    power_on(shift, width, instant);
    start();
    return 0;
}

static inline void sim_finish(void) {
    for (int i = 0; i < 100000 && (sim.fifo_used || sim_irq()); i++)
        sim_step();
    assert_int_equal(ring_used(), 0);
}

static inline int setup(void **state) { return setup_with(0, 1, false); }

#define TYPE(literal) sim_type(literal, sizeof(literal) - 1)

static inline int console_read(uaddr_t dst, size_t n, size_t *done) {
    return tty_read(&console, dst, n, true, done);
}

static inline const char *read_line(size_t n) {
    static char line[TTY_BUFFER + 1];
    size_t done = 77;
    assert_int_equal(console_read(UA(STUB_USER), n, &done), 0);
    assert_true(done <= n);
    memcpy(line, stub_user, done);
    line[done] = '\0';
    return line;
}

static inline int write_text(const char *text, size_t n, size_t *done) {
    assert_true(n <= sizeof stub_user);
    memcpy(stub_user, text, n);
    return tty_write(&console, UA(STUB_USER), n, true, done);
}

static inline void kill_now(void) { stub_killed = true; }
