/* PLIC. What the harts see of it is worked out anew after each change, since changes are rare. */
#include "machine/dev/plic.h"
#include <stddef.h>

/* Chapter 3: the memory map. */
#define PRIORITY 0x0
#define PENDING 0x1000
#define ENABLE 0x2000
#define ENABLE_STRIDE 0x80
#define CONTEXT 0x200000
#define CONTEXT_STRIDE 0x1000
enum { THRESHOLD = 0, CLAIM = 4 };

#define PRIORITY_MASK 7

void plic_reset(struct plic *p) { *p = (struct plic){0}; }

static bool get(const uint32_t *words, unsigned source) {
    return words[source / 32] >> source % 32 & 1;
}

static void set(uint32_t *words, unsigned source, bool value) {
    uint32_t bit = (uint32_t)1 << source % 32;
    words[source / 32] = value ? words[source / 32] | bit : words[source / 32] & ~bit;
}

/* The pending source of the highest priority that a context has enabled, the lowest of equals; 0
 * for none. Priority 0 never interrupts. */
static unsigned best(const struct plic *p, unsigned context) {
    unsigned found = 0;
    for (unsigned word = 0; word < PLIC_WORDS; word++) {
        uint32_t candidates = p->pending[word] & p->enabled[context][word];
        for (unsigned source = word * 32; candidates; source++, candidates >>= 1)
            if (candidates & 1 && p->priority[source] > p->priority[found])
                found = source;
    }
    return found;
}

static void update(struct plic *p) {
    for (unsigned context = 0; context < PLIC_CONTEXTS; context++)
        p->raised[context] = p->priority[best(p, context)] > p->threshold[context];
}

/* Chapter 10: a gateway forwards no request while the one before it is served. */
static void forward(struct plic *p, unsigned source) {
    if (get(p->level, source) && !get(p->claimed, source))
        set(p->pending, source, true);
}

void plic_set(struct plic *p, unsigned source, bool level) {
    if (source == 0 || source >= PLIC_SOURCES || get(p->level, source) == level)
        return;
    set(p->level, source, level);
    forward(p, source);
    update(p);
}

/* Chapter 9: the threshold does not matter. */
static unsigned claim(struct plic *p, unsigned context) {
    unsigned source = best(p, context);
    if (source == 0)
        return 0;
    set(p->pending, source, false);
    set(p->claimed, source, true);
    update(p);
    return source;
}

/* Chapter 10: what the context has not enabled is ignored. */
static void complete(struct plic *p, unsigned context, uint32_t source) {
    if (source >= PLIC_SOURCES || !get(p->enabled[context], source))
        return;
    set(p->claimed, source, false);
    forward(p, source);
}

/* The word of enable bits at an offset, or NULL. */
static uint32_t *enable_word(struct plic *p, uint64_t offset) {
    if (offset < ENABLE || offset >= ENABLE + PLIC_CONTEXTS * ENABLE_STRIDE)
        return NULL;
    uint64_t context = (offset - ENABLE) / ENABLE_STRIDE, word = offset % ENABLE_STRIDE / 4;
    return word < PLIC_WORDS ? &p->enabled[context][word] : NULL;
}

/* Whether an offset is in the registers of a context, and which. */
static bool of_context(uint64_t offset, unsigned *context) {
    if (offset < CONTEXT || offset >= CONTEXT + PLIC_CONTEXTS * CONTEXT_STRIDE)
        return false;
    *context = (unsigned)((offset - CONTEXT) / CONTEXT_STRIDE);
    return true;
}

uint64_t plic_read(struct dev_env *env, struct plic *p, uint64_t offset, unsigned size) {
    if (size != 4 || offset % 4)
        return 0;
    if (offset < PRIORITY + 4 * PLIC_SOURCES)
        return p->priority[offset / 4];
    if (offset >= PENDING && offset < PENDING + 4 * PLIC_WORDS)
        return p->pending[(offset - PENDING) / 4];
    const uint32_t *enabled = enable_word(p, offset);
    if (enabled)
        return *enabled;
    unsigned context;
    if (!of_context(offset, &context))
        return 0;
    switch (offset % CONTEXT_STRIDE) {
    case THRESHOLD: return p->threshold[context];
    case CLAIM: return claim(p, context);
    default: return 0;
    }
}

void plic_write(struct dev_env *env, struct plic *p, uint64_t offset, unsigned size,
                uint64_t value) {
    if (size != 4 || offset % 4)
        return;
    uint32_t *enabled = enable_word(p, offset);
    unsigned context;
    if (offset > PRIORITY && offset < PRIORITY + 4 * PLIC_SOURCES)
        p->priority[offset / 4] = value & PRIORITY_MASK;
    else if (enabled) /* there is no source 0 */
        *enabled = (uint32_t)value & (offset % ENABLE_STRIDE == 0 ? ~(uint32_t)1 : UINT32_MAX);
    else if (of_context(offset, &context) && offset % CONTEXT_STRIDE == THRESHOLD)
        p->threshold[context] = value & PRIORITY_MASK;
    else if (of_context(offset, &context) && offset % CONTEXT_STRIDE == CLAIM)
        complete(p, context, (uint32_t)value);
    update(p);
}
