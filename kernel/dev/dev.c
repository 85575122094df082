/* The order in which devices come up. */
#include "dev/dev.h"
#include "dev/blk.h"
#include "dev/console.h"
#include "dev/irq.h"
#include "dev/poweroff.h"
#include "dev/random.h"
#include "dev/rtc.h"

void dev_init(void) {
    poweroff_init();
    irq_init();
    console_init();
    rtc_init();
    random_init();
    blk_init();
}

void dev_init_hart(void) { irq_init_hart(); }
