/* What was taken and never given back, counted by who took it. */
#include "machine/finding.h"
#include "machine/image/sort.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SITES_MOST = 1024 };

struct site {
    struct frame_place by; /* .when: of the first page */
    uint64_t pages;
};

static bool has_more(const void *left, const void *right) {
    const struct site *a = left, *b = right;
    return a->pages != b->pages ? a->pages > b->pages : a->by.from < b->by.from;
}

/* false: there are too many. */
static bool count(struct site *sites, unsigned *used, const struct frame_place *by) {
    unsigned i = 0;
    while (i < *used && (sites[i].by.from != by->from || sites[i].by.function != by->function))
        i++;
    if (i == SITES_MOST)
        return false;
    if (i == *used)
        sites[(*used)++] = (struct site){*by, 0};
    sites[i].pages++;
    if (by->when < sites[i].by.when)
        sites[i].by.when = by->when;
    return true;
}

static void print_site(struct sim *sim, const struct site *site,
                       void (*line)(void *context, const char *text)) {
    char text[512], where[PLACE_BYTES];
    uint64_t offset;
    const char *name = symbols_find(&sim->kernel.symbols, site->by.function, &offset);
    snprintf(text, sizeof(text),
             "%" PRIu64 " pages taken at %s by %.60s, the first after %" PRIu64 " instructions",
             site->pages, finding_place(sim, site->by.from - 1, where), name ? name : "?",
             site->by.when);
    line(sim->options.context, text);
}

void sim_leaks(struct sim *sim, void (*line)(void *context, const char *text)) {
    struct site *sites = calloc(SITES_MOST, sizeof(*sites));
    unsigned used = 0;
    uint64_t pages = sim->frames.on ? sim->options.ram_bytes >> 12 : 0, others = 0;
    char text[100];
    for (uint64_t i = 0; sites != NULL && i < pages; i++)
        if (sim->frames.pages[i].is == FRAME_TAKEN)
            others += !count(sites, &used, &sim->frames.pages[i].by);
    if (sites != NULL)
        sort(sites, used, sizeof(*sites), has_more);
    for (unsigned i = 0; i < used; i++)
        print_site(sim, &sites[i], line);
    snprintf(text, sizeof(text), "%" PRIu64 " pages taken elsewhere", others);
    if (others > 0)
        line(sim->options.context, text);
    free(sites);
}
