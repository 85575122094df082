/* See events.h. */
#include "machine/events/events.h"
#include "machine/cpu/code.h"
#include <stdlib.h>

bool events_init(struct sim *sim) {
    struct events_own *own = &sim->events.own;
    own->called = UINT64_MAX;
    if (!sim->options.events)
        return true;
    own->kept = calloc(EVENTS_KEPT, sizeof(*own->kept));
    own->marks = calloc(sim->options.ram_bytes >> 12, sizeof(*own->marks));
    sim->events.on = own->kept != NULL && own->marks != NULL;
    return sim->events.on;
}

void events_free(struct sim *sim) {
    free(sim->events.own.kept);
    free(sim->events.own.marks);
}

/* ---- recorded ------------------------------------------------------------------------------- */
void events_record(struct sim *sim, const struct sim_event *event) {
    struct events *events = &sim->events;
    if (events->count++ < events->own.known)
        return;
    events->own.kept[events->own.known++ % EVENTS_KEPT] = *event;
    if (events->own.known - events->own.first > EVENTS_KEPT)
        events->own.first++;
}

void events_trap(struct sim *sim, const struct hart *hart, uint64_t cause, uint64_t value) {
    if (!sim->events.on)
        return;
    events_record(sim, &(struct sim_event){.kind = SIM_EVENT_TRAP,
                                           .hart = (int)hart->id,
                                           .when = sim_now(sim),
                                           .pc = hart->pc,
                                           .value = {cause, value, hart->priv}});
}

void events_satp(struct sim *sim, const struct hart *hart, uint64_t value) {
    if (!sim->events.on || value == hart->satp)
        return;
    events_record(sim, &(struct sim_event){.kind = SIM_EVENT_SATP,
                                           .hart = (int)hart->id,
                                           .when = sim_now(sim),
                                           .pc = hart->pc,
                                           .value = {value, hart->satp}});
    events_root(sim, hart->id, value);
}

/* The op that the hook stands before counts as executed. */
void events_hook(struct sim *sim, uint64_t pa) {
    struct events_own *own = &sim->events.own;
    if (pa == own->function && sim->options.called != NULL)
        sim->options.called(sim->options.context);
    if (pa != own->function || own->calls_left == 0 || --own->calls_left > 0)
        return;
    own->called = sim_now(sim) - 1;
}

/* ---- asked for ------------------------------------------------------------------------------ */
uint64_t sim_events(const struct sim *sim) { return sim->events.count; }
uint64_t sim_events_known(const struct sim *sim) { return sim->events.own.known; }

bool sim_event(const struct sim *sim, uint64_t number, struct sim_event *event) {
    if (number < sim->events.own.first || number >= sim->events.own.known)
        return false;
    *event = sim->events.own.kept[number % EVENTS_KEPT];
    return true;
}

void sim_events_forget(struct sim *sim) {
    struct events_own *own = &sim->events.own;
    own->known = sim->events.count;
    if (own->first > own->known)
        own->first = own->known;
}

bool sim_watch_function(struct sim *sim, const char *name, uint64_t call) {
    struct events_own *own = &sim->events.own;
    uint64_t address;
    if (!symbols_address(&sim->kernel.symbols, name, &address))
        return false;
    own->function = place_physical(&sim->kernel, address);
    own->calls_left = call;
    own->called = UINT64_MAX;
    code_hook(sim, own->function);
    return true;
}

uint64_t sim_function_called(const struct sim *sim) { return sim->events.own.called; }

unsigned sim_roots(const struct sim *sim, struct sim_root roots[SIM_ROOTS_MAX]) {
    for (unsigned i = 0; i < sim->events.roots_count; i++)
        roots[i] = sim->events.roots[i];
    return sim->events.roots_count;
}

bool sim_written(const struct sim *sim, uint64_t pa, struct sim_event *event) {
    for (uint64_t number = sim->events.count; number-- > 0;) {
        if (!sim_event(sim, number, event))
            return false;
        if (event->kind == SIM_EVENT_TABLE && event->value[0] == (pa & ~7ull))
            return true;
    }
    return false;
}
