/* The host's harts, RAM and panic: tests/host/hostarch.h. */
#include "hostarch.h"
#include "arch/trapinfo.h"
#include "lib/ksyms.h"
#include "lib/panic.h"
#include "sync/rank.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct hart harts[NHART] = {
    {.index = 0, .hartid = 0}, {.index = 1, .hartid = 1}, {.index = 2, .hartid = 2},
    {.index = 3, .hartid = 3}, {.index = 4, .hartid = 4}, {.index = 5, .hartid = 5},
    {.index = 6, .hartid = 6}, {.index = 7, .hartid = 7},
};
uint32_t hart_count = 1;
__thread struct hart *host_hart;
uint64_t host_ram_base;
struct paging paging = PAGING(3);

__thread jmp_buf *host_panic_exit;
__thread char host_panic_text[256];

static uint64_t random_state = 1;

__attribute__((constructor)) static void main_thread_is_hart_0(void) { host_hart = &harts[0]; }

void host_hart_be(uint32_t i) {
    host_hart = &harts[i];
    uint32_t count = __atomic_load_n(&hart_count, __ATOMIC_RELAXED);
    while (count < i + 1 && !__atomic_compare_exchange_n(&hart_count, &count, i + 1, false,
                                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void host_ram_map(uint64_t bytes) {
    static void *mapping;
    static size_t mapping_size;
    if (mapping)
        munmap(mapping, mapping_size);
    bytes = ROUND_UP(bytes, PAGE_SIZE);
    mapping_size = bytes + 2 * LARGE_SIZE;
    mapping = mmap(NULL, mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                   0);
    if (mapping == MAP_FAILED) {
        perror("host_ram_map");
        exit(1);
    }
    /* Aligned as HOST_RAM_START is, with a hole before it and one behind it. */
    uint64_t start = ROUND_UP((uint64_t)mapping + PAGE_SIZE, LARGE_SIZE);
    if (mprotect((void *)start, bytes, PROT_READ | PROT_WRITE)) {
        perror("host_ram_map");
        exit(1);
    }
    host_ram_base = start - HOST_RAM_START;
}

/* Not every test has locks. */
extern struct rank_holder spin_holders[NHART] __attribute__((weak));
uint32_t host_keep_locks(uint32_t n) {
    if (!spin_holders)
        return 0;
    struct rank_holder *mine = &spin_holders[host_hart->index];
    mine->n = MIN(mine->n, n);
    return mine->n;
}

/* A test that looks at the names of functions has its own. */
uint64_t linked_address(uint64_t pc) { return pc; }
__attribute__((weak)) const char *ksym_lookup(uint64_t addr, uint64_t *offset) { return NULL; }

void panic(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(host_panic_text, sizeof host_panic_text, fmt, ap);
    va_end(ap);
    if (host_panic_exit)
        longjmp(*host_panic_exit, 1);
    fprintf(stderr, "panic: %s\n", host_panic_text);
    abort();
}

void host_random_seed(uint64_t otherwise) {
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : otherwise;
    printf("SEED=%llu\n", (unsigned long long)seed);
    host_random_start(seed);
}

void host_random_start(uint64_t seed) { random_state = seed * 2 + 1; /* never 0 */ }

uint64_t host_random(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dULL;
}
