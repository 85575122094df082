/* From what was seen to what is wrong, and which of it is the most likely cause of the rest. */
#include "machine/cpu/privileged.h"
#include "machine/doctor/inside.h"
#include <string.h>

/* A broken rule comes before what came of it; what a kernel says of itself before what it looks
 * like from outside. */
enum {
    WEIGHT_FINDING = 90,
    WEIGHT_FINDING_LATE = 25, /* after the panic */
    WEIGHT_FAULT = 80,        /* the exception that a panic is about */
    WEIGHT_LOOP = 75,
    WEIGHT_PANIC = 70,
    WEIGHT_LOCK = 65,
    WEIGHT_STUCK = 60,
    WEIGHT_TEST = 50,
    WEIGHT_STATUS = 30,
};

/* ---- what the machine has found -------------------------------------------------------------- */
/* "stale translation: hart 0 ..." is stale-translation. */
static void slug_of(const char *text, char *to, size_t size) {
    size_t length = letters_until(text, ":");
    letters_copy(to, length < size ? length + 1 : size, text);
    for (; *to != 0; to++)
        if (*to == ' ')
            *to = '-';
}

void doctor_finding(struct doctor *d, const struct sim_finding *f) {
    char name[48];
    slug_of(f->text, name, sizeof(name));
    bool late = d->console.panic[0] != 0;
    struct diagnosis *to = diagnosis_new(d, name, late ? WEIGHT_FINDING_LATE : WEIGHT_FINDING,
                                         f->hart);
    if (f->hart >= 0) {
        struct stack_at at = stack_of_hart(d, (unsigned)f->hart);
        stack_walk(d, &at, to);
    }
    if (f->pc != 0)
        place_of(d, sim_register(d->sim, f->hart >= 0 ? (unsigned)f->hart : 0, SIM_SATP), PRIV_S,
                 f->pc, to->where);
    if (f->cause != 0)
        fact_place(d, to, "from", f->cause);
    fact_text(to, "text", f->text);
    if (strcmp(name, "stale-code") == 0)
        to->forgive = "--no-stale-code";
}

/* ---- panics ---------------------------------------------------------------------------------- */
/* The hart that panics; -1: none is seen to. */
static int panicking_hart(struct doctor *d) {
    struct diagnosis seen;
    for (unsigned i = 0; i < d->harts; i++) {
        unsigned hart = (d->last_hart + i) % d->harts;
        struct stack_at at = stack_of_hart(d, hart);
        stack_walk(d, &at, &seen);
        for (unsigned k = 0; k < seen.depth; k++)
            if (at.privilege != PRIV_U && place_panics(seen.stack[k]))
                return (int)hart;
    }
    return -1;
}

/* The exception that the panic's lines, or its own words, are about. */
static bool exception_of_panic(const struct doctor *d, int hart, struct sim_exception *to) {
    const struct console *c = &d->console;
    bool about = c->trapped || letters_find(c->panic, "trap") != NULL ||
                 letters_find(c->panic, "exception") != NULL ||
                 letters_find(c->panic, "fault") != NULL;
    for (unsigned ago = 0; about && hart >= 0 && sim_exception(d->sim, (unsigned)hart, ago, to);
         ago++)
        if (to->privilege != PRIV_U && (!c->trapped || to->pc == c->sepc)) {
            *to = fault_first(d, (unsigned)hart, ago);
            return true;
        }
    return false;
}

static void find_panic(struct doctor *d) {
    struct sim_exception exception;
    int hart = panicking_hart(d);
    if (d->console.panic[0] == 0)
        return;
    struct diagnosis *to;
    if (exception_of_panic(d, hart, &exception)) {
        to = fault_explain(d, (unsigned)hart, &exception, WEIGHT_FAULT);
    } else {
        to = diagnosis_new(d, "panic", WEIGHT_PANIC, hart);
        if (hart >= 0) {
            struct stack_at at = stack_of_hart(d, (unsigned)hart);
            stack_walk(d, &at, to);
            stack_drop_panic(to);
        }
    }
    fact_text(to, "panic", d->console.panic);
}

/* ---- loops and locks ------------------------------------------------------------------------- */
static bool find_loops(struct doctor *d) {
    struct sim_exception newest;
    bool found = false;
    for (unsigned hart = 0; hart < d->harts; hart++)
        if (fault_loops(d, hart, &newest)) {
            fault_explain_loop(d, hart, &newest, WEIGHT_LOOP);
            found = true;
        }
    return found;
}

/* The name that xv6's struct spinlock has behind its word. */
static void fact_lock_name(const struct doctor *d, unsigned hart, uint64_t lock,
                           struct diagnosis *to) {
    uint64_t satp = sim_register(d->sim, hart, SIM_SATP), at;
    char name[24] = "";
    if ((lock & 7) != 0 || !walk_read(d->sim, satp, PRIV_S, lock + 8, &at, 8) ||
        !walk_read(d->sim, satp, PRIV_S, at, name, sizeof(name) - 1))
        return;
    for (char *c = name; *c != 0; c++)
        if (*c < ' ' || *c > '~')
            return;
    if (name[0] != 0)
        fact_text(to, "lock_name", name);
}

/* The first caller outside of the function that takes locks. */
static void fact_taken(const struct doctor *d, const struct sim_lock *lock, const char *taken_in,
                       struct diagnosis *to) {
    struct stack_at at = stack_of_hart(d, lock->hart);
    char place[PLACE_ROOM];
    for (unsigned i = 0; i < SIM_LOCK_CALLERS; i++) {
        place_of(d, at.satp, PRIV_S, lock->callers[i] - 1, place);
        if (stack_returns(d, &at, lock->callers[i]) && !place_same_function(place, taken_in)) {
            fact_text(to, "taken", place);
            return;
        }
    }
    fact_text(to, "taken", taken_in);
}

/* Who has the lock, and where it was taken. */
static void fact_holder(const struct doctor *d, const struct sim_lock *lock, unsigned waits,
                        struct diagnosis *to) {
    uint64_t satp = sim_register(d->sim, lock->hart, SIM_SATP);
    char place[PLACE_ROOM];
    fact_number(to, "holder", lock->hart);
    fact_text(to, "same_hart", lock->hart == waits ? "yes" : "no");
    place_of(d, satp, PRIV_S, lock->pc, place);
    fact_taken(d, lock, place, to);
    fact_number(to, "ago", sim_instructions(d->sim) - lock->when);
}

static void explain_spin(struct doctor *d, unsigned hart, const struct activity *a) {
    uint64_t satp = sim_register(d->sim, hart, SIM_SATP), pa;
    unsigned privilege = (unsigned)sim_register(d->sim, hart, SIM_PRIVILEGE);
    struct sim_lock lock;
    char place[PLACE_ROOM];
    struct diagnosis *to = diagnosis_new(d, "lock-held", WEIGHT_LOCK, (int)hart);
    struct stack_at at = stack_of_hart(d, hart);
    stack_walk(d, &at, to);
    if (to->depth > 1) /* who wants it */
        memcpy(to->where, to->stack[1], PLACE_ROOM);
    place_of(d, satp, privilege, a->lock, place);
    fact_text(to, "lock", place);
    fact_hex(to, "lock_at", a->lock);
    fact_lock_name(d, hart, a->lock, to);
    fact_text(to, "interrupts", a->interruptible ? "on" : "off");
    if (walk_to(d->sim, satp, privilege, a->lock, &pa) && sim_lock(d->sim, pa, &lock))
        fact_holder(d, &lock, hart, to);
}

static bool find_spins(struct doctor *d, const struct activity *activity) {
    bool found = false;
    for (unsigned hart = 0; hart < d->harts; hart++)
        if (trace_spins(&activity[hart])) {
            explain_spin(d, hart, &activity[hart]);
            found = true;
        }
    return found;
}

/* ---- other ways of being stuck --------------------------------------------------------------- */
static struct diagnosis *stuck_at(struct doctor *d, const char *name, unsigned hart) {
    struct diagnosis *to = diagnosis_new(d, name, WEIGHT_STUCK, (int)hart);
    struct stack_at at = stack_of_hart(d, hart);
    stack_walk(d, &at, to);
    return to;
}

static bool find_endless(struct doctor *d, const struct activity *activity) {
    for (unsigned hart = 0; hart < d->harts; hart++) {
        const struct activity *a = &activity[hart];
        if (a->steps == 0 || (!a->nothing_changes && a->in_kernel))
            continue;
        if (a->in_user && !a->in_kernel) {
            stuck_at(d, "user-loop", hart);
            return true;
        }
        if (!a->nothing_changes)
            continue;
        struct diagnosis *to = stuck_at(d, "endless-loop", hart);
        fact_text(to, "interrupts", a->interruptible ? "on" : "off");
        return true;
    }
    return false;
}

/* Why a hart that waits is not woken: what its wfi may be ended by. */
static void explain_wait(struct doctor *d, enum doctor_over over) {
    unsigned hart = 0;
    while (hart < d->harts && sim_register(d->sim, hart, SIM_STATE) != 2)
        hart++;
    if (hart == d->harts)
        hart = d->last_hart;
    uint64_t mie = sim_register(d->sim, hart, SIM_MIE);
    uint64_t timers = 1ull << IRQ_STI | 1ull << IRQ_MTI;
    const char *name = over != DOCTOR_WAITS ? "idle"
                       : mie == 0           ? "waits-disabled"
                       : mie & timers       ? "waits-timer"
                                            : "waits";
    struct diagnosis *to = stuck_at(d, name, hart);
    fact_hex(to, "mie", mie);
    fact_hex(to, "mip", sim_register(d->sim, hart, SIM_MIP));
}

static bool all_wait(const struct doctor *d) {
    for (unsigned hart = 0; hart < d->harts; hart++)
        if (sim_register(d->sim, hart, SIM_STATE) == 1)
            return false;
    return true;
}

static void find_stuck(struct doctor *d, enum doctor_over over, const struct activity *activity) {
    if (find_spins(d, activity) || find_endless(d, activity))
        return;
    if (over == DOCTOR_WAITS || all_wait(d) ||
        sim_nanoseconds(d->sim) - d->happened_ns > d->seconds * 1000000000ull)
        explain_wait(d, over);
    else
        stuck_at(d, over == DOCTOR_LIMIT ? "limit" : "no-progress", d->last_hart);
}

/* ---- how it ended ---------------------------------------------------------------------------- */
static void find_end(struct doctor *d, struct sim_end end) {
    if (d->console.failed[0] != 0) {
        struct diagnosis *to = diagnosis_new(d, "test-failed", WEIGHT_TEST, -1);
        fact_text(to, "test", d->console.failed);
        fact_number(to, "killed", d->console.killed);
    }
    if (end.how == SIM_FAILED && d->count == 0) {
        struct diagnosis *to = stuck_at(d, "ended-with-status", d->last_hart);
        to->weight = WEIGHT_STATUS;
        fact_number(to, "status", end.code & 0xff ? end.code & 0xff : 1);
    }
    if (end.how == SIM_RESET)
        stuck_at(d, "reset", d->last_hart)->weight = WEIGHT_STATUS;
}

void causes_find(struct doctor *d, enum doctor_over over, struct sim_end end,
                 const struct activity activity[SIM_HARTS_MAX]) {
    find_panic(d);
    if (over != DOCTOR_DONE && d->console.panic[0] == 0 && !find_loops(d))
        find_stuck(d, over, activity);
    find_end(d, end);
    diagnoses_sort(d);
    for (unsigned i = 0; d->console.bytes == 0 && i < d->count; i++)
        fact_text(&d->list[i], "silent", "yes");
}
