/* What an exception means for a kernel. */
#include "machine/cpu/privileged.h"
#include "machine/doctor/inside.h"
#include <string.h>

enum { NEAR_STACK = 4096 };
/* Exceptions that are nearer to each other than this many instructions of all harts belong
 * together. */
enum { CHAIN = 5000 };

/* CSRW satp, any register: CSRRW x0. The unprivileged specification, 6.1. */
static bool is_write_of_satp(uint32_t w) { return (w & 0xfff07fff) == 0x18001073; }

/* The bytes of an instruction, by the tables that the hart or another one has had. */
static bool code_at(const struct doctor *d, const struct sim_exception *e, uint64_t va,
                    uint32_t *w) {
    if (walk_read(d->sim, e->satp, e->privilege, va, w, 4) || sim_memory(d->sim, va, w, 4))
        return true;
    for (unsigned hart = 0; hart < d->harts; hart++)
        if (walk_read(d->sim, sim_user_satp(d->sim, hart), PRIV_S, va, w, 4) ||
            walk_read(d->sim, sim_register(d->sim, hart, SIM_SATP), PRIV_S, va, w, 4))
            return true;
    return false;
}

static bool follows_satp(const struct doctor *d, const struct sim_exception *e) {
    uint32_t w;
    for (unsigned back = 4; back <= 8; back += 4) /* an sfence.vma may stand between */
        if (code_at(d, e, e->pc - back, &w) && is_write_of_satp(w))
            return true;
    return false;
}

static bool is_fetch(uint64_t cause) {
    return cause == CAUSE_FETCH_PAGE || cause == CAUSE_FETCH_ACCESS;
}
static bool is_store(uint64_t cause) {
    return cause == CAUSE_STORE_PAGE || cause == CAUSE_STORE_ACCESS;
}
static bool is_memory(uint64_t cause) {
    return is_fetch(cause) || is_store(cause) || cause == CAUSE_LOAD_PAGE ||
           cause == CAUSE_LOAD_ACCESS;
}

/* A push, or a local variable: at the stack pointer, where nothing is mapped. */
static bool leaves_stack(const struct sim_exception *e, const struct walked *w) {
    return !is_fetch(e->cause) && e->value + NEAR_STACK > e->sp && e->value < e->sp + NEAR_STACK &&
           (w->why == WHY_NOT_MAPPED || w->why == WHY_NO_TABLE || w->why == WHY_NOTHING_THERE);
}

static const char *name_of_fetch(const struct doctor *d, const struct sim_exception *e,
                                 const struct walked *w) {
    char place[PLACE_ROOM];
    if (w->why == WHY_NO_A)
        return "needs-a-d";
    if (follows_satp(d, e))
        return "satp-without-code";
    place_of(d, e->satp, e->privilege, e->pc, place);
    return place_known(place) ? "fetch-fault" : "jump-nowhere";
}

static const char *name_of(const struct doctor *d, const struct sim_exception *e,
                           const struct walked *w) {
    uint32_t word = 0;
    if (is_fetch(e->cause))
        return name_of_fetch(d, e, w);
    if (is_memory(e->cause)) {
        if (leaves_stack(e, w))
            return "stack-overflow";
        if (w->why == WHY_NO_A || w->why == WHY_NO_D)
            return "needs-a-d";
        return w->why == WHY_NOTHING_THERE ? "nothing-there" : "page-fault";
    }
    switch (e->cause) {
    case CAUSE_ILLEGAL:
        return code_at(d, e, e->pc, &word) && (word & 0xffff) == 0 ? "executes-data"
                                                                   : "illegal-instruction";
    case CAUSE_MISALIGNED_FETCH:
    case CAUSE_MISALIGNED_LOAD:
    case CAUSE_MISALIGNED_STORE: return "misaligned";
    case CAUSE_BREAKPOINT: return "breakpoint";
    default: return "exception";
    }
}

static void tell_walk(struct diagnosis *to, const struct walked *w) {
    fact_text(to, "why", why_name(w->why));
    if (w->entry_at != 0) {
        fact_hex(to, "entry", w->entry);
        fact_hex(to, "entry_at", w->entry_at);
        fact_number(to, "level", w->level);
    }
}

struct diagnosis *fault_explain(struct doctor *d, unsigned hart, const struct sim_exception *e,
                                unsigned weight) {
    enum use use = is_fetch(e->cause)   ? USE_TO_FETCH
                   : is_store(e->cause) ? USE_TO_STORE
                                        : USE_TO_LOAD;
    struct walked w;
    walk(d->sim, e->satp, e->privilege, e->status, e->value, use, &w);
    struct diagnosis *to = diagnosis_new(d, name_of(d, e, &w), weight, (int)hart);
    struct stack_at at = stack_of_exception(e);
    stack_walk(d, &at, to);
    fact_number(to, "cause", e->cause);
    fact_hex(to, "pc", e->pc);
    fact_hex(to, "value", e->value);
    fact_hex(to, "sp", e->sp);
    fact_hex(to, "satp", e->satp);
    fact_text(to, "mode", e->privilege == PRIV_M ? "M" : e->privilege == PRIV_S ? "S" : "U");
    if (is_memory(e->cause))
        tell_walk(to, &w);
    if (strcmp(to->name, "needs-a-d") == 0)
        to->forgive = "--svadu";
    if (strcmp(to->name, "misaligned") == 0)
        to->forgive = "--misaligned";
    if (strcmp(to->name, "jump-nowhere") == 0 && to->depth > 1) /* who jumped is the place */
        memcpy(to->where, to->stack[1], PLACE_ROOM);
    return to;
}

struct sim_exception fault_first(const struct doctor *d, unsigned hart, unsigned ago) {
    struct sim_exception first = {0}, before;
    sim_exception(d->sim, hart, ago, &first);
    while (sim_exception(d->sim, hart, ++ago, &before)) {
        if (before.privilege == PRIV_U || first.since - before.when > CHAIN)
            break;
        first = before;
    }
    return first;
}

bool fault_loops(const struct doctor *d, unsigned hart, struct sim_exception *newest) {
    return sim_exception(d->sim, hart, 0, newest) && newest->again >= LOOP_LEAST;
}

struct diagnosis *fault_explain_loop(struct doctor *d, unsigned hart,
                                     const struct sim_exception *newest, unsigned weight) {
    struct sim_exception first = fault_first(d, hart, 0);
    struct diagnosis *to = fault_explain(d, hart, &first, weight);
    char place[PLACE_ROOM];
    place_of(d, newest->satp, newest->privilege, newest->pc, place);
    fact_text(to, "loop", place);
    fact_number(to, "again", newest->again);
    return to;
}
