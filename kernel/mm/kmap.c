/* The kernel's half: see kmap.h and docs/memory-map.md. */
#include "mm/kmap.h"
#include "arch/context.h"
#include "arch/hart.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/vmstat.h"
#include "mm/kstack.h"
#include "mm/tlb.h"

extern char kernel_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];
extern char hart_stacks[]; /* NHART slots */

struct pt kernel_pt;
uint64_t kernel_satp;

#define NRANGE 16
static struct { uint64_t start, end; } ram[NRANGE];
static unsigned ram_count;
static bool booting = true;

/* Tables made at boot stay for ever, but for those of a pt_map that fails, which the next one
 * gets; later tables are frames of a commitment. */
static paddr_t spare; /* chained through their first entries, the others are 0; 0: none */

static int table_take(paddr_t *table) {
    if (booting && spare.v) {
        pte_t *first = pa_ptr(spare);
        *table = spare;
        spare = PA(*first);
        *first = 0;
        return 0;
    }
    if (booting) {
        void *p = frame_boot_alloc(PAGE_SIZE, PAGE_SIZE);
        if (!p)
            return -K_ENOMEM;
        *table = ptr_pa(p);
        return 0;
    }
    *table = frame_take_zeroed();
    VM_COUNT(tables, 1);
    return 0;
}

static void table_give(paddr_t table, bool zeroed) {
    if (booting) {
        *(pte_t *)pa_ptr(table) = spare.v;
        spare = table;
    } else if (zeroed) {
        frame_put_zeroed(table);
    } else {
        frame_put(frame_single(table));
    }
}

const struct pt_memory pt_frames = {table_take, table_give};

void kmap_add_ram(uint64_t start, uint64_t end) {
    start = ROUND_UP(start, PAGE_SIZE);
    end = ROUND_DOWN(MIN(end, DIRECT_SIZE), PAGE_SIZE);
    if (start >= end)
        return;
    if (ram_count == NRANGE)
        panic("more than %d pieces of RAM", NRANGE);
    ram[ram_count].start = start;
    ram[ram_count++].end = end;
}

bool kmap_is_ram(paddr_t frame) {
    for (unsigned i = 0; i < ram_count; i++)
        if (frame.v >= ram[i].start && frame.v < ram[i].end)
            return true;
    return ram_count == 0;
}

static int map_direct(uint64_t start, uint64_t end, uint64_t flags) {
    return pt_map(&kernel_pt, VA(DIRECT_BASE + start), PA(start), end - start, flags | PTE_G,
                  paging.levels - 1);
}

static void map(uint64_t start, uint64_t end, uint64_t flags) {
    int err = start < end ? map_direct(start, end, flags) : 0;
    if (err)
        panic("the machine is too small: physical %#lx..%#lx cannot be mapped (%d)",
              (unsigned long)start, (unsigned long)end, err);
}

/* [start, end) of RAM without the kernel's image, which has permissions of its own. */
static void map_ram(uint64_t start, uint64_t end) {
    uint64_t image = ptr_pa(kernel_start).v, image_end = ptr_pa(kernel_end).v;
    map(start, MIN(end, image), PTE_R | PTE_W);
    map(MAX(start, image_end), end, PTE_R | PTE_W);
}

static void map_image(void) {
    uint64_t text = ptr_pa(kernel_start).v, rodata = ptr_pa(kernel_text_end).v;
    uint64_t data = ptr_pa(kernel_rodata_end).v, end = ptr_pa(kernel_end).v;
    map(text, rodata, PTE_R | PTE_X);
    map(rodata, data, PTE_R);
    /* The lower half of each hart's stack slot stays unmapped: a guard. */
    uint64_t stacks = ptr_pa(hart_stacks).v;
    map(data, stacks, PTE_R | PTE_W);
    for (unsigned i = 0; i < NHART; i++, stacks += KSTACK_SLOT)
        map(stacks + KSTACK_SIZE, stacks + KSTACK_SLOT, PTE_R | PTE_W);
    map(stacks, end, PTE_R | PTE_W);
}

void kmap_init(unsigned levels) {
    paging = (struct paging)PAGING(levels);
    if (pt_init(&kernel_pt, paging.levels, &pt_frames))
        panic("the machine is too small: no memory for the kernel's page table");
    map_image();
    for (unsigned i = 0; i < ram_count; i++)
        map_ram(ram[i].start, ram[i].end);
    if (kmap_trampoline(&kernel_pt))
        panic("the machine is too small: no memory for the trampoline's tables");
    kstack_init();
    kernel_satp = pt_satp(&kernel_pt, 0);
}

void *kmap_device(uint64_t pa, uint64_t bytes) {
    uint64_t start = ROUND_DOWN(pa, PAGE_SIZE), end = ROUND_UP(pa + bytes, PAGE_SIZE);
    if (end <= start || end > DIRECT_SIZE)
        return NULL;
    int err = map_direct(start, end, PTE_R | PTE_W);
    /* Two devices on one page: the pages that are missing, one by one. */
    for (uint64_t at = start; err == -K_EEXIST && at < end; at += PAGE_SIZE) {
        int one = map_direct(at, at + PAGE_SIZE, PTE_R | PTE_W);
        if (one && one != -K_EEXIST)
            return NULL;
    }
    if (err && err != -K_EEXIST)
        return NULL;
    tlb_fence_kernel();
    return pa_ptr(PA(pa));
}

void kmap_boot_done(void) { booting = false; }

void kmap_share_half(struct pt *pt) {
    pte_t *root = pa_ptr(pt->root), *kernel_root = pa_ptr(kernel_pt.root);
    memcpy(root + PT_ENTRIES / 2, kernel_root + PT_ENTRIES / 2, PAGE_SIZE / 2);
}

int kmap_trampoline(struct pt *pt) {
    return pt_map(pt, VA(TRAMPOLINE), ptr_pa(trampoline_page), PAGE_SIZE, PTE_R | PTE_X | PTE_G, 0);
}
