/* Accesses: see races.h. */
#include "machine/races/tell.h"
#include <stdio.h>
#include <string.h>

static bool has_file(const struct sim *sim, const char *name) {
    const struct line_names *names = &sim->kernel.lines.names;
    for (size_t i = 0; i < names->count; i++) {
        const char *slash = strrchr(names->list[i].text, '/');
        if (strcmp(slash ? slash + 1 : names->list[i].text, name) == 0)
            return true;
    }
    return false;
}

static bool has_racy_files(const struct sim *sim, char *error, size_t error_size) {
    const struct profile *profile = &sim->frames.profile;
    for (unsigned i = 0; sim->options.profile.bytes != NULL && i < profile->racy_file_count; i++)
        if (!has_file(sim, profile->racy_files[i])) {
            snprintf(error, error_size, "%s: the kernel has no line of a file '%s'",
                     sim->options.profile.name, profile->racy_files[i]);
            return false;
        }
    return true;
}

bool races_init(struct sim *sim, char *error, size_t error_size) {
    sim->races.on = sim->options.races;
    if (!sim->races.on)
        return true;
    if (!has_racy_files(sim, error, error_size))
        return false;
    if (shadow_init(&sim->races.shadow, sim->options.ram_bytes >> 12))
        return true;
    snprintf(error, error_size, "no memory to look for races");
    return false;
}

void races_new_page(struct sim *sim, uint64_t pa) {
    if (sim->races.on)
        shadow_forget(&sim->races.shadow, (pa - RAM_BASE) >> 12);
}

/* What the doubleword carries, goes to the hart that loads; what the hart has released goes with
 * what it stores. Returns the bytes of it that are atomic. */
static uint8_t carry(struct sim *sim, struct shadow_page *page, unsigned word,
                     const struct access_made *access) {
    struct races_hart *h = &sim->races.harts[access->hart];
    struct carrier *carrier = shadow_carrier(&sim->races.shadow, page, word,
                                             access->store && access->beside);
    if (carrier == NULL)
        return 0;
    if (access->store)
        clock_join(&carrier->clock, &h->released);
    if (access->store && access->beside)
        carrier->clock.at[access->hart] = access->when; /* who has seen the store, knows of it */
    if (!access->store)
        clock_join(&h->loaded, &carrier->clock);
    return carrier->atomic;
}

static bool is_ordered(const struct sim *sim, const struct access_made *before,
                       const struct access_made *access) {
    return before->hart == access->hart ||
           before->when <= sim->races.harts[access->hart].now.at[before->hart];
}

/* Whether an access says nothing that the new one does not say for the future. */
static bool is_covered(const struct sim *sim, const struct access_made *before,
                       const struct access_made *access) {
    if (before->hart == access->hart && before->bytes == access->bytes &&
        before->store == access->store && before->beside == access->beside)
        return true;
    return access->store && (before->bytes & ~(unsigned)access->bytes) == 0 && !access->beside &&
           is_ordered(sim, before, access);
}

static void remember(const struct sim *sim, struct access_made *made,
                     const struct access_made *access) {
    struct access_made *to = &made[0];
    for (unsigned i = 0; i < ACCESSES; i++) {
        if (made[i].when != 0 && is_covered(sim, &made[i], access))
            made[i].when = 0;
        if (made[i].when < to->when)
            to = &made[i];
    }
    *to = *access;
}

/* Whether the access is the first of its kind behind a fence that it belongs to. */
static bool is_beside(struct races_hart *h, uint64_t pc, bool store) {
    uint64_t *fence = store ? &h->release_pc : &h->full_pc;
    bool is = *fence != 0 && pc - *fence <= RACES_BESIDE;
    *fence = 0;
    if (store)
        h->store_pc = pc;
    return is;
}

void races_access(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa, unsigned size,
                  bool store) {
    uint64_t number = (pa - RAM_BASE) >> 12;
    if (hart->priv == PRIV_U) {
        shadow_show(&sim->races.shadow, number);
        return;
    }
    struct shadow_page *page = shadow_page(&sim->races.shadow, number);
    struct races_hart *h = &sim->races.harts[hart->id];
    unsigned word = pa % 4096 / 8;
    if (page == NULL)
        return;
    struct access_made access = {.when = sim_now(sim),
                                 .pc = hart->pc,
                                 .hart = hart->id & 7,
                                 .bytes = (((1u << size) - 1) << pa % 8) & 0xff,
                                 .store = store,
                                 .beside = is_beside(h, hart->pc, store)};
    if ((access.bytes & ~(unsigned)carry(sim, page, word, &access)) == 0)
        return;
    struct access_made *made = page->made[word];
    for (unsigned i = 0; i < ACCESSES; i++)
        if ((made[i].bytes & access.bytes) && (made[i].store || store) && made[i].when != 0 &&
            !is_ordered(sim, &made[i], &access))
            tell_race(sim, hart, va, &made[i], &access);
    remember(sim, made, &access);
}
