/* See made.h. How fast a misaligned load is says nobody, and a measured time would depend on what
 * else the machine does, or, where it is emulated, the host. But the firmware counts those that it
 * has to do: one that works and was not counted was the hart's own. */
#include "arch/made.h"
#include "arch/hart.h"
#include "arch/usermem.h"

struct hart_made hart_made[NHART];

#define LINE 64 /* bytes: of the caches of most harts */

static enum misaligned look(void) {
    static const uint8_t lines[2 * LINE] __attribute__((aligned(2 * LINE)));
    uint64_t counter, n;
    if (sbi_count_begin(SBI_MISALIGNED_LOAD, &counter))
        return MISALIGNED_UNKNOWN; /* nothing misaligned is tried for nothing */
    bool works = probe_misaligned(lines);
    if (sbi_count_end(counter, &n))
        return MISALIGNED_UNKNOWN;
    return !works ? MISALIGNED_TRAPS : n ? MISALIGNED_FIRMWARE : MISALIGNED_HART;
}

void hart_made_init(void) {
    struct hart_made *m = &hart_made[hart_self()->index];
    sbi_maker(&m->maker);
    m->misaligned = look();
}
