/* See code.h. */
#include "machine/cpu/code.h"
#include "machine/cpu/ahead.h"
#include "machine/cpu/bits.h"
#include "machine/cpu/memory.h"
#include "machine/finding.h"
#include <stdlib.h>
#include <string.h>

static struct code_page **bucket(struct hart *hart, uint64_t pa) {
    return &hart->caches.buckets[(pa >> 12) % CODE_BUCKETS];
}

struct code_page *code_find(struct hart *hart, uint64_t pa) {
    struct code_page *page = *bucket(hart, pa);
    while (page != NULL && page->pa != pa)
        page = page->next;
    return page;
}

/* Nothing is decoded, and the bytes are what memory has. */
static void fill(struct sim *sim, struct code_page *page) {
    memcpy(page->bytes, sim->ram + (page->pa - RAM_BASE), sizeof(page->bytes));
    for (unsigned i = 0; i < CODE_SLOTS; i++)
        page->ops[i].code = OP_DECODE;
    page->ops[CODE_SLOTS].code = OP_PAGE_END;
    page->ops[CODE_SLOTS + 1].code = OP_PAGE_END_CROSSED;
}

void code_drop(struct hart *hart) {
    for (unsigned i = 0; i < CODE_BUCKETS; i++)
        while (hart->caches.buckets[i] != NULL) {
            struct code_page *page = hart->caches.buckets[i];
            hart->caches.buckets[i] = page->next;
            free(page);
        }
    hart->caches.code_pages = 0;
    hart_forget(hart);
}

static void set_hook(void *context, unsigned slot) {
    struct code_page *page = context;
    page->hooks[slot / 64] |= 1ull << slot % 64;
    page->ops[slot].code = OP_DECODE;
}

void code_set_hooks(const struct sim *sim, struct code_page *page) {
    for (unsigned slot = 0; slot < CODE_SLOTS; slot++)
        if (page->hooks[slot / 64] >> slot % 64 & 1)
            page->ops[slot].code = OP_DECODE;
    memset(page->hooks, 0, sizeof(page->hooks));
    frames_each_hook(sim, page->pa, page, set_hook);
    uint64_t watched = sim->events.own.function;
    if (watched >> 12 == page->pa >> 12)
        set_hook(page, (unsigned)(watched & 4095) / 2);
}

void code_hook(struct sim *sim, uint64_t pa) {
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct code_page *page = code_find(&sim->harts[i], pa & ~4095ull);
        if (page != NULL)
            set_hook(page, (unsigned)(pa & 4095) / 2);
    }
}

/* The slots whose instruction has a byte in [from, to) of the page: code_stale looks at them. */
static void mark(struct code_page *page, uint64_t from, uint64_t to) {
    for (uint64_t slot = from >= 2 ? (from - 2) / 2 : 0; slot < (to + 1) / 2; slot++)
        page->ops[slot].code = OP_STALE;
}

/* The hart has these bytes of the page. */
static void set_bytes(struct code_page *page, const uint8_t *bytes) {
    for (unsigned at = 0; at < sizeof(page->bytes); at += 2)
        if (memcmp(page->bytes + at, bytes + at, 2) != 0)
            mark(page, at, at + 2);
    memcpy(page->bytes, bytes, sizeof(page->bytes));
}

struct code_page *code_fetch(struct sim *sim, struct hart *hart, uint64_t pa) {
    pa &= ~4095ull;
    struct code_page *page = code_find(hart, pa);
    if (page != NULL)
        return page;
    page = malloc(sizeof(*page));
    if (page == NULL)
        abort();
    page->pa = pa;
    page->next = *bucket(hart, pa);
    *bucket(hart, pa) = page;
    if (++hart->caches.code_pages > CODE_PAGES)
        hart_yield(hart); /* they are given back between turns */
    memset(page->hooks, 0, sizeof(page->hooks));
    fill(sim, page);
    code_set_hooks(sim, page);
    const uint8_t *ahead = ahead_find(hart, pa);
    if (ahead != NULL)
        set_bytes(page, ahead);
    ahead_fetch(sim, hart, pa);
    watch_page(sim, pa, PAGE_CODE);
    return page;
}

uint32_t code_word(const struct code_page *page, unsigned slot) {
    uint16_t low, high = 0;
    memcpy(&low, page->bytes + 2 * slot, 2);
    if (!instruction_is_long(low))
        return low;
    if (slot + 1 == CODE_SLOTS)
        return page->crossing;
    memcpy(&high, page->bytes + 2 * slot + 2, 2);
    return (uint32_t)high << 16 | low;
}

void code_decode(struct code_page *page, unsigned slot) {
    uint32_t first = page->bytes[2 * slot];
    if (slot + 1 == CODE_SLOTS && instruction_is_long((uint16_t)first))
        page->ops[slot].code = OP_CROSS;
    else
        decode(code_word(page, slot), slot, &page->ops[slot]);
    if (page->hooks[slot / 64] >> slot % 64 & 1) {
        page->ops[slot].hooked = (uint8_t)page->ops[slot].code;
        page->ops[slot].code = OP_HOOK;
    }
}

/* Memory has changed there: what the hart has fetched stays, or not. */
static void look_again(struct sim *sim, struct hart *hart, struct code_page *page, unsigned slot,
                       size_t bytes) {
    const uint8_t *memory = sim->ram + (page->pa - RAM_BASE) + 2 * slot;
    uint8_t *fetched = page->bytes + 2 * slot;
    if (memcmp(fetched, memory, bytes) == 0)
        return;
    if (sim->options.stale_code)
        finding_stale_code(sim, hart, page->pa + 2 * slot);
    else
        memcpy(fetched, memory, bytes);
}

bool code_cross(struct sim *sim, struct hart *hart, struct code_page *page) {
    struct op *op = &page->ops[CODE_SLOTS - 1];
    uint16_t low, high;
    struct code_page *next = memory_fetch(sim, hart, hart->pc + 2);
    if (next == NULL)
        return false;
    if (next->ops[0].code == OP_STALE)
        look_again(sim, hart, next, 0, 2);
    memcpy(&low, page->bytes + 4094, 2);
    memcpy(&high, next->bytes, 2);
    page->crossing = (uint32_t)high << 16 | low;
    uint16_t code = op->code; /* it may be hooked */
    decode(page->crossing, CODE_SLOTS - 1, op);
    op->crossing = op->code;
    op->code = code;
    op->hooked = OP_CROSS;
    return true;
}

void code_fence(struct sim *sim, struct hart *hart) {
    ahead_fence(sim, hart);
    for (unsigned i = 0; i < CODE_BUCKETS; i++)
        for (struct code_page *page = hart->caches.buckets[i]; page != NULL; page = page->next)
            if (memcmp(page->bytes, sim->ram + (page->pa - RAM_BASE), sizeof(page->bytes)) != 0)
                fill(sim, page);
}

void code_written(struct sim *sim, uint64_t pa, uint64_t bytes) {
    uint64_t from = pa & 4095;
    bool kept = false;
    finding_note_write(sim, pa, bytes);
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct code_page *page = code_find(&sim->harts[i], pa & ~4095ull);
        if (page == NULL)
            continue;
        kept = true;
        mark(page, from, from + bytes);
    }
    if (!kept)
        sim->page_flags[(pa - RAM_BASE) >> 12] &= (uint8_t)~PAGE_CODE;
}

void code_stale(struct sim *sim, struct hart *hart, struct code_page *page, unsigned slot) {
    /* What was short may have become long. */
    bool is_long = instruction_is_long(page->bytes[2 * slot]) || !sim->options.stale_code;
    look_again(sim, hart, page, slot, is_long && slot + 1 < CODE_SLOTS ? 4 : 2);
    code_decode(page, slot);
}
