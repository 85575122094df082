/* Any bytes as a device tree: every question may have any answer, and none leads out
 * of the blob, which lies at the end of an allocation. */
/* sources: kernel/dev/fdt.c kernel/lib/string.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "dev/fdt.h"
#include <stdlib.h>
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum; /* so that what is read is used */

static void read_string(const char *text) {
    for (; text && *text; text++)
        sum += (uint8_t)*text;
}

static void ask(fdt_node node, unsigned depth, unsigned *budget) {
    static const char *const names[] = {"reg", "compatible", "status", "#size-cells", "x"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t length = 0, cell;
        const uint8_t *bytes = fdt_prop(node, names[i], &length);
        for (uint32_t j = 0; bytes && j < length; j++)
            sum += bytes[j];
        read_string(fdt_string(node, names[i]));
        for (uint32_t j = 0; j < 4 && !fdt_cell(node, names[i], j, &cell); j++)
            sum += cell;
    }
    struct fdt_reg reg;
    for (uint32_t i = 0; i < 4 && !fdt_reg(node, i, &reg); i++)
        sum += reg.start + reg.size;
    fdt_node child = depth < 20 ? fdt_child(node) : FDT_NONE;
    for (; child != FDT_NONE && *budget > 0; child = fdt_sibling(child)) {
        --*budget;
        ask(child, depth + 1, budget);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *blob = malloc(size ? size : 1);
    unsigned budget = 200;
    memcpy(blob, data, size);
    if (fdt_init(blob, size) == 0) {
        struct fdt_reg reg;
        ask(0, 0, &budget);
        for (uint32_t i = 0; i < 20 && !fdt_reservation(i, &reg); i++)
            sum += reg.start;
        fdt_node node = FDT_NONE;
        for (unsigned i = 0; i < 50; i++)
            if ((node = fdt_next_compatible(node, "virtio,mmio")) == FDT_NONE)
                break;
        sum += fdt_path("/cpus/cpu@0");
        sum += fdt_path("/chosen");
    }
    free(blob);
    return 0;
}
