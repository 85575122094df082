/* The check of the order of locks: see rank.h. */
#include "sync/rank.h"
#include "arch/trapinfo.h"
#include "lib/ksyms.h"
#include "lib/panic.h"

#define NEVER RANK_NONE
#define UNDER(name) RANK_##name
#define RISING RANKS

static const struct {
    const char *name;
    enum rank again; /* held, it permits a second lock of the rank */
} ranks[RANKS] = {
#define RANK(id, sort, rule, title, guards, inside) \
    [RANK_##id] = {.name = (title), .again = (rule)},
#include "sync/ranks.def"
#undef RANK
};

const char *rank_name(enum rank rank) {
    const char *name = rank < RANKS ? ranks[rank].name : NULL;
    return name ? name : "(not set up)";
}

/* The place is one to return to: the call stands before it. */
static const char *function_at(const void *where) {
    uint64_t offset;
    const char *name = ksym_lookup(linked_address((uint64_t)where) - 1, &offset);
    return name ? name : "?";
}

static bool holds(const struct rank_holder *h, enum rank rank) {
    for (uint32_t i = 0; i < h->n; i++)
        if (h->held[i].rank == rank)
            return true;
    return false;
}

static bool in_order(const struct rank_holder *h, const struct rank_held *next) {
    if (h->n == 0)
        return true;
    const struct rank_held *last = &h->held[h->n - 1];
    if (next->rank > last->rank)
        return true;
    if (next->rank < last->rank)
        return false;
    enum rank again = ranks[next->rank].again;
    return again == RISING ? next->lock > last->lock : holds(h, again);
}

static void note(struct rank_holder *h, struct rank_held held) {
    ASSERT(h->n < RANK_DEPTH);
    h->held[h->n++] = held;
}

void rank_enter(struct rank_holder *h, const void *lock, enum rank rank, const void *where) {
    const struct rank_held next = {.lock = lock, .where = where, .rank = rank};
    if (rank == RANK_NONE || rank >= RANKS)
        panic("lock order: a lock without a rank, taken in %s", function_at(where));
    if (!in_order(h, &next)) {
        const struct rank_held *last = &h->held[h->n - 1];
        panic("lock order: %s, taken in %s, while %s is held, taken in %s", rank_name(rank),
              function_at(where), rank_name(last->rank), function_at(last->where));
    }
    note(h, next);
}

void rank_enter_by_chance(struct rank_holder *h, const void *lock, enum rank rank,
                          const void *where) {
    note(h, (struct rank_held){.lock = lock, .where = where, .rank = rank});
}

static uint32_t place_of(const struct rank_holder *h, const void *lock) {
    uint32_t i = h->n;
    do
        ASSERT(i > 0);
    while (h->held[--i].lock != lock);
    return i;
}

void rank_leave(struct rank_holder *h, const void *lock) {
    uint32_t i = place_of(h, lock);
    for (h->n--; i < h->n; i++)
        h->held[i] = h->held[i + 1];
}

void rank_leave_last(struct rank_holder *h, const void *lock) {
    const struct rank_held *last = &h->held[h->n - 1], *left = &h->held[place_of(h, lock)];
    if (left != last)
        panic("lock order: %s ends while %s is held, taken in %s", rank_name(left->rank),
              rank_name(last->rank), function_at(last->where));
    rank_leave(h, lock);
}

void rank_expect(const struct rank_holder *h, const void *only, const char *doing) {
    for (uint32_t i = 0; i < h->n; i++)
        if (h->held[i].lock != only)
            panic("%s while %s is held, taken in %s", doing, rank_name(h->held[i].rank),
                  function_at(h->held[i].where));
}
