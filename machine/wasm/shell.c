/* The machine for a page of a browser: what the page calls, and the two functions of it that the
 * machine calls. All is kept in one memory, which has one machine.
 *
 * Strings are UTF-8 and end with 0. The page asks for the room of what it hands over
 * (live_room), and never gives it back: the next machine has a new memory. */
#include "machine/wasm/shell.h"
#include <stdlib.h>
#include <string.h>

void IMPORT(page_console)(unsigned byte);
void IMPORT(page_finding)(const char *text);

enum { PATIENCE = 30 }; /* seconds: doctor_create */

enum live_option {
    LIVE_HARTS,
    LIVE_MIB, /* of RAM */
    LIVE_SEED,
    LIVE_MODE, /* 0: as the kernel's file says, 1: S-mode, 2: M-mode */
    LIVE_LEGACY_DISK,
    LIVE_SVADU,
};

struct sim *live_sim;
struct sim_end live_end;
struct doctor *live_doctor;
bool live_aside;
static struct {
    struct sim_options options;
    bool begun; /* the options have their defaults */
    unsigned mode;
    char text[512];
} live;

static struct sim_options *options(void) {
    if (!live.begun)
        live.options = sim_defaults();
    live.begun = true;
    return &live.options;
}

static void console(void *context, uint8_t byte) {
    if (live_aside)
        return;
    doctor_console(live_doctor, byte);
    page_console(byte);
}
static void finding(void *context, const struct sim_finding *f) {
    if (live_aside)
        return;
    doctor_finding(live_doctor, f);
    page_finding(f->text);
}

/* ---- made ----------------------------------------------------------------------------------- */
void *EXPORT(live_room)(size_t bytes) { return malloc(bytes); }

void EXPORT(live_option)(enum live_option which, uint64_t value) {
    struct sim_options *o = options();
    switch (which) {
    case LIVE_HARTS: o->harts = (unsigned)value; break;
    case LIVE_MIB: o->ram_bytes = value << 20; break;
    case LIVE_SEED: o->seed = value; break;
    case LIVE_MODE: live.mode = (unsigned)value; break;
    case LIVE_LEGACY_DISK: o->legacy_disk = value; break;
    case LIVE_SVADU: o->svadu = value; break;
    }
}

void EXPORT(live_append)(const char *words) { options()->append = words; }

void EXPORT(live_kernel)(const uint8_t *bytes, size_t size, const char *name) {
    options()->kernel = (struct sim_image){bytes, size, name};
}

void EXPORT(live_disk)(unsigned which, const uint8_t *bytes, size_t size, const char *name) {
    if (which < SIM_DISKS_MAX)
        options()->disks[which] = (struct sim_image){bytes, size, name};
}

/* NULL, or a sentence that says why there is no machine. */
const char *EXPORT(live_create)(void) {
    struct sim_options *o = options();
    o->machine_mode = live.mode == 0 ? sim_begins_in_machine_mode(&o->kernel) : live.mode == 2;
    o->misaligned = !o->machine_mode; /* as firmwares do for S-mode and user programs */
    o->console = console;
    o->finding = finding;
    o->events = o->locks = true;
    o->checks &= ~(unsigned)DOCTOR_CHECKS; /* the doctor says what these find, and says more */
    live_sim = sim_create(o, live.text, sizeof(live.text));
    if (!live_sim)
        return live.text;
    live_doctor = doctor_create(live_sim, o->harts, PATIENCE);
    return live_doctor ? NULL : "no memory";
}

/* ---- run ------------------------------------------------------------------------------------ */
/* How it ended: sim_end.how. */
unsigned EXPORT(live_run)(uint64_t instructions) {
    live_end = sim_run(live_sim, instructions);
    return live_end.how;
}

unsigned EXPORT(live_how)(void) { return live_end.how; }
unsigned EXPORT(live_code)(void) { return live_end.code; }
uint64_t EXPORT(live_next_ns)(void) { return live_end.next_ns; }
void EXPORT(live_skip)(uint64_t ns) { sim_skip(live_sim, ns); }
size_t EXPORT(live_input)(const uint8_t *bytes, size_t count) {
    return sim_input(live_sim, bytes, count);
}

uint64_t EXPORT(live_instructions)(void) { return sim_instructions(live_sim); }
uint64_t EXPORT(live_nanoseconds)(void) { return sim_nanoseconds(live_sim); }

/* ---- looked into ---------------------------------------------------------------------------- */
unsigned EXPORT(live_last_hart)(void) { return sim_last_hart(live_sim); }
uint64_t EXPORT(live_register)(unsigned hart, unsigned which) {
    return sim_register(live_sim, hart, which);
}

/* Where the bytes of RAM have been put, at most a page of them; NULL when some are no RAM. */
const uint8_t *EXPORT(live_memory)(uint64_t pa, size_t bytes) {
    static uint8_t room[4096];
    return bytes <= sizeof(room) && sim_memory(live_sim, pa, room, bytes) ? room : NULL;
}

/* Where a hart has it; 0: nowhere. */
uint64_t EXPORT(live_physical)(unsigned hart, uint64_t va) {
    uint64_t pa;
    return sim_physical(live_sim, hart, va, &pa) ? pa : 0;
}

const char *EXPORT(live_place)(uint64_t address) {
    sim_place(live_sim, address, live.text, sizeof(live.text));
    return live.text;
}
