/* What a hart reads of page tables before it is asked for: see rules.h. */
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"
#include "machine/rules/rules.h"

enum { FEW = 3 };

static uint64_t recent(const struct hart *hart, uint64_t number) {
    const struct hart_rules *rules = &hart->rules;
    unsigned count = rules->recent_count < RECENT ? rules->recent_count : RECENT;
    return count ? rules->recent[number % count] : 0;
}

static uint64_t some_kept(const struct hart *hart, uint64_t number) {
    const struct keeper *keeper = &hart->keeper;
    return keeper->count ? keeper->entries[keeper->live[number % keeper->count]].va : 0;
}

/* Half of the time. */
void speculate(struct sim *sim, struct hart *hart, uint64_t va) {
    if (!sim->options.speculate || !sim->options.keep)
        return;
    uint64_t chosen = choose(&hart->random), number = chosen >> 8;
    bool by_kept = chosen >> 3 & 1;
    switch (chosen & 7) {
    case 0: translate_ahead(sim, hart, va + 4096, by_kept); return;
    case 1: translate_ahead(sim, hart, va - 4096, by_kept); return;
    case 2: translate_ahead(sim, hart, recent(hart, number), by_kept); return;
    case 3: translate_ahead(sim, hart, some_kept(hart, number), by_kept); return;
    }
}

void speculate_forgotten(struct hart *hart, uint64_t va) {
    hart->rules.recent[hart->rules.recent_count++ % RECENT] = va;
    if (hart->rules.recent_count == 2 * RECENT) /* it counts on, and is full */
        hart->rules.recent_count = RECENT;
}

void speculate_afresh(struct sim *sim, struct hart *hart) {
    if (!sim->options.speculate || !sim->options.keep)
        return;
    for (unsigned i = 0; i < FEW; i++) {
        uint64_t number = choose(&hart->random);
        if (number & 1)
            translate_ahead(sim, hart, recent(hart, number >> 2), number & 2);
    }
}
