/* The order in which devices come up. */
#include "dev/dev.h"
#include "dev/blk.h"
#include "dev/console.h"
#include "dev/irq.h"
#include "dev/poweroff.h"
#include "lib/printf.h"

void dev_init(void) {
    poweroff_init();
    if (irq_init())
        kprintf("plic: none in the device tree\n");
    console_init();
    blk_init();
}

void dev_init_hart(void) { irq_init_hart(); }
