/* SiFive's test finisher. */
#include "machine/dev/finisher.h"

/* The lower half of the word; the upper one is the code. */
#define COMMAND_FAIL 0x3333
#define COMMAND_PASS 0x5555
#define COMMAND_RESET 0x7777

void finisher_reset(struct finisher *f) { *f = (struct finisher){FINISHER_NOTHING, 0}; }

uint64_t finisher_read(struct dev_env *env, struct finisher *f, uint64_t offset, unsigned size) {
    return 0;
}

void finisher_write(struct dev_env *env, struct finisher *f, uint64_t offset, unsigned size,
                    uint64_t value) {
    if (offset != 0 || (size != 2 && size != 4))
        return;
    switch (value & 0xffff) {
    case COMMAND_PASS: *f = (struct finisher){FINISHER_PASS, 0}; break;
    case COMMAND_RESET: *f = (struct finisher){FINISHER_RESET, 0}; break;
    case COMMAND_FAIL:
        *f = (struct finisher){FINISHER_FAIL, size == 4 ? (uint32_t)value >> 16 : 0};
        break;
    }
}
