/* Failures on request: see selftest.h. */
#include "init/selftest.h"
#include "arch/layout.h"
#include "dev/bootargs.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"

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

static const struct {
    const char *name;
    void (*fn)(void);
} failures[] = {
    {"panic", fail_panic},
    {"fault", fail_fault},
    {"write-text", fail_write_text},
    {"overflow", fail_overflow},
};

void selftest(void) {
    char name[16];
    if (!bootarg("selftest", name, sizeof(name)))
        return;
    for (unsigned i = 0; i < ARRAY_LEN(failures); i++)
        if (!strcmp(name, failures[i].name))
            failures[i].fn();
    kprintf("selftest=%s: there is no such test\n", name);
}
