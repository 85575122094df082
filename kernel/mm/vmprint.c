/* Page tables as text: see vmprint.h. */
#include "mm/vmprint.h"
#include "lib/printf.h"

static bool print_entry(void *ctx, vaddr_t va, unsigned level, pte_t *e) {
    for (unsigned l = PT_ROOT_LEVEL; l > level; l--)
        kprintf(".. ");
    kprintf("..%u: pte 0x%016lx pa 0x%016lx\n", va_index(va, level), (unsigned long)*e,
            (unsigned long)pte_pa(*e).v);
    return true;
}

void vmprint(const struct pt *pt) {
    kprintf("page table 0x%016lx\n", (unsigned long)pt->root.v);
    pt_visit(pt, VA(0), VA(USER_HALF_END), print_entry, NULL);
}
