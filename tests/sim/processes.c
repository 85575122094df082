/* A kernel of M-mode with a table of processes such as xv6 has, and three page tables: of process
 * 7, of nobody, and of a slot that is free. test_sim_processes.py. */
#include "guest.h"

#define SV39 (8ul << 60)

GUEST_START(4096, "");

struct proc {
    int lock, state;
    u64 *kept[3];
    int pid;
    u64 size;
    u64 *pagetable;
    char name[16];
};
static u64 tables[3][512] __attribute__((aligned(4096)));
struct proc proc[64] = {
    [5] = {.pid = 7, .pagetable = tables[0], .name = "seven"},
    [6] = {.pagetable = tables[2], .name = "free"},
};

/* By these two the machine knows whose kernel it looks like. */
NOINLINE void *kalloc(void) { return 0; }
NOINLINE void kfree(void *page) { __asm__ volatile("" ::"r"(page)); }

static void set_satp(u64 *table) {
    __asm__ volatile("csrw satp, %0" ::"r"(SV39 | (u64)table >> 12) : "memory");
}

void start(u64 hart) {
    kfree(kalloc());
    if (hart == 0) {
        set_satp(tables[2]);
        set_satp(tables[1]);
        set_satp(tables[0]);
    }
    for (;;)
        __asm__ volatile("wfi");
}
