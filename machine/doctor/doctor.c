/* See doctor.h: looking on while the machine runs. */
#include "machine/doctor/inside.h"
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2000 }; /* of each hart, to see whether it spins */
#define AFTER_PANIC 20000000ull
#define CLOSER 20000000ull /* instructions without a sign until a closer look, and the next one */

struct doctor *doctor_create(struct sim *sim, unsigned harts, uint64_t seconds) {
    struct doctor *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->sim = sim;
    d->harts = harts;
    d->seconds = seconds;
    return d;
}

struct doctor *doctor_copy(const struct doctor *d) {
    struct doctor *copy = malloc(sizeof(*copy));
    if (copy != NULL)
        *copy = *d;
    return copy;
}

void doctor_destroy(struct doctor *d) { free(d); }

void doctor_console(struct doctor *d, uint8_t byte) {
    console_put(&d->console, byte, sim_instructions(d->sim));
}

static bool something_happened(struct doctor *d) {
    uint64_t requests = sim_requests(d->sim);
    if (requests == d->requests && d->console.bytes == d->bytes)
        return false;
    d->requests = requests;
    d->bytes = d->console.bytes;
    d->happened = d->traced = sim_instructions(d->sim);
    d->happened_ns = sim_nanoseconds(d->sim);
    memset(d->spun, 0, sizeof(d->spun));
    return true;
}

/* Whether a hart is in a loop of exceptions now, and was at the last look. */
static bool loops(struct doctor *d) {
    bool found = false;
    for (unsigned hart = 0; hart < d->harts; hart++) {
        struct sim_exception newest;
        bool now = fault_loops(d, hart, &newest);
        found |= now && d->looped[hart] != 0 && newest.again > d->looped[hart];
        d->looped[hart] = now ? newest.again : 0;
    }
    return found;
}

bool doctor_runs(const struct doctor *d) { return sim_instructions(d->sim) - d->traced >= CLOSER; }

uint64_t doctor_quiet(const struct doctor *d) { return sim_instructions(d->sim) - d->happened; }

/* Whether a hart spins with interrupts off, and did so at the same lock at the last look. */
static bool spins(struct doctor *d) {
    struct activity activity[SIM_HARTS_MAX];
    bool found = false;
    if (!doctor_runs(d))
        return false;
    d->traced = sim_instructions(d->sim);
    trace(d->sim, d->harts, (uint64_t)STEPS * d->harts, activity);
    for (unsigned hart = 0; hart < d->harts; hart++) {
        const struct activity *a = &activity[hart];
        uint64_t lock = a->steps > 0 && trace_spins(a) && !a->interruptible ? a->lock : 0;
        found |= lock != 0 && lock == d->spun[hart];
        d->spun[hart] = lock;
    }
    return found;
}

bool doctor_look(struct doctor *d) {
    uint64_t now = sim_instructions(d->sim);
    if (d->console.panic[0] != 0 && now - d->console.panic_at > AFTER_PANIC)
        return true;
    if (loops(d))
        return true;
    if (something_happened(d))
        return false;
    return now - d->happened > d->seconds * DOCTOR_BUSY ||
           sim_nanoseconds(d->sim) - d->happened_ns > d->seconds * 1000000000ull || spins(d);
}
