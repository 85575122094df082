/* What each hart is, and does by itself: it has asked at boot, for who asks later (Linux's
 * riscv_hwprobe). */
#pragma once
#include "arch/asm.h"
#include "arch/sbi.h"

/* Loads and stores that are not aligned. */
enum misaligned {
    MISALIGNED_UNKNOWN,  /* the firmware does not count those that it does */
    MISALIGNED_TRAPS,    /* nobody does them */
    MISALIGNED_FIRMWARE, /* one traps, and the firmware does it: some hundred instructions */
    MISALIGNED_HART,     /* the hart does them */
};

struct hart_made {
    struct sbi_maker maker;
    enum misaligned misaligned;
};

extern struct hart_made hart_made[NHART]; /* by hart->index */

/* Fills the record of the hart that calls. At boot, once. */
void hart_made_init(void);
