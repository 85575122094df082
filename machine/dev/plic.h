/* The platform-level interrupt controller (RISC-V PLIC specification 1.0), as SiFive's with 96
 * sources, 0 being none, priorities 0 to 7, and two contexts for each hart: 2h is machine mode of
 * hart h, 2h + 1 supervisor mode. Registers have 4 bytes and are accessed whole.
 *
 * The gateways are level-triggered: a source whose wire is high becomes pending, stays it until it
 * is claimed, and is not pending again before it has been completed. */
#pragma once
#include "machine/dev/env.h"

#define PLIC_SOURCES 96
#define PLIC_CONTEXTS 16
#define PLIC_WORDS (PLIC_SOURCES / 32)
#define PLIC_BYTES 0x600000

struct plic {
    uint8_t priority[PLIC_SOURCES];
    /* Bit s % 32 of word s / 32 is source s. */
    uint32_t level[PLIC_WORDS];
    uint32_t pending[PLIC_WORDS];
    uint32_t claimed[PLIC_WORDS]; /* and not completed */
    uint32_t enabled[PLIC_CONTEXTS][PLIC_WORDS];
    uint8_t threshold[PLIC_CONTEXTS];
    bool raised[PLIC_CONTEXTS]; /* follows from the rest */
};

/* All wires are low; a device that holds its own high has to say so again. */
void plic_reset(struct plic *p);
uint64_t plic_read(struct dev_env *env, struct plic *p, uint64_t offset, unsigned size);
void plic_write(struct dev_env *env, struct plic *p, uint64_t offset, unsigned size,
                uint64_t value);

/* The wire of a source; of one that is not there it does nothing. */
void plic_set(struct plic *p, unsigned source, bool level);

/* Whether a context's external interrupt is raised: an enabled source is pending with a priority
 * above the threshold. Cheap, to be asked between instructions. */
static inline bool plic_pending(const struct plic *p, unsigned context) {
    return context < PLIC_CONTEXTS && p->raised[context];
}
