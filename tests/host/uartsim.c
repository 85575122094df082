/* The registers are the data sheet's (table 2), numbered here anew: what the driver takes
 * them for is what is tested. */
#include "uartsim.h"
#include "dev/fdt.h"
#include "dev/irq.h"
#include "hostarch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR };
enum { IER_RECEIVED = SIM_IER_RECEIVED, IER_THR_EMPTY = 2 };
enum { IIR_NONE = 1, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RECEIVED = 2 };
enum { LCR_DIVISOR = 0x80 };
enum { LSR_DATA_READY = 1, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };

struct uartsim sim;
static void (*irq_handler)(void *ctx);

int irq_of_node(fdt_node node, uint32_t *irq) { return fdt_cell(node, "interrupts", 0, irq); }

void irq_register(uint32_t irq, void (*handler)(void *ctx), void *ctx) {
    assert_int_equal(irq, SIM_IRQ);
    irq_handler = handler;
}

static void announce_empty(void) {
    sim.thr_pending = !sim.lose_next;
    sim.lose_next = false;
}

void sim_send_one(void) {
    assert_true(sim.sent_size < sizeof sim.sent);
    if (sim.fifo_used == 0)
        return;
    sim.sent[sim.sent_size++] = sim.fifo[0];
    memmove(sim.fifo, sim.fifo + 1, --sim.fifo_used);
    if (sim.fifo_used == 0)
        announce_empty();
}

bool sim_irq(void) {
    return (sim.ier & IER_RECEIVED && sim.keys_size) ||
           (sim.ier & IER_THR_EMPTY && sim.thr_pending);
}

void sim_raise(void) {
    for (int i = 0; sim_irq(); i++) {
        assert_true(i < 100000); /* an interrupt that is never satisfied */
        irq_handler(NULL);
    }
}

void sim_step(void) {
    for (uint64_t n = host_random_below(20); n > 0; n--)
        sim_send_one();
    sim_raise();
}

static uint32_t sim_read(uint64_t offset, unsigned bytes) {
    assert_int_equal(bytes, sim.width);
    switch (offset >> sim.shift) {
    case RBR_THR:
        assert_true(sim.keys_size > 0);
        sim.keys_size--;
        sim.just_taken = true;
        return (uint8_t)*sim.keys++;
    case IER: return sim.ier;
    case IIR_FCR: return sim.fcr & FCR_ENABLE ? IIR_FIFO | IIR_NONE : IIR_NONE;
    case LSR:
        sim.just_taken = false;
        if (sim.fifo_used && ++sim.polled % 4 == 0)
            sim_send_one(); /* time passes for those who poll, too */
        return (sim.keys_size ? LSR_DATA_READY : 0) |
               (sim.fifo_used ? 0 : LSR_THR_EMPTY | LSR_IDLE);
    }
    fail_msg("read of register %#lx", offset);
    return 0;
}

/* Switching the FIFOs on or off empties them (TL16C550, 8.6.4): off, the one character that
 * has been received. The next is on the line then; it is here when the driver looks again. */
static void write_fcr(uint8_t v) {
    if (v & FCR_CLEAR_RECEIVED || sim.fcr & ~v & FCR_ENABLE) {
        sim.keys_size = 0;
    } else if (v & ~sim.fcr & FCR_ENABLE && sim.keys_size && !sim.just_taken) {
        sim.keys++;
        sim.keys_size--;
    }
    sim.fcr = v;
}

static void sim_write(uint64_t offset, uint32_t v, unsigned bytes) {
    assert_int_equal(bytes, sim.width);
    switch (offset >> sim.shift) {
    case RBR_THR:
        assert_false(sim.lcr & LCR_DIVISOR);
        assert_true(sim.fifo_used < SIM_FIFO); /* an overrun */
        sim.fifo[sim.fifo_used++] = (char)v;
        sim.thr_pending = false;
        if (sim.instant)
            sim_send_one();
        return;
    case IER: /* enabling it anew raises the interrupt of an empty transmitter */
        if (~sim.ier & v & IER_THR_EMPTY && sim.fifo_used == 0)
            sim.thr_pending = true;
        sim.ier = (uint8_t)v;
        return;
    case IIR_FCR: write_fcr((uint8_t)v); return;
    case LCR: sim.lcr = (uint8_t)v; return;
    case MCR: return;
    }
    fail_msg("write of register %#lx", offset);
}

void sim_reset(uint32_t shift, uint32_t width, bool instant) {
    memset(&sim, 0, sizeof sim);
    sim.shift = shift;
    sim.width = width;
    sim.instant = instant;
    stub_add_device(&(struct stub_device){SIM, SIM_BYTES, sim_read, sim_write});
}

void sim_type(const char *keys, size_t n) {
    sim.keys = keys;
    sim.keys_size = n;
    sim_raise();
}
