/* RAM: what the memory nodes have, less what firmware reserves (Devicetree
 * Specification 3.4, 3.5, 5.3). */
#include "init/memory.h"
#include "arch/layout.h"
#include "dev/fdt.h"
#include "dev/ramdisk.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/kmap.h"

extern char kernel_start[], kernel_end[];

#define NRANGE 32

/* Disjoint ranges. */
struct ranges {
    unsigned count;
    struct fdt_reg r[NRANGE];
};

static void add(struct ranges *set, uint64_t start, uint64_t size) {
    if (size == 0)
        return;
    if (set->count == NRANGE)
        panic("the device tree has more than %d pieces of memory", NRANGE);
    set->r[set->count++] = (struct fdt_reg){start, size};
}

/* Takes [start, start + size) out of the set. */
static void subtract(struct ranges *set, uint64_t start, uint64_t size) {
    uint64_t end = start + size;
    unsigned n = set->count;
    for (unsigned i = 0; i < n; i++) {
        struct fdt_reg *r = &set->r[i];
        uint64_t r_end = r->start + r->size;
        if (end <= r->start || start >= r_end)
            continue;
        if (end < r_end)
            add(set, end, r_end - end);
        r->size = start > r->start ? start - r->start : 0;
    }
}

static void subtract_page(struct ranges *set, uint64_t start, uint64_t size) {
    uint64_t first = ROUND_DOWN(start, PAGE_SIZE);
    subtract(set, first, ROUND_UP(start + size, PAGE_SIZE) - first);
}

static uint64_t find_memory(struct ranges *ram) {
    uint64_t total = 0;
    for (fdt_node n = fdt_child(0); n != FDT_NONE; n = fdt_sibling(n)) {
        const char *type = fdt_string(n, "device_type");
        struct fdt_reg reg;
        if (!type || strcmp(type, "memory"))
            continue;
        for (uint32_t i = 0; !fdt_reg(n, i, &reg); i++) {
            add(ram, reg.start, reg.size);
            total += reg.size;
        }
    }
    return total;
}

static void subtract_reserved(struct ranges *ram) {
    struct fdt_reg reg;
    for (uint32_t i = 0; !fdt_reservation(i, &reg); i++)
        subtract_page(ram, reg.start, reg.size);
    fdt_node parent = fdt_path("/reserved-memory");
    if (parent == FDT_NONE)
        return;
    for (fdt_node n = fdt_child(parent); n != FDT_NONE; n = fdt_sibling(n))
        for (uint32_t i = 0; !fdt_reg(n, i, &reg); i++)
            subtract_page(ram, reg.start, reg.size);
}

uint64_t memory_init(paddr_t fdt) {
    static struct ranges ram;
    uint64_t total = find_memory(&ram);
    subtract_reserved(&ram);
    for (unsigned i = 0; i < ram.count; i++)
        kmap_add_ram(ram.r[i].start, ram.r[i].start + ram.r[i].size);
    subtract_page(&ram, ptr_pa(kernel_start).v, kernel_end - kernel_start);
    subtract_page(&ram, fdt.v, fdt_size());
    struct fdt_reg initrd;
    if (!ramdisk_where(&initrd))
        subtract_page(&ram, initrd.start, initrd.size);
    for (unsigned i = 0; i < ram.count; i++)
        if (ram.r[i].size && ram.r[i].start < DIRECT_SIZE) {
            uint64_t end = MIN(ram.r[i].start + ram.r[i].size, DIRECT_SIZE);
            frame_add_range(PA(ram.r[i].start), PA(end));
        }
    return total;
}
