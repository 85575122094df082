/* NS16550A.
 *
 * Locks: uart.room_lock, then uart.lock, then nothing. uart.lock guards the
 * device and the ring and is held for register accesses only. kprintf, whose
 * callers may hold any lock, takes no other; so nobody is woken under it, and
 * writers sleep under room_lock instead.
 *
 * Invariant, whenever uart.lock is free and the UART has an interrupt: while the
 * ring is not empty the transmit interrupt is enabled, and the transmitter is
 * busy or the interrupt pending. IIR, whose reading would clear it, is not read. */
#include "dev/uart.h"
#include "arch/cpu.h"
#include "dev/fdt.h"
#include "dev/irq.h"
#include "dev/mmio.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kmap.h"
#include "proc/wait.h"
#include "sync/spinlock.h"

/* Registers (data sheet, table 2), numbers for reading and writing. */
enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };

#define IER_RECEIVED 0x01
#define IER_THR_EMPTY 0x02
#define IIR_FIFO 0xc0 /* both: there are FIFOs, and they are on */
#define FCR_ENABLE 0x01
#define LCR_8N1 0x03
#define MCR_DTR_RTS_OUT2 0x0b
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE 0x40

#define FIFO_DEPTH 16
#define RING 2048
_Static_assert((RING & (RING - 1)) == 0, "positions in the ring wrap with their type");

static struct {
    struct spinlock lock;
    char *base; /* NULL: no UART */
    uint32_t shift, width;
    uint32_t depth; /* characters that fit in an empty transmitter */
    uint8_t ier;
    bool hold;
    uint32_t head, tail; /* [head, tail) waits to be sent, modulo RING */
    char ring[RING];

    bool interrupts;
    void (*receive)(const char *text, size_t n);

    struct spinlock room_lock;
    struct wait_channel room; /* the ring has become half empty */
} uart = {
    .lock = SPINLOCK_INIT("uart"),
    .room_lock = SPINLOCK_INIT("uart room"),
    .room = {LIST_INIT(uart.room.sleepers)},
};

static uint8_t reg_read(uint32_t reg) {
    char *p = uart.base + ((uint64_t)reg << uart.shift);
    return uart.width == 4 ? (uint8_t)mmio_read32(p) : mmio_read8(p);
}

static void reg_write(uint32_t reg, uint8_t v) {
    char *p = uart.base + ((uint64_t)reg << uart.shift);
    if (uart.width == 4)
        mmio_write32(p, v);
    else
        mmio_write8(p, v);
}

static uint32_t ring_used(void) { return uart.tail - uart.head; }
static void ring_push(char c) { uart.ring[uart.tail++ % RING] = c; }
static char ring_pop(void) { return uart.ring[uart.head++ % RING]; }

static void set_interrupts_locked(void) {
    uint8_t ier = (uart.receive && !uart.hold ? IER_RECEIVED : 0) |
                  (uart.interrupts && ring_used() ? IER_THR_EMPTY : 0);
    if (ier != uart.ier)
        reg_write(IER, uart.ier = ier);
}

/* Gives the device what it can take now. */
static void transmit_locked(void) {
    while (ring_used() && (reg_read(LSR) & LSR_THR_EMPTY))
        for (uint32_t n = MIN(ring_used(), uart.depth); n > 0; n--)
            reg_write(THR, (uint8_t)ring_pop());
    set_interrupts_locked();
}

static void wait_transmitter(uint8_t bit) {
    while (!(reg_read(LSR) & bit))
        cpu_relax();
}

/* Sends the ring's oldest n characters, waiting for the device. */
static void transmit_now_locked(uint32_t n) {
    for (; n > 0; n--) {
        wait_transmitter(LSR_THR_EMPTY);
        reg_write(THR, (uint8_t)ring_pop());
    }
}

/* Takes what has arrived and is wanted; false when that was nothing. */
static bool receive_batch(void) {
    char batch[UART_BATCH];
    size_t n = 0;
    spin_lock(&uart.lock);
    while (n < UART_BATCH && uart.receive && !uart.hold && (reg_read(LSR) & LSR_DATA_READY))
        batch[n++] = (char)reg_read(RBR);
    spin_unlock(&uart.lock);
    if (n > 0)
        uart.receive(batch, n);
    return n > 0;
}

static void interrupt(void *ctx) {
    while (receive_batch()) {
    }
    spin_lock(&uart.room_lock);
    spin_lock(&uart.lock);
    transmit_locked();
    bool room = ring_used() <= RING / 2;
    spin_unlock(&uart.lock);
    if (room)
        wakeup(&uart.room);
    spin_unlock(&uart.room_lock);
}

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

static fdt_node find_node(void) {
    fdt_node wanted = find_stdout();
    fdt_node first = fdt_next_compatible(FDT_NONE, "ns16550a");
    for (fdt_node node = first; node != FDT_NONE; node = fdt_next_compatible(node, "ns16550a"))
        if (node == wanted)
            return node;
    return first;
}

int uart_init(void) {
    fdt_node node = find_node();
    struct fdt_reg reg;
    if (node == FDT_NONE || fdt_reg(node, 0, &reg))
        return -K_ENODEV;
    if (fdt_cell(node, "reg-shift", 0, &uart.shift))
        uart.shift = 0;
    if (fdt_cell(node, "reg-io-width", 0, &uart.width))
        uart.width = 1;
    uint32_t offset;
    if (fdt_cell(node, "reg-offset", 0, &offset))
        offset = 0;
    if (uart.shift > 4 || (uart.width != 1 && uart.width != 4) ||
        offset + (8ULL << uart.shift) > reg.size)
        return -K_ENODEV;
    char *base = kmap_device(reg.start, reg.size);
    if (!base)
        return -K_ENODEV;
    uart.base = base + offset;

    reg_write(IER, uart.ier = 0);
    wait_transmitter(LSR_IDLE); /* the firmware's last words */
    reg_write(LCR, LCR_8N1);
    reg_write(FCR, FCR_ENABLE); /* what has been typed so far stays */
    reg_write(MCR, MCR_DTR_RTS_OUT2);
    uart.depth = (reg_read(IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_DEPTH : 1;

    uint32_t irq;
    if (irq_of_node(node, &irq) == 0) {
        irq_register(irq, interrupt, NULL);
        uart.interrupts = true;
    }
    return 0;
}

void uart_start(void (*receive)(const char *text, size_t n)) {
    if (!uart.interrupts)
        return;
    spin_lock(&uart.lock);
    uart.receive = receive;
    set_interrupts_locked();
    spin_unlock(&uart.lock);
}

/* Puts in the ring what fits and starts to send it; returns how much it was. */
static size_t write_some(const char *text, size_t n) {
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
    *done = write_some(text, n);
    if (*done == n)
        return 0;
    spin_lock(&uart.room_lock);
    while (*done < n) {
        *done += write_some(text + *done, n - *done);
        if (*done == n)
            break;
        if (proc_killed()) {
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
    if (!uart.base)
        return;
    bool lock = !kprintf_lock_broken() && !spin_held(&uart.lock);
    if (lock)
        spin_lock(&uart.lock);
    transmit_now_locked(ring_used());
    for (size_t i = 0; i < n; i++) {
        wait_transmitter(LSR_THR_EMPTY);
        reg_write(THR, (uint8_t)text[i]);
    }
    /* Writers who wait for the room that this made are woken by the interrupt
     * that the last character brings: the caller may hold locks that wakeup needs. */
    if (lock)
        spin_unlock(&uart.lock);
}

void uart_hold_input(bool hold) {
    spin_lock(&uart.lock);
    uart.hold = hold;
    set_interrupts_locked();
    spin_unlock(&uart.lock);
}

void uart_drain(void) {
    if (!uart.base)
        return;
    uart_write_now("", 0);
    wait_transmitter(LSR_IDLE);
}
