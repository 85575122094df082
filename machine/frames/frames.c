/* See frames.h. */
#include "machine/frames/frames.h"
#include "machine/cpu/bits.h"
#include "machine/cpu/code.h"
#include "machine/cpu/memory.h"
#include "machine/frames/calls.h"
#include "machine/frames/tell.h"
#include <stdlib.h>
#include <string.h>

enum { A0 = 10, PAGES_MOST = 1 << 20 };

static struct frame *record(struct sim *sim, uint64_t pa) {
    return &sim->frames.pages[(pa - RAM_BASE) >> 12];
}
static uint8_t *flags_of(struct sim *sim, uint64_t pa) {
    return &sim->page_flags[(pa - RAM_BASE) >> 12];
}
static const struct profile_line *line_of(const struct sim *sim, const struct frame_call *call) {
    return &sim->frames.profile.lines[call->line];
}
static struct frame_place place_of(struct sim *sim, const struct frame_call *call) {
    return (struct frame_place){line_of(sim, call)->function, call->ra, sim_now(sim)};
}

/* ---- made ---------------------------------------------------------------------------------- */
static uint64_t physical(const struct sim *sim, uint64_t va) {
    return place_physical(&sim->kernel, va);
}

static void add_hook(struct sim *sim, uint64_t pa) {
    struct frames *frames = &sim->frames;
    unsigned at = (unsigned)((pa >> 1) * 0x9e3779b1u % HOOKS);
    for (; frames->hooks[at] != 0; at = (at + 1) % HOOKS)
        if (frames->hooks[at] == pa)
            return;
    if (frames->hooks_count == HOOKS_MOST)
        return;
    frames->hooks[at] = pa;
    frames->hooks_count++;
    code_hook(sim, pa);
}

static bool read_profile(struct sim *sim, char *error, size_t error_size) {
    const struct sim_image *given = &sim->options.profile;
    if (given->bytes == NULL)
        return profile_choose(&sim->frames.profile, &sim->kernel.symbols) || true;
    return profile_read(&sim->frames.profile, given->name, (const char *)given->bytes,
                        (size_t)given->size, &sim->kernel.symbols, error, error_size);
}

bool frames_init(struct sim *sim, char *error, size_t error_size) {
    struct frames *frames = &sim->frames;
    if (!sim->options.frames && !sim->options.races)
        return true;
    if (!read_profile(sim, error, error_size))
        return false;
    if (!sim->options.frames || frames->profile.count == 0)
        return true;
    frames->pages = calloc(sim->options.ram_bytes >> 12, sizeof(*frames->pages));
    if (frames->pages == NULL)
        return true;
    frames->on = true;
    for (unsigned i = 0; i < frames->profile.count; i++) {
        frames->entries[i] = physical(sim, frames->profile.lines[i].function);
        add_hook(sim, frames->entries[i]);
    }
    return true;
}

void frames_free(struct sim *sim) { free(sim->frames.pages); }

void frames_each_hook(const struct sim *sim, uint64_t pa, void *context,
                      void (*set)(void *context, unsigned slot)) {
    for (unsigned i = 0; sim->frames.on && i < HOOKS; i++)
        if (sim->frames.hooks[i] != 0 && sim->frames.hooks[i] >> 12 == pa >> 12)
            set(context, (unsigned)(sim->frames.hooks[i] & 4095) / 2);
}

/* ---- given back ---------------------------------------------------------------------------- */
static void give_one(struct sim *sim, const struct hart *hart, const struct frame_call *call,
                     uint64_t pa) {
    struct frame *frame = record(sim, pa);
    struct frame_place by = place_of(sim, call);
    struct table_use table;
    if (frame->is == FRAME_FREE) {
        if (!call_around(&sim->frames, hart, call, PROFILE_FREE, pa))
            tell_freed_twice(sim, hart, pa, &by);
        return;
    }
    if (table_in_use(sim, pa, &table))
        tell_table(sim, hart, pa, &by, &table);
    *frame = (struct frame){by, (uint8_t)hart->id, FRAME_FREE};
    events_freed(sim, pa);
}

/* The pages that a call gives back and the machine has, one after the other. */
#define EACH_PAGE(sim, call, pa) \
    for (uint64_t n_ = 0, pa = (call)->argument & ~4095ull; \
         n_ < (call)->pages && ram_has(sim, pa, 4096); n_++, pa += 4096)

static void free_begins(struct sim *sim, const struct hart *hart, struct frame_call *call) {
    const struct profile_line *line = line_of(sim, call);
    EACH_PAGE(sim, call, pa) {
        if (line->if_written)
            hide_page(sim, pa);
        else
            give_one(sim, hart, call, pa);
    }
}

/* What is free is watched from now on. */
static void watch_again(struct sim *sim, uint64_t pa) {
    if (record(sim, pa)->is == FRAME_FREE)
        hide_page(sim, pa);
    else
        *flags_of(sim, pa) &= (uint8_t)~PAGE_FREED;
}

/* ---- taken --------------------------------------------------------------------------------- */
static void take_one(struct sim *sim, const struct hart *hart, const struct frame_call *call,
                     uint64_t pa) {
    struct frame *frame = record(sim, pa);
    struct frame_place by = place_of(sim, call);
    if (frame->is == FRAME_TAKEN && frame->by.when < call->when)
        tell_taken_twice(sim, hart, pa, &by);
    if (frame->is != FRAME_TAKEN)
        races_new_page(sim, pa);
    *frame = (struct frame){by, (uint8_t)hart->id, FRAME_TAKEN};
    *flags_of(sim, pa) &= (uint8_t)~PAGE_FREED;
}

/* The page that a call has returned; 0: none. */
static uint64_t result(struct sim *sim, struct hart *hart, const struct frame_call *call) {
    const struct profile_line *line = line_of(sim, call);
    uint64_t at, value = 0;
    if (line->if_zero && hart->x[A0] != 0)
        return 0;
    if (!line->pointer)
        return hart->x[A0];
    if (translate_quietly(sim, hart, call->argument, hart->priv, &at) && ram_has(sim, at, 8))
        memcpy(&value, sim->ram + (at - RAM_BASE), 8);
    return value;
}

static void alloc_returns(struct sim *sim, struct hart *hart, const struct frame_call *call) {
    uint64_t pa = result(sim, hart, call) & ~4095ull;
    for (uint64_t i = 0; i < call->pages && ram_has(sim, pa, 4096); i++, pa += 4096)
        take_one(sim, hart, call, pa);
}

/* ---- calls --------------------------------------------------------------------------------- */
static uint64_t count_of(const struct hart *hart, const struct profile_line *line) {
    uint64_t count = line->count_is == PAGES_NUMBER ? line->count : hart->x[A0 + line->count];
    if (line->count_is == PAGES_ORDER)
        count = count < 20 ? 1ull << count : PAGES_MOST;
    return count < PAGES_MOST ? count : PAGES_MOST;
}

/* A call is over, whether or not it has returned. */
static void ended(struct sim *sim, struct frame_call *call) {
    for (unsigned i = 0; i < call->lifted_count; i++)
        watch_again(sim, call->lifted[i]);
    if (line_of(sim, call)->what == PROFILE_FREE)
        EACH_PAGE(sim, call, pa)
    watch_again(sim, pa);
}

static void enter(struct sim *sim, struct hart *hart, unsigned number) {
    const struct profile_line *line = &sim->frames.profile.lines[number];
    struct frame_call *call = call_begin(sim, hart, number, hart->x[A0 + line->where], ended);
    if (call == NULL)
        return;
    call->pages = line->what == PROFILE_TOUCH ? 0 : count_of(hart, line);
    add_hook(sim, physical(sim, call->ra));
    if (line->what == PROFILE_FREE)
        free_begins(sim, hart, call);
}

void frames_hook(struct sim *sim, struct hart *hart, uint64_t pa) {
    struct frames *frames = &sim->frames;
    struct frame_call *call;
    if (hart->priv == PRIV_U)
        return;
    while ((call = call_returned(frames, hart)) != NULL) {
        if (line_of(sim, call)->what == PROFILE_ALLOC)
            alloc_returns(sim, hart, call);
        ended(sim, call);
        call_end(frames, call);
    }
    for (unsigned i = 0; i < frames->profile.count; i++)
        if (frames->entries[i] == pa)
            enter(sim, hart, i);
}

/* ---- used ---------------------------------------------------------------------------------- */
/* A store inside of calls: those that give this page back only if they write to it. */
static void note_written(struct sim *sim, const struct hart *hart, uint64_t pa) {
    struct frames *frames = &sim->frames;
    for (unsigned i = 0; i < frames->calls_count; i++) {
        struct frame_call *call = &frames->calls[i];
        if (!line_of(sim, call)->if_written || call->written || !call_has(call, hart) ||
            (pa >> 12) - (call->argument >> 12) >= call->pages)
            continue;
        call->written = true;
        EACH_PAGE(sim, call, page)
        give_one(sim, hart, call, page);
    }
}

static void lift(struct sim *sim, struct frame_call *call, uint64_t pa) {
    if (call->lifted_count == LIFTED_MAX)
        return;
    call->lifted[call->lifted_count++] = pa & ~4095ull;
    *flags_of(sim, pa) &= (uint8_t)~PAGE_FREED;
}

void frames_touched(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa,
                    enum frames_use use) {
    bool by_hand = hart != NULL && hart->priv != PRIV_U && (use == USE_LOAD || use == USE_STORE);
    struct frame_call *call = by_hand ? call_inside(&sim->frames, hart) : NULL;
    if (call != NULL) {
        if (use == USE_STORE)
            note_written(sim, hart, pa);
        lift(sim, call, pa);
    } else if (record(sim, pa)->is == FRAME_FREE) {
        tell_used(sim, hart, va, pa, use);
    }
}

bool frames_is_free(const struct sim *sim, uint64_t pa) {
    return sim->frames.pages[(pa - RAM_BASE) >> 12].is == FRAME_FREE;
}

uint64_t frames_from(const struct sim *sim, uint64_t pa) {
    return sim->frames.pages[(pa - RAM_BASE) >> 12].by.from;
}

void frames_satp(struct sim *sim, struct hart *hart, uint64_t value) {
    uint64_t root = field(value, 0, 44) << 12;
    if (value >> 60 != 0 && ram_has(sim, root, 4096) && sim->frames.on &&
        record(sim, root)->is == FRAME_FREE)
        tell_satp(sim, hart, root);
}
