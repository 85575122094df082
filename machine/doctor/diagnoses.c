/* A diagnosis and its facts. */
#include "machine/doctor/inside.h"
#include <inttypes.h>
#include <stdio.h>

struct diagnosis *diagnosis_new(struct doctor *d, const char *name, unsigned weight, int hart) {
    struct diagnosis *to = &d->list[d->count];
    if (d->count < DIAGNOSES - 1) /* the last is for all that have no room */
        d->count++;
    *to = (struct diagnosis){.weight = weight, .hart = hart};
    letters_copy(to->name, sizeof(to->name), name);
    return to;
}

void fact_text(struct diagnosis *d, const char *name, const char *text) {
    if (d->fact_count == FACTS)
        return;
    struct fact *fact = &d->facts[d->fact_count++];
    fact->name = name;
    letters_copy(fact->text, sizeof(fact->text), text);
}

void fact_hex(struct diagnosis *d, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    fact_text(d, name, text);
}

void fact_number(struct diagnosis *d, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    fact_text(d, name, text);
}

void fact_place(const struct doctor *doctor, struct diagnosis *d, const char *name,
                uint64_t address) {
    char place[PLACE_ROOM];
    sim_place(doctor->sim, address, place, sizeof(place));
    fact_text(d, name, place);
}

/* By weight; of those alike the one that came first. */
void diagnoses_sort(struct doctor *d) {
    for (unsigned i = 1; i < d->count; i++)
        for (unsigned j = i; j > 0 && d->list[j].weight > d->list[j - 1].weight; j--) {
            struct diagnosis moved = d->list[j];
            d->list[j] = d->list[j - 1];
            d->list[j - 1] = moved;
        }
}
