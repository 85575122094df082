/* A process's regions: see vmspace.h. */
#include "vmspace.h"
#include <trellis.h>

#define USER_LIMIT 0x3fc0000000ul /* the last GiB of the low half is the kernel's */

bool vm_space_read(const struct abi_procinfo *p, struct vm_space *s) {
    *s = (struct vm_space){.brk = p->brk, .kernel_view = p->kernel_view};
    int n = vmregions(p->pid, s->region, ABI_VM_REGIONS_MAX);
    for (int i = 0; i < n; i++) {
        const struct abi_vmregion *r = &s->region[i];
        if (r->kind == ABI_VM_HEAP)
            s->heap = r->start;
        if (r->start == r->end)
            continue; /* given back by sbrk, or a heap of nothing */
        if (r->kind == ABI_VM_STACK) {
            s->stack = r->start;
            s->stack_end = r->end;
        }
        s->region[s->regions++] = *r;
    }
    return n >= 0;
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
    return "the last GiB of the low half is for the kernel's own pages";
}

const char *vm_why_unmapped(const struct vm_space *s, enum abi_vmview view, uint64_t va) {
    if (va >= USER_LIMIT)
        return why_not_users(s, view, va);
    if (view == ABI_VIEW_KERNEL && s->kernel_view == ABI_KERNEL_VIEW_OF_ALL)
        return "the one kernel page table maps nothing of any process";
    if (vm_region(s, va))
        return "granted, and not touched so far";
    if (s->stack && va < s->stack && va >= s->stack - VM_PAGE)
        return "the guard page below the stack";
    if (va >= s->brk)
        return "beyond the break";
    if (s->stack && va >= s->stack_end && va < s->heap)
        return "the gap between the stack and the heap";
    return "in no segment of the program";
}
