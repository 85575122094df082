/* See preempt.h. */
#include "machine/races/preempt.h"
#include "machine/image/sort.h"
#include "machine/machine.h"
#include <stdio.h>
#include <stdlib.h>

_Static_assert(SIM_HARTS_MAX == sizeof(((struct preempt *)0)->priority) / sizeof(int64_t),
               "a priority for each hart");

/* A random order of the harts. */
static void give_priorities(struct preempt *p, unsigned harts, uint64_t *random) {
    for (unsigned i = 0; i < harts; i++) {
        unsigned other = (unsigned)(choose(random) % (i + 1));
        p->priority[i] = p->priority[other];
        p->priority[other] = i + 1;
    }
}

static bool is_less(const void *a, const void *b) {
    return *(const uint64_t *)a < *(const uint64_t *)b;
}

bool preempt_init(struct sim *sim, char *error, size_t error_size) {
    struct preempt *p = &sim->preempt;
    const struct sim_options *o = &sim->options;
    uint64_t random = (o->seed + 1) * 0xd1342543de82ef95ull | 1;
    p->on = o->preempt > 0;
    if (!p->on)
        return true;
    for (unsigned i = 0; i < 8; i++) /* the first numbers of similar seeds are similar */
        choose(&random);
    give_priorities(p, o->harts, &random);
    if (o->preempt_length == 0)
        return true;
    p->points = calloc(o->preempt, sizeof(*p->points));
    if (p->points == NULL) {
        snprintf(error, error_size, "no memory for so many changes of priority");
        return false;
    }
    p->count = o->preempt;
    for (uint32_t i = 0; i < p->count; i++)
        p->points[i] = 1 + choose(&random) % o->preempt_length;
    sort(p->points, p->count, sizeof(*p->points), is_less);
    return true;
}

void preempt_free(struct sim *sim) { free(sim->preempt.points); }

static void demote(struct preempt *p, unsigned hart) { p->priority[hart] = --p->lowest; }

void preempt_step(struct sim *sim, struct hart *hart, uint64_t va) {
    struct preempt *p = &sim->preempt;
    bool again = p->last[hart->id].pc == hart->pc && p->last[hart->id].va == va;
    if (again)
        return;
    p->last[hart->id].pc = hart->pc;
    p->last[hart->id].va = va;
    p->steps++;
    if (p->next == p->count || p->points[p->next] > p->steps)
        return;
    while (p->next < p->count && p->points[p->next] <= p->steps)
        p->next++;
    demote(p, hart->id);
    hart_yield(hart);
}

void preempt_pause(struct sim *sim, struct hart *hart) {
    demote(&sim->preempt, hart->id);
    hart_yield(hart);
}

static struct hart *highest(struct sim *sim, unsigned *others) {
    struct hart *best = NULL;
    *others = 0;
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct hart *hart = &sim->harts[i];
        if (hart->state != HART_STARTED || hart->waiting)
            continue;
        *others += best != NULL;
        if (best == NULL || sim->preempt.priority[i] > sim->preempt.priority[best->id])
            best = hart;
    }
    return best;
}

struct hart *preempt_choose(struct sim *sim) {
    struct preempt *p = &sim->preempt;
    unsigned others;
    struct hart *hart = highest(sim, &others);
    if (hart == NULL)
        return NULL;
    if (hart->id != p->hart || others == 0) {
        p->hart = hart->id;
        p->since = sim->executed;
    } else if (sim->executed - p->since > PREEMPT_ALONE) {
        demote(p, hart->id);
        hart = highest(sim, &others);
        p->hart = hart->id;
        p->since = sim->executed;
    }
    return hart;
}
