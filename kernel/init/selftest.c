/* Failures on request: see selftest.h. */
#include "init/selftest.h"
#include "arch/context.h"
#include "arch/trapinfo.h"
#include "dev/bootargs.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/inspect.h"
#include "mm/kmap.h"
#include "proc/proc.h"

static void fail_panic(void) { panic("asked for by selftest=panic"); }

static void fail_fault(void) { *(volatile uint64_t *)(DIRECT_BASE + DIRECT_SIZE); }

static void fail_write_text(void) { *(volatile uint32_t *)(uintptr_t)fail_panic = 0; }

/* Through a pointer, so that the compiler cannot see the recursion. */
static void (*volatile again)(unsigned);

static void fail_deeper(unsigned depth) {
    volatile char used[256];
    used[depth % sizeof(used)] = 1;
    again(depth + 1);
    used[0] = 2;
}

static void fail_overflow(void) {
    again = fail_deeper;
    again(0);
}

static volatile uint64_t null_pointer; /* so that the compiler cannot see it */

static void load(uint64_t va) { *(volatile uint64_t *)va; }

static void fail_null(void) { load(null_pointer + 8); }
static void fail_user_pointer(void) { load(thread_self()->tf->sp); }
static void fail_guard(void) { *(volatile uint64_t *)(KSTACK(proc_self()->as->slot) - 8) = 0; }
static void fail_other_stack(void) { load(KSTACK(proc_self()->as->slot + 1)); }

static void fail_run_data(void) {
    volatile uint32_t code[2] = {0};
    ((void (*)(void))(uintptr_t)code)();
}

/* As a switch to the next process that leaves satp as it is. */
static void fail_lost_stack(void) {
    static struct context here, next;
    next.ra = (uint64_t)context_start;
    next.s[1] = (uint64_t)fail_panic;
    next.sp = KSTACK_TOP(proc_self()->as->slot + 1);
    swtch(&here, &next, proc_self()->as->kernel_satp);
}

/* As a stray store: the entry for the last addresses, which are nobody's, points to where no
 * RAM is. */
static void fail_bad_table(void) {
    unsigned level;
    uint64_t *last = pt_walk(inspect_view(proc_self()->as, true), VA(-LARGE_SIZE), &level);
    *(volatile uint64_t *)last = DIRECT_SIZE >> 2 | 1;
    load(-LARGE_SIZE + 8);
}

static void fail_bad_frame(void) { load((uint64_t)kmap_device(GIB(200), PAGE_SIZE)); }

/* Its backtrace faults too: its caller's frame is said to be where nothing is. */
static void fail_frames(void) {
    ((volatile uint64_t *)__builtin_frame_address(0))[-2] = KERNEL_HALF + GIB(250);
    panic("asked for by selftest=frames");
}

static const struct failure {
    const char *name;
    bool in_process;
    void (*fn)(void);
} failures[] = {
    {"panic", false, fail_panic},
    {"fault", false, fail_fault},
    {"write-text", false, fail_write_text},
    {"overflow", false, fail_overflow},
    {"frames", false, fail_frames},
    {"null", true, fail_null},
    {"user-pointer", true, fail_user_pointer},
    {"guard", true, fail_guard},
    {"other-stack", true, fail_other_stack},
    {"run-data", true, fail_run_data},
    {"lost-stack", true, fail_lost_stack},
    {"bad-table", true, fail_bad_table},
    {"bad-frame", false, fail_bad_frame},
};

static const struct failure *chosen(const char *name) {
    for (unsigned i = 0; i < ARRAY_LEN(failures); i++)
        if (!strcmp(name, failures[i].name))
            return &failures[i];
    return NULL;
}

static void fail(bool in_process) {
    char name[16];
    if (!bootarg("selftest", name, sizeof(name)))
        return;
    const struct failure *f = chosen(name);
    if (f && f->in_process == in_process)
        f->fn();
    if (!f && in_process)
        kprintf("selftest=%s: there is no such test\n", name);
}

void selftest(void) { fail(false); }
void selftest_in_process(void) { fail(true); }
