/* See tell.h. */
#include "machine/races/tell.h"
#include "machine/finding.h"
#include "machine/races/beside.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024 };

static bool is_beside(struct sim *sim, struct hart *hart, const struct access_made *access) {
    return access->beside || beside_next_fence(sim, hart, access->pc, access->store);
}

static bool is_racy_at(const struct sim *sim, uint64_t address) {
    const struct profile *profile = &sim->frames.profile;
    for (unsigned i = 0; i < profile->racy_count; i++)
        if (address - profile->racy[i].start < profile->racy[i].size)
            return true;
    return false;
}

static bool is_in_racy_file(const struct sim *sim, uint64_t pc) {
    const struct profile *profile = &sim->frames.profile;
    struct place place;
    if (profile->racy_file_count == 0 || !place_find(&sim->kernel, 1, pc, &place) ||
        place.line.line == 0)
        return false;
    const char *slash = strrchr(place.line.file, '/');
    for (unsigned i = 0; i < profile->racy_file_count; i++)
        if (strcmp(slash ? slash + 1 : place.line.file, profile->racy_files[i]) == 0)
            return true;
    return false;
}

static bool is_racy(const struct sim *sim, uint64_t pc) {
    return is_racy_at(sim, pc) || is_in_racy_file(sim, pc);
}

/* Whether the two places were judged before; they are now. */
static bool was_judged(struct sim *sim, const struct access_made *a, const struct access_made *b) {
    uint64_t key = ((a->pc * 31 + b->pc) << 2 | (uint64_t)a->beside << 1 | (uint64_t)b->beside) + 1;
    uint64_t *slot = &sim->races.judged[key * 0x9e3779b97f4a7c15ull >> 54];
    bool was = *slot == key;
    *slot = key;
    return was;
}

void tell_race(struct sim *sim, struct hart *hart, uint64_t va, const struct access_made *first,
               const struct access_made *second) {
    char text[TEXT_BYTES], here[PLACE_BYTES], there[PLACE_BYTES];
    bool rising = first->pc < second->pc;
    if (is_racy_at(sim, va) || was_judged(sim, first, second) || is_racy(sim, first->pc) ||
        is_racy(sim, second->pc) || (is_beside(sim, hart, first) && is_beside(sim, hart, second)) ||
        !finding_first_time(sim, SIM_RACE, rising ? first->pc : second->pc,
                            rising ? second->pc : first->pc))
        return;
    snprintf(text, sizeof(text),
             "race: hart %u %s 0x%" PRIx64 " at %s, which hart %u has %s at %s, %" PRIu64
             " instructions ago; nothing orders the two.",
             second->hart, second->store ? "stores to" : "loads from", va,
             finding_place(sim, second->pc, here), first->hart,
             first->store ? "stored to" : "loaded from", finding_place(sim, first->pc, there),
             (uint64_t)(second->when - first->when));
    finding_tell(sim, &(struct sim_finding){SIM_RACE, text, (int)hart->id, second->pc, first->pc});
}
