/* What a trap means, and where the kernel was: see trapinfo.h. */
#include "arch/trapinfo.h"
#include "arch/csr.h"
#include "arch/layout.h"
#include "arch/pte.h"
#include "lib/ksyms.h"
#include "lib/printf.h"

const char *cause_name(uint64_t scause) {
    static const char *const exception[] = {
        [0] = "instruction address misaligned",
        [1] = "instruction access fault",
        [2] = "illegal instruction",
        [3] = "breakpoint",
        [4] = "load address misaligned",
        [5] = "load access fault",
        [6] = "store address misaligned",
        [7] = "store access fault",
        [8] = "environment call from user mode",
        [9] = "environment call from supervisor mode",
        [12] = "instruction page fault",
        [13] = "load page fault",
        [15] = "store page fault",
    };
    if (scause == CAUSE_SOFTWARE)
        return "software interrupt";
    if (scause == CAUSE_TIMER)
        return "timer interrupt";
    if (scause == CAUSE_EXTERNAL)
        return "external interrupt";
    if (scause < ARRAY_LEN(exception) && exception[scause])
        return exception[scause];
    return "reserved cause";
}

uint64_t cause_access(uint64_t scause) {
    switch (scause) {
    case CAUSE_PAGE_FETCH: return PTE_X;
    case CAUSE_PAGE_LOAD: return PTE_R;
    case CAUSE_PAGE_STORE: return PTE_W;
    default: return 0;
    }
}

struct failed_access cause_failed_access(uint64_t scause) {
    switch (scause) {
    case CAUSE_ACCESS_FETCH: return (struct failed_access){PTE_X, .refused = true};
    case CAUSE_ACCESS_LOAD: return (struct failed_access){PTE_R, .refused = true};
    case CAUSE_ACCESS_STORE: return (struct failed_access){PTE_W, .refused = true};
    default: return (struct failed_access){.wanted = cause_access(scause)};
    }
}

paddr_t loaded_root(void) { return satp_root(csr_read(satp)); }

struct extable_entry {
    uint64_t start, end, fixup;
};

uint64_t extable_find(uint64_t pc) {
    extern const struct extable_entry extable_start[], extable_end[];
    for (const struct extable_entry *e = extable_start; e < extable_end; e++)
        if (pc >= e->start && pc < e->end)
            return e->fixup;
    return 0;
}

/* A frame pointer of one of our stacks: they are 8-byte aligned, in RAM or in the
 * stack area; a frame lies in the same 8 KiB as its caller's, or a trap crossed. */
static bool plausible(uint64_t fp) {
    return IS_ALIGNED(fp, 8) && (fp >= KERNEL_HALF || (fp > USER_MAX && fp <= TRAPFRAME));
}

uint64_t linked_address(uint64_t pc) {
    extern char kernel_start[];
    return pc - (ptr_pa(kernel_start).v - LOAD_ADDRESS);
}

/* One line: an address of code, or one to return to (the call stands before it, maybe as
 * its function's last instruction), with function, file and line. */
static void print_place(uint64_t pc, bool is_return) {
    uint64_t offset, at = linked_address(pc) - is_return;
    unsigned line = 0;
    const char *name = ksym_lookup(at, &offset);
    const char *file = name ? kline_lookup(at, &line) : NULL;
    kprintf("  0x%016lx  ", (unsigned long)pc);
    if (name)
        kprintf("%s+0x%lx", name, (unsigned long)(offset + is_return));
    else
        kprintf("not in the kernel");
    if (file)
        kprintf("  %s:%u", file, line);
    kprintf("\n");
}

/* Callers from a frame pointer on. Recursion is one line; a stack has room for less than
 * 512 frames, and chains cross from one to another at a trap. */
static void backtrace_from(uint64_t fp) {
    uint64_t last = 0;
    unsigned again = 0;
    for (unsigned depth = 0; depth < 1024 && plausible(fp); depth++) {
        uint64_t ra = ((uint64_t *)fp)[-1], caller = ((uint64_t *)fp)[-2];
        again = ra == last ? again + 1 : 0;
        if (again == 1)
            kprintf("  and again\n");
        if (!ra)
            break;
        if (!again)
            print_place(ra, true);
        last = ra;
        if (caller <= fp && (caller ^ fp) < KSTACK_SIZE)
            break;
        fp = caller;
    }
}

static const char *function_of(uint64_t pc) {
    uint64_t offset;
    return ksym_lookup(linked_address(pc), &offset);
}

/* ra is the caller, unless it points back into this function. A leaf function saves fp
 * where others save ra. In a prologue or epilogue fp is still the caller's. */
void backtrace_trap(uint64_t pc, uint64_t ra, uint64_t fp) {
    print_place(pc, false);
    const uint64_t *frame = plausible(fp) ? (uint64_t *)fp : NULL;
    const char *caller = function_of(ra - 1);
    if (caller && caller != function_of(pc) && !(frame && frame[-1] == ra))
        print_place(ra, true);
    if (frame && plausible(frame[-1]) && !function_of(frame[-1] - 1))
        fp = frame[-1];
    backtrace_from(fp);
}

void backtrace(void) { backtrace_from((uint64_t)__builtin_frame_address(0)); }
