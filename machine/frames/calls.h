/* Calls of the allocator's functions that have not returned: who is inside. */
#pragma once
#include "machine/machine.h"

/* Whether the hart is inside of the call: on its stack, below it. */
bool call_has(const struct frame_call *call, const struct hart *hart);
/* The innermost call that the hart is inside of; NULL: none. */
struct frame_call *call_inside(struct frames *frames, const struct hart *hart);
/* Whether the hart is inside of another call that gives this page back, or takes one if what is
 * PROFILE_ALLOC: the functions of an allocator call each other. */
bool call_around(const struct frames *frames, const struct hart *hart,
                 const struct frame_call *call, enum profile_what what, uint64_t pa);

/* The call that begins, on top; NULL: it has begun already, and is interrupted at its first
 * instruction. Calls that can return no more are given to ended() before. */
struct frame_call *call_begin(struct sim *sim, const struct hart *hart, unsigned line,
                              uint64_t argument,
                              void (*ended)(struct sim *sim, struct frame_call *call));
/* The innermost call that returns to where the hart is now; NULL: none. */
struct frame_call *call_returned(struct frames *frames, const struct hart *hart);
void call_end(struct frames *frames, struct frame_call *call);
