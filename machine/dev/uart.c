/* A 16550A serial port. The wire to the PLIC follows from the state after each change. */
#include "machine/dev/uart.h"

/* Table II: registers. 0 and 1 are the divisor's while LCR_DIVISOR is set. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RECEIVED 0x01
#define IER_THR_EMPTY 0x02
#define IER_LINE_STATUS 0x04
#define IER_MASK 0x0f

/* Table IV: what interrupts, by priority. */
#define IIR_NONE 0x01
#define IIR_THR_EMPTY 0x02
#define IIR_RECEIVED 0x04
#define IIR_LINE_STATUS 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RECEIVED 0x02
#define FCR_TRIGGER_SHIFT 6

#define LCR_DIVISOR 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_MASK 0x1f

#define LSR_DATA_READY 0x01
#define LSR_OVERRUN 0x02
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE 0x40

#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

void uart_reset(struct uart *u) { *u = (struct uart){.source = u->source, .trigger = 1}; }

static uint8_t identify(const struct uart *u) {
    if (u->ier & IER_LINE_STATUS && u->overrun)
        return IIR_LINE_STATUS;
    if (u->ier & IER_RECEIVED && u->count > 0)
        return !u->fifo_on || u->count >= u->trigger ? IIR_RECEIVED : IIR_TIMEOUT;
    if (u->ier & IER_THR_EMPTY && u->thr_pending)
        return IIR_THR_EMPTY;
    return IIR_NONE;
}

static void update(struct dev_env *env, const struct uart *u) {
    env->irq(env->ctx, u->source, identify(u) != IIR_NONE);
}

static bool put(struct uart *u, uint8_t byte) {
    if (u->count == (u->fifo_on ? UART_FIFO : 1))
        return false;
    u->fifo[(u->first + u->count++) % UART_FIFO] = byte;
    return true;
}

static uint8_t take(struct uart *u) {
    if (u->count == 0)
        return 0;
    uint8_t byte = u->fifo[u->first];
    u->first = (uint8_t)((u->first + 1) % UART_FIFO);
    u->count--;
    return byte;
}

bool uart_input(struct dev_env *env, struct uart *u, uint8_t byte) {
    if (u->mcr & MCR_LOOP || !put(u, byte))
        return false;
    update(env, u);
    return true;
}

/* 8.6.3: reading it takes the transmitter's interrupt back, when it is that which is told. */
static uint8_t read_iir(struct uart *u) {
    uint8_t id = identify(u);
    if (id == IIR_THR_EMPTY)
        u->thr_pending = false;
    return id | (u->fifo_on ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart *u) {
    uint8_t status = LSR_THR_EMPTY | LSR_IDLE;
    status |= (u->count ? LSR_DATA_READY : 0) | (u->overrun ? LSR_OVERRUN : 0);
    u->overrun = false;
    return status;
}

/* The other end is always ready; in loopback it is this port (8.6.7). */
static uint8_t read_msr(const struct uart *u) {
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
           (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

uint64_t uart_read(struct dev_env *env, struct uart *u, uint64_t offset, unsigned size) {
    bool divisor = u->lcr & LCR_DIVISOR;
    uint8_t value = 0;
    switch (offset) {
    case RBR_THR: value = divisor ? u->divisor_low : take(u); break;
    case IER: value = divisor ? u->divisor_high : u->ier; break;
    case IIR_FCR: value = read_iir(u); break;
    case LCR: value = u->lcr; break;
    case MCR: value = u->mcr; break;
    case LSR: value = read_lsr(u); break;
    case MSR: value = read_msr(u); break;
    case SCR: value = u->scr; break;
    }
    update(env, u);
    return value;
}

static void send(struct dev_env *env, struct uart *u, uint8_t byte) {
    if (!(u->mcr & MCR_LOOP))
        env->console(env->ctx, byte);
    else if (!put(u, byte))
        u->overrun = true;
    u->thr_pending = true; /* it is empty again */
}

/* 8.6.4. Switching the FIFOs on or off empties them. */
static void write_fcr(struct uart *u, uint8_t value) {
    static const uint8_t triggers[] = {1, 4, 8, 14};
    bool on = value & FCR_ENABLE;
    if (on != u->fifo_on || (on && value & FCR_CLEAR_RECEIVED))
        u->count = 0;
    u->fifo_on = on;
    u->trigger = on ? triggers[value >> FCR_TRIGGER_SHIFT] : 1;
}

/* 8.6.5: its interrupt comes when it is enabled, the transmitter being empty. */
static void write_ier(struct uart *u, uint8_t value) {
    if (value & ~u->ier & IER_THR_EMPTY)
        u->thr_pending = true;
    u->ier = value & IER_MASK;
}

void uart_write(struct dev_env *env, struct uart *u, uint64_t offset, unsigned size,
                uint64_t value) {
    bool divisor = u->lcr & LCR_DIVISOR;
    uint8_t v = (uint8_t)value;
    switch (offset) {
    case RBR_THR:
        if (divisor)
            u->divisor_low = v;
        else
            send(env, u, v);
        break;
    case IER:
        if (divisor)
            u->divisor_high = v;
        else
            write_ier(u, v);
        break;
    case IIR_FCR: write_fcr(u, v); break;
    case LCR: u->lcr = v; break;
    case MCR: u->mcr = v & MCR_MASK; break;
    case SCR: u->scr = v; break;
    }
    update(env, u);
}
