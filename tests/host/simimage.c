/* For Python tests of machine/image.
 *
 *     simimage fdt HARTS MIB      prints the device tree of such a machine */
#include "machine/image/fdt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_fdt(const char *harts, const char *mib) {
    static uint8_t tree[16384];
    struct fdt_machine machine = {.harts = (unsigned)atoi(harts),
                                  .ram_base = 0x80000000,
                                  .ram_bytes = (uint64_t)atoi(mib) << 20,
                                  .isa = "rv64imafdc",
                                  .levels = 3,
                                  .bootargs = "some arguments"};
    int64_t size = fdt_build(&machine, tree, sizeof(tree));
    return size < 0 || fwrite(tree, (size_t)size, 1, stdout) != 1;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "fdt") == 0)
        return print_fdt(argv[2], argv[3]);
    fputs("simimage: see the source\n", stderr);
    return 2;
}
