/* Addresses as places in the source, and who called whom. */
#include "machine/cpu/privileged.h"
#include "machine/doctor/inside.h"
#include <string.h>

enum { RA = 1, SP = 2, FP = 8, FRAME_MAX = 1 << 16, SCANNED = 512 };

bool place_known(const char *place) { return place[0] != 0 && !letters_begin(place, "0x"); }

void place_of(const struct doctor *d, uint64_t satp, unsigned privilege, uint64_t address,
              char to[PLACE_ROOM]) {
    char there[PLACE_ROOM];
    uint64_t pa;
    sim_place(d->sim, address, to, PLACE_ROOM);
    if (place_known(to) || !walk_to(d->sim, satp, privilege, address, &pa) || pa == address)
        return;
    sim_place(d->sim, pa, there, PLACE_ROOM);
    if (place_known(there))
        memcpy(to, there, PLACE_ROOM);
}

/* The function's name: "uvmunmap" of "vm.c:212 (uvmunmap)" and of "uvmunmap+0x1c". */
static void function_of(const char *place, char to[PLACE_ROOM]) {
    size_t open = letters_until(place, "(");
    const char *from = place[open] != 0 ? place + open + 1 : place;
    size_t length = letters_until(from, "+)");
    memmove(to, from, length);
    to[length] = 0;
}

bool place_panics(const char *place) {
    static const char *const names[] = {"panic", "kpanic", "kernel_panic"};
    char function[PLACE_ROOM];
    function_of(place, function);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (letters_begin(function, names[i]))
            return true;
    return false;
}

bool place_same_function(const char *a, const char *b) {
    char first[PLACE_ROOM], second[PLACE_ROOM];
    function_of(a, first);
    function_of(b, second);
    return strcmp(first, second) == 0;
}

struct stack_at stack_of_hart(const struct doctor *d, unsigned hart) {
    enum { WAITS = 2, WFI_BYTES = 4 }; /* a hart that waits is behind its wfi */
    uint64_t back = sim_register(d->sim, hart, SIM_STATE) == WAITS ? WFI_BYTES : 0;
    return (struct stack_at){.satp = sim_register(d->sim, hart, SIM_SATP),
                             .pc = sim_register(d->sim, hart, SIM_PC) - back,
                             .ra = sim_register(d->sim, hart, RA),
                             .sp = sim_register(d->sim, hart, SP),
                             .fp = sim_register(d->sim, hart, FP),
                             .privilege = (unsigned)sim_register(d->sim, hart, SIM_PRIVILEGE)};
}

struct stack_at stack_of_exception(const struct sim_exception *e) {
    return (struct stack_at){.satp = e->satp,
                             .pc = e->pc,
                             .ra = e->ra,
                             .sp = e->sp,
                             .fp = e->fp,
                             .privilege = e->privilege};
}

static bool word_at(const struct doctor *d, const struct stack_at *at, uint64_t va, uint64_t *to) {
    return (va & 7) == 0 && walk_read(d->sim, at->satp, at->privilege, va, to, 8);
}

bool stack_returns(const struct doctor *d, const struct stack_at *at, uint64_t address) {
    uint32_t w = 0;
    uint16_t half = 0;
    if (!walk_read(d->sim, at->satp, at->privilege, address - 4, &w, 4) ||
        !walk_read(d->sim, at->satp, at->privilege, address - 2, &half, 2))
        return false;
    bool jal = (w & 0xfff) == 0xef, jalr = (w & 0x7fff) == 0xe7; /* with rd = ra */
    return jal || jalr || ((half & 0xf07f) == 0x9002 && (half & 0xf80) != 0);
}

/* Adds the caller whose call returns to the address. false: it is none. */
static bool push_caller(const struct doctor *d, const struct stack_at *at, uint64_t returns,
                        struct diagnosis *to) {
    char place[PLACE_ROOM];
    if (!stack_returns(d, at, returns))
        return false;
    place_of(d, at->satp, at->privilege, returns - 1, place);
    if (!place_known(place))
        return false;
    if (strcmp(place, to->stack[to->depth - 1]) == 0) {
        to->calls[to->depth - 1]++;
        return true;
    }
    if (to->depth == DEPTH)
        return false;
    memcpy(to->stack[to->depth], place, PLACE_ROOM);
    to->calls[to->depth++] = 1;
    return true;
}

/* The caller of a function that has not saved ra, since it calls nobody or has just begun. */
static void push_unsaved(const struct doctor *d, const struct stack_at *at, struct diagnosis *to) {
    char caller[PLACE_ROOM];
    uint64_t saved = 0;
    place_of(d, at->satp, at->privilege, at->ra - 1, caller);
    if (place_same_function(caller, to->stack[0]) ||
        (word_at(d, at, at->fp - 8, &saved) && saved == at->ra))
        return;
    push_caller(d, at, at->ra, to);
}

/* Frame pointers: ra is 8 below what s0 points to, the caller's s0 16 below. */
static void follow_frames(const struct doctor *d, const struct stack_at *at, struct diagnosis *to) {
    uint64_t fp = at->fp, ra, next;
    if (word_at(d, at, fp - 8, &ra) && ra > fp && ra - fp < FRAME_MAX)
        fp = ra; /* one that calls nobody has saved s0 alone */
    while (word_at(d, at, fp - 8, &ra) && word_at(d, at, fp - 16, &next)) {
        if (!push_caller(d, at, ra, to) || next <= fp || next - fp > FRAME_MAX)
            return;
        fp = next;
    }
}

/* Without them: what on the stack looks like the way back from a call. */
static void scan(const struct doctor *d, const struct stack_at *at, struct diagnosis *to) {
    uint64_t word;
    for (unsigned i = 0; i < SCANNED && word_at(d, at, at->sp + 8 * i, &word); i++)
        push_caller(d, at, word, to);
}

void stack_walk(const struct doctor *d, const struct stack_at *at, struct diagnosis *to) {
    to->depth = 1;
    to->calls[0] = 1;
    place_of(d, at->satp, at->privilege, at->pc, to->stack[0]);
    memcpy(to->where, to->stack[0], PLACE_ROOM);
    if (at->privilege == PRIV_U)
        return;
    push_unsaved(d, at, to);
    unsigned before = to->depth;
    follow_frames(d, at, to);
    if (to->depth == before)
        scan(d, at, to);
}

void stack_drop_panic(struct diagnosis *d) {
    unsigned drop = 0;
    for (unsigned i = 0; i < d->depth; i++)
        if (place_panics(d->stack[i]))
            drop = i + 1;
    if (drop == d->depth)
        return;
    d->depth -= drop;
    memmove(d->stack, d->stack + drop, d->depth * sizeof(d->stack[0]));
    memmove(d->calls, d->calls + drop, d->depth * sizeof(d->calls[0]));
    memcpy(d->where, d->stack[0], PLACE_ROOM);
}
