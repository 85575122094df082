/* The UART of SiFive's chips (FU540-C000 manual, chapter 13). The manual's watermark
 * interrupts are conditions, not events: nothing clears them but room and characters. */
#include "arch/cpu.h"
#include "dev/mmio.h"
#include "dev/uart_driver.h"
#include "lib/errno.h"
#include "mm/kmap.h"

enum { TXDATA = 0x00, RXDATA = 0x04, TXCTRL = 0x08, RXCTRL = 0x0c, IE = 0x10, IP = 0x14 };
#define SIZE 0x1c

#define DATA_FULL (1U << 31)  /* of TXDATA */
#define DATA_EMPTY (1U << 31) /* of RXDATA */
#define CTRL_ENABLE 1U
#define CTRL_WATERMARK 16 /* shift; send: interrupt below it, receive: above it */
#define INTERRUPT_ROOM 1U
#define INTERRUPT_ARRIVED 2U

static struct {
    char *base;
    uint32_t ie;
} chip;

static uint32_t reg_read(uint32_t reg) { return mmio_read32(chip.base + reg); }
static void reg_write(uint32_t reg, uint32_t v) { mmio_write32(chip.base + reg, v); }

static uint32_t room(void) { return reg_read(TXDATA) & DATA_FULL ? 0 : 1; }
static void send(char c) { reg_write(TXDATA, (uint8_t)c); }

static bool receive(char *c) {
    uint32_t data = reg_read(RXDATA);
    *c = (char)data;
    return !(data & DATA_EMPTY);
}

/* With a watermark of 1: the queue is empty. The last character is on its way then, which
 * the device does not tell. */
static bool idle(void) { return reg_read(IP) & INTERRUPT_ROOM; }

static void interrupt_on(bool arrived, bool empty) {
    uint32_t ie = (arrived ? INTERRUPT_ARRIVED : 0) | (empty ? INTERRUPT_ROOM : 0);
    if (ie != chip.ie)
        reg_write(IE, chip.ie = ie);
}

static int start(fdt_node node) {
    struct fdt_reg reg;
    if (fdt_reg(node, 0, &reg) || reg.size < SIZE)
        return -K_ENODEV;
    chip.base = kmap_device(reg.start, reg.size);
    if (!chip.base)
        return -K_ENODEV;
    reg_write(IE, chip.ie = 0);
    reg_write(TXCTRL, CTRL_ENABLE | 1U << CTRL_WATERMARK);
    reg_write(RXCTRL, CTRL_ENABLE); /* watermark 0: one character is enough */
    return 0;
}

const struct uart_driver sifive_uart = {"sifive,uart0", start, room,        send,
                                        receive,        idle,  interrupt_on};
