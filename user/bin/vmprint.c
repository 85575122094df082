/* Prints the page tables of a process, its own or that of the one named, in the format of
 * the page-table lab: what user mode's translations go through and what the kernel's do
 * when it works for the process. The process may be running meanwhile.
 *
 * -v adds the flags as letters and the addresses that an entry spans, and prints
 * neighbouring leaves that map neighbouring frames with equal flags as one line. */
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include "../lib/vmtree.h"

#define USAGE "vmprint [-v] [-u | -k] [PID]"

static bool verbose, want_user, want_kernel;

static void indent(unsigned level) {
    for (unsigned l = VM_ROOT_LEVEL; l > level; l--)
        printf(".. ");
    printf("..");
}

/* How many entries are leaves that continue the first one. */
static unsigned run_length(const struct vm_entry *e) {
    unsigned n = 1;
    uint64_t step = vm_span(e->level) / VM_PAGE << 10; /* the next frame, as entries hold it */
    if (!vm_is_table(*e->entry, e->level))
        while (n < e->left && e->entry[n] == *e->entry + n * step)
            n++;
    return n;
}

static unsigned print_entry(void *ctx, const struct vm_entry *e) {
    bool *titled = ctx;
    char flags[VM_FLAGS_TEXT];
    if (e->entry && !*titled)
        printf("page table 0x%016lx\n", e->table);
    *titled = true;
    if (e->entry && !(*e->entry & VM_V))
        return !ferror(stdout);
    indent(e->level);
    if (!e->entry) {
        printf(" (gone meanwhile)\n");
        return !ferror(stdout);
    }
    unsigned n = verbose ? run_length(e) : 1;
    printf(n > 1 ? "%u-%u" : "%u", e->index, e->index + n - 1);
    printf(": pte 0x%016lx pa 0x%016lx", *e->entry, vm_frame(*e->entry));
    if (verbose)
        printf(" %s va 0x%016lx-0x%016lx%s", vm_flags(*e->entry, flags), e->va,
               e->va + (n * vm_span(e->level) - 1),
               vm_is_kept(*e->entry, e->level) ? " " VM_KEPT : "");
    printf("\n");
    return ferror(stdout) ? 0 : n; /* nobody reads any more */
}

static bool print_view(const struct abi_procinfo *p, enum abi_vmview view, const char *title,
                       uint64_t last) {
    bool titled = false;
    printf("%s:\n", title);
    return vm_visit(p->pid, view, 0, last, print_entry, &titled);
}

/* Under unify one table is both views, and its user's half the user's. */
static bool print_views(const struct abi_procinfo *p) {
    bool user = want_user && (!want_kernel || p->kernel_view != ABI_KERNEL_VIEW_USERS);
    if (user && !print_view(p, ABI_VIEW_USER, vm_title(p, ABI_VIEW_USER), VM_LOW_HALF_END - 1))
        return false;
    return !want_kernel || print_view(p, ABI_VIEW_KERNEL, vm_title(p, ABI_VIEW_KERNEL), -1ul);
}

int main(int argc, char *argv[]) {
    int first = 1;
    pid_t pid = 0;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "-v") == 0)
            verbose = true;
        else if (strcmp(argv[first], "-u") == 0)
            want_user = true;
        else if (strcmp(argv[first], "-k") == 0)
            want_kernel = true;
        else
            vm_usage(USAGE, argv[first]);
    }
    if (first + 1 < argc || (first < argc && !vm_parse_pid(argv[first], &pid)))
        vm_usage(USAGE, NULL);
    if (!want_user && !want_kernel)
        want_user = want_kernel = true;
    struct abi_procinfo p;
    if (!vm_find("vmprint", pid, &p))
        return 1;
    bool there = print_views(&p);
    int failed = finish_output("vmprint");
    if (!there)
        vm_say_gone("vmprint", p.pid);
    return failed < 0 || !there;
}
