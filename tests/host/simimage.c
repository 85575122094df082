/* For Python tests of machine/image.
 *
 *     simimage fdt HARTS MIB      prints the device tree of such a machine
 *     simimage places ELF         for each line of its input, which is a hexadecimal address:
 *                                 its line as DIRECTORY FILE LINE, its symbol and the offset in
 *                                 that, and its text, with tabs between them */
#include "machine/image/fdt.h"
#include "machine/image/place.h"
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

static void print_place(const struct place_image *image, uint64_t address) {
    struct place place;
    char text[200];
    place_find(image, 1, address, &place);
    place_text(image, 1, address, text, sizeof(text));
    printf("%s\t%s\t%u\t%s\t%llu\t%s\n", place.line.line ? place.line.directory : "",
           place.line.line ? place.line.file : "", (unsigned)place.line.line,
           place.symbol ? place.symbol : "", (unsigned long long)place.offset, text);
}

static int print_places(const char *path) {
    static uint8_t bytes[64 << 20];
    char error[200];
    struct elf elf;
    struct place_image image;
    FILE *f = fopen(path, "rb");
    if (!f)
        return 2;
    struct image_file file = {.name = path, .bytes = bytes};
    file.size = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    if (!elf_open(&elf, &file, error, sizeof(error)) || !place_image_read(&image, &elf)) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    for (char line[100]; fgets(line, sizeof(line), stdin);)
        print_place(&image, strtoull(line, NULL, 16));
    place_image_free(&image);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "fdt") == 0)
        return print_fdt(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "places") == 0)
        return print_places(argv[2]);
    fputs("simimage: see the source\n", stderr);
    return 2;
}
