/* See calls.h. */
#include "machine/frames/calls.h"
#include <string.h>

enum { RA = 1, SP = 2 };

/* What a call's own frames take of a stack at most. Stacks are a page with a guard, or larger. */
enum { STACK_BELOW = 2048 };

bool call_has(const struct frame_call *call, const struct hart *hart) {
    return call->sp - hart->x[SP] < STACK_BELOW;
}

struct frame_call *call_inside(struct frames *frames, const struct hart *hart) {
    for (unsigned i = frames->calls_count; i-- > 0;)
        if (call_has(&frames->calls[i], hart))
            return &frames->calls[i];
    return NULL;
}

bool call_around(const struct frames *frames, const struct hart *hart,
                 const struct frame_call *call, enum profile_what what, uint64_t pa) {
    for (unsigned i = 0; i < frames->calls_count; i++) {
        const struct frame_call *other = &frames->calls[i];
        if (other == call || !call_has(other, hart) ||
            frames->profile.lines[other->line].what != what)
            continue;
        if (what == PROFILE_ALLOC ||
            (pa >> 12) - (other->argument >> 12) < (other->pages ? other->pages : 1))
            return true;
    }
    return false;
}

void call_end(struct frames *frames, struct frame_call *call) {
    struct frame_call *end = frames->calls + frames->calls_count;
    memmove(call, call + 1, (size_t)(end - (call + 1)) * sizeof(*call));
    frames->calls_count--;
}

/* On the same stack, and the hart is above it by now. */
static bool is_over(const struct frame_call *call, const struct hart *hart) {
    uint64_t above = hart->x[SP] - call->sp;
    return above != 0 && above < STACK_BELOW;
}

struct frame_call *call_begin(struct sim *sim, const struct hart *hart, unsigned line,
                              uint64_t argument,
                              void (*ended)(struct sim *sim, struct frame_call *call)) {
    struct frames *frames = &sim->frames;
    for (unsigned i = frames->calls_count; i-- > 0;) {
        struct frame_call *call = &frames->calls[i];
        if (call->line == line && call->ra == hart->x[RA] && call->sp == hart->x[SP] &&
            call->argument == argument)
            return NULL;
        if (!is_over(call, hart) && !(i == 0 && frames->calls_count == CALLS_MAX))
            continue;
        ended(sim, call);
        call_end(frames, call);
    }
    struct frame_call *call = &frames->calls[frames->calls_count++];
    *call = (struct frame_call){.ra = hart->x[RA],
                                .sp = hart->x[SP],
                                .argument = argument,
                                .when = sim_now(sim),
                                .line = (uint8_t)line,
                                .hart = (uint8_t)hart->id};
    return call;
}

struct frame_call *call_returned(struct frames *frames, const struct hart *hart) {
    for (unsigned i = frames->calls_count; i-- > 0;)
        if (frames->calls[i].ra == hart->pc && frames->calls[i].sp == hart->x[SP])
            return &frames->calls[i];
    return NULL;
}
