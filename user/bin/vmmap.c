/* Lists the regions of a process's memory, its own or that of the one named: addresses,
 * permissions, size in KiB, how many of its pages are there, on frames that others use too,
 * and copied from the program's, and what backs it. The process may be running meanwhile. */
#include <stdio.h>
#include <trellis.h>
#include "../lib/vmspace.h"

#define USAGE "vmmap [PID]"

static void print_backing(const struct abi_vmregion *r) {
    printf("%s", r->name);
    if (!(r->flags & ABI_VM_ZEROS))
        printf(", from byte 0x%lx", r->offset);
    printf("%s%s\n", r->flags & ABI_VM_SHARED ? ", shared" : "",
           r->flags & ABI_VM_LAZY ? ", not promised" : "");
}

static void print_region(const struct abi_vmregion *r) {
    printf("0x%016lx-0x%016lx %c%c%c %7lu %7lu %6lu ", r->start, r->end - 1,
           r->perm & VM_R ? 'r' : '-', r->perm & VM_W ? 'w' : '-', r->perm & VM_X ? 'x' : '-',
           (r->end - r->start) / 1024, r->present, r->shared);
    if (r->flags & (ABI_VM_ZEROS | ABI_VM_SHARED))
        printf("     - ");
    else
        printf("%6lu ", r->copied);
    print_backing(r);
}

/* Addresses between two regions, where every access faults. */
static void print_gap(const struct vm_space *s, uint64_t start, uint64_t end) {
    const struct abi_vmregion *above = vm_region(s, end);
    if (above && (above->flags & ABI_VM_GUARDED) && end - start > VM_PAGE) {
        print_gap(s, start, end - VM_PAGE);
        start = end - VM_PAGE;
    }
    if (start < end)
        printf("0x%016lx-0x%016lx --- %7lu       -      -      - %s\n", start, end - 1,
               (end - start) / 1024, vm_why_unmapped(s, ABI_VIEW_USER, end - 1));
}

static void print_space(const struct abi_procinfo *p, const struct vm_space *s) {
    uint64_t end = 0;
    printf("process %d (%s), %s:\n", p->pid, p->name, p->design);
    printf("%-37s %-3s %7s %7s %6s %6s %s\n", "ADDRESSES", "MAY", "KIB", "PRESENT", "SHARED",
           "COPIED", "BACKED BY");
    for (unsigned i = 0; i < s->regions; i++) {
        print_gap(s, end, s->region[i].start);
        print_region(&s->region[i]);
        end = s->region[i].end;
    }
    if (s->granted > s->regions)
        printf("and %u more\n", s->granted - s->regions);
    printf("break 0x%lx, frames: %lu present, %lu promised, %lu of page tables\n", p->brk,
           p->frames, p->committed, p->table_frames);
}

int main(int argc, char *argv[]) {
    static struct vm_space space;
    struct abi_procinfo p;
    pid_t pid = 0;
    if (argc > 2 || (argc == 2 && !vm_parse_pid(argv[1], &pid)))
        vm_usage(USAGE, argv[1]);
    if (!vm_find("vmmap", pid, &p))
        return 1;
    if (!vm_space_read(&p, &space)) {
        vm_say_gone("vmmap", p.pid);
        return 1;
    }
    print_space(&p, &space);
    return finish_output("vmmap") < 0;
}
