/* Which console it is, and those that are no NS16550A: SiFive's UART against a simulated
 * one, and the firmware's console, new and old, which has no interrupts. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: kernel/tty/lineedit.c kernel/tty/linehistory.c kernel/tty/terminal.c */
/* sources: kernel/tty/input.c kernel/tty/read.c kernel/tty/tty.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "arch/sbi.c" /* themselves, so that each test starts with fresh ones */
#include "dev/console.c"
#include "dev/uart.c"

#include "devstub.h"
#include "fdtbuild.h"
#include "hostarch.h"
#include "uartsim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "consoleprocs.h"

void proc_dump(void) {}

/* ---- SiFive's UART: registers of the manual's chapter 13, by number ------------*/
#define FU 0x10010000UL
#define FU_FIFO 8

static struct {
    uint32_t tx_control, rx_control, enabled;
    unsigned waiting; /* characters in the transmit queue */
} fu;

/* What was sent and what is typed, on whichever line. */
static char sent[4096];
static size_t sent_size;
static const char *keys;

static char next_key(void) { return *keys ? *keys++ : 0; }

static void put(char c) {
    assert_true(sent_size < sizeof sent);
    sent[sent_size++] = c;
}

static uint32_t fu_pending(void) {
    bool room = fu.waiting < (fu.tx_control >> 16 & 7), arrived = *keys;
    return (room ? 1 : 0) | (arrived ? 2 : 0);
}

static uint32_t fu_read(uint64_t offset, unsigned bytes) {
    static unsigned looks;
    assert_int_equal(bytes, 4);
    fu.waiting -= fu.waiting > 0 && ++looks % 4 == 0; /* time passes for those who poll */
    switch (offset) {
    case 0: return fu.waiting == FU_FIFO ? 1u << 31 : 0;
    case 4: return fu.rx_control & 1 && *keys ? (uint8_t)next_key() : 1u << 31;
    case 0x14: return fu_pending();
    }
    fail_msg("read of register %#lx", offset);
    return 0;
}

static void fu_write(uint64_t offset, uint32_t v, unsigned bytes) {
    assert_int_equal(bytes, 4);
    switch (offset) {
    case 0:
        assert_true(fu.tx_control & 1);
        assert_true(fu.waiting < FU_FIFO); /* else it is lost */
        fu.waiting++;
        put((char)v);
        return;
    case 8: fu.tx_control = v; return;
    case 0xc: fu.rx_control = v; return;
    case 0x10: fu.enabled = v; return;
    }
    fail_msg("write of register %#lx", offset);
}

static void fu_step(void) {
    fu.waiting -= fu.waiting > 0;
    for (int i = 0; fu_pending() & fu.enabled; i++) {
        assert_true(i < 1000); /* an interrupt that is never satisfied */
        interrupt(NULL);
        if (fu_pending() & fu.enabled & 1)
            fu.waiting = 1;
    }
}

/* ---- the firmware ---------------------------------------------------------------*/
static bool firmware_is_old;

struct sbi_result sbi_call4(uint64_t ext, uint64_t fn, uint64_t x, uint64_t y, uint64_t z,
                            uint64_t w) {
    switch (ext) {
    case 0x4442434e: /* 12: write 0, read 1, write_byte 2 */
        if (firmware_is_old)
            return (struct sbi_result){-2, 0};
        if (fn == 2)
            put((char)x);
        else if (fn == 1 && x == 1)
            *(char *)pa_ptr(PA(y)) = *keys;
        else
            fail_msg("function %lu", fn);
        return (struct sbi_result){0, fn == 1 && next_key() ? 1 : 0};
    case 1: put((char)x); return (struct sbi_result){0, 0};
    case 2: return (struct sbi_result){*keys ? (uint8_t)next_key() : -1, 0};
    }
    fail_msg("extension %#lx", ext);
    return (struct sbi_result){0, 0};
}

static void (*polled)(void);
void clock_poll(void (*fn)(void)) { polled = fn; }

/* ---- machines -------------------------------------------------------------------*/
static void serial(const char *name, const char *compatible, uint64_t at, uint32_t irq) {
    fdtb_begin(name);
    fdtb_string("compatible", compatible);
    fdtb_cells("reg", 2, (uint32_t)at, 0x1000u);
    fdtb_cells("interrupts", 1, irq);
    fdtb_end();
}

/* All devices, of which the tree names one for output, or none (NULL). */
static void power_on(const char *stdout_path) {
    uart = (__typeof__(uart)){.lock = SPINLOCK_INIT(RANK_UART),
                              .room_lock = SPINLOCK_INIT(RANK_UART_ROOM)};
    wait_channel_init(&uart.room);
    console_power_on();
    memset(&fu, 0, sizeof fu);
    sent_size = 0;
    keys = "";
    legacy = false;
    polled = NULL;
    stub_reset();
    hart_self()->proc = &reader;
    sim_reset(0, 1, true);
    stub_add_device(&(struct stub_device){FU, 0x1000, fu_read, fu_write});
    fdtb_begin_machine(1);
    fdtb_begin("chosen");
    if (stdout_path)
        fdtb_string("stdout-path", stdout_path);
    fdtb_end();
    serial("serial@10000000", "ns16550a", SIM, SIM_IRQ);
    serial("serial@10010000", "sifive,uart0", FU, SIM_IRQ);
    serial("htif", "ucb,htif0", 0, 1);
    fdtb_end_machine();
    uart_init();
    uart_start(console_input);
}

static void the_tree_chooses(void **state) {
    power_on(NULL);
    assert_ptr_equal(uart.driver, &ns16550);
    power_on("/serial@10000000:115200n8");
    assert_ptr_equal(uart.driver, &ns16550);
    power_on("/serial@10010000");
    assert_ptr_equal(uart.driver, &sifive_uart);
    power_on("/htif"); /* no driver: the firmware has one */
    assert_ptr_equal(uart.driver, &sbi_console);
    power_on("/nowhere");
    assert_ptr_equal(uart.driver, &ns16550);
}

/* What a console does, whatever it is made of: all characters in order, lines to readers. */
static void use_console(void (*step)(void)) {
    static char text[1500];
    size_t done;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    stub_idle = step;
    assert_int_equal(uart_write(text, sizeof text, &done), 0);
    assert_int_equal(done, sizeof text);
    uart_drain();
    assert_int_equal(sent_size, sizeof text);
    assert_memory_equal(sent, text, sizeof text);

    sent_size = 0;
    keys = "one\rtwo\r";
    for (int i = 0; i < 100 && (*keys || ring_used()); i++)
        step();
    assert_int_equal(sent_size, 8);
    assert_memory_equal(sent, "one\ntwo\n", 8);
    assert_int_equal(tty_read(&console, UA(STUB_USER), 8, true, &done), 0);
    assert_true(done == 4 && !memcmp(stub_user, "one\n", 4));
}

static void sifive_sends_and_receives(void **state) {
    power_on("/serial@10010000");
    assert_null(polled);
    use_console(fu_step);
    fu_step();
    assert_int_equal(fu.enabled, 2); /* no interrupt for nothing */
    uart_hold_input(true);
    keys = "kept";
    fu_step();
    assert_string_equal(keys, "kept");
    uart_hold_input(false);
    fu_step();
    assert_string_equal(keys, "");
}

static void firmware_is_asked(void **state) {
    for (int old = 0; old < 2; old++) {
        firmware_is_old = old;
        power_on("/htif");
        assert_non_null(polled);
        use_console(polled);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_chooses),
        cmocka_unit_test(sifive_sends_and_receives),
        cmocka_unit_test(firmware_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
