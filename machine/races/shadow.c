/* See shadow.h. */
#include "machine/races/shadow.h"
#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 1024 };

bool shadow_init(struct shadow *shadow, uint64_t page_count) {
    *shadow = (struct shadow){.page_count = page_count,
                              .pages = calloc((size_t)page_count, sizeof(struct shadow_page *)),
                              .shown = calloc((size_t)page_count, 1)};
    if (shadow->pages != NULL && shadow->shown != NULL)
        return true;
    shadow_free(shadow);
    return false;
}

void shadow_free(struct shadow *shadow) {
    for (uint64_t i = 0; shadow->pages != NULL && i < shadow->page_count; i++)
        free(shadow->pages[i]);
    free(shadow->pages);
    free(shadow->shown);
    free(shadow->carriers);
    *shadow = (struct shadow){0};
}

static bool copy_pages(struct shadow *to, const struct shadow *from) {
    for (uint64_t i = 0; i < from->page_count; i++) {
        if (from->pages[i] == NULL)
            continue;
        to->pages[i] = malloc(sizeof(struct shadow_page));
        if (to->pages[i] == NULL)
            return false;
        memcpy(to->pages[i], from->pages[i], sizeof(struct shadow_page));
    }
    memcpy(to->shown, from->shown, (size_t)from->page_count);
    return true;
}

static bool copy_carriers(struct shadow *to, const struct shadow *from) {
    if (from->carrier_room == 0)
        return true;
    to->carriers = malloc(from->carrier_room * sizeof(struct carrier));
    if (to->carriers == NULL)
        return false;
    memcpy(to->carriers, from->carriers, from->carrier_count * sizeof(struct carrier));
    to->carrier_room = from->carrier_room;
    to->carrier_count = from->carrier_count;
    to->carrier_free = from->carrier_free;
    return true;
}

bool shadow_copy(struct shadow *to, const struct shadow *from) {
    if (!shadow_init(to, from->page_count))
        return false;
    if (copy_pages(to, from) && copy_carriers(to, from))
        return true;
    shadow_free(to);
    return false;
}

struct shadow_page *shadow_page(struct shadow *shadow, uint64_t page) {
    if (shadow->pages[page] == NULL && !shadow->shown[page])
        shadow->pages[page] = calloc(1, sizeof(struct shadow_page));
    return shadow->pages[page];
}

static bool make_room(struct shadow *shadow) {
    uint32_t room = shadow->carrier_room ? 2 * shadow->carrier_room : ROOM_AT_FIRST;
    struct carrier *more = malloc(room * sizeof(struct carrier));
    if (more == NULL)
        return false;
    if (shadow->carrier_count > 0)
        memcpy(more, shadow->carriers, shadow->carrier_count * sizeof(struct carrier));
    free(shadow->carriers);
    shadow->carriers = more;
    shadow->carrier_room = room;
    return true;
}

/* One more than the index of an unused carrier; 0: no memory. */
static uint32_t take(struct shadow *shadow) {
    uint32_t taken = shadow->carrier_free;
    if (taken != 0) {
        shadow->carrier_free = (uint32_t)shadow->carriers[taken - 1].clock.at[0];
        return taken;
    }
    if (shadow->carrier_count == shadow->carrier_room && !make_room(shadow))
        return 0;
    return ++shadow->carrier_count;
}

struct carrier *shadow_carrier(struct shadow *shadow, struct shadow_page *page, unsigned word,
                               bool make) {
    uint32_t *number = &page->carriers[word];
    if (*number == 0 && make) {
        *number = take(shadow);
        if (*number != 0)
            shadow->carriers[*number - 1] = (struct carrier){.atomic = 0};
    }
    return *number ? &shadow->carriers[*number - 1] : NULL;
}

/* The page's own memory is given back. */
static void drop(struct shadow *shadow, uint64_t page) {
    struct shadow_page *known = shadow->pages[page];
    for (unsigned i = 0; known != NULL && i < SHADOW_WORDS; i++)
        if (known->carriers[i] != 0) {
            shadow->carriers[known->carriers[i] - 1].clock.at[0] = shadow->carrier_free;
            shadow->carrier_free = known->carriers[i];
        }
    free(known);
    shadow->pages[page] = NULL;
}

void shadow_show(struct shadow *shadow, uint64_t page) {
    drop(shadow, page);
    shadow->shown[page] = 1;
}

void shadow_forget(struct shadow *shadow, uint64_t page) {
    drop(shadow, page);
    shadow->shown[page] = 0;
}
