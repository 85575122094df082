/* Does on purpose what ends a program, to see what the kernel says about it. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include <unistd.h>

/* Hides from the compiler what it would warn of. */
static char *at(uint64_t address) {
    __asm__ volatile("" : "+r"(address));
    return (char *)address;
}

static void load(char *p) { *(volatile char *)p; }
static void store(char *p) { *(volatile char *)p = 1; }
static void run(char *p) { ((void (*)(void))(uintptr_t)p)(); }

static uint64_t stack_page(void) {
    char here;
    return (uint64_t)at((uint64_t)&here) & ~0xfffULL;
}

/* Where the stack begins: its lowest part. */
static uint64_t stack_start(void) {
    static struct abi_vmregion region[32];
    int n = vmregions(0, region, 32), i = 0;
    while (i < n && i < 32 && !(region[i].flags & ABI_VM_GUARDED))
        i++;
    return i < n && i < 32 ? region[i].start : stack_page();
}

/* As long as there is no 1 above, which is without end. */
static int deeper(const volatile char *above) {
    volatile char here[256];
    here[0] = 0;
    return *above == 1 ? 0 : deeper(here) + here[0];
}

static uint64_t low_half_end(void) {
    struct abi_sysinfo s;
    return sysinfo(&s) < 0 ? 0 : 1ul << (11 + 9 * s.levels);
}

static const char constant[] = "read-only";

static void null(void) { store(at(8)); }
static void guard(void) { store(at(stack_start() - 8)); }
static void overflow(void) { deeper(constant); }
static void gap(void) { load((char *)sbrk(4096) - 4096); }
static void heap(void) { load(at((uint64_t)sbrk(0) + 4096)); }
static void text(void) { store(at((uint64_t)run)); }
static void rodata(void) { store(at((uint64_t)constant)); }
static void run_stack(void) { run(at(stack_page())); }
static void run_heap(void) { run(sbrk(4096)); }
static void kernel(void) { load(at(0xffffffc080200000)); }
static void trapframe(void) { load(at(low_half_end() - 8192)); }
static void trampoline(void) { run(at(low_half_end() - 4096)); }
static void wild(void) { load(at(0x123456789abcdef0)); }
static void illegal(void) { __asm__ volatile(".word 0"); }

static const struct {
    const char *name, *what;
    void (*fn)(void);
} ways[] = {
    {"null", "stores through a null pointer", null},
    {"guard", "stores below the stack", guard},
    {"overflow", "calls itself without end", overflow},
    {"gap", "loads from below the heap", gap},
    {"heap", "loads from beyond the break", heap},
    {"text", "stores to its own code", text},
    {"rodata", "stores to a constant", rodata},
    {"run-stack", "executes the stack", run_stack},
    {"run-heap", "executes the heap", run_heap},
    {"kernel", "loads from the kernel's text", kernel},
    {"trapframe", "loads from the trapframe", trapframe},
    {"trampoline", "executes the trampoline", trampoline},
    {"wild", "loads from what is no address", wild},
    {"illegal", "executes what is no instruction", illegal},
};
#define WAYS (sizeof ways / sizeof ways[0])

int main(int argc, char *argv[]) {
    for (size_t i = 0; argc == 2 && i < WAYS; i++) {
        if (strcmp(argv[1], ways[i].name))
            continue;
        ways[i].fn();
        fprintf(stderr, "crash: %s did not end it\n", argv[1]);
        return 1;
    }
    fprintf(stderr, "usage: crash WAY\n");
    for (size_t i = 0; i < WAYS; i++)
        fprintf(stderr, "    %-10s  %s\n", ways[i].name, ways[i].what);
    return 2;
}
