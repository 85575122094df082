/* The console: see console.h. Under the terminal's lock the UART's is taken. */
#include "dev/console.h"
#include "dev/bootargs.h"
#include "dev/uart.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "proc/proc.h"
#include "tty/tty.h"

#define DEVICE_NUMBER (5 << 8 | 1) /* of Linux's console */
_Static_assert(UART_BATCH <= TTY_BATCH, "there is room for what the UART gives at once");

static struct tty console;

/* ---- what the terminal does with the UART -----------------------------------*/

static int console_write(struct tty *t, const char *text, size_t n, bool waits, size_t *done) {
    return uart_write(text, n, done); /* output is always taken, in the end */
}

static size_t console_write_some(struct tty *t, const char *text, size_t n) {
    return uart_write_some(text, n);
}

static void console_echo(struct tty *t, const char *text, size_t n) { uart_echo(text, n); }
static void console_hold(struct tty *t, bool hold) { uart_hold_input(hold); }
static uint32_t console_unsent(const struct tty *t) { return uart_unsent(); }
static void console_drain(struct tty *t) { uart_flush(); }

static const struct tty_ops console_ops = {
    .write = console_write,
    .write_some = console_write_some,
    .echo = console_echo,
    .hold = console_hold,
    .drain = console_drain,
    .unsent = console_unsent,
    .list = proc_dump,
};

/* From the UART's interrupt. There is room for UART_BATCH characters, else the
 * input would be held. */
static void console_input(const char *text, size_t n) {
    size_t taken = tty_input(&console, text, n);
    ASSERT(taken == n);
}

/* ---- the kernel's own, and boot --------------------------------------------*/

/* kprintf's. A panic may come from anywhere; else nobody waits for the device with a lock. */
static void console_sink(void *ctx, const char *text, size_t n) {
    if (DEBUG && !kprintf_lock_broken())
        spin_expect_none("kprintf");
    uart_write_now(text, n);
}

static uint16_t said(const char *argument, uint16_t usual) {
    uint64_t n;
    return !bootarg_number(argument, &n) && n > 0 && n <= UINT16_MAX ? (uint16_t)n : usual;
}

/* Boot arguments rows and columns: how large the screen is, where that is a size. */
static void console_find_size(void) {
    console.screen = (struct screen_size){.rows = said("rows", console.screen.rows),
                                          .columns = said("columns", console.screen.columns)};
}

static void console_begin(void) {
    static char buffer[TTY_BUFFER], line[TTY_BUFFER], history[HISTORY_BYTES];
    const struct tty_memory memory = {.buffer = buffer, .line = line, .history = history};
    tty_init(&console, &console_ops, &memory);
    control_init(&console.control, true, DEVICE_NUMBER);
}

struct tty *console_tty(void) {
    return &console;
}

void console_init(void) {
    bool have_uart = uart_init();
    kprintf_set_sink(console_sink, NULL);
    console_begin();
    console_find_size();
    uart_start(console_input);
    if (!have_uart && !boot_quiet())
        kprintf("console: no UART that Trellis has a driver for; it is the firmware's\n");
}
