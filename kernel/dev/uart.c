/* The serial line: what all its drivers have in common.
 *
 * Locks: uart.room_lock, then uart.lock, then nothing. uart.lock guards the
 * device and the ring and is held for register accesses only. kprintf, whose
 * callers may hold any lock, takes no other; so nobody is woken under it, and
 * writers sleep under room_lock instead.
 *
 * Invariant, whenever uart.lock is free and the UART has an interrupt: while the
 * ring is not empty the transmit interrupt is enabled, and the transmitter is
 * busy or the interrupt pending. */
#include "dev/uart.h"
#include "arch/cpu.h"
#include "dev/fdt.h"
#include "dev/irq.h"
#include "dev/uart_driver.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/clock.h"
#include "proc/wait.h"
#include "sync/spinlock.h"

#define RING 2048
_Static_assert((RING & (RING - 1)) == 0, "positions in the ring wrap with their type");

static struct {
    struct spinlock lock;
    const struct uart_driver *driver; /* NULL: none yet */
    bool hold;
    uint32_t head, tail; /* [head, tail) waits to be sent, modulo RING */
    char ring[RING];

    bool interrupts; /* else the clock looks for input, and output waits for the device */
    void (*receive)(const char *text, size_t n);

    struct spinlock room_lock;
    struct wait_channel room; /* the ring has become half empty */
} uart = {
    .lock = SPINLOCK_INIT(RANK_UART),
    .room_lock = SPINLOCK_INIT(RANK_UART_ROOM),
    .room = {LIST_INIT(uart.room.sleepers)},
};

static uint32_t ring_used(void) { return uart.tail - uart.head; }
static void ring_push(char c) { uart.ring[uart.tail++ % RING] = c; }
static char ring_pop(void) { return uart.ring[uart.head++ % RING]; }

static void set_interrupts_locked(void) {
    ASSERT_LOCKED(&uart.lock);
    if (uart.interrupts)
        uart.driver->interrupt_on(uart.receive && !uart.hold, ring_used());
}

/* Gives the device what it can take now. */
static void transmit_locked(void) {
    ASSERT_LOCKED(&uart.lock);
    for (uint32_t room; ring_used() && (room = uart.driver->room()) > 0;)
        for (uint32_t n = MIN(ring_used(), room); n > 0; n--)
            uart.driver->send(ring_pop());
    set_interrupts_locked();
}

static void send_now(char c) {
    while (!uart.driver->room())
        cpu_relax();
    uart.driver->send(c);
}

/* Sends the ring's oldest n characters, waiting for the device. */
static void transmit_now_locked(uint32_t n) {
    if (DEBUG && !kprintf_lock_broken()) /* else a panic says its last */
        ASSERT_LOCKED(&uart.lock);
    for (; n > 0; n--)
        send_now(ring_pop());
}

/* Takes what has arrived and is wanted; false when that was nothing. */
static bool receive_batch(void) {
    char batch[UART_BATCH];
    size_t n = 0;
    spin_lock(&uart.lock);
    while (n < UART_BATCH && uart.receive && !uart.hold && uart.driver->receive(&batch[n]))
        n++;
    spin_unlock(&uart.lock);
    if (n > 0)
        uart.receive(batch, n);
    return n > 0;
}

static void take_input(void) {
    while (receive_batch()) {
    }
}

static void interrupt(void *ctx) {
    take_input();
    spin_lock(&uart.room_lock);
    spin_lock(&uart.lock);
    transmit_locked();
    bool room = ring_used() <= RING / 2;
    spin_unlock(&uart.lock);
    if (room)
        wakeup(&uart.room);
    spin_unlock(&uart.room_lock);
}

static void poll(void) { interrupt(NULL); }

/* /chosen/stdout-path: a path or an alias, perhaps with ":115200n8" behind it. */
static fdt_node find_stdout(void) {
    char path[96];
    const char *name = fdt_string(fdt_path("/chosen"), "stdout-path");
    if (!name)
        return FDT_NONE;
    str_copy(path, name, sizeof(path));
    char *options = strchr(path, ':');
    if (options)
        *options = '\0';
    name = path[0] == '/' ? path : fdt_string(fdt_path("/aliases"), path);
    return name ? fdt_path(name) : FDT_NONE;
}

static const struct uart_driver *const drivers[] = {&ns16550, &sifive_uart};

static const struct uart_driver *driver_of(fdt_node wanted) {
    for (unsigned i = 0; i < ARRAY_LEN(drivers); i++)
        for (fdt_node node = FDT_NONE;
             (node = fdt_next_compatible(node, drivers[i]->compatible)) != FDT_NONE;)
            if (node == wanted)
                return drivers[i];
    return NULL;
}

/* The device that the tree names for its output; where it names none, the first that we
 * know. NULL: the firmware may know what to do with the one it names. */
static const struct uart_driver *find_device(fdt_node *node) {
    *node = find_stdout();
    if (*node != FDT_NONE)
        return driver_of(*node);
    for (unsigned i = 0; i < ARRAY_LEN(drivers); i++) {
        *node = fdt_next_compatible(FDT_NONE, drivers[i]->compatible);
        if (*node != FDT_NONE)
            return drivers[i];
    }
    return NULL;
}

bool uart_init(void) {
    fdt_node node;
    uint32_t irq;
    const struct uart_driver *driver = find_device(&node);
    if (!driver || driver->start(node)) {
        uart.driver = &sbi_console;
        return false;
    }
    uart.driver = driver;
    if (irq_of_node(node, &irq) == 0) {
        irq_register(irq, interrupt, NULL);
        uart.interrupts = true;
    }
    return true;
}

void uart_start(void (*receive)(const char *text, size_t n)) {
    spin_lock(&uart.lock);
    uart.receive = receive;
    set_interrupts_locked();
    spin_unlock(&uart.lock);
    take_input(); /* that no interrupt comes for */
    if (!uart.interrupts)
        clock_poll(poll);
}

size_t uart_write_some(const char *text, size_t n) {
    if (!uart.interrupts)
        return 0;
    spin_lock(&uart.lock);
    size_t taken = 0;
    for (;;) {
        while (taken < n && ring_used() < RING)
            ring_push(text[taken++]);
        uint32_t before = uart.head;
        transmit_locked();
        if (taken == n || uart.head == before)
            break;
    }
    spin_unlock(&uart.lock);
    return taken;
}

int uart_write(const char *text, size_t n, size_t *done) {
    if (!uart.interrupts) {
        uart_write_now(text, n);
        *done = n;
        return 0;
    }
    int err = 0;
    *done = uart_write_some(text, n);
    if (*done == n)
        return 0;
    spin_lock(&uart.room_lock);
    while (*done < n) {
        *done += uart_write_some(text + *done, n - *done);
        if (*done == n)
            break;
        if (proc_interrupted()) {
            err = -K_EINTR;
            break;
        }
        sleep_on(&uart.room, &uart.room_lock);
    }
    spin_unlock(&uart.room_lock);
    return err;
}

void uart_echo(const char *text, size_t n) {
    spin_lock(&uart.lock);
    for (size_t i = 0; i < n; i++) {
        if (ring_used() == RING)
            transmit_now_locked(1);
        ring_push(text[i]);
    }
    transmit_locked();
    spin_unlock(&uart.lock);
}

void uart_write_now(const char *text, size_t n) {
    if (!uart.driver)
        return;
    bool lock = !kprintf_lock_broken() && !spin_held(&uart.lock);
    if (lock)
        spin_lock(&uart.lock);
    transmit_now_locked(ring_used());
    for (size_t i = 0; i < n; i++)
        send_now(text[i]);
    /* Writers who wait for the room that this made are woken by the interrupt
     * that the last character brings: the caller may hold locks that wakeup needs. */
    if (lock)
        spin_unlock(&uart.lock);
}

void uart_flush(void) {
    for (uint32_t left = RING, n; left > 0; left -= n) {
        spin_lock(&uart.lock);
        n = MIN(MIN(ring_used(), left), (uint32_t)UART_BATCH);
        transmit_now_locked(n);
        set_interrupts_locked();
        spin_unlock(&uart.lock);
        if (n == 0)
            break;
    }
}

uint32_t uart_unsent(void) {
    spin_lock(&uart.lock);
    uint32_t n = ring_used();
    spin_unlock(&uart.lock);
    return n;
}

void uart_hold_input(bool hold) {
    spin_lock(&uart.lock);
    uart.hold = hold;
    set_interrupts_locked();
    spin_unlock(&uart.lock);
}

void uart_drain(void) {
    if (!uart.driver)
        return;
    uart_write_now("", 0);
    while (!uart.driver->idle())
        cpu_relax();
}
