/* What a page asks a machine that does not run: events, roots, what harts keep, who has what; and
 * snapshots. What is more than a number is told as numbers of 64 bits in one room, which the next
 * call writes anew. */
#include "machine/wasm/shell.h"
#include <stdlib.h>

enum { KEPT_MOST = 1024, FRAMES_MOST = 4096, WORDS = 8 };

static uint64_t room[KEPT_MOST * WORDS];

/* ---- snapshots: of the machine, and of what the doctor has seen of it ----------------------- */
struct live_snapshot {
    struct sim_snapshot *sim;
    struct doctor *doctor;
};

void EXPORT(live_snapshot_free)(struct live_snapshot *snapshot) {
    if (!snapshot)
        return;
    if (snapshot->sim)
        sim_snapshot_free(snapshot->sim);
    doctor_destroy(snapshot->doctor);
    free(snapshot);
}
/* NULL: no memory. */
struct live_snapshot *EXPORT(live_snapshot)(void) {
    struct live_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot)
        return NULL;
    snapshot->doctor = doctor_copy(live_doctor);
    snapshot->sim = sim_snapshot(live_sim);
    if (snapshot->doctor && snapshot->sim)
        return snapshot;
    live_snapshot_free(snapshot);
    return NULL;
}
bool EXPORT(live_restore)(const struct live_snapshot *snapshot) {
    struct doctor *doctor = doctor_copy(snapshot->doctor);
    if (!doctor)
        return false;
    doctor_destroy(live_doctor);
    live_doctor = doctor;
    return sim_restore(live_sim, snapshot->sim);
}

/* ---- events --------------------------------------------------------------------------------- */
uint64_t EXPORT(live_events)(void) { return sim_events(live_sim); }
uint64_t EXPORT(live_events_known)(void) { return sim_events_known(live_sim); }
void EXPORT(live_events_forget)(void) { sim_events_forget(live_sim); }

static const uint64_t *told(const struct sim_event *e) {
    const uint64_t words[WORDS] = {e->kind,     (uint64_t)e->hart, e->when,     e->pc,
                                   e->value[0], e->value[1],       e->value[2], e->level};
    for (unsigned i = 0; i < WORDS; i++)
        room[i] = words[i];
    return room;
}

/* Kind, hart, when, pc, the three values, level; NULL: it is not recorded. */
const uint64_t *EXPORT(live_event)(uint64_t number) {
    struct sim_event event;
    return sim_event(live_sim, number, &event) ? told(&event) : NULL;
}
const uint64_t *EXPORT(live_written)(uint64_t pa) {
    struct sim_event event;
    return sim_written(live_sim, pa, &event) ? told(&event) : NULL;
}

/* ---- roots, entries, frames ----------------------------------------------------------------- */
const uint64_t *EXPORT(live_words)(void) { return room; }

/* How many there are; each as address, ASID, levels, switches, when, hart. */
unsigned EXPORT(live_roots)(void) {
    struct sim_root roots[SIM_ROOTS_MAX];
    unsigned count = sim_roots(live_sim, roots);
    for (unsigned i = 0; i < count; i++) {
        const struct sim_root *r = &roots[i];
        const uint64_t words[WORDS] = {r->pa, r->asid, r->levels, r->switches, r->when, r->hart};
        for (unsigned j = 0; j < WORDS; j++)
            room[WORDS * i + j] = words[j];
    }
    return count;
}

/* The program's name, and its number in live_words; NULL: it is no process's table. */
const char *EXPORT(live_owner)(uint64_t root) {
    static struct sim_owner owner;
    if (!sim_owner(live_sim, root, &owner))
        return NULL;
    room[0] = (uint64_t)owner.pid;
    return owner.name;
}

/* Of what a hart keeps: va, pa, value, when, what memory has, ASID, level, whether it is global. */
unsigned EXPORT(live_kept)(unsigned hart) {
    struct sim_kept k;
    unsigned count = 0;
    for (; count < KEPT_MOST && sim_kept(live_sim, hart, count, &k); count++) {
        const uint64_t words[WORDS] = {k.va,     k.pa,   k.value, k.when,
                                       k.memory, k.asid, k.level, k.global};
        for (unsigned j = 0; j < WORDS; j++)
            room[WORDS * count + j] = words[j];
    }
    return count;
}

/* From a page on, so many of them at most; each as what it is (sim_frame.is) and from where. */
unsigned EXPORT(live_frames)(uint64_t pa, unsigned most) {
    struct sim_frame frame;
    unsigned count = 0;
    for (; count < most && count < FRAMES_MOST && sim_frame(live_sim, pa, &frame); count++) {
        room[2 * count] = frame.is;
        room[2 * count + 1] = frame.from;
        pa += 4096;
    }
    return count;
}

/* When, and by which hart, the page was taken or given back. */
const uint64_t *EXPORT(live_frame)(uint64_t pa) {
    struct sim_frame frame;
    if (!sim_frame(live_sim, pa, &frame))
        return NULL;
    room[0] = frame.is;
    room[1] = frame.from;
    room[2] = frame.when;
    room[3] = frame.hart;
    return room;
}

/* ---- functions ------------------------------------------------------------------------------ */
bool EXPORT(live_watch)(const char *name, uint64_t call) {
    return sim_watch_function(live_sim, name, call);
}
uint64_t EXPORT(live_called)(void) { return sim_function_called(live_sim); }
unsigned EXPORT(live_run_to_jump)(unsigned hart, uint64_t instructions) {
    return sim_run_to_jump(live_sim, hart, instructions, &live_end);
}
