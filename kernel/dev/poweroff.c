/* Switching the machine off: through QEMU's test finisher, which hands an exit
 * status to whoever runs the emulator, else through the firmware. */
#include "arch/cpu.h"
#include "arch/hart.h"
#include "arch/sbi.h"
#include "dev/dev.h"
#include "dev/fdt.h"
#include "dev/mmio.h"
#include "dev/poweroff.h"
#include "dev/uart.h"
#include "lib/printf.h"
#include "mm/kmap.h"

/* SiFive test finisher: one register, a code and a status above it. */
#define FINISHER_PASS 0x5555U
#define FINISHER_FAIL 0x3333U
#define FINISHER_RESET 0x7777U

static char *finisher; /* NULL: none */

void poweroff_init(void) {
    fdt_node node = fdt_next_compatible(FDT_NONE, "sifive,test0");
    struct fdt_reg reg;
    if (node != FDT_NONE && fdt_reg(node, 0, &reg) == 0)
        finisher = kmap_device(reg.start, reg.size);
}

void machine_poweroff(int status) {
    uart_drain();
    if (finisher) {
        uint32_t code = (uint32_t)status & 0xff;
        if (status != 0 && code == 0)
            code = 1;
        mmio_write32(finisher, status == 0 ? FINISHER_PASS : code << 16 | FINISHER_FAIL);
        fence_io();
    }
    /* The firmware has no status to pass on, and not every one comes back or succeeds. */
    kprintf("[trellis] ended with status %d; the machine can be switched off\n", status);
    sbi_shutdown(status != 0);
    hart_stop();
}

void machine_restart(void) {
    uart_drain();
    if (finisher) {
        mmio_write32(finisher, FINISHER_RESET);
        fence_io();
    }
    sbi_restart();
    machine_poweroff(0);
}
