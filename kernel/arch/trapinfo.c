/* What a trap means, and where the kernel was: see trapinfo.h. */
#include "arch/trapinfo.h"
#include "arch/csr.h"
#include "arch/layout.h"
#include "arch/pte.h"
#include "lib/ksyms.h"
#include "lib/printf.h"

const char *cause_name(uint64_t scause) {
    static const char *const exception[] = {
        [0] = "instruction address misaligned", [1] = "instruction access fault",
        [2] = "illegal instruction", [3] = "breakpoint", [4] = "load address misaligned",
        [5] = "load access fault", [6] = "store address misaligned", [7] = "store access fault",
        [8] = "environment call from user mode", [9] = "environment call from supervisor mode",
        [12] = "instruction page fault", [13] = "load page fault", [15] = "store page fault",
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

/* A return address: the call stands before it, maybe as a function's last
 * instruction. */
static void print_place(uint64_t pc) {
    uint64_t offset;
    const char *name = ksym_lookup(pc - 1, &offset);
    if (name)
        kprintf("  0x%016lx  %s+0x%lx\n", (unsigned long)pc, name, (unsigned long)offset + 1);
    else
        kprintf("  0x%016lx\n", (unsigned long)pc);
}

void backtrace_from(uint64_t fp) {
    for (unsigned depth = 0; depth < 24 && plausible(fp); depth++) {
        uint64_t ra = ((uint64_t *)fp)[-1], caller = ((uint64_t *)fp)[-2];
        if (!ra)
            break;
        print_place(ra);
        if (caller <= fp && (caller ^ fp) < KSTACK_SIZE)
            break;
        fp = caller;
    }
}

void backtrace(void) { backtrace_from((uint64_t)__builtin_frame_address(0)); }
