/* A process's regions: see vmspace.h. */
#include "vmspace.h"
#include <stdio.h>
#include <trellis.h>

bool vm_space_read(const struct abi_procinfo *p, struct vm_space *s) {
    *s = (struct vm_space){.brk = p->brk, .kernel_view = p->kernel_view};
    int n = vmregions(p->pid, s->region, VM_REGIONS);
    if (n < 0)
        return false;
    s->granted = (unsigned)n;
    s->regions = n < VM_REGIONS ? (unsigned)n : VM_REGIONS;
    return true;
}

const struct abi_vmregion *vm_region(const struct vm_space *s, uint64_t va) {
    for (unsigned i = 0; i < s->regions; i++)
        if (va >= s->region[i].start && va < s->region[i].end)
            return &s->region[i];
    return NULL;
}

/* Outside of what the process can ever have. */
static const char *why_not_users(const struct vm_space *s, enum abi_vmview view, uint64_t va) {
    if (va >= VM_LOW_HALF_END && view == ABI_VIEW_USER && s->kernel_view != ABI_KERNEL_VIEW_USERS)
        return "the kernel's half, which user tables do not have";
    if (va >= VM_LOW_HALF_END)
        return "the kernel's half: neither memory that it may use nor a device that it does";
    return "the end of the low half is for the kernel's own pages";
}

/* Between two regions, or beyond the last. */
static const char *why_not_granted(const struct vm_space *s, uint64_t va) {
    static char text[100];
    const struct abi_vmregion *below = NULL, *above = NULL;
    for (unsigned i = 0; i < s->regions && !above; i++)
        if (s->region[i].start > va)
            above = &s->region[i];
        else
            below = &s->region[i];
    if (above && (above->flags & ABI_VM_GUARDED) && va >= above->start - VM_PAGE)
        snprintf(text, sizeof text, "the guard page below the %s", above->name);
    else if (!above && va >= s->brk)
        snprintf(text, sizeof text, "beyond the break");
    else if (above && below)
        snprintf(text, sizeof text, "the gap between the %s and the %s", below->name, above->name);
    else
        snprintf(text, sizeof text, "in no region");
    return text;
}

const char *vm_why_unmapped(const struct vm_space *s, enum abi_vmview view, uint64_t va) {
    if (va >= VM_USER_MAX)
        return why_not_users(s, view, va);
    if (view == ABI_VIEW_KERNEL && s->kernel_view == ABI_KERNEL_VIEW_OF_ALL)
        return "the one kernel page table maps nothing of any process";
    if (vm_region(s, va))
        return "granted, and not touched so far";
    return why_not_granted(s, va);
}
