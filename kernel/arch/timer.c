/* The timer interrupt: see timer.h. */
#include "arch/timer.h"
#include "arch/csr.h"
#include "arch/sbi.h"
#include "arch/usermem.h"

static bool have_stimecmp;

bool timer_probe(void) {
    have_stimecmp = csr_probe_stimecmp();
    return csr_probe_time();
}

void timer_set(uint64_t when) {
    if (have_stimecmp)
        csr_write(CSR_STIMECMP, when);
    else
        sbi_set_timer(when);
}
