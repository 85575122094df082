/* NS16550A. IIR, whose reading would clear a transmit interrupt, is read at the start only. */
#include "arch/cpu.h"
#include "dev/mmio.h"
#include "dev/uart_driver.h"
#include "lib/errno.h"
#include "mm/kmap.h"

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

static struct {
    char *base;
    uint32_t shift, width;
    uint32_t depth; /* characters that fit in an empty transmitter */
    uint8_t ier;
    bool has_early;
    char early; /* was received before start */
} chip;

static uint8_t reg_read(uint32_t reg) {
    char *p = chip.base + ((uint64_t)reg << chip.shift);
    return chip.width == 4 ? (uint8_t)mmio_read32(p) : mmio_read8(p);
}

static void reg_write(uint32_t reg, uint8_t v) {
    char *p = chip.base + ((uint64_t)reg << chip.shift);
    if (chip.width == 4)
        mmio_write32(p, v);
    else
        mmio_write8(p, v);
}

static uint32_t room(void) { return reg_read(LSR) & LSR_THR_EMPTY ? chip.depth : 0; }
static void send(char c) { reg_write(THR, (uint8_t)c); }
static bool idle(void) { return reg_read(LSR) & LSR_IDLE; }

static bool take_received(char *c) {
    if (!(reg_read(LSR) & LSR_DATA_READY))
        return false;
    *c = (char)reg_read(RBR);
    return true;
}

static bool receive(char *c) {
    if (!chip.has_early)
        return take_received(c);
    *c = chip.early;
    chip.has_early = false;
    return true;
}

static void interrupt_on(bool arrived, bool empty) {
    uint8_t ier = (arrived ? IER_RECEIVED : 0) | (empty ? IER_THR_EMPTY : 0);
    if (ier != chip.ier)
        reg_write(IER, chip.ier = ier);
}

static bool fifos_are_on(void) { return (reg_read(IIR) & IIR_FIFO) == IIR_FIFO; }

/* Going on, they are emptied (TL16C550, 8.6.4), and off, they hold one character. */
static void switch_fifos_on(void) {
    chip.has_early = !fifos_are_on() && take_received(&chip.early);
    reg_write(FCR, FCR_ENABLE);
    chip.depth = fifos_are_on() ? FIFO_DEPTH : 1;
}

static int start(fdt_node node) {
    struct fdt_reg reg;
    if (fdt_reg(node, 0, &reg))
        return -K_ENODEV;
    if (fdt_cell(node, "reg-shift", 0, &chip.shift))
        chip.shift = 0;
    if (fdt_cell(node, "reg-io-width", 0, &chip.width))
        chip.width = 1;
    uint32_t offset;
    if (fdt_cell(node, "reg-offset", 0, &offset))
        offset = 0;
    if (chip.shift > 4 || (chip.width != 1 && chip.width != 4) ||
        offset + (8ULL << chip.shift) > reg.size)
        return -K_ENODEV;
    char *base = kmap_device(reg.start, reg.size);
    if (!base)
        return -K_ENODEV;
    chip.base = base + offset;

    reg_write(IER, chip.ier = 0);
    while (!idle()) /* the firmware's last words */
        cpu_relax();
    reg_write(LCR, LCR_8N1);
    switch_fifos_on();
    reg_write(MCR, MCR_DTR_RTS_OUT2);
    return 0;
}

const struct uart_driver ns16550 = {"ns16550a", start, room, send, receive, idle, interrupt_on};
