/* See finding.h. */
#include "machine/finding.h"
#include "machine/cpu/memory.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024 };

static struct written *slot_of(struct sim *sim, uint64_t pa) {
    return &sim->written[(pa >> 3) % WRITTEN_SLOTS];
}

void finding_note_write(struct sim *sim, uint64_t pa, uint64_t bytes) {
    for (uint64_t at = pa & ~7ull; at < pa + bytes; at += 8)
        *slot_of(sim, at) = (struct written){.pa = at,
                                             .pc = sim->running ? sim->running->pc : 0,
                                             .when = sim_now(sim),
                                             .hart = sim->running ? sim->running->id : 0,
                                             .by_device = sim->running == NULL};
}

/* What the running hart has at an address that the image does not know may be a part of the image
 * that is mapped twice, as a page for the way between page tables is. */
static uint64_t known_address(struct sim *sim, uint64_t pc) {
    struct hart *hart = sim->running;
    struct place place;
    uint64_t pa;
    if (hart == NULL || hart->priv == PRIV_U || place_find(&sim->kernel, 1, pc, &place) ||
        !translate_quietly(sim, hart, pc, hart->priv, &pa))
        return pc;
    return place_find(&sim->kernel, 1, pa, &place) ? pa : pc;
}

const char *finding_place(struct sim *sim, uint64_t pc, char buffer[PLACE_BYTES]) {
    place_text(&sim->kernel, 1, known_address(sim, pc), buffer, PLACE_BYTES);
    return buffer;
}

bool finding_first_time(struct sim *sim, enum sim_rule rule, uint64_t a, uint64_t b) {
    uint64_t key = (a * 31 + b) * 31 + (uint64_t)rule;
    for (unsigned i = 0; i < sim->told_count; i++)
        if (sim->told[i] == key)
            return false;
    if (sim->told_count == TOLD_MAX)
        return false;
    sim->told[sim->told_count++] = key;
    return true;
}

void finding_tell(struct sim *sim, const struct sim_finding *finding) {
    if (sim->options.finding != NULL)
        sim->options.finding(sim->options.context, finding);
}

void finding_since(struct sim *sim, uint64_t pa, char *buffer, size_t size) {
    const struct written *w = slot_of(sim, pa);
    char where[PLACE_BYTES];
    if (w->pa != (pa & ~7ull))
        snprintf(buffer, size, "it is not known when that was written");
    else if (w->by_device)
        snprintf(buffer, size, "that was written by a device, %" PRIu64 " instructions ago",
                 sim_now(sim) - w->when);
    else
        snprintf(buffer, size, "that was written at %s by hart %u, %" PRIu64 " instructions ago",
                 finding_place(sim, w->pc, where), w->hart, sim_now(sim) - w->when);
}

uint64_t finding_writer(struct sim *sim, uint64_t pa) {
    const struct written *w = slot_of(sim, pa);
    return w->pa == (pa & ~7ull) ? w->pc : 0;
}

bool finding_written_by_other(struct sim *sim, const struct hart *hart, uint64_t pa) {
    const struct written *w = slot_of(sim, pa);
    if (w->pa != (pa & ~7ull))
        return sim->options.harts > 1;
    return !w->by_device && w->hart != hart->id;
}

void finding_stale_entry(struct sim *sim, struct hart *hart, const struct stale_use *use) {
    static const char *const what[] = {"fetched from", "loaded from", "stored to"};
    char text[TEXT_BYTES], ago[TEXT_BYTES / 2], where[PLACE_BYTES];
    const struct kept *entry = &use->by;
    if (!finding_first_time(sim, SIM_STALE_TRANSLATION, finding_writer(sim, entry->pa), use->pc))
        return;
    finding_since(sim, entry->pa, ago, sizeof(ago));
    snprintf(text, sizeof(text),
             "stale translation: hart %u %s 0x%" PRIx64 " at %s by an entry of level %u that it "
             "had kept (0x%" PRIx64 ", read %" PRIu64 " instructions before from 0x%" PRIx64
             "), where memory led to 0x%" PRIx64 " by then: %s. No sfence.vma of this hart has "
             "covered the entry since.",
             hart->id, what[use->access], use->va, finding_place(sim, use->pc, where), entry->level,
             entry->value, use->when - entry->when, entry->pa, use->memory, ago);
    finding_tell(sim, &(struct sim_finding){SIM_STALE_TRANSLATION, text, (int)hart->id, use->pc,
                                            finding_writer(sim, entry->pa)});
}

void finding_not_repaired(struct sim *sim, struct hart *hart, const struct kept *entry,
                          uint64_t va) {
    char text[TEXT_BYTES], ago[TEXT_BYTES / 2], where[PLACE_BYTES];
    if (!finding_first_time(sim, SIM_MISSING_FENCE, finding_writer(sim, entry->pa),
                            hart->spurious.pc))
        return;
    finding_since(sim, entry->pa, ago, sizeof(ago));
    snprintf(text, sizeof(text),
             "missing fence: hart %u faulted on 0x%" PRIx64 " at %s, since it had kept an entry of "
             "level %u that refuses that (0x%" PRIx64 ", from 0x%" PRIx64
             "); memory has a good one: %s. The handler has returned without an sfence.vma that "
             "covers it, so the fault may come again for ever.",
             hart->id, va, finding_place(sim, hart->spurious.pc, where), entry->level, entry->value,
             entry->pa, ago);
    finding_tell(sim, &(struct sim_finding){SIM_MISSING_FENCE, text, (int)hart->id,
                                            hart->spurious.pc, finding_writer(sim, entry->pa)});
}

void finding_stale_code(struct sim *sim, struct hart *hart, uint64_t pa) {
    char text[TEXT_BYTES], ago[TEXT_BYTES / 2], where[PLACE_BYTES];
    if (!finding_first_time(sim, SIM_STALE_CODE, finding_writer(sim, pa), hart->pc & ~4095ull))
        return;
    finding_since(sim, pa, ago, sizeof(ago));
    snprintf(text, sizeof(text),
             "stale code: hart %u executes at %s what it fetched before memory was changed: %s. No "
             "fence.i of this hart has come since.",
             hart->id, finding_place(sim, hart->pc, where), ago);
    finding_tell(sim, &(struct sim_finding){SIM_STALE_CODE, text, (int)hart->id, hart->pc,
                                            finding_writer(sim, pa)});
}
