/* Page tables as text: see vmprint.h. */
#include "mm/vmprint.h"
#include "lib/printf.h"

/* Entries come by rising start of their span, and where these are equal, by falling level. */
static bool noted_before(const struct vmprint *v, vaddr_t va, unsigned level) {
    return v->titled && (va.v < v->last.v || (va.v == v->last.v && level >= v->last_level));
}

static bool note_entry(void *ctx, vaddr_t va, unsigned level, pte_t *e) {
    struct vmprint *v = ctx;
    if (noted_before(v, va, level))
        return true;
    v->entry[v->n++] = (struct vmprint_entry){va, level, *e};
    return v->n < VMPRINT_PIECE;
}

void vmprint_gather(struct vmprint *v, const struct pt *pt) {
    v->n = 0;
    if (!v->root.v) {
        v->root = pt->root;
        v->levels = pt->levels;
    }
    if (v->root.v == pt->root.v)
        pt_visit(pt, v->last, VA(USER_HALF_END), note_entry, v);
}

void vmprint_say(struct vmprint *v) {
    if (!v->titled)
        kprintf("page table 0x%016lx\n", (unsigned long)v->root.v);
    v->titled = true;
    for (unsigned i = 0; i < v->n; i++) {
        const struct vmprint_entry *entry = &v->entry[i];
        int indent = 3 * ((int)v->levels - 1 - (int)entry->level);
        kprintf("%.*s..%u: pte 0x%016lx pa 0x%016lx\n", indent, ".. .. .. .. ",
                va_index(entry->va, entry->level), (unsigned long)entry->e,
                (unsigned long)pte_pa(entry->e).v);
        v->last = entry->va;
        v->last_level = entry->level;
    }
}

void vmprint(const struct pt *pt) {
    struct vmprint v = {0};
    do {
        vmprint_gather(&v, pt);
        vmprint_say(&v);
    } while (v.n > 0);
}
