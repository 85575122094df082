/* Steps from function to function, by the calls and returns that a hart makes: unprivileged
 * specification, table 2.1. A jump is one of them by its link register, x1 or x5. */
#include "machine/cpu/bits.h"
#include "machine/cpu/decode.h"
#include "machine/cpu/memory.h"
#include <string.h>

enum { RA = 1, T0 = 5, MAJOR_JAL = 0x6f, MAJOR_JALR = 0x67 };

static bool is_link(uint64_t reg) { return reg == RA || reg == T0; }

/* The instruction at pc as memory has it, in its form of 32 bits; 0: nobody can say. */
static uint32_t word_at(struct sim *sim, struct hart *hart, uint64_t pc) {
    uint16_t half[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t pa;
        if (!translate_quietly(sim, hart, pc + 2 * i, hart->priv, &pa) || !ram_has(sim, pa, 2))
            return 0;
        memcpy(&half[i], sim->ram + (pa - RAM_BASE), 2);
        if (!instruction_is_long(half[0]))
            return compressed_expand(half[0]);
    }
    return (uint32_t)half[1] << 16 | half[0];
}

static enum sim_jump jump_of(uint32_t word) {
    uint64_t major = field(word, 0, 7);
    if (major != MAJOR_JAL && major != MAJOR_JALR)
        return SIM_NO_JUMP;
    if (is_link(field(word, 7, 5)))
        return SIM_CALL;
    return major == MAJOR_JALR && is_link(field(word, 15, 5)) ? SIM_RETURN : SIM_NO_JUMP;
}

enum sim_jump sim_run_to_jump(struct sim *sim, unsigned hart, uint64_t instructions,
                              struct sim_end *end) {
    struct hart *h = &sim->harts[hart];
    *end = (struct sim_end){.how = SIM_RUNS};
    while (instructions-- > 0 && end->how == SIM_RUNS) {
        uint64_t before = h->instret;
        enum sim_jump jump = jump_of(word_at(sim, h, h->pc));
        *end = sim_run(sim, 1);
        if (jump != SIM_NO_JUMP && h->instret != before)
            return jump;
    }
    return SIM_NO_JUMP;
}
