/* Atomic instructions (unprivileged specification, chapter 8).
 *
 * Harts take turns, so an instruction is atomic by itself. A reservation ends when a device
 * stores and, with several harts, with the hart's turn: nobody can have stored in between, and SC
 * may fail whenever it wants (8.3 asks only that a loop without anything else in it ends, and a
 * turn is longer than such a loop). */
#include "machine/cpu/bits.h"
#include "machine/cpu/execute.h"
#include "machine/cpu/memory.h"
#include <string.h>

enum {
    AMO_ADD = 0,
    AMO_SWAP = 1,
    AMO_LR = 2,
    AMO_SC = 3,
    AMO_XOR = 4,
    AMO_OR = 8,
    AMO_AND = 12,
    AMO_MIN = 16,
    AMO_MAX = 20,
    AMO_MINU = 24,
    AMO_MAXU = 28
};

static bool known(unsigned function, unsigned rs2) {
    if (function == AMO_LR)
        return rs2 == 0;
    return function <= AMO_XOR || ((function & 3) == 0 && function <= AMO_MAXU);
}

static uint64_t combined(unsigned function, uint64_t a, uint64_t b) {
    switch (function) {
    case AMO_ADD: return a + b;
    case AMO_SWAP: return b;
    case AMO_XOR: return a ^ b;
    case AMO_OR: return a | b;
    case AMO_AND: return a & b;
    case AMO_MIN: return (int64_t)a < (int64_t)b ? a : b;
    case AMO_MAX: return (int64_t)a > (int64_t)b ? a : b;
    case AMO_MINU: return a < b ? a : b;
    default: return a > b ? a : b;
    }
}

/* Words are sign-extended, the operands of unsigned comparisons too: that keeps their order. */
static uint64_t load(const uint8_t *at, unsigned size) {
    uint64_t value;
    int32_t word;
    if (size == 8) {
        memcpy(&value, at, 8);
        return value;
    }
    memcpy(&word, at, 4);
    return (uint64_t)(int64_t)word;
}

enum { FENCE_PAUSE = 0x0100000f }; /* Zihintpause */

void fence_watched(struct sim *sim, struct hart *hart, uint32_t word) {
    races_fence(sim, hart, word);
    if (word == FENCE_PAUSE && sim->preempt.on)
        preempt_pause(sim, hart);
}

/* Tells of an instruction that has been executed; `done`: it has stored. */
static void tell(struct sim *sim, struct hart *hart, uint32_t w, uint64_t pa, bool done) {
    unsigned function = (unsigned)field(w, 27, 5);
    races_atomic(sim, hart,
                 &(struct races_atomic){.pa = pa,
                                        .size = 1u << field(w, 12, 3),
                                        .loads = function != AMO_SC,
                                        .stores = done,
                                        .acquires = field(w, 26, 1),
                                        .releases = field(w, 25, 1)});
    if (sim->preempt.on && hart->priv != PRIV_U)
        preempt_step(sim, hart, hart->x[field(w, 15, 5)]);
}

bool amo_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length) {
    uint32_t w = (uint32_t)op->imm;
    unsigned function = (unsigned)field(w, 27, 5), size = 1u << field(w, 12, 3);
    uint64_t va = hart->x[op->rs1], pa, b = hart->x[op->rs2], old;
    if ((size != 4 && size != 8) || !known(function, op->rs2))
        return trap_is(hart, CAUSE_ILLEGAL, w);
    uint8_t *at = memory_atomic(sim, hart, va, size,
                                function == AMO_LR ? ACCESS_LOAD : ACCESS_STORE, &pa);
    if (at == NULL)
        return false;
    old = load(at, size);
    bool stored = function != AMO_LR;
    if (function == AMO_LR) {
        hart->reserved = true;
        hart->reservation = pa;
    } else if (function == AMO_SC) {
        bool done = hart->reserved && hart->reservation == pa;
        hart->reserved = false;
        if (done) {
            bool taken = load(at, size) == 0 && b != 0;
            put_bytes(at, size, b);
            memory_written(sim, pa, size);
            if (taken)
                note_lock(sim, hart, pa);
        }
        stored = done;
        old = !done;
    } else {
        uint64_t value = combined(function, old, size == 4 ? (uint64_t)sext(b, 32) : b);
        put_bytes(at, size, value);
        memory_written(sim, pa, size);
        if (old == 0 && value != 0)
            note_lock(sim, hart, pa);
    }
    if (sim->watching)
        tell(sim, hart, w, pa, stored);
    hart->x[op->rd] = old;
    return true;
}
