/* The harts' records. */
#include "arch/hart.h"
#include "arch/csr.h"

struct hart harts[NHART];
uint32_t hart_count;

void hart_stop(void) {
    csr_write(sie, 0);
    for (;;)
        wait_for_interrupt();
}
