/* The doctor for a page. It lets the machine go on to see what harts do; that is undone here, and
 * nothing of it is told, so the run is the one without the doctor. Events that are recorded
 * meanwhile are forgotten: a page that knows already what comes must not ask for that. */
#include "machine/wasm/shell.h"

void IMPORT(page_record)(const char *line);

static void record(void *context, const char *line) { page_record(line); }

/* NULL: no memory. */
static struct sim_snapshot *go_aside(void) {
    struct sim_snapshot *before = sim_snapshot(live_sim);
    live_aside = before != NULL;
    return before;
}
/* false: no memory, and the machine cannot go on. */
static bool come_back(struct sim_snapshot *before) {
    bool good = sim_restore(live_sim, before);
    sim_snapshot_free(before);
    sim_events_forget(live_sim);
    live_aside = false;
    return good;
}

/* ---- for a page ----------------------------------------------------------------------------- */
enum live_answer { LIVE_NO, LIVE_YES, LIVE_NO_MEMORY };

/* Whether the kernel is stuck. */
enum live_answer EXPORT(live_doctor_look)(void) {
    if (!doctor_runs(live_doctor))
        return doctor_look(live_doctor) ? LIVE_YES : LIVE_NO;
    struct sim_snapshot *before = go_aside();
    if (!before)
        return LIVE_NO_MEMORY;
    bool stuck = doctor_look(live_doctor);
    return !come_back(before) ? LIVE_NO_MEMORY : stuck ? LIVE_YES : LIVE_NO;
}

/* All harts wait: whether a key would wake one. */
enum live_answer EXPORT(live_key_wakes)(void) {
    const uint8_t key = ' ';
    struct sim_snapshot *before = go_aside();
    if (!before)
        return LIVE_NO_MEMORY;
    bool wakes = sim_input(live_sim, &key, 1) == 1 && sim_run(live_sim, 1).how != SIM_WAITS;
    return !come_back(before) ? LIVE_NO_MEMORY : wakes ? LIVE_YES : LIVE_NO;
}

uint64_t EXPORT(live_doctor_quiet)(void) { return doctor_quiet(live_doctor); }

/* page_record gets each record of doctor_report. how: sim_end.how, at present. With DOCTOR_DONE the
 * machine does not go on, so it may be in the past. */
enum live_answer EXPORT(live_diagnose)(enum doctor_over over, unsigned how) {
    struct sim_end end = {.how = how, .code = live_end.code, .next_ns = live_end.next_ns};
    struct doctor *doctor = doctor_copy(live_doctor);
    struct sim_snapshot *before = NULL;
    bool good = doctor != NULL;
    if (good && over != DOCTOR_DONE) {
        before = go_aside();
        good = before != NULL;
    }
    if (good)
        doctor_report(doctor, over, end, record, NULL);
    if (before)
        good = come_back(before);
    doctor_destroy(doctor);
    return good ? LIVE_YES : LIVE_NO_MEMORY;
}
