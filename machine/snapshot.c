/* Snapshots: see sim.h.
 *
 * A machine's struct is copied with as many harts as there are. What it points to is done for
 * itself: RAM as blocks that snapshots share, disks as copies, what harts have fetched. Kept for
 * speed alone, but copied too, are the tlbs: so nothing has to be proved of what a hart would do
 * without them. */
#include "machine/cpu/fetched.h"
#include <stdlib.h>
#include <string.h>

struct sim_snapshot {
    struct sim *sim; /* with the harts that there are; its pointers are not to be followed */
    uint8_t *page_flags;
    uint16_t *page_kept;
    struct frame *frames;     /* NULL: the machine looks after none */
    struct table_mark *marks; /* NULL: it records no events */
    struct shadow shadow;     /* of races */
    struct blocks ram;
    struct disk disk[SIM_DISKS_MAX];
    struct fetched fetched[SIM_HARTS_MAX];
};

static size_t bytes_of(const struct sim *sim) {
    return offsetof(struct sim, harts) + sim->options.harts * sizeof(struct hart);
}
static uint64_t pages_of(const struct sim *sim) { return sim->options.ram_bytes >> 12; }

/* ---- pages that may change ------------------------------------------------------------------ */
static void mark_page(struct sim *sim, const struct tlb_entry *entry) {
    if (entry->store == TLB_NONE)
        return;
    uintptr_t host = (uintptr_t)(entry->store + entry->delta);
    page_changed(sim, RAM_BASE + (host - (uintptr_t)sim->ram));
}

/* RAM is as sim.base from now on. What a tlb has for stores is changed without a word. */
static void begin_changes(struct sim *sim) {
    for (uint64_t page = 0; page < pages_of(sim); page++)
        sim->page_flags[page] &= (uint8_t)~PAGE_CHANGED;
    for (unsigned i = 0; i < sim->options.harts; i++)
        for (unsigned c = 0; c < CONTEXTS; c++)
            for (unsigned set = 0; set < TLB_SETS; set++)
                mark_page(sim, &sim->harts[i].caches.tlb[c][set]);
}

/* ---- taken ---------------------------------------------------------------------------------- */
/* A copy of the base, and in it the pages that are others by now. */
static bool save_ram(const struct sim *sim, struct blocks *ram) {
    blocks_copy(ram, &sim->base);
    for (uint64_t page = 0; page < pages_of(sim); page++) {
        uint8_t before[4096];
        const uint8_t *now = sim->ram + (page << 12);
        if (!(sim->page_flags[page] & PAGE_CHANGED))
            continue;
        blocks_read(ram, page << 12, before, sizeof(before));
        if (memcmp(before, now, sizeof(before)) != 0 &&
            !blocks_write(ram, page << 12, now, sizeof(before)))
            return false;
    }
    return true;
}

static bool save(const struct sim *sim, struct sim_snapshot *to) {
    to->sim = malloc(bytes_of(sim));
    to->page_flags = malloc(pages_of(sim));
    to->page_kept = malloc(pages_of(sim) * sizeof(*to->page_kept));
    if (to->sim == NULL || to->page_flags == NULL || to->page_kept == NULL ||
        !save_ram(sim, &to->ram))
        return false;
    if (sim->frames.pages != NULL) {
        to->frames = malloc(pages_of(sim) * sizeof(*to->frames));
        if (to->frames == NULL)
            return false;
        memcpy(to->frames, sim->frames.pages, pages_of(sim) * sizeof(*to->frames));
    }
    if (sim->events.on) {
        to->marks = malloc(pages_of(sim) * sizeof(*to->marks));
        if (to->marks == NULL)
            return false;
        memcpy(to->marks, sim->events.own.marks, pages_of(sim) * sizeof(*to->marks));
    }
    if (sim->races.on && !shadow_copy(&to->shadow, &sim->races.shadow))
        return false;
    memcpy(to->sim, sim, bytes_of(sim));
    memcpy(to->page_flags, sim->page_flags, pages_of(sim));
    memcpy(to->page_kept, sim->page_kept, pages_of(sim) * sizeof(*to->page_kept));
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        if (!disk_copy(&to->disk[i], &sim->disk[i]))
            return false;
    for (unsigned i = 0; i < sim->options.harts; i++)
        if (!fetched_save(sim, &sim->harts[i], &to->fetched[i]))
            return false;
    return true;
}

struct sim_snapshot *sim_snapshot(struct sim *sim) {
    struct sim_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot == NULL)
        return NULL;
    if (!save(sim, snapshot)) {
        sim_snapshot_free(snapshot);
        return NULL;
    }
    blocks_copy(&sim->base, &snapshot->ram);
    begin_changes(sim);
    return snapshot;
}

void sim_snapshot_free(struct sim_snapshot *snapshot) {
    if (snapshot == NULL)
        return;
    for (unsigned i = 0; i < SIM_HARTS_MAX; i++)
        fetched_free(&snapshot->fetched[i]);
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        disk_close(&snapshot->disk[i]);
    blocks_drop(&snapshot->ram);
    free(snapshot->frames);
    free(snapshot->marks);
    shadow_free(&snapshot->shadow);
    free(snapshot->page_kept);
    free(snapshot->page_flags);
    free(snapshot->sim);
    free(snapshot);
}

/* ---- restored ------------------------------------------------------------------------------- */
static void restore_ram(struct sim *sim, const struct blocks *ram) {
    for (uint64_t page = 0; page < pages_of(sim); page++)
        if ((sim->page_flags[page] & PAGE_CHANGED) || !blocks_share(&sim->base, ram, page << 12))
            blocks_read(ram, page << 12, sim->ram + (page << 12), 4096);
    blocks_copy(&sim->base, ram);
}

/* What stays a machine's own. */
struct own {
    struct sim_options options;
    uint64_t stop_before;
    uint8_t *ram, *page_flags;
    uint16_t *page_kept;
    struct frame *frames;
    struct events_own events;
    struct shadow shadow; /* restored before */
    uint64_t *points;
    struct blocks base;
    struct place_image kernel;
    struct dev_env env;
    struct disk disk[SIM_DISKS_MAX]; /* restored before */
};

static struct own own_of(const struct sim *sim) {
    struct own own = {.options = sim->options,
                      .stop_before = sim->stop_before,
                      .ram = sim->ram,
                      .page_flags = sim->page_flags,
                      .page_kept = sim->page_kept,
                      .frames = sim->frames.pages,
                      .events = sim->events.own,
                      .shadow = sim->races.shadow,
                      .points = sim->preempt.points,
                      .base = sim->base,
                      .kernel = sim->kernel,
                      .env = sim->env};
    memcpy(own.disk, sim->disk, sizeof(own.disk));
    return own;
}

/* All but the harts. */
static void restore_struct(struct sim *sim, const struct sim_snapshot *from) {
    const struct own own = own_of(sim);
    memcpy(sim, from->sim, offsetof(struct sim, harts));
    sim->options = own.options;
    sim->stop_before = own.stop_before;
    sim->ram = own.ram;
    sim->page_flags = own.page_flags;
    sim->page_kept = own.page_kept;
    sim->frames.pages = own.frames;
    sim->events.own = own.events;
    sim->races.shadow = own.shadow;
    sim->preempt.points = own.points;
    sim->base = own.base;
    sim->kernel = own.kernel;
    sim->env = own.env;
    memcpy(sim->disk, own.disk, sizeof(sim->disk));
}

static void restore_hart(struct sim *sim, const struct sim_snapshot *from, unsigned index) {
    struct hart *hart = &sim->harts[index];
    struct code_page *buckets[CODE_BUCKETS];
    memcpy(buckets, hart->caches.buckets, sizeof(buckets));
    *hart = from->sim->harts[index];
    memcpy(hart->caches.buckets, buckets, sizeof(buckets));
    fetched_restore(sim, hart, &from->fetched[index]);
    uintptr_t moved = (uintptr_t)sim->ram - (uintptr_t)from->sim->ram;
    for (unsigned c = 0; moved != 0 && c < CONTEXTS; c++)
        for (unsigned set = 0; set < TLB_SETS; set++)
            hart->caches.tlb[c][set].delta += moved;
}

static bool restore_shadow(struct sim *sim, const struct sim_snapshot *from) {
    if (!sim->races.on)
        return true;
    shadow_free(&sim->races.shadow);
    return shadow_copy(&sim->races.shadow, &from->shadow);
}

bool sim_restore(struct sim *sim, const struct sim_snapshot *snapshot) {
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        if (!disk_copy(&sim->disk[i], &snapshot->disk[i]))
            return false;
    if (!restore_shadow(sim, snapshot))
        return false;
    restore_ram(sim, &snapshot->ram);
    restore_struct(sim, snapshot);
    memcpy(sim->page_flags, snapshot->page_flags, pages_of(sim));
    if (snapshot->frames != NULL)
        memcpy(sim->frames.pages, snapshot->frames, pages_of(sim) * sizeof(*snapshot->frames));
    if (snapshot->marks != NULL)
        memcpy(sim->events.own.marks, snapshot->marks, pages_of(sim) * sizeof(*snapshot->marks));
    memcpy(sim->page_kept, snapshot->page_kept, pages_of(sim) * sizeof(*sim->page_kept));
    for (unsigned i = 0; i < sim->options.harts; i++)
        restore_hart(sim, snapshot, i);
    begin_changes(sim);
    return true;
}
