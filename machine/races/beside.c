/* See beside.h. */
#include "machine/races/beside.h"
#include "machine/cpu/bits.h"
#include "machine/cpu/memory.h"
#include <string.h>

enum {
    OPCODE_FENCE = 0x0f,
    OPCODE_STORE = 0x23,
    OPCODE_STORE_FP = 0x27,
    OPCODE_AMO = 0x2f,
    OPCODE_JALR = 0x67,
    OPCODE_JAL = 0x6f,
    MODE_TSO = 8
};
enum { READ = 2, WRITE = 1 };

/* An acquire behind a load, or a full one behind a store. */
static bool is_fence(uint32_t w, bool store) {
    unsigned before = (unsigned)field(w, 24, 4), after = (unsigned)field(w, 20, 4);
    if ((w & 0x707f) != OPCODE_FENCE || !(after & READ))
        return false;
    return store ? (before & WRITE) && w >> 28 != MODE_TSO : (before & READ) != 0;
}

static bool ends_search(uint32_t w) {
    switch (w & 0x7f) {
    case 0: /* no instruction */
    case OPCODE_STORE:
    case OPCODE_STORE_FP:
    case OPCODE_AMO:
    case OPCODE_JAL:
    case OPCODE_JALR: return true;
    default: return false;
    }
}

/* The instruction, compressed ones as what they stand for; 0: there is none. */
static uint32_t instruction(struct sim *sim, struct hart *hart, uint64_t pc, unsigned *length) {
    uint16_t half[2] = {0, 0};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t pa;
        if (!translate_quietly(sim, hart, pc + 2 * i, hart->priv, &pa) || !ram_has(sim, pa, 2))
            return 0;
        memcpy(&half[i], sim->ram + (pa - RAM_BASE), 2);
        *length = instruction_is_long(half[0]) ? 4 : 2;
        if (*length == 2)
            return compressed_expand(half[0]);
    }
    return (uint32_t)half[1] << 16 | half[0];
}

bool beside_next_fence(struct sim *sim, struct hart *hart, uint64_t pc, bool store) {
    unsigned length = 0;
    uint64_t end = pc + RACES_BESIDE;
    if (instruction(sim, hart, pc, &length) == 0)
        return false;
    for (pc += length; pc <= end; pc += length) {
        uint32_t w = instruction(sim, hart, pc, &length);
        if (is_fence(w, store))
            return true;
        if (store || ends_search(w))
            return false;
    }
    return false;
}
