/* See fetched.h. */
#include "machine/cpu/fetched.h"
#include "machine/cpu/code.h"
#include <stdlib.h>
#include <string.h>

static const uint8_t *memory_of(const struct sim *sim, uint64_t pa) {
    return sim->ram + (pa - RAM_BASE);
}

/* ---- saved -------------------------------------------------------------------------------- */
static bool save_page(const struct sim *sim, const struct code_page *page,
                      struct fetched_page *to) {
    *to = (struct fetched_page){.pa = page->pa};
    if (memcmp(page->bytes, memory_of(sim, page->pa), sizeof(page->bytes)) == 0)
        return true; /* and a mark would find nothing */
    to->bytes = malloc(sizeof(page->bytes));
    if (to->bytes == NULL)
        return false;
    memcpy(to->bytes, page->bytes, sizeof(page->bytes));
    for (unsigned slot = 0; slot < CODE_SLOTS; slot++)
        if (page->ops[slot].code == OP_STALE)
            to->stale[slot / 64] |= 1ull << slot % 64;
    return true;
}

static void save_entries(const struct hart *hart, struct fetched *fetched) {
    for (unsigned c = 0; c < CONTEXTS; c++)
        for (unsigned set = 0; set < FETCH_SETS; set++) {
            const struct fetch_entry *entry = &hart->caches.fetch[c][set];
            for (uint32_t i = 0; entry->tag != TLB_NONE && i < fetched->count; i++)
                if (fetched->pages[i].pa == entry->page->pa)
                    fetched->entries[c][set] = i + 1;
        }
}

bool fetched_save(const struct sim *sim, const struct hart *hart, struct fetched *fetched) {
    if (hart->caches.code_pages == 0)
        return true;
    fetched->pages = calloc(hart->caches.code_pages, sizeof(*fetched->pages));
    if (fetched->pages == NULL)
        return false;
    for (unsigned i = 0; i < CODE_BUCKETS; i++)
        for (const struct code_page *page = hart->caches.buckets[i]; page; page = page->next)
            if (!save_page(sim, page, &fetched->pages[fetched->count++])) {
                fetched_free(fetched);
                return false;
            }
    save_entries(hart, fetched);
    return true;
}

void fetched_free(struct fetched *fetched) {
    for (uint32_t i = 0; i < fetched->count; i++)
        free(fetched->pages[i].bytes);
    free(fetched->pages);
    *fetched = (struct fetched){0};
}

/* ---- restored ----------------------------------------------------------------------------- */
/* Takes the page of pa out of a list. */
static struct code_page *take(struct code_page **list, uint64_t pa) {
    while (*list != NULL && (*list)->pa != pa)
        list = &(*list)->next;
    struct code_page *page = *list;
    if (page != NULL)
        *list = page->next;
    return page;
}

static void free_list(struct code_page *list) {
    while (list != NULL) {
        struct code_page *next = list->next;
        free(list);
        list = next;
    }
}

/* What is decoded follows from the bytes, so it stays where they are the same. */
static void restore_page(struct sim *sim, struct code_page *page, const struct fetched_page *from) {
    code_set_hooks(sim, page);
    const uint8_t *bytes = from->bytes != NULL ? from->bytes : memory_of(sim, from->pa);
    bool same = memcmp(page->bytes, bytes, sizeof(page->bytes)) == 0;
    memcpy(page->bytes, bytes, sizeof(page->bytes));
    for (unsigned slot = 0; slot < CODE_SLOTS; slot++)
        if (from->stale[slot / 64] >> slot % 64 & 1)
            page->ops[slot].code = OP_STALE;
        else if (!same || page->ops[slot].code == OP_STALE)
            page->ops[slot].code = OP_DECODE;
}

static struct code_page *new_page(uint64_t pa) {
    struct code_page *page = calloc(1, sizeof(*page));
    if (page == NULL)
        abort();
    page->pa = pa;
    for (unsigned i = 0; i < CODE_SLOTS; i++)
        page->ops[i].code = OP_DECODE;
    page->ops[CODE_SLOTS].code = OP_PAGE_END;
    page->ops[CODE_SLOTS + 1].code = OP_PAGE_END_CROSSED;
    return page;
}

static void restore_entries(struct hart *hart, const struct fetched *fetched,
                            struct code_page *const *pages) {
    for (unsigned c = 0; c < CONTEXTS; c++)
        for (unsigned set = 0; set < FETCH_SETS; set++) {
            uint32_t index = fetched->entries[c][set];
            hart->caches.fetch[c][set].page = index ? pages[index - 1] : NULL;
        }
}

void fetched_restore(struct sim *sim, struct hart *hart, const struct fetched *fetched) {
    struct code_page *old[CODE_BUCKETS];
    struct code_page **pages = calloc(fetched->count + 1, sizeof(struct code_page *));
    if (pages == NULL)
        abort();
    memcpy(old, hart->caches.buckets, sizeof(old));
    memset(hart->caches.buckets, 0, sizeof(hart->caches.buckets));
    for (uint32_t i = 0; i < fetched->count; i++) {
        const struct fetched_page *from = &fetched->pages[i];
        unsigned bucket = (from->pa >> 12) % CODE_BUCKETS;
        struct code_page *page = take(&old[bucket], from->pa);
        pages[i] = page != NULL ? page : new_page(from->pa);
        restore_page(sim, pages[i], from);
        pages[i]->next = hart->caches.buckets[bucket];
        hart->caches.buckets[bucket] = pages[i];
    }
    for (unsigned i = 0; i < CODE_BUCKETS; i++)
        free_list(old[i]);
    hart->caches.code_pages = fetched->count;
    restore_entries(hart, fetched, pages);
    free(pages);
}
